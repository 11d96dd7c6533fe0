"""Responses of endpoints: what they tell of a distribution that is known in full, and everything that they may get wrong."""

from __future__ import annotations

import copy
import json
import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from response_cases import Case, Logprob

from ebmhw.coherence import responses
from ebmhw.coherence.bounds.trace import BoundedTrace
from ebmhw.coherence.responses import bounded_trace, read_chat, read_completion, read_prompt, read_response, read_tokens, read_vllm, trace_of
from ebmhw.errors import EbmhwError, InvalidTrace

CASES = st.builds(Case, st.integers(0, 2**32), st.integers(1, 6), st.sampled_from([2, 3, 8, 30, 200]), st.sampled_from([1, 2, 5, 20]))


def assert_within(trace: BoundedTrace, case: Case) -> None:
    assert trace.n_tokens == len(case.chosen)
    assert (trace.entropy_low <= case.entropy).all() and (case.entropy <= trace.entropy_high).all()
    assert trace.selected_prob == pytest.approx(case.selected_prob, rel=1e-4)
    assert trace.tokens == tuple(case.texts[i] for i in case.chosen)
    assert json.dumps(trace.to_dict(), allow_nan=False)


@settings(max_examples=80)
@given(CASES)
def test_the_entropy_is_within_what_each_form_tells(case: Case) -> None:
    openai = bounded_trace(case.chat("openai"), case.size, likeliest=True)
    for trace in (
        openai,
        bounded_trace(case.chat("openai"), case.size),
        bounded_trace(case.chat("vllm"), case.size),
        bounded_trace(case.chunks(), case.size, likeliest=True),
        bounded_trace(case.response(), case.size, likeliest=True),
        bounded_trace(case.completion(), case.size),
        trace_of(read_completion(case.completion(), requested=case.k), case.size),
    ):
        assert_within(trace, case)
        # Who knows more has no wider bounds, but for what the tolerance of each number adds; a token of a text of its own is found in its list.
        own = np.array([text != "t0" for text in trace.tokens])
        assert ((openai.entropy_high - openai.entropy_low) <= (trace.entropy_high - trace.entropy_low) + 1e-3)[own].all()
    assert bounded_trace(case.chunks(), case.size, likeliest=True) == bounded_trace(case.response(), case.size, likeliest=True) == openai


@settings(max_examples=100)
@given(CASES, st.sampled_from(["at least", "above"]), st.booleans())
def test_the_entropy_is_within_what_vllm_tells(case: Case, ranks: str, ranked: bool) -> None:
    rows = case.mappings(ranks)
    for row in rows:
        for one in row.values():
            one.rank = one.rank if ranked else None
    output = SimpleNamespace(
        outputs=[SimpleNamespace(logprobs=rows, token_ids=case.chosen.tolist())],
        prompt_logprobs=[None, *rows],
        prompt_token_ids=[0, *case.chosen.tolist()],
    )
    trace = bounded_trace(output, case.size)
    assert_within(trace, case)
    assert trace.token_ids is not None and trace.token_ids.tolist() == case.chosen.tolist()
    prompt = trace_of(read_prompt(output), case.size)
    assert np.isnan(prompt.entropy_low[0]) and np.array_equal(prompt.entropy_low[1:], trace.entropy_low)
    served = [None] + [{str(i): vars(one) for i, one in row.items()} for row in rows]
    for response in ({"choices": [{"prompt_logprobs": served}]}, {"prompt_logprobs": served, "choices": [{}]}):
        again = trace_of(read_prompt(json.loads(json.dumps(response))), case.size)
        assert np.array_equal(again.entropy_high, prompt.entropy_high, equal_nan=True) and again.token_ids is not None


def test_ranks_tell_more_than_lists() -> None:
    case = Case(3, 40, 200, 3)
    output = SimpleNamespace(outputs=[SimpleNamespace(logprobs=case.mappings(), token_ids=case.chosen.tolist())])
    ranked, listed = bounded_trace(output, case.size), bounded_trace(case.chat("vllm"), case.size)
    assert (ranked.entropy_low >= listed.entropy_low - 1e-6).all() and (ranked.entropy_low > listed.entropy_low + 0.01).any()


def test_a_list_taken_for_the_likeliest_that_is_not_breaks_the_bound() -> None:
    """The control: vLLM's cut lists, read as OpenAI's, claim too much for some token."""
    case = Case(3, 200, 200, 2)
    trace = bounded_trace(case.chat("vllm"), case.size)
    assert_within(trace, case)
    try:
        wrong = bounded_trace(case.chat("vllm"), case.size, likeliest=True)
    except InvalidTrace as error:
        assert "others of at most" in str(error)
    else:
        assert (wrong.entropy_low > case.entropy).any()


def test_how_many_were_requested_tells_whether_one_is_lost() -> None:
    case = Case(3, 40, 200, 5)
    case.texts = [f"t{i}" for i in range(200)]
    told, untold = (bounded_trace(case.completion(), case.size, requested=k) for k in (5, None))
    assert_within(told, case)
    assert (told.entropy_low >= untold.entropy_low).all() and (told.entropy_low > untold.entropy_low + 0.01).any()


# --- what is missing or wrong


def chat(change: Any = None) -> dict[str, Any]:
    response = Case(1, 5, 50, 5).chat("openai")
    if change is not None:
        change(response["choices"][0]["logprobs"]["content"])
    return response


def put(t: int, name: str, value: Any) -> Any:
    return lambda content: content[t].__setitem__(name, value)


def put_top(t: int, i: int, name: str, value: Any) -> Any:
    return lambda content: content[t]["top_logprobs"][i].__setitem__(name, value)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (put(3, "logprob", 0.5), r"choices\[0\].logprobs.content\[3\].logprob is 0.5; the logarithm of a probability is at most 0"),
        (put(3, "logprob", "x"), r"choices\[0\].logprobs.content\[3\].logprob is 'x', not a number"),
        (put(3, "logprob", True), r"content\[3\].logprob is True, not a number"),
        (put(3, "token", None), r"content\[3\] has no token"),
        (put(3, "token", 7), r"content\[3\].token is 7, not a text"),
        (put(3, "top_logprobs", 7), r"content\[3\].top_logprobs is 7, not a list"),
        (put(3, "top_logprobs", {"a": -1}), r"content\[3\].top_logprobs is .*, not a list"),
        (put_top(3, 2, "logprob", 1), r"content\[3\].top_logprobs\[2\].logprob is 1; the logarithm"),
        (put_top(3, 2, "token", {}), r"content\[3\].top_logprobs\[2\].token is {}, not a text"),
        (put_top(3, 2, "logprob", -0.001), r"choices\[0\].logprobs.content\[3\]: the probabilities of \d entries sum to"),
        (lambda content: content.__setitem__(3, None), r"content\[3\] has no token"),
        (lambda content: content[3].update(token="new", logprob=-0.001), r"content\[3\]: the token has log-probability -0.001 and is not listed"),
    ],
)
def test_errors_name_the_place(change: Any, text: str) -> None:
    with pytest.raises(InvalidTrace, match=text):
        bounded_trace(chat(change), 50)


@pytest.mark.parametrize(
    ("change", "known"),
    [
        (put(3, "logprob", None), (True, False)),
        (put(3, "logprob", math.nan), (True, False)),
        (put(3, "logprob", -9999.0), (True, False)),
        (put(3, "logprob", -math.inf), (True, False)),
        (put_top(3, 2, "logprob", None), (False, True)),
        (put_top(3, 2, "logprob", math.nan), (False, True)),
        (put(3, "top_logprobs", []), (True, True)),
        (put(3, "top_logprobs", None), (True, True)),
        (lambda content: content[3].update(top_logprobs=[], logprob=None), (False, False)),
    ],
)
def test_what_is_not_told_is_unknown_for_that_token(change: Any, known: tuple[bool, bool]) -> None:
    trace = bounded_trace(chat(change), 50)
    assert (not np.isnan(trace.entropy_low[3]), not np.isnan(trace.selected_prob[3])) == known
    assert not np.isnan(np.delete(trace.entropy_low, 3)).any() and trace.phi_mean is not None and trace.cloud_quality is not None
    case = Case(1, 5, 50, 5)
    assert not known[0] or trace.entropy_low[3] <= case.entropy[3] <= trace.entropy_high[3]


def test_very_unlikely_entries_bound_nothing() -> None:
    def masked(content: list[dict[str, Any]]) -> None:
        content[0].update(token="a", logprob=math.log(0.5))
        content[0]["top_logprobs"] = [
            {"token": "a", "logprob": math.log(0.5)},
            {"token": "b", "logprob": math.log(0.5)},
            {"token": "c", "logprob": -9999.0},
        ]

    trace = bounded_trace(chat(masked), 50)
    assert trace.entropy_low[0] == pytest.approx(math.log(2), abs=1e-3) and trace.entropy_high[0] == pytest.approx(math.log(2), abs=1e-3)


@pytest.mark.parametrize(
    ("response", "text"),
    [
        ({"choices": [{"index": 0, "message": {}, "logprobs": None}]}, r"choices\[0\].logprobs is null; ask for logprobs=True and top_logprobs=20"),
        ({"choices": [{"index": 0, "message": {}}]}, "ask for logprobs=True"),
        ({"choices": [{"text": "x", "logprobs": None}]}, r"choices\[0\].logprobs is null; ask for logprobs=5"),
        ({"choices": []}, r"choices\[0\] is not there, choices has 0"),
        ({"choices": 5}, "choices is 5, not a list"),
        ({"choices": [5]}, "ask for logprobs=True"),
        ({"choices": [{"logprobs": {"content": 5}}]}, r"choices\[0\].logprobs.content is 5, not a list"),
        ({"choices": [{"logprobs": {"tokens": ["a"], "token_logprobs": []}}]}, "has 1 tokens, 0 token_logprobs and 1 top_logprobs"),
        ({"choices": [{"logprobs": {"tokens": ["a"], "token_logprobs": [-1], "top_logprobs": [5]}}]}, r"top_logprobs\[0\] is 5, not a mapping"),
        ({"output": []}, "output has no message with a text"),
        ({"output": [{"type": "message", "content": [{"type": "output_text", "text": "x", "logprobs": []}]}]}, "ask for include="),
        ({"outputs": [{"token_ids": [1]}]}, r"outputs\[0\].logprobs is None; ask for SamplingParams"),
        ({"outputs": [{"token_ids": [1, 2], "logprobs": [{}]}]}, "has 1 tokens, but there are 2 token ids"),
        ({"outputs": [{"token_ids": [1], "logprobs": [{"x": {}}]}]}, "'x' is no token id"),
        ({"outputs": [{"token_ids": [1], "logprobs": [{1: {"logprob": -1, "rank": 0}}]}]}, "rank is 0; ranks are"),
        ({"outputs": [{"token_ids": [1], "logprobs": [{1: {"logprob": -1}, "1": {"logprob": -1}}]}]}, "has a token id twice"),
        ({"outputs": [{"token_ids": [1], "logprobs": [[1]]}]}, "not a mapping of token ids"),
        ({}, "is no response with log-probabilities"),
        (None, "is no response with log-probabilities"),
        ("text", "is no response with log-probabilities"),
        ([{"choices": []}], "no chunk of the stream has log-probabilities"),
    ],
)
def test_other_schemas_are_refused(response: Any, text: str) -> None:
    with pytest.raises(InvalidTrace, match=text):
        bounded_trace(response, 50)


def test_choices_sizes_and_prompts_that_are_not_there() -> None:
    for choice in (1, -1, "0", None, True):
        with pytest.raises(InvalidTrace, match=r"is not there, choices has 1; give choice="):
            read_chat(chat(), choice)  # type: ignore[arg-type]
    for size in (1, None, "50", 3):
        with pytest.raises(InvalidTrace, match="vocab"):
            bounded_trace(chat(), size)  # type: ignore[arg-type]
    for requested in (-1, 1.5, "5"):
        with pytest.raises(InvalidTrace, match="requested is"):
            read_completion(Case(1, 5, 50, 5).completion(), requested=requested)  # type: ignore[arg-type]
    with pytest.raises(InvalidTrace, match="prompt_logprobs is None; ask for"):
        read_prompt(chat())
    assert read_tokens([]) == [] and bounded_trace([], 50).phi_mean is None


def test_the_first_token_of_an_echoed_prompt_is_unknown() -> None:
    response = Case(1, 3, 50, 5).completion()
    logprobs = response["choices"][0]["logprobs"]
    logprobs["token_logprobs"][0] = logprobs["top_logprobs"][0] = None
    trace = bounded_trace(response, 50)
    assert np.isnan(trace.entropy_low).tolist() == np.isnan(trace.selected_prob).tolist() == [True, False, False]


JUNK: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-5, 5), st.just(10**400), st.floats(), st.text(max_size=3)),
    lambda one: st.lists(one, max_size=3) | st.dictionaries(st.sampled_from(["logprob", "token", "rank", "0", "7", "content"]), one, max_size=3),
    max_leaves=6,
)


def paths(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [path, *(deeper for key, value in inner for deeper in paths(value, (*path, key)))]


class Raising:
    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(name)


@settings(max_examples=120)
@given(st.data(), JUNK)
def test_junk_anywhere_raises_typed_errors_only(data: st.DataObject, junk: Any) -> None:
    case = Case(2, 2, 20, 2)
    served = [{str(i): vars(one) for i, one in row.items()} for row in case.mappings()]
    form = data.draw(st.sampled_from(["chat", "chunks", "completion", "response", "vllm"]))
    vllm = {"outputs": [{"logprobs": served, "token_ids": case.chosen.tolist()}], "prompt_logprobs": served}
    response = copy.deepcopy(
        {"chat": case.chat("vllm"), "chunks": case.chunks(), "completion": case.completion(), "response": case.response(), "vllm": vllm}[form]
    )
    path = data.draw(st.sampled_from(paths(response)))
    if path:
        node: Any = response
        for key in path[:-1]:
            node = node[key]
        node[path[-1]] = junk
    else:
        response = junk
    for read in (read_tokens, read_chat, read_completion, read_response, read_vllm, read_prompt):
        try:
            trace = trace_of(read(response), 20)
        except EbmhwError as error:
            assert len(str(error)) < 1000
        else:
            assert json.dumps(trace.to_dict(), allow_nan=False)


def test_objects_that_raise_are_refused() -> None:
    with pytest.raises(InvalidTrace, match="cannot be read"):
        read_tokens(Raising())
    row = {3: Logprob(-1.0, 1, "x"), 4: Raising()}
    with pytest.raises(InvalidTrace, match="cannot be read"):
        read_vllm(SimpleNamespace(outputs=[SimpleNamespace(logprobs=[row], token_ids=[3])]))


def test_every_public_name_resolves() -> None:
    for name in responses.__all__:
        assert getattr(responses, name) is not None


@pytest.mark.parametrize("order", [("x", "y", "z"), ("x", "z", "y"), ("z", "y", "x")])
def test_at_a_tie_the_drawn_token_may_have_been_added(order: tuple[str, ...]) -> None:
    # Three likely tokens were asked for: "x" twice, which fall together, and "y"; "z", as likely as "y", was drawn.
    p = {"x": 0.2, "y": 0.001, "z": 0.001}
    likely = [0.2, 0.2, 0.001, 0.001] + [0.598 / 996] * 996
    entropy = -sum(q * math.log(q) for q in likely)
    logprobs = {"tokens": ["z"], "token_logprobs": [math.log(p["z"])], "top_logprobs": [{text: math.log(p[text]) for text in order}]}
    trace = bounded_trace({"choices": [{"text": "z", "logprobs": logprobs}]}, 1000, requested=3)
    assert trace.entropy_low[0] <= entropy <= trace.entropy_high[0]
