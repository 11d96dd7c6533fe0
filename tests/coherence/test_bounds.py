"""Bounds of entropy by the likeliest entries: they hold for random distributions, and are attained."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ebmhw.coherence.bounds.interval import EntropyInterval, Interval
from ebmhw.coherence.bounds.trace import BoundedTrace
from ebmhw.errors import EbmhwError, InvalidTrace


def entropy(p: np.ndarray) -> float:
    return math.fsum(-x * math.log(x) for x in p.tolist() if x > 0)


@st.composite
def distributions(draw: st.DrawFn) -> np.ndarray:
    """Of 2 to 300 entries, descending: flat, peaked, with ties, with zeros."""
    size = draw(st.integers(2, 300))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    logits = rng.normal(0, rng.choice([0.0, 0.01, 1, 5, 30]), size)
    if draw(st.booleans()):
        logits = np.round(logits)
    p = np.exp(logits - logits.max())
    p[1:][rng.random(size - 1) < rng.choice([0, 0.5, 1.0])] = 0
    return np.sort(p / p.sum())[::-1]


@settings(max_examples=400)
@given(distributions(), st.integers(0, 300), st.booleans(), st.sampled_from([0.0, 1e-5, 1e-3]), st.integers(0, 2**32))
def test_the_entropy_is_within_its_bounds(p: np.ndarray, k: int, drawn_beyond: bool, tolerance: float, seed: int) -> None:
    rng, k = np.random.default_rng(seed), min(k, len(p))
    with np.errstate(divide="ignore"):
        logs = np.log(p)
    logs = np.minimum(logs + rng.uniform(-tolerance, tolerance, len(p)), 0.0)
    further = [int(rng.integers(k, len(p)))] if drawn_beyond and k < len(p) else []
    interval = EntropyInterval.of_top(rng.permutation(logs[:k]), len(p), further=logs[further], most=None if k else 0.0, tolerance=tolerance)
    true = entropy(p)
    assert interval.low <= true <= interval.high <= math.log(len(p)) + 1e-11
    phi = interval.phi(len(p))
    assert 0 <= phi.low <= 1 - true / math.log(len(p)) + 1e-12 and 1 - true / math.log(len(p)) <= phi.high <= 1 + 1e-9
    if k == len(p):
        assert interval.width < 1e-9 + 300 * tolerance * 10


@settings(max_examples=300)
@given(distributions(), st.integers(1, 300))
def test_the_bounds_are_attained(p: np.ndarray, k: int) -> None:
    k = min(k, len(p) - 1)
    assume(p[k - 1] > 1e-6)
    rest, n, cap = max(0.0, 1 - math.fsum(p[:k])), len(p) - k, p[k - 1]
    interval = EntropyInterval.of_top(np.log(p[:k]), len(p), tolerance=0)
    flat = np.concatenate([p[:k], np.full(n, rest / n)])
    assert interval.high == pytest.approx(entropy(flat), abs=1e-9)
    full = min(n, int(rest / cap))
    packed = np.concatenate([p[:k], np.full(full, cap), [max(0.0, rest - full * cap)] if full < n else []])
    assert interval.low == pytest.approx(entropy(packed), abs=1e-9)


@settings(max_examples=200)
@given(distributions(), st.integers(1, 300))
def test_they_are_within_those_of_the_simple_formula(p: np.ndarray, k: int) -> None:
    k = min(k, len(p) - 1)
    assume(p[k - 1] > 0)
    rest, known = 1 - math.fsum(p[:k]), entropy(p[:k])
    assume(rest > 1e-9)
    interval = EntropyInterval.of_top(np.log(p[:k]), len(p), tolerance=0)
    assert interval.low >= known - rest * math.log(p[k - 1]) - 1e-9
    assert interval.high == pytest.approx(known + rest * math.log((len(p) - k) / rest), abs=1e-8)


def test_the_least_entropy_is_found_among_all_of_a_grid() -> None:
    """Brute force in twelfths: three known, three others of at most the least known."""
    top = [Fraction(4, 12), Fraction(2, 12), Fraction(2, 12)]
    rest, cap = 4, 2
    splits = [(a, b, rest - a - b) for a in range(cap + 1) for b in range(cap + 1) if 0 <= rest - a - b <= cap]
    all_of_them = [entropy(np.array([float(x) for x in top] + [part / 12 for part in split])) for split in splits]
    interval = EntropyInterval.of_top([math.log(x) for x in top], 6, tolerance=0)
    assert interval.low == pytest.approx(min(all_of_them)) and interval.high >= max(all_of_them)


def test_bounds_of_one_entry_and_of_none() -> None:
    assert EntropyInterval.of_top([], 50) == (0, pytest.approx(math.log(50)))
    # Nothing is known of the others but their mass: all of it may be one entry's.
    free = EntropyInterval.of_top([], 50, further=[math.log(0.25)], tolerance=0)
    assert free.low == pytest.approx(entropy(np.array([0.25, 0.75])))
    bound = EntropyInterval.of_top([math.log(0.25)], 50, tolerance=0)
    assert bound.low == pytest.approx(math.log(4)) and bound.high == pytest.approx(free.high)


def test_rounding_beyond_a_sum_of_1_is_taken() -> None:
    logs = np.log(np.full(3, 1 / 3)) + 4e-6
    assert EntropyInterval.of_top(logs, 3) == (pytest.approx(math.log(3), abs=1e-4), pytest.approx(math.log(3)))
    assert EntropyInterval.of_top([1e-6], 9).low == 0
    short = np.log(np.array([0.6, 0.4], dtype=np.float16)).astype(np.float16).astype(float)
    with pytest.raises(InvalidTrace, match="tolerance"):
        EntropyInterval.of_top(short, 2)
    within = EntropyInterval.of_top(short, 2, tolerance=1e-3)
    assert within.low <= entropy(np.array([0.6, 0.4])) <= within.high


@pytest.mark.parametrize(
    ("top", "size", "options", "text"),
    [
        ([-0.1, -0.1], 50, {}, r"probabilities of 2 entries sum to 1.8096\d+; give each entry once"),
        ([-5.0, -5.0], 4, {}, r"leave 0.98652\d*, but 2 others of at most 0.0067\d* each hold"),
        ([-1.0] * 3, 2, {}, "3 log-probabilities are given for a vocabulary of 2"),
        ([0.1], 50, {}, r"top holds 0.1; the logarithm of a probability is at most 0"),
        ([math.nan], 50, {}, "top is .*; give log-probabilities"),
        (["-1"], 50, {}, "top is .*; give log-probabilities"),
        ([None], 50, {}, "top is .*; give log-probabilities"),
        ([-1.0], 1, {}, "vocab_size is 1; give the entries"),
        ([-1.0], None, {}, "vocab_size is None; give the entries"),
        ([-1.0], 10**30, {}, "vocabularies of up to"),
        ([-3.0], 50, {"further": [-1.0]}, "an entry beyond the top has log-probability -1, more than -3"),
        ([-1.0], 50, {"tolerance": -1}, "tolerance is -1; give nats from 0 to 1"),
        ([-1.0], 50, {"tolerance": "x"}, "tolerance is 'x'"),
        ([-1.0], 50, {"most": "x"}, "most is"),
        (-1.0, 50, {}, "top is -1.0"),
    ],
)
def test_what_no_distribution_has_is_refused(top: Any, size: Any, options: dict[str, Any], text: str) -> None:
    with pytest.raises(InvalidTrace, match=text):
        EntropyInterval.of_top(top, size, **options)


# --- traces of intervals


def trace(rng: np.random.Generator, tokens: int, k: int = 5, size: int = 60) -> tuple[BoundedTrace, np.ndarray, np.ndarray]:
    """A bounded trace, and phi and entropy as they are."""
    logits = rng.normal(0, 3, (tokens, size))
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    true = np.array([entropy(row) for row in p])
    intervals = [EntropyInterval.of_top(np.log(np.sort(row)[-k:]), size) for row in p]
    low, high = (np.array([one[i] for one in intervals]) for i in (0, 1))
    return BoundedTrace(low, high, p[:, 0], size), 1 - true / math.log(size), true


@settings(max_examples=60)
@given(st.integers(0, 2**32), st.integers(0, 30), st.integers(1, 60))
def test_measures_are_within_their_bounds(seed: int, tokens: int, k: int) -> None:
    ours, phi, true = trace(np.random.default_rng(seed), tokens, k)
    assert (ours.phi_low <= phi).all() and (phi <= ours.phi_high).all()
    delta = np.diff(phi)
    assert (ours.delta_phi_low <= delta).all() and (delta <= ours.delta_phi_high).all()
    for (least, most), count in ((ours.n_crystallizations, (delta > 0.03).sum()), (ours.n_meltings, (delta < -0.03).sum())):
        assert least <= count <= most
    means = ((ours.phi_mean, phi), (ours.entropy_mean, true), (ours.cloud_quality, phi * ours.selected_prob))
    for between, values in means:
        assert between is None if not tokens else between is not None and between.low <= values.mean() <= between.high
    middle = ours.middle()
    assert (np.abs(middle.phi - phi) <= (ours.phi_high - ours.phi_low) / 2 + 1e-9).all()
    assert BoundedTrace.from_dict(ours.to_dict()) == ours


def test_unknown_tokens_are_no_part_of_means() -> None:
    nan = math.nan
    ours = BoundedTrace([1.0, nan, 2.0], [1.5, nan, 2.0], [0.5, 0.5, nan], 50, ("a", "b", "c"), [1, -100, 2])  # type: ignore[arg-type]
    assert (
        ours.entropy_mean is not None
        and ours.entropy_mean == (pytest.approx(1.5), pytest.approx(1.75))
        and ours.surprisal_mean == pytest.approx(math.log(2))
    )
    assert np.isnan(ours.delta_phi_low).all() and ours.n_crystallizations == (0, 0)
    assert ours.to_dict()["phi_low"][1] is None and BoundedTrace.from_dict(ours.to_dict()) == ours
    unknown = BoundedTrace([nan], [nan], [nan], 50)  # type: ignore[arg-type]
    assert unknown.phi_mean is None and unknown.cloud_quality is None and unknown.surprisal_mean is None and "unknown" in repr(unknown)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"entropy_low": [2.0]}, "entropy of token 0 is 2 to 1.5; give the smaller bound first"),
        ({"entropy_high": [math.nan]}, "entropy of token 0 is 1 to nan"),
        ({"entropy_high": [9.0]}, r"entropy_high\[0\] of a trace is 9.0; give a number from 0 to 3.91"),
        ({"selected_prob": [1.5]}, r"selected_prob\[0\] of a trace is 1.5"),
        ({"selected_prob": []}, "selected_prob of a trace has 0 values, but entropy_low has 1"),
        ({"tokens": ("a", "b")}, "tokens of a trace has 2 values"),
        ({"tokens": (1,)}, "give texts"),
        ({"tokens": None}, "give texts"),
        ({"tokens": "a"}, "give texts"),
        ({"token_ids": [99]}, r"token_ids\[0\] of a trace is 99"),
        ({"vocab_size": 1}, "needs 2 entries or more"),
    ],
)
def test_what_is_no_bounded_trace(change: dict[str, Any], text: str) -> None:
    good: dict[str, Any] = {"entropy_low": [1.0], "entropy_high": [1.5], "selected_prob": [0.5], "vocab_size": 50}
    BoundedTrace(**good)
    with pytest.raises(InvalidTrace, match=text):
        BoundedTrace(**good | change)


MEMBERS = st.sampled_from(["entropy_low", "entropy_high", "selected_prob", "vocab_size", "tokens"])
ODD: st.SearchStrategy[Any] = st.none() | st.text(max_size=2) | st.lists(st.floats(), max_size=2) | st.integers()


@given(st.none() | st.text() | st.dictionaries(MEMBERS, ODD))
def test_odd_mappings_raise_typed_errors_only(odd: Any) -> None:
    try:
        BoundedTrace.from_dict(odd)
    except EbmhwError as error:
        assert str(error)


def test_intervals_tell_their_width_and_middle() -> None:
    assert Interval(0.25, 0.75).width == 0.5 and Interval(0.25, 0.75).middle == 0.5 and EntropyInterval(1, 3).width == 2
