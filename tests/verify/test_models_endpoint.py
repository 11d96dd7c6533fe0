"""Tests of EndpointModel against a real server, checked with the official client."""

import math

import pytest
from model_server import Bigram, model_server

from ebmhw.errors import ModelError, ModelLoadError, VerificationError
from ebmhw.verify.models import EndpointModel, Message, as_model
from ebmhw.verify.models.language_model import as_plain_text

ASK = [Message("user", "What is 27 + 15?")]
PROMPT = {"chat": ASK[0].content + ":", "completions": as_plain_text(ASK)}


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch):
    for name in (
        "EBMHW_API_KEY",
        "OPENAI_API_KEY",
        "http_proxy",
        "https_proxy",
        "all_proxy",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "no_proxy",
        "NO_PROXY",
    ):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("interface", ["chat", "completions"])
def test_the_official_client_understands_the_test_server(interface):
    openai = pytest.importorskip("openai")
    with model_server() as (url, _), openai.OpenAI(base_url=url, api_key="none", max_retries=0, timeout=20) as client:
        assert [model.id for model in client.models.list()] == ["bigram"]
        if interface == "chat":
            given = [{"role": "user", "content": ASK[0].content}]
            answer = client.chat.completions.create(model="bigram", messages=given, n=2, seed=5, temperature=1, max_tokens=30, logprobs=True)
            theirs = [(choice.message.content, sum(entry.logprob for entry in choice.logprobs.content)) for choice in answer.choices]
        else:
            answer = client.completions.create(model="bigram", prompt=PROMPT[interface], n=2, seed=5, temperature=1, max_tokens=30, logprobs=1)
            theirs = [(choice.text.strip(), sum(choice.logprobs.token_logprobs)) for choice in answer.choices]
        ours = EndpointModel(url, interface=interface).generate(ASK, n=2, seed=5, temperature=1, max_tokens=30)
    assert [one.text for one in ours] == [text for text, _ in theirs]
    assert [one.logprob for one in ours] == pytest.approx([logprob for _, logprob in theirs])


@pytest.mark.parametrize("interface", ["chat", "completions"])
def test_log_probabilities_are_those_of_the_model(interface):
    table = Bigram()
    with model_server() as (url, _):
        found = EndpointModel(url, interface=interface).generate(ASK, n=4, temperature=1, seed=3, max_tokens=12)
    whole = [one for one in found if one.finish == "length" and one.tokens == len(one.text) == 12]
    assert whole
    for one in whole:
        assert one.logprob == pytest.approx(table.logprob(PROMPT[interface], one.text))
    assert all(one.logprob < 0 and one.tokens <= 12 for one in found)


def test_chat_is_asked_where_it_is_there_and_completions_otherwise():
    with model_server() as (url, seen):
        EndpointModel(url, "bigram").generate(ASK, max_tokens=5)
        assert [path for path, _, _ in seen] == ["/v1/chat/completions"]
    with model_server("no chat") as (url, seen):
        model = EndpointModel(url, "bigram")
        for _ in range(2):
            assert model.generate(ASK, max_tokens=5)[0].finish == "length"
        # The second time it is known.
        assert [path for path, _, _ in seen] == ["/v1/completions", "/v1/completions"]
        assert seen[0][1]["prompt"] == "User: What is 27 + 15?\n\nAssistant:"
    with model_server("no chat", "no completions") as (url, _), pytest.raises(ModelError, match=r"404.*mostly ends in /v1"):
        EndpointModel(url, "bigram").generate(ASK)


@pytest.mark.parametrize("quirks", [(), ("one choice",), ("refuse n",)])
def test_n_answers_come_however_many_a_reply_holds(quirks):
    with model_server(*quirks) as (url, seen):
        found = EndpointModel(url).generate(ASK, n=4, temperature=1, seed=11, max_tokens=40)
    assert len(found) == 4 and len({one.text for one in found}) > 1
    posts = [body for path, body, _ in seen if path != "/v1/models"]
    assert len(posts) == {(): 1, ("one choice",): 4, ("refuse n",): 5}[quirks]
    assert len({body["seed"] for body in posts if "n" not in body or quirks != ("refuse n",)}) == (1 if not quirks else 4)


def test_the_same_seed_gives_the_same_answers():
    with model_server("one choice") as (url, _):
        model = EndpointModel(url)
        first, again, other = (model.generate(ASK, n=3, temperature=1, seed=seed, max_tokens=40) for seed in (1, 1, 99))
    assert first == again != other


@pytest.mark.parametrize("what", ["logprobs", "seed", "n", "max_tokens"])
@pytest.mark.parametrize("interface", ["chat", "completions"])
def test_what_the_endpoint_refuses_is_left_out_or_said_otherwise(what, interface):
    with model_server(f"refuse {what}") as (url, seen):
        model = EndpointModel(url, "bigram", interface=interface)
        (found,) = model.generate(ASK, seed=1, max_tokens=7)
        assert (found.logprob is None) == (what == "logprobs") and found.tokens == 7
        assert what in seen[0][1] and what not in seen[1][1] and len(seen) == 2
        if what == "max_tokens":
            assert seen[1][1]["max_completion_tokens"] == 7
        model.generate(ASK, max_tokens=7)
        assert what not in seen[2][1] and len(seen) == 3


def test_without_log_probabilities_there_are_none():
    with model_server("no logprobs") as (url, _):
        (found,) = EndpointModel(url).generate(ASK, max_tokens=9)
    assert found.logprob is None and found.tokens == 9


def test_the_model_is_the_only_one_or_has_to_be_named():
    with model_server() as (url, seen):
        model = as_model(url)
        assert model.name == url
        model.generate(ASK, max_tokens=3)
        assert model.name == f"{url}#bigram" and seen[-1][1]["model"] == "bigram"
    with model_server("two models") as (url, seen):
        with pytest.raises(ModelError, match=r"2 models \('bigram, trigram'\); name one: http.*#NAME"):
            as_model(url).generate(ASK)
        as_model(f"{url}#trigram").generate(ASK, max_tokens=3)
        assert seen[-1][1]["model"] == "trigram"


def test_a_busy_endpoint_is_asked_again():
    with model_server("busy 3") as (url, seen):
        assert EndpointModel(url, "bigram").generate(ASK, max_tokens=3)
        assert len(seen) == 4
    with model_server("busy 99") as (url, seen), pytest.raises(ModelError, match=r"503.*overloaded.*asked 5 times"):
        EndpointModel(url, "bigram").generate(ASK)
    assert len(seen) == 5


def test_the_key_comes_from_the_argument_or_the_environment_and_goes_to_its_own_host_only(monkeypatch):
    with model_server() as (url, seen):
        EndpointModel(url, "bigram", api_key="sk-argument").generate(ASK, max_tokens=9)
        monkeypatch.setenv("OPENAI_API_KEY", "sk-openai")
        EndpointModel(url, "bigram").generate(ASK, max_tokens=9)
        monkeypatch.setenv("EBMHW_API_KEY", "sk-environment")
        EndpointModel(url, "bigram").generate(ASK, max_tokens=9)
    assert [key for _, _, key in seen] == ["Bearer sk-argument", None, "Bearer sk-environment"]


def test_proxies_of_the_environment_are_not_used_for_this_machine(monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("all_proxy", "socks5://127.0.0.1:1")
    with model_server() as (url, _):
        assert EndpointModel(url).generate(ASK, max_tokens=9)
        assert EndpointModel(url.replace("127.0.0.1", "localhost")).generate(ASK, max_tokens=9)
    with pytest.raises(ModelError, match="connection was refused"):
        EndpointModel("http://model.test/v1", "m").generate(ASK, time_limit=10)
    monkeypatch.setenv("http_proxy", "socks5://127.0.0.1:1")
    with pytest.raises(ModelError, match=r"proxy that http_proxy or all_proxy names; name one at http://"):
        EndpointModel("http://model.test/v1", "m").generate(ASK, time_limit=10)


def test_a_proxy_forwards_requests_to_other_hosts(monkeypatch):
    with model_server() as (url, seen):
        # uvicorn takes the whole address as a proxy would, and answers itself.
        monkeypatch.setenv("http_proxy", url.removesuffix("/v1"))
        with pytest.raises(ModelError, match=r"status 404"):
            EndpointModel("http://model.test/none", "m").generate(ASK, time_limit=10)
        monkeypatch.setenv("no_proxy", "model.test")
        with pytest.raises(ModelError, match="no such host"):
            EndpointModel("http://model.test/none", "m").generate(ASK, time_limit=10)
    assert seen == []


@pytest.mark.parametrize(
    "url", ["", "ftp://x/v1", "http://", "http://x:0/v1", "http://x:99999/v1", "http://x/a b", "http://x\r\nH: v/v1", "http://ü/v1", "http://[::1/v1"]
)
def test_what_is_no_address_is_refused(url):
    with pytest.raises(ModelLoadError, match=r"no address of an endpoint; give one such as http://"):
        EndpointModel(url)


def test_secrets_are_not_shown():
    with pytest.raises(ModelLoadError, match="give api_key instead") as caught:
        EndpointModel("http://user:hidden@x/v1")
    assert "hidden" not in str(caught.value)
    for key in ("", "two words", "line\nend", "schlüssel"):
        with pytest.raises(ModelLoadError, match="give it as it was issued") as caught:
            EndpointModel("http://x/v1", api_key=key)
        assert not key or key not in str(caught.value)
    model = EndpointModel("http://x/v1?api-key=hidden#m", api_key="sk-hidden")
    assert repr(model) == "EndpointModel('http://x/v1#m')"
    with pytest.raises(ModelLoadError, match="'talk'; give 'chat', 'completions', or None"):
        EndpointModel("http://x/v1", interface="talk")


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("n", 0),
        ("n", 1.0),
        ("n", True),
        ("max_tokens", 0),
        ("temperature", -1),
        ("temperature", math.nan),
        ("seed", -1),
        ("seed", "x"),
        ("time_limit", -1),
    ],
)
def test_arguments_outside_their_range_are_refused(argument, value):
    with pytest.raises(VerificationError, match=argument):
        EndpointModel("http://127.0.0.1:1/v1", "m").generate(ASK, **{argument: value})


@pytest.mark.parametrize(
    ("messages", "text"),
    [
        ([], "no messages"),
        ([("narrator", "x")], "'narrator'"),
        ([("user", 1)], "holds int"),
        ([("user", "x"), ("assistant", "y")], "end with the user"),
    ],
)
def test_conversations_are_checked(messages, text):
    with pytest.raises(VerificationError, match=text):
        EndpointModel("http://127.0.0.1:1/v1", "m").generate(messages)
