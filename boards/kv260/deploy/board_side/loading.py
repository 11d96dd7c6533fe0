"""Loading and unloading, with the board held meanwhile; the device tree has its word on it later (`facts.unit_nodes`, judged by the host)."""

from __future__ import annotations

import os
import time
from typing import Final

from boards.kv260.deploy.board_side.board import Board
from boards.kv260.deploy.board_side.lock import Lock
from ebmhw.board.xmutil import says_loaded, says_unloaded
from ebmhw.errors import BoardError

_POLL_SECONDS: Final = 0.1


def hold_board(hold: Lock, seconds: float = 0.0) -> None:
    """Keep other processes from the programmable logic: one that read a register while nothing serves it would stop the processor.

    Raises
    ------
    BoardError
        One has it still after some seconds.
    """
    end = time.monotonic() + seconds
    while not hold.held:
        taken, user = hold.take(str(os.getpid()))
        if not taken and time.monotonic() > end:
            who, remedy = (f"process {user}", f"sudo kill {user}") if user.isdecimal() else ("another process", f"sudo fuser {hold.path} names it")
            raise BoardError(f"the board is in use by {who}; end it ({remedy}; a notebook: shut its kernel down)")
        if not taken:
            time.sleep(_POLL_SECONDS)


def load(board: Board, name: str, seconds: float) -> str:
    """Load firmware and return what the loader said; BoardError where it does not say that it did."""
    done = board.loader(seconds).load(name)
    if not says_loaded(done):
        raise BoardError(f"{done.told()}; the kernel's word on it: dmesg | tail")
    return done.output.strip()


def unload(board: Board, seconds: float) -> None:
    """Unload all that is loaded; BoardError where the loader does not say that it did."""
    loader = board.loader(seconds)
    for one in board.active():
        done = loader.unload(one)
        if not says_unloaded(done):
            raise BoardError(f"{one.name} is not unloaded: {done.told()}; end what uses it")


def wait_for(board: Board, name: str, seconds: float) -> bool:
    """Wait until the loader lists firmware; return whether it does."""
    end = time.monotonic() + seconds
    while name not in [one.name for one in board.apps()]:
        if time.monotonic() > end:
            return False
        time.sleep(_POLL_SECONDS)
    return True
