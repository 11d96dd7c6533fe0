"""Boards of puzzles as text: rows of cells, and errors that name row, column, value and what is allowed; rows and columns count from 1."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from ebmhw.errors import InvalidModel, shown
from ebmhw.numbers import whole

SIDE_LIMIT = 32
"""Rows or columns of a board."""

LATIN_LIMIT = 25
"""Rows of a Latin square: 15,625 spins and 690,000 terms where nothing is given, of a sudoku."""

Cell = tuple[int, int]
Numbers = tuple[tuple[int, ...], ...]

T = TypeVar("T")


def lines_of(text: str, puzzle: str) -> list[str]:
    """Return the lines of a board without blank ones before and after it.

    Raises
    ------
    InvalidModel
        for what is no text, holds nothing, or has more lines than twice the largest board.
    """
    if not isinstance(text, str):
        raise InvalidModel(f"a {puzzle} is read from text, not from {type(text).__name__}; give a string of rows")
    lines = text.strip("\r\n").splitlines()
    while lines and not lines[0].strip():
        lines.pop(0)
    while lines and not lines[-1].strip():
        lines.pop()
    if not lines:
        raise InvalidModel(f"the {puzzle} is empty; give its rows, one a line")
    if len(lines) > 2 * SIDE_LIMIT:
        raise InvalidModel(f"the {puzzle} has {len(lines)} lines; a board has up to {SIDE_LIMIT} rows")
    return lines


def cells_of(text: str, puzzle: str, read: Callable[[str], T | None], allowed: str) -> list[list[T]]:
    """Return the cells of a rectangular board, one character each, or words where any row holds blanks between them.

    Parameters
    ----------
    read : makes a cell of a word, None where the word is not allowed
    allowed : says what is, for the message

    Raises
    ------
    InvalidModel
        for rows of different lengths, more than 32 rows or columns, and words that `read` refuses.
    """
    lines = [line.strip() for line in lines_of(text, puzzle)]
    spaced = any(len(line.split()) > 1 for line in lines)
    words = [line.split() if spaced else list(line) for line in lines]
    width = len(words[0])
    if len(words) > SIDE_LIMIT or width > SIDE_LIMIT:
        raise InvalidModel(f"the {puzzle} has {len(words)} rows of {width} cells; a board has up to {SIDE_LIMIT} of each")
    board = []
    for r, row in enumerate(words, 1):
        if len(row) != width:
            raise InvalidModel(f"row {r} of the {puzzle} has {len(row)} cells, row 1 has {width}; give every row the same number")
        cells = []
        for c, word in enumerate(row, 1):
            cell = read(word)
            if cell is None:
                raise InvalidModel(f"row {r}, column {c} of the {puzzle} is {shown(word)}; allowed are {allowed}")
            cells.append(cell)
        board.append(cells)
    return board


def numbers_of(board: Sequence[Sequence[int]], puzzle: str, rows: int, columns: int, least: int, most: int, blank: int | None = None) -> Numbers:
    """Return a board of whole numbers in least .. most, or `blank`, as tuples.

    Raises
    ------
    InvalidModel
        for another shape or number, naming row and column.
    """
    try:
        given = [list(row) for row in board]
    except TypeError:
        raise InvalidModel(f"the {puzzle} is {shown(board)}; give rows of numbers") from None
    if len(given) != rows:
        raise InvalidModel(f"the {puzzle} has {len(given)} rows; give {rows}")
    result = []
    for r, row in enumerate(given, 1):
        if len(row) != columns:
            raise InvalidModel(f"row {r} of the {puzzle} has {len(row)} cells; give {columns}")
        cells = []
        for c, value in enumerate(row, 1):
            number = whole(value)
            if number is None or not (least <= number <= most or number == blank):
                blanks = "" if blank is None else f", {blank} for an empty cell"
                raise InvalidModel(f"row {r}, column {c} of the {puzzle} is {shown(value)}; allowed are {least} to {most}{blanks}")
            cells.append(number)
        result.append(tuple(cells))
    return tuple(result)


def digit(word: str, least: int, most: int) -> int | None:
    """Return the number that a word of plain digits is, None if it is no such word or out of range."""
    if not word.isascii() or not word.isdigit() or len(word) > 4:
        return None
    return int(word) if least <= int(word) <= most else None


def place(cell: Cell) -> str:
    """Return where a cell is, as messages say it."""
    return f"row {cell[0] + 1}, column {cell[1] + 1}"
