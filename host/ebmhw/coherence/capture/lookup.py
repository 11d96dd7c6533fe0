"""Traces by the ids of their completions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from ebmhw.coherence.capture.captured import Captured
from ebmhw.coherence.trace import CoherenceTrace
from ebmhw.errors import InvalidTrace, shown
from ebmhw.numbers import whole


def traces_of(calls: Sequence[Captured], completion_ids: Iterable[Any]) -> list[CoherenceTrace | None]:
    """Return the trace of each completion, None where none was captured.

    Where the completions are rows of the calls in their order, the latest such rows are theirs: the same words after different prompts keep
    their own traces. Else each is looked up by its ids alone, and one that fits several different traces has none.

    Raises
    ------
    InvalidTrace
        for what are no completions, or no token ids.
    """
    wanted = [_ids(ids, row) for row, ids in enumerate(_rows(completion_ids))]
    keys = [tuple(ids) for call in calls for ids in call.completion_ids]
    traces = [trace for call in calls for trace in call.traces]
    for start in range(len(keys) - len(wanted), -1, -1):
        if keys[start : start + len(wanted)] == wanted:
            return list(traces[start : start + len(wanted)])
    by_ids: dict[tuple[int, ...], list[CoherenceTrace]] = {}
    for key, trace in zip(keys, traces, strict=True):
        by_ids.setdefault(key, []).append(trace)
    return [_only(by_ids.get(want, [])) for want in wanted]


def _rows(completion_ids: Any) -> list[Any]:
    if not isinstance(completion_ids, (str, bytes, Mapping)):
        with suppress(TypeError):
            return list(completion_ids)
    raise InvalidTrace(f"completion_ids are {shown(completion_ids)}; give a list with the token ids of each completion")


def _ids(given: Any, row: int) -> tuple[int, ...]:
    found: tuple[int | None, ...] = (None,)
    with suppress(TypeError):
        found = tuple(whole(token) for token in (given.tolist() if hasattr(given, "tolist") else given))
    known = tuple(token for token in found if token is not None)
    if len(known) < len(found):
        raise InvalidTrace(f"completion {row} of those to be looked up is {shown(given)}; give its token ids, whole numbers (T,)")
    return known


def _only(traces: list[CoherenceTrace]) -> CoherenceTrace | None:
    return traces[-1] if traces and all(trace == traces[-1] for trace in traces[:-1]) else None
