"""Closing: sessions without a sign of life put among the ended ones, and what killed processes left removed; file by file."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import final

from ebmhw.errors import InvalidTrajectory
from ebmhw.karl.tap.buffers import ENDED, LAST, OPEN, SIDE, Buffers
from ebmhw.karl.tap.events import END
from ebmhw.karl.tap.handles import odd
from ebmhw.karl.tap.spooled import SIDE_BYTES, age, is_over, objects, reason
from ebmhw.karl.tap.stamps import Stamp

BUSY_S = 60.0
"""A buffer that was written to since then is of a session that goes on; that is cheaper to see than what it says."""

LEFTOVER_S = 86400.0
"""After which temporary files of killed processes, and ends that no prompt followed, go."""

Problem = Callable[[str, str], object]


def close_idle(buffers: Buffers, stamp: Stamp, idle_s: float, problem: Problem) -> None:
    """Put sessions that are over among the ended ones; what is wrong with a file is told, and hinders no other.

    Parameters
    ----------
    buffers : those of the spool
    stamp : of now
    idle_s : after which a session without an end is over
    problem : given a path and what is wrong there
    """
    work = _Closing(buffers, stamp, idle_s, problem)
    names = sorted(os.listdir(buffers.spool))
    sides = work.sides(name for name in names if name.endswith(SIDE))
    ending = {key for key, found in sides.items() if any(ends for _, ends in found)}
    going_on = {_key(name) for name in names if name.endswith(OPEN) and work.close(name, _key(name) in ending)}
    for key, found in sides.items():
        if key not in going_on:
            work.end_sides([name for name, _ in found], key in ending)
    for name in names:
        if name.endswith((LAST, ".tmp")):
            work.remove(name)


@final
class _Closing:
    def __init__(self, buffers: Buffers, stamp: Stamp, idle_s: float, problem: Problem) -> None:
        self._buffers, self._stamp, self._idle_s, self._problem = buffers, stamp, idle_s, problem

    def sides(self, names: Iterable[str]) -> dict[str, list[tuple[str, bool]]]:
        """Return {key: files beside its buffer, and whether each holds the end}, those that cannot be read aside."""
        found: dict[str, list[tuple[str, bool]]] = {}
        for name in names:
            path = self._path(name)
            try:
                ends = any(line.get("kind") == END for line in objects(path, SIDE_BYTES))
            except InvalidTrajectory as error:
                self._problem(path, f"{error}; the file is left, remove it")
                continue
            found.setdefault(_key(name), []).append((name, ends))
        return found

    def close(self, name: str, ends: bool) -> bool:
        """Put a buffer among the ended ones if it is over; return whether what lies there is a buffer."""
        path, key = self._path(name), _key(name)
        if odd(path) is None and not ends and abs(age(path, self._stamp.wall)) < min(self._idle_s, BUSY_S):
            return True
        try:
            self._buffers.close(key, lambda handle: ends or is_over(handle, self._stamp, self._idle_s))
        except OSError as error:
            self._problem(path, f"{reason(error)}; it is left, and events of its session go beside it: remove it, or give it to this user")
            return False
        return True

    def end_sides(self, names: list[str], ends: bool) -> None:
        """Make a session of files whose buffer has gone meanwhile, or cannot be had: the last one, which the others are put to."""
        path = self._path(names[-1])
        if not ends and age(path, self._stamp.wall) < self._idle_s:
            return
        try:
            os.rename(path, path.removesuffix(SIDE) + ENDED)
        except FileNotFoundError:
            return
        except OSError as error:
            self._problem(path, f"{reason(error)}; it is left, and its session is not stored: make the spool writable for this user")

    def remove(self, name: str) -> None:
        """Remove what a killed process left, or an end that no prompt followed."""
        path = self._path(name)
        wrong = odd(path)
        if wrong is not None:
            self._problem(path, f"{wrong}; it is left, remove it")
        elif age(path, self._stamp.wall) > LEFTOVER_S:
            try:
                with suppress(FileNotFoundError):
                    os.unlink(path)
            except OSError as error:
                self._problem(path, f"{reason(error)}; it is left, remove it")

    def _path(self, name: str) -> str:
        return os.path.join(self._buffers.spool, name)


def _key(name: str) -> str:
    return name.partition(".")[0]
