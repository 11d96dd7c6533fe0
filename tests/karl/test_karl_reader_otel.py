"""OpenTelemetry: sessions written as spans, in any order and split over files' lines, are read back; the old and new ways of messages."""

from __future__ import annotations

import json
from typing import Any

import karl_foreign as foreign
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ebmhw.errors import InvalidFile
from ebmhw.karl.readers import otel
from ebmhw.karl.trajectory import trajectory_id

FEW = settings(max_examples=60, deadline=None)
START = 1_760_000_000


def typed(value: Any) -> dict[str, Any]:
    """Return a plain value as OTLP's JSON writes it."""
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, list):
        return {"arrayValue": {"values": [typed(item) for item in value]}}
    if isinstance(value, dict):
        return {"kvlistValue": {"values": [{"key": key, "value": typed(item)} for key, item in value.items()]}}
    return {"stringValue": value}


def span(trace: str, name: str, start: float, end: float, attributes: dict[str, Any], failed: bool = False, printed: bool = False) -> dict[str, Any]:
    """Return a span: in OTLP's JSON, or as an SDK prints it."""
    if printed:
        times = {"start_time": f"{int(START + start)}", "end_time": f"{int(START + end)}"}
        times = {"start_time": (START + start) * 1000, "end_time": (START + end) * 1000}
        context = {"trace_id": f"0x{trace}", "span_id": "0x" + "1" * 16}
        return {"name": name, "context": context, **times, "status": {"status_code": "ERROR" if failed else "UNSET"}, "attributes": attributes}
    times = {"startTimeUnixNano": str(int((START + start) * 10**9)), "endTimeUnixNano": str(int((START + end) * 10**9))}
    listed = [{"key": key, "value": typed(value)} for key, value in attributes.items()]
    return {"traceId": trace, "spanId": "1" * 16, "name": name, **times, "status": {"code": 2} if failed else {}, "attributes": listed}


def otlp(spans: list[dict[str, Any]]) -> dict[str, Any]:
    """Return spans as a request of OTLP."""
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]}
    return {"resourceSpans": [{"resource": resource, "scopeSpans": [{"scope": {"name": "x"}, "spans": spans}]}]}


def spans_of(plan: list[foreign.Said], trace: str, conversation: str | None, way: str, printed: bool) -> list[dict[str, Any]]:
    """Return a plan as spans: a request for every answer, whose context is all that came before, and a span for every call."""
    made: list[dict[str, Any]] = []
    context: list[dict[str, Any]] = []
    number = 0
    own = {} if conversation is None else {"gen_ai.conversation.id": conversation}
    # A request for what was asked last, where it got no answer.
    plan = plan if plan[-1].role == "assistant" else [*plan, foreign.Said("assistant", "", ())]
    for place, said in enumerate(plan):
        if said.role == "user":
            context.append({"role": "user", "parts": [{"type": "text", "content": said.text}]})
            continue
        parts: list[dict[str, Any]] = [{"type": "text", "content": said.text}] if said.text else []
        results = []
        for call in said.calls:
            number += 1
            arguments = {"path" if key == "file_path" else key: value for key, value in call.params.items()}
            parts.append({"type": "tool_call", "id": f"c{number}", "name": call.tool, "arguments": arguments})
            if call.output is None:
                continue
            results.append({"type": "tool_call_response", "id": f"c{number}", "result": call.output})
            attributes = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": call.tool, "gen_ai.tool.call.id": f"c{number}"}
            attributes["gen_ai.tool.call.arguments"] = json.dumps(arguments) if way != "structured" else arguments
            time = 10 * place + number / 1000
            made.append(span(trace, f"execute_tool {call.tool}", time + 3, time + 4, attributes, call.failed, printed))
        answer = {"role": "assistant", "parts": parts, "finish_reason": "stop"}
        inputs: Any = list(context)
        outputs: Any = [answer]
        if way != "structured":
            inputs, outputs = json.dumps(inputs), json.dumps(outputs)
        chat = {
            "gen_ai.operation.name": "chat",
            "gen_ai.request.model": "m",
            "gen_ai.input.messages": inputs,
            "gen_ai.output.messages": outputs,
            **own,
        }
        made.append(span(trace, "chat m", 10 * place + 1, 10 * place + 2, chat, printed=printed))
        context.append({"role": "assistant", "parts": parts})
        if results:
            context.append({"role": "tool", "parts": results})
    return made


@FEW
@given(
    st.lists(foreign.plans(), min_size=1, max_size=3),
    st.sampled_from(("text", "structured")),
    st.booleans(),
    st.booleans(),
    st.randoms(use_true_random=False),
)
def test_sessions_are_read_back(plans: list[list[foreign.Said]], way: str, named: bool, printed: bool, random: Any) -> None:
    spans = []
    for place, plan in enumerate(plans):
        spans.append(spans_of(plan, f"{place:032x}", f"conv-{place}" if named else None, "text" if printed else way, printed))
    # Spans of different sessions come interleaved, those of one in the order of their ends.
    queues = [list(own) for own in spans]
    mixed = []
    while any(queues):
        mixed.append(random.choice([queue for queue in queues if queue]).pop(0))
    raw = foreign.lines(mixed) if printed else foreign.lines([otlp([found]) for found in mixed])
    if not printed and random.random() < 0.5:
        raw = json.dumps(otlp(mixed), indent=1).encode()
    read, problems = foreign.read("otel", raw)
    assert not problems and len(read) == len(plans)
    by_id = {found.session_id: found for found in read}
    for place, plan in enumerate(plans):
        found = by_id[f"conv-{place}" if named else f"{place:032x}"]
        assert found.events == tuple(sorted(found.events, key=lambda event: event.turn or 0))
        assert sorted(map(str, foreign.events_in(found))) == sorted(map(str, expected(plan)))
        assert foreign.turns_in(found) == turns(plan)
        assert found.model == "m" and found.prompt == plan[0].text
        assert found.id == trajectory_id(found.session_id)


def expected(plan: list[foreign.Said]) -> list[tuple[str, dict[str, str], bool | None]]:
    """Return the calls of a plan: a span that says nothing of an error is a success, unless its result says so."""
    return foreign.events_of(plan)


def turns(plan: list[foreign.Said]) -> list[tuple[str, str]]:
    """Return what was said; what the user said twice in a row without an answer between counts too."""
    return foreign.turns_of(plan)


def test_a_conversation_of_several_traces_is_one_session() -> None:
    spans = []
    for place in range(3):
        own = {"gen_ai.operation.name": "invoke_agent", "gen_ai.conversation.id": "c", "gen_ai.agent.name": "clerk", "user.id": "ann"}
        tool = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "find"}
        spans.append(span(f"{place:032x}", "execute_tool find", 10 * place + 1, 10 * place + 2, tool))
        spans.append(span(f"{place:032x}", "invoke_agent clerk", 10 * place, 10 * place + 5, own))
    (read,), _ = foreign.read("otel", foreign.lines([otlp([found]) for found in spans]))
    assert (read.session_id, read.agent, read.user, read.total_tools, read.duration_s) == ("c", "clerk", "ann", 3, 25.0)
    assert [event.ts for event in read.events] == [START + 10 * place + 2 for place in range(3)] and read.events[0].duration_s == 1.0


def test_a_span_tells_more_of_a_call_than_the_messages_and_they_are_one_call() -> None:
    calls = [
        {
            "role": "assistant",
            "parts": [{"type": "tool_call", "id": own, "name": "bash", "arguments": {"command": "make"}} for own in ("a", "b", "c")],
        }
    ]
    results = [{"role": "tool", "parts": [{"type": "tool_call_response", "id": "b", "result": "Exit code: 2"}]}]
    spans = [
        span("1", "chat", 0, 1, {"gen_ai.operation.name": "chat", "gen_ai.output.messages": json.dumps(calls)}),
        span("1", "execute_tool bash", 2, 3, {"gen_ai.tool.name": "bash", "gen_ai.tool.call.id": "a", "error.type": "timeout"}),
        span("1", "chat", 4, 5, {"gen_ai.operation.name": "chat", "gen_ai.input.messages": json.dumps(calls + results)}),
    ]
    (read,), _ = foreign.read("otel", otlp(spans))
    assert sorted((event.success is None, event.success or False, event.exit_code or 0) for event in read.events) == [
        (False, False, 0),
        (False, False, 2),
        (True, False, 0),
    ]


@pytest.mark.parametrize("way", ["events", "choices", "indexed", "plain"])
def test_the_older_ways_of_messages(way: str) -> None:
    made = span("1", "chat m", 0, 1, {"gen_ai.system": "openai", "gen_ai.request.model": "m"})
    if way == "events":
        rows = [("gen_ai.user.message", {"content": "Look."}), ("gen_ai.choice", {"index": 0, "message": json.dumps({"content": "Yes."})})]
    elif way == "choices":
        rows = [
            ("gen_ai.content.prompt", {"gen_ai.prompt": '[{"role": "user", "content": "Look."}]'}),
            ("gen_ai.content.completion", {"gen_ai.completion": "Yes."}),
        ]
    else:
        rows = []
    made["events"] = [{"name": name, "attributes": [{"key": key, "value": typed(value)} for key, value in found.items()]} for name, found in rows]
    if way == "indexed":
        indexed = {"gen_ai.prompt.0.role": "user", "gen_ai.prompt.0.content": "Look.", "gen_ai.completion.0.content": "Yes."}
        indexed |= {"gen_ai.completion.0.tool_calls.0.name": "find", "gen_ai.completion.0.tool_calls.0.arguments": '{"query": "x"}'}
        made["attributes"] += [{"key": key, "value": typed(value)} for key, value in indexed.items()]
    if way == "plain":
        plain = {"gen_ai.input.messages": "Look.", "gen_ai.output.messages": '{"role": "assistant", "content": "Yes."}'}
        made["attributes"] += [{"key": key, "value": typed(value)} for key, value in plain.items()]
    (read,), _ = foreign.read("otel", otlp([made]))
    assert foreign.turns_in(read) == [("user", "Look."), ("assistant", "Yes.")]
    assert foreign.events_in(read) == ([("find", {"query": "x"}, None)] if way == "indexed" else [])


def test_what_sdks_print_besides() -> None:
    name = {"Key": "gen_ai.tool.name", "Value": {"Type": "STRING", "Value": "find"}}
    go = {"Name": "execute_tool find", "SpanContext": {"TraceID": "ab"}, "StartTime": "2026-03-16T10:00:03.5Z", "EndTime": "2026-03-16T10:00:05Z"}
    go |= {"Attributes": [name], "Status": {"Code": "Error", "Description": "x"}}
    script = {"traceId": "cd", "spanId": "1", "name": "x", "startTime": [START, 500_000_000], "endTime": [START + 1, 0], "status": {"code": 1}}
    script |= {"attributes": {"openinference.span.kind": "TOOL", "tool.name": "find"}}
    raw = json.dumps(go, indent=1) + "\n" + json.dumps(script, indent=1) + "\n"
    assert foreign.recognised(raw.encode()) == ["otel"]
    read, problems = foreign.read("otel", raw.encode())
    assert not problems and [found.session_id for found in read] == ["ab", "cd"]
    assert [(found.events[0].tool, found.events[0].success, found.events[0].duration_s) for found in read] == [
        ("find", False, 1.5),
        ("find", True, 0.5),
    ]


def test_more_open_sessions_than_memory_is_meant_to_hold_come_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(otel, "OPEN_CHARS", 20_000)
    tool = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "find", "gen_ai.tool.call.arguments": '{"query": "' + "x" * 100 + '"}'}
    spans = [span(f"{place % 10:032x}", "execute_tool find", place, place + 1, tool) for place in range(400)]
    read, problems = foreign.read("otel", foreign.lines([otlp([found]) for found in spans]))
    assert sum(found.total_tools for found in read) == 400 and len({found.id for found in read}) == len(read) > 10
    assert {found.session_id for found in read} == {f"{place:032x}" for place in range(10)} and len(problems) == 1


def test_spans_of_other_kinds_are_left_out() -> None:
    http = span("1", "GET /", 0, 1, {"http.method": "GET"})
    tool = span("2", "execute_tool find", 0, 1, {"gen_ai.tool.name": "find"})
    read, problems = foreign.read("otel", foreign.lines([otlp([http]), {"resourceMetrics": []}, otlp([tool])]))
    assert [found.total_tools for found in read] == [1] and not problems
    read, (problem,) = foreign.read("otel", foreign.lines([{"resourceLogs": []}, otlp([tool]), {"resourceLogs": [{}]}]))
    assert len(read) == 1 and problem.text.startswith("2 of its documents hold logs")
    with pytest.raises(InvalidFile, match="1 of its documents hold logs"):
        foreign.read("otel", {"resourceLogs": [{"scopeLogs": []}]})
    with pytest.raises(InvalidFile, match="none of its 1 spans is one of generative AI"):
        foreign.read("otel", otlp([http]))
    with pytest.raises(InvalidFile, match="no trace or no attributes"):
        foreign.read("otel", {"a": 1})


@FEW
@given(st.data())
def test_hostile_members_never_raise_anything_but_that_nothing_can_be_read(data: st.DataObject) -> None:
    plan = [foreign.Said("user", "a", ()), foreign.Said("assistant", "b", (foreign.Call("Read", {"file_path": "p"}, "c", True),))]
    for way, printed in (("text", False), ("structured", False), ("text", True)):
        spans = spans_of(plan, "1" * 32, "c", way, printed)
        foreign.sessions_or_nothing("otel", foreign.with_one_changed(spans if printed else otlp(spans), data.draw))
        # What stands in a text of JSON is hostile too.
        attributes = {
            "gen_ai.operation.name": "chat",
            "gen_ai.input.messages": json.dumps(foreign.with_one_changed([{"role": "user", "parts": [{}]}], data.draw)),
        }
        foreign.sessions_or_nothing("otel", otlp([span("1", "chat", 0, 1, attributes)]))
