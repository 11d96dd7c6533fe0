"""Verification: whether what was changed was tested, built and read again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ebmhw.karl.commands import NOT_RUN, kinds, not_run
from ebmhw.karl.reward.guard import ran_nothing
from ebmhw.karl.shell.kinds import BUILDS, TESTS
from ebmhw.karl.tools import BASH, READ, WRITES
from ebmhw.karl.trajectory import Trajectory

NO_EVENTS = 0.5
NO_MUTATION = 0.6


class VerificationParts(NamedTuple):
    """Parts of V = .4 test run + .3 build run + .3 read after write, each 0 or 1.

    Attributes
    ----------
    tested : some command ran tests
    built : some command built
    read_after_write : a file was read after a call that changed it
    """

    tested: float
    built: float
    read_after_write: float

    @property
    def total(self) -> float:
        """V."""
        return 0.4 * self.tested + 0.3 * self.built + 0.3 * self.read_after_write


def mutates(counts: Mapping[str, int]) -> bool:
    """Tell whether a session with ``counts`` calls by tool changed a file."""
    return any(counts.get(tool) for tool in WRITES)


def verification_parts(trajectory: Trajectory, guard: bool = True) -> VerificationParts | None:
    """Return the parts of a session, None where it changed no file or no call of it is kept; ``guard``: runs that ran nothing do not count."""
    if not trajectory.events or not mutates(trajectory.tool_counts):
        return None
    tested = built = read = False
    written: set[str] = set()
    for event in trajectory.events:
        tool = event.tool
        if tool == BASH:
            if tested and built:
                continue
            command = event.params.get("command")
            found = kinds(command) if command else 0
            if found & TESTS and not (guard and ran_nothing(event)):
                tested = True
            if found & BUILDS and not (guard and event.exit_code in NOT_RUN and not_run(command or "", event.exit_code)):
                built = True
        elif tool in WRITES:
            written.add(event.params.get("file_path", ""))
        elif tool == READ and not read:
            path = event.params.get("file_path")
            read = bool(path) and path in written
    return VerificationParts(float(tested), float(built), float(read))
