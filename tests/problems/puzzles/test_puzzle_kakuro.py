"""Kakuro: ground states against a search of all boards, texts right and wrong, 22 white cells on the CPU."""

from __future__ import annotations

from itertools import combinations, islice, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from puzzle_search import kakuros
from puzzle_states import EXHAUSTIVE, agree, cube

from ebmhw.backends import get_backend
from ebmhw.errors import InvalidModel
from ebmhw.problems.puzzles import Kakuro
from ebmhw.problems.puzzles.kakuro import Clue, digit_sets
from ebmhw.problems.witness import find

# Made for this test from random digits; it has one solution.
EIGHT = r"""
    #     #   25\    3\    6\     #     #     #
    #    \6     .     .     .   25\     #     #
    # 10\19     .     .     .     .     #     #
  \16     .     .    \3     .     .   11\     #
   \9     .     .   10\   8\4     .     .     #
    #     #   \20     .     .     .     .     #
    #     #   \21     .     .     .     #     #
    #     #     #     #     #     #     #     #
"""
SHAPES = ("oo", "ooo", "oo/oo", "ooo/ooo", "oo#/ooo/#oo", "ooo/o#o/ooo", "#oo/ooo", "oooo")


@st.composite
def puzzles(draw: st.DrawFn) -> list[list[Clue | None]]:
    shape = draw(st.sampled_from(SHAPES)).split("/")
    rows, columns = len(shape), len(shape[0])
    white = {(r, c) for r in range(rows) for c in range(columns) if shape[r][c] == "o"}
    digits = {cell: draw(st.integers(1, 9)) for cell in sorted(white)}
    board: list[list[list[int] | None]] = [[None if (r - 1, c - 1) in white else [0, 0] for c in range(columns + 1)] for r in range(rows + 1)]
    for r, c in white:
        for way, (i, j) in enumerate(((1, 0), (0, 1))):
            if (r - i, c - j) not in white and (r + i, c + j) in white:
                run = [(r, c)]
                while (run[-1][0] + i, run[-1][1] + j) in white:
                    run.append((run[-1][0] + i, run[-1][1] + j))
                k = len(run)
                # A sum of these digits, moved into what k different ones can have: often no solution, sometimes many.
                clue = board[r + 1 - i][c + 1 - j]
                assert clue is not None
                clue[way] = min(max(sum(digits[cell] for cell in run), k * (k + 1) // 2), k * (19 - k) // 2)
    return [[None if cell is None else Clue(*cell) for cell in row] for row in board]


@settings(max_examples=25)
@given(puzzles())
def test_ground_states_are_the_boards(board: list[list[Clue | None]]) -> None:
    puzzle = Kakuro(board)
    solutions = kakuros(board)
    agree(puzzle, solutions)
    assert all(puzzle.violated(solution) == () for solution in solutions)
    # All boards of the digits that are left, or the first of them.
    cells = puzzle.candidates.values
    for digits in islice(product(*cells.values()), 30):
        filled = dict(zip(cells, digits, strict=True))
        other = tuple(tuple(filled.get((r, c), 0) for c in range(puzzle.columns)) for r in range(puzzle.rows))
        state = puzzle.encode(other)
        assert puzzle.decode(state) == other
        assert (puzzle.violated(other) == ()) == (other in solutions) == (puzzle.model.energy(state) == 0)


@settings(max_examples=30)
@given(puzzles(), st.data())
def test_encode_has_the_least_energy_over_the_sets(board: list[list[Clue | None]], data: st.DataObject) -> None:
    puzzle = Kakuro(board)
    bits = max(1, len(puzzle.candidates.bit))
    further = puzzle.model.n - bits
    if further > EXHAUSTIVE - 4 or not all(puzzle.candidates.values.values()):
        return
    filled = {cell: data.draw(st.sampled_from(values)) for cell, values in puzzle.candidates.values.items()}
    state = puzzle.encode(tuple(tuple(filled.get((r, c), 0) for c in range(puzzle.columns)) for r in range(puzzle.rows)))
    states = np.concatenate([np.repeat(state[None, :bits], 2**further, axis=0), cube(further)], axis=1)
    assert puzzle.model.energy(state) == puzzle.model.energy(states).min()


def test_sets_of_digits() -> None:
    for total, count in product(range(-1, 50), range(-1, 11)):
        expected = [set(s) for s in combinations(range(1, 10), count) if sum(s) == total] if count > 0 else []
        assert digit_sets(total, count) == expected


def test_a_board_is_solved_on_the_cpu() -> None:
    puzzle = Kakuro.read(EIGHT)
    assert len(puzzle.white) == 22 and puzzle.model.n == 85
    found = find(puzzle, get_backend("cpu"), seed=1, sweeps=4000)
    assert found.violated == () and found.solution is not None
    for total, cells in puzzle.runs:
        digits = [found.solution[r][c] for r, c in cells]
        assert sum(digits) == total and len(set(digits)) == len(digits)
    assert len(puzzle.runs) == 16 and puzzle.values(found.spins)[1, 2] == found.solution[1][2]
    assert puzzle.picture(found.solution).splitlines()[0].split() == ["#", "#", "25\\", "3\\", "6\\", "#", "#", "#"]


@given(puzzles())
def test_a_picture_reads_as_its_puzzle(board: list[list[Clue | None]]) -> None:
    puzzle = Kakuro(board)
    assert Kakuro.read(puzzle.picture([[0] * puzzle.columns] * puzzle.rows)).board == puzzle.board


def test_violated_names_runs() -> None:
    puzzle = Kakuro.read("#    3\\  4\\ \n \\3  .   .\n \\4  .   .")
    assert puzzle.violated(((0, 0, 0), (0, 2, 1), (0, 1, 3))) == ()
    assert puzzle.violated(((0, 0, 0), (0, 1, 1), (0, 1, 3))) == (
        "the run of 3 from row 2, column 2 sums up to 2",
        "the run of 3 from row 2, column 2 repeats a digit",
        "the run of 3 from row 2, column 2 down sums up to 2",
        "the run of 3 from row 2, column 2 down repeats a digit",
    )
    assert puzzle.violated(((0, 5, 0), (0, 2, 1), (0, 1, 3))) == ("row 1, column 2 is black",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the kakuro is empty"),
        ("# #", "the kakuro has no white cell"),
        ("# 3\\\n\\3 x", "row 2, column 2 of the kakuro is 'x'; allowed are . (white), # (black), and sums of up to 45"),
        ("# 46\\\n# .", "row 1, column 2 of the kakuro is '46\\\\'"),
        ("# 3\\ 4\\\n\\3 .", "row 2 of the kakuro has 2 cells, row 1 has 3"),
        ("# # #\n\\3 . .\n# . .", "row 3, column 2 of the kakuro begins a run of 2 cells across without a sum"),
        ("\\3 #\n# .", "row 1, column 1 of the kakuro has the sum 3 across, but no white cell follows"),
        ("\\2 . .", "row 1, column 2 of the kakuro begins a run of 2 cells across of sum 2; allowed is 3 to 17"),
        ("\\45 . . . . . . . . . .", "begins a run of 10 cells across of sum 45; allowed is none, 9 cells at most"),
    ],
)
def test_texts_that_are_no_kakuro_are_refused(text: str, message: str) -> None:
    with pytest.raises(InvalidModel) as caught:
        Kakuro.read(text)
    assert message in str(caught.value)


@pytest.mark.parametrize("board", [5, [5], [], [[]], [[None], [None, None]], [[3]], [[(1,)]], [[(46, 0)]], [["ab"]]])
def test_boards_of_other_values_are_refused(board: object) -> None:
    with pytest.raises(InvalidModel):
        Kakuro(board)  # type: ignore[arg-type]


def test_a_board_with_an_empty_white_cell_is_no_solution() -> None:
    puzzle = Kakuro.read("\\3 . .")
    with pytest.raises(InvalidModel, match="row 1, column 3 of the kakuro is white and has no digit"):
        puzzle.violated(((0, 1, 0),))
