"""Process: whether the calls succeeded, later ones weighing more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ebmhw.karl.record import bash_error
from ebmhw.karl.tools import BASH
from ebmhw.karl.trajectory import ToolEvent

NO_EVENTS = 0.5
PENALTY = 0.15
"""Of each failure in a row beyond the second, and of each late one."""

RUN = 3
"""Failures in a row that are a run."""


class ProcessParts(NamedTuple):
    """Parts of P = .40 S + .25 B + .20 D + .15 L, each in [0, 1].

    Attributes
    ----------
    success : S, the share of calls that did not fail, weighted .5 + i / max(n - 1, 1)
    shell : B, 1 - failed shell commands / shell commands; 1 without any
    runs : D, 1 if the longest run of failures m is below 3, else max(0, 1 - .15 (m - 2))
    late : L, max(0, 1 - .15 failures in the last max(1, n // 4) calls)
    """

    success: float
    shell: float
    runs: float
    late: float

    @property
    def total(self) -> float:
        """P."""
        return 0.40 * self.success + 0.25 * self.shell + 0.20 * self.runs + 0.15 * self.late


def process_parts(events: Sequence[ToolEvent]) -> ProcessParts | None:
    """Return the parts of the calls of a session, None without any."""
    count = len(events)
    if not count:
        return None
    # The weights of n calls add up to n / 2 + n / 2, but .5 for a single one.
    weights = float(count) if count > 1 else 0.5
    step = 1.0 / max(count - 1, 1)
    lost, run, longest, late, shell, errors = 0.0, 0, 0, 0, 0, 0
    last = count - max(1, count // 4)
    for place, event in enumerate(events):
        if event.success is False:
            lost += 0.5 + place * step
            run += 1
            longest = max(longest, run)
            late += place >= last
        else:
            run = 0
        if event.tool == BASH:
            shell += 1
            errors += bash_error(event)
    return ProcessParts(
        success=max(0.0, (weights - lost) / weights),  # rounding: no call that went well is not below 0
        shell=1.0 - errors / shell if shell else 1.0,
        runs=1.0 if longest < RUN else max(0.0, 1.0 - PENALTY * (longest - 2)),
        late=max(0.0, 1.0 - PENALTY * late),
    )
