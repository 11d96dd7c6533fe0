"""Kakuro: digits in runs, each run with a sum and without repetitions.

A run of given sum and length has few sets of digits. Where more than one is left, a bit for each set says which is used, and every digit is
as often in the run as in the set: constraints of ones, where the sum itself would square coefficients of 1 to 9.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from functools import cache, cached_property
from itertools import combinations
from typing import ClassVar, NamedTuple, final

import numpy as np
import numpy.typing as npt

from ebmhw.errors import InvalidModel, shown
from ebmhw.numbers import whole
from ebmhw.problems.penalties import Penalties
from ebmhw.problems.problem import ConstraintProblem
from ebmhw.problems.puzzles.grid import SIDE_LIMIT, Cell, Numbers, cells_of, digit, numbers_of, place
from ebmhw.problems.puzzles.onehot import Candidates

DIGITS = 9


class Clue(NamedTuple):
    """What a black cell says: the sum of the run below it and that of the run to its right, 0 for none."""

    down: int = 0
    across: int = 0


class Run(NamedTuple):
    """A row of white cells in line, and their sum."""

    total: int
    cells: tuple[Cell, ...]


Sets = list[frozenset[int]]


@final
class Kakuro(ConstraintProblem[Numbers]):
    """A kakuro. Solutions are boards of digits, 0 in black cells.

    Parameters
    ----------
    board : (rows, columns) cells: None for a white one, a `Clue` (down, across) for a black one

    Attributes
    ----------
    board : as given
    runs : all runs with a sum; a white cell without a neighbour in line needs none in that line

    Raises
    ------
    InvalidModel
        for another cell, a sum that no run of its length has, a run of two or more cells without a sum, a sum without a run.

    Examples
    --------
    >>> puzzle = Kakuro.read("#    3\\\\  4\\\\ \\n \\\\3  .   .\\n \\\\4  .   .")
    >>> puzzle.decode([1] * puzzle.model.n)
    ((0, 0, 0), (0, 2, 1), (0, 1, 3))
    """

    kind: ClassVar[str] = "kakuro"

    def __init__(self, board: Sequence[Sequence[Clue | None]]) -> None:
        self.board = _checked(board)
        self.rows, self.columns = len(self.board), len(self.board[0])
        self.white = tuple((r, c) for r, row in enumerate(self.board) for c, cell in enumerate(row) if cell is None)
        if not self.white:
            raise InvalidModel("the kakuro has no white cell; give at least one run")
        self.runs = tuple(self._runs())

    @classmethod
    def read(cls, text: str) -> Kakuro:
        """Return the kakuro of rows of words: ``.`` for a white cell, ``#`` for a black one, ``down\\across`` for one with sums.

        Either sum may be missing, as in ``16\\`` and ``\\23``.

        Raises
        ------
        InvalidModel
            for rows of different lengths or another word, naming row and column; else as the constructor.
        """
        board = cells_of(text, cls.kind, _word, ". (white), # (black), and sums of up to 45 such as 16\\, \\23 and 16\\23")
        return cls([[None if cell == "." else cell for cell in row] for row in board])  # type: ignore[misc]

    def _runs(self) -> Iterator[Run]:
        """Yield the runs, those across first, refused where a sum does not fit."""
        for name, (i, j) in (("across", (0, 1)), ("down", (1, 0))):
            for r, row in enumerate(self.board):
                for c, cell in enumerate(row):
                    where = f"{place((r, c))} of the kakuro"
                    if cell is not None:
                        if getattr(cell, name) and not self._is_white((r + i, c + j)):
                            raise InvalidModel(f"{where} has the sum {getattr(cell, name)} {name}, but no white cell follows; drop it")
                    elif not self._is_white((r - i, c - j)):
                        cells = [(r, c)]
                        while self._is_white((cells[-1][0] + i, cells[-1][1] + j)):
                            cells.append((cells[-1][0] + i, cells[-1][1] + j))
                        clue = self.board[r - i][c - j] if r >= i and c >= j else None
                        total, k = 0 if clue is None else int(getattr(clue, name)), len(cells)
                        if total == 0 and k > 1:
                            raise InvalidModel(f"{where} begins a run of {k} cells {name} without a sum; put a sum before it")
                        if total and not digit_sets(total, k):
                            allowed = f"{k * (k + 1) // 2} to {k * (19 - k) // 2}" if k <= DIGITS else "none, 9 cells at most"
                            raise InvalidModel(f"{where} begins a run of {k} cells {name} of sum {total}; allowed is {allowed}")
                        if total:
                            yield Run(total, tuple(cells))

    def _is_white(self, cell: Cell) -> bool:
        return 0 <= cell[0] < self.rows and 0 <= cell[1] < self.columns and self.board[cell[0]][cell[1]] is None

    @cached_property
    def _left(self) -> tuple[Candidates, tuple[Sets, ...]]:
        """Return the digits left to each cell and the sets left to each run; see `candidates`."""
        left = {cell: set(range(1, DIGITS + 1)) for cell in self.white}
        sets = [digit_sets(run.total, len(run.cells)) for run in self.runs]
        while all(left.values()):
            before = sum(map(len, left.values()))
            for i, (_, cells) in enumerate(self.runs):
                sets[i] = [s for s in sets[i] if all(left[cell] & s for cell in cells) and all(any(d in left[cell] for cell in cells) for d in s)]
                allowed = frozenset().union(*sets[i])
                needed = frozenset(range(1, DIGITS + 1)).intersection(*sets[i])
                for cell in cells:
                    left[cell] &= allowed
                for value in needed:
                    places = [cell for cell in cells if value in left[cell]]
                    if len(places) == 1:
                        left[places[0]] &= {value}
                for cell in cells:
                    if len(left[cell]) == 1:
                        for other in cells:
                            if other != cell:
                                left[other] -= left[cell]
            if sum(map(len, left.values())) == before:
                break
        return Candidates(left), tuple(sets)

    @property
    def candidates(self) -> Candidates:
        """The digits that each cell can still have, none where sums contradict each other.

        A set of a run is out once a cell has none of its digits, or a digit no cell; a digit that no set of a run has is out; one that all
        sets have, with a single place, is there; one that a cell has as its only one is out in the rest of its runs.
        """
        return self._left[0]

    def _penalties(self) -> Penalties:
        candidates, left = self._left
        penalties = candidates.penalties()
        for (total, cells), sets in zip(self.runs, left, strict=True):
            if len(cells) == 2:
                # Either cell decides the other: one has a value exactly where the other has what is missing.
                a, b = cells
                for value in candidates.values[a]:
                    if total - value not in candidates.values[b]:
                        penalties.forbid(candidates.literals(a, value))
                    elif (a, value) in candidates.bit and (b, total - value) in candidates.bit:
                        penalties.parity([candidates.bit[a, value], candidates.bit[b, total - value]], odd=False)
                for value in candidates.values[b]:
                    if total - value not in candidates.values[a]:
                        penalties.forbid(candidates.literals(b, value))
                continue
            used = penalties.bits(len(sets)) if len(sets) > 1 else ()
            if used or not sets:
                penalties.exactly_one(used)
            for value in range(1, DIGITS + 1):
                # Cells with the value, minus sets with it: fixed ones move to the right side.
                here = [candidates.bit[cell, value] for cell in cells if (cell, value) in candidates.bit]
                fixed = sum(candidates.is_fixed(cell, value) for cell in cells)
                chosen = [bit for bit, s in zip(used, sets, strict=False) if value in s]
                needed = int(not used and any(value in s for s in sets))
                penalties.linear([1] * len(here) + [-1] * len(chosen), [*here, *chosen], needed - fixed)
        return penalties

    def decode(self, spins: npt.ArrayLike) -> Numbers | None:
        """Return the board that spins stand for, None where a cell has no digit or two."""
        found = self.candidates.read(spins, self.penalties.num_bits)
        return None if found is None else tuple(tuple(found.get((r, c), 0) for c in range(self.columns)) for r in range(self.rows))

    def encode(self, solution: Numbers) -> npt.NDArray[np.int8]:
        """Return the state that decodes to a board, with the set of each run that the board uses, or else the nearest set.

        Raises
        ------
        InvalidModel
            where a cell has a digit that its candidates exclude.
        """
        board = self._board(solution)
        true = self.candidates.true_bits({cell: board[cell[0]][cell[1]] for cell in self.white})
        position = max(1, len(self.candidates.bit))
        for (_, cells), sets in zip(self.runs, self._left[1], strict=True):
            if len(cells) > 2 and len(sets) > 1:
                true += [position + 1 + i for i in _cheapest([board[r][c] for r, c in cells], sets)]
                position += len(sets)
        return self.penalties.completed(true)

    def violated(self, solution: Numbers) -> tuple[str, ...]:
        """Return the runs whose sum is wrong or whose digits repeat, and black cells with a digit."""
        board = self._board(solution)
        broken = [f"{place((r, c))} is black" for r, row in enumerate(board) for c, value in enumerate(row) if value and self.board[r][c] is not None]
        for total, cells in self.runs:
            values = [board[r][c] for r, c in cells]
            name = f"the run of {total} from {place(cells[0])}" + (" down" if len(cells) > 1 and cells[1][0] > cells[0][0] else "")
            if sum(values) != total:
                broken.append(f"{name} sums up to {sum(values)}")
            if len(set(values)) < len(values):
                broken.append(f"{name} repeats a digit")
        return tuple(broken)

    def values(self, spins: npt.ArrayLike) -> dict[Hashable, int]:
        """Return the digit of each white cell (row, column), counted from 0; {} where a cell has none or two."""
        return dict(self.candidates.read(spins, self.penalties.num_bits) or {})

    def picture(self, solution: Numbers) -> str:
        """Return the board as lines of text."""
        words = [
            [str(value or ".") if self.board[r][c] is None else _label(self.board[r][c]) for c, value in enumerate(row)]
            for r, row in enumerate(solution)
        ]
        wide = max(len(word) for row in words for word in row)
        return "\n".join(" ".join(word.rjust(wide) for word in row) for row in words)

    def _board(self, solution: Numbers) -> Numbers:
        board = numbers_of(solution, self.kind, self.rows, self.columns, 1, DIGITS, blank=0)
        empty = [cell for cell in self.white if not board[cell[0]][cell[1]]]
        if empty:
            raise InvalidModel(f"{place(empty[0])} of the kakuro is white and has no digit; give 1 to {DIGITS}")
        return board


@cache
def _digit_sets(total: int, count: int) -> tuple[frozenset[int], ...]:
    return tuple(frozenset(s) for s in combinations(range(1, DIGITS + 1), count) if sum(s) == total)


def digit_sets(total: int, count: int) -> Sets:
    """Return the sets of so many different digits with this sum."""
    return list(_digit_sets(total, count)) if 0 < total <= 45 and 0 < count <= DIGITS else []


def _cheapest(values: Sequence[int], sets: Sets) -> list[int]:
    """Return the numbers of the sets whose bits cost a run of these values least: its own set, or the best of all choices."""
    counts = np.bincount(values, minlength=DIGITS + 1)[1:]
    held = np.array([[value in s for value in range(1, DIGITS + 1)] for s in sets], dtype=np.int64)
    choices = np.arange(2 ** len(sets))[:, None] >> np.arange(len(sets)) & 1
    costs = ((choices @ held - counts) ** 2).sum(axis=1) + (choices.sum(axis=1) - 1) ** 2
    return [int(i) for i in np.flatnonzero(choices[costs.argmin()])]


def _word(word: str) -> Clue | str | None:
    """Return the cell that a word stands for: "." for a white one."""
    if word == ".":
        return word
    if word == "#":
        return Clue()
    down, slash, across = word.partition("\\")
    sums = [0 if part == "" else digit(part, 1, 45) for part in (down, across)]
    return None if not slash or None in sums else Clue(sums[0] or 0, sums[1] or 0)


def _label(clue: Clue | None) -> str:
    return "#" if clue is None or clue == (0, 0) else f"{clue.down or ''}\\{clue.across or ''}"


def _checked(board: Sequence[Sequence[Clue | None]]) -> tuple[tuple[Clue | None, ...], ...]:
    """Return a board of cells, rectangular and within the limits."""
    try:
        rows = [list(row) for row in board]
    except TypeError:
        raise InvalidModel(f"the kakuro is {shown(board)}; give rows of cells") from None
    width = len(rows[0]) if rows else 0
    if not (1 <= len(rows) <= SIDE_LIMIT and 1 <= width <= SIDE_LIMIT):
        raise InvalidModel(f"a kakuro of {len(rows)} rows of {width} is not possible; give 1 to {SIDE_LIMIT} of each")
    result = []
    for r, row in enumerate(rows):
        if len(row) != width:
            raise InvalidModel(f"row {r + 1} of the kakuro has {len(row)} cells, row 1 has {width}; give every row the same number")
        cells: list[Clue | None] = []
        for c, cell in enumerate(row):
            try:
                sums = None if cell is None else [whole(total) for total in cell]
            except TypeError:
                sums = []
            if sums is not None and (len(sums) != 2 or any(total is None or not 0 <= total <= 45 for total in sums)):
                raise InvalidModel(f"{place((r, c))} of the kakuro is {shown(cell)}; give None for a white cell, (down, across) sums of 0 to 45")
            cells.append(None if sums is None else Clue(sums[0] or 0, sums[1] or 0))
        result.append(tuple(cells))
    return tuple(result)
