"""Reading: the session that a file of the spool holds, with those beside it; what cannot be read is told and kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import final

from ebmhw.errors import InvalidTrajectory
from ebmhw.karl.tap.broken import BROKEN, Broken
from ebmhw.karl.tap.sessions import session_of
from ebmhw.karl.tap.spooled import lines, merged
from ebmhw.karl.trajectory import Trajectory

_TOLD = 5
"""Lines of a file that are each told of."""

_LOOK = 1024
"""Lines between two looks at the clock."""


@final
class Late(Exception):
    """No time is left for what was begun."""


def session_in(path: str, sides: list[bytes], broken: Broken, problem: Callable[[str, str], object], late: Callable[[], bool]) -> Trajectory | None:
    """Return the session of a file; None where it has no line, or none that can be read and ``broken`` has all of them.

    Parameters
    ----------
    path : of the file
    sides : lines that belong to it
    broken : given the lines that cannot be read
    problem : given a place and what is wrong there
    late : tells whether no time is left

    Raises
    ------
    FileNotFoundError : there is no such file
    InvalidTrajectory, NewerRecord : it is no session, or one of a later version
    Late : no time was left
    """
    own: Iterable[bytes] = lines(path)
    if sides:
        own = merged(list(own), sides)
    seen, finished, told = b"", False, 0

    def kept() -> Iterator[bytes]:
        nonlocal seen, finished
        for at, seen in enumerate(own):
            if at % _LOOK == 0 and late():
                raise Late
            yield seen
        finished = True

    def note(number: int, text: str) -> None:
        nonlocal told
        broken.add(number, seen)
        told += 1
        if told <= _TOLD:
            problem(f"{path}:{number}", text)

    try:
        trajectory = session_of(kept(), on_problem=note)
    except InvalidTrajectory:
        # A process that is killed at its first line leaves one, and a short one.
        if not finished or not broken.of_taps or (seen and not broken):
            raise
        trajectory = None
    if told > _TOLD:
        problem(path, f"{told - _TOLD} more of its lines cannot be read; all are in {BROKEN}")
    return trajectory
