"""Diversity of a group: judged by sets of runs counted one by one; noise, loops and copies do not count as ordered diversity."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ebmhw
from ebmhw.coherence.order.groups import diversity, novelties, ordered_diversity, pair_distances
from ebmhw.coherence.trace import CoherenceTrace
from ebmhw.errors import InvalidTrace

TEXTS = st.lists(st.lists(st.integers(0, 5), min_size=1, max_size=12), min_size=2, max_size=6)
END = None


def runs(text: list[int], order: int) -> set[tuple[int | None, ...]]:
    padded = [*text, END, END, END]
    return {tuple(padded[at : at + order]) for at in range(len(text))}


def distance(first: list[int], second: list[int]) -> float:
    dice = []
    for order in (1, 2, 3, 4):
        a, b = runs(first, order), runs(second, order)
        dice.append(2 * len(a & b) / (len(a) + len(b)))
    return 1 - sum(dice) / 4


@settings(max_examples=40)
@given(TEXTS)
def test_distances_are_those_of_sets(texts: list[list[int]]) -> None:
    found = pair_distances([np.array(text) for text in texts])
    expected = [[distance(a, b) for b in texts] for a in texts]
    np.testing.assert_allclose(found, expected, atol=1e-12)


@settings(max_examples=40)
@given(TEXTS, st.randoms())
def test_a_group_has_the_mean_of_its_pairs_in_any_order(texts: list[list[int]], random: object) -> None:
    pairs = [distance(a, b) for i, a in enumerate(texts) for b in texts[:i]]
    assert diversity(texts) == pytest.approx(sum(pairs) / len(pairs), abs=1e-12)
    shuffled = texts.copy()
    random.shuffle(shuffled)
    assert diversity(shuffled) == pytest.approx(diversity(texts), abs=1e-12)
    assert np.mean(novelties(texts)) == pytest.approx(diversity(texts), abs=1e-12)


@settings(max_examples=40)
@given(st.lists(st.integers(0, 9), min_size=1, max_size=30), st.integers(2, 8))
def test_copies_have_none_and_strangers_all(text: list[int], count: int) -> None:
    assert diversity([text] * count) == 0
    assert diversity([[10 * number + token for token in text] for number in range(count)]) == 1


def test_an_outlier_is_the_most_novel() -> None:
    found = novelties([[1, 2, 3, 4, 5], [1, 2, 3, 4, 6], [1, 2, 3, 4, 5], [7, 8, 9, 10]])
    assert found[3] == 1 and max(found[:3]) < 0.7


def test_what_is_empty_or_unknown_is_left_out() -> None:
    assert novelties([[], [1, 2], [-100, -100], [1, 2], [-100, 1, 2]]) == [None, 0, None, 0, 0]
    assert diversity([]) is None and diversity([[1, 2]]) is None and diversity([[1], []]) is None
    unknown = CoherenceTrace.from_entropy([1.0] * 3, [-1.0] * 3, 100)
    assert diversity([unknown, [1, 2], [3, 4]]) == 1


def test_what_is_no_completion_is_named() -> None:
    with pytest.raises(InvalidTrace, match=r"a completion is 'text'; give its token ids"):
        diversity(["text", [1]])
    with pytest.raises(InvalidTrace, match="give its token ids"):
        diversity([[[1, 2]], [1]])


def spoken(rng: np.random.Generator, ids: np.ndarray) -> CoherenceTrace:
    logits = rng.standard_normal((len(ids), 1000)).astype(np.float32)
    logits[np.arange(len(ids)), ids] += rng.uniform(9, 16, len(ids)).astype(np.float32)
    return CoherenceTrace.from_logits(logits, ids, backend=ebmhw.get_backend("cpu", threads=1))


def zipf(rng: np.random.Generator, count: int = 64) -> np.ndarray:
    return (1000 ** rng.random(count)).astype(np.int64) - 1


def test_noise_loops_and_copies_are_no_ordered_diversity() -> None:
    rng = np.random.default_rng(1)
    texts = [spoken(rng, zipf(rng)) for _ in range(5)]
    noise = [spoken(rng, rng.integers(0, 1000, 64)) for _ in range(5)]
    loops = [spoken(rng, np.tile(zipf(rng, 3), 22)) for _ in range(5)]
    assert diversity(texts) > 0.8 and diversity(noise) > 0.95 and diversity(loops) > 0.8
    assert ordered_diversity(texts) > 0.5
    assert ordered_diversity(noise) == 0 and ordered_diversity([texts[0]] * 5) == 0
    assert ordered_diversity(loops) < 0.05
    # The smaller weight of a pair counts: of 3 texts and 3 noises, 3 of 15 pairs are of texts.
    mixed = ordered_diversity(texts[:3] + noise[:3])
    assert mixed == pytest.approx(3 / 15 * ordered_diversity(texts[:3]))


@settings(max_examples=20)
@given(st.lists(st.integers(0, 30), min_size=0, max_size=6))
def test_ordered_diversity_is_a_share_or_none(lengths: list[int]) -> None:
    rng = np.random.default_rng(lengths)
    traces = [spoken(rng, zipf(rng, length)) for length in lengths if length]
    found = ordered_diversity(traces)
    known = sum(trace.n_tokens >= 16 for trace in traces)
    assert (found is None) == (known < 2)
    assert found is None or 0 <= found <= 1


def test_large_groups_are_quick() -> None:
    import time

    rng = np.random.default_rng(2)
    began = time.process_time()
    assert diversity(list(rng.integers(0, 50_000, (64, 512)))) > 0.98
    assert time.process_time() - began < 5  # .3 s where this was written


@pytest.mark.parametrize("wrong", [None, 3, CoherenceTrace.of_fields([0.5], [0.5], [0.5], 9, token_ids=[1])])
def test_what_is_no_group_is_refused(wrong):
    for function in (diversity, novelties, ordered_diversity):
        with pytest.raises(InvalidTrace, match=r"a diversity is asked of .*; give a list of completions"):
            function(wrong)
    for ragged in ([[1], [2, 3]], [[1.5]], "ab", [10**30]):
        with pytest.raises(InvalidTrace, match=r"a completion is .*; give its token ids"):
            diversity([[1], ragged])
