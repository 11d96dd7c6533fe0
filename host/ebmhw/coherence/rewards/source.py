"""TraceSource: where the traces of TRL's completions come from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

from ebmhw.coherence.rewards.reward import column
from ebmhw.coherence.trace import CoherenceTrace
from ebmhw.errors import ConfigError, ValidationError, shown


class TraceSource(Protocol):
    """Knows the traces of completions that were captured while they were generated, by their token ids."""

    def traces_for(self, completion_ids: Sequence[Sequence[int]]) -> list[CoherenceTrace | None]:
        """Return a trace for each completion, in order; None for one that was not captured."""


@runtime_checkable
class PromptedTraceSource(Protocol):
    """Makes traces of completions from their prompts and token ids."""

    def traces_after(self, prompts: Sequence[Any], completion_ids: Sequence[Sequence[int]]) -> list[CoherenceTrace | None]:
        """Return a trace for each completion, in order, its prompt being a text or messages; None for one that cannot be made."""


AnyTraceSource = TraceSource | PromptedTraceSource


def checked_source(source: Any) -> AnyTraceSource:
    """Return what is a source of traces; ConfigError for what is none."""
    if isinstance(source, PromptedTraceSource) or hasattr(source, "traces_for"):
        found: AnyTraceSource = source
        return found
    raise ConfigError(f"the source of traces is {shown(source)}; give a PhiCapture, a ForwardTraces, or what has traces_for(completion_ids)")


def traces_of(source: AnyTraceSource, count: int, prompts: Any, completion_ids: Any) -> list[CoherenceTrace | None]:
    """Return a trace for each of ``count`` completions, None where its ids or its trace are unknown.

    Parameters
    ----------
    prompts, completion_ids : columns as TRL gives them
    """
    asked, ids = column(prompts, count, "prompts"), column(completion_ids, count, "completion_ids")
    rows = [i for i, tokens in enumerate(ids) if tokens is not None]
    wanted = [ids[i] for i in rows]
    before = [asked[i] for i in rows]
    found = source.traces_after(before, wanted) if isinstance(source, PromptedTraceSource) else source.traces_for(wanted)
    if not isinstance(found, (list, tuple)):
        raise ValidationError(
            f"{type(source).__name__} gave {shown(found)} for {len(rows)} completions; it has to give a list of traces, one or None each"
        )
    for trace in found:
        if trace is not None and not isinstance(trace, CoherenceTrace):
            raise ValidationError(f"{type(source).__name__} gave {shown(trace)} for a completion; it has to give a CoherenceTrace, or None")
    if len(found) != len(rows):
        raise ValidationError(f"{type(source).__name__} gave {len(found)} traces for {len(rows)} completions; it has to give one or None each")
    traces: list[CoherenceTrace | None] = [None] * count
    for i, trace in zip(rows, found, strict=True):
        traces[i] = trace
    return traces
