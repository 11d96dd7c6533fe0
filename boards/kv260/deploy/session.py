"""The host's end of `board_side`: starts it on the board, asks, and reads its answers within limits."""

from __future__ import annotations

import json
import os
import secrets
import select
import subprocess
import tempfile
import time
from collections.abc import Sequence
from typing import Any, Final, final

from boards.kv260.deploy.bundle import LOADER, bundle
from boards.kv260.deploy.payload import UploadFile
from boards.kv260.deploy.ssh import Connection
from boards.kv260.deploy.text import clean, shortened
from ebmhw.board.command import stop
from ebmhw.errors import BoardError, ConfigError, NetworkError

ANSWER_BYTES: Final = 1 << 20
"""Most bytes of an answer, and of what else is printed before it."""

UNDO_S: Final = 300
"""Limit of a roll-back, as its steps' own limits on the board make it."""


@final
class BoardSession:
    """`board_side`, running on a board; the session of a deploy where the first request is "begin".

    Parameters
    ----------
    connection : to the board
    common : what every first request holds
    sudo : whether it runs as root through sudo
    """

    def __init__(self, connection: Connection, common: dict[str, Any], *, sudo: bool) -> None:
        self._common = common | {"token": secrets.token_hex(16)}
        self._first = True
        self._connection = connection
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  # closed with the session
        self._waiting = b""
        modules = bundle()
        command = [*(("sudo", "-n") if sudo else ()), "python3", "-I", "-c", LOADER, str(len(modules))]
        self._process = connection.command(command, self._errors)
        self._write(modules)

    def ask(self, op: str, wait_s: float, files: Sequence[UploadFile] = (), **request: Any) -> dict[str, Any]:
        """Return the answer to a request, clean; BoardError where the board says that the step failed, NetworkError where it says nothing."""
        if self._first:
            request = self._common | request
            self._first = False
        if files:
            request["files"] = [{"where": one.where, "name": one.name, "size": one.size, "sha256": one.sha256} for one in files]
        try:
            self._write(json.dumps(request | {"op": op}).encode() + b"\n")
            for file in files:
                self._send(file)
        except BrokenPipeError:
            pass  # the answer, or ssh, says why
        answer = self._answer(wait_s)
        if not answer.get("ok"):
            raise BoardError(str(answer.get("error")) or "the board does not say why", context={"final": answer} if answer.get("gone") else None)
        return answer

    def finish(self) -> dict[str, Any]:
        """End the input, upon which the board keeps what is committed or brings back what was there, and return its last answer."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        while True:
            answer = self._answer(UNDO_S)
            if answer.get("gone"):
                return answer

    def close(self) -> None:
        """Let go of the session on this side."""
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            try:
                stream.close()
            except BrokenPipeError:
                continue
        try:
            self._process.wait(2)
        except subprocess.TimeoutExpired:
            stop(self._process)
        self._errors.close()

    def _write(self, data: bytes) -> None:
        assert self._process.stdin is not None
        view = memoryview(data)
        while view:
            view = view[self._process.stdin.write(view) :]

    def _send(self, file: UploadFile) -> None:
        left = file.size
        try:
            stream = file.path.open("rb")
        except OSError as error:
            raise ConfigError(f"{file.path} cannot be read ({error.strerror or error}); make the firmware again") from None
        with stream:
            while left:
                piece = stream.read(min(left, 1 << 18))
                if not piece:
                    raise ConfigError(f"{file.path} has {file.size - left} bytes, not {file.size}: it was changed meanwhile; deploy again")
                self._write(piece)
                left -= len(piece)

    def _answer(self, limit_s: float) -> dict[str, Any]:
        """Return the next line that has our token."""
        token = self._common["token"].encode() + b" "
        end, taken = time.monotonic() + limit_s, 0
        assert self._process.stdout is not None
        while True:
            while b"\n" in self._waiting:
                line, _, self._waiting = self._waiting.partition(b"\n")
                if line.startswith(token):
                    try:
                        answer = json.loads(line[len(token) :])
                    except (ValueError, RecursionError):
                        answer = None
                    if not isinstance(answer, dict):
                        raise BoardError(f"the board's answer is no JSON object: {shortened(line.decode('utf-8', 'replace'), 200)}")
                    found: dict[str, Any] = clean(answer)
                    return found
            left = end - time.monotonic()
            if left <= 0:
                raise NetworkError(f"the board said nothing for {limit_s:.0f} s; is it still there (ping {self._connection.target.host})?")
            if not select.select([self._process.stdout], [], [], min(left, 1))[0]:
                continue
            piece = os.read(self._process.stdout.fileno(), 1 << 16)
            taken += len(piece)
            if not piece or taken > ANSWER_BYTES:
                raise self._lost(bool(piece))
            self._waiting += piece

    def _lost(self, flooded: bool) -> NetworkError | BoardError:
        """Return the error of a session that ended without an answer."""
        if flooded:
            return BoardError(f"the board printed more than {ANSWER_BYTES} bytes instead of an answer; look at its user's login files (.bashrc)")
        try:
            status: int | None = self._process.wait(2)
        except subprocess.TimeoutExpired:
            status = None
        self._errors.seek(0)
        said = shortened(self._errors.read(1 << 16).decode("utf-8", "replace") + self._connection.errors())
        if status == 127 or "python3: not found" in said or "python3: command not found" in said:
            return BoardError(f"there is no python3 on the board ({said}); use the Ubuntu image of Kria boards")
        return NetworkError(f"the connection to {self._connection.target} ended (ssh's exit status {status}; it said: {said or 'nothing'})")
