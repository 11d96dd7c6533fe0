"""Keeper: the board is given back when nobody can use it any more: neither a backend, nor a driver or a bus that somebody kept of it."""

from __future__ import annotations

import os
import weakref
from contextlib import ExitStack
from typing import final


@final
class Keeper:
    """What was taken of a board. Whoever may use it refers to this; nothing that was taken does.

    Attributes
    ----------
    taken : how each part is given back, the last one first; what it refers to must not refer to this
    give_back : does so, once: when it is called, when nothing refers to this any more, or at the end of the process
    """

    def __init__(self) -> None:
        self.taken = ExitStack()
        self.give_back = weakref.finalize(self, self.taken.close)
        _keepers.add(self)


_keepers: weakref.WeakSet[Keeper] = weakref.WeakSet()


def _forked() -> None:
    """Leave the board to the process that has it: what a fork of it gives back, that one would lose."""
    for keeper in list(_keepers):
        keeper.give_back.detach()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
