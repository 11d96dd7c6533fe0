"""PhaseAdaptiveCARLReward: the composite whose weights follow the phase that the model is in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, final

import numpy as np

from ebmhw.coherence.constants import PHASE_WEIGHTS, STATIC_WEIGHTS, Weights, kuramoto_phase
from ebmhw.coherence.known import mean_of
from ebmhw.coherence.rewards.composite import CompositeReward, checked_weights
from ebmhw.coherence.trace import CoherenceTrace
from ebmhw.errors import ConfigError, ValidationError, shown

PHASE_MEASURES = ("kuramoto", "dispersion")


@final
class PhaseAdaptiveCARLReward(CompositeReward):
    """Weights by the phase of the batch before, the given ones until there is one.

    ============  ========================  ==========  ======  =============
    phase         order of the batch        multiscale  cloud   discontinuity
    ============  ========================  ==========  ======  =============
    gaseous       below .30                 .2          .3      .5
    liquid        .30 to below .70          .4          .3      .3
    crystalline   .70 and more              .6          .3      .1
    unknown       no batch yet              .5          .3      .2
    ============  ========================  ==========  ======  =============

    The order of a batch is the mean over its traces, those left out in which fewer than two tokens are known; a batch without any leaves the phase
    as it is. All completions of a batch are scored by the same weights; in carl-studio 0.21.1, as its trainer wires it, those of a completion
    depend on the one before it in the batch.

    The Kuramoto R cannot see noise: it is near 1 for uniform logits as for certain ones, so that with it the phase is nearly always crystalline. With
    ``phase_by="dispersion"`` noise is gaseous: the order is 0 for it, and for 64 tokens of SmolLM2 .85 to .94 (greedy), .71 to .82 (temperature 1),
    where R is .91 to .97. It is unknown for fewer than 16 tokens; see `ebmhw.coherence.order.index`. On several processes each follows its own
    batches.

    Parameters
    ----------
    weight_multiscale, weight_cloud, weight_discontinuity : weights until a phase is known
    phase_by : "kuramoto" (`CoherenceTrace.kuramoto_R`, as in CARL) or "dispersion" (`ebmhw.coherence.order.index.dispersion_index`)
    """

    def __init__(
        self,
        weight_multiscale: float = STATIC_WEIGHTS.multiscale,
        weight_cloud: float = STATIC_WEIGHTS.cloud,
        weight_discontinuity: float = STATIC_WEIGHTS.discontinuity,
        *,
        phase_by: str = "kuramoto",
    ) -> None:
        super().__init__()
        if phase_by not in PHASE_MEASURES:
            raise ConfigError(f"phase_by is {shown(phase_by)}; give one of {', '.join(PHASE_MEASURES)}")
        self._first = checked_weights(weight_multiscale, weight_cloud, weight_discontinuity)
        self._phase_by = phase_by
        self._order: float | None = None

    @property
    def order(self) -> float | None:
        """The order of the latest batch in which something was known, 0 to 1; None before."""
        return self._order

    @property
    def current_phase(self) -> str:
        """The phase that the next batch is scored in: "gaseous", "liquid", "crystalline" or "unknown"."""
        return "unknown" if self._order is None else kuramoto_phase(self._order)

    @property
    def current_weights(self) -> Weights:
        return self._first if self._order is None else PHASE_WEIGHTS[kuramoto_phase(self._order)]

    def _observe(self, traces: Sequence[CoherenceTrace | None]) -> None:
        known = [trace for trace in traces if trace is not None and np.count_nonzero(~np.isnan(trace.phi)) > 1]
        order = mean_of([self._order_of(trace) for trace in known])
        self._order = self._order if order is None else order

    def _order_of(self, trace: CoherenceTrace) -> float | None:
        if self._phase_by == "kuramoto":
            return trace.kuramoto_R()
        from ebmhw.coherence.order.index import dispersion_index

        return dispersion_index(trace)

    def state(self) -> dict[str, Any]:
        """Return {"phase_by": name, "order": 0 to 1 or None}."""
        with self._lock:
            return {"phase_by": self._phase_by, "order": self._order}

    def restore(self, state: Mapping[str, Any]) -> None:
        if not isinstance(state, Mapping) or set(state) != {"phase_by", "order"} or state["phase_by"] != self._phase_by:
            raise ValidationError(f"the state is {shown(state)}; give what state() of a reward with phase_by={self._phase_by!r} returned")
        order = state["order"]
        if order is not None and (isinstance(order, bool) or not isinstance(order, (int, float)) or not 0 <= order <= 1):
            raise ValidationError(f"the order in a state is {shown(order)}; it is a number from 0 to 1, or None")
        with self._lock:
            self._order = None if order is None else float(order)

    def __repr__(self) -> str:
        return f"PhaseAdaptiveCARLReward({self.current_phase}, phase_by={self._phase_by!r})"
