"""Tests of EndpointModel against servers that hang, lie or send nonsense: a ModelError within the limit, always."""

import gzip
import json
import re
import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from model_server import hostile_server, http_reply

from ebmhw.errors import ModelError
from ebmhw.verify.models import EndpointModel, Message

ASK = [Message("user", "What is 27 + 15?")]
KEY = "sk-very-secret-0123456789"


def chat(content, **more):
    return json.dumps({"choices": [{"message": {"role": "assistant", "content": content}, "finish_reason": "stop", **more}]})


def dripping(start, piece=b"x", wait=0.02):
    def speak(connection):
        connection.sendall(start)
        while True:
            connection.sendall(piece)
            time.sleep(wait)

    return speak


def flood(connection):
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n[")
    while True:
        connection.sendall(b'"' + b"x" * 65536)


def says(reply):
    return lambda connection: connection.sendall(reply)


def ask(speak, time_limit=20.0, answer_limit=1 << 20, **more):
    """Return (the error's text, seconds that it took)."""
    with hostile_server(speak) as url:
        began = time.monotonic()
        with pytest.raises(ModelError) as caught:
            EndpointModel(url, "m", api_key=KEY, answer_limit=answer_limit).generate(ASK, time_limit=time_limit, **more)
        spent = time.monotonic() - began
    text = str(caught.value)
    assert text.startswith(f"{url}#m ") and ";" in text and KEY not in text and KEY[:12] not in text
    assert len(text) < 800 and text.isprintable()
    return text, spent


# What never ends: the limit does.
@pytest.mark.parametrize(
    "speak",
    [
        lambda connection: time.sleep(5),
        dripping(b""),
        dripping(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n", 0.1),
        dripping(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n", b" "),
        dripping(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n", b" "),
        dripping(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
        dripping(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    ],
    ids=["silent", "status line", "headers", "body", "announced body", "chunks", "continue"],
)
def test_a_server_that_never_ends_costs_no_more_than_the_limit(speak):
    text, spent = ask(speak, time_limit=0.4)
    assert "did not answer within 0.4 s" in text or "not answer in HTTP" in text
    assert spent < 2.0
    # The thread that waited for it has ended too; the server's may still be there.
    limit = time.monotonic() + 5
    while any(thread.name == "ebmhw language model" for thread in threading.enumerate()) and time.monotonic() < limit:
        time.sleep(0.01)
    assert not any(thread.name == "ebmhw language model" for thread in threading.enumerate())


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (b"", "not answer in HTTP|broke the connection"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "not answer in HTTP"),
        (b"\x16\x03\x01\x02\x00\x01\x00\xff", "not answer in HTTP"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n", "not answer in HTTP"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70000 + b"\r\n\r\n", "not answer in HTTP"),
        (http_reply(chat("42"))[:-10], "ended its reply after .* bytes"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", "not answer in HTTP"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "not answer in HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n" + chat("42").encode()[:-5], "broken JSON"),
        (http_reply("<html><h1>It works!</h1></html>", kind="text/html"), "'text/html'.*It works.*mostly ends in /v1"),
        (http_reply(chat("42"), kind="text/plain"), "something else than JSON"),
        (http_reply(""), "broken JSON"),
        (http_reply("null"), "no object"),
        (http_reply("[]"), "no object"),
        (http_reply("{}"), "without a list of choices"),
        (http_reply('{"error": {"message": "boom"}}'), "without a list of choices.*boom"),
        (http_reply('{"choices": {}}'), "without a list of choices"),
        (http_reply('{"choices": [1]}'), "without a list of choices"),
        (http_reply('{"choices": []}'), "no text in 0 choices"),
        (http_reply('{"choices": [{}]}'), "no text in 1 choices"),
        (http_reply(chat(None)), "no text in 1 choices.*more max_tokens"),
        (http_reply(chat("")), "no text"),
        (http_reply(chat(" \n")), "no text"),
        (http_reply(chat(42)), "no text"),
        (http_reply(chat("\ud800")), "half of a surrogate pair"),
        (http_reply(b'{"choices": [{"message": {"content": "\xff"}}]}'), "not UTF-8 .*0xff"),
        (http_reply(chat("42").encode("utf-16")), "not UTF-8|broken JSON"),
        (http_reply("[" * 200000), "nested too deeply"),
        (http_reply('{"choices": ' + "9" * 10000 + "}"), "broken JSON"),
        (http_reply(gzip.compress(chat("42").encode()), extra="Content-Encoding: gzip\r\n"), "packed its reply as 'gzip'"),
        (http_reply("", "302 Found", extra="Location: http://elsewhere.test/v1\r\n"), "status 302.*not followed.*'http://elsewhere.test/v1'"),
        (http_reply("", "307 Temporary Redirect"), "not followed"),
        (http_reply("no", "400 Bad Request"), "status 400: 'no'; see its documentation"),
        (http_reply('{"error": {"message": "bad key"}}', "401 Unauthorized"), "status 401.*EBMHW_API_KEY"),
        (http_reply("<b>no</b>", "404 Not Found", kind="text/html"), "status 404"),
        (http_reply("", "204 No Content"), "something else|broken JSON"),
        (http_reply("", "599 Odd"), "status 599 and nothing else"),
        (b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99999999999\r\n\r\n{", "announced a reply of 99999999999 bytes"),
    ],
)
def test_nonsense_is_named(reply, expected):
    text, spent = ask(says(reply))
    assert re.search(expected, text), text
    assert spent < 5


def test_a_flood_ends_at_the_limit_of_size():
    text, spent = ask(flood)
    assert "sent more than 1048576 bytes" in text and spent < 10


def test_retry_after_beyond_the_limit_ends_at_once():
    for extra in ("Retry-After: 3600\r\n", "Retry-After: Fri, 31 Dec 2100 23:59:59 GMT\r\n"):
        text, spent = ask(says(http_reply("slow down", "429 Too Many Requests", extra=extra)), time_limit=3)
        assert "429" in text and "slow down" in text and "time_limit of 3 s" in text and spent < 2


@pytest.mark.parametrize("after", ["", "Retry-After: soon\r\n", "Retry-After: -5\r\n", "Retry-After: 0\r\n", "Retry-After: " + "9" * 500 + "\r\n"])
def test_busy_servers_are_given_up_within_the_limit(after):
    text, spent = ask(says(http_reply("", "503 Service Unavailable", extra=after)), time_limit=0.7)
    assert "status 503" in text and spent < 2


def test_one_that_recovers_is_answered():
    count = []

    def speak(connection):
        count.append(1)
        connection.sendall(
            http_reply("wait", "429 Too Many Requests", extra="Retry-After: 0\r\n") if len(count) < 3 else http_reply(chat("It is 42."))
        )

    with hostile_server(speak) as url:
        (found,) = EndpointModel(url, "m").generate(ASK, time_limit=20)
    assert found == ("It is 42.", None, None, "stop") and len(count) == 3


@pytest.mark.parametrize("second", ["hangs", "breaks"])
def test_what_was_answered_before_a_failure_is_not_lost(second):
    count = []

    def speak(connection):
        count.append(1)
        if len(count) == 1:
            connection.sendall(http_reply(chat("It is 42.")))
        elif second == "hangs":
            time.sleep(3)

    with hostile_server(speak) as url:
        found = EndpointModel(url, "m").generate(ASK, n=3, temperature=1, time_limit=1)
    assert [one.text for one in found] == ["It is 42."] and len(count) == 2


def test_nobody_there():
    with pytest.raises(ModelError, match=r"^http://127\.0\.0\.1:1/v1#m cannot be reached: the connection was refused; start the server"):
        EndpointModel("http://127.0.0.1:1/v1", "m").generate(ASK)
    with pytest.raises(ModelError, match="no such host"):
        EndpointModel("http://nowhere.invalid/v1", "m").generate(ASK)
    with (
        hostile_server(says(http_reply(chat("42")))) as url,
        pytest.raises(ModelError, match=r"does not speak TLS|broke the connection|did not answer"),
    ):
        EndpointModel(url.replace("http:", "https:"), "m").generate(ASK, time_limit=0.5)


def test_a_server_that_repeats_the_key_does_not_spread_it():
    def speak(connection):
        for status, lead in (("401 Unauthorized", ""), ("400 Bad Request", "x" * 190)):
            assert KEY.encode() in connection.request
            connection.sendall(http_reply(f"{lead}{KEY} is wrong", status, extra=f"Location: /{KEY}\r\n"))
            return

    assert "***" in ask(speak)[0]

    def long(connection):
        connection.sendall(http_reply("x" * 190 + KEY, "400 Bad Request"))

    ask(long)
    ask(says(http_reply("", "302 Found", extra=f"Location: http://x.test/{'y' * 50}{KEY}\r\n")))
    ask(says(http_reply(KEY, kind=f"text/{KEY}")))
    ask(says(KEY.encode() + b"\r\n"))


def test_other_languages_and_other_scripts_are_answers():
    words = "Ответ: сорок два. 答案是四十二。 \U0001f600 \u202e42"
    with hostile_server(says(http_reply(chat(words)))) as url:
        assert EndpointModel(url, "m").generate(ASK)[0].text == words
    parts = [{"type": "reasoning", "thought": "no"}, {"type": "text", "text": "It is "}, {"type": "text", "text": "42."}, 7]
    with hostile_server(says(http_reply(chat(parts)))) as url:
        assert EndpointModel(url, "m").generate(ASK)[0].text == "It is 42."


@pytest.mark.parametrize("values", [[None], ["-1"], [True], [5.0], [-1.0, None], [float("nan")], [float("-inf")]])
def test_log_probabilities_that_cannot_be_are_left_out(values):
    told = {"content": [{"token": "x", "logprob": value} for value in values]}
    with hostile_server(says(http_reply(chat("42", logprobs=told)))) as url:
        assert EndpointModel(url, "m").generate(ASK)[0].logprob is None


@settings(max_examples=40)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["choices", "message", "content", "logprobs", "text", "usage", "finish_reason", "logprob", "completion_tokens"]),
                inner,
                max_size=4,
            )
        ),
        max_leaves=15,
    ),
    st.sampled_from(["chat", "completions"]),
)
def test_any_json_is_an_answer_or_a_model_error(value, interface):
    from ebmhw.verify.models.answers import read_answer
    from ebmhw.verify.models.http import Reply

    for body in (value, {"choices": [value]}, {"choices": [{"message": value, "text": value, "logprobs": value}], "usage": value}):
        reply = Reply(200, "application/json", json.dumps(body).encode(), None, None)
        try:
            found = read_answer(reply, interface, "it")
        except ModelError as error:
            assert str(error).startswith("it answered")
        else:
            assert found and all(one.text.strip() for one in found)
            assert all(one.logprob is None or one.logprob <= 0 for one in found)
