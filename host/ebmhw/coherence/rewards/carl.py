"""make_carl_reward: coherence as a reward function of TRL, by the traces of the very tokens that were generated."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, final

import numpy as np

from ebmhw.coherence.known import mean_of
from ebmhw.coherence.rewards.composite import CARLReward, CompositeReward, RewardComponents, components_of
from ebmhw.coherence.rewards.phases import PhaseAdaptiveCARLReward
from ebmhw.coherence.rewards.reward import Scores, check_completions, check_log, finite
from ebmhw.coherence.rewards.source import AnyTraceSource, checked_source, traces_of
from ebmhw.coherence.trace import CoherenceTrace
from ebmhw.errors import ConfigError, ValidationError, shown
from ebmhw.numbers import whole

REWARD_CLASSES = ("static", "phase_adaptive", "eml")

MIN_TOKENS = 2
"""Known tokens from which on a trace is scored: with fewer no change of phi is known."""

_LOGGED = {"multiscale": "coherence/multiscale", "cloud_quality": "coherence/cloud_quality", "discontinuity": "coherence/discontinuity_score"}


class TraceScorer(Protocol):
    """Scores a trace: (score or None, its parts by name)."""

    def score_from_trace(self, trace: CoherenceTrace) -> tuple[float | None, Mapping[str, Any]]:
        """Return the score of one trace and what it is made of."""


@final
class CoherenceReward:
    """The composite of coherence as a reward function of TRL; made by `make_carl_reward`. Threads may share it.

    =============  =========================================================================
    score          completion
    =============  =========================================================================
    0 to 1         with a trace, by the scorer (EML trees may give other values)
    None           without ids, without a trace, with too few known tokens, or with a score that is not finite
    =============  =========================================================================

    Attributes
    ----------
    last_traces : traces of the latest batch, None where one is unknown
    last_scores : its scores
    last_components : the parts of each, None where there is no trace
    """

    def __init__(self, source: AnyTraceSource, scorer: TraceScorer, min_tokens: int = MIN_TOKENS) -> None:
        self.__name__ = "carl_composite_reward"
        self._source, self.scorer, self._least = source, scorer, min_tokens
        self._lock = threading.Lock()
        self.last_traces: list[CoherenceTrace | None] = []
        self.last_scores: Scores = []
        self.last_components: list[RewardComponents | None] = []

    def __call__(
        self,
        completions: Sequence[Any],
        completion_ids: Any = None,
        prompts: Any = None,
        log_metric: Callable[[str, float], Any] | None = None,
        **columns: Any,
    ) -> Scores:
        """Return the scores of completions, in order; with TRL's ``log_metric`` the means of their parts are logged under coherence/."""
        check_log(log_metric)
        traces = traces_of(self._source, check_completions(completions), prompts, completion_ids)
        with self._lock:
            judged = [trace if trace is not None and np.count_nonzero(~np.isnan(trace.phi)) >= self._least else None for trace in traces]
            if isinstance(self.scorer, CompositeReward):
                scores = self.scorer.compute(judged)
            else:
                scores = [None if trace is None else finite(self.scorer.score_from_trace(trace)[0]) for trace in judged]
            parts = [None if trace is None else components_of(trace) for trace in traces]
            self.last_traces, self.last_scores, self.last_components = traces, scores, parts
        if log_metric is not None:
            _log(log_metric, scores, parts)
        return list(scores)

    def state(self) -> dict[str, Any]:
        """Return what the next scores depend on, as JSON can hold it: the scorer's state() or to_dict(), {} where it has neither."""
        scorer: Any = self.scorer
        with self._lock:
            told = scorer.state() if hasattr(scorer, "state") else scorer.to_dict() if hasattr(scorer, "to_dict") else {}
        return {"scorer": type(scorer).__name__, "state": told}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a `state`, so that a resumed run scores as the one before would have; ValidationError for another scorer's.

        A scorer with to_dict() and from_dict(), as `EMLCompositeReward` is one, is replaced by the one that the state tells of.
        """
        mine = type(self.scorer).__name__
        if not isinstance(state, Mapping) or set(state) != {"scorer", "state"} or state["scorer"] != mine:
            raise ValidationError(f"the state of a reward is {shown(state)}; give what state() of one scored by {mine} returned")
        scorer: Any = self.scorer
        with self._lock:
            if hasattr(scorer, "restore"):
                scorer.restore(state["state"])
            elif hasattr(scorer, "from_dict"):
                self.scorer = type(scorer).from_dict(state["state"])

    def __repr__(self) -> str:
        return f"CoherenceReward({self.scorer!r})"


def make_carl_reward(
    source: AnyTraceSource, reward_class: str | TraceScorer = "static", *, min_tokens: int = MIN_TOKENS, **options: Any
) -> CoherenceReward:
    """Return a reward function for TRL that scores the coherence of completions.

    Parameters
    ----------
    source : where traces come from: a `PhiCapture` attached to the model that is trained, or `ForwardTraces` where nothing can be captured
    reward_class : "static" (`CARLReward`), "phase_adaptive" (`PhaseAdaptiveCARLReward`), "eml" (`EMLCompositeReward`), or an object with
        ``score_from_trace``
    min_tokens : known tokens of a trace below which its score is unknown
    options : arguments of that class, such as phase_by="dispersion"

    Raises
    ------
    ConfigError
        for another reward_class, a source without traces, or options that the class does not have.
    """
    checked_source(source)
    least = whole(min_tokens)
    if least is None or least < 1:
        raise ConfigError(f"min_tokens is {shown(min_tokens)}; give a whole number from 1 up")
    if not isinstance(reward_class, str):
        if not hasattr(reward_class, "score_from_trace") or options:
            raise ConfigError(f"reward_class is {shown(reward_class)}; give one of {', '.join(REWARD_CLASSES)}, or a scorer without options")
        return CoherenceReward(source, reward_class, least)
    kind: Callable[..., TraceScorer]
    if reward_class == "static":
        kind = CARLReward
    elif reward_class == "phase_adaptive":
        kind = PhaseAdaptiveCARLReward
    elif reward_class == "eml":
        from ebmhw.coherence.rewards.eml import EMLCompositeReward

        kind = EMLCompositeReward
    else:
        raise ConfigError(f"reward_class is {shown(reward_class)}; give one of {', '.join(REWARD_CLASSES)}")
    try:
        scorer = kind(**options)
    except TypeError as error:
        raise ConfigError(f"options of the {reward_class} reward: {error}") from None
    return CoherenceReward(source, scorer, least)


def _log(log_metric: Callable[[str, float], Any], scores: Scores, parts: Sequence[RewardComponents | None]) -> None:
    for name, logged in _LOGGED.items():
        mean = mean_of([None if part is None else part[name] for part in parts])  # type: ignore[literal-required]
        if mean is not None:
            log_metric(logged, mean)
    log_metric("coherence/n_unscored", float(sum(score is None for score in scores)))
