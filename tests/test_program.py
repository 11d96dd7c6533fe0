"""Program: scale, rounding, limits, rows and digest, each recomputed from the contract's text."""

from __future__ import annotations

import itertools
import math
import os
import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ebmhw.errors import DoesNotFit, InvalidModel
from ebmhw.model import Model
from ebmhw.program import SCALE_STEP, Program

FIELD_LIMIT = 2**17 - 1
NUMBERS = st.one_of(
    st.integers(-300, 300).map(float),
    st.floats(-1000, 1000),
    st.builds(lambda m, e: m * 10.0**e, st.floats(-9, 9), st.integers(-320, 300)),
    st.sampled_from([5e-324, -1e-310, 1e-3, 0.5, 126.5, 127.0, 128.0, 131071.0, 131072.0, 1e300]),
)


@st.composite
def models(draw, weights=NUMBERS, max_n: int = 6) -> Model:
    n = draw(st.integers(1, max_n))
    bias = draw(st.lists(weights, min_size=n, max_size=n))
    members = st.lists(st.integers(0, n - 1), min_size=2, max_size=min(5, n), unique=True).map(lambda m: tuple(sorted(m)))
    return Model(n, bias, draw(st.dictionaries(members, weights, max_size=8)) if n > 1 else None or (), draw(st.floats(-5, 5)))


def limit(bits: int) -> int:
    return 2 ** (bits - 1) - 1


def bounds(model: Model) -> list[Fraction]:
    """|b_i| + sum of |J| over terms holding i, exact."""
    total = [abs(Fraction(b)) for b in model.bias.tolist()]
    for members, weight in model.terms():
        for i in members:
            total[i] += abs(Fraction(weight))
    return total


def integers_that_fit(model: Model, coupling_bits: int, bias_bits: int) -> bool:
    weights = [w for _, w in model.terms()]
    return (
        all(Fraction(w).denominator == 1 for w in [*weights, *model.bias.tolist()])
        and max(map(abs, weights), default=0) <= limit(coupling_bits)
        and np.abs(model.bias).max() <= limit(bias_bits)
        and max(bounds(model)) <= FIELD_LIMIT
    )


def limits_of(model: Model, coupling_bits: int, bias_bits: int) -> list[tuple[Fraction, int]]:
    pairs = [(max(bounds(model)), FIELD_LIMIT), (Fraction(float(np.abs(model.bias).max())), limit(bias_bits))]
    pairs += [(abs(Fraction(w)), limit(coupling_bits)) for _, w in model.terms()]
    return [(value, most) for value, most in pairs if value]


def check(model: Model, program: Program, coupling_bits: int = 8, bias_bits: int = 18) -> None:
    """Everything that holds of any program of a model."""
    scale = Fraction(program.scale)
    assert (program.n, program.coupling_bits, program.bias_bits) == (model.n, coupling_bits, bias_bits)
    weights = program.weights
    assert all(float(w).is_integer() and w for _, w in weights.terms())
    assert max((abs(w) for _, w in weights.terms()), default=0) <= limit(coupling_bits)
    assert np.abs(weights.bias).max() <= limit(bias_bits)
    assert max(bounds(weights)) <= FIELD_LIMIT
    # Half to even; the product itself is a float64.
    kept, worst = dict(weights.terms()), Fraction(0)
    assert set(kept) <= {members for members, _ in model.terms()}
    pairs = [(w, kept.get(members, 0.0)) for members, w in model.terms()] + list(zip(model.bias.tolist(), weights.bias.tolist(), strict=True))
    for original, rounded in pairs:
        assert rounded == round(original * program.scale)
        worst = max(worst, abs(Fraction(original) - Fraction(rounded) / scale))
    assert program.quantisation_error == pytest.approx(float(worst), rel=1e-9, abs=1e-12 * max(abs(float(w)) for w, _ in pairs))
    check_rows(program)


def check_rows(program: Program) -> None:
    """Each spin once, terms with the right others, and runs of rows of one colour that do not see each other."""
    rows = list(program.rows)
    assert sorted(row[0] for row in rows) == list(range(program.n))
    for spin, bias, terms in rows:
        assert bias == program.weights.bias[spin]
        assert all(type(j) is int for j, _ in terms)
        expected = [(w, tuple(i for i in members if i != spin)) for members, w in program.weights.terms() if spin in members]
        assert list(terms) == expected
    assert len(program.rows) == program.n
    assert program.rows == rows
    assert program.rows[-1] == rows[-1]
    assert list(program.rows[::2]) == rows[::2]
    assert program.max_slots == max(sum(len(others) for _, others in terms) for _, _, terms in rows)
    again = Program.from_rows(program.n, program.rows, program.coupling_bits, program.bias_bits)
    assert list(again.rows) == rows
    assert again.scale == 1


@settings(max_examples=150, deadline=None)
@given(models(), st.sampled_from([(8, 18), (8, 18), (2, 2), (4, 18), (18, 18), (12, 6)]))
def test_compile_is_its_definition(model: Model, widths: tuple[int, int]) -> None:
    program = model.compile(*widths)
    check(model, program, *widths)
    if integers_that_fit(model, *widths):
        assert program.scale == 1
        assert program.quantisation_error == 0
        return
    values = limits_of(model, *widths)
    largest = min(min(Fraction(most) / value for value, most in values), Fraction(float(np.finfo(float).max)))
    # The largest scale, or that lowered by whole steps because rounding went over the sum limit.
    steps = round(math.log(float(Fraction(program.scale) / largest)) / math.log(SCALE_STEP))
    assert steps >= 0
    assert program.scale == pytest.approx(float(largest) * SCALE_STEP**steps, rel=1e-12)
    if steps:
        used = float(largest) * SCALE_STEP ** (steps - 1)
        before = {members: round(w * used) for members, w in model.terms()}
        over = Model(model.n, [round(b * used) for b in model.bias.tolist()], before)
        assert max(bounds(over)) > FIELD_LIMIT
    else:
        # One float64 up at least, a limit is violated before rounding (to an ulp of the products).
        more = Fraction(program.scale) * (1 + Fraction(1, 2**51))
        assert largest < more or program.scale == np.finfo(float).max


@settings(max_examples=60, deadline=None)
@given(models(st.integers(-127, 127).map(float)))
def test_integers_stay_what_they_are(model: Model) -> None:
    program = model.compile()
    assert program.scale == 1
    assert program.quantisation_error == 0
    assert list(program.weights.terms()) == list(model.terms())
    assert program.weights.bias.tolist() == model.bias.tolist()
    assert model.compile(scale=1).digest == program.digest
    spins = np.array(list(itertools.product((-1, 1), repeat=model.n)))
    energy = program.energy(spins)
    assert energy.dtype == np.int64
    assert np.allclose(energy, model.energy(spins) - model.offset)
    assert program.energy(spins.reshape(-1, 1, model.n)).shape == (len(spins), 1)


@settings(max_examples=60, deadline=None)
@given(models(st.floats(-50, 50)), st.one_of(st.none(), st.floats(0.01, 2.0)))
def test_program_energy_is_scaled_model_energy_up_to_rounding(model: Model, scale: float | None) -> None:
    program = model.compile(scale=None if scale == 1 else scale)
    spins = np.array(list(itertools.product((-1, 1), repeat=model.n)))
    # Without the offset: beside weights of 1e-250 it would be all that float64 holds of an energy.
    energies = model.mapped(np.copy).energy(spins)
    bound = (model.num_terms + model.n) * (program.quantisation_error * program.scale) * (1 + 1e-9) + 1e-9 * FIELD_LIMIT
    assert program.quantisation_error * program.scale <= 0.5 * (1 + 1e-9)
    assert np.abs(program.energy(spins) - program.scale * energies).max() <= bound
    check(model, program)


def test_half_to_even() -> None:
    program = Model(2, [2.0, 0.0], [((0, 1), 2.5)]).compile(scale=0.2)
    assert [w for _, w in program.weights.terms()] == []
    program = Model(6, [5.0] * 6, [((0, 1), 1.0), ((1, 2), 3.0), ((2, 3), 5.0), ((3, 4), -3.0), ((4, 5), -5.0)]).compile(scale=0.5)
    assert [w for _, w in program.weights.terms()] == [2, 2, -2, -2]
    assert program.weights.bias.tolist() == [2] * 6
    assert program.quantisation_error == 1.0
    assert program.energy(np.ones(6)) == -12


def star(n: int, weight: float, bias: float = 0.0) -> Model:
    spins = np.stack([np.zeros(n - 1, dtype=np.int64), np.arange(1, n)], axis=1)
    return Model.from_arrays(n, np.full(n, bias), {2: (spins, np.full(n - 1, weight))})


@pytest.mark.parametrize(("weight", "bias"), [(1.0, 0.0), (1.5, 0.0), (1.9, 3.7), (1e-320, 0.0), (1e300, 0.0), (1.3, -31072.5)])
def test_one_spin_with_100000_neighbours(weight: float, bias: float) -> None:
    model = star(100_001, weight, bias)
    program = model.compile()
    integers = program.weights
    assert integers.local_field_bound().max() <= FIELD_LIMIT
    assert all(np.array_equal(block.weights, np.rint(block.weights)) for block in integers.blocks)
    assert (program.scale == 1) == ((weight, bias) == (1.0, 0.0))
    assert program.order[0] == 0
    if weight >= 1:
        # Some of the star is left, whatever the rounding did.
        assert integers.num_terms == 100_000
    assert program.weights.bias[0] == round(bias * program.scale)


def test_rounding_up_many_tiny_weights_lowers_the_scale() -> None:
    """131,071 / (n w) leaves each weight just above a half of an integer, and all of them round up."""
    rng = np.random.default_rng(3)
    n = 60_001
    model = Model.from_arrays(n, None, {2: (np.stack([np.zeros(n - 1, dtype=int), np.arange(1, n)], 1), rng.uniform(1.15, 1.25, n - 1) * 0.7)})
    first = FIELD_LIMIT / model.local_field_bound().max()
    program = model.compile()
    assert program.weights.local_field_bound().max() <= FIELD_LIMIT
    assert program.scale <= first * (1 + 1e-12)
    steps = round(math.log(program.scale / first) / math.log(SCALE_STEP))
    assert program.scale == pytest.approx(first * SCALE_STEP**steps, rel=1e-12)
    even = star(87_382, 1.0000001)
    program = even.compile()
    assert program.weights.local_field_bound().max() <= FIELD_LIMIT
    assert program.weights.num_terms == 87_381


@pytest.mark.parametrize("bits", [2, 3, 8, 12, 18])
def test_widths(bits: int) -> None:
    top = float(limit(bits))
    model = Model(3, [top, 0, 0], [((1, 2), top)])
    program = model.compile(bits, bits)
    assert (program.scale, program.coupling_bits, program.bias_bits) == (1, bits, bits)
    check(model, program, bits, bits)
    for larger in (Model(3, [top + 1, 0, 0]), Model(3, None, [((1, 2), -top - 1)])):
        with pytest.raises(DoesNotFit, match=rf"is beyond {bits} bits \(-{limit(bits)}\.\.{limit(bits)}\); use scale=None to have the largest scale"):
            larger.compile(bits, bits, scale=1)
        assert larger.compile(bits, bits).scale == pytest.approx(top / (top + 1))


@pytest.mark.parametrize("bits", [1, 0, -1, 19, 64, True])
def test_widths_beyond_are_refused(bits: int) -> None:
    for name in ("coupling_bits", "bias_bits"):
        with pytest.raises(DoesNotFit, match=f"{name} is {bits}; it must be a whole number from 2 to 18"):
            Model(1).compile(**{name: bits})
        with pytest.raises(DoesNotFit, match=f"{name} is {bits}; it must be a whole number from 2 to 18"):
            Program.from_rows(1, [(0, 0, ())], **{name: bits})


def test_scale_1_does_not_round() -> None:
    with pytest.raises(DoesNotFit, match=r"bias 0\.5 of spin 1 is not an integer, and scale=1 does not round; use scale=None or another scale"):
        Model(2, [1, 0.5]).compile(scale=1)
    with pytest.raises(DoesNotFit, match=r"weight 1\.25 of term \(0, 2\) is not an integer"):
        Model(3, None, [((0, 2), 1.25)]).compile(scale=1)
    # The offset is no weight.
    assert Model(1, [3], offset=0.3).compile(scale=1).energy([1]) == -3


@pytest.mark.parametrize("scale", [0, -1, float("nan"), float("inf"), -0.0])
def test_scales_are_finite_and_positive(scale: float) -> None:
    with pytest.raises(DoesNotFit, match=f"scale is {scale}; it must be a finite number above 0, or None to have it chosen"):
        Model(2, [1, 2]).compile(scale=scale)


def test_a_given_scale_is_used_or_refused() -> None:
    model = Model(3, [0.25, 0, 0], [((0, 1), 1.0), ((0, 1, 2), -2.5)])
    program = model.compile(scale=4)
    assert (program.scale, program.quantisation_error) == (4.0, 0)
    assert list(program.weights.terms()) == [((0, 1), 4), ((0, 1, 2), -10)]
    with pytest.raises(DoesNotFit, match=r"with scale 100 weight -250 of term \(0, 1, 2\) is beyond 8 bits \(-127..127\); use scale=None"):
        model.compile(scale=100)
    with pytest.raises(DoesNotFit, match=r"with scale 1e\+06 bias 250000 of spin 0 is beyond 18 bits \(-131071..131071\)"):
        Model(1, [0.25]).compile(scale=1e6)
    with pytest.raises(DoesNotFit, match=r"with scale 1 \|bias\| \+ sum of \|weights\| of spin 1 is 131072, beyond the field limit 131071"):
        Model(2, [0, 131071], [((0, 1), 1)]).compile(scale=1)
    check(model, model.compile(scale=0.37))


@pytest.mark.parametrize("tiny", [5e-324, 1e-310, 2.3e-308, 1e-200])
def test_tiny_and_huge_weights(tiny: float) -> None:
    for model in (Model(2, [tiny, 0], [((0, 1), tiny)]), Model(2, [1e307, 0], [((0, 1), tiny)]), Model(2, [0, tiny], [((0, 1), 1e307)])):
        check(model, model.compile())
    assert dict(Model(2, [0, tiny], [((0, 1), 1e307)]).compile().weights.terms()) == {(0, 1): 127}


def test_nothing_but_zeros() -> None:
    program = Model(3).compile()
    assert (program.scale, program.quantisation_error, program.max_slots) == (1, 0, 0)
    assert list(program.rows) == [(0, 0, ()), (1, 0, ()), (2, 0, ())]
    assert program.energy([[1, 1, 1]]).tolist() == [0]


@settings(max_examples=60, deadline=None)
@given(models(st.integers(-127, 127).map(float), max_n=9))
def test_rows_come_colour_by_colour(model: Model) -> None:
    from ebmhw.colouring import colour, conflict_graph

    program = model.compile()
    around = {i: {j for members, _ in model.terms() if i in members for j in members if j != i} for i in range(model.n)}
    colours = colour(model.n, *conflict_graph(model.n, [block.spins for block in model.blocks]))
    assert program.order.tolist() == sorted(range(model.n), key=lambda i: (colours[i], i))
    for _, group in itertools.groupby(program.rows, key=lambda row: colours[row[0]]):
        spins = {row[0] for row in group}
        assert not any(around[i] & spins for i in spins)


def test_energies_are_exact_beyond_32_bits() -> None:
    rng = np.random.default_rng(2)
    n = 40_000
    bias = rng.integers(-131_071, 131_072, n)
    program = Model(n, bias).compile()
    spins = rng.choice([-1, 1], (2, n))
    best = np.sign(bias) + (bias == 0)
    assert program.energy(spins).tolist() == [-int(sum(b * s for b, s in zip(bias.tolist(), row, strict=True))) for row in spins.tolist()]
    assert program.energy(best) == -int(np.abs(bias).sum()) < -(2**31)


# --- from_rows ---

PAIR = [(1, 5, ((3, (0,)),)), (0, -2, ((3, (1,)),))]


def test_rows_in_any_order_are_kept() -> None:
    program = Program.from_rows(2, PAIR)
    assert list(program.rows) == PAIR
    assert program.energy([[1, 1], [1, -1]]).tolist() == [-6, 10]
    assert (program.scale, program.quantisation_error) == (1, 0)
    assert Program.from_rows(2, PAIR[::-1]).digest != program.digest
    shuffled = [(0, 0, ((3, (2, 1)),)), (2, 0, ((3, (1, 0)),)), (1, 0, ((3, (0, 2)),))]
    assert [terms for _, _, terms in Program.from_rows(3, shuffled).rows] == [((3, (1, 2)),), ((3, (0, 1)),), ((3, (0, 2)),)]


@pytest.mark.parametrize(
    ("n", "rows", "text"),
    [
        (2, [(0, 1, ())], "visiting order must name each of the 2 spins once"),
        (2, [(0, 1, ()), (0, 1, ())], "visiting order must name each of the 2 spins once"),
        (2, [(0, 1, ()), (1, 1, ()), (1, 1, ())], "visiting order must name each of the 2 spins once"),
        (2, [(0, 1, ()), (2, 1, ())], r"row 1 is of spin 2; spins of this program are 0\.\.1"),
        (2, [(-1, 1, ()), (1, 1, ())], r"row 0 is of spin -1; spins of this program are 0\.\.1"),
        (2, [(0, 0, ((3, (1,)),)), (1, 0, ())], r"rows disagree about term \(0, 1\)"),
        (2, [(0, 0, ((3, (1,)),)), (1, 0, ((4, (0,)),))], r"rows disagree about term \(0, 1\)"),
        (2, [(0, 0, ((3, (1,)), (3, (1,)))), (1, 0, ((3, (0,)),))], r"rows disagree about term \(0, 1\)"),
        (2, [(0, 0, ((3, (5,)),)), (1, 0, ())], r"rows disagree about term \(0, 5\)"),
        (2, [(0, 0, ((3, (0,)),)), (1, 0, ())], r"rows disagree about term \(0, 0\)"),
        (2, [(0, 0, ((3, ()),)), (1, 0, ())], "a single spin's weight goes into bias"),
        (2, [(0, float("nan"), ()), (1, 0, ())], "bias of spin 0 is nan"),
        (0, [], "a model of 0 spins is not possible"),
    ],
)
def test_inconsistent_rows_are_refused(n: int, rows: list, text: str) -> None:
    with pytest.raises(InvalidModel, match=text):
        Program.from_rows(n, rows)


@settings(max_examples=60, deadline=None)
@given(models(st.integers(-127, 127).map(float), max_n=5), st.data())
def test_any_one_change_of_a_row_is_refused(model: Model, data) -> None:
    rows = [(spin, bias, list(terms)) for spin, bias, terms in model.compile().rows]
    filled = [k for k, row in enumerate(rows) if row[2]]
    if not filled:
        return
    terms = rows[data.draw(st.sampled_from(filled))][2]
    at = data.draw(st.integers(0, len(terms) - 1))
    weight, others = terms[at]
    change = data.draw(st.sampled_from(["weight", "drop", "repeat", "other"]))
    terms[at : at + 1] = {
        "weight": [(weight + 1, others)],
        "drop": [],
        "repeat": [(weight, others), (weight, others)],
        "other": [(weight, (*others, model.n))],
    }[change]
    with pytest.raises(InvalidModel, match=r"rows disagree about term|repeats a spin"):
        Program.from_rows(model.n, rows)


def test_rows_beyond_the_formats_are_refused() -> None:
    for rows, text in (
        ([(0, 0, ((128, (1,)),)), (1, 0, ((128, (0,)),))], r"weight 128 of term \(0, 1\) is beyond 8 bits"),
        ([(0, 2**17, ()), (1, 0, ())], "bias 131072 of spin 0 is beyond 18 bits"),
        ([(0, 131071, ((1, (1,)),)), (1, 0, ((1, (0,)),))], "of spin 0 is 131072, beyond the field limit 131071"),
    ):
        with pytest.raises(DoesNotFit, match=text):
            Program.from_rows(2, rows)


# --- digest ---


@settings(max_examples=60, deadline=None)
@given(models(st.integers(-40, 40).map(lambda w: w / 4)), st.randoms(use_true_random=False))
def test_digest_does_not_depend_on_the_order_of_terms(model: Model, random) -> None:
    terms = [(tuple(random.sample(members, len(members))), w) for members, w in model.terms()]
    # Halves in two places are exact; the sums are the same.
    terms = [part for members, w in terms for part in ((members, w / 2), (members[::-1], w / 2))]
    random.shuffle(terms)
    other = Model(model.n, model.bias, terms, offset=random.random())
    assert other.compile().digest == model.compile().digest
    assert list(other.compile().rows) == list(model.compile().rows)


def test_digest_tells_programs_apart() -> None:
    def rows(j=3, cubic=-2, bias=(1, 0, 4), order=(0, 1, 2)):
        all_rows = [
            (0, bias[0], ((j, (1,)), (cubic, (1, 2)))),
            (1, bias[1], ((j, (0,)), (cubic, (0, 2)))),
            (2, bias[2], ((cubic, (0, 1)),)),
        ]
        return [all_rows[i] for i in order]

    base = Model(3, [1, 0, 4], [((0, 1), 3), ((0, 1, 2), -2)])
    variants = [
        Program.from_rows(3, rows()),
        Program.from_rows(3, rows(j=4)),
        Program.from_rows(3, rows(j=-3)),
        Program.from_rows(3, rows(cubic=2)),
        Program.from_rows(3, rows(bias=(0, 1, 4))),
        Program.from_rows(3, rows(bias=(1, 0, -4))),
        Program.from_rows(3, rows(order=(0, 2, 1))),
        Program.from_rows(3, rows(order=(2, 1, 0))),
        Program.from_rows(3, rows(), coupling_bits=9),
        Program.from_rows(3, rows(), bias_bits=17),
        Program.from_rows(4, [*rows(), (3, 0, ())]),
        base.compile(scale=2),
        Model(3, [2, 0, 8], [((0, 1), 6), ((0, 1, 2), -4)]).compile(),
        Model(3, [1, 0, 4], [((0, 2), 3), ((0, 1, 2), -2)]).compile(),
        Model(3, [1, 0, 4], [((0, 1), 3), ((1, 2), -2)]).compile(),
    ]
    digests = [program.digest for program in variants]
    assert len(set(digests)) == len(digests)
    assert all(len(d) == 64 and int(d, 16) >= 0 for d in digests)
    assert Program.from_rows(3, base.compile().rows).digest == base.compile().digest


DIGEST = """
import numpy as np
from ebmhw.model import Model
rng = np.random.default_rng(7)
terms = {tuple(int(i) for i in rng.choice(60, int(rng.integers(2, 5)), replace=False)): float(rng.normal()) for _ in range(200)}
terms = dict((k, terms[k]) for k in {str(k): k for k in terms}.values())
order = list({frozenset([str(k)]): k for k in terms}.values())
names = {str(k) for k in order}
by_hash = sorted(order, key=lambda k: list(names).index(str(k)))
model = Model(60, rng.normal(size=60), [(k, terms[k]) for k in by_hash])
print(model.compile().digest, model.compile(5, 9).digest)
"""


def test_digest_is_equal_in_every_process() -> None:
    runs = [
        subprocess.Popen([sys.executable, "-c", DIGEST], env={**os.environ, "PYTHONHASHSEED": seed}, stdout=subprocess.PIPE, text=True)
        for seed in "059"
    ]
    outputs = [run.communicate(timeout=60)[0].split() for run in runs]
    assert len(outputs[0]) == 2
    assert outputs[0] == outputs[1] == outputs[2]


def test_digest_is_pinned() -> None:
    """The bytes that are hashed are part of what makes samples reproducible: this changes only together with them."""
    import hashlib

    program = Model(3, [1, 0, 4], [((0, 1), 3), ((0, 1, 2), -2)]).compile()
    sha = hashlib.sha256(b"ebmhw program 1" + b"3 8 18 0x1.0000000000000p+0")
    for numbers in (program.order.tolist(), [1, 0, 4]):
        sha.update(np.array(numbers, dtype="<i4").tobytes())
    for order, spins, weights in ((2, [0, 1], [3]), (3, [0, 1, 2], [-2])):
        sha.update(f"{order} {len(weights)}".encode())
        sha.update(np.array(spins + weights, dtype="<i4").tobytes())
    assert program.digest == sha.hexdigest()


def test_rows_of_fractions_are_refused() -> None:
    for rows in ([(0, 1.5, ()), (1, 0, ())], [(0, 0, ((1.5, (1,)),)), (1, 0, ((1.5, (0,)),))]):
        with pytest.raises(InvalidModel, match=r"1\.5"):
            Program.from_rows(2, rows)


@pytest.mark.parametrize("bits", [np.int8(8), np.uint8(18), np.int64(8)])
def test_widths_of_any_integer_type(bits: object) -> None:
    model = Model(2, [3.5, 0], [((0, 1), 0.3)])
    program, plain = model.compile(coupling_bits=bits), model.compile(coupling_bits=int(bits))
    assert (program.scale, program.digest) == (plain.scale, plain.digest)


def test_numbers_beyond_float64_on_the_way_do_not_fit() -> None:
    with pytest.raises(DoesNotFit, match="use scale=None"):
        Model(2, [100, 0], [((0, 1), 1.5)]).compile(scale=1e308)
    with pytest.raises(DoesNotFit, match="of spin 0 exceeds float64; divide the weights by a common factor"):
        Model(2, [1.5e308, 0], [((0, 1), 1.5e308)]).compile()


def test_the_visiting_order_is_pinned() -> None:
    """Samples depend on the order and nothing else would see it change: backends are compared on the same program."""
    n = 40
    pairs = [((i, (i * i + 7) % n), (i * 37 % 11) - 5) for i in range(n) if i != (i * i + 7) % n and (i * 37 % 11) != 5]
    cubes = [((i, (i + 3) % n, (i + 11) % n), 1 + i % 3) for i in range(0, n, 4)]
    program = Model(n, [i % 5 - 2 for i in range(n)], pairs + cubes).compile()
    assert program.digest == "0fcd3ce6f8da3cafbecec3bbc47fcfdb6d02f64de68235d20eaa5af464cc8da2"
