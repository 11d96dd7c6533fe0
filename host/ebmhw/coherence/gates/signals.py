"""The signals of a cascade, a value a step."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from ebmhw.coherence.trace import CoherenceTrace


def crystallization_rate(traces: Iterable[CoherenceTrace | None]) -> float | None:
    """Return the crystallizations per 100 tokens of all traces together, None where there is no token."""
    known = [trace for trace in traces if trace is not None]
    tokens = sum(trace.n_tokens for trace in known)
    return 100.0 * sum(trace.n_crystallizations for trace in known) / tokens if tokens else None


def float_of(value: Any) -> float | None:
    """Return a number as a float, an infinity for one beyond float64; None for what is no number, such as text, which float() would read."""
    if isinstance(value, (str, bytes, bytearray)):
        return None
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf
    except (TypeError, ValueError, RuntimeError):  # RuntimeError is torch's, for a tensor of several numbers
        return None
