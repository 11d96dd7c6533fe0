"""GatedReward: a reward function behind a cascade's gate."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, final

from ebmhw.coherence.gates.signals import float_of
from ebmhw.coherence.rewards.reward import check_completions
from ebmhw.errors import ValidationError, shown

if TYPE_CHECKING:
    from ebmhw.coherence.gates.cascade import Cascade


@final
class GatedReward:
    """What `Cascade.wrap` returns; everything else that the reward has (``last_traces``, ``state``, ...) is here too."""

    def __init__(self, cascade: Cascade, reward: Callable[..., Any]) -> None:
        self._cascade, self._reward = cascade, reward
        self.__name__ = str(getattr(reward, "__name__", type(reward).__name__))

    def __call__(self, completions: Sequence[Any], **columns: Any) -> list[float | None]:
        """Return a reward for each completion, None where it does not count; TRL's ``trainer_state`` tells the step, where it is given."""
        count = check_completions(completions)
        done = getattr(columns.get("trainer_state"), "global_step", None)
        if done is not None:
            self._cascade.advance(done)
        weight = self._cascade.weight(self._cascade.step)
        if weight == 0.0:
            if self._cascade.watching and self._cascade.signal == "crystallization":
                self._reward(completions, **columns)
            return [None] * count
        given = self._reward(completions, **columns)
        if not hasattr(given, "__iter__"):
            raise ValidationError(f"{self.__name__} gave {shown(given)} for {count} completions; it has to give a list, a reward or None each")
        rewards = list(given)
        if len(rewards) != count:
            raise ValidationError(f"{self.__name__} gave {len(rewards)} rewards for {count} completions; it has to give one or None each")
        return [self._weighted(i, reward, weight) for i, reward in enumerate(rewards)]

    def _weighted(self, row: int, reward: Any, weight: float) -> float | None:
        value = math.nan if reward is None else float_of(reward)
        if value is None or math.isinf(value):
            raise ValidationError(
                f"{self.__name__} gave {shown(reward)} for completion {row}; a reward is a finite number, or None where it is unknown"
            )
        return None if math.isnan(value) else value * weight

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name in ("_reward", "_cascade"):
            raise AttributeError(name)
        return getattr(self._reward, name)

    def __repr__(self) -> str:
        return f"GatedReward({self._reward!r})"
