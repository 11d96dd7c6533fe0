"""Cuts: separators against trying all sets, searches that end for each of their reasons, the same on two backends."""

from __future__ import annotations

import time
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from puzzle_search import one_loop
from puzzle_states import ground_states

from ebmhw.backends import get_backend
from ebmhw.errors import InvalidRun
from ebmhw.problems.cuts import CutSearch, find_with_cuts
from ebmhw.problems.puzzles import Hashi, Masyu, Slitherlink
from ebmhw.problems.puzzles.loops import Loop
from ebmhw.problems.puzzles.separator import components, lattice, separator

# A loop at each 3 and one around both fit; the first two are no solution.
APART = "3...3\n.....\n....."
# Three pairs of islands, each of which is full with two bridges of its own.
PAIRS = "2.2.2\n.....\n2.2.2"


def joined(near: tuple[tuple[int, ...], ...], members: set[int], a: int, b: int) -> bool:
    return any(a in part and b in part for part in components(near, members))


@settings(max_examples=80)
@given(st.integers(2, 3), st.integers(2, 4), st.data())
def test_a_separator_is_a_smallest_set_that_parts(rows: int, columns: int, data: st.DataObject) -> None:
    near = lattice(rows, columns)
    n = rows * columns
    kinds = data.draw(st.lists(st.sampled_from("abxxx-"), min_size=n, max_size=n))
    a, b, removable = ({i for i in range(n) if kinds[i] == kind} for kind in "abx")
    a, b = a or set(range(n)) - b - removable, b
    every = set(range(n))
    if not a or not b or any(joined(near, every - removable, i, j) for i in a for j in b):
        return
    found = separator(near, a, b, removable)

    def parts(chosen: tuple[int, ...]) -> bool:
        return not any(joined(near, every - set(chosen), i, j) for i in a for j in b)

    assert set(found) <= removable and parts(tuple(found))
    assert not any(parts(chosen) for chosen in combinations(sorted(removable), len(found) - 1)) or not found


def test_a_path_that_nothing_may_part_is_refused() -> None:
    with pytest.raises(ValueError, match="avoids all removable vertices"):
        separator(lattice(2, 2), {0}, {3}, {1})


def test_components_are_those_of_the_members() -> None:
    assert components(lattice(2, 3), {0, 1, 5, 2, 3}) == [[0, 1, 2, 3, 5]]
    assert components(lattice(2, 3), {0, 4, 2}) == [[0], [2], [4]]


def facts(found: CutSearch[Loop]) -> tuple[object, ...]:
    return found.solution, found.stopped_by, found.rounds, found.reads, found.states, found.problem.cuts


@pytest.mark.parametrize("seed", [1, 2])
def test_searches_are_the_same_on_the_golden_model(seed: int) -> None:
    puzzle = Slitherlink.read("2...3\n.....\n3...2")
    results = [find_with_cuts(puzzle, get_backend(name), seed=seed, reads=4, sweeps=30, rounds=12) for name in ("cpu", "golden")]
    assert facts(results[0]) == facts(results[1])
    other = find_with_cuts(puzzle, get_backend("cpu"), seed=seed + 10, reads=4, sweeps=30, rounds=12)
    assert facts(other) != facts(results[0])


def test_cuts_lead_from_two_loops_to_one() -> None:
    puzzle = Slitherlink.read(APART)
    # One read a round: rounds that end in two loops add the cut, and only that leads on.
    searches = [find_with_cuts(puzzle, get_backend("cpu"), seed=seed, reads=1, sweeps=100) for seed in range(8)]
    assert all(found.stopped_by == "solved" and found.solution and puzzle.violated(found.solution) == () for found in searches)
    assert any(found.problem.cuts for found in searches)
    for found in searches:
        assert found.rounds > 1 or not found.problem.cuts
        assert found.problem.model.energy(found.problem.encode(found.solution or ())) == 0
    loops = ground_states(puzzle)[::5]
    several = [loop for loop in loops if not one_loop(loop)]
    for found in searches:
        energies = [found.problem.model.energy(found.problem.encode(loop)) for loop in several]
        assert any(energies) or not found.problem.cuts
        assert all(found.problem.model.energy(found.problem.encode(loop)) == 0 for loop in loops if one_loop(loop))


def test_islands_that_cannot_be_joined_end_a_search_at_its_limit() -> None:
    puzzle = Hashi.read(PAIRS)
    found = find_with_cuts(puzzle, get_backend("cpu"), seed=1, sweeps=100)
    assert found.stopped_by == "solved" and puzzle.violated(found.solution or ()) == ()
    hopeless = find_with_cuts(Hashi.read("1.1\n...\n1.1"), get_backend("cpu"), seed=1, sweeps=20, rounds=5)
    assert (hopeless.solution, hopeless.stopped_by, hopeless.rounds, hopeless.reads) == (None, "rounds", 5, 320)
    assert hopeless.problem.cuts and hopeless.states >= 1


def test_islands_without_a_way_between_them_are_impossible() -> None:
    found = find_with_cuts(Hashi.read("1.1....\n.......\n....1.1"), get_backend("cpu"), seed=1, sweeps=20)
    assert (found.solution, found.stopped_by, found.rounds) == (None, "impossible", 1)


def test_limits_end_a_search() -> None:
    hopeless = Masyu.read("w...\n....\n....\n....")
    cpu = get_backend("cpu")
    started = time.monotonic()
    found = find_with_cuts(hopeless, cpu, seed=1, sweeps=10**5, deadline=time.monotonic() + 0.3)
    assert found.solution is None and found.stopped_by == "time_limit" and time.monotonic() - started < 10
    past = find_with_cuts(hopeless, cpu, seed=1, deadline=time.monotonic() - 1)
    assert (past.stopped_by, past.rounds, past.reads) == ("time_limit", 0, 0)
    apart = find_with_cuts(Hashi.read("1.1\n...\n1.1"), cpu, seed=1, cuts_limit=0)
    assert (apart.stopped_by, apart.rounds, apart.problem.cuts) == ("cuts", 1, ())
    few = find_with_cuts(hopeless, cpu, seed=1, reads=2**30, sweeps=1, deadline=time.monotonic() - 1)
    assert few.stopped_by == "time_limit"


@pytest.mark.parametrize("name", ["reads", "sweeps", "rounds", "cuts_a_round", "cuts_limit"])
@pytest.mark.parametrize("value", [-1, 1.5, "3", True])
def test_numbers_out_of_range_are_refused(name: str, value: object) -> None:
    with pytest.raises(InvalidRun, match=name):
        find_with_cuts(Hashi.read("1.1"), get_backend("cpu"), seed=1, **{name: value})  # type: ignore[arg-type]
