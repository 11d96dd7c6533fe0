"""Nonogram: lines against all pictures of a line, ground states against a search, texts right and wrong, 10 x 10 on the CPU."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from puzzle_search import line_clue, nonograms
from puzzle_states import agree

from ebmhw.backends import get_backend
from ebmhw.errors import InvalidModel
from ebmhw.problems.puzzles import Nonogram
from ebmhw.problems.puzzles.lines import UNKNOWN, blocks_of, line_cells, line_starts
from ebmhw.problems.witness import find

# Made for this test from a random picture; it has one solution, which rows and columns one by one do not give.
TEN = """
rows: 2 1 1 | 1 1 1 | 1 1 5 | 3 1 | 2 1 2 | 3 | 1 1 2 | 2 2 2 | 1 2 | 2 1 2
columns: 2 3 | 1 2 1 | 1 2 | 2 3 1 | 3 1 1 | 1 1 | 3 1 1 | 1 1 1 | 1 1 1 3 | 2 3
"""

lines = st.lists(st.integers(0, 1), min_size=1, max_size=9)


@given(lines, st.data())
def test_starts_and_cells_of_a_line_are_those_of_all_its_pictures(picture: list[int], data: st.DataObject) -> None:
    blocks = line_clue(picture)
    assert blocks_of(picture) == blocks
    known = [data.draw(st.sampled_from([bit, UNKNOWN, UNKNOWN, 1 - bit] if data.draw(st.booleans()) else [bit, UNKNOWN])) for bit in picture]
    pictures = [
        other
        for other in product((0, 1), repeat=len(picture))
        if line_clue(other) == blocks and all(k in (UNKNOWN, bit) for k, bit in zip(known, other, strict=True))
    ]
    starts = [[at for at, bit in enumerate(other) if bit and (at == 0 or not other[at - 1])] for other in pictures]
    assert line_starts(known, blocks) == tuple(tuple(sorted({s[k] for s in starts})) for k in range(len(blocks)))
    cells = [set(column) for column in zip(*pictures, strict=True)]
    assert line_cells(known, blocks) == [UNKNOWN if len(values) == 2 else min(values) for values in cells]


@st.composite
def clues(draw: st.DrawFn) -> tuple[list[tuple[int, ...]], list[tuple[int, ...]]]:
    height, width = draw(st.integers(1, 5)), draw(st.integers(1, 5))
    picture = draw(st.lists(st.lists(st.integers(0, 1), min_size=width, max_size=width), min_size=height, max_size=height))
    rows, columns = [line_clue(row) for row in picture], [line_clue(column) for column in zip(*picture, strict=True)]
    # Columns in another order may leave no solution, or several.
    return rows, draw(st.permutations(columns))


@settings(max_examples=150)
@given(clues())
def test_ground_states_are_the_pictures(case: tuple[list[tuple[int, ...]], list[tuple[int, ...]]]) -> None:
    rows, columns = case
    puzzle = Nonogram(rows, columns)
    solutions = nonograms(rows, columns)
    agree(puzzle, solutions)
    assert all(puzzle.violated(solution) == () for solution in solutions)


def test_several_pictures_and_none() -> None:
    several = Nonogram([(1,), (1,), (1,), (1,)], [(1,), (1,), (1,), (1,)])
    assert several.model.n == 32
    agree(several, nonograms(several.rows, several.columns))
    assert len(nonograms(several.rows, several.columns)) == 24
    none = Nonogram([(1, 1), (), (1, 1)], [(2,), (), (2,)])
    agree(none, [])
    assert none.decode([1]) is None and none.values([1]) == {}
    # Rows and columns agree on every line, and on no picture.
    tied = Nonogram([(2,), (2,), (1,), (1,)], [(1,), (2,), (2,), (1,)])
    agree(tied, nonograms(tied.rows, tied.columns))


@settings(max_examples=50)
@given(clues(), st.data())
def test_violated_names_rows_and_columns_with_other_blocks(case: tuple[list[tuple[int, ...]], list[tuple[int, ...]]], data: st.DataObject) -> None:
    rows, columns = case
    puzzle = Nonogram(rows, columns)
    cells = st.lists(st.integers(0, 1), min_size=len(columns), max_size=len(columns))
    picture = data.draw(st.lists(cells, min_size=len(rows), max_size=len(rows)))
    broken = puzzle.violated(tuple(map(tuple, picture)))
    assert len(broken) == sum(line_clue(row) != blocks for row, blocks in zip(picture, rows, strict=True)) + sum(
        line_clue(column) != blocks for column, blocks in zip(zip(*picture, strict=True), columns, strict=True)
    )
    if broken:
        with pytest.raises(InvalidModel, match="breaks"):
            puzzle.encode(tuple(map(tuple, picture)))


def test_ten_by_ten_is_solved_on_the_cpu() -> None:
    puzzle = Nonogram.read(TEN)
    assert puzzle.model.n == 143
    found = find(puzzle, get_backend("cpu"), seed=1, reads=128, sweeps=8000)
    assert found.violated == () and found.solution is not None
    assert [line_clue(row) for row in found.solution] == list(puzzle.rows)
    assert [line_clue(column) for column in zip(*found.solution, strict=True)] == list(puzzle.columns)
    drawn = puzzle.picture(found.solution).splitlines()
    assert [[int(mark == "█") for mark in line] for line in drawn] == [list(row) for row in found.solution]
    assert puzzle.values(found.spins)[9, 9] == found.solution[9][9]


@given(clues())
def test_text_reads_as_the_puzzle(case: tuple[list[tuple[int, ...]], list[tuple[int, ...]]]) -> None:
    rows, columns = case
    text = [f"{name}: " + " | ".join(" ".join(map(str, blocks)) or "0" for blocks in group) for name, group in (("rows", rows), ("Columns", columns))]
    puzzle = Nonogram.read("\n\n".join(text))
    assert puzzle.rows == tuple(rows) and puzzle.columns == tuple(columns)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the nonogram is empty"),
        ("rows: 1", "the nonogram lacks its rows or its columns"),
        ("rows: 1\nrows: 1", "the nonogram has a line 'rows: 1'; give two"),
        ("1 1\n1", "the nonogram has a line '1 1'; give two"),
        ("rows: 1 x\ncolumns: 1", "row 1 of the nonogram is 'x'; allowed are lengths such as 1 1, and 0 for no block"),
        ("rows: 1 | | 1\ncolumns: 2", "row 2 of the nonogram is empty"),
        ("rows: 1 0\ncolumns: 1 | 0", "row 1 of the nonogram has a block of length 0; give 1 to 32"),
        ("rows: 2\ncolumns: 1", "row 1 of the nonogram has blocks 2, 2 cells with gaps; 1 fit"),
        ("rows: 1 | 1\ncolumns: 1 1 | 0", "column 1 of the nonogram has blocks 1 1, 3 cells with gaps; 2 fit"),
        ("rows: 1 | 1\ncolumns: 1 | 0", "the rows of the nonogram have 2 full cells, the columns 1; correct a length"),
        ("rows: " + "9" * 5000 + "\ncolumns: 1", "row 1 of the nonogram is '9999"),
        ("rows: " + "0 |" * 70 + "0\ncolumns: 0", "the nonogram has 71 rows; give 1 to 32"),
    ],
)
def test_texts_that_are_no_nonogram_are_refused(text: str, message: str) -> None:
    with pytest.raises(InvalidModel) as caught:
        Nonogram.read(text)
    assert message in str(caught.value)


def test_values_that_are_no_clues_are_refused() -> None:
    for rows in (5, [5], [[0]], [["1"]], [[1.5]], []):
        with pytest.raises(InvalidModel):
            Nonogram(rows, [[1]])  # type: ignore[arg-type]
