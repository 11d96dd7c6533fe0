"""The decision of one row: against the contract's text in plain integers, its threshold, its accuracy, and tables that must fail."""

from __future__ import annotations

import decimal
import functools
import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ebmhw.contract import tables
from ebmhw.golden.arrays import Arrays, JaxArrays, NumpyArrays
from ebmhw.golden.step import weak_outcome
from ebmhw.model import Model
from ebmhw.native.encoded import EncodedProgram
from ebmhw.schedule import beta_word, effective_beta

RULES = ("gibbs", "metropolis")
FIELDS = st.one_of(st.integers(0, 40), st.integers(0, 2**17 - 1))
WORDS = st.one_of(st.sampled_from([0, 1, 255, 256, 257, 2**26 - 1]), st.integers(0, 2**16), st.integers(0, 2**26 - 1))
DRAWS = st.one_of(st.sampled_from([0, 1, 2**31 - 1, 2**31, 2**32 - 2, 2**32 - 1]), st.integers(0, 2**32 - 1))

ABSOLUTE = 2.7e-5
"""Bound on |dp| of the gibbs rule. The worst over every (B, |h|) is 2.692e-5; the contract's text rounds it to 2.6e-5."""

# Where the bounds come from: y is -log2 of the odds rounded to 2^-12, half a unit is 2^(2^-13) - 1 = 8.46e-5 of the odds; the
# tables are within 1.5 of at least 2^15 units, 4.58e-5; together 1.30e-4. A gibbs probability moves by (1 - p) of that, a
# metropolis one by all of it. A threshold is a whole number of draws: half a draw on top.
RELATIVE = 1.31e-4
TAIL_UNITS = 0.5


def plain_weak(a: int, b: int, u: int, rule: str) -> bool:
    """The decision, from the text of the contract, with Python's integers and tables of its own."""
    hi = [round(2**16 * 2 ** (-k / 64)) for k in range(64)]
    lo = [round(2**16 * 2 ** (-k / 4096)) for k in range(64)]
    y = (a * b + 2**8) >> 9
    if y >= 33 << 12:
        return False
    v, e, f = 2 * u + 1, y >> 12, y & 4095
    m = (hi[f >> 6] * lo[f & 63] + 2**15) >> 16
    odds = (2**33 - v) * m if rule == "gibbs" else 2**33 * m
    assert max(odds, v << 16) < 2**50
    return (v << 16) < odds >> e


def plain_threshold(a: int, b: int, rule: str) -> int:
    """The number of draws with a weak outcome, by bisection: the left side grows with u, the right side does not."""
    low, high = 0, 2**32
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if plain_weak(a, b, middle, rule) else (low, middle)
    return low


@functools.cache
def kernel() -> EncodedProgram:
    return EncodedProgram(Model(1, [1]).compile(), np.zeros(0, dtype=np.int32))


@functools.cache
def namespace(name: str) -> Arrays:
    if name == "jax":
        pytest.importorskip("jax")
        return JaxArrays()
    return NumpyArrays()


def golden_weak(name: str, a: npt.ArrayLike, b: npt.ArrayLike, u: npt.ArrayLike, rule: str) -> list[bool]:
    arrays = namespace(name)
    with arrays.integers64():
        xp = arrays.xp
        fields, words, draws = xp.asarray(a, dtype=xp.int64), xp.asarray(b, dtype=xp.int64), xp.asarray(u, dtype=xp.uint32)
        return np.asarray(weak_outcome(xp, fields, words, draws, rule)).tolist()


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("name", ["numpy", "jax"])
# Batches of one length: JAX compiles anew for another one.
@given(cases=st.lists(st.tuples(FIELDS, WORDS, DRAWS), min_size=8, max_size=8))
@settings(deadline=None, max_examples=40)
def test_golden_decides_like_plain_integers(name: str, rule: str, cases: list[tuple[int, int, int]]) -> None:
    edges = []
    for a, b, u in cases:
        t = plain_threshold(a, b, rule)
        edges += [(a, b, w % 2**32) for w in (u, t - 1, t, t + 1)]
    a, b, u = zip(*edges, strict=True)
    expected = [plain_weak(*case, rule) for case in edges]
    assert golden_weak(name, a, b, np.array(u, dtype=np.uint32), rule) == expected


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("name", ["numpy", "jax"])
def test_golden_decides_like_plain_integers_where_it_turns(name: str, rule: str) -> None:
    """Every whole y from 0 to past the cutoff in steps, and the draws around each threshold: the cutoff, the ends, M = 2^16."""
    steps = [*range(0, 34 << 12, 509), *(e << 12 for e in range(34)), (33 << 12) - 1, (33 << 12) + 1]
    cases = []
    for y in steps:
        t = plain_threshold(4, 128 * y, rule)
        cases += [(4, 128 * y, w % 2**32) for w in (0, t - 1, t, t + 1, 2**32 - 1)]
    a, b, u = zip(*cases, strict=True)
    assert golden_weak(name, a, b, np.array(u, dtype=np.uint32), rule) == [plain_weak(*case, rule) for case in cases]


@pytest.mark.parametrize("rule", RULES)
@given(a=FIELDS, b=WORDS)
@settings(deadline=None, max_examples=300)
def test_threshold_in_closed_form_is_the_one_found_by_bisection(rule: str, a: int, b: int) -> None:
    t = kernel().threshold(a, b, rule)
    assert t == plain_threshold(a, b, rule)
    assert t == 0 or plain_weak(a, b, t - 1, rule)
    assert t == 2**32 or not plain_weak(a, b, t, rule)


def test_threshold_at_the_ends() -> None:
    assert [kernel().threshold(0, b, "gibbs") for b in (0, 1, 2**26 - 1)] == [2**31] * 3
    assert [kernel().threshold(a, 0, "metropolis") for a in (0, 1, 2**17 - 1)] == [2**32] * 3
    for rule in RULES:
        assert kernel().threshold(2**17 - 1, 2**26 - 1, rule) == 0
        # The first y that is cut off, and the last before it.
        assert kernel().threshold(1 << 13, 33 << 8, rule) == 0
        assert kernel().threshold(1 << 13, (32 << 8) - 1, rule) == 1


@functools.cache
def thresholds_by_y(rule: str) -> npt.NDArray[np.int64]:
    """The threshold for every y below the cutoff: a decision depends on (B, |h|) through y alone."""
    return np.array([kernel().threshold(2, 256 * y, rule) for y in range(33 << 12)], dtype=np.int64)


@pytest.mark.parametrize("rule", RULES)
def test_thresholds_do_not_grow_with_the_field(rule: str) -> None:
    assert (np.diff(thresholds_by_y(rule)) <= 0).all()


@pytest.mark.parametrize("rule", RULES)
@given(b=WORDS, a=FIELDS, more=st.integers(0, 300))
@settings(deadline=None, max_examples=200)
def test_thresholds_do_not_grow_with_the_field_at_any_temperature(rule: str, b: int, a: int, more: int) -> None:
    assert kernel().threshold(min(a + more, 2**17 - 1), b, rule) <= kernel().threshold(a, b, rule)


@given(b=st.integers(0, 2**26 - 1), a=st.integers(0, 2**17 - 1))
@settings(deadline=None)
def test_a_decision_depends_on_y_alone(b: int, a: int) -> None:
    y = (a * b + 2**8) >> 9
    for rule in RULES:
        assert kernel().threshold(a, b, rule) == (thresholds_by_y(rule)[y] if y < 33 << 12 else 0)


def exact_probability(x: npt.ArrayLike, rule: str) -> npt.NDArray[np.longdouble]:
    """Return the exact probability for x = B |h|: with the effective beta, 2 beta |h| log2(e) = x 2^-21."""
    odds = np.exp2(-np.asarray(x).astype(np.longdouble) / 2**21)
    return odds / (1 + odds) if rule == "gibbs" else odds


class Errors:
    """Worst errors of thresholds given for every y, over every product B |h| there is.

    The products with one y are an interval over which the exact probability falls, so its two ends hold the worst case.

    Attributes
    ----------
    absolute : worst |dp|
    relative : worst |dp| / p down to p = 2^-18, where half a draw is 2^-15 of it
    tail : worst (|dT| - RELATIVE T) in draws, down to p = 2^-30
    """

    def __init__(self, thresholds: npt.NDArray[np.int64], rule: str) -> None:
        y = np.arange(33 << 12, dtype=np.int64)
        x = np.stack([np.maximum(512 * y - 256, 0), 512 * y + 255])
        p = exact_probability(x, rule)
        units = np.abs(thresholds[None, :] - p * 2**32)
        self.absolute = float(units.max()) / 2**32
        # Beyond the cutoff (p below 2^-33) the probability is 0 and the error is p.
        assert float(exact_probability(512 * (33 << 12) - 256, rule)) < 1.2 * 2.0**-33
        self.relative = float((units / (p * 2**32))[p >= 2.0**-18].max())
        self.tail = float((units - RELATIVE * p * 2**32)[p >= 2.0**-30].max())


def is_accurate(thresholds: npt.NDArray[np.int64], rule: str) -> dict[str, bool]:
    """Return which of the three bounds the thresholds meet; accurate is all of them."""
    errors = Errors(thresholds, rule)
    # Metropolis has p = odds, without the factor p (1 - p) <= 1/4 of a sigmoid.
    absolute = ABSOLUTE if rule == "gibbs" else RELATIVE
    return {"absolute": errors.absolute <= absolute, "relative": errors.relative <= 1.5 * RELATIVE, "tail": errors.tail <= TAIL_UNITS}


@pytest.mark.parametrize("rule", RULES)
def test_thresholds_are_accurate(rule: str) -> None:
    assert all(is_accurate(thresholds_by_y(rule), rule).values())


def test_accuracy_is_what_was_measured() -> None:
    """Figures for the docs. They are exhaustive, so they are facts about the decision and not estimates."""
    gibbs, metropolis = (Errors(thresholds_by_y(rule), rule) for rule in RULES)
    assert gibbs.absolute == pytest.approx(2.6921e-5, rel=1e-4)
    assert metropolis.absolute == pytest.approx(1.00251e-4, rel=1e-4)
    assert gibbs.relative == pytest.approx(1.34745e-4, rel=1e-4)
    assert metropolis.relative == pytest.approx(1.38752e-4, rel=1e-4)
    # Half a draw is the rounding of a threshold itself: the relative bound holds all the way down.
    assert gibbs.tail < 0.5 and metropolis.tail < 0.5


def test_the_worst_case_of_the_gibbs_rule() -> None:
    """The argument that gives 2.692e-5, in decimal arithmetic: field 1 at beta 0.191."""
    with decimal.localcontext() as context:
        context.prec = 40
        odds = (-(decimal.Decimal(1158400) / 2**21) * decimal.Decimal(2).ln()).exp()
        error = abs(decimal.Decimal(plain_threshold(1, 1158400, "gibbs")) / 2**32 - odds / (1 + odds))
    assert float(error) == pytest.approx(2.69207e-5, rel=1e-5)


@given(word=st.integers(0, 2**26 - 1), field=st.integers(0, 2**17 - 1))
@settings(deadline=None)
def test_accuracy_holds_in_terms_of_beta(word: int, field: int) -> None:
    """The same bound with exp and the effective beta, as a user reads it."""
    beta = effective_beta(word)
    exact = 1 / (1 + math.exp(min(2 * beta * field, 700.0)))
    assert abs(kernel().threshold(field, word, "gibbs") / 2**32 - exact) <= ABSOLUTE
    assert beta_word(beta) == word


def faulty_tables() -> npt.NDArray[np.int64]:
    """M of every f with the upper table read one entry too far."""
    f = np.arange(4096)
    hi, lo = np.array(tables.HI, dtype=np.int64), np.array(tables.LO, dtype=np.int64)
    return (hi[np.minimum((f >> 6) + 1, 63)] * lo[f & 63] + 2**15) >> 16


def faulty_thresholds(fault: str, rule: str) -> npt.NDArray[np.int64]:
    """Thresholds for every y of a decision with one fault."""
    y = np.arange(33 << 12, dtype=np.int64)
    good = thresholds_by_y(rule)
    if fault == "table off by one entry":
        odds = faulty_tables()[y & 4095] / 2.0**16 / 2.0 ** (y >> 12)
        return np.rint((odds / (1 + odds) if rule == "gibbs" else odds) * 2**32).astype(np.int64)
    if fault in ("8-bit draws", "16-bit draws"):
        grain = 2 ** (32 - int(fault.split("-")[0]))
        return (good + grain // 2) // grain * grain
    # 1024 entries of 16 bits over 2 beta |h| = 0..16, the entry of the middle of each step.
    middle = (np.minimum(y / 4096 * math.log(2) * 64, 1023).astype(np.int64) + 0.5) / 64
    p = 1 / (1 + np.exp(middle)) if rule == "gibbs" else np.exp(-middle)
    return np.rint(p * 2**16).astype(np.int64) << 16


# Worst |dp| and worst |dp| / p down to 2^-18, gibbs: true 2.7e-5 and 1.3e-4; table off by one 2.7e-3 and 1.1e-2; 8-bit draws
# 2.0e-3 and 1; 16-bit draws 3.3e-5 and 1; the table of 1024 x 16 bits 2.0e-3 and 1. Metropolis: 1.0e-4 and 1.4e-4; 1.1e-2 and 1.1e-2;
# 2.0e-3 and 1; 1.0e-4 and 1; 7.8e-3 and 1.
@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("fault", ["table off by one entry", "8-bit draws", "16-bit draws", "1024 x 16-bit table"])
def test_faulty_thresholds_are_not_accurate(fault: str, rule: str) -> None:
    met = is_accurate(faulty_thresholds(fault, rule), rule)
    # 16-bit draws err by 2^-17 of p at the most, which the absolute bound alone would hardly see; the tail cannot miss it.
    assert not met["relative"] and not met["tail"]
    assert fault == "16-bit draws" or not met["absolute"]


def test_the_rebuilt_thresholds_without_a_fault_are_the_kernels() -> None:
    """So the controls differ from the decision by their fault alone."""
    y = np.arange(33 << 12, dtype=np.int64)
    f = y & 4095
    m = (np.array(tables.HI, dtype=np.int64)[f >> 6] * np.array(tables.LO, dtype=np.int64)[f & 63] + 2**15) >> 16
    odds = m / 2.0**16 / 2.0 ** (y >> 12)
    assert np.abs(np.rint(odds / (1 + odds) * 2**32) - thresholds_by_y("gibbs")).max() <= 1
