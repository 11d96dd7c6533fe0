"""Sudoku: ground states against a search of all boards, texts right and wrong, a board of 24 givens on the CPU."""

from __future__ import annotations

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from puzzle_search import latin
from puzzle_states import EXHAUSTIVE, agree

from ebmhw.backends import get_backend
from ebmhw.errors import InvalidModel
from ebmhw.problems.puzzles import Sudoku
from ebmhw.problems.witness import find

# Made for this test: a random board, givens taken away while it stays the only solution.
HARD = """
.........
4....63.7
..2.53...
..5.3....
.....1...
81....7.4
..63.5...
..8.1...3
2....49.6
"""
BOARDS = sorted(latin(4, [[0] * 4] * 4, box=2))


@st.composite
def givens(draw: st.DrawFn) -> list[list[int]]:
    board = draw(st.sampled_from(BOARDS))
    shown = draw(st.sets(st.integers(0, 15), min_size=4, max_size=12))
    kept = [[value if 4 * r + c in shown else 0 for c, value in enumerate(row)] for r, row in enumerate(board)]
    # One more given, which may be of another board: some puzzles have no solution.
    at, value = draw(st.integers(0, 15)), draw(st.integers(0, 4))
    kept[at // 4][at % 4] = kept[at // 4][at % 4] or value
    return kept


@settings(max_examples=60)
@given(givens(), st.booleans())
@example([[0, 2, 3, 4], [0, 0, 0, 1], [0, 0, 0, 0], [0, 0, 0, 0]], True)
def test_ground_states_are_the_boards(board: list[list[int]], deduce: bool) -> None:
    try:
        puzzle = Sudoku(board, deduce=deduce)
    except InvalidModel as error:
        assert "twice" in str(error)
        assume(False)
    solutions = latin(4, board, box=2)
    agree(puzzle, solutions)
    for other in BOARDS[::37]:
        assert (puzzle.violated(other) == ()) == (other in solutions)


def test_the_judge_of_ground_states_notices_a_missing_and_a_wrong_board() -> None:
    puzzle = Sudoku([[1, 2, 3, 4], [3, 4, 1, 2], [0, 0, 0, 0], [0, 0, 0, 0]])
    solutions = latin(4, puzzle.givens, box=2)
    assert puzzle.model.n <= EXHAUSTIVE and len(solutions) > 1
    agree(puzzle, solutions)
    with pytest.raises(AssertionError):
        agree(puzzle, sorted(solutions)[1:])
    rows = sorted(solutions)[0]
    with pytest.raises(AssertionError):
        agree(puzzle, solutions | {(*rows[:2], rows[3], rows[3])})


def test_deduction_takes_forced_cells_out_and_loses_no_board() -> None:
    easy = Sudoku.read("1...\n..3.\n.4..\n...2")
    assert easy.candidates.bit == {} and easy.model.n == 1
    (board,) = latin(4, easy.givens, box=2)
    assert easy.decode([1]) == easy.decode([-1]) == board
    assert Sudoku(easy.givens, deduce=False).model.n > 1


@pytest.mark.parametrize(("deduce", "spins"), [(True, 207), (False, 236)])
def test_a_board_of_nine_is_solved_on_the_cpu(deduce: bool, spins: int) -> None:
    puzzle = Sudoku(Sudoku.read(HARD).givens, deduce=deduce)
    assert puzzle.model.n == spins
    found = find(puzzle, get_backend("cpu"), seed=1, reads=256, sweeps=4000)
    assert found.violated == () and found.energy == 0
    board = found.solution
    assert board is not None
    assert all(sorted(row) == list(range(1, 10)) for row in board)
    assert all(sorted(column) == list(range(1, 10)) for column in zip(*board, strict=True))
    assert all(sorted(board[r + i][c + j] for i in range(3) for j in range(3)) == list(range(1, 10)) for r in (0, 3, 6) for c in (0, 3, 6))
    assert all(g in (0, v) for row, solved in zip(puzzle.givens, board, strict=True) for g, v in zip(row, solved, strict=True))
    assert puzzle.values(found.spins)[8, 8] == 6
    lines = puzzle.picture(board).splitlines()
    assert (len(lines) == 11 and lines[3] == "------+-------+------") or "-+-" in lines[3]


def test_violated_names_every_broken_rule() -> None:
    puzzle = Sudoku.read("1...\n..3.\n.4..\n...2")
    wrong = ((2, 2, 3, 4), (3, 4, 3, 2), (2, 4, 4, 3), (4, 3, 1, 2))
    assert puzzle.violated(wrong) == (
        "row 1, column 1 is given as 1",
        "row 1 repeats a value",
        "row 2 repeats a value",
        "row 3 repeats a value",
        "column 1 repeats a value",
        "column 2 repeats a value",
        "column 3 repeats a value",
        "column 4 repeats a value",
        "the box of rows 1-2, columns 1-2 repeats a value",
        "the box of rows 1-2, columns 3-4 repeats a value",
        "the box of rows 3-4, columns 1-2 repeats a value",
    )


def test_numbers_of_two_digits_are_read_between_blanks() -> None:
    rows = [" ".join(str((4 * (r % 4) + r // 4 + c) % 16 + 1) for c in range(16)) for r in range(16)]
    puzzle = Sudoku.read("\n".join(rows).replace("16 ", ".  "))
    assert puzzle.size == 16 and puzzle.box == 4
    assert "\n".join(" ".join(map(str, row)) for row in puzzle.decode([1]) or ()) == "\n".join(rows)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the sudoku is empty; give its rows, one a line"),
        ("12\n34", "a sudoku of 2 rows has no square boxes"),
        ("1234\n34\n....\n....", "row 2 of the sudoku has 2 cells, row 1 has 4"),
        ("12x4\n....\n....\n....", "row 1, column 3 of the sudoku is 'x'; allowed are 1 to the number of rows, . or 0 for an empty cell"),
        ("1...\n....\n...7\n....", "row 3, column 4 of the sudoku is 7; allowed are 1 to 4, 0 for an empty cell"),
        ("1..1\n....\n....\n....", "row 1 of the sudoku has 1 twice, at row 1, column 1 and row 1, column 4; drop one"),
        ("1...\n.1..\n....\n....", "the box of rows 1-2, columns 1-2 of the sudoku has 1 twice"),
        ("1\n" * 200, "has 200 lines; a board has up to 32 rows"),
        ("1" * 10_000, "has 1 rows of 10000 cells"),
        ("٣...\n....\n....\n....", "row 1, column 1 of the sudoku is '٣'"),
    ],
)
def test_texts_that_are_no_sudoku_are_refused(text: str, message: str) -> None:
    with pytest.raises(InvalidModel) as caught:
        Sudoku.read(text)
    assert message in str(caught.value)


@pytest.mark.parametrize("board", [5, [5], [[1.5]], [["1"]], [[None]], [[True]]])
def test_boards_that_are_no_numbers_are_refused(board: object) -> None:
    with pytest.raises(InvalidModel):
        Sudoku(board)  # type: ignore[arg-type]


def test_states_and_boards_of_other_puzzles_are_refused() -> None:
    puzzle = Sudoku.read(HARD)
    with pytest.raises(InvalidModel, match="last axis must be 207"):
        puzzle.decode([1, 1])
    with pytest.raises(InvalidModel, match="one state"):
        puzzle.decode([[1] * 207])
    with pytest.raises(InvalidModel, match="leaves it"):
        puzzle.encode(tuple((1, 2, 3, 4, 5, 6, 7, 8, 9) for _ in range(9)))
    with pytest.raises(InvalidModel, match="has 1 rows; give 9"):
        puzzle.violated(((1,),))


def test_a_board_in_one_line_is_the_same_board() -> None:
    rows = "1...\n..3.\n.4..\n...2"
    assert Sudoku.read(rows.replace("\n", "")).givens == Sudoku.read(rows).givens
    with pytest.raises(InvalidModel):
        Sudoku.read("1" * 25)
