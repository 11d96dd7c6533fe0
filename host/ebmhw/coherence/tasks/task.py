"""Task: a source of prompts and the judge of completions; TaskReward: that judge as a reward function of TRL."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, final

from ebmhw.coherence.rewards.completions import extract_text
from ebmhw.coherence.rewards.reward import check_completions
from ebmhw.errors import ValidationError, shown
from ebmhw.numbers import whole

SPLITS = ("train", "eval")

EXAMPLE_LIMIT = 1_000_000
"""Examples that one call may ask for."""

Message = dict[str, str]
Reward = Callable[..., list[float | None]]
"""A reward function as TRL calls it: f(completions=..., prompts=..., completion_ids=..., **columns) -> a score or None each."""


class Example(NamedTuple):
    """A prompt, and what is known of its answer.

    Attributes
    ----------
    prompt : chat messages, {"role": ..., "content": ...}
    columns : further columns of TRL's dataset, by name; the same names at all examples of a task, None where one has no value
    """

    prompt: list[Message]
    columns: dict[str, Any]


class Task(ABC):
    """What a model is trained for: examples of two splits that share none, and a score for each completion."""

    @property
    @abstractmethod
    def name(self) -> str:
        """What the task is called in logs and reports."""

    @abstractmethod
    def examples(self, split: str, count: int, seed: int = 0) -> list[Example]:
        """Return ``count`` examples of "train" or "eval", the same ones for the same seed.

        Those of "train" come round again, in another order, where there are fewer; those of "eval" may not, for each is to count once.
        """

    @abstractmethod
    def score(self, example: Example, completion: str) -> float | None:
        """Return how good a completion is, 0 to 1; None where the example says nothing about it. ValidationError for one that is no text."""

    def rewards(self) -> list[tuple[Reward, float]]:
        """Return the reward functions that teach the task, with their weights."""
        return [(TaskReward(self), 2.0)]


@final
class TaskReward:
    """A task's score as a reward function: ``reward(completions, prompts=..., **columns)``."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self.__name__ = "task_reward"

    def __call__(self, completions: Sequence[Any], prompts: Sequence[Any] | None = None, **columns: Any) -> list[float | None]:
        """Return a score for each completion, which is a text or a list of messages (of which the model's last one counts)."""
        check_completions(completions)
        found = []
        for i, completion in enumerate(completions):
            known = {name: values[i] for name, values in columns.items() if isinstance(values, (list, tuple)) and len(values) == len(completions)}
            found.append(self._task.score(Example(prompts[i] if prompts is not None else [], known), extract_text(completion)))
        return found


def completion_text(completion: Any) -> str:
    """Return a completion that is a text; ValidationError for anything else."""
    if not isinstance(completion, str):
        raise ValidationError(f"a completion is {shown(completion)}; give its text, as rewards.extract_text() takes it from messages")
    return completion


def check_request(split: str, count: int) -> int:
    """Return the number of examples asked for, of a split that there is."""
    if split not in SPLITS:
        raise ValidationError(f"split of a task is {shown(split)}; give 'train' or 'eval'")
    number = whole(count)
    if number is None or not 0 < number <= EXAMPLE_LIMIT:
        raise ValidationError(f"number of examples is {shown(count)}; give a whole number, 1 to {EXAMPLE_LIMIT}")
    return number


def rounds(order: Callable[[int], list[Example]], count: int, split: str, name: str) -> list[Example]:
    """Return the first ``count`` examples of ``order(0) + order(1) + ...``, each of which orders all examples of a split anew."""
    found = order(0)
    if not found:
        raise ValidationError(f"task {name} has no example in the split {split!r}; give it more")
    if split == "eval" and count > len(found):
        raise ValidationError(f"{count} examples of the split 'eval' of task {name} are asked for, which has {len(found)}; ask for no more")
    number = 0
    while len(found) < count:
        number += 1
        found += order(number)
    return found[:count]
