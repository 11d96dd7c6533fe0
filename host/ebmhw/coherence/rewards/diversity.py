"""DiversityReward: is a completion different from the others of its group?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, final

from ebmhw.coherence.known import mean_of
from ebmhw.coherence.order.groups import novelties
from ebmhw.coherence.rewards.reward import Scores, check_completions, check_log, column
from ebmhw.errors import ConfigError, shown
from ebmhw.numbers import whole


@final
class DiversityReward:
    """Scores how far each completion is from the others of its group, by its tokens (see `ebmhw.coherence.order.groups.novelties`).

    ======  ================================================================================
    score   completion
    ======  ================================================================================
    0.0     the same as all others
    0 to 1  mean distance to the others
    1.0     shares no token with any of them
    None    without ids, without tokens, or alone in its group
    ======  ================================================================================

    A group is what TRL makes of one prompt: completions in a row whose prompts are the same. Noise is as different as can be, so this is a term
    to stand beside rewards that noise does not get; the table of weights does not hold it. With TRL's ``log_metric`` its mean is logged as
    coherence/diversity.

    Parameters
    ----------
    group_size : completions of a group, in a row, where prompts do not tell; None to go by the prompts
    """

    def __init__(self, group_size: int | None = None) -> None:
        size = whole(group_size) if group_size is not None else None
        if group_size is not None and (size is None or size < 2):
            raise ConfigError(
                f"group_size is {shown(group_size)}; give a whole number from 2 up, TRL's num_generations, or None to go by the prompts"
            )
        self.__name__ = "diversity_reward"
        self._size = size

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
        count = check_completions(completions)
        ids = [[] if tokens is None else tokens for tokens in column(completion_ids, count, "completion_ids")]
        scores: Scores = []
        for start, end in self._groups(column(prompts, count, "prompts")):
            scores += novelties(ids[start:end])
        mean = mean_of(scores)
        if log_metric is not None and mean is not None:
            log_metric("coherence/diversity", mean)
        return scores

    def _groups(self, prompts: Sequence[Any]) -> list[tuple[int, int]]:
        """Return where groups start and end; a completion without a prompt is one by itself."""
        count = len(prompts)
        if self._size is not None:
            starts = list(range(0, count, self._size))
        else:
            starts = [i for i in range(count) if i == 0 or prompts[i] is None or prompts[i] != prompts[i - 1]]
        return list(zip(starts, [*starts[1:], count], strict=True)) if starts else []

    def __repr__(self) -> str:
        return f"DiversityReward({self._size})"


diversity_reward = DiversityReward()
