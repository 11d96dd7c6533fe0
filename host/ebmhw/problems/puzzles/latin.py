"""Squares of which every unit (a row, a column, a box) holds each value once, some cells given, some smaller than others."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Hashable, Iterable, Sequence
from functools import cached_property
from typing import final

import numpy as np
import numpy.typing as npt

from ebmhw.errors import InvalidModel
from ebmhw.problems.penalties import Penalties
from ebmhw.problems.problem import ConstraintProblem
from ebmhw.problems.puzzles.grid import Cell, Numbers, numbers_of, place
from ebmhw.problems.puzzles.onehot import Candidates

Units = dict[str, tuple[Cell, ...]]


class LatinSquare(ConstraintProblem[Numbers]):
    """A square of the values 1..size; a bit for each value that a cell can still have once givens and forced cells are taken out.

    Attributes
    ----------
    size : rows, columns and values
    givens : (size, size) numbers, 0 for an empty cell
    units : {name: its size cells}, each to hold every value once
    less : pairs of cells, the first the smaller
    deduce : take forced cells out of the model, and not only the givens and what they exclude

    Raises
    ------
    InvalidModel
        for givens that are no numbers of the square or contradict each other.
    """

    def __init__(self, givens: Sequence[Sequence[int]], size: int, units: Units, less: Iterable[tuple[Cell, Cell]] = (), deduce: bool = True) -> None:
        self.size, self.units, self.less, self.deduce = size, units, tuple(less), deduce
        self.givens = numbers_of(givens, self.kind, size, size, 1, size, blank=0)
        for name, cells in units.items():
            seen: dict[int, Cell] = {}
            for cell in cells:
                value = self._given(cell)
                if value and value in seen:
                    raise InvalidModel(f"{name} of the {self.kind} has {value} twice, at {place(seen[value])} and {place(cell)}; drop one")
                seen[value] = cell
        for a, b in self.less:
            if self._given(a) and self._given(b) and self._given(a) >= self._given(b):
                raise InvalidModel(f"{place(a)} of the {self.kind} must be less than {place(b)}, but {self._given(a)} and {self._given(b)} are given")

    @abstractmethod
    def picture(self, solution: Numbers) -> str:
        """Return the board as lines of text; 0 stands for an empty cell."""

    def _given(self, cell: Cell) -> int:
        return self.givens[cell[0]][cell[1]]

    @cached_property
    def candidates(self) -> Candidates:
        """The values that each cell can still have; none where the givens leave a cell without any.

        A value leaves the rest of a unit once a cell has no other; a cell takes a value that has no other place in a unit; of a pair in
        order, the smaller stays below the largest value of the other, and the reverse. No solution is lost by any of these. Without `deduce`
        only the values of givens leave their units.
        """
        left = {(r, c): {value} if value else set(range(1, self.size + 1)) for r, row in enumerate(self.givens) for c, value in enumerate(row)}
        if not self.deduce:
            for cells in self.units.values():
                given = {self._given(cell) for cell in cells}
                for cell in cells:
                    if not self._given(cell):
                        left[cell] -= given
            return Candidates(left)
        while all(left.values()):
            before = sum(map(len, left.values()))
            for cells in self.units.values():
                for cell in cells:
                    if len(left[cell]) == 1:
                        for other in cells:
                            if other != cell:
                                left[other] -= left[cell]
                for value in range(1, self.size + 1):
                    places = [cell for cell in cells if value in left[cell]]
                    if len(places) == 1:
                        left[places[0]] = {value}
            for a, b in self.less:
                left[a] = {value for value in left[a] if value < max(left[b], default=0)}
                left[b] = {value for value in left[b] if value > min(left[a], default=self.size)}
            if sum(map(len, left.values())) == before:
                break
        return Candidates(left)

    @final
    def _penalties(self) -> Penalties:
        candidates = self.candidates
        penalties = candidates.penalties()
        for cells in self.units.values():
            for value in range(1, self.size + 1):
                if not any(candidates.is_fixed(cell, value) for cell in cells):
                    penalties.exactly_one([candidates.bit[cell, value] for cell in cells if (cell, value) in candidates.bit])
        for a, b in self.less:
            for x in candidates.values[a]:
                for y in candidates.values[b]:
                    if x >= y:
                        penalties.forbid(candidates.literals(a, x) + candidates.literals(b, y))
        return penalties

    @final
    def decode(self, spins: npt.ArrayLike) -> Numbers | None:
        """Return the board (size, size) that spins stand for, None where a cell has no value or two."""
        values = self.candidates.read(spins, self.penalties.num_bits)
        return None if values is None else tuple(tuple(values[r, c] for c in range(self.size)) for r in range(self.size))

    @final
    def encode(self, solution: Numbers) -> npt.NDArray[np.int8]:
        """Return the state that decodes to a board; InvalidModel where a cell has a value that its candidates exclude."""
        board = numbers_of(solution, self.kind, self.size, self.size, 1, self.size)
        cells = {(r, c): board[r][c] for r in range(self.size) for c in range(self.size)}
        return self.penalties.completed(self.candidates.true_bits(cells))

    @final
    def values(self, spins: npt.ArrayLike) -> dict[Hashable, int]:
        """Return the value of each cell (row, column), counted from 0; {} where a cell has none or two."""
        return dict(self.candidates.read(spins, self.penalties.num_bits) or {})

    @final
    def violated(self, solution: Numbers) -> tuple[str, ...]:
        """Return the rules that a board breaks: givens, units, order."""
        board = numbers_of(solution, self.kind, self.size, self.size, 1, self.size)
        broken = [
            f"{place((r, c))} is given as {self.givens[r][c]}"
            for r in range(self.size)
            for c in range(self.size)
            if self.givens[r][c] not in (0, board[r][c])
        ]
        broken += [f"{name} repeats a value" for name, cells in self.units.items() if len({board[r][c] for r, c in cells}) < len(cells)]
        broken += [f"{place(a)} is less than {place(b)}" for a, b in self.less if board[a[0]][a[1]] >= board[b[0]][b[1]]]
        return tuple(broken)


def rows_and_columns(size: int) -> Units:
    """Return the units of every Latin square, counted from 1."""
    rows = {f"row {r + 1}": tuple((r, c) for c in range(size)) for r in range(size)}
    return rows | {f"column {c + 1}": tuple((r, c) for r in range(size)) for c in range(size)}
