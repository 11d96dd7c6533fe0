"""Given completions scored by one forward pass: the judge's figures, whatever the batch, the parts and the lengths."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from capture_models import VOCABULARY, assert_judged, tiny_model  # noqa: E402
from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

from ebmhw import get_backend  # noqa: E402
from ebmhw.coherence.capture import Captured, scoring  # noqa: E402
from ebmhw.coherence.capture.scoring import score_completions  # noqa: E402
from ebmhw.errors import InvalidTrace, ModelError  # noqa: E402

CPU = get_backend("cpu", threads=1)
MODELS = {kind: tiny_model(kind) for kind in ("llama", "gpt2")}
IDS = st.integers(0, VOCABULARY - 1)
ROWS = st.lists(st.tuples(st.lists(IDS, min_size=1, max_size=9), st.lists(IDS, max_size=9)), max_size=6)


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(sorted(MODELS)), ROWS, st.integers(1, 7), st.integers(1, 6))
def test_scores_are_what_the_model_says_of_each_row_alone(kind: str, rows: list[Any], batch: int, columns: int) -> None:
    """In parts of as few as one column, with the model's cache between them."""
    model, before = MODELS[kind], scoring._LOGIT_BYTES
    scoring._LOGIT_BYTES = 4 * VOCABULARY * columns * batch
    try:
        prompts, completions = [row[0] for row in rows], [row[1] for row in rows]
        traces = score_completions(model, prompts, completions, backend=CPU, batch=batch)
    finally:
        scoring._LOGIT_BYTES = before
    assert_judged(model, Captured(prompts, completions, traces))


def test_the_judge_notices_an_off_by_one() -> None:
    prompts, completions = [[5, 6, 7], [8, 9]], [[10, 11, 12], [13, 14, 15, 16]]
    traces = score_completions(MODELS["llama"], prompts, completions, backend=CPU)
    assert_judged(MODELS["llama"], Captured(prompts, completions, traces))
    # Output t with token t, not t + 1: a completion after one token less of its prompt.
    late = score_completions(MODELS["llama"], [prompt[:-1] for prompt in prompts], completions, backend=CPU)
    with pytest.raises(AssertionError):
        assert_judged(MODELS["llama"], Captured(prompts, completions, late))


def test_the_first_token_after_no_prompt_is_unknown() -> None:
    first, second = score_completions(MODELS["llama"], [[], []], [[5, 6, 7], []], backend=CPU)
    assert np.isnan(first.phi[0]) and np.isnan(first.selected_prob[0]) and not np.isnan(first.phi[1:]).any() and second.n_tokens == 0
    (whole,) = score_completions(MODELS["llama"], [[5]], [[6, 7]], backend=CPU)
    assert np.allclose(first.phi[1:], whole.phi, atol=1e-5) and first.phi_mean == pytest.approx(float(first.phi[1:].mean()))
    assert score_completions(MODELS["llama"], [], []) == []
    assert score_completions(MODELS["llama"], [[]], [[4]], backend=CPU)[0].phi_mean is None


def test_temperature_likeliest_tokens_and_padded_vocabularies() -> None:
    model, prompt, ids = MODELS["gpt2"], [4, 5], [6, 7, 210]
    with torch.no_grad():
        logits = model(torch.tensor([prompt + ids])).logits[0, 1:-1].double()
    for temperature, size in ((0.5, None), (3.0, 100), (1.0, 100)):
        (trace,) = score_completions(model, [prompt], [ids], backend=CPU, temperature=temperature, top_k=4, vocab_size=size)
        p = (logits[:, :size] / temperature).softmax(-1).numpy()
        assert trace.top_k_mass is not None and np.allclose(trace.top_k_mass, np.sort(p)[:, -4:].sum(axis=1), atol=2e-3)
        assert np.allclose(trace.phi, 1 + (p * np.log(np.maximum(p, 1e-300))).sum(axis=1) / np.log(p.shape[1]), atol=4e-4)
        assert np.allclose(trace.selected_prob[:2], p[[0, 1], ids[:2]], atol=2e-3) and np.isnan(trace.selected_prob[2]) == (size is not None)


def test_only_what_judges_a_token_goes_through_the_head() -> None:
    model, seen = MODELS["llama"], []
    hook = model.lm_head.register_forward_hook(lambda module, args, output: seen.append(tuple(output.shape[:2])))
    try:
        score_completions(model, [[4] * 30, [5] * 28], [[6] * 3, [7] * 5], backend=CPU)
    finally:
        hook.remove()
    # Outputs 27 to 31 of 33 judge a token of one row or the other.
    assert seen == [(2, 5)]


def test_training_mode_and_gradients_are_as_they_were() -> None:
    model = tiny_model("gpt2")
    model.train()
    model.transformer.h[0].eval()
    modes = [module.training for module in model.modules()]
    (trace,) = score_completions(model, [[4, 5]], [[6, 7]], backend=CPU)
    assert [module.training for module in model.modules()] == modes and all(weights.grad is None for weights in model.parameters())
    # Dropout was off.
    assert_judged(model.eval(), Captured([[4, 5]], [[6, 7]], [trace]))
    model.train()
    with pytest.raises(RuntimeError, match="broken"):
        hook = model.register_forward_hook(lambda *_: (_ for _ in ()).throw(RuntimeError("broken")))
        try:
            score_completions(model, [[4, 5]], [[6, 7]], backend=CPU)
        finally:
            hook.remove()
    assert model.training and torch.is_grad_enabled()


@pytest.mark.parametrize(
    ("prompts", "completions", "given", "error", "said"),
    [
        ([[1]], [], {}, InvalidTrace, "1 prompts and 0 completions"),
        ([[1]], [[VOCABULARY]], {}, InvalidTrace, f"the completion of row 0 holds {VOCABULARY}; give token ids from 0 to {VOCABULARY - 1}"),
        ([[1], [-100]], [[1], [1]], {}, InvalidTrace, "the prompt of row 1 holds -100"),
        ([[1]], [[1.5]], {}, InvalidTrace, "the completion of row 0 holds 1.5"),
        ([[1] * 90], [[1] * 7], {}, ModelError, "row 0 has 90 tokens of prompt and 7 of completion; the model holds 96"),
        ([[1]], [[1]], {"batch": 0}, InvalidTrace, "batch of a scoring is 0"),
        ([[1]], [[1]], {"temperature": 0}, InvalidTrace, "temperature of a scoring is 0"),
        ([[1]], [[1]], {"temperature": float("nan")}, InvalidTrace, "temperature of a scoring is nan"),
    ],
)
def test_bad_arguments(prompts: Any, completions: Any, given: dict[str, Any], error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        score_completions(MODELS["llama"], prompts, completions, backend=CPU, **given)


def test_rows_as_long_as_the_context_fit() -> None:
    (trace,) = score_completions(MODELS["gpt2"], [[1] * 90], [[2] * 6], backend=CPU)
    assert trace.n_tokens == 6
    with pytest.raises(ModelError, match="cannot score completions"):
        score_completions(3, [[1]], [[2]])


def test_ids_come_as_tensors_and_arrays() -> None:
    model = MODELS["llama"]
    (wanted,) = score_completions(model, [[1, 2]], [[3, 4]], backend=CPU)
    assert score_completions(model, [torch.tensor([1, 2])], torch.tensor([[3, 4]]), backend=CPU) == [wanted]
    assert score_completions(model, np.array([[1, 2]]), [np.array([3, 4])], backend="golden") == [wanted]


@pytest.mark.parametrize(
    ("prompts", "completions", "said"),
    [
        (None, None, "prompt_ids of a scoring are None; give a list"),
        ([[1]], 3, "completion_ids of a scoring are 3; give a list"),
        ("a", [[1]], "prompt_ids of a scoring are 'a'; give a list"),
        ([[1]], [None], "the completion of row 0 is None; give a list of its token ids"),
        ([3], [[1]], "the prompt of row 0 is 3; give a list of its token ids"),
        ([[1]], [torch.tensor(3)], "the completion of row 0 is .*; give a list of its token ids"),
    ],
)
def test_what_are_no_rows_is_refused(prompts: Any, completions: Any, said: str) -> None:
    with pytest.raises(InvalidTrace, match=said):
        score_completions(MODELS["llama"], prompts, completions, backend=CPU)
