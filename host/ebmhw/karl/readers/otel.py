"""OpenTelemetry: spans in the semantic conventions of generative AI, in OTLP's JSON as the collector writes it, or as SDKs print them.

A session is a conversation (gen_ai.conversation.id, else session.id), else a trace. Its spans may come in any order; children mostly come first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import final

from ebmhw.karl.readers.agent_tools import arguments, tool_of
from ebmhw.karl.readers.documents import Document, DocumentReader, Source
from ebmhw.karl.readers.ends import exit_code_in, success_of
from ebmhw.karl.readers.heads import first_members
from ebmhw.karl.readers.members import name, text, whole, written
from ebmhw.karl.readers.reader import Problem
from ebmhw.karl.readers.session import OPEN_CHARS, SessionBuilder
from ebmhw.karl.readers.span_messages import messages_in
from ebmhw.karl.readers.spans import OTHER_SIGNALS, Span, holds_logs, spans_in
from ebmhw.karl.readers.traces import ToolCall, Trace, fill
from ebmhw.karl.tools import BASH, key_params, session_name
from ebmhw.karl.trajectory import TURN_CHARS, Trajectory

_AGENT_OPERATIONS = frozenset({"chat", "generate_content", "text_completion", "invoke_agent", "create_agent", "invoke_workflow", "plan"})
_TOOL = "execute_tool"
_KINDS: Mapping[str, str] = {"TOOL": _TOOL, "LLM": "chat", "AGENT": "invoke_agent"}
"""Of OpenInference, whose spans have other names for the same."""


@final
class OtelReader(DocumentReader):
    """Spans of generative AI; see `DocumentReader`."""

    name = "otel"

    def __init__(self) -> None:
        self._traces: dict[str, Trace] = {}
        self._parts: Counter[str] = Counter()
        self._chars = 0
        self._spans = self._logs = 0
        self._split = False

    def started(self) -> OtelReader:
        """Return a reader of one file, which holds its traces until they end."""
        return OtelReader()

    def recognises(self, head: bytes, path: Path) -> bool:
        """Tell whether the first object holds spans of OTLP, or is a span."""
        found = set(first_members(head))
        if {"resourceSpans", "resource_spans", "scopeSpans", *OTHER_SIGNALS} & found or {"SpanContext", "Attributes"} <= found:
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
        self._logs += holds_logs(document.value)
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
        if self._logs:
            what = f"{self._logs} of its documents hold logs, whose messages are not read; give the spans of the same sessions, with their messages"
            source.tell(Problem(str(source.path), None, what))
        if source.first is None and not self._parts:
            what = f"none of its {self._spans} spans is one of generative AI (gen_ai.operation.name)" if self._spans else "it holds no spans"
            source.tell(Problem(str(source.path), None, what))

    def _keep(self, span: Span) -> None:
        operation = text(span.attributes.get("gen_ai.operation.name")) or _operation(span)
        conversation = name(span.attributes.get("gen_ai.conversation.id")) or name(span.attributes.get("session.id"))
        if operation is None and conversation is None:
            return
        known = self._traces.pop(span.trace, None)
        trace, before = (Trace(), 0) if known is None else (known, known.chars)
        # The last one that had a span stands last.
        self._traces[span.trace] = trace
        trace.seen(span.start)
        trace.seen(span.end)
        if conversation is not None:
            conversation = session_name(conversation)
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
        together: dict[str, list[Trace]] = {}
        for own in traces:
            trace = self._traces.pop(own)
            self._chars -= trace.chars
            trace.conversation = trace.conversation or own
            named = [turn[0] for turn in trace.turns] + [tool[0] for tool in trace.tools]
            for session in dict.fromkeys(conversation or trace.conversation for conversation in named):
                together.setdefault(session, []).append(trace)
        for session, parts in together.items():
            builder = SessionBuilder(session, self.name, path=source.path, report=None, part=self._parts[session])
            fill(builder, session, parts)
            self._parts[session] += 1
            if not builder.empty:
                yield builder.build()


def _tool(span: Span) -> ToolCall:
    """Return the call that a span of execute_tool is of."""
    attributes = span.attributes
    given = arguments(attributes.get("gen_ai.tool.call.arguments", attributes.get("gen_ai.tool.arguments", attributes.get("input.value"))))
    tool = tool_of(text(attributes.get("gen_ai.tool.name")) or text(attributes.get("tool.name")) or span.name.removeprefix(_TOOL).strip(), given)
    output = attributes.get("gen_ai.tool.call.result", attributes.get("gen_ai.tool.result", attributes.get("output.value")))
    output = "" if output is None else written(output)
    code = attributes.get("process.exit.code")
    code = whole(code) if whole(code) is not None else exit_code_in(output) if tool == BASH else None
    error = span.failed or text(attributes.get("error.type")) is not None
    # A span without an error ended as it should, but a shell's may have returned anything.
    success = False if error else success_of(tool, output, None, code)
    command = given.get("command") if tool == BASH else None
    kept = output if len(output) <= 2 * TURN_CHARS else output[:TURN_CHARS] + output[-TURN_CHARS:]
    call_id = name(attributes.get("gen_ai.tool.call.id"))
    told = command if isinstance(command, str) else None
    return ToolCall(span.start, span.end, call_id, tool, key_params(given), told, success, code, kept if tool == BASH else "", True)


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
