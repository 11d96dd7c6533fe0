"""Masyu: a loop through all circles, straight through white ones, turning at black ones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar, final

from ebmhw.errors import InvalidModel, shown
from ebmhw.problems.cuts import Clause
from ebmhw.problems.penalties import Penalties
from ebmhw.problems.puzzles.grid import SIDE_LIMIT, Cell, cells_of, numbers_of, place
from ebmhw.problems.puzzles.loop_puzzle import LoopPuzzle
from ebmhw.problems.puzzles.loops import Loop, around, mark

NONE, WHITE, BLACK = 0, 1, 2
_LETTERS = {".": NONE, "w": WHITE, "b": BLACK}
_STEPS = {"N": (-1, 0), "E": (0, 1), "S": (1, 0), "W": (0, -1)}
_LINES = (frozenset("NS"), frozenset("EW"))


@final
class Masyu(LoopPuzzle):
    """A masyu. The loop joins centres of neighbouring cells; it goes straight through a white circle and turns in a cell before or after it
    (or both), turns at a black one and goes straight through the cells before and after it.

    Parameters
    ----------
    circles : (rows, columns) numbers, 0 for none, 1 for a white circle, 2 for a black one; at least one circle, or nothing would be no loop
    cuts : clauses that all loops satisfy, as `missing_cuts` returns them

    Raises
    ------
    InvalidModel
        for other numbers, rows of different lengths, fewer than two rows or columns.

    Examples
    --------
    >>> puzzle = Masyu.read("b.b\\n...\\nb.b")
    >>> print(puzzle.picture(puzzle.decode([1, 1, 1, 1])))
    b───b
    │   │
    │ · │
    │   │
    b───b
    """

    kind: ClassVar[str] = "masyu"

    def __init__(self, circles: Sequence[Sequence[int]], cuts: Iterable[Clause] = ()) -> None:
        try:
            rows, columns = len(circles), len(circles[0])
        except (TypeError, IndexError):
            raise InvalidModel(f"the masyu is {shown(circles)}; give rows of numbers, 0 for a cell without a circle") from None
        if not (2 <= rows <= SIDE_LIMIT and 2 <= columns <= SIDE_LIMIT):
            raise InvalidModel(f"a masyu of {rows} rows of {columns} is not possible; give 2 to {SIDE_LIMIT} of each")
        self.circles = numbers_of(circles, self.kind, rows, columns, 0, 2)
        if not any(map(any, self.circles)):
            raise InvalidModel("the masyu has no circle, and no loop would keep its rules; give at least one")
        super().__init__(rows - 1, columns - 1, cuts)

    @classmethod
    def read(cls, text: str) -> Masyu:
        """Return the masyu of rows of letters: ``w`` for a white circle, ``b`` for a black one, ``.`` for none.

        Raises
        ------
        InvalidModel
            for rows of different lengths or another character, naming row and column.
        """
        return cls(cells_of(text, cls.kind, lambda word: _LETTERS.get(word.lower()), "w, b, and . for a cell without a circle"))

    def with_cuts(self, cuts: Iterable[Clause]) -> Masyu:
        """Return the puzzle with further cuts."""
        return Masyu(self.circles, (*self.cuts, *cuts))

    def _sides(self, cell: Cell, way: str, steps: int) -> list[int | None]:
        """Return the two faces beside the segment that a path straight from a cell takes after some steps."""
        r, c = cell[0] + steps * _STEPS[way][0], cell[1] + steps * _STEPS[way][1]
        if way in "EW":
            left = c if way == "E" else c - 1
            return [self._face(r - 1, left), self._face(r, left)]
        top = r if way == "S" else r - 1
        return [self._face(top, c - 1), self._face(top, c)]

    def _rules(self, penalties: Penalties) -> None:
        for r, row in enumerate(self.circles):
            for c, circle in enumerate(row):
                cell = (r, c)
                corners = [self._face(r - 1, c - 1), self._face(r - 1, c), self._face(r, c), self._face(r, c - 1)]
                if circle == BLACK:
                    # One corner unlike the other three: a turn.
                    self._demand(penalties, corners, lambda f: sum(f) % 2 == 1)
                    for way in _STEPS:
                        sides = self._sides(cell, way, 0) + self._sides(cell, way, 1)
                        self._demand(penalties, sides, lambda f: f[0] == f[1] or f[2] != f[3])
                elif circle == WHITE:
                    # Opposite corners are unlike: straight through.
                    self._demand(penalties, corners, lambda f: f[0] != f[2] and f[1] != f[3])
                    for way, back in ("EW", "SN"):
                        sides = self._sides(cell, way, 0) + self._sides(cell, way, 1) + self._sides(cell, back, 1)
                        self._demand(penalties, sides, lambda f: f[0] == f[1] or f[2] == f[3] or f[4] == f[5])

    def broken_rules(self, loop: Loop) -> tuple[str, ...]:
        """Return the circles that the loop does not pass as their colour asks."""
        ways, broken = around(loop), []
        for r, row in enumerate(self.circles):
            for c, circle in enumerate(row):
                here = frozenset(ways.get((r, c), ()))
                straight = [ways.get((r + _STEPS[way][0], c + _STEPS[way][1]), set()) in _LINES for way in sorted(here)]
                if circle == WHITE and (here not in _LINES or all(straight)):
                    broken.append(f"white circle at {place((r, c))}")
                elif circle == BLACK and (len(here) != 2 or here in _LINES or not all(straight)):
                    broken.append(f"black circle at {place((r, c))}")
        return tuple(broken)

    def picture(self, solution: Loop) -> str:
        """Return the loop as lines of text, circles as their letters."""
        ways, held, lines = around(solution), set(solution), []
        for r, row in enumerate(self.circles):
            cells = [".wb"[circle] if circle else mark(ways.get((r, c), set())) for c, circle in enumerate(row)]
            gaps = ["─" if ((r, c), (r, c + 1)) in held else " " for c in range(len(row) - 1)]
            lines.append("".join(cell + gap for cell, gap in zip(cells, [*gaps, ""], strict=True)))
            if r < self.height:
                lines.append(" ".join("│" if ((r, c), (r + 1, c)) in held else " " for c in range(len(row))).rstrip())
        return "\n".join(lines)
