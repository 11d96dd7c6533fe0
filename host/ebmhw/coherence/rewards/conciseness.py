"""ConcisenessReward: how much of the allowed length is left?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, final

from ebmhw.coherence.rewards.completions import written_texts
from ebmhw.coherence.rewards.reward import Scores, check_completions, column
from ebmhw.errors import ConfigError, ValidationError, shown
from ebmhw.numbers import whole

UNITS = ("characters", "tokens")


@final
class ConcisenessReward:
    """Scores how short a completion of length n is: max(0, 1 - n / limit), rounded to 4 decimals.

    ======  ================================================================================
    score   completion
    ======  ================================================================================
    1.0     empty
    0.0     as long as the limit, or longer
    None    of unknown length: no completion, or in tokens one without completion_ids
    ======  ================================================================================

    As in carl-studio 0.21.1 where the unit is characters: its ``max_completion_length`` has the name of TRL's limit in tokens, but counts characters.

    Parameters
    ----------
    max_completion_length : the limit, 1 or more; the keyword argument of this name comes before it
    unit : "characters", of all that the model wrote, or "tokens", of TRL's completion_ids
    """

    def __init__(self, max_completion_length: int = 512, unit: str = "characters") -> None:
        if unit not in UNITS:
            raise ConfigError(f"unit of a conciseness reward is {shown(unit)}; give one of {', '.join(UNITS)}")
        self._limit, self._unit = _limit(max_completion_length), unit
        self.__name__ = "conciseness_reward"

    def __call__(self, completions: Sequence[Any], completion_ids: Any = None, max_completion_length: int | None = None, **columns: Any) -> Scores:
        """Return the scores of completions, in order."""
        limit = self._limit if max_completion_length is None else _limit(max_completion_length)
        ids = column(completion_ids, check_completions(completions), "completion_ids")
        found: Scores = []
        for completion, tokens in zip(completions, ids, strict=True):
            texts = None if completion is None else written_texts(completion)
            length = sum(map(len, texts)) if texts is not None else None
            if self._unit == "tokens":
                length = None if tokens is None else _count(tokens)
            found.append(None if length is None else max(0.0, round(1.0 - length / limit, 4)))
        return found

    def __repr__(self) -> str:
        return f"ConcisenessReward({self._limit}, {self._unit!r})"


def _count(tokens: Any) -> int:
    if not hasattr(tokens, "__len__"):
        raise ValidationError(f"an entry of completion_ids is {shown(tokens)}; give the token ids of a completion, or None where they are unknown")
    return len(tokens)


def _limit(value: Any) -> int:
    number = whole(value)
    if number is None or number < 1:
        raise ConfigError(f"max_completion_length is {shown(value)}; give a whole number from 1 up")
    return number


conciseness_reward = ConcisenessReward()
