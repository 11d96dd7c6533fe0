"""Spans: those of OTLP's JSON and of SDKs' as plain values, and the messages in them in the old and new ways of the conventions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ebmhw.karl.moments import moment
from ebmhw.karl.readers.lines import NotJson, value_of
from ebmhw.karl.readers.members import items, mapping, name, number, text, written

_DEPTH = 40
"""Of lists and mappings in an attribute."""

_INDEXED = re.compile(r"gen_ai\.(prompt|completion)\.(\d{1,4})\.(.{1,60})\Z")
_CALLED = re.compile(r"tool_calls\.(\d{1,3})\.(id|name|arguments)\Z")
_ROLES: Mapping[str, str] = {
    **{"system": "system", "developer": "system", "user": "user", "human": "user", "assistant": "assistant", "model": "assistant", "ai": "assistant"},
    **{"tool": "tool", "function": "tool"},
}
_EVENTS: Mapping[str, str] = {
    "gen_ai.system.message": "system",
    "gen_ai.user.message": "user",
    "gen_ai.assistant.message": "assistant",
    "gen_ai.tool.message": "tool",
    "gen_ai.choice": "assistant",
}
_TRACE_IDS = ("traceId", "trace_id")


class Span(NamedTuple):
    """A span.

    Attributes
    ----------
    trace, name : its trace, its name
    start, end : Unix seconds
    failed : whether its status is an error
    attributes : as plain values
    events : (name, attributes) of its events
    service : of the resource that it is from
    """

    trace: str
    name: str
    start: float | None
    end: float | None
    failed: bool
    attributes: Mapping[str, Any]
    events: tuple[tuple[str, Mapping[str, Any]], ...]
    service: str | None


class Said(NamedTuple):
    """A message.

    Attributes
    ----------
    role : "system", "user", "assistant" or "tool"
    text : what it says
    calls : (id, tool, arguments) of the calls in it
    results : (id of the call, text) of the results in it
    """

    role: str
    text: str
    calls: tuple[tuple[str | None, str, str], ...] = ()
    results: tuple[tuple[str | None, str], ...] = ()


def spans_in(document: Mapping[str, Any]) -> Iterator[Span | None]:
    """Yield the spans of a document, None for each that cannot be read."""
    resources = document.get("resourceSpans", document.get("resource_spans"))
    if resources is None and "scopeSpans" in document:
        resources = [document]
    if resources is None:
        # Logs and metrics share a collector's file.
        if not {"resourceLogs", "resourceMetrics"} & set(document):
            yield _span(document, None)
        return
    for resource in items(resources):
        found = mapping(resource)
        service = name(attributes_of(mapping(found.get("resource")).get("attributes")).get("service.name"))
        for member in ("scopeSpans", "scope_spans", "instrumentationLibrarySpans"):
            for scope in items(found.get(member)):
                for span in items(mapping(scope).get("spans")):
                    yield _span(span, service)


def attributes_of(value: Any) -> dict[str, Any]:
    """Return attributes as plain values: OTLP's list of keys and typed values, or a mapping."""
    if isinstance(value, Mapping):
        return {key: _plain(item, _DEPTH) for key, item in value.items() if isinstance(key, str)}
    found: dict[str, Any] = {}
    for pair in items(value):
        key = mapping(pair).get("key")
        if isinstance(key, str):
            found[key] = _plain(mapping(pair).get("value"), _DEPTH)
    return found


def messages_in(span: Span) -> tuple[list[Said], list[Said]]:
    """Return the messages that a span sent to a model (or agent), and those that came back."""
    attributes = span.attributes
    sent: list[Said] = []
    for member in ("gen_ai.system_instructions", "gen_ai.input.messages", "gen_ai.prompt", "input.value"):
        sent += _messages(attributes.get(member), "system" if member == "gen_ai.system_instructions" else "user")
    answered = _messages(attributes.get("gen_ai.output.messages", attributes.get("gen_ai.completion", attributes.get("output.value"))), "assistant")
    for own, details in span.events:
        content = details.get("gen_ai.event.content")
        details = {**details, **mapping(_decoded(content))} if content is not None else details
        if own in _EVENTS:
            message = mapping(_decoded(details.get("message"))) or details
            (answered if own == "gen_ai.choice" else sent).extend(_messages([{"role": _EVENTS[own], **message}], _EVENTS[own]))
        elif own == "gen_ai.content.prompt":
            sent += _messages(details.get("gen_ai.prompt"), "user")
        elif own == "gen_ai.content.completion":
            answered += _messages(details.get("gen_ai.completion"), "assistant")
        elif own == "gen_ai.client.inference.operation.details":
            sent += _messages(details.get("gen_ai.system_instructions"), "system") + _messages(details.get("gen_ai.input.messages"), "user")
            answered += _messages(details.get("gen_ai.output.messages"), "assistant")
    more_sent, more_answered = _indexed(attributes)
    return sent + more_sent, answered + more_answered


def _span(value: Any, service: str | None) -> Span | None:
    found = mapping(value)
    if "SpanContext" in found:
        found = _of_go(found)
    context = mapping(found.get("context"))
    trace = next((own for own in (name(place.get(member)) for place in (found, context) for member in _TRACE_IDS) if own is not None), None)
    if trace is None or not isinstance(found.get("attributes", []), (list, Mapping)):
        return None
    status = mapping(found.get("status"))
    code = status.get("code", status.get("status_code"))
    attributes = attributes_of(found.get("attributes"))
    events = [(text(mapping(event).get("name")) or "", attributes_of(mapping(event).get("attributes"))) for event in items(found.get("events"))]
    own = attributes_of(mapping(found.get("resource")).get("attributes"))
    return Span(
        trace.removeprefix("0x").lower(),
        text(found.get("name")) or "",
        _time(found, "startTimeUnixNano", "start_time_unix_nano", "start_time", "startTime"),
        _time(found, "endTimeUnixNano", "end_time_unix_nano", "end_time", "endTime"),
        code == 2 or (isinstance(code, str) and code.rpartition("_")[2].rpartition(".")[2].upper() in ("ERROR", "2")),
        attributes,
        tuple(events),
        service or name(own.get("service.name")),
    )


def _of_go(span: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a span as Go's SDK prints it, as other SDKs do."""
    attributes = {}
    for pair in items(span.get("Attributes")):
        key = mapping(pair).get("Key")
        if isinstance(key, str):
            attributes[key] = mapping(mapping(pair).get("Value")).get("Value")
    return {
        "trace_id": mapping(span.get("SpanContext")).get("TraceID"),
        "name": span.get("Name"),
        "start_time": span.get("StartTime"),
        "end_time": span.get("EndTime"),
        "status": {"code": mapping(span.get("Status")).get("Code")},
        "attributes": attributes,
    }


def _time(span: Mapping[str, Any], *names: str) -> float | None:
    for own in names:
        value = span.get(own)
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 20:
            value = int(value)
        if isinstance(value, list) and len(value) == 2:
            # JavaScript's SDK: seconds and nanoseconds.
            seconds, rest = number(value[0]), number(value[1])
            value = None if seconds is None or rest is None else seconds + rest / 1e9
        found = moment(value)
        if found is not None and found > 0:
            return found
    return None


def _plain(value: Any, depth: int) -> Any:
    """Return a typed value of OTLP as a plain one; plain ones are returned as they are."""
    if not isinstance(value, Mapping) or depth == 0:
        return value
    for kind in ("stringValue", "string_value", "boolValue", "bool_value", "doubleValue", "double_value"):
        if kind in value:
            return value[kind]
    for kind in ("intValue", "int_value"):
        if kind in value:
            found = value[kind]
            return int(found) if isinstance(found, str) and found.lstrip("-").isdigit() and found.isascii() and len(found) <= 20 else found
    for kind in ("arrayValue", "array_value"):
        if kind in value:
            return [_plain(item, depth - 1) for item in items(mapping(value[kind]).get("values"))]
    for kind in ("kvlistValue", "kvlist_value"):
        if kind in value:
            pairs = (mapping(pair) for pair in items(mapping(value[kind]).get("values")))
            return {pair["key"]: _plain(pair.get("value"), depth - 1) for pair in pairs if isinstance(pair.get("key"), str)}
    return value


def _decoded(value: Any) -> Any:
    """Return what a text of JSON says; texts that are none, and other values, are returned as they are."""
    if isinstance(value, str) and value.lstrip()[:1] in ("[", "{"):
        try:
            return value_of(value)
        except NotJson:
            return value
    return value


def _messages(value: Any, role: str) -> list[Said]:
    value = _decoded(value)
    if isinstance(value, str):
        return [Said(role, value)] if value.strip() else []
    if isinstance(value, Mapping):
        value = value.get("messages") if isinstance(value.get("messages"), list) else [value]
    rows = items(value)
    # System instructions are parts without a role.
    if rows and role == "system" and all("role" not in mapping(row) for row in rows):
        rows = [{"role": role, "parts": rows}]
    found = []
    for row in rows:
        row = _decoded(row)
        made = _message(row if isinstance(row, Mapping) else {"content": row}, role)
        if made is not None:
            found.append(made)
    return found


def _message(row: Mapping[str, Any], role: str) -> Said | None:
    own = row.get("role")
    kind = _ROLES.get(own.lower(), role) if isinstance(own, str) else role
    texts: list[str] = []
    calls: list[tuple[str | None, str, str]] = []
    results: list[tuple[str | None, str]] = []
    content = row.get("parts", row.get("content"))
    if isinstance(content, str) and kind == "tool":
        results.append((name(row.get("tool_call_id")) or name(row.get("id")), content))
    elif isinstance(content, str):
        texts.append(content)
    for part in items(content) or ([content] if isinstance(content, Mapping) else []):
        found = {"type": "text", "content": part} if isinstance(part, str) else mapping(part)
        sort = found.get("type")
        if sort in ("tool_call", "tool_use", "function_call"):
            calls.append(_called(found))
        elif sort in ("tool_call_response", "tool_result", "function_call_output"):
            answer = next((found[member] for member in ("response", "result", "content", "output") if member in found), "")
            results.append((name(found.get("id")) or name(found.get("tool_use_id")) or name(found.get("call_id")), _written(answer)))
        elif sort in (None, "text", "input_text", "output_text"):
            spoken = found.get("content", found.get("text"))
            if isinstance(spoken, str):
                texts.append(spoken)
    for call in items(_decoded(row.get("tool_calls"))):
        calls.append(_called({**mapping(call), **mapping(mapping(call).get("function"))}))
    if not (texts or calls or results):
        return None
    return Said(kind, "\n\n".join(texts), tuple(calls), tuple(results))


def _called(found: Mapping[str, Any]) -> tuple[str | None, str, str]:
    given = next((found[member] for member in ("arguments", "input") if member in found), "")
    return name(found.get("id")) or name(found.get("call_id")), text(found.get("name")) or "unknown", _written(given)


def _written(value: Any) -> str:
    """Return a value as text: as it is, or as JSON; the same for a JSON text and what it says."""
    return written(_decoded(value))


def _indexed(attributes: Mapping[str, Any]) -> tuple[list[Said], list[Said]]:
    """Return messages that stand in attributes with numbers in their names (gen_ai.prompt.0.content)."""
    rows: dict[str, dict[int, dict[str, Any]]] = {"prompt": {}, "completion": {}}
    for own, value in attributes.items():
        found = _INDEXED.match(own)
        if found is not None:
            rows[found[1]].setdefault(int(found[2]), {})[found[3]] = value
    made: dict[str, list[Said]] = {"prompt": [], "completion": []}
    for side, default in (("prompt", "user"), ("completion", "assistant")):
        for _, row in sorted(rows[side].items()):
            calls: dict[int, dict[str, Any]] = {}
            for member, value in row.items():
                part = _CALLED.match(member)
                if part is not None:
                    calls.setdefault(int(part[1]), {})[part[2]] = value
            found_message = _message(
                {**row, "content": _decoded(row.get("content")), "tool_calls": [calls[place] for place in sorted(calls)]}, default
            )
            if found_message is not None:
                made[side].append(found_message)
    return made["prompt"], made["completion"]
