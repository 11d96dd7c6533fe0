"""Phase: in which of the peer's phases a run is, told from noise, and where along the run it changed."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ebmhw.coherence.observe.run import Run
from ebmhw.coherence.observe.trend import POINTS, SIGNIFICANCE, Trend, trend_of
from ebmhw.errors import ValidationError, shown
from ebmhw.numbers import whole

PHASES = ("crystallizing", "melting", "ordering", "disordering", "stable", "insufficient")
"""Phases by the peer's names."""

WINDOW = 50
"""Values of phi that a phase is told from, the last ones."""

PHI_CHANGE = 0.02
"""Change of phi between the halves of the window that counts."""

DENSITY_CHANGE = 0.01
"""Change of crystallizations and meltings per token between the halves that counts."""

WINDOWS = 200
"""Windows along a run; of longer runs they lie twice as far apart, again and again."""


class Phase(NamedTuple):
    """A phase and what it was told from.

    Attributes
    ----------
    name : one of `PHASES`
    steps : the first and the last of the window, None where there is no phi
    phi : the trend of phi, None where there are too few values
    density : that of the defect density likewise
    """

    name: str
    steps: tuple[int, int] | None
    phi: Trend | None
    density: Trend | None


class PhaseChange(NamedTuple):
    """Where a run went from one phase into another: the first and the last step of the first window that shows the phase ``after``."""

    first: int
    last: int
    before: str
    after: str


def phase_of(run: Run, window: int = WINDOW) -> Phase:
    """Return the phase of a run over the last ``window`` known values of phi."""
    return _phase(run, None, _checked(window), SIGNIFICANCE)


def phase_changes(run: Run, window: int = WINDOW) -> list[PhaseChange]:
    """Return where along a run its phase changed.

    Windows overlap by half and start from the first value on; one that is not full yet is not judged. Window k = 1, 2, ... is judged at the level
    of `phase_of` over k (k + 1), which adds up to that level over all windows, however many there will be: so what was found stays as it is
    when the log grows (up to `WINDOWS` windows, from which on every second one is left out).
    """
    size = _checked(window)
    count = len(run.series("phi").steps)
    stride = max(1, size // 2)
    while count - size >= stride * WINDOWS:
        stride *= 2
    changes, before = [], "insufficient"
    for k, end in enumerate(range(size, count + 1, stride), 1):
        phase = _phase(run, end, size, SIGNIFICANCE / (k * (k + 1)))
        if phase.name != before and phase.steps is not None:
            changes.append(PhaseChange(*phase.steps, before, phase.name))
            before = phase.name
    return changes


def name_of(phi: Trend | None, density: Trend | None) -> str:
    """Return the phase that two trends make; both their direction and their size have to be there for a change to count."""
    if phi is None:
        return "insufficient"
    rising = phi.direction > 0 and phi.change > PHI_CHANGE
    falling = phi.direction < 0 and phi.change < -PHI_CHANGE
    fewer = density is not None and density.direction < 0 and density.change < -DENSITY_CHANGE
    more = density is not None and density.direction > 0 and density.change > DENSITY_CHANGE
    if rising:
        return "crystallizing" if fewer else "ordering"
    if falling:
        return "melting" if more else "disordering"
    return "stable"


def _phase(run: Run, end: int | None, window: int, significance: float) -> Phase:
    phi = run.series("phi")
    stop = len(phi.steps) if end is None else end
    if stop == 0:
        return Phase("insufficient", None, None, None)
    steps = phi.steps[max(0, stop - window) : stop]
    density = run.series("defect_density")
    within = density.values[np.searchsorted(density.steps, steps[0]) : np.searchsorted(density.steps, steps[-1], side="right")]
    trends = trend_of(phi.values[max(0, stop - window) : stop], significance), trend_of(within, significance)
    return Phase(name_of(*trends), (int(steps[0]), int(steps[-1])), *trends)


def _checked(window: int) -> int:
    size = whole(window)
    if size is None or size < POINTS:
        raise ValidationError(f"a window is {shown(window)} values; give a whole number from {POINTS} up")
    return size
