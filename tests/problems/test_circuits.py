"""Arithmetic circuits: ground states against exhaustive arithmetic, forwards, backwards, with constants; clauses against a complete solver."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebmhw.backends import get_backend
from ebmhw.errors import InvalidModel
from ebmhw.problems import Penalties, find
from ebmhw.problems.circuits import AtMost, Circuit, Product, Sum, adder, factoring, multiplier
from ebmhw.problems.decide import decide

BOTH = pytest.mark.parametrize("higher_order", [True, False])


def cube(n: int) -> np.ndarray:
    return np.array(list(product((-1, 1), repeat=n)), dtype=np.int8).reshape(2**n, n)


def judge(circuit: Circuit, right: set[tuple[int, ...]]) -> None:
    """Every state of energy 0 decodes to a right tuple; every right tuple has exactly one; each broken rule is named."""
    n = circuit.model.n
    assert n <= 18
    states = cube(n)
    energies = circuit.model.energy(states)
    assert energies.min() >= 0 and (energies == np.round(energies)).all()
    zero = [tuple(circuit.decode(state).values()) for state in states[energies == 0]]
    assert sorted(zero) == sorted(right)
    for values in product(*(range(2**width) for width in circuit.widths.values())):
        solution = dict(zip(circuit.widths, values, strict=True))
        state = circuit.encode(solution)
        assert circuit.decode(state) == solution
        assert (circuit.violated(solution) == ()) is (values in right) is (float(circuit.model.energy(state[None])[0]) == 0)


@BOTH
@pytest.mark.parametrize("width", [1, 2, 3])
def test_adders(width: int, higher_order: bool) -> None:
    circuit = adder(width, higher_order)
    judge(circuit, {(a, b, a + b) for a in range(2**width) for b in range(2**width)})
    assert circuit.model.n == 3 * width + 1 + (0 if higher_order else width - 1)
    assert circuit.model.max_order == (2 if not higher_order else 6 if width > 1 else 4)


@BOTH
@pytest.mark.parametrize("widths", [(1, 1), (1, 3), (2, 2), (3, 2)])
def test_multipliers(widths: tuple[int, int], higher_order: bool) -> None:
    circuit = multiplier(*widths, higher_order=higher_order)
    judge(circuit, {(a, b, a * b) for a in range(2 ** widths[0]) for b in range(2 ** widths[1])})
    assert circuit.model.max_order <= (4 if higher_order else 2)


@BOTH
@pytest.mark.parametrize("less", [True, False])
def test_comparisons(less: bool, higher_order: bool) -> None:
    for widths in ((1, 1), (3, 3), (2, 4), (4, 1)):
        circuit = Circuit({"a": widths[0], "b": widths[1]}, [AtMost("a", "b", less)], higher_order)
        judge(circuit, {(a, b) for a in range(2 ** widths[0]) for b in range(2 ** widths[1]) if (a < b if less else a <= b)})


@st.composite
def circuits(draw: st.DrawFn) -> tuple[Circuit, set[tuple[int, ...]]]:
    widths = {name: draw(st.integers(1, 3)) for name in "abc"[: draw(st.integers(1, 3))]}
    operand = st.sampled_from(sorted(widths)) | st.integers(0, 9)
    rules: list[Any] = draw(
        st.lists(
            st.builds(Sum, operand, operand, operand)
            | st.builds(Product, operand, operand, operand)
            | st.builds(AtMost, operand, operand, st.booleans()),
            max_size=2,
        )
    )
    right = set()
    for values in product(*(range(2**width) for width in widths.values())):
        named = dict(zip(widths, values, strict=True))

        def value(x: Any, named: dict[str, int] = named) -> int:
            return named[x] if isinstance(x, str) else x

        def holds(rule: Any, value: Any = value) -> bool:
            if isinstance(rule, AtMost):
                return bool(value(rule.a) + rule.less <= value(rule.b))
            a, b = value(rule.a), value(rule.b)
            return bool(value(rule.total) == (a + b if isinstance(rule, Sum) else a * b))

        if all(map(holds, rules)):
            right.add(values)
    return Circuit(widths, rules, draw(st.booleans())), right


@given(circuits())
def test_any_rules_of_any_widths_names_and_constants(case: tuple[Circuit, set[tuple[int, ...]]]) -> None:
    circuit, right = case
    pytest.importorskip("pysat")
    assert circuit.higher_order or circuit.model.max_order <= 2
    outcome = decide(circuit.formula)
    assert outcome.satisfiable is bool(right)
    if outcome.assignment is not None:
        spins = np.where(outcome.assignment[: circuit.penalties.num_bits], 1, -1)
        assert tuple(circuit.decode(spins).values()) in right
    if circuit.model.n <= 13:
        judge(circuit, right)


@given(
    st.lists(st.tuples(st.integers(-4, 4), st.lists(st.integers(1, 5).flatmap(lambda v: st.sampled_from([v, -v])), max_size=3)), max_size=5),
    st.integers(-6, 6),
)
def test_sums_of_products_cost_their_difference_squared(parts: list[tuple[int, list[int]]], equals: int) -> None:
    pytest.importorskip("pysat")
    penalties = Penalties()
    penalties.bits(5)
    penalties.linear_of_products([a for a, _ in parts], [literals for _, literals in parts], equals)
    energy = penalties.energy()
    states = cube(5)
    costs = [(sum(a for a, literals in parts if all(s[abs(x) - 1] == (1 if x > 0 else -1) for x in literals)) - equals) ** 2 for s in states]
    assert energy.model.n == 5 and np.allclose(energy.model.energy(states), energy.unit * np.array(costs), rtol=1e-12, atol=0)
    assert decide(penalties.formula()).satisfiable is (0 in costs)


@BOTH
@pytest.mark.parametrize("width", [8, 16])
def test_wide_sums_and_products(width: int, higher_order: bool) -> None:
    rng = np.random.default_rng(width)
    for circuit, name in ((adder(width, higher_order), "sum"), (multiplier(width, higher_order=higher_order), "product")):
        states, wrong = [], []
        for _ in range(20):
            a, b = (int(x) for x in rng.integers(0, 2**width, 2))
            right = a + b if name == "sum" else a * b
            states.append(circuit.encode({"a": a, "b": b, name: right}))
            wrong.append(circuit.encode({"a": a, "b": b, name: right ^ 1 << int(rng.integers(0, width))}))
            assert circuit.violated(circuit.decode(states[-1])) == () != circuit.violated(circuit.decode(wrong[-1]))
        assert (circuit.model.energy(np.array(states)) == 0).all() and (circuit.model.energy(np.array(wrong)) > 0).all()


@BOTH
def test_forwards_and_backwards_on_a_backend(higher_order: bool) -> None:
    backend = get_backend("cpu")
    circuit = adder(6, higher_order)
    assert find(circuit, backend, 1, clamps=circuit.clamps({"a": 37, "b": 58})).solution == {"a": 37, "b": 58, "sum": 95}
    assert find(circuit, backend, 1, clamps=circuit.clamps({"a": 37, "sum": 95})).solution == {"a": 37, "b": 58, "sum": 95}
    found = find(circuit, backend, 1, clamps=circuit.clamps({"sum": 95}))
    assert found.solved and found.solution is not None and found.solution["a"] + found.solution["b"] == 95
    circuit = multiplier(4, higher_order=higher_order)
    assert find(circuit, backend, 1, clamps=circuit.clamps({"a": 11, "product": 143})).solution == {"a": 11, "b": 13, "product": 143}


@BOTH
@pytest.mark.parametrize(("number", "factors"), [(15, (3, 5)), (4, (2, 2)), (143, (11, 13)), (221, (13, 17))])
def test_factoring(number: int, factors: tuple[int, int], higher_order: bool) -> None:
    pytest.importorskip("pysat")
    circuit = factoring(number, higher_order=higher_order)
    assert find(circuit, get_backend("cpu"), 1, reads=256).solution == {"a": factors[0], "b": factors[1]}
    assignment = decide(circuit.formula).assignment
    assert assignment is not None
    assert tuple(circuit.decode(np.where(assignment[: circuit.penalties.num_bits], 1, -1)).values()) == factors


def test_no_search_finds_what_does_not_exist() -> None:
    circuit = factoring(251 * 257, (8, 8))  # 257 has 9 bits
    found = find(circuit, get_backend("cpu"), 1, reads=64, sweeps=200, rounds=1)
    assert not found.solved and found.energy > 0
    pytest.importorskip("pysat")
    assert decide(circuit.formula, 60).satisfiable is False


def test_primes_have_no_factors() -> None:
    pytest.importorskip("pysat")
    for number in range(4, 64):
        prime = all(number % d for d in range(2, number))
        assert decide(factoring(number).formula).satisfiable is not prime
    circuit = factoring(13)
    assert circuit.model.energy(cube(circuit.model.n)).min() >= 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (({"a": 0}, []), "the width of 'a' is 0; give an integer, 1 to 64"),
        (({"a": 2.5}, []), "the width of 'a' is 2.5"),
        (({"a": 65}, []), "the width of 'a' is 65"),
        (({"a": 2}, [Sum("a", "b", 1)]), "rule a = b . 1 names 'b'; the integers are a"),
        (({"a": 2}, [Sum("a", -1, 1)]), "rule Sum holds -1; give a name, or an integer from 0"),
        (({"a": 2}, [Sum("a", 1.5, 1)]), "rule Sum holds 1.5"),  # type: ignore[arg-type]
        (({"a": 2}, [5]), "5 is no rule"),
    ],
)
def test_wrong_circuits_are_refused(arguments: tuple[Any, ...], message: str) -> None:
    with pytest.raises(InvalidModel, match=message):
        Circuit(*arguments)


def test_wrong_values_are_refused() -> None:
    circuit = adder(2)
    with pytest.raises(InvalidModel, match="a is 4; give an integer, 0 to 3"):
        circuit.clamps({"a": 4})
    with pytest.raises(InvalidModel, match="a value is given for 'x'"):
        circuit.clamps({"x": 0})
    with pytest.raises(InvalidModel, match="give one for each of a, b, sum"):
        circuit.encode({"a": 1})
    with pytest.raises(InvalidModel, match="a number to be factored is 3"):
        factoring(3)
    with pytest.raises(InvalidModel, match="the width of an adder is 0"):
        adder(0)
    with pytest.raises(InvalidModel, match="the width of a multiplier is 33"):
        multiplier(4, 33)
    assert repr(circuit) == "Circuit(sum = a + b; 7 bits)"
