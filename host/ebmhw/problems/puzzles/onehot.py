"""Cells that each take one of the values left to them: a bit for each value, none for a cell with a single one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import final

import numpy.typing as npt

from ebmhw.errors import InvalidModel
from ebmhw.problems.penalties import Penalties
from ebmhw.problems.puzzles.grid import Cell, place
from ebmhw.spins import checked


@final
class Candidates:
    """The values left to each cell, and their bits.

    Parameters
    ----------
    left : {cell: values}, in the order of the bits; a cell without values makes every state one of no solution

    Attributes
    ----------
    values : {cell: its values, ascending}
    bit : {(cell, value): bit, from 1} of the cells with two values and more
    """

    def __init__(self, left: Mapping[Cell, Iterable[int]]) -> None:
        self.values = {cell: tuple(sorted(values)) for cell, values in left.items()}
        pairs = [(cell, value) for cell, values in self.values.items() if len(values) > 1 for value in values]
        self.bit = {pair: i for i, pair in enumerate(pairs, 1)}

    def penalties(self) -> Penalties:
        """Return a new builder with these bits and one value a cell; where nothing is left to find, it has one bit without meaning."""
        penalties = Penalties()
        penalties.bits(max(1, len(self.bit)))
        for cell, values in self.values.items():
            if len(values) != 1:
                penalties.exactly_one([self.bit[cell, value] for value in values])
        return penalties

    def is_fixed(self, cell: Cell, value: int) -> bool:
        """Tell whether a value is the only one left to a cell."""
        return self.values[cell] == (value,)

    def literals(self, cell: Cell, value: int) -> tuple[int, ...]:
        """Return the literals that together say that a cell has one of its values: none where it is the only one."""
        return () if self.is_fixed(cell, value) else (self.bit[cell, value],)

    def read(self, spins: npt.ArrayLike, n: int) -> dict[Cell, int] | None:
        """Return the value of each cell in spins (n,) of a model whose first spins are the bits, None where a cell has none or two."""
        states = checked(spins, (n,))
        if states.ndim != 1:
            raise InvalidModel(f"spins have shape {states.shape}; decode one state ({n},) at a time")
        found = {}
        for cell, values in self.values.items():
            chosen = [value for value in values if len(values) == 1 or states[self.bit[cell, value] - 1] > 0]
            if len(chosen) != 1:
                return None
            found[cell] = chosen[0]
        return found

    def true_bits(self, chosen: Mapping[Cell, int]) -> list[int]:
        """Return the bits of a choice of one value a cell.

        Raises
        ------
        InvalidModel
            for a value that the cell cannot have.
        """
        for cell, value in chosen.items():
            if value not in self.values[cell]:
                raise InvalidModel(f"{place(cell)} has {value}; the puzzle leaves it {', '.join(map(str, self.values[cell])) or 'nothing'}")
        return [self.bit[pair] for pair in chosen.items() if pair in self.bit]
