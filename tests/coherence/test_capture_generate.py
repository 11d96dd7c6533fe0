"""Phi captured while transformers generates: token by token what the model alone says of the same ids, whatever shapes the choice."""

from __future__ import annotations

import copy
import threading
import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from capture_models import END, PAD, VOCABULARY, assert_judged, padded, tiny_model  # noqa: E402
from hypothesis import HealthCheck, given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

from ebmhw import get_backend  # noqa: E402
from ebmhw.coherence.capture import (  # noqa: E402
    PhiCapture,
    TokenPhi,
    attaching,
)
from ebmhw.coherence.capture.generating import Steps  # noqa: E402
from ebmhw.errors import InvalidTrace, NotSupported  # noqa: E402

CPU = get_backend("cpu", threads=1)
PROMPTS = [[5, 6, 7], [9, 8, 7, 6, 5], [4]]


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module", params=["llama", "gpt2"])
def model(request: pytest.FixtureRequest) -> Any:
    return tiny_model(request.param)


@pytest.fixture(scope="module")
def llama() -> Any:
    return tiny_model()


def captured(model: Any, prompts: list[list[int]], capture: PhiCapture | None = None, **given: Any) -> Any:
    capture = PhiCapture(backend=CPU) if capture is None else capture
    with capture.attached(model):
        out = model.generate(**padded(prompts), **({"max_new_tokens": 8, "do_sample": False, "pad_token_id": PAD} | given))
    call = capture.calls[-1]
    # generate's own answer, cut at what ends a row.
    ends = given.get("eos_token_id", END)
    ends = set(ends) if isinstance(ends, list) else {ends}
    for row, ids in enumerate(out[:, max(map(len, prompts)) :].tolist()):
        stop = next((at + 1 for at, token in enumerate(ids) if token in ends), len(ids))
        assert call.completion_ids[row] == ids[:stop]
    return call


SHAPERS = st.fixed_dictionaries(
    {},
    optional={
        "temperature": st.sampled_from([0.3, 1.7]),
        "top_k": st.sampled_from([2, 20]),
        "top_p": st.just(0.7),
        "repetition_penalty": st.sampled_from([0.6, 1.8]),
        "no_repeat_ngram_size": st.just(2),
        "min_new_tokens": st.just(4),
        "suppress_tokens": st.just([5, 7, 9]),
        "bad_words_ids": st.just([[11], [12, 13]]),
        "renormalize_logits": st.just(True),
    },
)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.lists(st.integers(4, VOCABULARY - 1), min_size=1, max_size=6), min_size=1, max_size=4),
    st.integers(1, 9),
    st.integers(1, 3),
    st.integers(0, 40),
    SHAPERS,
    st.integers(0, 999),
)
def test_capture_is_what_the_model_alone_says(
    model: Any, prompts: list[list[int]], tokens: int, copies: int, ends: int, shapers: dict[str, Any], seed: int
) -> None:
    torch.manual_seed(seed)
    shapers = {name: min(value, tokens) if name == "min_new_tokens" else value for name, value in shapers.items()}
    eos = [END, *range(20, 20 + ends)]
    call = captured(model, prompts, max_new_tokens=tokens, do_sample=True, num_return_sequences=copies, eos_token_id=eos, **shapers)
    assert call.complete and call.prompt_ids == [prompt for prompt in prompts for _ in range(copies)]
    assert_judged(model, call)


class _Late(Steps):  # type: ignore[misc]
    """The same with the logits of the step before: what pairs logits[t] with token t of one completion does."""

    _older: Any = None

    def finished(self, input_ids: Any, scores: Any, **given: Any) -> Any:
        self._older, self._logits = self._logits, self._logits if self._older is None else self._older
        return super().finished(input_ids, scores, **given)


class _Unmasked(Steps):  # type: ignore[misc]
    """The same without the prompt's mask: padding is taken for a part of the prompt."""

    def forward(self, module: Any, args: Any, kwargs: Any, output: Any) -> None:
        super().forward(module, args, {}, output)

    def process(self, input_ids: Any, scores: Any) -> Any:
        self._mask = None
        return super().process(input_ids, scores)


@pytest.mark.parametrize("planted", [_Late, _Unmasked])
def test_the_judge_notices_planted_faults(llama: Any, planted: type[Steps], monkeypatch: pytest.MonkeyPatch) -> None:
    assert_judged(llama, captured(llama, PROMPTS))
    monkeypatch.setattr(attaching, "Steps", planted)
    with pytest.raises(AssertionError):
        assert_judged(llama, captured(llama, PROMPTS))


def test_processors_of_others_and_passes_within_a_step_do_not_show(llama: Any) -> None:
    class Meddling(transformers.LogitsProcessor):  # type: ignore[misc]
        def __call__(self, input_ids: Any, scores: Any) -> Any:
            llama(input_ids=input_ids[:, :1])
            scores[:, ::2] = -torch.inf
            return scores

    call = captured(llama, PROMPTS, logits_processor=transformers.LogitsProcessorList([Meddling()]))
    assert all(token % 2 or token == PAD for ids in call.completion_ids for token in ids)
    assert_judged(llama, call)


def test_rows_end_where_criteria_of_others_end_them(llama: Any) -> None:
    class Third(transformers.StoppingCriteria):  # type: ignore[misc]
        def __call__(self, input_ids: Any, scores: Any, **_: Any) -> Any:
            return torch.tensor([row == 1 and input_ids.shape[1] == 5 + 3 for row in range(len(input_ids))])

    capture = PhiCapture(backend=CPU)
    with capture.attached(llama):
        llama.generate(**padded(PROMPTS), max_new_tokens=8, do_sample=False, min_new_tokens=8, stopping_criteria=[Third()], pad_token_id=PAD)
    assert [len(ids) for ids in capture.calls[-1].completion_ids] == [8, 3, 8]
    assert_judged(llama, capture.calls[-1])
    criterion = transformers.MaxTimeCriteria(0.0)
    assert [len(ids) for ids in captured(llama, PROMPTS, stopping_criteria=[criterion]).completion_ids] == [1, 1, 1]


def test_tokens_are_told_as_they_come(llama: Any) -> None:
    told: list[TokenPhi] = []
    call = captured(llama, PROMPTS, PhiCapture(backend=CPU, on_token=told.append, top_k=5))
    for row, trace in enumerate(call.traces):
        mine = [token for token in told if token.row == row]
        assert [token.position for token in mine] == list(range(trace.n_tokens)) and [token.token_id for token in mine] == call.completion_ids[row]
        assert [token.phi for token in mine] == trace.phi.tolist() and [token.prob for token in mine] == trace.selected_prob.tolist()
        assert trace.top_k_mass is not None and (trace.top_k_mass >= trace.selected_prob * (trace.selected_prob > 0.3) - 1e-3).all()
    assert [token.position for token in told] == sorted(token.position for token in told)


def test_no_logits_outlive_their_step(llama: Any) -> None:
    """Weak references to what the model returned: at each token only those of its own step are alive."""
    alive: list[Any] = []
    counts: list[int] = []
    hook = llama.register_forward_hook(lambda module, args, output: alive.append(weakref.ref(output.logits)))

    def look(_: TokenPhi) -> None:
        counts.append(sum(one() is not None for one in alive))

    try:
        capture = PhiCapture(backend=CPU, on_token=look)
        captured(llama, PROMPTS, capture)
    finally:
        hook.remove()
    assert max(counts) == 1 and len(alive) > 4 and not any(one() is not None for one in alive)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision(dtype: str) -> None:
    model = tiny_model(dtype=getattr(torch, dtype), scale=3.0)
    # Cache and batch round otherwise than a pass over all; the step by step logits themselves are measured exactly (test_capture_recording).
    assert_judged(model, captured(model, PROMPTS), tolerance=0.02)


def test_padded_vocabularies() -> None:
    model = tiny_model(vocabulary=256)
    call = captured(model, PROMPTS, PhiCapture(backend=CPU, vocab_size=200), suppress_tokens=list(range(200, 256)))
    for trace, prompt, ids in zip(call.traces, call.prompt_ids, call.completion_ids, strict=True):
        with torch.no_grad():
            rows = model(torch.tensor([prompt + ids])).logits[0, len(prompt) - 1 : -1, :200].double()
        p = rows.softmax(-1)
        assert trace.vocab_size == 200 and np.allclose(trace.phi, 1 + (p * p.log()).sum(-1).numpy() / np.log(200), atol=3e-4)


def test_several_calls_and_what_is_kept(llama: Any) -> None:
    capture = PhiCapture(backend=CPU, keep_calls=2)
    calls = [captured(llama, PROMPTS[:n], capture) for n in (1, 2, 3)]
    assert [len(call.traces) for call in capture.calls] == [2, 3]
    assert capture.traces_for(calls[2].completion_ids) == calls[2].traces
    assert capture.traces_for([[1, 2, 3]]) == [None]


@pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing. is deprecated:FutureWarning")  # peft 0.21 asks transformers 5.23
def test_a_model_within_peft() -> None:
    peft = pytest.importorskip("peft")
    model = tiny_model()
    wrapped = peft.get_peft_model(model, peft.LoraConfig(r=2, target_modules=["q_proj", "v_proj"], init_lora_weights=False, task_type="CAUSAL_LM"))
    before = wrapped.generate
    call = captured(wrapped.eval(), PROMPTS)
    assert_judged(wrapped, call)
    assert wrapped.generate == before and "generate" not in model.__dict__
    with wrapped.disable_adapter(), pytest.raises(AssertionError):
        assert_judged(wrapped, call)
    # Its wrapper, then the model itself: one model, one capture.
    with PhiCapture(backend=CPU).attached(wrapped), pytest.raises(NotSupported, match="has a capture already"):
        PhiCapture(backend=CPU).attach(model)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"num_beams": 3}, "num_beams is 3: beam search"),
        ({"num_beams": 2, "do_sample": True}, "num_beams is 2"),
        ({"generation_config": transformers.GenerationConfig(num_beams=4)}, "num_beams is 4"),
        ({"prompt_lookup_num_tokens": 2}, "prompt_lookup_num_tokens asks for another way"),
        ({"assistant_model": tiny_model()}, "assistant_model asks for another way"),
        ({"guidance_scale": 1.5}, "guidance_scale is 1.5"),
        ({"custom_generate": lambda *_, **__: None}, "custom_generate asks for"),
        ({"cache_implementation": "paged"}, "'paged'"),
    ],
)
def test_other_ways_to_generate_are_refused(llama: Any, given: dict[str, Any], said: str) -> None:
    capture = PhiCapture(backend=CPU)
    with capture.attached(llama), pytest.raises(NotSupported, match=said):
        llama.generate(**padded(PROMPTS), max_new_tokens=3, **given)
    assert not capture.calls and not llama._forward_hooks


def test_static_caches_chunks_and_no_cache(llama: Any) -> None:
    for options in ({"cache_implementation": "static"}, {"use_cache": False}, {"prefill_chunk_size": 2}):
        assert_judged(llama, captured(llama, PROMPTS, **options))


def test_return_dicts_positional_arguments_and_embeddings(llama: Any) -> None:
    capture = PhiCapture(backend=CPU)
    ids = torch.tensor([PROMPTS[0]])
    config = transformers.GenerationConfig(max_new_tokens=4, do_sample=False, pad_token_id=PAD)
    with capture.attached(llama):
        out = llama.generate(ids, config, return_dict_in_generate=True, output_logits=True)
        llama.generate(inputs_embeds=llama.get_input_embeddings()(ids), max_new_tokens=4, do_sample=False, pad_token_id=PAD)
    first, second = capture.calls
    assert out.sequences[0].tolist() == first.prompt_ids[0] + first.completion_ids[0] and len(out.logits) == first.traces[0].n_tokens
    assert_judged(llama, first)
    # Embeddings have no ids; the answer is the same.
    assert second.prompt_ids == [[]] and second.completion_ids == first.completion_ids
    assert np.allclose(second.traces[0].phi, first.traces[0].phi, atol=1e-5)


def test_a_failure_leaves_the_model_as_it_was_and_the_part_before_it(llama: Any) -> None:
    for error in (StopIteration, KeyboardInterrupt, ValueError):

        def stop(token: TokenPhi, error: type[BaseException] = error) -> None:
            if token.position == 3:
                raise error("enough")

        capture = PhiCapture(backend=CPU, on_token=stop)
        with pytest.raises(error, match="enough"), capture.attached(llama):
            llama.generate(**padded(PROMPTS), max_new_tokens=8, min_new_tokens=8, do_sample=False)
        (call,) = capture.calls
        assert not call.complete and [len(ids) for ids in call.completion_ids] == [4, 4, 4]
        assert_judged(llama, call)
        assert "generate" not in llama.__dict__ and not llama._forward_hooks
    # Before the first token there is no call.
    capture = PhiCapture(backend=CPU)
    with pytest.raises(ValueError, match="max_new_tokens"), capture.attached(llama):
        llama.generate(**padded(PROMPTS), max_new_tokens=-1)
    assert capture.calls == () and not llama._forward_hooks


def test_attaching(llama: Any) -> None:
    capture, other = PhiCapture(backend=CPU), PhiCapture(backend=CPU)
    with capture.attached(llama):
        for again in (capture, other):
            with pytest.raises(NotSupported, match="already"):
                again.attach(llama)
        assert llama.generate.__doc__ == type(llama).generate.__doc__
    capture.detach()
    assert llama.generate.__func__ is type(llama).generate
    for thing in (3, torch.nn.Linear(2, 2)):
        with pytest.raises(NotSupported, match="cannot be captured"):
            capture.attach(thing)
    # A generate that was put on the model before comes back; one put over the capture's stays, and the capture is out of it.
    mine = llama.generate
    llama.generate = mine
    with capture.attached(llama):
        pass
    assert llama.__dict__.pop("generate") is mine
    capture.attach(llama)
    inner = llama.generate
    llama.generate = lambda **given: inner(**given)
    capture.detach()
    llama.generate(**padded(PROMPTS), max_new_tokens=2, do_sample=False, pad_token_id=PAD)
    assert capture.calls == () and llama.__dict__.pop("generate") is not inner
    other.attach(llama)
    other.detach()


def test_a_copy_of_a_captured_model_generates_with_its_own_weights(llama: Any) -> None:
    capture = PhiCapture(backend=CPU)
    with capture.attached(llama):
        copied = copy.deepcopy(llama)
        assert copied.generate.__self__ is copied
        copied.generate(**padded(PROMPTS), max_new_tokens=2, do_sample=False, pad_token_id=PAD)
    assert capture.calls == ()


def test_one_call_at_a_time(llama: Any) -> None:
    entered, go = threading.Event(), threading.Event()

    def wait(_: TokenPhi) -> None:
        entered.set()
        assert go.wait(30)

    capture = PhiCapture(backend=CPU, on_token=wait)
    with capture.attached(llama):
        thread = threading.Thread(target=lambda: llama.generate(**padded(PROMPTS[:1]), max_new_tokens=2, do_sample=False, pad_token_id=PAD))
        thread.start()
        assert entered.wait(30)
        with pytest.raises(NotSupported, match="another thread, or within itself"):
            llama.generate(**padded(PROMPTS[:1]), max_new_tokens=2)
        go.set()
        thread.join(30)
        assert not thread.is_alive()
        llama.generate(**padded(PROMPTS[:1]), max_new_tokens=1, do_sample=False, pad_token_id=PAD)
    assert [call.complete for call in capture.calls] == [True, True]


def test_models_with_an_encoder_are_refused() -> None:
    config = transformers.T5Config(vocab_size=50, d_model=8, d_kv=4, d_ff=8, num_layers=1, num_heads=2, decoder_start_token_id=0)
    with pytest.raises(NotSupported, match="has an encoder"):
        PhiCapture(backend=CPU).attach(transformers.T5ForConditionalGeneration(config))


@pytest.mark.parametrize("name", ["top_k", "keep_calls", "vocab_size"])
def test_arguments_out_of_range(name: str) -> None:
    for value in (0, -1, 1.5, "a"):
        with pytest.raises(InvalidTrace, match=f"{name} of a capture is"):
            PhiCapture(**{name: value})
