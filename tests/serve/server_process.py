"""A server of `ebmhw serve` as a process, seen by a client that writes and reads raw bytes."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any

SECONDS = 60.0
"""Longest wait for anything; a test that needs it all has failed."""


class RawClient:
    """Speaks to a server in bytes; a context at whose end it is killed."""

    def __init__(self, *options: str, folder: Path | None = None) -> None:
        environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
        environment.pop("EBMHW_BACKEND", None)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "ebmhw", "serve", *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            env=environment,
            cwd=folder,
        )
        assert self.process.stdin is not None and self.process.stdout is not None
        self._in, self._out = self.process.stdin.fileno(), self.process.stdout.fileno()
        self._rest = b""
        self._number = 0

    def __enter__(self) -> RawClient:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()

    def send(self, *values: Any) -> None:
        """Send bytes as they are, anything else as a line of JSON."""
        for value in values:
            view = memoryview(value if isinstance(value, bytes) else json.dumps(value).encode() + b"\n")
            while view:
                assert select.select([], [self._in], [], SECONDS)[1], "the server does not read"
                view = view[os.write(self._in, view[:4096]) :]

    def line(self, seconds: float = SECONDS) -> Any:
        """Return the next message; None at the end of the stream. Everything that is no JSON-RPC fails here."""
        until = time.monotonic() + seconds
        while b"\n" not in self._rest:
            assert select.select([self._out], [], [], max(0.0, until - time.monotonic()))[0], "the server does not answer"
            chunk = os.read(self._out, 65536)
            if not chunk:
                assert not self._rest, self._rest[:200]
                return None
            self._rest += chunk
        line, _, self._rest = self._rest.partition(b"\n")
        value = json.loads(line)
        assert value["jsonrpc"] == "2.0"
        return value

    def silent(self, seconds: float) -> bool:
        """Tell whether nothing comes for a while."""
        return not self._rest and not select.select([self._out], [], [], seconds)[0]

    def request(self, method: str, parameters: Any = None, number: Any = None) -> Any:
        """Send a request and return its number."""
        self._number += 1
        number = self._number if number is None else number
        self.send({"jsonrpc": "2.0", "id": number, "method": method, **({} if parameters is None else {"params": parameters})})
        return number

    def call(self, tool: str, **arguments: Any) -> Any:
        """Send a tool's call and return its number."""
        return self.request("tools/call", {"name": tool, "arguments": arguments})

    def answer(self, number: Any) -> Any:
        """Return the answer to a request, letting others and notifications pass."""
        while True:
            message = self.line()
            assert message is not None, f"the server ended without an answer to {number}"
            if message.get("id") == number:
                return message

    def begin(self) -> Any:
        """Shake hands and return what the server says of itself."""
        number = self.request("initialize", {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "raw", "version": "1"}})
        answer = self.answer(number)
        self.send({"jsonrpc": "2.0", "method": "notifications/initialized"})
        return answer["result"]

    def well(self) -> bool:
        """Tell whether the server serves."""
        answer = self.answer(self.call("health_check"))
        return bool(answer["result"]["structuredContent"]["status"] == "ok")

    def close_input(self) -> None:
        """Say that no more will be sent."""
        assert self.process.stdin is not None
        self.process.stdin.close()

    def ended(self, seconds: float = SECONDS) -> int:
        """Wait for its end and return the status."""
        return self.process.wait(seconds)

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def complaints(self) -> str:
        """Return what it said on standard error; only once it has ended."""
        assert self.process.stderr is not None
        return self.process.stderr.read().decode("utf-8", "replace")


def children(process: int) -> list[int]:
    """Return the processes that a process has started and that live; Linux only."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[1]) == process and fields[0] != "Z":
                found.append(int(entry.name))
    return found


def descendants(process: int) -> list[int]:
    """Return the processes that a process has started, and those that these have, and so on; Linux only."""
    return [found for child in children(process) for found in (child, *descendants(child))]


def alive(process: int) -> bool:
    """Tell whether a process runs; Linux only."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
