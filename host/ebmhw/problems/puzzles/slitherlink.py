"""Slitherlink: a loop with a given number of segments around some faces."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar, final

from ebmhw.errors import InvalidModel, shown
from ebmhw.problems.cuts import Clause
from ebmhw.problems.penalties import Penalties
from ebmhw.problems.puzzles.grid import SIDE_LIMIT, cells_of, digit, numbers_of, place
from ebmhw.problems.puzzles.loop_puzzle import LoopPuzzle
from ebmhw.problems.puzzles.loops import Loop

BLANK = -1
"""A face without a clue."""


@final
class Slitherlink(LoopPuzzle):
    """A slitherlink.

    Parameters
    ----------
    clues : (height, width) numbers 0 .. 3, -1 for a face without a clue; at least one of 1 .. 3, or nothing would be no loop
    cuts : clauses that all loops satisfy, as `missing_cuts` returns them

    Raises
    ------
    InvalidModel
        for other numbers and for rows of different lengths.

    Examples
    --------
    >>> puzzle = Slitherlink.read("3.\\n.3")
    >>> puzzle.clues
    ((3, -1), (-1, 3))
    """

    kind: ClassVar[str] = "slitherlink"

    def __init__(self, clues: Sequence[Sequence[int]], cuts: Iterable[Clause] = ()) -> None:
        try:
            rows, columns = len(clues), len(clues[0])
        except (TypeError, IndexError):
            raise InvalidModel(f"the slitherlink is {shown(clues)}; give rows of numbers, -1 for a face without a clue") from None
        if rows > SIDE_LIMIT or not 1 <= columns <= SIDE_LIMIT:
            raise InvalidModel(f"a slitherlink of {rows} rows of {columns} is not possible; give 1 to {SIDE_LIMIT} of each")
        self.clues = numbers_of(clues, self.kind, rows, columns, 0, 3, blank=BLANK)
        if not any(clue > 0 for row in self.clues for clue in row):
            raise InvalidModel("the slitherlink has no clue of 1 to 3, and no loop would keep its rules; give at least one")
        super().__init__(rows, columns, cuts)

    @classmethod
    def read(cls, text: str) -> Slitherlink:
        """Return the slitherlink of rows of digits 0 to 3, ``.`` for a face without a clue.

        Raises
        ------
        InvalidModel
            for rows of different lengths or another character, naming row and column.
        """
        return cls(cells_of(text, cls.kind, lambda word: BLANK if word == "." else digit(word, 0, 3), "0 to 3, . for a face without a clue"))

    def with_cuts(self, cuts: Iterable[Clause]) -> Slitherlink:
        """Return the puzzle with further cuts."""
        return Slitherlink(self.clues, (*self.cuts, *cuts))

    def _rules(self, penalties: Penalties) -> None:
        for r, row in enumerate(self.clues):
            for c, clue in enumerate(row):
                if clue != BLANK:
                    faces = [self._face(r, c), self._face(r - 1, c), self._face(r + 1, c), self._face(r, c - 1), self._face(r, c + 1)]
                    self._demand(penalties, faces, lambda f, clue=clue: sum(f[0] != other for other in f[1:]) == clue)  # type: ignore[misc]

    def broken_rules(self, loop: Loop) -> tuple[str, ...]:
        """Return the clues that have another number of segments around them."""
        held, broken = set(loop), []
        for r, row in enumerate(self.clues):
            for c, clue in enumerate(row):
                sides = [((r, c), (r, c + 1)), ((r + 1, c), (r + 1, c + 1)), ((r, c), (r + 1, c)), ((r, c + 1), (r + 1, c + 1))]
                count = sum(side in held for side in sides)
                if clue not in (BLANK, count):
                    broken.append(f"the {clue} at {place((r, c))} has {count} segments")
        return tuple(broken)

    def picture(self, solution: Loop) -> str:
        """Return the loop around the clues as lines of text."""
        held, lines = set(solution), []
        for r in range(self.height + 1):
            across = ["---" if ((r, c), (r, c + 1)) in held else "   " for c in range(self.width)]
            lines.append("+" + "+".join(across) + "+")
            if r < self.height:
                upright = ["|" if ((r, c), (r + 1, c)) in held else " " for c in range(self.width + 1)]
                clues = [f" {' ' if clue == BLANK else clue} " for clue in self.clues[r]]
                lines.append("".join(bar + clue for bar, clue in zip(upright, [*clues, ""], strict=True)).rstrip())
        return "\n".join(lines)
