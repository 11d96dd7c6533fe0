"""Futoshiki: ground states against a search of all squares, texts right and wrong, 5 x 5 and 6 x 6 on the CPU."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from puzzle_search import Cell, latin
from puzzle_states import agree

from ebmhw.backends import get_backend
from ebmhw.errors import InvalidModel
from ebmhw.problems.puzzles import Futoshiki
from ebmhw.problems.witness import find

# Made for these tests from random squares; each has one solution.
FIVE = """
.>.<. . .

. . . . .
  v v   ^
. . .>. .

. . . . .
v v
. .>.>. .
"""
SIX = """
.>. . .<. 2
    ^
. . . . .>.
  ^ ^ ^
. . . . . .
  v   ^ ^
. .>. . . .
      ^ ^
.>. . . . .
    v     ^
. 4 . . . .
"""


@st.composite
def puzzles(draw: st.DrawFn) -> tuple[list[list[int]], list[tuple[Cell, Cell]]]:
    size = draw(st.integers(1, 4))
    cells = [(r, c) for r in range(size) for c in range(size)]
    pairs = [(a, b) for a in cells for b in cells if abs(a[0] - b[0]) + abs(a[1] - b[1]) == 1]
    less = draw(st.lists(st.sampled_from(pairs), max_size=6)) if pairs else []
    given = draw(st.dictionaries(st.sampled_from(cells), st.integers(1, size), max_size=2 * size))
    return [[given.get((r, c), 0) for c in range(size)] for r in range(size)], less


@settings(max_examples=60)
@given(puzzles(), st.booleans())
def test_ground_states_are_the_squares(case: tuple[list[list[int]], list[tuple[Cell, Cell]]], deduce: bool) -> None:
    board, less = case
    size = len(board)
    solutions = latin(size, board, less=less)
    try:
        puzzle = Futoshiki(board, less, deduce=deduce)
    except InvalidModel:
        assert not solutions
        assume(False)
    agree(puzzle, solutions)
    for other in latin(min(size, 3), [[0] * min(size, 3)] * min(size, 3)):
        if size <= 3:
            assert (puzzle.violated(other) == ()) == (other in solutions)


@pytest.mark.parametrize(("text", "size", "spins"), [(FIVE, 5, 63), (SIX, 6, 104)])
def test_puzzles_are_solved_on_the_cpu(text: str, size: int, spins: int) -> None:
    puzzle = Futoshiki.read(text)
    assert puzzle.model.n == spins
    found = find(puzzle, get_backend("cpu"), seed=1, sweeps=2000)
    assert found.violated == ()
    board = found.solution
    assert board is not None
    assert all(sorted(line) == list(range(1, size + 1)) for line in (*board, *zip(*board, strict=True)))
    assert puzzle.less and all(board[a][b] < board[c][d] for (a, b), (c, d) in puzzle.less)


@given(puzzles())
def test_a_picture_reads_as_its_puzzle(case: tuple[list[list[int]], list[tuple[Cell, Cell]]]) -> None:
    board, less = case
    once = {frozenset(pair): pair for pair in less}
    try:
        puzzle = Futoshiki(board, once.values())
    except InvalidModel:
        assume(False)
    again = Futoshiki.read(puzzle.picture(puzzle.givens))
    assert again.givens == puzzle.givens and set(again.less) == set(puzzle.less)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (" \n ", "the futoshiki is empty"),
        (". .\n", "line 1 of the futoshiki has 3 characters; 1 lines take 1"),
        (". .\n. .", "the futoshiki has 2 lines; give 2n - 1 for n rows"),
        (". 3\n\n. .", "line 1, character 3 of the futoshiki is '3'; allowed is 1 to 2, or . for an empty cell"),
        (".x.\n\n. .", "line 1, character 2 of the futoshiki is 'x'; allowed is < > or a blank"),
        (". .\n<\n. .", "line 2, character 1 of the futoshiki is '<'; allowed is ^ v or a blank"),
        (". .\n ^\n. .", "line 2, character 2 of the futoshiki is '^'; allowed is a blank"),
        ("2<1\n\n. .", "row 1, column 1 of the futoshiki must be less than row 1, column 2, but 2 and 1 are given"),
        ("1 1\n\n. .", "row 1 of the futoshiki has 1 twice"),
    ],
)
def test_texts_that_are_no_futoshiki_are_refused(text: str, message: str) -> None:
    with pytest.raises(InvalidModel) as caught:
        Futoshiki.read(text)
    assert message in str(caught.value)


@pytest.mark.parametrize("pair", [5, ((0, 0), (1, 1)), ((0, 0), (0, 2)), ((0, 1), (0, 2)), ((0.5, 0), (0, 0)), "ab"])
def test_pairs_that_are_no_neighbours_are_refused(pair: object) -> None:
    with pytest.raises(InvalidModel, match="no pair of neighbours"):
        Futoshiki([[0, 0], [0, 0]], [pair])  # type: ignore[list-item]
