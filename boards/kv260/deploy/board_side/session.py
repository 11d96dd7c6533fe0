"""One deploy on the board, from the lock to the commit: a method for each request of the host."""

from __future__ import annotations

import os
import re
import shutil
import time
from pathlib import Path
from typing import Any, Final, final

from boards.kv260.deploy.board_side import pynq_python
from boards.kv260.deploy.board_side.board import Board, existing
from boards.kv260.deploy.board_side.facts import digest_of, unit_nodes
from boards.kv260.deploy.board_side.folders import Pair, sync
from boards.kv260.deploy.board_side.journal import Journal, forget, has_journal, this_boot
from boards.kv260.deploy.board_side.link import Gone
from boards.kv260.deploy.board_side.loading import hold_board, load, unload, wait_for
from boards.kv260.deploy.board_side.lock import Lock
from boards.kv260.deploy.board_side.undo import undo
from ebmhw.board.system import manager_state
from ebmhw.errors import BoardError

STEPS: Final = ("begin", "upload", "host", "unload", "install", "load", "look", "selftest", "commit")
"""Requests, in their order; "host" may be left out."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,120}")
_LOCKS: Final = "/run/lock"
_DIGITS: Final = 16


@final
class Session:
    """A deploy.

    Parameters
    ----------
    board : where it goes on
    request : the first one

    Attributes
    ----------
    committed : whether what is there now is kept
    """

    def __init__(self, board: Board, request: dict[str, Any]) -> None:
        self._board = board
        self._properties: dict[str, str] = request["properties"]
        self._journal: Journal | None = None
        self._lock = Lock(board.at(_LOCKS) / f"{board.app}-deploy.lock", passing=True)
        # The one of software that uses the board, which nobody removes.
        self._hold = Lock(board.at(_LOCKS) / request["hold"], passing=False)
        self.committed = False

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Do what a request asks and return what is to be said of it; BoardError and OSError where that does not work."""
        if request["op"] not in STEPS:
            raise BoardError(f"there is no step {request['op']!r}; it is one of {', '.join(STEPS)}")
        found: dict[str, Any] = getattr(self, request["op"])(request)
        return found

    def begin(self, request: dict[str, Any]) -> dict[str, Any]:
        """Take the lock, repair what an earlier deploy left behind, and return both."""
        board, now = self._board, time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime())
        taken, holder = self._lock.take(f"{request['who']}, since {now}, process {os.getpid()}")
        if not taken:
            raise BoardError(f"another deploy holds the board: {holder}; wait for its end, or end it on the board (kill its process: it rolls back)")
        repaired = self._repair()
        self._clear()
        for folder in (board.staging, board.share_staging):
            os.makedirs(str(folder), 0o700)
        pairs = []
        for live, staged in ((board.firmware, board.staging / "firmware"), (board.share, board.share_staging / "share")):
            os.makedirs(str(staged), 0o755)
            pairs.append(Pair.of(live, staged))
        made = board.share.parent
        self._journal = Journal(request["who"], now, this_boot(), pairs, None if existing(made) == made else str(made))
        return {"took_over": holder or None, "repaired": repaired}

    def upload(self, request: dict[str, Any]) -> dict[str, Any]:
        """Take the files of the host, and read them back from the medium."""
        paths = [self._receive(file, request["idle_s"]) for file in request["files"]]
        for at, path in enumerate(paths):
            file = request["files"][at]
            found, size = digest_of(path)
            if (found, size) != (file["sha256"], file["size"]):
                arrived = f"{file['name']} arrived with {size} bytes and SHA-256 {found[:_DIGITS]}..."
                raise BoardError(
                    f"{arrived}, not {file['size']} and {file['sha256'][:_DIGITS]}...: it changed on the way, or while it was read; deploy again"
                )
        for pair in self._begun.pairs:
            sync(pair.staged)
        return {}

    def _receive(self, file: dict[str, Any], idle_s: float) -> Path:
        if not _NAME.fullmatch(file["name"]) or file["where"] not in ("firmware", "share", "host"):
            raise Gone(f"{file['name']!r} is no name of a file to be put onto a board")
        path: Path = (self._board.share_staging if file["where"] == "share" else self._board.staging) / file["where"] / file["name"]
        try:
            path.parent.mkdir(exist_ok=True)
            with path.open("wb") as stream:
                for piece in self._board.link.data(file["size"], idle_s):
                    stream.write(piece)
                stream.flush()
                os.fsync(stream.fileno())
            path.chmod(0o644)
        except OSError as error:
            # What else the host sends would be taken for requests.
            raise Gone(f"{path} cannot be written: {error.strerror or error}; make room on the board") from None
        return path

    def host(self, request: dict[str, Any]) -> dict[str, Any]:
        """Install ebmhw into PYNQ's Python, after a copy of what is there, and return what that Python has then."""
        archive = self._board.staging / "host.tar"
        self._begun.packages = pynq_python.save(self._board, archive, request["requirements"])
        self._begun.host = str(archive)
        self._begun.write(self._board.staging)
        package = self._board.staging / "host" / request["name"]
        pynq_python.install(self._board, package, request["requirements"], request["limit_s"], offline=request["offline"])
        return {"pynq": pynq_python.told(pynq_python.look(self._board))}

    def unload(self, request: dict[str, Any]) -> dict[str, Any]:
        """Unload what is loaded; from here on a roll-back loads it again."""
        hold_board(self._hold)
        self._begun.before = [one.name for one in self._board.active()]
        self._begun.write(self._board.staging)
        unload(self._board, request["limit_s"])
        return {"unloaded": self._begun.before}

    def install(self, request: dict[str, Any]) -> dict[str, Any]:
        """Put firmware and share folder into place, each at once."""
        journal = self._begun
        journal.write(self._board.staging)
        if journal.made:
            os.makedirs(journal.made, exist_ok=True)
        for pair in journal.pairs:
            if os.stat(os.path.dirname(pair.live)).st_dev != os.stat(pair.staged).st_dev:
                raise BoardError(
                    f"{pair.live} is on another file system than {pair.staged}: it cannot be put into place at once; move it to that of its parent"
                )
        for pair in journal.pairs:
            pair.swap_in()
            for folder in {os.path.dirname(pair.live), os.path.dirname(pair.staged)}:
                sync(folder)
        return {}

    def load(self, request: dict[str, Any]) -> dict[str, Any]:
        """Wait until the loader knows the firmware, and load it."""
        app = self._board.app
        if not wait_for(self._board, app, request["notice_s"]):
            raise BoardError(
                f"dfx-mgr does not list {app} within {request['notice_s']:.0f} s though its folder is in place; is shell.json whole, and does "
                "dfx-mgr run (systemctl status dfx-mgr)?"
            )
        return {"said": load(self._board, app, request["limit_s"])}

    def look(self, request: dict[str, Any]) -> dict[str, Any]:
        """Return what the kernel says of the programmable logic, for the host to judge."""
        return {"manager": manager_state(self._board.root), "nodes": unit_nodes(self._board.root, self._properties)}

    def selftest(self, request: dict[str, Any]) -> dict[str, Any]:
        """Run the self-test, which holds the board itself."""
        self._hold.release()
        return pynq_python.self_test(self._board, request["limit_s"])

    def commit(self, request: dict[str, Any]) -> dict[str, Any]:
        """Keep what is there now."""
        forget(self._board.staging)
        self._journal, self.committed = None, True
        self._clear()
        return {}

    def roll_back(self) -> list[str]:
        """Bring back what was there, unless it is committed, and return what did not work of it."""
        if self._journal is None:
            if self._lock.held and not has_journal(self._board.staging):
                self._clear()
            return []
        self._board.link.deaf = True
        problems = undo(self._board, self._journal, self._hold)
        if not problems:
            forget(self._board.staging)
            self._journal = None
            self._clear()
        return problems

    def close(self) -> None:
        """Let others have the board."""
        self._hold.release()
        self._lock.release()

    @property
    def _begun(self) -> Journal:
        if self._journal is None:
            raise BoardError("no deploy was begun")
        return self._journal

    def _repair(self) -> str | None:
        journal = Journal.read(self._board.staging)
        if journal is None:
            return None
        if journal.boot != this_boot():
            journal.before = None  # what was loaded then is not loaded since
        problems = undo(self._board, journal, self._hold)
        if problems:
            whose, told = f"an earlier deploy ({journal.who}, {journal.since})", "; ".join(problems)
            raise BoardError(f"{whose} died midway, and what was there before cannot be put back: {told}; then deploy again")
        self._hold.release()
        forget(self._board.staging)
        return f"an earlier deploy ({journal.who}, {journal.since}) died midway; what was there before it is there again"

    def _clear(self) -> None:
        for folder in (self._board.staging, self._board.share_staging):
            if os.path.lexists(folder):
                shutil.rmtree(folder)
