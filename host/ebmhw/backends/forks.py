"""What locks a fork of the process gets: those that another thread holds are held for ever there, where that thread is not."""

from __future__ import annotations

import os
from typing import Final, Protocol, TypeVar
from weakref import WeakSet


class Forked(Protocol):
    """Something with a lock."""

    def forked(self) -> None:
        """Take a lock of its own: this process was forked, and has one thread only."""


_FORKED: Final[WeakSet[Forked]] = WeakSet()

Each = TypeVar("Each", bound=Forked)


def renew_in_forks(each: Each) -> Each:
    """Return what is given; as long as it is there, ``forked`` of it is called in every fork of this process, before anything else is."""
    _FORKED.add(each)
    return each


def _forked() -> None:
    for each in list(_FORKED):
        each.forked()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
