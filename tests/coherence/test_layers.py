"""Layers: cosines between neighbours and entropies of attention, against loops."""

from __future__ import annotations

import contextlib
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ebmhw.backends import get_backend
from ebmhw.coherence import CoherenceProbe
from ebmhw.errors import EbmhwError, InvalidTrace

BACKEND = get_backend("cpu", threads=1)


def probe() -> CoherenceProbe:
    return CoherenceProbe(20, backend=BACKEND)


def cosine(a: list[float], b: list[float]) -> float | None:
    if not all(map(math.isfinite, [*a, *b])) or not any(a) or not any(b):
        return None
    return math.fsum(x * y for x, y in zip(a, b, strict=True)) / math.hypot(*a) / math.hypot(*b)


@settings(max_examples=50)
@given(st.integers(0, 2**32), st.integers(1, 6), st.integers(2, 5), st.sampled_from([np.float16, np.float32, np.float64]))
def test_cosines_and_entropies_are_those_of_loops(seed: int, tokens: int, layers: int, form: Any) -> None:
    rng = np.random.default_rng(seed)
    states = [rng.normal(0, 1, (tokens, 7)).astype(form) for _ in range(layers)]
    states[0][rng.integers(tokens)] = rng.choice([0.0, np.nan, np.inf])
    weights = rng.random((layers, 2, tokens, 5)) * (rng.random((layers, 2, tokens, 5)) < 0.7)
    logits, ids = rng.normal(0, 3, (tokens, 20)), rng.integers(0, 20, tokens)
    traced = probe().measure_multi_layer(states, logits, ids, include_attention_entropy=True, attentions=list(weights))
    assert traced.final == probe().measure_trace(logits, ids) and traced.n_layers == layers - 1
    for i, ours in enumerate(traced.layer_residual_cos):
        pairs = zip(states[i].astype(float).tolist(), states[i + 1].astype(float).tolist(), strict=True)
        known = [c for a, b in pairs if (c := cosine(a, b)) is not None]
        assert ours == (pytest.approx(math.fsum(known) / len(known)) if known else None)
    known = [c for c in traced.layer_residual_cos if c is not None]
    assert traced.residual_min == (min(known) if known else None)
    assert traced.residual_mean == (pytest.approx(sum(known) / len(known)) if known else None)
    assert traced.residual_trajectory == traced.layer_residual_cos and traced.layer_attention_entropy is not None
    for layer, ours in zip(weights, traced.layer_attention_entropy, strict=True):
        entropies = [-sum(p * math.log(p) for p in row / row.sum() if p > 0) for row in layer.reshape(-1, 5) if row.sum() > 0]
        assert ours == (pytest.approx(sum(entropies) / len(entropies)) if entropies else None)


def test_a_batch_of_one_and_no_attentions() -> None:
    states = tuple(np.ones((1, 2, 4)) for _ in range(3))
    traced = probe().measure_multi_layer(states, np.zeros((2, 20)), [1, 2])
    assert traced.layer_residual_cos == [pytest.approx(1)] * 2 and traced.layer_attention_entropy is None
    assert probe().measure_multi_layer(states, np.zeros((2, 20)), [1, 2], attentions=[np.ones((2, 2))]).layer_attention_entropy is None


def test_weights_whose_sum_is_beyond_float64() -> None:
    states, weights = [np.ones((2, 4))] * 2, np.full((2, 2), 1.7e308)
    traced = probe().measure_multi_layer(states, np.zeros((2, 20)), [1, 2], include_attention_entropy=True, attentions=[weights])
    assert traced.layer_attention_entropy == [pytest.approx(math.log(2))]


@pytest.mark.parametrize(
    ("states", "attentions", "text"),
    [
        ([np.ones((2, 4))], None, "hold 1 layers; give two or more"),
        (np.ones((3, 2, 4)), None, "hidden_states are a ndarray; give a list or tuple"),
        ([np.ones((2, 4)), np.ones((3, 4))], None, r"hidden_states\[1\] has shape \(3, 4\); the trace has 2 tokens"),
        ([np.ones((2, 4)), np.ones((2, 5))], None, r"hidden_states\[1\] has shape \(2, 5\), but the first has \(2, 4\)"),
        ([np.ones((2, 4)), "abc"], None, r"hidden_states\[1\] is 'abc'; give an array of numbers"),
        ([np.ones((2, 4)), [["1"] * 4] * 2], None, r"hidden_states\[1\] is .*; give an array of numbers"),
        ([np.ones((2, 4)), [[10**400] * 4] * 2], None, r"hidden_states\[1\] is .*; give an array of numbers"),
        ([np.ones((2, 4))] * 2, [np.ones(3)], r"attentions\[0\] has shape \(3,\)"),
        ([np.ones((2, 4))] * 2, [-np.ones((3, 3))], r"attentions\[0\] holds -1.0; weights are 0 or more"),
        ([np.ones((2, 4))] * 2, {}, "attentions are a dict"),
    ],
)
def test_what_are_no_layers(states: Any, attentions: Any, text: str) -> None:
    with pytest.raises(InvalidTrace, match=text):
        probe().measure_multi_layer(states, np.zeros((2, 20)), [1, 2], include_attention_entropy=True, attentions=attentions)


@given(
    st.one_of(
        st.none(),
        st.integers(),
        st.text(max_size=3),
        st.lists(st.one_of(st.none(), st.just(np.full((2, 3), np.inf)), st.just(np.zeros((2, 0))), st.just(1j)), max_size=3),
    )
)
def test_odd_layers_raise_typed_errors_only(states: Any) -> None:
    for arguments in ((states, None), ([np.ones((2, 3))] * 2, states)):
        with contextlib.suppress(EbmhwError):
            probe().measure_multi_layer(arguments[0], np.zeros((2, 20)), [1, 2], include_attention_entropy=True, attentions=arguments[1])
