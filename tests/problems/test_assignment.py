"""OneHot: ground states against all assignments, the relations judged anew; witnesses the same on two backends."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ebmhw import get_backend
from ebmhw.errors import InvalidModel
from ebmhw.problems import OneHot, Relation, find

Rule = tuple  # (kind, names, argument, weight)


def cube(n: int) -> np.ndarray:
    return np.array(list(product((-1, 1), repeat=n)), dtype=np.int8).reshape(2**n, n)


def keeps(rule: Rule, values: dict[str, int]) -> bool:
    """The judge: each kind of relation written down once more."""
    kind, names, argument, _ = rule
    held = [values[name] for name in names]
    if kind == "all_different":
        return all(a != b for i, a in enumerate(held) for b in held[:i])
    if kind == "equals":
        return held[0] == argument
    if kind == "among":
        return any(held[0] == value for value in argument)
    if kind == "less":
        return held[0] < held[1]
    if kind == "distance":
        return held[0] - held[1] in (argument, -argument)
    if kind == "adjacent":
        return held[0] == held[1] + 1 or held[1] == held[0] + 1
    if kind == "table":
        return any(list(row) == held for row in argument)
    return sum(held) % 3 != argument


def relation(rule: Rule) -> Relation:
    kind, names, argument, weight = rule
    if kind == "all_different":
        made = Relation.all_different(names)
    elif kind in ("equals", "among"):
        made = getattr(Relation, kind)(names[0], argument)
    elif kind in ("less", "adjacent"):
        made = getattr(Relation, kind)(*names)
    elif kind == "distance":
        made = Relation.distance(*names, argument)
    elif kind == "table":
        made = Relation.table(names, argument)
    else:
        made = Relation.where(names, lambda *held: sum(held) % 3 != argument, "sum")
    return made if weight is None else made.weighing(weight)


@st.composite
def rules(draw: st.DrawFn, names: list[str], soft: bool) -> Rule:
    kinds = ["equals", "among", "all_different"] + (["less", "distance", "adjacent", "table", "where"] if len(names) > 1 else [])
    kind = draw(st.sampled_from(kinds))
    size = {"equals": 1, "among": 1, "less": 2, "distance": 2, "adjacent": 2}.get(kind) or draw(st.integers(1, len(names)))
    chosen = tuple(draw(st.permutations(names))[:size])
    argument = {
        "equals": st.integers(0, 3),
        "among": st.lists(st.integers(0, 3), max_size=3),
        "distance": st.integers(0, 2),
        "table": st.lists(st.tuples(*[st.integers(0, 3)] * size), max_size=5),
        "where": st.integers(0, 2),
    }.get(kind, st.none())
    return kind, chosen, draw(argument), draw(st.integers(1, 5)) if soft else None


@st.composite
def cases(draw: st.DrawFn, soft: bool) -> tuple[dict[str, list[int]], list[Rule]]:
    names = [f"v{i}" for i in range(draw(st.integers(1, 3)))]
    domains = {name: draw(st.lists(st.integers(0, 3), min_size=1, max_size=3, unique=True)) for name in names}
    chosen = draw(st.lists(rules(names, False), max_size=2))
    return domains, chosen + (draw(st.lists(rules(names, True), min_size=1, max_size=3)) if soft else [])


def assignments(domains: dict[str, list[int]]) -> list[dict[str, int]]:
    return [dict(zip(domains, values, strict=True)) for values in product(*domains.values())]


@settings(max_examples=50)
@given(cases(soft=False))
def test_ground_states_are_exactly_the_solutions(case: tuple[dict[str, list[int]], list[Rule]]) -> None:
    domains, chosen = case
    problem = OneHot(domains, map(relation, chosen))
    right = [values for values in assignments(domains) if all(keeps(rule, values) for rule in chosen)]
    states = cube(problem.model.n)
    energies = problem.model.energy(states)
    assert energies.min() >= 0
    ground = [problem.decode(state) for state in states[energies == 0]]
    assert sorted(map(str, ground)) == sorted(map(str, right))
    for values in assignments(domains):
        state = problem.encode(values)
        assert problem.decode(state) == problem.values(state) == values
        assert problem.violated(values) == tuple(relation(rule).label for rule in chosen if not keeps(rule, values))
        assert problem.describe(state)["solved"] == (values in right) == (problem.model.energy(state) == 0)
    two = [s for s in states if problem.decode(s) is None]
    assert all(problem.describe(s)["solved"] == 0 and problem.values(s) == {} for s in two[:5])
    # Clauses: a truth of the bits satisfies all (no further variable is needed where sums are small) exactly at a ground state.
    if problem.formula.num_variables == problem.model.n:
        assert ((problem.formula.unsatisfied(states) == 0) == (energies == 0)).all()


@settings(max_examples=50)
@given(cases(soft=True))
def test_the_optimum_is_the_cheapest_assignment(case: tuple[dict[str, list[int]], list[Rule]]) -> None:
    domains, chosen = case
    problem = OneHot(domains, map(relation, chosen))
    if problem.model.n > 13:
        return

    def price(values: dict[str, int]) -> int:
        return sum(rule[3] for rule in chosen if rule[3] is not None and not keeps(rule, values))

    right = [values for values in assignments(domains) if all(keeps(rule, values) for rule in chosen if rule[3] is None)]
    states = cube(problem.model.n)
    costs = problem.model.energy(states) / problem.unit
    solved = np.array([(s := problem.decode(state)) is not None and not problem.violated(s) for state in states])
    for values in right:
        state = problem.encode(values)
        assert problem.decode(state) == values and problem.cost(values) == price(values) == problem.model.energy(state) / problem.unit
        assert costs[[problem.decode(s) == values for s in states]].min() == price(values)
    if right:
        assert costs.min() == min(map(price, right))
        assert costs[~solved].min(initial=np.inf) > max(map(price, right))
    assert problem.weighted and problem.formula.kind in ("maxsat", "sat")


def test_a_hard_weight_that_is_too_small_is_seen() -> None:
    """The negative control: at 1 instead of 1 + 5, two values at once are cheaper than a broken wish."""
    problem = OneHot({"a": [1, 2]}, [Relation.where(["a"], lambda v: False, "never").weighing(5)])
    assert problem.energy.hard == 6
    low = problem.penalties.energy(hard=1)
    states = cube(2)
    assert problem.decode(states[problem.model.energy(states).argmin()]) is not None
    assert problem.decode(states[low.model.energy(states).argmin()]) is None


def books(*further: Relation) -> OneHot:
    names = ["red", "green", "blue", "white", "black"]
    return OneHot(
        dict.fromkeys(names, range(1, 6)),
        [
            Relation.all_different(names),
            Relation.less("red", "green"),
            Relation.adjacent("blue", "white"),
            Relation.distance("green", "black", 3),
            Relation.equals("white", 3),
            *further,
        ],
    )


def test_find_is_the_same_on_every_backend() -> None:
    problem = books()
    found = find(problem, get_backend("cpu"), seed=3)
    again = find(problem, get_backend("golden"), seed=3)
    assert found.solved and found.energy == 0 and problem.violated(found.solution) == ()
    assert np.array_equal(found.spins, again.spins) and found.solution == again.solution
    assert {k: v for k, v in found.info.items() if k != "backend"} == {k: v for k, v in again.info.items() if k != "backend"}
    right = [v for v in assignments({n: list(d) for n, d in problem.domains.items()}) if not problem.violated(v)]
    assert found.solution in right


def test_find_weighs_and_clamps() -> None:
    problem = books(Relation.equals("red", 5).weighing(3), Relation.equals("black", 1).weighing(2))
    found = find(problem, get_backend("cpu"), seed=5, reads=32, sweeps=200, rounds=2)
    best = min(problem.cost(v) for v in assignments({n: list(d) for n, d in problem.domains.items()}) if not problem.violated(v))
    assert found.solved and problem.cost(found.solution) == best and found.info["rounds"] == 2
    held = find(books(), get_backend("cpu"), seed=5, clamps=books().clamps({"black": 2, "blue": 4}))
    assert held.solved and held.solution["black"] == 2 and held.solution["blue"] == 4


def test_find_says_that_nothing_was_found() -> None:
    problem = books(Relation.equals("white", 4))
    found = find(problem, get_backend("cpu"), seed=1, reads=16, sweeps=100, rounds=3)
    assert not found.solved and found.violated and found.energy > 0 and found.info["rounds"] == 3
    late = find(problem, get_backend("cpu"), seed=1, reads=16, sweeps=100, rounds=50, deadline=0.0)
    assert late.info["stopped_by"] == "time_limit" and late.info["rounds"] == 1
    with pytest.raises(ValueError, match="reads is 0; give a whole number, 1 to 1048576"):
        find(problem, get_backend("cpu"), seed=1, reads=0)
    with pytest.raises(ValueError, match="1048576 rounds of 64 reads are more than 1048576 reads in all"):
        find(problem, get_backend("cpu"), seed=1, rounds=1 << 20)


def test_more_variables_than_values_cannot_differ() -> None:
    problem = OneHot({"a": [1, 2], "b": [1, 2], "c": [2, 1]}, [Relation.all_different("abc")])
    assert problem.model.energy(cube(6)).min() > 0


@pytest.mark.parametrize(
    ("domains", "relations", "message"),
    [
        ({}, [], "an assignment of no variables is not possible; give a domain"),
        ({"a": []}, [], "the domain of 'a' is empty; give at least one value"),
        ({"a": [[1]]}, [], "the domain of 'a' holds values that have no hash; give numbers"),
        ({"a": [1, 2, 1]}, [], "the domain of 'a' holds 1 twice"),
        ({"a": [1]}, [Relation.less("a", "z")], "relation 'a < z' names 'z', which is no variable; there are a"),
        ({"a": [1]}, [Relation.less("a", "a")], "relation 'a < a' is over a, a; name at least one variable, and each once"),
        ({"a": [1]}, [Relation.all_different([])], "name at least one variable"),
        ({"a": [1]}, [Relation.equals("a", 1).weighing(0)], "relation 'a = 1' weighs 0; give a positive integer"),
        ({"a": [1]}, [Relation.equals("a", 1).weighing(1.5)], "weighs 1.5; give a positive integer"),
        ({"a": [1], "b": ["x"]}, [Relation.less("a", "b")], "relation 'a < b' cannot be told for values of a, b: '<' not supported"),
        ({"a": [1], "b": ["x"]}, [lambda: 1], "is no relation; make one with Relation.less"),
        ({name: [1] for name in "abcdefghi"}, [Relation.where("abcdefghi", lambda *v: True, "all")], "is over 9 variables with 1 combinations"),
        (dict.fromkeys("ab", range(257)), [Relation.less("a", "b")], "with 66049 combinations of values; give up to 8 and 65536"),
    ],
)
def test_what_is_refused(domains: dict, relations: list, message: str) -> None:
    with pytest.raises(InvalidModel, match=message):
        OneHot(domains, relations)


def test_solutions_that_are_refused() -> None:
    problem = OneHot({"a": [1, 2], "b": [3]})
    for call, message in (
        (lambda: problem.encode({"a": 1}), "the assignment gives no value to 'b'"),
        (lambda: problem.violated({"a": 3, "b": 3}), "'a' has no value 3; its domain is 1, 2"),
        (lambda: problem.bit("c", 3), "there is no variable 'c'; there are a, b"),
        (lambda: problem.decode([1, 1]), "the last axis must be 3"),
        (lambda: problem.decode([[1, 1, 1]]), r"spins have shape \(1, 3\); give one state, \(3,\)"),
        (lambda: Relation.table("ab", [(1,)]), r"row \(1,\) of a table has 1 values for 2 variables"),
    ):
        with pytest.raises(InvalidModel, match=message):
            call()
    assert repr(problem) == "OneHot(2 variables, 3 values, 0 relations)"
