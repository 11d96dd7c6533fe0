"""Lines of characters that show values along the tokens."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ebmhw.coherence import events
from ebmhw.coherence.known import FloatArray
from ebmhw.errors import InvalidTrace, shown
from ebmhw.numbers import whole

LEVELS = " ▁▂▃▄▅▆▇█"
UNKNOWN = "?"


def sparkline(values: FloatArray, width: int, low: float | None = None, high: float | None = None) -> str:
    """Return values as block characters, a blank for ``low`` and a full block for ``high``, by default the least and the largest known value."""
    shown_values = values[_spaced(len(values), width)]
    known = shown_values[~np.isnan(shown_values)]
    least = float(known.min()) if low is None and known.size else low or 0.0
    most = float(known.max()) if high is None and known.size else high or 0.0
    steps = len(LEVELS) - 1
    return "".join(UNKNOWN if value != value else LEVELS[int(_share(value, least, most) * steps)] for value in shown_values.tolist())


def _share(value: float, low: float, high: float) -> float:
    """Return how far from low to high a value lies, 0 to 1, also where they are further apart than float64 reaches."""
    if value <= low:
        return 0.0
    if value >= high:
        return 1.0
    # Without the division high - low may be infinite; numbers so small that they lose digits to it are no matter of that.
    scale = 4.0 if high / 4 - low / 4 > 1 else 1.0
    return min(1.0, (value / scale - low / scale) / (high / scale - low / scale))


def defect_map(delta_phi: FloatArray, width: int) -> str:
    """Return changes of phi as "+", "-", a middle dot for none and "?" for unknown ones."""
    changes = delta_phi[_spaced(len(delta_phi), width)]
    marks = np.where(events.crystallizations(changes), "+", np.where(events.meltings(changes), "-", np.where(np.isnan(changes), UNKNOWN, "·")))
    return "".join(marks.tolist())


def _spaced(length: int, width: int) -> npt.NDArray[np.int64]:
    columns = whole(width)
    if columns is None or columns < 1:
        raise InvalidTrace(f"the width of a line is {shown(width)}; give a whole number from 1 up")
    return np.linspace(0, length - 1, min(columns, length)).astype(np.int64)
