"""Traces: what is kept of the spans of one until its sessions are given out, and the session that traces make."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple, final

from ebmhw.karl.readers.agent_tools import arguments, tool_of
from ebmhw.karl.readers.ends import exit_code_in, success_of
from ebmhw.karl.readers.session import SessionBuilder
from ebmhw.karl.readers.span_messages import Said
from ebmhw.karl.tools import BASH, cut, key_params
from ebmhw.karl.trajectory import EVENTS_LIMIT, TURN_CHARS, TURNS_LIMIT

_RECORD_CHARS = 300
_SEEN = 4 * TURNS_LIMIT
"""Messages of a trace that are told apart; a context is sent again with every request."""


class ToolCall(NamedTuple):
    """A call of a tool, as its span or a message tells it.

    Attributes
    ----------
    start, end : Unix seconds
    call_id : None where it has none
    tool, params, command : as of `SessionBuilder.call`
    success, code : as of `SessionBuilder.result`
    output : its start and its end, of a shell's call
    spanned : whether a span tells it: calls in messages are the same ones
    """

    start: float | None
    end: float | None
    call_id: str | None
    tool: str
    params: Mapping[str, str]
    command: str | None
    success: bool | None
    code: int | None
    output: str
    spanned: bool


@final
class Trace:
    """What is kept of a trace until its sessions are given out.

    Attributes
    ----------
    turns, tools : what was said and called, each with the conversation that its span names
    conversation : the first one that a span names
    """

    def __init__(self) -> None:
        self.turns: list[tuple[str | None, float | None, str, str]] = []
        self.tools: list[tuple[str | None, ToolCall]] = []
        self.results: dict[str, tuple[str, float | None]] = {}
        self.conversation: str | None = None
        self.agent: str | None = None
        self.model: str | None = None
        self.user: str | None = None
        self.start: float | None = None
        self.end: float | None = None
        self.chars = 1000
        self.beyond = 0
        self._sent: Counter[tuple[str | None, int]] = Counter()

    def seen(self, at: float | None) -> None:
        """Take note of a time."""
        if at is not None:
            self.start = at if self.start is None else min(self.start, at)
            self.end = at if self.end is None else max(self.end, at)

    def said(self, conversation: str | None, messages: list[tuple[float | None, Said]]) -> None:
        """Add those messages of a request and its answer that did not come before: a context is sent again each time, and grows."""
        here: Counter[int] = Counter()
        for at, message in messages:
            mark = _mark(message)
            here[mark] += 1
            if here[mark] <= self._sent[conversation, mark]:
                continue
            if len(self._sent) < _SEEN:
                self._sent[conversation, mark] += 1
            if message.text.strip() and len(self.turns) < TURNS_LIMIT:
                kept = cut(message.text, TURN_CHARS)
                self.turns.append((conversation, at, message.role, kept))
                self.chars += len(kept) + _RECORD_CHARS
            for call_id, tool, given in message.calls:
                read = arguments(given)
                found = tool_of(tool, read)
                command = read.get("command") if found == BASH else None
                self.called(
                    conversation,
                    ToolCall(at, None, call_id, found, key_params(read), command if isinstance(command, str) else None, None, None, "", False),
                )
            for call_id, output in message.results:
                if call_id is not None and len(self.results) < EVENTS_LIMIT:
                    self.results.setdefault(call_id, (output[-TURN_CHARS:] if len(output) > TURN_CHARS else output, at))
                    self.chars += min(len(output), TURN_CHARS) + _RECORD_CHARS

    def forget(self, conversation: str | None, messages: list[Said]) -> None:
        """Take messages for new ones."""
        for message in messages:
            self._sent.pop((conversation, _mark(message)), None)

    def called(self, conversation: str | None, tool: ToolCall) -> None:
        """Add a call."""
        if len(self.tools) >= EVENTS_LIMIT:
            self.beyond += 1
            return
        self.tools.append((conversation, tool))
        self.chars += _RECORD_CHARS + sum(map(len, tool.params.values())) + len(tool.output) + len(tool.command or "")


def fill(builder: SessionBuilder, session: str, traces: list[Trace]) -> None:
    turns, tools = [], []
    results: dict[str, tuple[str, float | None]] = {}
    for trace in traces:
        turns += [turn for turn in trace.turns if (turn[0] or trace.conversation) == session]
        tools += [tool for conversation, tool in trace.tools if (conversation or trace.conversation) == session]
        results.update(trace.results)
        builder.seen(trace.start)
        builder.agent = trace.agent or builder.agent
        builder.model = builder.model or trace.model
        builder.user = builder.user or trace.user
    moments: list[tuple[float, int, tuple[Any, ...] | ToolCall]] = []
    # Where times are missing, the order of the file stands.
    last = 0.0
    for turn in turns:
        last = turn[1] if turn[1] is not None else last
        moments.append((last, 0, turn))
    for tool in _once(tools):
        last = tool.start if tool.start is not None else last
        moments.append((last, 1, tool))
    moments.sort(key=lambda found: found[:2])
    for place, (_, _, found) in enumerate(moments):
        if isinstance(found, ToolCall):
            _call(builder, str(place), found, results)
        else:
            builder.turn(found[2], found[3], found[1])
    for trace in traces:
        builder.seen(trace.end)


def _once(tools: list[ToolCall]) -> list[ToolCall]:
    """Return the calls of spans, and those of messages that no span tells of."""
    spanned = {tool.call_id for tool in tools if tool.spanned and tool.call_id is not None}
    unnamed = Counter(tool.tool for tool in tools if tool.spanned and tool.call_id is None)
    kept, named = [], set()
    for tool in tools:
        if not tool.spanned:
            if tool.call_id in spanned or (tool.call_id is not None and tool.call_id in named):
                continue
            if unnamed[tool.tool] > 0:
                unnamed[tool.tool] -= 1
                continue
            named.add(tool.call_id)
        kept.append(tool)
    return kept


def _call(builder: SessionBuilder, key: str, tool: ToolCall, results: Mapping[str, tuple[str, float | None]]) -> None:
    builder.call(key, tool.tool, tool.params, tool.start, None, tool.command)
    found = results.get(tool.call_id) if tool.call_id is not None else None
    output, success, code, end = tool.output, tool.success, tool.code, tool.end
    if not tool.spanned:
        if found is None:
            return
        output, end = found
        code = exit_code_in(output) if tool.tool == BASH else None
        success = success_of(tool.tool, output, None, code)
    elif not output and found is not None:
        output = found[0]
    builder.result(key, output, success, code, end)


def _mark(message: Said) -> int:
    return hash((message.role, message.text.strip()[:TURN_CHARS], message.calls, message.results))
