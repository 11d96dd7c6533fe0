"""Spans: those of OTLP's JSON and of SDKs', as plain values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ebmhw.karl.moments import moment
from ebmhw.karl.readers.members import items, mapping, name, number, text

_DEPTH = 40
"""Of lists and mappings in an attribute."""

OTHER_SIGNALS = frozenset({"resourceLogs", "resource_logs", "resourceMetrics", "resource_metrics"})
"""Members of documents of OTLP that hold logs and metrics, which share a collector's file with spans."""

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


def holds_logs(document: Mapping[str, Any]) -> bool:
    """Tell whether a document of OTLP holds logs, in which events of generative AI may stand."""
    return "resourceLogs" in document or "resource_logs" in document


def spans_in(document: Mapping[str, Any]) -> Iterator[Span | None]:
    """Yield the spans of a document, None for each that cannot be read."""
    resources = document.get("resourceSpans", document.get("resource_spans"))
    if resources is None and "scopeSpans" in document:
        resources = [document]
    if resources is None:
        if OTHER_SIGNALS.isdisjoint(document):
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
