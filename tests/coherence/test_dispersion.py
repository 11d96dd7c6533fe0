"""The dispersion index: its tests hold their level, noise of any kind has none, order has; negative controls fail."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from math import exp, log

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ebmhw
from ebmhw.coherence.order.index import FROZEN, dispersion, dispersion_index, dispersion_of, index_of_dispersion
from ebmhw.coherence.order.ngrams import distinct
from ebmhw.coherence.order.regimes import REGIMES, regime, regime_of
from ebmhw.coherence.order.uniformity import collision_p, collisions, knowledge_p, rank_p, uniform_p
from ebmhw.coherence.trace import CoherenceTrace
from ebmhw.errors import InvalidTrace

Rows = Callable[[np.random.Generator, int, int], npt.NDArray[np.floating]]

SIZE, TOKENS = 2000, 64


def scaled(scale: float) -> Rows:
    return lambda rng, count, size: rng.standard_normal((count, size)) * scale


def with_margin(rng: np.random.Generator, count: int, size: int) -> npt.NDArray[np.floating]:
    logits = rng.standard_normal((count, size))
    logits[np.arange(count), rng.integers(0, size, count)] += 9
    return logits


NOISE: dict[str, Rows] = {
    "uniform": scaled(0),
    "normal .3": scaled(0.3),
    "normal 2": scaled(2),
    "normal 5": scaled(5),
    "normal 30": scaled(30),
    "Laplace": lambda rng, count, size: rng.laplace(0, 1.5, (count, size)),
    "Student": lambda rng, count, size: rng.standard_t(2, (count, size)),
    "temperatures": lambda rng, count, size: rng.standard_normal((count, size)) * np.exp(rng.uniform(-1, 3, (count, 1))),
    "margin": with_margin,
}


def traced(logits: npt.NDArray[np.floating], ids: npt.NDArray[np.int64]) -> CoherenceTrace:
    return CoherenceTrace.from_logits(logits.astype(np.float32), ids, backend=ebmhw.get_backend("cpu", threads=1))


def draw(rng: np.random.Generator, logits: npt.NDArray[np.floating]) -> npt.NDArray[np.int64]:
    return (logits + rng.gumbel(size=logits.shape)).argmax(axis=1)


def zipf(rng: np.random.Generator, count: int, size: int = SIZE) -> npt.NDArray[np.int64]:
    return (size ** rng.random(count)).astype(np.int64) - 1


def spoken(rng: np.random.Generator, count: int = TOKENS, size: int = SIZE) -> CoherenceTrace:
    """A model's words, as far as numbers go: Zipf's tokens, each likely where it stands, by margins that vary."""
    logits, ids = rng.standard_normal((count, size)), zipf(rng, count, size)
    logits[np.arange(count), ids] += rng.uniform(4, 16, count)
    return traced(logits, draw(rng, logits))


# --- the parts


@settings(max_examples=40)
@given(st.lists(st.integers(0, 12), max_size=40))
def test_collisions_are_pairs_of_equal_tokens(ids: list[int]) -> None:
    assert collisions(np.array(ids, dtype=np.int64)) == sum(a == b for a, b in combinations(ids, 2))


@settings(max_examples=60)
@given(st.lists(st.integers(-1, 3), max_size=40), st.integers(1, 5))
def test_distinct_counts_runs(ids: list[int], order: int) -> None:
    runs = [tuple(ids[at : at + order]) for at in range(len(ids) - order + 1)]
    known = [run for run in runs if min(run) >= 0]
    expected = None if len(known) < 2 else (len(set(known)) - 1) / (len(known) - 1)
    assert distinct(np.array(ids, dtype=np.int64), order=order) == expected


def test_distinct_is_a_share_of_what_a_small_vocabulary_allows() -> None:
    # Every run of four bits occurs.
    ids = np.random.default_rng(1).integers(0, 2, 1000)
    assert distinct(ids, 2) == 1 and distinct(ids) == pytest.approx(15 / 996)
    assert distinct(np.zeros(50, dtype=np.int64), 2) == 0


@pytest.mark.parametrize(("size", "count"), [(2, 64), (50, 64), (256, 16), (1000, 256), (32_000, 64), (32_000, 1000), (151_936, 16)])
def test_both_tests_hold_their_level(size: int, count: int) -> None:
    rng = np.random.default_rng([size, count])
    texts = rng.integers(0, size, (600, count))
    for test in (collision_p, rank_p, uniform_p):
        p = np.array([test(text, size) for text in texts])
        for level in (0.01, 0.1):
            # Five standard deviations of a binomial share above the level, and a fifth of it for the approximation.
            assert (p <= level).mean() <= 1.2 * level + 5 * np.sqrt(level / len(texts)), (test, level)


def test_the_level_is_that_of_a_test_and_not_of_one_that_always_says_yes() -> None:
    # The other side of the test above: p-values are as small as they should be, not always 1; and text is found out.
    rng = np.random.default_rng(5)
    for test in (collision_p, rank_p):
        p = np.array([test(text, 1000) for text in rng.integers(0, 1000, (1000, 200))])
        assert (p <= 0.1).mean() > 0.05
        assert max(test(zipf(rng, 64, 32_000), 32_000) for _ in range(50)) < 1e-4


def test_collisions_alone_tell_text_whose_ids_mean_nothing() -> None:
    rng = np.random.default_rng(6)
    shuffled = rng.permutation(32_000)
    p = [uniform_p(shuffled[zipf(rng, 64, 32_000)], 32_000) for _ in range(50)]
    assert max(p) < 1e-4


@settings(max_examples=40)
@given(st.integers(0, 2**32), st.floats(0.1, 30), st.integers(1, 40))
def test_knowledge_is_a_bound(seed: int, scale: float, count: int) -> None:
    """Over all permutations of a row, the mean of V p is 1: Markov's inequality needs no more."""
    rng = np.random.default_rng(seed)
    logits = rng.standard_normal((count, 50)) * scale
    logp = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
    assert np.exp(logp).mean(axis=1) * 50 == pytest.approx(np.ones(count))
    ids = rng.integers(0, 50, count)
    surprisal = -logp[np.arange(count), ids]
    assert knowledge_p(surprisal, 50) == pytest.approx(exp(min(0.0, surprisal.sum() - count * log(50))))


def test_strong_noise_has_the_index_of_dispersion_that_theory_gives() -> None:
    from scipy.integrate import quad

    def coin(gap: float) -> float:
        p = 1 / (1 + exp(gap))
        return -p * log(p) - (1 - p) * log(1 - p)

    assert quad(lambda gap: coin(gap) ** 2, 0, 30)[0] / quad(coin, 0, 30)[0] == pytest.approx(FROZEN, rel=1e-6)
    rng = np.random.default_rng(2)
    logits = rng.standard_normal((4000, 500)) * 60
    logp = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
    assert index_of_dispersion(-(np.exp(logp) * logp).sum(axis=1)) == pytest.approx(FROZEN, rel=0.15)


# --- the index


@pytest.mark.parametrize("name", NOISE)
def test_noise_has_no_index(name: str) -> None:
    rng = np.random.default_rng([7, *name.encode()])
    for count in (16, TOKENS):
        for way in range(6):
            logits = NOISE[name](rng, count, SIZE)
            # Drawn, likeliest, or a text that was there before; ties of uniform logits are one token, and a text like any.
            ids = (draw(rng, logits), logits.argmax(axis=1), zipf(rng, count))[way % 3]
            trace = traced(logits, ids)
            # Weak noise may by luck know a little of 16 tokens; .02 is a tenth of what a model at temperature 1.5 has.
            assert dispersion_index(trace) <= 0.02, (count, way)
            if name not in {"uniform", "normal .3"}:
                assert regime(trace) == "noise"


def test_what_only_looks_at_certainty_cannot_tell_and_the_index_can() -> None:
    """Rows of a model with their vocabulary permuted: the old measures are the same, bit by bit; the index falls to 0."""
    rng = np.random.default_rng(8)
    for _ in range(5):
        logits, ids = rng.standard_normal((TOKENS, SIZE)).astype(np.float32), zipf(rng, TOKENS)
        logits[np.arange(TOKENS), ids] += rng.uniform(4, 16, TOKENS).astype(np.float32)
        orders = np.array([rng.permutation(SIZE) for _ in range(TOKENS)])
        model = traced(logits, ids)
        noise = traced(np.take_along_axis(logits, orders, axis=1), (orders == ids[:, None]).argmax(axis=1))
        assert noise.carl_reward() == model.carl_reward() and noise.kuramoto_R() == model.kuramoto_R()
        assert index_of_dispersion(noise.entropy) == index_of_dispersion(model.entropy)
        assert dispersion_index(model) > 0.5 and dispersion_index(noise) == 0
        assert regime(model) == "ordered" and regime(noise) == "noise"


def separation(measure: Callable[[CoherenceTrace], float | None]) -> float:
    """The probability that a model's trace has more than one of noise, over noise of all kinds."""
    rng = np.random.default_rng(9)
    models = [measure(spoken(rng)) for _ in range(12)]
    noise = []
    for rows in NOISE.values():
        logits = rows(rng, TOKENS, SIZE)
        noise.append(measure(traced(logits, draw(rng, logits))))
    return float(np.mean([[(a > b) + (a == b) / 2 for b in noise] for a in models]))


def test_the_index_separates_and_the_old_measures_do_not() -> None:
    assert separation(dispersion_index) == 1
    assert separation(CoherenceTrace.carl_reward) < 0.8
    assert separation(CoherenceTrace.kuramoto_R) < 0.5


def test_separation_fails_for_a_constant_and_for_the_index_of_shuffled_tokens() -> None:
    rng = np.random.default_rng(10)

    def shuffled(trace: CoherenceTrace) -> float | None:
        found = dispersion_of(trace.entropy, trace.selected_prob, rng.integers(0, trace.vocab_size, trace.n_tokens), trace.vocab_size)
        return None if found is None else found.index

    assert separation(lambda trace: 0.3) == 0.5
    assert separation(shuffled) == 0.5


def test_peaked_collapsed_and_looping() -> None:
    rng = np.random.default_rng(11)
    flat = np.zeros((TOKENS, SIZE))
    for ids in (zipf(rng, TOKENS), rng.integers(0, SIZE, TOKENS)):
        peaked = flat.copy()
        peaked[np.arange(TOKENS), ids] = 20
        assert regime(traced(peaked, ids)) == "peaked" and dispersion_index(traced(peaked, ids)) < 0.01
    same = np.tile(rng.standard_normal(SIZE) * 4, (TOKENS, 1))
    found = traced(same, draw(rng, same))
    assert regime(found) == "collapsed" and dispersion_index(found) == 0
    one = traced(rng.standard_normal((TOKENS, SIZE)) * 5, np.full(TOKENS, 3))
    assert regime(one) == "collapsed" and dispersion_index(one) == 0
    loop = np.tile(zipf(rng, 5), 13)[:TOKENS]
    logits = rng.standard_normal((TOKENS, SIZE))
    logits[np.arange(TOKENS), loop] += rng.uniform(10, 16, TOKENS)
    looping = dispersion(traced(logits, loop))
    assert looping is not None and regime_of(looping) == "collapsed"
    assert looping.index == looping.distinct == pytest.approx(4 / 60) and looping.weakest == "distinct"


def test_more_heat_means_less_index() -> None:
    rng = np.random.default_rng(12)
    logits, ids = rng.standard_normal((TOKENS, SIZE)), zipf(rng, TOKENS)
    logits[np.arange(TOKENS), ids] += rng.uniform(6, 16, TOKENS)
    found = []
    for temperature in (1, 2, 4, 30):
        heated = logits / temperature
        found.append(dispersion_index(traced(heated, draw(rng, heated))))
    assert found == sorted(found, reverse=True) and found[0] > 0.6 and found[-1] < 0.02


@settings(max_examples=60)
@given(st.data())
def test_any_trace_has_an_index_from_0_to_1_or_none(data: st.DataObject) -> None:
    size = data.draw(st.sampled_from([2, 3, 257, 50_000]))
    count = data.draw(st.integers(0, 40))
    unknown = st.none() | st.just(float("nan"))
    entropy = data.draw(st.lists(st.floats(0, log(size)) | unknown, min_size=count, max_size=count))
    chosen = data.draw(st.lists(st.floats(0, 1) | unknown, min_size=count, max_size=count))
    ids = np.array(data.draw(st.lists(st.integers(0, size - 1) | st.just(-100), min_size=count, max_size=count)), dtype=np.int64)
    found = dispersion_of(entropy, chosen, ids, size)
    known = sum(i >= 0 and h is not None and h == h and p is not None and p == p for i, h, p in zip(ids, entropy, chosen, strict=True))
    if known < 16:
        assert found is None
    if found is not None:
        assert found.n_tokens == known and regime_of(found) in REGIMES
        for value in (found.index, found.phi, found.order, found.gain, found.spread, found.distinct, found.p_uniform, found.p_knowledge):
            assert 0 <= value <= 1


def test_order_of_time_and_unknown_tokens_do_not_matter_to_the_tests() -> None:
    trace = spoken(np.random.default_rng(13))
    found = dispersion(trace)
    holes = [np.insert(values, 20, fill) for values, fill in ((trace.entropy, np.nan), (trace.selected_prob, np.nan), (trace.token_ids, 5))]
    other = dispersion_of(*holes, trace.vocab_size)
    assert found is not None and other is not None
    assert (other.n_tokens, other.gain, other.spread, other.p_uniform) == (found.n_tokens, found.gain, found.spread, found.p_uniform)


def test_nothing_is_said_of_too_little() -> None:
    trace = spoken(np.random.default_rng(14), 15)
    assert dispersion(trace) is None and dispersion_index(trace) is None and regime(trace) == "unknown"
    without = CoherenceTrace.from_entropy([1.0] * 40, [-1.0] * 40, 100)
    assert dispersion_index(without) is None
    assert dispersion_index(spoken(np.random.default_rng(14), 16)) is not None


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"vocab_size": 1}, "vocab_size is 1; a dispersion index needs a vocabulary of 2 or more"),
        ({"token_ids": [0] * 16 + [9]}, r"token_ids\[16\] is 9; give 0 to 8, or -100"),
        ({"token_ids": [-1] * 17}, r"token_ids\[0\] is -1; give 0 to 8"),
        ({"token_ids": [0.5] * 17}, "give whole numbers"),
        ({"token_ids": [0] * 16}, "have 17, 17 and 16 values; give one a token each"),
    ],
)
def test_wrong_arguments(changes: dict[str, object], text: str) -> None:
    given = {"entropy": [1.0] * 17, "selected_prob": [0.5] * 17, "token_ids": [0] * 17, "vocab_size": 9}
    with pytest.raises(InvalidTrace, match=text):
        dispersion_of(**(given | changes))


@pytest.mark.parametrize("wrong", [None, 3, [], [CoherenceTrace.of_fields([0.5], [0.5], [0.5], 9, token_ids=[1])]])
def test_what_is_no_trace_is_refused(wrong):
    for function in (dispersion, dispersion_index, regime):
        with pytest.raises(InvalidTrace, match=r"a dispersion index is asked of .*; give one CoherenceTrace"):
            function(wrong)
    with pytest.raises(InvalidTrace, match=r"token_ids are .*; give whole numbers"):
        dispersion_of([0.5, 0.5], [0.5, 0.5], [[1], [2, 3]], 9)
