"""DispersionReward: order that noise does not have."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, final

from ebmhw.coherence.known import mean_of
from ebmhw.coherence.order.index import dispersion_index
from ebmhw.coherence.rewards.reward import Scores, check_completions, check_log, finite
from ebmhw.coherence.rewards.source import AnyTraceSource, checked_source, traces_of


@final
class DispersionReward:
    """Scores completions by the dispersion index of their traces (see `ebmhw.coherence.order.index`).

    ======  ================================================================================
    score   completion
    ======  ================================================================================
    0.0     noise, the same certainty at each token, or the same tokens over and over
    0 to 1  order * min(gain, spread, distinct)
    None    without ids, without a trace, or with fewer than 16 known tokens
    ======  ================================================================================

    The composite of `make_carl_reward` pays noise .60 to .82; this pays it 0 but for one in a thousand. The table of weights does not hold it.
    With TRL's ``log_metric`` its mean is logged as coherence/dispersion.

    Parameters
    ----------
    source : where traces come from, as for `make_carl_reward`
    """

    def __init__(self, source: AnyTraceSource) -> None:
        self.__name__ = "dispersion_reward"
        self._source = checked_source(source)

    def __call__(
        self,
        completions: Sequence[Any],
        completion_ids: Any = None,
        prompts: Any = None,
        log_metric: Callable[[str, float], Any] | None = None,
        **columns: Any,
    ) -> Scores:
        """Return the scores of completions, in order."""
        check_log(log_metric)
        traces = traces_of(self._source, check_completions(completions), prompts, completion_ids)
        scores: Scores = [None if trace is None else finite(dispersion_index(trace)) for trace in traces]
        mean = mean_of(scores)
        if log_metric is not None and mean is not None:
            log_metric("coherence/dispersion", mean)
        return scores

    def __repr__(self) -> str:
        return f"DispersionReward({self._source!r})"
