"""Taking back what a journal tells of."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from boards.kv260.deploy.board_side import pynq_python
from boards.kv260.deploy.board_side.board import Board
from boards.kv260.deploy.board_side.journal import Journal
from boards.kv260.deploy.board_side.loading import hold_board, load, unload, wait_for
from boards.kv260.deploy.board_side.lock import Lock
from ebmhw.errors import BoardError

UNDO_SECONDS: Final = 60.0
"""Limit of loading and of unloading."""

_NOTICE_SECONDS: Final = 10.0
_HOLD_SECONDS: Final = 5.0


def undo(board: Board, journal: Journal, hold: Lock) -> list[str]:
    """Bring back what was there, and return what did not work, a sentence with the command to run by hand each."""
    problems: list[str] = []

    def attempt(what: Callable[[], object], command: str) -> None:
        try:
            what()
        except (BoardError, OSError, ValueError, tarfile.TarError) as error:
            problems.append(f"{error}; by hand: {command}")

    if journal.before is not None:
        attempt(lambda: hold_board(hold, _HOLD_SECONDS), "deploy again after that, which brings back what was there first")
        if problems:
            return problems  # with another process at its registers, nothing may be unloaded
        attempt(lambda: _unload_all(board, journal), "sudo xmutil unloadapp")
    for pair in journal.pairs:
        attempt(pair.swap_out, pair.by_hand())
    if journal.made and os.path.isdir(journal.made) and not os.listdir(journal.made):
        made = journal.made
        attempt(lambda: os.rmdir(made), f"sudo rmdir {made}")
    if journal.host is not None:
        archive = Path(journal.host)
        attempt(lambda: pynq_python.restore(board, archive, journal.packages), f"sudo tar -C / -xf {archive}")
    for name in journal.before or []:
        attempt(partial(_load_again, board, name), f"sudo xmutil loadapp {name}")
    return problems


def _unload_all(board: Board, journal: Journal) -> None:
    changed = any(pair.live_is_new for pair in journal.pairs)
    if changed or sorted(one.name for one in board.active()) != sorted(journal.before or []):
        unload(board, UNDO_SECONDS)


def _load_again(board: Board, name: str) -> None:
    wait_for(board, name, _NOTICE_SECONDS)
    if name not in [one.name for one in board.active()]:
        load(board, name, UNDO_SECONDS)
