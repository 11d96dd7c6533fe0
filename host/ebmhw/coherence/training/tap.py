"""Tap: notes a step's completions and traces as the rewards see them, so that each is made once."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Sequence
from typing import Any, final

from ebmhw.coherence.rewards.completions import extract_text
from ebmhw.coherence.rewards.source import AnyTraceSource, traces_of
from ebmhw.coherence.tasks.task import Reward
from ebmhw.coherence.trace import CoherenceTrace


@final
class Tap:
    """The latest completions with their traces: a trace source for rewards, and a memory for the log.

    Parameters
    ----------
    source : where traces come from

    Attributes
    ----------
    completion_ids, texts, prompts, traces : of the latest step; empty before the first
    """

    def __init__(self, source: AnyTraceSource) -> None:
        self._source = source
        self.completion_ids: list[list[int]] = []
        self.texts: list[str] = []
        self.prompts: list[Any] = []
        self.traces: list[CoherenceTrace | None] = []

    @property
    def last_traces(self) -> list[CoherenceTrace | None]:
        """The latest traces, under the name that rewards give them."""
        return self.traces

    def traces_for(self, completion_ids: Sequence[Sequence[int]]) -> list[CoherenceTrace | None]:
        """Return the traces of the latest completions, given by their ids; None for others."""
        asked = [list(ids) for ids in completion_ids]
        if asked == self.completion_ids:
            return list(self.traces)
        known = {tuple(ids): trace for ids, trace in zip(self.completion_ids, self.traces, strict=True)}
        return [known.get(tuple(ids)) for ids in asked]

    def first(self, reward: Reward) -> Reward:
        """Return a reward that notes what it is called with and then does what ``reward`` does; it is to be the first of a trainer's."""

        @functools.wraps(reward, updated=())
        def noting(*, completions: Sequence[Any], prompts: Sequence[Any], completion_ids: Sequence[Sequence[int]], **columns: Any) -> Any:
            self.note(prompts, completions, completion_ids)
            return reward(completions=completions, prompts=prompts, completion_ids=completion_ids, **columns)

        noting.__name__ = getattr(reward, "__name__", type(reward).__name__)
        return noting

    def giving(self, reward: Reward) -> Reward:
        """Return a reward that hands ``reward`` the traces of its completions as ``traces``, if it takes an argument of that name."""
        if not takes_traces(reward):
            return reward

        @functools.wraps(reward, updated=())
        def given(*, completions: Sequence[Any], completion_ids: Sequence[Sequence[int]], **columns: Any) -> Any:
            traces = self.traces_for(completion_ids)
            return reward(completions=completions, completion_ids=completion_ids, **(columns | {"traces": traces}))

        async def given_later(**arguments: Any) -> Any:
            return await given(**arguments)

        asked: Any = given_later if inspect.iscoroutinefunction(reward) else given
        asked.__name__ = getattr(reward, "__name__", type(reward).__name__)
        found: Reward = asked
        return found

    def note(self, prompts: Sequence[Any], completions: Sequence[Any], completion_ids: Sequence[Sequence[int]]) -> None:
        """Take completions as the latest ones, and ask the source for their traces."""
        self.completion_ids = [list(ids) for ids in completion_ids]
        self.prompts, self.texts = list(prompts), [extract_text(completion) for completion in completions]
        self.traces = traces_of(self._source, len(self.texts), self.prompts, self.completion_ids)


def takes_traces(reward: Reward) -> bool:
    """Return whether a reward takes a keyword argument ``traces``, by that name or among any others."""
    try:
        parameters = inspect.signature(reward).parameters
    except (TypeError, ValueError):
        return False
    named = parameters.get("traces")
    return (named is not None and named.kind is not named.POSITIONAL_ONLY) or any(one.kind is one.VAR_KEYWORD for one in parameters.values())
