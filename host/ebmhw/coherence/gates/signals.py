"""The signals of a cascade, a value a step."""

from __future__ import annotations

from collections.abc import Iterable

from ebmhw.coherence.trace import CoherenceTrace


def crystallization_rate(traces: Iterable[CoherenceTrace | None]) -> float | None:
    """Return the crystallizations per 100 tokens of all traces together, None where there is no token."""
    known = [trace for trace in traces if trace is not None]
    tokens = sum(trace.n_tokens for trace in known)
    return 100.0 * sum(trace.n_crystallizations for trace in known) / tokens if tokens else None
