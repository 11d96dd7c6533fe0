"""Model: energies against plain Python, signs and round trips against dimod and thrml, and every refusal."""

from __future__ import annotations

import itertools
import json
import os
import re
import subprocess
import sys
import types
from fractions import Fraction
from pathlib import Path

import dimod
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ebmhw.errors import EbmhwError, InvalidModel
from ebmhw.model import SPIN_LIMIT, Model, poly_variables

LABELS = st.one_of(st.integers(-3, 30), st.text("abxyz", max_size=3), st.tuples(st.integers(0, 3), st.text("ab", max_size=2)))
SMALL = st.integers(-40, 40).map(lambda w: w / 8)


def states_of(n: int) -> np.ndarray:
    return np.array(list(itertools.product((-1, 1), repeat=n)), dtype=np.int8)


def energy(bias, terms, offset, spins) -> Fraction:
    """E(s) as the contract writes it, in exact arithmetic."""
    total = Fraction(offset)
    for members, weight in terms:
        product = 1
        for i in members:
            product *= int(spins[i])
        total -= Fraction(weight) * product
    return total - sum(Fraction(b) * int(s) for b, s in zip(bias, spins, strict=True))


@st.composite
def parts(draw, weights=SMALL, max_n: int = 7):
    n = draw(st.integers(1, max_n))
    bias = draw(st.lists(weights, min_size=n, max_size=n))
    members = st.lists(st.integers(0, n - 1), min_size=2, max_size=min(6, n), unique=True).map(tuple)
    terms = draw(st.lists(st.tuples(members, weights), max_size=12)) if n > 1 else []
    # The same spins again, in another order: they add up.
    terms += [(members[::-1], draw(weights)) for members, _ in terms[: draw(st.integers(0, 3))]]
    return n, bias, terms, draw(weights)


@settings(max_examples=80, deadline=None)
@given(parts(), st.data())
def test_energy_is_the_formula(given_parts, data) -> None:
    n, bias, terms, offset = given_parts
    model = Model(n, bias, terms, offset)
    spins = states_of(n)
    expected = [energy(bias, terms, offset, s) for s in spins]
    got = model.energy(spins)
    assert got.dtype == np.float64
    # Weights are eighths, so that float64 is exact here.
    assert got.tolist() == expected
    shape = data.draw(st.sampled_from([(), (1,), (3,), (2, 3), (2, 0), (0,), (1, 2, 2)]))
    which = np.array(data.draw(st.lists(st.integers(0, len(spins) - 1), min_size=int(np.prod(shape)), max_size=int(np.prod(shape)))), dtype=int)
    batch = model.energy(spins[which].reshape(*shape, n))
    assert batch.shape == shape
    assert batch.ravel().tolist() == [expected[i] for i in which]
    assert model.energy(spins[0].tolist()) == expected[0]
    assert model.energy(spins.astype(np.float64)).tolist() == expected


@settings(max_examples=60, deadline=None)
@given(parts())
def test_terms_are_merged_sorted_and_without_zeros(given_parts) -> None:
    n, bias, terms, offset = given_parts
    model = Model(n, bias, terms, offset)
    sums: dict[tuple[int, ...], Fraction] = {}
    for members, weight in terms:
        key = tuple(sorted(members))
        sums[key] = sums.get(key, Fraction(0)) + Fraction(weight)
    kept = {key: w for key, w in sums.items() if w}
    assert dict(model.terms()) == kept
    assert [key for key, _ in model.terms()] == sorted(kept, key=lambda key: (len(key), key))
    assert model.num_terms == len(kept)
    assert model.max_order == max(map(len, kept), default=1)
    by_order = {k: ([key for key in kept if len(key) == k], [float(w) for key, w in kept.items() if len(key) == k]) for k in map(len, kept)}
    other = Model.from_arrays(n, bias, by_order, offset)
    assert list(other.terms()) == list(model.terms())
    assert list(Model(n, bias, kept, offset).terms()) == list(model.terms())
    bound = [abs(Fraction(b)) + sum(abs(w) for key, w in kept.items() if i in key) for i, b in enumerate(bias)]
    assert model.local_field_bound().tolist() == bound


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_integers_are_exact_below_2_to_53(data) -> None:
    n = data.draw(st.integers(2, 6))
    pairs = list(itertools.combinations(range(n), 2))
    count = n + len(pairs) + 1
    limit = (2**53 - 1) // count
    numbers = data.draw(st.lists(st.integers(-limit, limit), min_size=count, max_size=count))
    bias, offset, weights = numbers[:n], numbers[n], numbers[n + 1 :]
    terms = list(zip(pairs, weights, strict=True))
    spins = states_of(n)
    assert [int(e) for e in Model(n, bias, terms, offset).energy(spins)] == [energy(bias, terms, offset, s) for s in spins]


def test_many_states_at_once_are_each_their_own() -> None:
    rng = np.random.default_rng(1)
    n = 300
    pairs = np.array(list(itertools.combinations(range(n), 2)))
    weights = rng.integers(-9, 10, len(pairs)).astype(float)
    model = Model.from_arrays(n, rng.integers(-9, 10, n).astype(float), {2: (pairs, weights)}, 3)
    # 44,850 terms: more states than one chunk of the implementation holds.
    spins = rng.choice(np.array([-1, 1], dtype=np.int8), (250, n))
    wide = spins.astype(np.int64)
    expected = 3 - (wide[:, pairs[:, 0]] * wide[:, pairs[:, 1]]) @ weights - wide @ model.bias
    assert np.array_equal(model.energy(spins), expected)
    assert np.array_equal(model.energy(spins.reshape(5, 50, n)), expected.reshape(5, 50))


def test_order_of_wide_indices_is_kept() -> None:
    # 27-bit indices of three spins do not fit one 64-bit key.
    n = SPIN_LIMIT // 8
    terms = [((n - 1, 5, 0), 1.0), ((3, n - 2, n - 1), 2.0), ((0, 5, n - 1), 4.0), ((0, 1, 2), -1.0)]
    expected = [((0, 1, 2), -1.0), ((0, 5, n - 1), 5.0), ((3, n - 2, n - 1), 2.0)]
    assert list(Model(n, None, terms).terms()) == expected


def test_arrays_are_copies_and_cannot_be_written() -> None:
    bias, spins, weights = np.array([1.0, 2.0]), np.array([[0, 1]]), np.array([3.0])
    model = Model.from_arrays(2, bias, {2: (spins, weights)})
    bias[0], weights[0], spins[0] = 9, 9, 0
    assert model.bias.tolist() == [1.0, 2.0]
    assert list(model.terms()) == [((0, 1), 3.0)]
    for array in (model.bias, model.blocks[0].weights, model.blocks[0].spins):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


# --- dimod ---


def test_the_sign_of_dimod() -> None:
    """dimod writes E = h s + J s s: its weights are minus the model's."""
    bqm = dimod.BinaryQuadraticModel({"a": 3.0, "b": -1.0}, {("a", "b"): 2.0}, 0.5, "SPIN")
    model = Model.from_bqm(bqm)
    assert model.bias.tolist() == [-3.0, 1.0]
    assert list(model.terms()) == [((0, 1), -2.0)]
    assert model.offset == 0.5
    # By hand: 3(+1) - 1(-1) + 2(+1)(-1) + 0.5.
    assert model.energy([1, -1]) == 2.5 == bqm.energy({"a": 1, "b": -1})
    back = model.to_bqm(["a", "b"])
    assert back.linear == {"a": 3.0, "b": -1.0}
    assert back.get_quadratic("b", "a") == 2.0
    # A positive J of the model pulls the two spins together.
    assert Model(2, None, {(0, 1): 1.0}).energy([[1, 1], [1, -1]]).tolist() == [-1.0, 1.0]


def values_of(vartype: str, spins: np.ndarray) -> np.ndarray:
    return spins if vartype == "SPIN" else (spins + 1) // 2


@st.composite
def quadratic(draw):
    labels = draw(st.lists(LABELS, min_size=1, max_size=7, unique=True))
    pairs = list(itertools.combinations(labels, 2))
    chosen = draw(st.lists(st.sampled_from(pairs), max_size=10)) if pairs else []
    make = draw(st.sampled_from([dimod.BinaryQuadraticModel, dimod.Float32BQM, dimod.DictBQM]))
    bqm = make(draw(st.sampled_from(["SPIN", "BINARY"])))
    for label in labels:
        bqm.add_linear(label, draw(SMALL))
    for a, b in chosen:
        bqm.add_quadratic(a, b, draw(SMALL))
    bqm.offset += draw(SMALL)
    return bqm


@settings(max_examples=60, deadline=None)
@given(quadratic())
def test_bqm_there_and_back(bqm) -> None:
    model = Model.from_bqm(bqm)
    labels = list(bqm.variables)
    spins = states_of(model.n)
    expected = [float(bqm.energy(dict(zip(labels, v.tolist(), strict=True)))) for v in values_of(bqm.vartype.name, spins)]
    # Eighths, quartered where bits become spins, are exact.
    assert model.energy(spins).tolist() == expected
    back = model.to_bqm(labels)
    assert back.vartype is dimod.SPIN
    assert list(back.variables) == labels
    assert back.energies((spins, labels)).tolist() == expected
    again = Model.from_bqm(back)
    assert (again.bias.tolist(), list(again.terms()), again.offset) == (model.bias.tolist(), list(model.terms()), model.offset)
    if bqm.vartype is dimod.SPIN:
        assert back.linear == bqm.linear
        assert {frozenset(k): v for k, v in back.quadratic.items()} == {frozenset(k): v for k, v in bqm.quadratic.items() if v}


@st.composite
def polynomial(draw):
    labels = draw(st.lists(LABELS, min_size=1, max_size=6, unique=True))
    members = st.lists(st.sampled_from(labels), max_size=min(6, len(labels)), unique=True).map(frozenset)
    terms = draw(st.dictionaries(members, SMALL, max_size=8))
    return dimod.BinaryPolynomial({**{frozenset([v]): 0.0 for v in labels}, **terms}, draw(st.sampled_from(["SPIN", "BINARY"])))


@settings(max_examples=60, deadline=None)
@given(polynomial())
def test_poly_there_and_back(poly) -> None:
    model, labels = Model.from_poly(poly), poly_variables(poly)
    assert set(labels) == set(poly.variables)
    spins = states_of(model.n)
    expected = [float(poly.energy(dict(zip(labels, v.tolist(), strict=True)))) for v in values_of(poly.vartype.name, spins)]
    assert model.energy(spins).tolist() == expected
    back = model.to_poly(labels)
    assert back.vartype is dimod.SPIN
    assert set(back.variables) == set(labels)
    assert [float(back.energy(dict(zip(labels, s.tolist(), strict=True)))) for s in spins] == expected
    again = Model.from_poly(back)
    assert (again.bias.tolist(), list(again.terms()), again.offset) == (model.bias.tolist(), list(model.terms()), model.offset)


def test_labels_of_one_type_are_sorted_and_of_many_by_type_and_text() -> None:
    assert poly_variables(dimod.BinaryPolynomial({(10, 9): 1, (2,): 1}, "SPIN")) == [2, 9, 10]
    mixed = dimod.BinaryPolynomial({("b", 10, 9): 1, ((1, 2), "a"): 1}, "SPIN")
    assert poly_variables(mixed) == [10, 9, "a", "b", (1, 2)]


HASHED = """
import json, sys, dimod
from ebmhw.model import Model, poly_variables
found = []
for vartype in ("SPIN", "BINARY"):
    terms = {("ab" * (i % 3) + str(i), "x", (i % 4, "t"), i): 0.1 + 0.37 * i for i in range(9)}
    poly = dimod.BinaryPolynomial({**terms, ("x",): 0.3, (): 0.7}, vartype)
    model = Model.from_poly(poly)
    rows = [[list(k), w.hex()] for k, w in model.terms()]
    found.append([repr(poly_variables(poly)), [b.hex() for b in model.bias.tolist()], rows, model.offset.hex()])
    texts = dimod.BinaryPolynomial({k: w for k, w in zip(("xyz", "ab", "zk", "kba"), (0.1, 0.2, 0.4, 0.7))}, vartype)
    found.append([poly_variables(texts), Model.from_poly(texts).compile().digest])
print(json.dumps(found))
"""


def test_models_of_polynomials_do_not_depend_on_the_hash_seed() -> None:
    runs = [
        subprocess.Popen([sys.executable, "-c", HASHED], env={**os.environ, "PYTHONHASHSEED": seed}, stdout=subprocess.PIPE)
        for seed in ("1", "2", "77")
    ]
    outputs = [run.communicate(timeout=60)[0] for run in runs]
    assert all(run.returncode == 0 for run in runs)
    assert len(json.loads(outputs[0])) == 4
    assert outputs[0] == outputs[1] == outputs[2]


def test_names_for_dimod_are_checked() -> None:
    model = Model(3, [1, 0, 0], [((0, 1), 1.0)])
    assert list(model.to_bqm().variables) == [0, 1, 2]
    for names in (["a", "b"], ["a", "b", "a"], list("abcd")):
        for method in (model.to_bqm, model.to_poly):
            with pytest.raises(InvalidModel, match=f"{len(set(names))} distinct variable names for 3 spins; give one name a spin"):
                method(names)
    with pytest.raises(InvalidModel, match=r"3 spins, a BQM holds pairs; use to_poly\(\)"):
        Model(3, None, [((0, 1, 2), 1.0)]).to_bqm()


def test_models_of_nothing_are_refused() -> None:
    for make in (
        lambda: Model.from_bqm(dimod.BinaryQuadraticModel("SPIN")),
        lambda: Model.from_poly(dimod.BinaryPolynomial({(): 1.0}, "SPIN")),
        lambda: Model.from_binary_arrays(np.zeros(0), np.zeros((0, 2), dtype=int), np.zeros(0)),
    ):
        with pytest.raises(InvalidModel, match="a model of 0 spins is not possible; give 1 to"):
            make()


# --- bits and thrml ---


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_bits_against_their_formula(data) -> None:
    n = data.draw(st.integers(1, 7))
    linear = data.draw(st.lists(st.integers(-50, 50), min_size=n, max_size=n))
    pairs = data.draw(st.lists(st.sampled_from(list(itertools.permutations(range(n), 2))), max_size=12)) if n > 1 else []
    weights = data.draw(st.lists(st.integers(-50, 50), min_size=len(pairs), max_size=len(pairs)))
    offset = data.draw(st.integers(-9, 9))
    model = Model.from_binary_arrays(np.array(linear, float), np.array(pairs, dtype=np.int64).reshape(-1, 2), np.array(weights, float), offset)
    for spins in states_of(n):
        x = [(1 + int(s)) // 2 for s in spins]
        expected = (
            offset + sum(a * v for a, v in zip(linear, x, strict=True)) + sum(q * x[i] * x[j] for q, (i, j) in zip(weights, pairs, strict=True))
        )
        assert model.energy(spins) == expected


def test_thrml_energies_are_equal() -> None:
    thrml = pytest.importorskip("thrml")
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import jax.numpy as jnp
        from thrml.models import IsingEBM

        rng = np.random.default_rng(5)
        for n in (2, 4):
            nodes = [thrml.SpinNode() for _ in range(n)]
            pairs = [p for p in itertools.combinations(range(n), 2) if rng.random() < 0.8] or [(0, 1)]
            bias, weights, beta = rng.integers(-4, 5, n) / 4, rng.integers(1, 9, len(pairs)) / 8, 1.5
            # The edge is named from either end: a term has no direction.
            edges = [(nodes[b], nodes[a]) if k % 2 else (nodes[a], nodes[b]) for k, (a, b) in enumerate(pairs)]
            theirs = IsingEBM(nodes, edges, jnp.array(bias), jnp.array(weights), jnp.array(beta))
            model = Model.from_thrml(theirs)
            for spins in states_of(n):
                state = [jnp.array(spins > 0)]
                assert float(theirs.energy(state, [thrml.Block(nodes)])) == pytest.approx(float(model.energy(spins)), abs=1e-5)


# --- bad input ---

NOT_FINITE = (float("nan"), float("inf"), -float("inf"))


@pytest.mark.parametrize("value", NOT_FINITE)
def test_numbers_must_be_finite(value: float) -> None:
    shown = re.escape(str(value))
    with pytest.raises(InvalidModel, match=rf"bias of spin 2 is {shown}; weights must be finite"):
        Model(3, [0, 0, value])
    with pytest.raises(InvalidModel, match=rf"weight of term \(2, 0\) is {shown}; weights must be finite"):
        Model(3, None, [((0, 1), 1.0), ((2, 0), value)])
    with pytest.raises(InvalidModel, match=rf"weight of term \(0, 1, 2\) is {shown}"):
        Model.from_arrays(3, None, {3: ([[0, 1, 2]], [value])})
    with pytest.raises(InvalidModel, match=rf"offset is {shown}; it must be one finite number"):
        Model(3, offset=value)
    with pytest.raises(InvalidModel, match=f"bias of spin 0 is {re.escape(str(-value))}"):
        Model.from_bqm(dimod.BinaryQuadraticModel({"a": value}, {}, "SPIN"))
    with pytest.raises(InvalidModel, match=f"weight of term .* is {re.escape(str(-value))}"):
        Model.from_poly(dimod.BinaryPolynomial({"ab": value}, "SPIN"))


def test_sums_beyond_float64_are_refused() -> None:
    with pytest.raises(InvalidModel, match=r"sum of the weights of term \(0, 1\) is inf; weights must be finite"):
        Model(3, None, [((0, 1), 1e308), ((1, 0), 1e308)])


@pytest.mark.parametrize("n", [0, -1, SPIN_LIMIT + 1])
def test_number_of_spins_has_limits(n: int) -> None:
    with pytest.raises(InvalidModel, match=f"a model of {n} spins is not possible; give 1 to {SPIN_LIMIT}"):
        Model(n)


@pytest.mark.parametrize("value", [2.0, "2", True, None, np.bool_(True), 1j, np.float64(2)])
def test_spins_are_counted_with_integers(value: object) -> None:
    shown = re.escape(repr(value.item() if isinstance(value, np.generic) else value))
    with pytest.raises(InvalidModel, match=f"the number of spins holds {shown}; spins are counted with integers"):
        Model(value)
    with pytest.raises(InvalidModel, match=f"term 1 holds {shown}; spins are counted with integers"):
        Model(3, None, [((0, 1), 1.0), ((0, value), 1.0)])


@pytest.mark.parametrize("kind", [np.int8, np.int16, np.uint8, np.uint64, np.int64])
def test_any_integer_type_will_do(kind: type) -> None:
    spins = np.array([[2, 1], [0, 2]], dtype=kind)
    expected = [((0, 2), 2.0), ((1, 2), 1.0)]
    assert list(Model(kind(3), None, zip(spins, [1, 2], strict=True)).terms()) == expected
    assert list(Model.from_arrays(kind(3), None, {2: (spins, [1, 2])}).terms()) == expected


@pytest.mark.parametrize("spin", [-1, 3, 2**31, 2**32, 2**62, 2**63, 2**80, -(2**63) - 1])
def test_spins_out_of_range(spin: int) -> None:
    with pytest.raises(InvalidModel, match=rf"\(1, {spin}\) names a spin out of range; spins of this model are 0..2"):
        Model(3, None, [((0, 1), 1.0), ((1, spin), 1.0)])
    if abs(spin) < 2**63:
        with pytest.raises(InvalidModel, match=rf"\(1, {spin}\) names a spin out of range; spins of this model are 0..2"):
            Model.from_arrays(3, None, {2: (np.array([[0, 1], [1, spin]]), [1, 1])})


@pytest.mark.parametrize("members", [(1, 1), (0, 2, 0), (2, 1, 2, 0)])
def test_a_repeated_spin_is_refused(members: tuple[int, ...]) -> None:
    text = rf"term {re.escape(str(tuple(sorted(members))))} repeats a spin; .* drop both"
    with pytest.raises(InvalidModel, match=text):
        Model(3, None, [(members, 1.0)])
    with pytest.raises(InvalidModel, match=text):
        Model.from_arrays(3, None, {len(members): ([members], [1.0])})


def test_a_term_has_two_spins_or_more() -> None:
    for members in ((), (1,)):
        with pytest.raises(
            InvalidModel, match=rf"term 1 holds {len(members)} spin\(s\); a term has 2 or more, a single spin's weight goes into bias"
        ):
            Model(3, None, [((0, 1), 1.0), (members, 1.0)])


@pytest.mark.parametrize("bias", [[1.0, 2.0], [1.0] * 4, 1.0, [[1.0, 2.0, 3.0]], [[1.0], [2.0], [3.0]], []])
def test_bias_has_one_number_a_spin(bias: object) -> None:
    with pytest.raises(InvalidModel, match=rf"bias has shape {re.escape(str(np.shape(bias)))} for 3 spins; give one number a spin"):
        Model(3, bias)


@pytest.mark.parametrize("values", [["a", "b", "c"], ["1", "2", "3"], [1j, 0, 0], [[1], [1, 2], 3], np.zeros(3, "M8[s]")])
def test_numbers_are_real(values: object) -> None:
    with pytest.raises(InvalidModel, match="bias are not all real numbers; give integers or floats"):
        Model(3, values)
    with pytest.raises(InvalidModel, match="weights of the terms of order 2 are not all real numbers; give integers or floats"):
        Model.from_arrays(3, None, {2: ([[0, 1], [0, 2], [1, 2]], values)})


@pytest.mark.parametrize(
    ("order", "spins", "weights", "text"),
    [
        (2, [[0.0, 1.0]], [1], "spins of the terms of order 2 are float64; give integers"),
        (2, [[False, True]], [1], "are bool; give integers"),
        (2, [["0", "1"]], [1], "give integers"),
        (3, [[0, 1]], [1], r"order 3 have shape \(1, 2\); give \(terms, 3\)"),
        (1, [[0]], [1], r"order 1 have shape \(1, 1\); give \(terms, 2\)"),
        (2, [0, 1], [1], r"order 2 have shape \(2,\); give \(terms, 2\)"),
        (2, [[0, 1]], [1, 2], "2 weights for 1 terms of order 2; give one a term"),
        (2, [[0, 1]], 1.0, "1 weights for 1 terms of order 2; give one a term"),
    ],
)
def test_arrays_of_another_form(order: int, spins: object, weights: object, text: str) -> None:
    with pytest.raises(InvalidModel, match=text):
        Model.from_arrays(3, None, {order: (spins, weights)})


@pytest.mark.parametrize(
    ("spins", "text"),
    [
        ([1, 1], r"spins have shape \(2,\); the last axis must be 3"),
        (1, r"spins have shape \(\); the last axis must be 3"),
        ([[1], [1], [1]], r"spins have shape \(3, 1\)"),
        ([1, 0, 1], "spins hold .*0.*; every spin is -1 or"),
        ([1, 2, 1], "spins hold .*2"),
        ([1, 1.5, 1], r"spins hold .*1\.5"),
        ([1, float("nan"), 1], "spins hold .*nan"),
        (["1", "1", "-1"], "spins hold .*1"),
        ([1j, 1, 1], "spins hold .*1j"),
        ([2**70, 1, 1], f"spins hold {2**70}"),
        (np.array([255, 1, 1], dtype=np.uint8), "spins hold .*255"),
    ],
)
def test_spins_are_plus_or_minus_one(spins: object, text: str) -> None:
    with pytest.raises(InvalidModel, match=text):
        Model(3, [1, 2, 3]).energy(spins)


JUNK = st.one_of(
    st.integers(-5, 5),
    st.floats(),
    st.booleans(),
    st.text(max_size=2),
    st.none(),
    st.integers(2**60, 2**70),
    st.just(float("nan")),
    st.complex_numbers(),
)


@settings(max_examples=150, deadline=None)
@given(JUNK, st.one_of(st.none(), st.lists(JUNK, max_size=4)), st.lists(st.tuples(st.lists(JUNK, max_size=4), st.one_of(SMALL, JUNK)), max_size=4))
@example(2, [True, 0], [([0, 1], True)])
def test_junk_makes_a_model_or_an_invalid_model(n, bias, terms) -> None:
    """Entries of the right nesting but of any value never end in another exception."""
    if type(n) is not int:
        terms = []
    try:
        model = Model(n, bias, terms)
    except InvalidModel as error:
        assert isinstance(error, EbmhwError)
        assert isinstance(error, ValueError)
        assert error.code == "invalid-model"
        assert "\n" not in str(error)
        return
    assert np.isfinite(model.bias).all()
    assert all(np.isfinite(w) and w for _, w in model.terms())


def test_the_module_is_importable_without_peers(tmp_path: Path) -> None:
    code = "import sys, ebmhw.model; print([m for m in ('dimod', 'thrml', 'jax', 'torch') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True).stdout == "[]\n"


@pytest.mark.parametrize(
    "make",
    [
        lambda: Model(2, None, [((0, 1), 10**400)]),
        lambda: Model(2, [10**400, 0]),
        lambda: Model(2, offset=10**400),
        lambda: Model(2, offset="abc"),
        lambda: Model(2, offset=None),
        lambda: Model(2, None, [((0, 1), [1.0])]),
        lambda: Model(3, None, [(0, 1, 2.0)]),
        lambda: Model(3, None, [(0, 2.0)]),
        lambda: Model("3", None, [((0, -1), 1.0)]),
        lambda: Model.from_arrays(3, None, {2: ([[0, 1], [2]], [1, 2])}),
        lambda: Model(3, [1, 2, 3]).energy([[1, 1, 1], [1, 1]]),
        lambda: Model.from_binary_arrays(np.ones(2), [[0, 2]], np.ones(1)),
        lambda: Model.from_binary_arrays(np.ones(2), [[0, -1]], np.ones(1)),
        lambda: Model.from_binary_arrays(np.ones(2), [[0, 1.0]], np.ones(1)),
        lambda: Model.from_binary_arrays(np.ones(2), [[0, 1]], np.ones(2)),
    ],
)
def test_other_bad_input_is_an_invalid_model_too(make) -> None:
    with pytest.raises(InvalidModel):
        make()


def test_no_pairs_of_bits() -> None:
    assert Model.from_binary_arrays(np.array([3.0]), [], np.zeros(0)).energy([[1], [-1]]).tolist() == [3, 0]


def test_order_of_labels_that_compare_only_in_part() -> None:
    """Sets compare by inclusion, which never fails and sorts nothing: the order given must not show."""
    labels = [frozenset([c]) for c in "cabd"]
    orders = [poly_variables(types.SimpleNamespace(variables=list(p))) for p in itertools.permutations(labels)]
    assert all(order == orders[0] for order in orders)
