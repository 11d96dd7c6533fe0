"""Sudoku of any box: a Latin square whose boxes hold each value once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar, final

from ebmhw.errors import InvalidModel, shown
from ebmhw.problems.puzzles.grid import LATIN_LIMIT, Numbers, cells_of, digit
from ebmhw.problems.puzzles.latin import LatinSquare, rows_and_columns


@final
class Sudoku(LatinSquare):
    """A sudoku of 1, 4, 9, 16 or 25 rows.

    Parameters
    ----------
    givens : (n, n) numbers, n = box^2, 0 for an empty cell
    deduce : take cells that givens force out of the model, until none is; else only the givens and what they exclude

    Attributes
    ----------
    box : rows of a box

    Raises
    ------
    InvalidModel
        for a side that is no square, a number out of range, two equal givens of a row, column or box.

    Examples
    --------
    >>> puzzle = Sudoku.read("1...\\n..3.\\n.4..\\n...2")
    >>> board = ((1, 3, 2, 4), (4, 2, 3, 1), (2, 4, 1, 3), (3, 1, 4, 2))
    >>> puzzle.violated(board), puzzle.model.n
    ((), 1)
    """

    kind: ClassVar[str] = "sudoku"

    def __init__(self, givens: Sequence[Sequence[int]], deduce: bool = True) -> None:
        try:
            n = len(givens)
        except TypeError:
            raise InvalidModel(f"the sudoku is {shown(givens)}; give rows of numbers, 0 for an empty cell") from None
        self.box = math.isqrt(n)
        if not 1 <= n <= LATIN_LIMIT or self.box**2 != n:
            raise InvalidModel(f"a sudoku of {n} rows has no square boxes, or too many; give 1, 4, 9, 16 or 25 rows")
        units = rows_and_columns(n)
        for top in range(0, n, self.box):
            for left in range(0, n, self.box):
                cells = tuple((top + i, left + j) for i in range(self.box) for j in range(self.box))
                units[f"the box of rows {top + 1}-{top + self.box}, columns {left + 1}-{left + self.box}"] = cells
        super().__init__(givens, n, units, deduce=deduce)

    @classmethod
    def read(cls, text: str) -> Sudoku:
        """Return the sudoku of rows of digits, ``.`` or 0 for an empty cell; with blanks between cells, numbers may have two digits.

        The 81 cells of a 9x9 board, or the 16 of a 4x4 one, may also stand in one line, as collections of puzzles have them.

        Raises
        ------
        InvalidModel
            for rows of different lengths or another character, naming row and column; else as the constructor.
        """
        cells = text.strip() if isinstance(text, str) else ""
        side = math.isqrt(len(cells))
        if side in (4, 9) and len(cells) == side * side and len(cells.split()) == 1:
            text = "\n".join(cells[at : at + side] for at in range(0, len(cells), side))
        board = cells_of(
            text, cls.kind, lambda word: 0 if word == "." else digit(word, 0, LATIN_LIMIT), "1 to the number of rows, . or 0 for an empty cell"
        )
        return cls(board)

    def picture(self, solution: Numbers) -> str:
        """Return the board as lines of text, boxes parted; 0 stands for an empty cell."""
        wide = len(str(self.size))
        lines = []
        for r, row in enumerate(solution):
            if r and r % self.box == 0:
                lines.append("-+-".join(["-" * (self.box * (wide + 1) - 1)] * self.box))
            words = [(str(value) if value else ".").rjust(wide) for value in row]
            lines.append(" | ".join(" ".join(words[c : c + self.box]) for c in range(0, self.size, self.box)))
        return "\n".join(lines)
