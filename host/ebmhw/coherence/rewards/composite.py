"""The composite reward of coherence: multiscale coherence, cloud quality and discontinuity score, weighted."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, TypedDict, final

from ebmhw.coherence.constants import STATIC_WEIGHTS, Weights
from ebmhw.coherence.rewards.reward import Scores, finite
from ebmhw.coherence.trace import CoherenceTrace
from ebmhw.errors import ConfigError, ValidationError, shown


class RewardComponents(TypedDict):
    """What a composite is made of, each 0 to 1, None where it is unknown."""

    multiscale: float | None
    cloud_quality: float | None
    discontinuity: float | None


class CompositeReward(ABC):
    """Scores traces by a weighted sum of `RewardComponents`, all traces of a batch by the same weights. Threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    @property
    @abstractmethod
    def current_weights(self) -> Weights:
        """The weights that the next batch is scored by."""

    @abstractmethod
    def _observe(self, traces: Sequence[CoherenceTrace | None]) -> None:
        """Learn from a batch that was scored; called with the lock held."""

    @abstractmethod
    def state(self) -> dict[str, Any]:
        """Return what the next scores depend on, as JSON can hold it."""

    @abstractmethod
    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a `state`; ValidationError for what is none of this reward's."""

    @final
    def compute(self, traces: Sequence[CoherenceTrace | None]) -> Scores:
        """Return the scores of a batch, 0 to 1 where the weights sum to 1; None for a trace that is None, or of which too little is known."""
        with self._lock:
            weights = self.current_weights
            scores = [None if trace is None else finite(trace.carl_reward(*weights)) for trace in traces]
            self._observe(traces)
        return scores

    @final
    def score_from_trace(self, trace: CoherenceTrace) -> tuple[float | None, RewardComponents]:
        """Return the score of a batch of one, and its components."""
        return self.compute([trace])[0], components_of(trace)

    @final
    def score(self, logits: Any, token_ids: Any) -> tuple[float | None, RewardComponents]:
        """Return the same of logits (T, V) and token ids (T,), row t being what token t was drawn from."""
        return self.score_from_trace(CoherenceTrace.from_logits(logits, token_ids))


@final
class CARLReward(CompositeReward):
    """The composite with the same weights throughout, .5, .3 and .2 by default."""

    def __init__(
        self,
        weight_multiscale: float = STATIC_WEIGHTS.multiscale,
        weight_cloud: float = STATIC_WEIGHTS.cloud,
        weight_discontinuity: float = STATIC_WEIGHTS.discontinuity,
    ) -> None:
        super().__init__()
        self._weights = checked_weights(weight_multiscale, weight_cloud, weight_discontinuity)

    @property
    def current_weights(self) -> Weights:
        return self._weights

    def _observe(self, traces: Sequence[CoherenceTrace | None]) -> None:
        pass

    def state(self) -> dict[str, Any]:
        """Return {}: nothing changes."""
        return {}

    def restore(self, state: Mapping[str, Any]) -> None:
        if state:
            raise ValidationError(f"the state of a static reward is {shown(dict(state))}; it is empty: make the reward that the state is of")

    def __repr__(self) -> str:
        return f"CARLReward{tuple(self._weights)}"


def components_of(trace: CoherenceTrace) -> RewardComponents:
    """Return the components of a trace's score."""
    return {
        "multiscale": trace.multiscale_coherence,
        "cloud_quality": trace.cloud_quality,
        "discontinuity": trace.discontinuity_score,
    }


def checked_weights(*weights: float) -> Weights:
    """Return three weights; ConfigError where one is not finite or below 0."""
    for name, weight in zip(Weights._fields, weights, strict=True):
        if isinstance(weight, bool) or not isinstance(weight, (int, float)) or not 0 <= weight < float("inf"):
            raise ConfigError(f"weight_{name} is {shown(weight)}; give a finite weight of 0 or more")
    return Weights(*map(float, weights))
