"""Futoshiki: a Latin square with cells in order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar, final

from ebmhw.errors import InvalidModel, shown
from ebmhw.numbers import whole
from ebmhw.problems.puzzles.grid import LATIN_LIMIT, Cell, Numbers, digit, lines_of
from ebmhw.problems.puzzles.latin import LatinSquare, rows_and_columns


@final
class Futoshiki(LatinSquare):
    """A futoshiki of n rows.

    Parameters
    ----------
    givens : (n, n) numbers, 0 for an empty cell
    less : pairs of neighbouring cells (row, column), counted from 0, the first the smaller
    deduce : take cells that givens and order force out of the model, until none is; else only the givens and what they exclude

    Raises
    ------
    InvalidModel
        for a number out of range, a pair that is none of neighbours, givens that contradict each other.

    Examples
    --------
    >>> puzzle = Futoshiki.read("2 .\\n  v\\n. .")
    >>> puzzle.less, puzzle.violated(((2, 1), (1, 2)))
    ((((1, 1), (0, 1)),), ('row 2, column 2 is less than row 1, column 2',))
    """

    kind: ClassVar[str] = "futoshiki"

    def __init__(self, givens: Sequence[Sequence[int]], less: Iterable[tuple[Cell, Cell]] = (), deduce: bool = True) -> None:
        try:
            n = len(givens)
        except TypeError:
            raise InvalidModel(f"the futoshiki is {shown(givens)}; give rows of numbers, 0 for an empty cell") from None
        if not 1 <= n <= LATIN_LIMIT:
            raise InvalidModel(f"a futoshiki of {n} rows is not possible; give 1 to {LATIN_LIMIT}")
        super().__init__(givens, n, rows_and_columns(n), [_neighbours(pair, n) for pair in less], deduce)

    @classmethod
    def read(cls, text: str) -> Futoshiki:
        """Return the futoshiki of 2n - 1 lines of 2n - 1 characters.

        Lines 1, 3, .. have the cells, a digit or ``.``, at characters 1, 3, ..; between them stand ``<``, ``>`` or a blank. The lines between
        have ``^`` (the upper cell is the smaller), ``v`` or a blank below each cell. Blanks at the ends may be left out.

        Raises
        ------
        InvalidModel
            for anything else, naming line and character.
        """
        lines = [line.rstrip() for line in lines_of(text, cls.kind)]
        wide = len(lines)
        if wide % 2 == 0:
            raise InvalidModel(f"the futoshiki has {wide} lines; give 2n - 1 for n rows: cells, and between them their order")
        givens: list[list[int]] = []
        less: list[tuple[Cell, Cell]] = []
        for i, line in enumerate(lines):
            if len(line) > wide:
                raise InvalidModel(f"line {i + 1} of the futoshiki has {len(line)} characters; {wide} lines take {wide}")
            if i % 2 == 0:
                givens.append([])
            for j, character in enumerate(line.ljust(wide)):
                cell = (i // 2, j // 2)
                if i % 2 == 0 and j % 2 == 0:
                    most = min(9, wide // 2 + 1)
                    value = 0 if character == "." else digit(character, 1, most)
                    allowed, right = f"1 to {most}, or . for an empty cell", value is not None
                    givens[-1].append(value or 0)
                else:
                    signs = "<>" if i % 2 == 0 else "^v" if j % 2 == 0 else ""
                    allowed, right = " ".join([*signs, "or a blank"]) if signs else "a blank", character in signs + " "
                    other = (cell[0], cell[1] + 1) if i % 2 == 0 else (cell[0] + 1, cell[1])
                    if character in "<^":
                        less.append((cell, other))
                    elif character in ">v":
                        less.append((other, cell))
                if not right:
                    raise InvalidModel(f"line {i + 1}, character {j + 1} of the futoshiki is {shown(character)}; allowed is {allowed}")
        return cls(givens, less)

    def picture(self, solution: Numbers) -> str:
        """Return the board in the form that `read` takes; 0 stands for an empty cell."""
        wide = 2 * self.size - 1
        lines = [[" "] * wide for _ in range(wide)]
        for r, row in enumerate(solution):
            for c, value in enumerate(row):
                lines[2 * r][2 * c] = str(value) if value else "."
        for a, b in self.less:
            across = a[0] == b[0]
            lines[a[0] + b[0]][a[1] + b[1]] = ("<" if a < b else ">") if across else ("^" if a < b else "v")
        return "\n".join("".join(line).rstrip() for line in lines)


def _neighbours(pair: tuple[Cell, Cell], n: int) -> tuple[Cell, Cell]:
    """Return a pair of neighbouring cells, or refuse it."""
    try:
        (a, b), (c, d) = pair
        numbers = [whole(value) for value in (a, b, c, d)]
    except (TypeError, ValueError):
        numbers = [None]
    if any(number is None or not 0 <= number < n for number in numbers) or abs(a - c) + abs(b - d) != 1:
        raise InvalidModel(f"order {shown(pair)} of the futoshiki is no pair of neighbours; give ((row, column), (row, column)), 0 to {n - 1} each")
    return (int(a), int(b)), (int(c), int(d))
