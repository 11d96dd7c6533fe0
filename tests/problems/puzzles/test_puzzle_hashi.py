"""Hashi: ground states against a search of all bridges, cuts, texts right and wrong, 7 x 7 on the CPU."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from puzzle_search import bridges, joined
from puzzle_states import EXHAUSTIVE, agree, ground_states

from ebmhw.backends import get_backend
from ebmhw.errors import InvalidModel
from ebmhw.problems.cuts import find_with_cuts
from ebmhw.problems.puzzles import Hashi

# Made for these tests from random bridges; each has one solution, the second one ten more that leave islands apart.
SEVEN = "4.2....\n.1..3.3\n.......\n4.5...4\n.......\n...2..4\n1.5..2."
APART = "3.3.2.2\n.......\n.......\n.......\n1.3.2.2\n.......\n1.3.1.1"


@st.composite
def boards(draw: st.DrawFn) -> list[list[int]]:
    height, width = draw(st.integers(1, 5)), draw(st.integers(1, 5))
    cells = st.tuples(st.integers(0, height - 1), st.integers(0, width - 1))
    places = draw(st.sets(cells, min_size=1, max_size=7))
    islands = [[int((r, c) in places) for c in range(width)] for r in range(height)]
    links = Hashi(islands).links
    counts = [draw(st.integers(0, 2)) for _ in links]
    for r, c in places:
        islands[r][c] = max(1, sum(n for n, (a, b, _) in zip(counts, links, strict=True) if (r, c) in (a, b)))
    return islands


@settings(max_examples=80)
@given(boards())
def test_ground_states_are_the_bridges_and_with_cuts_the_connected_ones(islands: list[list[int]]) -> None:
    puzzle = Hashi(islands)
    every = set(bridges(islands))
    connected = {solution for solution in every if joined(islands, solution)}
    agree(puzzle, every)
    assert {solution for solution in every if puzzle.violated(solution) == ()} == connected
    assert all(puzzle.missing_cuts(solution) == [] for solution in connected)
    for solution in sorted(every - connected):
        cuts = puzzle.missing_cuts(solution)
        cut = puzzle.with_cuts(cuts[:1])
        assert cut.model.energy(cut.encode(solution)) > 0
        assert all(cut.model.energy(cut.encode(other)) == 0 for other in connected)
    while puzzle.model.n <= EXHAUSTIVE:
        apart = [solution for solution in ground_states(puzzle) if solution not in connected]
        if not apart:
            agree(puzzle, connected)
            break
        puzzle = puzzle.with_cuts(puzzle.missing_cuts(apart[0]))


def test_seven_by_seven_is_solved_on_the_cpu() -> None:
    puzzle = Hashi.read(SEVEN)
    assert puzzle.model.n == 25
    found = find_with_cuts(puzzle, get_backend("cpu"), seed=1, sweeps=200)
    assert found.stopped_by == "solved" and found.solution is not None
    assert found.solution in set(bridges(puzzle.islands)) and joined(puzzle.islands, found.solution)
    assert puzzle.violated(found.solution) == ()
    assert puzzle.picture(found.solution).splitlines()[0] == "4═2"


def test_cuts_lead_to_the_one_of_eleven_that_is_connected() -> None:
    puzzle = Hashi.read(APART)
    every = list(bridges(puzzle.islands))
    (connected,) = [solution for solution in every if joined(puzzle.islands, solution)]
    assert len(every) == 11
    searches = [find_with_cuts(puzzle, get_backend("cpu"), seed=seed, reads=2, sweeps=100) for seed in range(8)]
    assert all(found.solution == connected for found in searches)
    assert any(found.problem.cuts and found.rounds > 1 for found in searches)


def test_states_with_a_second_bridge_alone_stand_for_nothing() -> None:
    puzzle = Hashi.read("2.2")
    assert puzzle.decode([1, 1]) == (((0, 0), (0, 2), 2),)
    assert puzzle.decode([1, -1]) == (((0, 0), (0, 2), 1),)
    assert puzzle.decode([-1, 1]) is None and puzzle.values([-1, 1]) == {}
    assert puzzle.values([1, 1]) == {((0, 0), (0, 2)): 2}


def test_violated_names_islands_crossings_and_parts() -> None:
    puzzle = Hashi.read(".1.\n1.1\n.1.")
    crossed = (((0, 1), (2, 1), 1), ((1, 0), (1, 2), 1))
    assert puzzle.violated(crossed) == ("bridges cross at row 2, column 2", "the islands are in 2 parts")
    assert puzzle.violated(()) == (
        "the 1 at row 1, column 2 has 0 bridges",
        "the 1 at row 2, column 1 has 0 bridges",
        "the 1 at row 2, column 3 has 0 bridges",
        "the 1 at row 3, column 2 has 0 bridges",
        "the islands are in 4 parts",
    )
    lonely = Hashi.read("1")
    assert lonely.violated(()) == ("the 1 at row 1, column 1 has 0 bridges",)
    agree(lonely, [])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the hashi is empty"),
        ("...", "the hashi has no island; give at least one number of 1 to 8"),
        ("1.1\n1", "row 2 of the hashi has 1 cells, row 1 has 3"),
        ("1.9", "row 1, column 3 of the hashi is '9'; allowed are 1 to 8, . for water"),
        ("1.0", "row 1, column 3 of the hashi is '0'"),
    ],
)
def test_texts_that_are_no_hashi_are_refused(text: str, message: str) -> None:
    with pytest.raises(InvalidModel) as caught:
        Hashi.read(text)
    assert message in str(caught.value)


@pytest.mark.parametrize("islands", [5, [], [[]], [[9]], [[1], [1, 2]], [["1"]]])
def test_boards_of_other_values_are_refused(islands: object) -> None:
    with pytest.raises(InvalidModel):
        Hashi(islands)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "solution",
    [[5], [((0, 0), (0, 2))], [((0, 0), (0, 2), 3)], [((0, 0), (0, 1), 1)], [((0, 0), (0, 2), 1), ((0, 2), (0, 0), 1)], [("a", "b", 1)]],
)
def test_bridges_that_are_none_are_refused(solution: object) -> None:
    with pytest.raises(InvalidModel):
        Hashi.read("2.2").violated(solution)  # type: ignore[arg-type]


def test_more_bridges_than_an_island_takes_have_no_state() -> None:
    puzzle = Hashi.read("1.2.1")
    assert "has 2 bridges" in puzzle.violated((((0, 0), (0, 2), 2),))[0]
    with pytest.raises(InvalidModel, match="2 bridges from row 1, column 1 to row 1, column 3 of the hashi; these islands take 1"):
        puzzle.encode((((0, 0), (0, 2), 2),))
