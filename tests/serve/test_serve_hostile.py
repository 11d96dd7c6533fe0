"""A server that survives its client: bytes that are no protocol, calls that ask for too much, floods."""

from __future__ import annotations

import json
import math
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from server_process import RawClient

pytest.importorskip("mcp")


def request(number: Any = 5, method: Any = "ping", **members: Any) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": number, "method": method, **members}).encode() + b"\n"


def call(arguments: Any, tool: Any = "verify_llm_output", number: Any = 5) -> bytes:
    return request(number, "tools/call", params={"name": tool, "arguments": arguments})


NO_JSON, NO_MESSAGE, NO_METHOD, NO_PARAMETERS = -32700, -32600, -32601, -32602

MALFORMED: dict[str, tuple[bytes, int, int | None]] = {
    "no JSON": (b"nonsense\n", NO_JSON, None),
    "half a line": (b'{"jsonrpc": "2.0", "id": 5, "met\n', NO_JSON, None),
    "two messages on a line": (request()[:-1] + request(), NO_JSON, None),
    "invalid UTF-8": (b'{"jsonrpc": "2.0", "id": 5, "method": "\xff\xfe"}\n', NO_JSON, None),
    "UTF-16": ('{"jsonrpc": "2.0"}'.encode("utf-16-le") + b"\n", NO_JSON, None),
    "NUL bytes": (b"\0" * 100 + b"\n", NO_JSON, None),
    "NUL within a text": (b'{"jsonrpc": "2.0", "id": 5, "method": "a\0b"}\n', NO_JSON, None),
    "control characters": (b"\x1b[2J\x07\n", NO_JSON, None),
    "HTTP": (b"GET /mcp HTTP/1.1\n", NO_JSON, None),
    "deep list": (b"[" * 100_000 + b"\n", NO_JSON, None),
    "deep objects": (b'{"a":' * 100_000 + b"\n", NO_JSON, None),
    "endless number": (b'{"jsonrpc": "2.0", "method": "ping", "id": ' + b"9" * 5000 + b"}\n", NO_JSON, None),
    "200 lists within each other": (call(json.loads("[" * 200 + "]" * 200)), NO_MESSAGE, 5),
    "list": (b"[]\n", NO_MESSAGE, None),
    "batch": (b"[" + request()[:-1] + b"]\n", NO_MESSAGE, None),
    "number": (b"1\n", NO_MESSAGE, None),
    "null": (b"null\n", NO_MESSAGE, None),
    "text": (b'"ping"\n', NO_MESSAGE, None),
    "empty object": (b"{}\n", NO_MESSAGE, None),
    "no version": (b'{"id": 5, "method": "ping"}\n', NO_MESSAGE, 5),
    "wrong version": (b'{"jsonrpc": "1.0", "id": 5, "method": "ping"}\n', NO_MESSAGE, 5),
    "version as a number": (b'{"jsonrpc": 2.0, "id": 5, "method": "ping"}\n', NO_MESSAGE, 5),
    "null as id": (request(None), NO_MESSAGE, None),
    "true as id": (request(True), NO_MESSAGE, None),
    "fraction as id": (request(1.5), NO_MESSAGE, None),
    "object as id": (request({}), NO_MESSAGE, None),
    "method as a number": (request(method=7), NO_MESSAGE, 5),
    "no method": (b'{"jsonrpc": "2.0", "id": 5}\n', NO_MESSAGE, 5),
    "parameters as a list": (request(params=[1]), NO_MESSAGE, 5),
    "half a surrogate pair": (call({"question": "\ud800", "response": ""}), NO_MESSAGE, 5),
    "8 MB line": (b'{"jsonrpc": "2.0", "id": 5, "method": "' + b"x" * 2**23 + b'"}\n', NO_MESSAGE, None),
    "100 MB line": (b"x" * 100_000_000 + b"\n", NO_MESSAGE, None),
    "unknown method": (request(method="tools/burn"), NO_METHOD, 5),
    "call without parameters": (request(method="tools/call"), NO_PARAMETERS, 5),
    "tool as a number": (call({}, 5), NO_PARAMETERS, 5),
    "unknown tool": (call({}, "verify_everything"), NO_PARAMETERS, 5),
    "tool of 100,000 letters": (call({}, "x" * 100_000), NO_PARAMETERS, 5),
    "arguments as a list": (call([]), NO_PARAMETERS, 5),
    "initialize without parameters": (request(method="initialize", params={}), NO_PARAMETERS, 5),
}
"""What is sent, the code of the answer, and the id that it is for."""

REFUSED: dict[str, tuple[bytes, str]] = {
    "no arguments": (call({}), "invalid-arguments"),
    "one argument too few": (call({"question": "x"}), "invalid-arguments"),
    "strange argument": (call({"question": "x", "response": "y", "cheat": 1}), "invalid-arguments"),
    "number for a text": (call({"question": 5, "response": "y"}), "invalid-arguments"),
    "null for a text": (call({"question": None, "response": "y"}), "invalid-arguments"),
    "unknown domain": (call({"question": "x", "response": "y", "domain": "astrology"}), "invalid-arguments"),
    "text that is too long": (call({"question": "x" * 10_001, "response": "y"}), "too-large"),
    "too many candidates": (call({"candidates": [{"question": "", "answer": ""}] * 65}, "verify_stream"), "too-large"),
    "no candidates": (call({"candidates": []}, "verify_stream"), "invalid-arguments"),
    "margin without top_k": (call({"candidates": [{"question": "", "answer": ""}], "early_stop_margin": 1}, "verify_stream"), "invalid-arguments"),
    "test case too large": (
        call({"code": "", "func_name": "f", "test_cases": [{"args": ["x" * 10_001], "expected": 1}]}, "verify_code"),
        "too-large",
    ),
    "too many tests": (call({"code": "", "func_name": "f", "test_cases": [{"expected": 1}] * 201}, "verify_code"), "too-large"),
    "name that is none": (call({"code": "", "func_name": "f(); g", "test_cases": [{"expected": 1}]}, "verify_code"), "invalid-arguments"),
    "check that is no lambda": (
        call({"code": "", "func_name": "f", "properties": [{"name": "p", "generator": "int", "check": "exit()"}]}, "verify_with_properties"),
        "invalid-arguments",
    ),
    "number without end": (
        call({"code": "", "func_name": "f", "test_cases": [{"args": [math.inf], "expected": 1}]}, "verify_code").replace(b"Infinity", b"1e999"),
        "invalid-arguments",
    ),
    "NaN": (call({"question": "", "responses": ["a"], "logprobs": [math.nan]}, "score_agent_outputs"), "invalid-arguments"),
    "log-probability of 400 digits": (
        call({"question": "", "responses": ["a"], "logprobs": [-(10**400)]}, "score_agent_outputs"),
        "invalid-arguments",
    ),
    "budget of 400 digits": (
        call({"candidates": [{"question": "", "answer": ""}], "budget_ms_total": 10**400}, "verify_stream"),
        "invalid-arguments",
    ),
    "constraints for a domain that reads none": (
        call({"question": "", "response": "", "constraints": "x", "domain": "logic"}),
        "invalid-arguments",
    ),
    "programs without constraints": (call({"question": "", "response": "", "domain": "programs"}), "invalid-arguments"),
    "a domain that is never asked of answers": (call({"question": "", "response": "", "domain": "execution"}), "invalid-arguments"),
    "negative repairs": (call({"question": "x", "response": "y", "max_repairs": -1}, "verify_and_repair"), "invalid-arguments"),
}
"""Calls that are well formed and ask for what is not allowed, with the code of the answer."""


@pytest.fixture(scope="module")
def client() -> Iterator[RawClient]:
    with RawClient("--workers", "1", "--verbose") as one:
        one.begin()
        yield one


@pytest.mark.parametrize("kind", MALFORMED)
def test_malformed_messages_are_answered_and_survived(client: RawClient, kind: str) -> None:
    sent, code, number = MALFORMED[kind]
    client.send(sent)
    answer = client.line()
    assert (answer["error"]["code"], answer["id"]) == (code, number)
    assert answer["error"]["message"]
    assert len(json.dumps(answer)) < 1000
    assert client.well()


@pytest.mark.parametrize("kind", REFUSED)
def test_calls_that_ask_for_what_is_not_allowed_are_errors_of_the_tool(client: RawClient, kind: str) -> None:
    sent, code = REFUSED[kind]
    client.send(sent)
    result = client.answer(5)["result"]
    assert result["isError"] is True
    told = result["structuredContent"]
    assert told["error"] == code
    assert told["message"] and told["remedy"]
    assert json.loads(result["content"][0]["text"]) == told
    assert len(json.dumps(told)) < 2000
    assert client.well()


@pytest.mark.parametrize(
    ("kind", "said"), [("200 lists within each other", "nested more than 190 deep"), ("endless number", "more than 4300 digits")]
)
def test_limits_of_messages_are_told(client: RawClient, kind: str, said: str) -> None:
    client.send(MALFORMED[kind][0])
    assert said in client.line()["error"]["message"]


def test_whole_numbers_may_be_written_with_a_point(client: RawClient) -> None:
    given = {"question": "", "response": "2 + 2 = 5", "domain": "arithmetic", "max_repairs": 1.0}
    assert client.answer(client.call("verify_and_repair", **given))["result"]["structuredContent"]["final_answer"] == "2 + 2 = 4"


def test_messages_that_need_no_answer_get_none(client: RawClient) -> None:
    client.send(b"\n", b"   \r\n")
    client.send({"jsonrpc": "2.0", "method": "notifications/unheard-of", "params": {}})
    client.send({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 99999}})
    client.send({"jsonrpc": "2.0", "id": 77, "result": {}})
    client.send({"jsonrpc": "2.0", "id": 78, "error": {"code": 1, "message": "x"}})
    number = client.request("ping")
    assert client.line()["id"] == number


def test_a_message_may_come_byte_by_byte_and_many_at_once(client: RawClient) -> None:
    for byte in request("slowly"):
        client.send(bytes([byte]))
    assert client.line()["id"] == "slowly"
    client.send(b"".join(request(f"ping {index}") for index in range(500)))
    assert {client.line()["id"] for _ in range(500)} == {f"ping {index}" for index in range(500)}


def test_an_id_that_is_used_twice_is_answered_twice(client: RawClient) -> None:
    arguments = {"question": "", "response": "2 + 2 = 4.", "domain": "arithmetic"}
    client.send(call(arguments, number="twice") + call(arguments, number="twice"))
    assert [client.line()["result"]["structuredContent"]["verdict"] for _ in range(2)] == ["VERIFIED"] * 2
    assert client.well()


def test_nul_characters_in_a_text_are_characters(client: RawClient) -> None:
    client.send(call({"question": "\0", "response": "2 + 2 = 5.\0", "domain": "arithmetic"}))
    assert client.answer(5)["result"]["structuredContent"]["verdict"] == "VIOLATED"


def test_a_client_that_does_not_read_is_waited_for_and_served_on(client: RawClient) -> None:
    """Some 4 MB of answers, far more than a pipe and the server's backlog hold; requests are sent meanwhile without anyone reading."""
    listed = request("list", "tools/list")
    sent = 400
    writer = threading.Thread(target=client.send, args=(listed * sent,))
    writer.start()
    time.sleep(1.0)
    assert client.process.poll() is None
    for _ in range(sent):
        assert len(client.line()["result"]["tools"]) == 9
    writer.join(30)
    assert not writer.is_alive()
    assert client.well()


def test_lines_and_silence_of_standard_error_are_no_protocol(client: RawClient) -> None:
    assert client.silent(0.05)
