"""Schedule: temperature words from the contract's formula in exact arithmetic, the four shapes, and every refusal."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ebmhw import Schedule
from ebmhw.errors import EbmhwError, InvalidSchedule
from ebmhw.schedule import beta_word, effective_beta

LOG2_E = Fraction(float.fromhex("0x1.71547652b82fep+0"))
LIMIT = 2**26 - 1
BETAS = st.floats(0, 20, allow_nan=False)


def word_of(beta: float) -> int:
    """floor(2 beta log2(e) 2^21 + 1/2), each operation rounded to float64 once, clipped to 26 bits."""
    product = float(Fraction(beta) * 2 * LOG2_E * 2**21) if beta < 1e300 else math.inf
    return min(math.floor(product + 0.5), LIMIT) if product < 2**60 else LIMIT


@settings(max_examples=300, deadline=None)
@given(st.one_of(BETAS, st.floats(0, 1e-5), st.floats(0, allow_infinity=False, allow_nan=False)))
@example(0.0)
@example(-0.0)
@example(5e-324)
@example(1.7976931348623157e308)
def test_words_are_the_formula(beta: float) -> None:
    assert beta_word(beta) == word_of(beta)
    assert 0 <= beta_word(beta) <= LIMIT


@settings(max_examples=100, deadline=None)
@given(st.integers(0, LIMIT))
@example(0)
@example(1)
@example(LIMIT)
def test_every_word_stands_for_a_beta_that_gives_it(word: int) -> None:
    beta = effective_beta(word)
    assert beta == pytest.approx(float(word / (2 * LOG2_E * 2**21)), rel=1e-15)
    assert beta_word(beta) == word


def test_words_by_hand() -> None:
    # 2 log2(e) 2^21 = 6051101.6
    assert [beta_word(b) for b in (0, 1, 2.0, np.float32(1))] == [0, 6051102, 12102203, 6051102]
    assert beta_word(11.09) == 67106717
    assert effective_beta(LIMIT) == pytest.approx(11.09035, abs=1e-5)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(BETAS, st.integers(0, 6)), max_size=8))
def test_custom(entries) -> None:
    betas, sweeps = [b for b, _ in entries], [s for _, s in entries]
    schedule = Schedule.custom(betas, sweeps)
    assert schedule.beta_words == [(word_of(b), s) for b, s in entries]
    assert all(type(part) is int for entry in schedule.beta_words for part in entry)
    assert schedule.total_sweeps == sum(sweeps)
    assert schedule.words(0, 2**40).tolist() == [word_of(b) for b, s in entries for _ in range(s)]
    assert schedule.words(0, 2**40).dtype == np.uint32
    assert schedule.effective_betas.tolist() == [effective_beta(word_of(b)) for b in betas]
    assert np.abs(schedule.effective_betas - np.minimum(betas, effective_beta(LIMIT))).max(initial=0) < 1e-7
    # An ulp above the largest word's beta may round to that word or be clipped to it.
    assert schedule.clipped == sum(b > 11.0903502 for b in betas)
    for scale in (0.5, 3.0):
        assert schedule.divided(scale).beta_words == [(word_of(b / scale), s) for b, s in entries]
    assert str(schedule.total_sweeps) in repr(schedule) or not betas


def test_custom_with_one_number_for_all_and_any_iterable() -> None:
    assert Schedule.custom([0.5, 1.0], 3).beta_words == [(word_of(0.5), 3), (word_of(1.0), 3)]
    assert Schedule.custom(b / 2 for b in range(3)).betas.tolist() == [0, 0.5, 1]
    assert Schedule.custom(np.array([1, 2]), np.array([3, 0])).beta_words == [(word_of(1), 3), (word_of(2), 0)]
    assert Schedule.custom([]).total_sweeps == 0
    assert Schedule.custom([]).beta_words == []
    assert repr(Schedule.custom([]))


@settings(max_examples=80, deadline=None)
@given(st.floats(1e-6, 50), st.floats(1e-6, 50), st.integers(0, 60))
def test_ramps(first: float, last: float, sweeps: int) -> None:
    for make, at in (
        (Schedule.geometric, lambda t: first * (last / first) ** t),
        (Schedule.linear, lambda t: first + (last - first) * t),
    ):
        schedule = make(first, last, sweeps)
        assert schedule.total_sweeps == len(schedule.betas) == sweeps
        assert set(schedule.sweeps.tolist()) <= {1}
        expected = [last] if sweeps == 1 else [at(k / (sweeps - 1)) for k in range(sweeps)]
        assert schedule.betas.tolist() == pytest.approx(expected, rel=1e-9)
        if sweeps:
            # The ends are what was asked for, to the last bit; a single sweep is cold.
            assert schedule.betas[-1] == last
            assert sweeps == 1 or schedule.betas[0] == first
        assert schedule.beta_words == [(word_of(b), 1) for b in schedule.betas]


def test_constant_and_zeros() -> None:
    assert Schedule.constant(0.7, 5).beta_words == [(word_of(0.7), 5)]
    assert Schedule.constant(0.7, 0).beta_words == [(word_of(0.7), 0)]
    assert Schedule.constant(0.7, 0).words(0, 2**40).size == 0
    assert Schedule.linear(0, 1, 3).betas.tolist() == [0, 0.5, 1]
    assert Schedule.constant(0, np.int64(2)).beta_words == [(0, 2)]
    assert Schedule.constant(1, 2**31 - 1).total_sweeps == 2**31 - 1


def test_clipping_is_counted_by_entry() -> None:
    schedule = Schedule.custom([1.0, 11.09, 11.0904, 1e300])
    assert schedule.clipped == 2
    assert [word for word, _ in schedule.beta_words][2:] == [LIMIT, LIMIT]
    assert schedule.effective_betas[-1] == effective_beta(LIMIT)
    assert Schedule.constant(effective_beta(LIMIT), 1).clipped == 0


def test_arrays_cannot_be_written() -> None:
    schedule = Schedule.geometric(1, 2, 3)
    for array in (schedule.betas, schedule.sweeps):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


@pytest.mark.parametrize("beta", [-1.0, -5e-324, float("nan"), float("inf"), -float("inf")])
def test_betas_are_finite_and_not_negative(beta: float) -> None:
    with pytest.raises(InvalidSchedule, match=f"beta {beta} is not a finite number of at least 0; give"):
        beta_word(beta)
    with pytest.raises(InvalidSchedule, match=f"beta {beta} of schedule entry 0 is not a finite number"):
        Schedule.constant(beta, 1)
    with pytest.raises(InvalidSchedule, match=f"beta {beta} of schedule entry 2 is not a finite number"):
        Schedule.custom([0, 1, beta], 0)
    for make, ends in (
        (Schedule.geometric, (beta, 1.0)),
        (Schedule.geometric, (1.0, beta)),
        (Schedule.linear, (beta, 0.0)),
        (Schedule.linear, (0.0, beta)),
    ):
        for sweeps in (0, 1, 5):
            with pytest.raises(InvalidSchedule, match=f"from beta {ends[0]} to {ends[1]} is not possible: both ends must be finite and"):
                make(*ends, sweeps)


def test_a_geometric_schedule_cannot_touch_zero() -> None:
    for ends in ((0, 1), (1, 0), (0, 0)):
        with pytest.raises(InvalidSchedule, match=r"above 0; use Schedule\.linear to start from 0"):
            Schedule.geometric(*ends, 10)


@pytest.mark.parametrize("sweeps", [1.0, "3", None, True, np.float64(2), np.bool_(True)])
def test_sweeps_are_whole_numbers(sweeps: object) -> None:
    for make in (Schedule.geometric, Schedule.linear):
        with pytest.raises(InvalidSchedule, match="it must be a whole number of at least 0"):
            make(1, 2, sweeps)
    with pytest.raises(InvalidSchedule, match="it must be a whole number of at least 0"):
        Schedule.constant(1, sweeps)
    with pytest.raises(InvalidSchedule, match=r"sweeps_per_beta of entry 1 is .*; it must be a whole number"):
        Schedule.custom([1, 2], [1, sweeps])


@pytest.mark.parametrize("sweeps", [-1, 2**31, 2**80])
def test_sweeps_have_limits(sweeps: int) -> None:
    text = f"is {sweeps}; it must be between 0 and {2**31 - 1}"
    for make in (Schedule.geometric, Schedule.linear):
        with pytest.raises(InvalidSchedule, match=text):
            make(1, 2, sweeps)
    with pytest.raises(InvalidSchedule, match=text):
        Schedule.constant(1, sweeps)
    with pytest.raises(InvalidSchedule, match=text):
        Schedule.custom([1, 2], sweeps)


def test_custom_lengths_must_agree() -> None:
    for counts in ([], [1], [1, 2, 3]):
        with pytest.raises(InvalidSchedule, match=f"sweeps_per_beta has {len(counts)} entries for 2 betas; give one number, or one a beta"):
            Schedule.custom([1, 2], counts)
    with pytest.raises(EbmhwError) as caught:
        Schedule.custom([1], [1, 2])
    assert caught.value.code == "invalid-schedule"
    assert isinstance(caught.value, ValueError)


@given(st.lists(st.tuples(st.floats(0, 12), st.integers(0, 5)), max_size=6), st.integers(0, 40))
def test_after_is_what_is_left(entries: list[tuple[float, int]], done: int) -> None:
    schedule = Schedule.custom([b for b, _ in entries], [s for _, s in entries])
    assert schedule.after(done).words(0, 100).tolist() == schedule.words(0, 100).tolist()[done:]
