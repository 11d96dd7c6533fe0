"""Traces by the ids of their completions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ebmhw.coherence.capture.captured import Captured
from ebmhw.coherence.trace import CoherenceTrace


def traces_of(calls: Sequence[Captured], completion_ids: Iterable[Any]) -> list[CoherenceTrace | None]:
    """Return the trace of each completion, None where none was captured.

    Where the completions are rows of the calls in their order, the latest such rows are theirs: the same words after different prompts keep
    their own traces. Else each is looked up by its ids alone, and one that fits several different traces has none.
    """
    wanted = [tuple(ids.tolist() if hasattr(ids, "tolist") else map(int, ids)) for ids in completion_ids]
    keys = [tuple(ids) for call in calls for ids in call.completion_ids]
    traces = [trace for call in calls for trace in call.traces]
    for start in range(len(keys) - len(wanted), -1, -1):
        if keys[start : start + len(wanted)] == wanted:
            return list(traces[start : start + len(wanted)])
    by_ids: dict[tuple[int, ...], list[CoherenceTrace]] = {}
    for key, trace in zip(keys, traces, strict=True):
        by_ids.setdefault(key, []).append(trace)
    return [_only(by_ids.get(want, [])) for want in wanted]


def _only(traces: list[CoherenceTrace]) -> CoherenceTrace | None:
    return traces[-1] if traces and all(trace == traces[-1] for trace in traces[:-1]) else None
