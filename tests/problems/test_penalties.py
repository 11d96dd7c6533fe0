"""Penalties: every constraint against counting over all states, ancillas minimised out; its clauses against the same."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ebmhw.errors import InvalidModel
from ebmhw.problems.formula import Formula
from ebmhw.problems.penalties import Penalties

EXACT = ("clause", "forbid", "parity", "table", "different", "forbid_all")
SUMS = ("exactly", "at_most", "at_least", "between", "linear", "linear_between")

Row = tuple[bool, ...]
Rule = Callable[[Row], bool]
Constraint = tuple[str, Callable[..., None], Rule]


def cube(n: int) -> np.ndarray:
    return np.array(list(product((-1, 1), repeat=n)), dtype=np.int8).reshape(2**n, n)


def least(penalties: Penalties, own: int, hard: float | None = None) -> np.ndarray:
    """The least cost of each of the 2^own truths of the problem's bits over all ancillas."""
    energy = penalties.energy(hard)
    values = energy.model.energy(cube(penalties.num_bits)) / energy.unit
    return values.reshape(2**own, -1).min(axis=1)


def rows(own: int) -> list[Row]:
    return list(product((False, True), repeat=own))


def holds(row: Row, literal: int) -> bool:
    return row[abs(literal) - 1] == (literal > 0)


def satisfiable(formula: Formula, own: int) -> list[bool]:
    """Whether each truth of the first variables extends to all hard clauses, by trying all truths of those the clauses name."""
    clauses = [c for c, hard in zip(formula.clauses, formula.hard.tolist(), strict=True) if hard]
    result = []
    for row in rows(own):
        partial = {i + 1: value for i, value in enumerate(row)}
        result.append(_extends(clauses, partial))
    return result


def _extends(clauses: Sequence[tuple[int, ...]], known: dict[int, bool]) -> bool:
    left = []
    for clause in clauses:
        if any(known.get(abs(x)) == (x > 0) for x in clause):
            continue
        rest = tuple(x for x in clause if abs(x) not in known)
        if not rest:
            return False
        left.append(rest)
    if not left:
        return True
    x = min(left, key=len)[0]
    return any(_extends(left, {**known, abs(x): value}) for value in (x > 0, x < 0))


def literals(n: int, least: int = 0, most: int = 7) -> st.SearchStrategy[list[int]]:
    return st.lists(st.integers(1, n).flatmap(lambda v: st.sampled_from([v, -v])), min_size=least, max_size=most)


@st.composite
def constraints(draw: st.DrawFn, n: int) -> tuple[str, Callable[[Penalties, float | None], None], Rule]:
    kind = draw(
        st.sampled_from(
            [
                "clause",
                "forbid",
                "exactly",
                "at_most",
                "at_least",
                "between",
                "linear",
                "linear_between",
                "parity",
                "table",
                "different",
                "forbid_all",
            ]
        )
    )
    members = draw(literals(n))
    k, span = draw(st.integers(-1, 7)), draw(st.integers(0, 4))

    def count(row: Row) -> int:
        return sum(holds(row, x) for x in members)

    if kind == "clause":
        return kind, lambda p, w: p.clause(members, w), lambda row: count(row) > 0
    if kind == "forbid":
        return kind, lambda p, w: p.forbid(members, w), lambda row: count(row) < len(members)
    if kind == "exactly":
        return kind, lambda p, w: p.exactly(members, k, w), lambda row: count(row) == k
    if kind == "at_most":
        return kind, lambda p, w: p.at_most(members, k, w), lambda row: count(row) <= k
    if kind == "at_least":
        return kind, lambda p, w: p.at_least(members, k, w), lambda row: count(row) >= k
    if kind == "between":
        return kind, lambda p, w: p.between(members, k, k + span, w), lambda row: k <= count(row) <= k + span
    if kind == "parity":
        odd = draw(st.booleans())
        return kind, lambda p, w: p.parity(members, odd, w), lambda row: (count(row) % 2 == 1) == odd
    if kind == "table":
        bits = draw(st.lists(st.integers(1, n), min_size=1, max_size=5, unique=True))
        signed = [x * draw(st.sampled_from([-1, 1])) for x in bits]
        allowed = draw(st.sets(st.tuples(*[st.booleans()] * len(signed))))
        return kind, lambda p, w: p.table(signed, allowed, w), lambda row: tuple(holds(row, x) for x in signed) in allowed
    if kind == "different":
        half = draw(st.integers(1, max(1, n // 2)))
        codes = [x * draw(st.sampled_from([-1, 1])) for x in draw(st.permutations(range(1, n + 1)))[: 2 * half]]
        if n == 1:
            return "clause", lambda p, w: p.clause([1], w), lambda row: row[0]
        a, b = codes[:half], codes[half:]
        return kind, lambda p, w: p.different(a, b, w), lambda row: [holds(row, x) for x in a] != [holds(row, x) for x in b]
    if kind == "forbid_all":
        groups = draw(st.lists(literals(n, least=1, most=3), max_size=3))
        return kind, lambda p, w: p.forbid_all(groups, w), lambda row: not any(all(holds(row, x) for x in group) for group in groups)
    factors = draw(st.lists(st.integers(-5, 5), min_size=len(members), max_size=len(members)))
    low = draw(st.integers(-6, 8))
    high = low if kind == "linear" else low + draw(st.integers(0, 12))

    def total(row: Row) -> int:
        return sum(a for a, x in zip(factors, members, strict=True) if holds(row, x))

    return kind, lambda p, w: p.linear_between(factors, members, low, high, w), lambda row: low <= total(row) <= high


@settings(max_examples=120)
@given(st.data())
def test_each_constraint_costs_nothing_exactly_where_it_holds(data: st.DataObject) -> None:
    n = data.draw(st.integers(1, 6))
    _, add, rule = data.draw(constraints(n))
    penalties = Penalties(terms_limit=data.draw(st.sampled_from([0, 20, 256])))
    penalties.bits(n)
    add(penalties, None)
    if penalties.num_bits > 12:
        return
    costs, truth = least(penalties, n), [rule(row) for row in rows(n)]
    assert ((costs == 0) == truth).all()
    assert (costs[~np.array(truth)] >= 1).all()
    energy = penalties.energy()
    assert energy.hard == 1
    assert all(float(w).is_integer() for w in [energy.model.offset, *energy.model.bias, *(w for _, w in energy.model.terms())])
    assert satisfiable(penalties.formula(), n) == truth
    for row, cost in zip(rows(n), costs, strict=True):
        state = penalties.completed([i + 1 for i, value in enumerate(row) if value])
        assert (state[:n] > 0).tolist() == list(row)
        assert energy.model.energy(state) / energy.unit == cost


@settings(max_examples=60)
@given(st.data())
def test_hard_constraints_outweigh_all_soft_ones(data: st.DataObject) -> None:
    n = data.draw(st.integers(1, 5))
    penalties = Penalties(terms_limit=data.draw(st.sampled_from([0, 256])))
    penalties.bits(n)
    hard = [data.draw(constraints(n)) for _ in range(data.draw(st.integers(0, 2)))]
    for _, add, _ in hard:
        add(penalties, None)
    # Soft constraints with an exact cost, and products of either sign.
    soft = [(c, data.draw(st.integers(1, 9))) for c in data.draw(st.lists(constraints(n).filter(lambda c: c[0] in EXACT), max_size=3))]
    for (_, add, _), weight in soft:
        add(penalties, weight)
    products = data.draw(st.lists(st.tuples(literals(n, most=3), st.integers(-9, 9)), max_size=4))
    for members, weight in products:
        penalties.add(members, weight)
    if penalties.num_bits > 12:
        return

    def price(row: Row) -> int:
        broken = sum(w for (_, _, rule), w in soft if not rule(row))
        return broken + sum(w for members, w in products if all(holds(row, x) for x in members))

    costs = least(penalties, n)
    feasible = np.array([all(rule(row) for _, _, rule in hard) for row in rows(n)])
    prices = np.array([price(row) for row in rows(n)])
    assert (costs[feasible] == prices[feasible]).all()
    if feasible.any() and not feasible.all():
        assert costs[~feasible].min() > costs[feasible].max()
    for row, cost in zip(rows(n), costs, strict=True):
        state = penalties.completed([i + 1 for i, value in enumerate(row) if value])
        energy = penalties.energy()
        assert energy.model.energy(state) == pytest.approx(energy.unit * cost, rel=1e-12)


@given(st.data())
def test_soft_sums_cost_at_least_their_weight(data: st.DataObject) -> None:
    n = data.draw(st.integers(1, 5))
    _, add, rule = data.draw(constraints(n).filter(lambda c: c[0] in SUMS))
    weight = data.draw(st.integers(1, 5))
    penalties = Penalties(terms_limit=data.draw(st.sampled_from([0, 256])))
    own = penalties.bits(n)
    add(penalties, weight)
    penalties.clause([own[0]])
    if penalties.num_bits > 12:
        return
    truth = np.array([rule(row) for row in rows(n)])
    first = np.array([row[0] for row in rows(n)])
    costs = least(penalties, n)
    assert (costs[truth & first] == 0).all() and (costs[~truth & first] >= weight).all()
    assert costs[~first].min() > costs[first].max()


@given(st.data())
def test_weighted_clauses_of_the_formula_cost_the_same_up_to_a_constant(data: st.DataObject) -> None:
    n = data.draw(st.integers(1, 4))
    penalties = Penalties()
    penalties.bits(n)
    for members, weight in data.draw(st.lists(st.tuples(literals(n, most=3), st.integers(-5, 5)), min_size=1, max_size=4)):
        penalties.add(members, weight)
    _, add, _ = data.draw(constraints(n).filter(lambda c: c[0] in EXACT))
    add(penalties, 3)
    formula = penalties.formula()
    further = formula.num_variables - penalties.num_bits
    if penalties.num_bits + further > 12:
        return
    states = cube(formula.num_variables)
    soft = least(penalties, n)
    cost = formula.cost(states).reshape(2**n, -1).min(axis=1)
    assert np.ptp(cost - soft) == 0


@given(st.data())
def test_tabulated_costs_are_those_of_the_table(data: st.DataObject) -> None:
    n = data.draw(st.integers(1, 5))
    members = [x * data.draw(st.sampled_from([-1, 1])) for x in data.draw(st.permutations(range(1, n + 1)))]
    costs = data.draw(st.lists(st.integers(0, 9), min_size=2**n, max_size=2**n))
    penalties = Penalties()
    penalties.bits(n)
    penalties.tabulated(members, costs)
    expected = [costs[int("".join(str(int(holds(row, x))) for x in members), 2)] for row in rows(n)]
    assert penalties.num_bits == n and least(penalties, n).tolist() == expected
    assert penalties.hard_weight == 1 + max(costs) - min(costs)


def test_a_penalty_that_is_too_small_has_other_ground_states() -> None:
    """The negative control: below the derived weight, breaking the constraint pays."""
    penalties = Penalties()
    a, b = penalties.bits(2)
    penalties.forbid([a, b])
    penalties.add([a], -5)
    penalties.add([b], -4)
    assert penalties.hard_weight == 10
    both = rows(2).index((True, True))
    assert least(penalties, 2).argmin() != both
    assert least(penalties, 2, hard=4).tolist()[both] == least(penalties, 2, hard=4).min()
    assert least(penalties, 2, hard=3).argmin() == both


@pytest.mark.parametrize(
    ("m", "low", "high", "ancillas"),
    [
        (9, 1, 1, 0),
        (9, 0, 1, 0),
        (9, 3, 4, 0),
        (9, 0, 2, 0),
        (20, 0, 2, 1),
        (20, 0, 3, 1),
        (20, 0, 4, 2),
        (20, 5, 12, 2),
        (40, 0, 17, 4),
        (8, 1, 8, 0),
        (11, 1, 11, 1),
    ],
)
def test_sums_take_few_ancillas(m: int, low: int, high: int, ancillas: int) -> None:
    penalties = Penalties()
    penalties.between(penalties.bits(m), low, high)
    assert penalties.num_bits == m + ancillas
    model, unit, _ = penalties.energy()
    for t in range(m + 1):
        cost = model.energy(penalties.completed(range(1, t + 1))) / unit
        assert cost == 0 if low <= t <= high else cost >= 1


@given(st.data())
def test_sums_of_products(data: st.DataObject) -> None:
    n = data.draw(st.integers(1, 5))
    products = data.draw(st.lists(literals(n, most=3), max_size=4))
    factors = data.draw(st.lists(st.integers(-4, 4), min_size=len(products), max_size=len(products)))
    equals = data.draw(st.integers(-5, 5))
    penalties = Penalties()
    penalties.bits(n)
    penalties.linear_of_products(factors, products, equals)
    sums = [sum(a for a, members in zip(factors, products, strict=True) if all(holds(row, x) for x in members)) for row in rows(n)]
    assert least(penalties, n).tolist() == [(total - equals) ** 2 for total in sums]
    assert satisfiable(penalties.formula(), n) == [total == equals for total in sums]


def test_a_parity_is_one_product_and_a_clause_one_family() -> None:
    penalties = Penalties()
    members = penalties.bits(20)
    penalties.parity(members)
    assert penalties.num_bits == 20 and penalties.model().num_terms == 1 and penalties.model().max_order == 20
    longer = Penalties()
    longer.clause(longer.bits(14))
    assert longer.num_bits == 15 and longer.model().max_order == 8


def test_large_sums_have_clauses() -> None:
    penalties = Penalties()
    members = penalties.bits(60)
    penalties.between(members, 20, 30)
    formula = penalties.formula()
    assert formula.num_clauses < 3000
    for t, expected in ((19, False), (20, True), (30, True), (31, False)):
        known = {i: i <= t for i in members}
        assert _extends_by_units(formula.clauses, known) == expected


def _extends_by_units(clauses: Sequence[tuple[int, ...]], known: dict[int, bool]) -> bool:
    """Unit propagation decides a decision diagram once all its inputs are known."""
    changed = True
    while changed:
        changed = False
        for clause in clauses:
            open_ = [x for x in clause if abs(x) not in known]
            if any(known.get(abs(x)) == (x > 0) for x in clause):
                continue
            if not open_:
                return False
            if len(open_) == 1:
                known[abs(open_[0])] = open_[0] > 0
                changed = True
    return True


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda p: p.clause([3]), r"literal 3 names no bit; literals are 1 \.\. 2"),
        (lambda p: p.clause([0]), "literal 0 names no bit"),
        (lambda p: p.clause([True]), "literal True names no bit"),
        (lambda p: p.clause([1], weight=0), "a constraint weighs 0; give a positive number, or None"),
        (lambda p: p.clause([1], weight=math.nan), "a weight is nan; it must be one finite number"),
        (lambda p: p.add([1], math.inf), "a weight is inf"),
        (lambda p: p.bits(-1), "-1 further bits after 2 are not possible"),
        (lambda p: p.bits(2**26), "further bits after 2 are not possible; a model has at most"),
        (lambda p: p.linear([1], [1, 2], 1), "1 coefficients for 2 literals; give one a literal"),
        (lambda p: p.linear([0.5], [1], 1), "coefficient 0.5 of a linear constraint is no integer"),
        (lambda p: p.linear_at_most([2**40, 2**40 + 1], [1, 2], 2**40), "sum up to 2199023255553, beyond 2147483648; divide them"),
        (lambda p: p.table([1, -1], []), r"a table over literals \(1, -1\); give 1 to 8 literals of distinct bits"),
        (lambda p: p.table([1, 2], [(1,)]), r"row \(True,\) has 1 values for 2 literals"),
        (lambda p: p.different([1], [-1]), r"codes \(1,\) and \(-1,\); give two of 1 to 8 literals, all of distinct bits"),
        (lambda p: p.tabulated([1], [1, -1]), r"costs \[1, -1\] of 1 literals; give 2 finite numbers of at least 0"),
        (lambda p: p.completed([-1]), "-1 is no bit; name the true ones"),
        (lambda p: Penalties().model(), r"a model of 0 bits is not possible; ask for bits with bit\(\)"),
    ],
)
def test_what_is_refused(call: Callable[[Penalties], object], message: str) -> None:
    penalties = Penalties()
    penalties.bits(2)
    with pytest.raises(InvalidModel, match=message):
        call(penalties)
