"""SubsetSelection: the optimum against all subsets, the derived penalty against each of them, and one that is too small."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ebmhw import get_backend
from ebmhw.errors import InvalidModel
from ebmhw.problems import SubsetSelection, find


def cube(n: int) -> np.ndarray:
    return np.array(list(product((-1, 1), repeat=n)), dtype=np.int8).reshape(2**n, n)


@st.composite
def cases(draw: st.DrawFn, numbers: st.SearchStrategy[float]) -> dict:
    n = draw(st.integers(1, 8))
    items = [f"i{k}" for k in range(n)]
    pairs = [(a, b) for a in items for b in items if a < b]
    similarities = draw(st.dictionaries(st.sampled_from(pairs), numbers, max_size=6)) if pairs else {}
    groups = {g: draw(st.lists(st.sampled_from(items), unique=True)) for g in "pq"[: draw(st.integers(0, 2))]}
    size = draw(st.integers(0, n))
    quotas = {}
    for group, members in groups.items():
        floor, ceiling = max(0, size - (n - len(members))), min(len(members), size)
        low = draw(st.integers(0, ceiling))
        quotas[group] = (draw(st.sampled_from([low, None])), draw(st.none() | st.integers(max(low, floor), len(members))))
    return {"values": {i: draw(numbers) for i in items}, "size": size, "similarities": similarities, "groups": groups, "quotas": quotas}


def price(case: dict, chosen: set[str]) -> float:
    together = sum(value for (a, b), value in case["similarities"].items() if a in chosen and b in chosen)
    return together - sum(case["values"][item] for item in chosen)


def keeps(case: dict, chosen: set[str]) -> bool:
    if len(chosen) != case["size"]:
        return False
    for group, (least, most) in case["quotas"].items():
        count = len(chosen & set(case["groups"][group]))
        if (least is not None and count < least) or (most is not None and count > most):
            return False
    return True


@settings(max_examples=50)
@given(cases(st.integers(-9, 9)))
def test_the_least_energy_is_the_best_subset(case: dict) -> None:
    problem = SubsetSelection(**case)
    n = len(case["values"])
    states = cube(problem.model.n)
    costs = (problem.model.energy(states) / problem.unit).reshape(2**n, -1).min(axis=1)
    right, wrong = [], []
    for state, cost in zip(states.reshape(2**n, -1, problem.model.n)[:, 0], costs, strict=True):
        subset = problem.decode(state)
        chosen = set(subset)
        assert (problem.violated(subset) == ()) == keeps(case, chosen)
        if keeps(case, chosen):
            assert cost == price(case, chosen) == problem.cost(subset)
            right.append(cost)
        else:
            wrong.append(cost)
        best = problem.encode(subset)
        assert problem.decode(best) == subset and problem.model.energy(best) / problem.unit == cost
    if right and wrong:
        assert min(wrong) > min(right)
    lower = problem.costs.lower()
    for state in states.reshape(2**n, -1, problem.model.n)[:, 0]:
        assert lower[len(problem.decode(state))] <= price(case, set(problem.decode(state)))
    assert problem.costs.upper() >= min(right, default=-np.inf)
    assert problem.energy.hard == problem.size_weight.weight >= 1


@settings(max_examples=40)
@given(cases(st.floats(-3, 3).map(lambda x: round(x, 3))))
def test_numbers_that_are_no_integers(case: dict) -> None:
    problem = SubsetSelection(**case)
    states = cube(problem.model.n)
    costs = problem.model.energy(states) / problem.unit
    solved = np.array([problem.violated(problem.decode(state)) == () for state in states])
    right = [price(case, set(problem.decode(state))) for state in states[solved]]
    if right:
        assert costs.min() == pytest.approx(min(right), abs=1e-9)
        assert solved[costs.argmin()]


def test_a_penalty_that_is_too_small_chooses_too_many() -> None:
    """The negative control: similarities pull both ways, so the weight is needed, and below it other sizes win."""
    problem = SubsetSelection(dict.fromkeys(range(6), 0), 3, {(a, b): -2 for a in range(6) for b in range(a)})
    assert problem.size_weight.weight > 1
    states = cube(6)
    right = [len(problem.decode(s)) == 3 for s in states]
    for hard, correct in ((problem.size_weight.weight, True), (1, False)):
        model = problem.penalties.energy(hard=hard).model
        assert right[model.energy(states).argmin()] == correct


def test_the_price_of_a_place_keeps_the_weight_small() -> None:
    problem = SubsetSelection({k: k for k in range(100)}, 10)
    # All costs spread over 4950. At a price of 89 a place neither the eleventh item, worth 89, pays, nor to leave out the tenth, worth 90.
    assert problem.size_weight == (89, 1)
    assert problem.penalties.hard_weight > 4000


def test_a_quota_that_greed_runs_into_has_a_larger_weight() -> None:
    """Overlapping groups: the cheapest item uses up both quotas, and nothing is left to choose."""
    groups = {"p": ["a", "b"], "q": ["a", "c"]}
    problem = SubsetSelection({"a": 9, "b": 1, "c": 1}, 2, groups=groups, quotas={"p": (None, 1), "q": (None, 1)})
    states = cube(3)
    assert problem.costs.greedy() is None and problem.costs.upper() == -2
    assert problem.size_weight.weight == -2 + 10 + 1
    assert problem.decode(states[problem.model.energy(states).argmin()]) == ("b", "c")


def test_find_is_the_same_on_every_backend() -> None:
    rng = np.random.default_rng(1)
    values = {f"p{k}": int(v) for k, v in enumerate(rng.integers(1, 30, 12))}
    similarities = {(f"p{a}", f"p{b}"): int(rng.integers(0, 12)) for a in range(12) for b in range(a)}
    groups = {"even": [f"p{k}" for k in range(0, 12, 2)]}
    problem = SubsetSelection(values, 5, similarities, groups, {"even": (1, 2)})
    found, again = (find(problem, get_backend(name), seed=2, reads=32, sweeps=100, rounds=2) for name in ("cpu", "golden"))
    assert np.array_equal(found.spins, again.spins) and found.solved
    case = {"values": values, "size": 5, "similarities": similarities, "groups": groups, "quotas": {"even": (1, 2)}}
    subsets = ({f"p{k}" for k in range(12) if code >> k & 1} for code in range(2**12))
    assert problem.cost(found.solution) == min(price(case, s) for s in subsets if keeps(case, s))


def test_rounds_with_lighter_penalties_make_up_for_rounding() -> None:
    """60 items: at the derived weight the values round to multiples of 10 in 8 bits; the best subset that swaps find must be reached all the same."""
    rng = np.random.default_rng(0)
    values = {k: int(v) for k, v in enumerate(rng.integers(1, 100, 60))}
    similarities = {(a, b): int(rng.integers(0, 30)) for a in range(60) for b in range(a)}
    problem = SubsetSelection(values, 10, similarities, {"g": range(20)}, {"g": (2, 4)})
    heavy, all_rounds = (find(problem, get_backend("cpu"), seed=1, rounds=rounds) for rounds in (1, 4))
    assert heavy.info["quantisation_error"] > 1 and heavy.solved and all_rounds.solved
    assert problem.cost(all_rounds.solution) <= problem.costs.upper() < problem.cost(heavy.solution)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"values": {}}, "a selection from 0 items is not possible"),
        ({"values": {"a": float("nan")}}, "the value of 'a' is nan; it must be one finite number"),
        ({"size": 4}, "the size of the selection is 4; give an integer, 0 to the 3 items"),
        ({"size": True}, "the size of the selection is True"),
        ({"similarities": {("a", "z"): 1}}, "similarities names 'z', which is no item; there are a, b, c"),
        ({"similarities": {("a", "a"): 1}}, r"similarities name \('a', 'a'\); give pairs of two different items"),
        ({"groups": {"g": ["z"]}}, "group 'g' names 'z', which is no item"),
        ({"quotas": {"h": (0, 1)}}, "a quota is for 'h', which is no group"),
        ({"quotas": {"g": 1}}, "the quota of group 'g' is 1; give"),
        ({"quotas": {"g": (2, 1)}}, "the quota of group 'g' is 2 to 1; give the lower number first"),
        ({"quotas": {"g": (3, None)}}, "the quota of group 'g' asks for 3 items, but it has 2 and the selection 2; lower it"),
        ({"quotas": {"g": (None, 0)}}, "the quota of group 'g' allows 0 items, but the 1 others leave 1 of 2 to it; raise it"),
        ({"quotas": {"g": (None, -1)}}, "the quota of group 'g' is 0 to -1"),
    ],
)
def test_what_is_refused(arguments: dict, message: str) -> None:
    with pytest.raises(InvalidModel, match=message):
        SubsetSelection(**{"values": {"a": 1, "b": 2, "c": 3}, "size": 2, "groups": {"g": ["a", "b"]}, **arguments})


def test_descriptions() -> None:
    problem = SubsetSelection({"a": 1, "b": 2, "c": 3}, 2, {("b", "c"): 2})
    assert problem.describe([1, -1, 1]) == {"solved": 1, "violated": "", "cost": -4}
    assert problem.values([1, -1, -1]) == {"a": 1, "b": 0, "c": 0}
    assert repr(problem) == "SubsetSelection(2 of 3 items, 1 similarities, 0 quotas)"
    with pytest.raises(InvalidModel, match="the subset names 'z', which is no item"):
        problem.violated(("z",))
