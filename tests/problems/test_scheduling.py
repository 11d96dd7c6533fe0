"""Scheduling: ground states against all schedules, judged step by step; both ways of a capacity; what is refused."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ebmhw import get_backend
from ebmhw.errors import InvalidModel
from ebmhw.problems import Scheduling, find, scheduling


def cube(n: int) -> np.ndarray:
    return np.array(list(product((-1, 1), repeat=n)), dtype=np.int8).reshape(2**n, n)


def keeps(case: dict, starts: dict[str, int]) -> bool:
    """The judge: what runs at each time step, from the definition."""
    length, horizon = case["durations"], case["horizon"]
    running = [{task for task, start in starts.items() if start <= time < start + length[task]} for time in range(horizon)]
    for task, start in starts.items():
        earliest, latest = case["windows"].get(task, (0, horizon))
        if start < earliest or start + length[task] > latest:
            return False
    if any({a, b} <= now for a, b in case["exclusions"] for now in running):
        return False
    if any(starts[b] < starts[a] + length[a] for a, b in case["precedences"]):
        return False
    return all(sum(units.get(task, 0) for task in now) <= case["capacities"][name] for name, units in case["demands"].items() for now in running)


@st.composite
def cases(draw: st.DrawFn) -> dict:
    names = ["a", "b", "c", "d"][: draw(st.integers(1, 4))]
    horizon = draw(st.integers(1, 12 // len(names)))
    durations = {name: draw(st.integers(1, min(3, horizon))) for name in names}
    ordered = [(a, b) for i, a in enumerate(names) for b in names[i + 1 :]]
    pairs = st.lists(st.sampled_from(ordered), max_size=2) if ordered else st.just([])
    windows = {}
    for name in draw(st.sets(st.sampled_from(names), max_size=1)):
        earliest = draw(st.integers(0, horizon - durations[name]))
        windows[name] = (earliest, draw(st.integers(earliest + durations[name], horizon)))
    resources = ["r", "q"][: draw(st.integers(0, 2))]
    return {
        "durations": durations,
        "horizon": horizon,
        "exclusions": draw(pairs),
        "precedences": draw(pairs),
        "demands": {r: {name: draw(st.integers(0, 3)) for name in names} for r in resources},
        "capacities": {r: draw(st.integers(0, 5)) for r in resources},
        "windows": windows,
    }


@pytest.mark.parametrize("products", [0, 1 << 13])
def test_ground_states_are_exactly_the_schedules(products: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both with products of starts and with sums and slack bits."""
    monkeypatch.setattr(scheduling, "PRODUCTS_LIMIT", products)
    seen = {True: 0, False: 0}

    @settings(max_examples=60)
    @given(cases())
    def check(case: dict) -> None:
        problem = Scheduling(**case)
        names, n = list(case["durations"]), problem.model.n
        if n > 15:
            return
        every = [dict(zip(names, s, strict=True)) for s in product(*(range(case["horizon"] - d + 1) for d in case["durations"].values()))]
        right = [starts for starts in every if keeps(case, starts)]
        seen[bool(right)] += 1
        states = cube(n)
        energies = problem.model.energy(states)
        assert energies.min() >= 0 and (energies[energies > 0] >= problem.unit).all()
        ground = {str(problem.decode(state)) for state in states[energies == 0]}
        assert ground == set(map(str, right))
        for starts in every:
            assert (problem.violated(starts) == ()) == (starts in right)
            try:
                state = problem.encode(starts)
            except InvalidModel:
                assert starts not in right
                continue
            assert problem.decode(state) == problem.values(state) == starts
            assert (problem.model.energy(state) == 0) == (starts in right)
            own = sum(map(len, problem._bits.values()))
            rest = states[(states[:, :own] == state[:own]).all(axis=1)]
            assert problem.model.energy(rest).min() == problem.model.energy(state)

    check()
    assert min(seen.values()) > 3


def workshop() -> Scheduling:
    return Scheduling(
        {"saw": 2, "glue": 3, "paint": 2, "dry": 4, "pack": 1},
        horizon=10,
        exclusions=[("paint", "pack")],
        precedences=[("saw", "glue"), ("paint", "dry"), ("dry", "pack")],
        demands={"hands": {"saw": 1, "glue": 2, "paint": 1, "pack": 2}},
        capacities={"hands": 2},
    )


def test_find_is_the_same_on_every_backend() -> None:
    problem = workshop()
    found = find(problem, get_backend("cpu"), seed=7)
    again = find(problem, get_backend("golden"), seed=7)
    assert found.solved and found.energy == 0 and np.array_equal(found.spins, again.spins)
    starts = found.solution
    assert starts["glue"] >= starts["saw"] + 2 and starts["dry"] >= starts["paint"] + 2 and starts["pack"] >= starts["dry"] + 4


def test_windows_are_narrowed_by_chains() -> None:
    problem = Scheduling({"a": 2, "b": 2, "c": 2}, 6, precedences=[("a", "b"), ("b", "c")])
    assert problem.model.n == 3 and problem.model.energy([1, 1, 1]) == 0
    assert Scheduling({"a": 2, "b": 2, "c": 2}, 5, precedences=[("a", "b"), ("b", "c")]).model.n == 12


def test_violations_are_told_in_words() -> None:
    problem = workshop()
    told = problem.violated({"saw": 0, "glue": 1, "paint": 8, "dry": 7, "pack": 9})
    assert told == (
        "dry runs from 7 to 11, not within 0 to 10",
        "paint and pack overlap",
        "glue starts at 1, before saw ends at 2",
        "dry starts at 7, before paint ends at 10",
        "pack starts at 9, before dry ends at 11",
        "3 of resource hands are in use at 1, its capacity is 2",
    )


def test_a_penalty_that_is_too_small_is_seen() -> None:
    """The negative control: without its weight a broken exclusion costs nothing, and ground states are no solutions."""
    problem = Scheduling({"a": 1, "b": 1}, 2, exclusions=[("a", "b")])
    states = cube(4)
    low = problem.penalties.energy(hard=0).model
    assert all(problem.violated(problem.decode(s)) == () for s in states[problem.model.energy(states) == 0])
    assert any(problem.decode(s) is None or problem.violated(problem.decode(s)) for s in states[low.energy(states) == 0])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"durations": {}}, "a schedule of no tasks is not possible"),
        ({"durations": {"a": -1}}, "the duration of task 'a' is -1; give an integer, 1 or more"),
        ({"durations": {"a": 1.5}}, "the duration of task 'a' is 1.5; give an integer"),
        ({"horizon": 0}, "the horizon is 0; give an integer, 1 to"),
        ({"durations": {"a": 9}}, "task 'a' takes 9 time steps, and has 5 from 0 to 5; shorten it, or give a larger horizon or window"),
        ({"windows": {"a": (3, 4)}}, "task 'a' takes 2 time steps, and has 1 from 3 to 4"),
        ({"windows": {"z": (3, 4)}}, "windows names 'z', which is no task; there are a, b"),
        ({"windows": {"a": (0, 6)}}, "the latest end of task 'a' is 6; give an integer, 0 to 5"),
        ({"windows": {"a": 3}}, "the window of task 'a' is 3; give"),
        ({"exclusions": [("a", "z")]}, "an exclusion names 'z', which is no task; there are a, b"),
        ({"precedences": [("a", "a")]}, r"a precedence is \('a', 'a'\); give a pair of two different tasks"),
        ({"precedences": [("a", "b"), ("b", "a")]}, "precedences go round in a circle among a, b, which no schedule can keep; drop one"),
        ({"demands": {"r": {"a": 1}}}, "tasks take resource 'r', which has no capacity; there are none"),
        ({"demands": {"r": {"z": 1}}, "capacities": {"r": 1}}, "the demands of 'r' names 'z', which is no task"),
        ({"demands": {"r": {"a": -1}}, "capacities": {"r": 1}}, "the demand of task 'a' for 'r' is -1; give an integer, 0 or more"),
        ({"capacities": {"r": -2}}, "the capacity of 'r' is -2; give an integer, 0 or more"),
        ({"horizon": 3000, "exclusions": [("a", "b")]}, "between 8997000 pairs of starts, more than 1048576; take longer time steps"),
    ],
)
def test_what_is_refused(arguments: dict, message: str) -> None:
    with pytest.raises(InvalidModel, match=message):
        Scheduling(**{"durations": {"a": 2, "b": 1}, "horizon": 5, **arguments})


def test_sums_that_would_take_too_many_pairs() -> None:
    problem = Scheduling(dict.fromkeys(range(9), 30), 400, demands={"r": dict.fromkeys(range(9), 1)}, capacities={"r": 8})
    with pytest.raises(InvalidModel, match="the sums of resource 'r' are of 13158840 pairs of starts, more than 1048576; take longer time steps"):
        _ = problem.model


def test_schedules_that_are_refused() -> None:
    problem = Scheduling({"a": 2, "b": 1}, 5)
    for solution, message in (
        ({"a": 1}, "the schedule gives no start to task 'b'"),
        ({"a": 1, "b": 0.5}, "task 'b' starts at 0.5; give an integer"),
        ({"a": 4, "b": 0}, "task 'a' cannot start at 4; its starts are 0 to 3"),
        ({"a": 1, "b": 1, "z": 1}, "names 'z', which is no task"),
    ):
        with pytest.raises(InvalidModel, match=message):
            problem.encode(solution)
    assert repr(problem) == "Scheduling(2 tasks, horizon 5, 9 starts)"
