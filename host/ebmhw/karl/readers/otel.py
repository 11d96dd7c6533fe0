"""OpenTelemetry: spans in the semantic conventions of generative AI, in OTLP's JSON as the collector writes it, or as SDKs print them.

A session is a conversation (gen_ai.conversation.id, else session.id), else a trace. Its spans may come in any order; children mostly come first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, final

from ebmhw.karl.readers.documents import Document, DocumentReader, Source
from ebmhw.karl.readers.heads import first_members
from ebmhw.karl.readers.members import arguments, code_in, name, shortened, success_of, text, tool_of, written
from ebmhw.karl.readers.reader import Problem
from ebmhw.karl.readers.session import OPEN_CHARS, SessionBuilder
from ebmhw.karl.readers.spans import Said, Span, messages_in, spans_in
from ebmhw.karl.tools import BASH, cut, key_params
from ebmhw.karl.trajectory import EVENTS_LIMIT, TURN_CHARS, TURNS_LIMIT, Trajectory

_AGENT_OPERATIONS = frozenset({"chat", "generate_content", "text_completion", "invoke_agent", "create_agent", "invoke_workflow", "plan"})
_TOOL = "execute_tool"
_KINDS: Mapping[str, str] = {"TOOL": _TOOL, "LLM": "chat", "AGENT": "invoke_agent"}
"""Of OpenInference, whose spans have other names for the same."""

_RECORD_CHARS = 300
_SEEN = 4 * TURNS_LIMIT
"""Messages of a trace that are told apart; a context is sent again with every request."""


class _Tool(NamedTuple):
    """A call of a tool, as its span or a message tells it.

    Attributes
    ----------
    start, end : Unix seconds
    call_id : None where it has none
    tool, params, command : as of `SessionBuilder.call`
    success, code, tests_of : as of `SessionBuilder.result`; ``tests_of`` is the end of its output
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
class _Trace:
    """What is kept of a trace until its sessions are given out.

    Attributes
    ----------
    turns, tools : what was said and called, each with the conversation that its span names
    conversation : the first one that a span names
    """

    def __init__(self) -> None:
        self.turns: list[tuple[str | None, float | None, str, str]] = []
        self.tools: list[tuple[str | None, _Tool]] = []
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
                kept = cut(shortened(message.text), TURN_CHARS)
                self.turns.append((conversation, at, message.role, kept))
                self.chars += len(kept) + _RECORD_CHARS
            for call_id, tool, given in message.calls:
                read = arguments(given)
                found = tool_of(tool, read)
                command = read.get("command") if found == BASH else None
                self.called(
                    conversation,
                    _Tool(at, None, call_id, found, key_params(read), command if isinstance(command, str) else None, None, None, "", False),
                )
            for call_id, output in message.results:
                if call_id is not None and len(self.results) < EVENTS_LIMIT:
                    self.results.setdefault(call_id, (output[-TURN_CHARS:] if len(output) > TURN_CHARS else output, at))
                    self.chars += min(len(output), TURN_CHARS) + _RECORD_CHARS

    def forget(self, conversation: str | None, messages: list[Said]) -> None:
        """Take messages for new ones."""
        for message in messages:
            self._sent.pop((conversation, _mark(message)), None)

    def called(self, conversation: str | None, tool: _Tool) -> None:
        """Add a call."""
        if len(self.tools) >= EVENTS_LIMIT:
            self.beyond += 1
            return
        self.tools.append((conversation, tool))
        self.chars += _RECORD_CHARS + sum(map(len, tool.params.values())) + len(tool.output) + len(tool.command or "")


@final
class OtelReader(DocumentReader):
    """Spans of generative AI; see `DocumentReader`."""

    name = "otel"

    def __init__(self) -> None:
        self._traces: dict[str, _Trace] = {}
        self._parts: Counter[str] = Counter()
        self._chars = 0
        self._spans = 0
        self._split = False

    def started(self) -> OtelReader:
        """Return a reader of one file, which holds its traces until they end."""
        return OtelReader()

    def recognises(self, head: bytes, path: Path) -> bool:
        """Tell whether the first object holds spans of OTLP, or is a span."""
        found = set(first_members(head))
        if {"resourceSpans", "resource_spans", "scopeSpans"} & found or {"SpanContext", "Attributes"} <= found:
            return True
        return (
            "attributes" in found
            and bool({"traceId", "trace_id", "context"} & found)
            and bool({"spanId", "span_id", "start_time", "startTime", "context"} & found)
        )

    def sessions(self, document: Document, source: Source) -> Iterator[Trajectory]:
        """Keep a document's spans; yield the sessions that were longest without one, where more are open than memory is meant to hold."""
        if not isinstance(document.value, Mapping):
            source.problem(document, f"it is a {type(document.value).__name__}, no object with spans; it is skipped")
            return
        bad = 0
        for span in spans_in(document.value):
            if span is None:
                bad += 1
                continue
            self._spans += 1
            self._keep(span)
        if bad:
            source.problem(document, f"{bad} of its spans have no trace or no attributes, and are left out")
        while self._chars > OPEN_CHARS and len(self._traces) > 1:
            first = next(iter(self._traces))
            conversation = self._traces[first].conversation
            same = () if conversation is None else (own for own, trace in self._traces.items() if own != first and trace.conversation == conversation)
            together = [first, *same]
            if not self._split:
                self._split = True
                source.tell(Problem(str(source.path), None, "its sessions overlap too much to be held at once; long ones come in parts"))
            yield from self._given(together, source)

    def rest(self, source: Source) -> Iterator[Trajectory]:
        """Yield the sessions that are left."""
        yield from self._given(list(self._traces), source)
        if source.first is None and not self._parts:
            what = f"none of its {self._spans} spans is one of generative AI (gen_ai.operation.name)" if self._spans else "it holds no spans"
            source.tell(Problem(str(source.path), None, what))

    def _keep(self, span: Span) -> None:
        operation = text(span.attributes.get("gen_ai.operation.name")) or _operation(span)
        conversation = name(span.attributes.get("gen_ai.conversation.id")) or name(span.attributes.get("session.id"))
        if operation is None and conversation is None:
            return
        known = self._traces.pop(span.trace, None)
        trace, before = (_Trace(), 0) if known is None else (known, known.chars)
        # The last one that had a span stands last.
        self._traces[span.trace] = trace
        trace.seen(span.start)
        trace.seen(span.end)
        if conversation is not None:
            conversation = cut(conversation, 500)
            trace.conversation = trace.conversation or conversation
        attributes = span.attributes
        trace.user = trace.user or name(attributes.get("user.id")) or name(attributes.get("enduser.id"))
        if operation == _TOOL:
            trace.called(conversation, _tool(span))
        elif operation is not None:
            trace.agent = trace.agent or name(attributes.get("gen_ai.agent.name")) or span.service
            trace.model = (
                trace.model
                or name(attributes.get("gen_ai.response.model"))
                or name(attributes.get("gen_ai.request.model"))
                or name(attributes.get("llm.model_name"))
            )
            sent, answered = messages_in(span)
            if not sent and operation == "chat":
                # Without its context nothing tells whether an answer came before: it did not, for each request has one of its own.
                trace.forget(conversation, answered)
            trace.said(conversation, [(span.start, message) for message in sent] + [(span.end, message) for message in answered])
        self._chars += trace.chars - before

    def _given(self, traces: list[str], source: Source) -> Iterator[Trajectory]:
        """Yield the sessions of traces, and forget these."""
        together: dict[str, list[_Trace]] = {}
        for own in traces:
            trace = self._traces.pop(own)
            self._chars -= trace.chars
            trace.conversation = trace.conversation or own
            named = [turn[0] for turn in trace.turns] + [tool[0] for tool in trace.tools]
            for session in dict.fromkeys(conversation or trace.conversation for conversation in named):
                together.setdefault(session, []).append(trace)
        for session, parts in together.items():
            builder = SessionBuilder(session, self.name, path=source.path, report=None, part=self._parts[session])
            _fill(builder, session, parts)
            self._parts[session] += 1
            if not builder.empty:
                yield builder.build()


def _mark(message: Said) -> int:
    return hash((message.role, message.text.strip()[:TURN_CHARS], message.calls, message.results))


def _fill(builder: SessionBuilder, session: str, traces: list[_Trace]) -> None:
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
    moments: list[tuple[float, int, tuple[Any, ...] | _Tool]] = []
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
        if isinstance(found, _Tool):
            _call(builder, str(place), found, results)
        else:
            builder.turn(found[2], found[3], found[1])
    for trace in traces:
        builder.seen(trace.end)


def _once(tools: list[_Tool]) -> list[_Tool]:
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


def _call(builder: SessionBuilder, key: str, tool: _Tool, results: Mapping[str, tuple[str, float | None]]) -> None:
    builder.call(key, tool.tool, tool.params, tool.start, None, tool.command)
    found = results.get(tool.call_id) if tool.call_id is not None else None
    output, success, code, end = tool.output, tool.success, tool.code, tool.end
    if not tool.spanned:
        if found is None:
            return
        output, end = found
        code = code_in(output) if tool.tool == BASH else None
        success = success_of(tool.tool, output, None, code)
    elif not output and found is not None:
        output = found[0]
    builder.result(key, output, success, code, end)


def _tool(span: Span) -> _Tool:
    """Return the call that a span of execute_tool is of."""
    attributes = span.attributes
    given = arguments(attributes.get("gen_ai.tool.call.arguments", attributes.get("gen_ai.tool.arguments", attributes.get("input.value"))))
    tool = tool_of(text(attributes.get("gen_ai.tool.name")) or text(attributes.get("tool.name")) or span.name.removeprefix(_TOOL).strip(), given)
    output = attributes.get("gen_ai.tool.call.result", attributes.get("gen_ai.tool.result", attributes.get("output.value")))
    output = "" if output is None else written(output)
    code = attributes.get("process.exit.code")
    code = code if isinstance(code, int) and not isinstance(code, bool) else code_in(output) if tool == BASH else None
    error = span.failed or text(attributes.get("error.type")) is not None
    # A span without an error ended as it should, but a shell's may have returned anything.
    success = False if error else success_of(tool, output, None, code)
    command = given.get("command") if tool == BASH else None
    kept = output if len(output) <= 2 * TURN_CHARS else output[:TURN_CHARS] + output[-TURN_CHARS:]
    call_id = name(attributes.get("gen_ai.tool.call.id"))
    told = command if isinstance(command, str) else None
    return _Tool(span.start, span.end, call_id, tool, key_params(given), told, success, code, kept if tool == BASH else "", True)


def _operation(span: Span) -> str | None:
    """Return the operation of a span that names none: by its name, or the attributes that only one kind of span has."""
    kind = span.attributes.get("openinference.span.kind")
    if isinstance(kind, str) and kind.upper() in _KINDS:
        return _KINDS[kind.upper()]
    if "gen_ai.tool.name" in span.attributes or span.name.startswith(f"{_TOOL} "):
        return _TOOL
    first = span.name.partition(" ")[0]
    if first in _AGENT_OPERATIONS and any(own.startswith("gen_ai.") for own in span.attributes):
        return first
    return "chat" if {"gen_ai.request.model", "gen_ai.input.messages", "gen_ai.prompt.0.content"} & set(span.attributes) else None
