"""The loop that answers the host's requests."""

from __future__ import annotations

import os
import tarfile
from typing import Any, Final

from boards.kv260.deploy.board_side.board import Board
from boards.kv260.deploy.board_side.facts import facts
from boards.kv260.deploy.board_side.link import Gone, Link
from boards.kv260.deploy.board_side.session import Session
from ebmhw.errors import BoardError

_FIRST_SECONDS: Final = 30.0


def main() -> None:
    """Answer one request for facts, or a deploy's requests until the host ends it."""
    link = Link()
    try:
        first = link.line(_FIRST_SECONDS)
        link.token = str(first["token"])
        board = Board(link, first)
        if first["op"] == "facts":
            link.say({"ok": True, "facts": facts(board, first)})
        else:
            _deploy(link, board, first)
    except (BoardError, Gone, OSError) as error:
        link.say({"ok": False, "error": str(error)})


def _deploy(link: Link, board: Board, first: dict[str, Any]) -> None:
    link.watch_signals()
    os.umask(0o022)
    session, request = Session(board, first), first
    try:
        while True:
            try:
                answer = dict(session.answer(request), ok=True)
            except (BoardError, OSError) as error:
                answer = {"ok": False, "error": str(error)}
            except (ValueError, KeyError, TypeError, tarfile.TarError) as error:
                answer = {"ok": False, "error": f"{type(error).__name__}: {error}"}
            link.say(answer)
            request = link.line(first["idle_s"])
    except Gone as gone:
        # The host may have closed only its side, and still listen.
        problems = session.roll_back()
        link.say({"ok": False, "error": str(gone), "gone": True, "kept": session.committed, "problems": problems})
    finally:
        session.close()
