"""Masyu: ground states against a search of all sets of segments, cuts, texts right and wrong, 6 x 6 and 8 x 8 on the CPU."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from puzzle_search import Segment, loops, one_loop
from puzzle_states import agree, ground_states

from ebmhw.backends import get_backend
from ebmhw.errors import InvalidModel
from ebmhw.problems.cuts import find_with_cuts
from ebmhw.problems.puzzles import Masyu

# Made for these tests from random loops; each has one solution.
SIX = ("......\n...w..\n..b..b\n.w....\n.....w\n..b...", 25)
EIGHT = ("..w....b\n..ww....\n...w....\n.w...ww.\n...b...w\n..b.....\n.w.w....\n........", 49)
EVERY = {(h, w): list(loops(h - 1, w - 1)) for h, w in ((2, 2), (2, 4), (3, 3), (3, 5), (4, 4))}


def keeps(circles: list[list[int]], loop: tuple[Segment, ...]) -> bool:
    """Tell whether a set of loops passes every circle as its colour asks."""

    def ends(cell: tuple[int, int]) -> list[tuple[int, int]]:
        return [b if a == cell else a for a, b in loop if cell in (a, b)]

    def straight(cell: tuple[int, int]) -> bool:
        near = ends(cell)
        return len(near) == 2 and (near[0][0] == near[1][0] or near[0][1] == near[1][1])

    for r, row in enumerate(circles):
        for c, circle in enumerate(row):
            near = ends((r, c))
            if circle and len(near) != 2:
                return False
            if circle == 1 and (not straight((r, c)) or all(straight(cell) for cell in near)):
                return False
            if circle == 2 and (straight((r, c)) or not all(straight(cell) for cell in near)):
                return False
    return True


@st.composite
def boards(draw: st.DrawFn) -> list[list[int]]:
    height, width = draw(st.sampled_from(sorted(EVERY)))
    circles = [[0] * width for _ in range(height)]
    if draw(st.booleans()):
        # Circles that some set of loops keeps.
        loop = draw(st.sampled_from([loop for loop in EVERY[height, width] if loop]))
        fitting = []
        for number in range(height * width):
            for circle in (1, 2):
                board = [[circle if r * width + c == number else 0 for c in range(width)] for r in range(height)]
                if keeps(board, loop):
                    fitting.append((number, circle))
        for number, circle in draw(st.lists(st.sampled_from(fitting), max_size=4)) if fitting else []:
            circles[number // width][number % width] = circle
    if not any(map(any, circles)):
        for number in draw(st.sets(st.integers(0, height * width - 1), min_size=1, max_size=3)):
            circles[number // width][number % width] = draw(st.integers(1, 2))
    return circles


@settings(max_examples=50)
@given(boards())
def test_ground_states_are_the_sets_of_loops_and_with_cuts_the_single_ones(circles: list[list[int]]) -> None:
    puzzle = Masyu(circles)
    every = {loop for loop in EVERY[len(circles), len(circles[0])] if keeps(circles, loop)}
    single = {loop for loop in every if one_loop(loop)}
    agree(puzzle, every)
    for loop in EVERY[len(circles), len(circles[0])][:200]:
        assert (puzzle.broken_rules(loop) == ()) == (loop in every)
        assert (puzzle.violated(loop) == ()) == (loop in single)
    while True:
        several = [loop for loop in ground_states(puzzle) if loop not in single]
        if not several:
            break
        puzzle = puzzle.with_cuts(puzzle.missing_cuts(several[-1])[:1])
        left = set(ground_states(puzzle))
        assert several[-1] not in left and single <= left
    agree(puzzle, single)


@pytest.mark.parametrize(("text", "spins"), [SIX, EIGHT])
def test_boards_are_solved_on_the_cpu(text: str, spins: int) -> None:
    puzzle = Masyu.read(text)
    assert puzzle.model.n == spins
    found = find_with_cuts(puzzle, get_backend("cpu"), seed=1, sweeps=200)
    assert found.stopped_by == "solved" and found.solution is not None
    assert one_loop(found.solution) and keeps([list(row) for row in puzzle.circles], found.solution)
    assert puzzle.violated(found.solution) == ()


def test_violated_names_circles() -> None:
    puzzle = Masyu.read("b.b\n.w.\nb.b")
    around = puzzle.decode([1, 1, 1, 1])
    assert puzzle.violated(around) == ("white circle at row 2, column 2",)
    assert puzzle.violated(()) == (
        "black circle at row 1, column 1",
        "black circle at row 1, column 3",
        "white circle at row 2, column 2",
        "black circle at row 3, column 1",
        "black circle at row 3, column 3",
        "there is no loop",
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the masyu is empty"),
        ("..\n..", "the masyu has no circle, and no loop would keep its rules; give at least one"),
        ("bw", "a masyu of 1 rows of 2 is not possible; give 2 to 32 of each"),
        ("bw\nb", "row 2 of the masyu has 1 cells, row 1 has 2"),
        ("bw\nxb", "row 2, column 1 of the masyu is 'x'; allowed are w, b, and . for a cell without a circle"),
    ],
)
def test_texts_that_are_no_masyu_are_refused(text: str, message: str) -> None:
    with pytest.raises(InvalidModel) as caught:
        Masyu.read(text)
    assert message in str(caught.value)


@pytest.mark.parametrize("circles", [5, [], [[]], [[3, 0], [0, 0]], [["w", "b"], ["b", "w"]]])
def test_boards_of_other_values_are_refused(circles: object) -> None:
    with pytest.raises(InvalidModel):
        Masyu(circles)  # type: ignore[arg-type]
