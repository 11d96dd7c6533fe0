"""The measures of coherence that a step's log line holds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ebmhw.coherence.constants import kuramoto_phase
from ebmhw.coherence.known import mean_of
from ebmhw.coherence.order.groups import diversity
from ebmhw.coherence.order.index import dispersion_index
from ebmhw.coherence.trace import CoherenceTrace


def kuramoto(trace: CoherenceTrace) -> float | None:
    """Return the Kuramoto order of a trace, None with fewer than two tokens whose phi is known."""
    return trace.kuramoto_R() if int((~np.isnan(trace.phi)).sum()) > 1 else None


_MEANS: dict[str, Callable[[CoherenceTrace], float | None]] = {
    "phi_mean": lambda trace: trace.phi_mean,
    "phi_std": lambda trace: trace.phi_std,
    "entropy_mean": lambda trace: trace.entropy_mean,
    "surprisal_mean": lambda trace: trace.surprisal_mean,
    "cloud_quality": lambda trace: trace.cloud_quality,
    "discontinuity_score": lambda trace: trace.discontinuity_score if trace.n_tokens else None,
    "multiscale": lambda trace: trace.multiscale_coherence,
    "carl_reward": lambda trace: trace.carl_reward(),
    "dispersion": dispersion_index,
    "kuramoto_R": kuramoto,
}
"""Measures of one trace, of which a step's are the means over its completions."""


def measures(traces: Sequence[CoherenceTrace | None], completion_ids: Sequence[Sequence[int]], group: int | None = None) -> dict[str, Any]:
    """Return a step's measures by their keys in the log ("coherence/phi_mean"); None where nothing is known.

    Means over the completions, of diversity over the groups; crystallizations and meltings in 100 tokens of those traced; n_unknown, tokens
    without a known phi.

    Parameters
    ----------
    traces : of the step's completions, None where there is none
    completion_ids : their token ids
    group : how many completions answer one prompt, one after the other; None for all
    """
    known = [trace for trace in traces if trace is not None]
    found: dict[str, Any] = {name: mean_of([measure(trace) for trace in known]) for name, measure in _MEANS.items()}
    tokens = sum(trace.n_tokens for trace in known)
    size = max(1, group or len(completion_ids))
    found["diversity"] = mean_of([diversity(completion_ids[start : start + size]) for start in range(0, len(completion_ids), size)])
    found["crystallizations"] = 100 * sum(trace.n_crystallizations for trace in known) / tokens if tokens else None
    found["meltings"] = 100 * sum(trace.n_meltings for trace in known) / tokens if tokens else None
    unknown = sum(len(ids) for trace, ids in zip(traces, completion_ids, strict=True) if trace is None)
    found["n_unknown"] = unknown + sum(int(np.isnan(trace.phi).sum()) for trace in known)
    return {f"coherence/{name}": value for name, value in found.items()}


def phase_of(measured: dict[str, Any]) -> str | None:
    """Return the phase of a step's completions by their Kuramoto order, None where it is unknown."""
    order = measured.get("coherence/kuramoto_R")
    return None if order is None else kuramoto_phase(order)
