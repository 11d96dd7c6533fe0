"""Nonogram: a picture from the lengths of the blocks in each row and column.

A bit for each start that a block can still have; a cell is full in its row exactly where it is full in its column. Cells need no bits.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from functools import cached_property
from itertools import product
from typing import ClassVar, final

import numpy as np
import numpy.typing as npt

from ebmhw.errors import InvalidModel, shown
from ebmhw.numbers import whole
from ebmhw.problems.penalties import Penalties
from ebmhw.problems.problem import ConstraintProblem
from ebmhw.problems.puzzles.grid import SIDE_LIMIT, Numbers, lines_of, numbers_of
from ebmhw.problems.puzzles.lines import UNKNOWN, Starts, blocks_of, line_cells, line_starts
from ebmhw.problems.puzzles.onehot import Candidates

Clues = tuple[tuple[int, ...], ...]


@final
class Nonogram(ConstraintProblem[Numbers]):
    """A nonogram. Solutions are pictures (rows, columns) of 0 and 1.

    Parameters
    ----------
    rows, columns : the lengths of the blocks of ones in each, in order; () for an empty line

    Raises
    ------
    InvalidModel
        for a length that is no positive number, a line whose blocks do not fit, sums of rows and columns that differ.

    Examples
    --------
    >>> puzzle = Nonogram.read("rows: 1 | 2\\ncolumns: 2 | 1")
    >>> print(puzzle.picture(puzzle.decode([-1] * puzzle.model.n)))
    █·
    ██
    """

    kind: ClassVar[str] = "nonogram"

    def __init__(self, rows: Sequence[Sequence[int]], columns: Sequence[Sequence[int]]) -> None:
        self.rows, self.columns = (_clues(name, lines) for name, lines in (("row", rows), ("column", columns)))
        for name, lines, length in (("row", self.rows, len(self.columns)), ("column", self.columns, len(self.rows))):
            for number, blocks in enumerate(lines, 1):
                if sum(blocks) + len(blocks) - 1 > length:
                    raise InvalidModel(
                        f"{name} {number} of the nonogram has blocks {' '.join(map(str, blocks))}, {sum(blocks) + len(blocks) - 1} cells with gaps; "
                        f"{length} fit"
                    )
        full = [sum(map(sum, lines)) for lines in (self.rows, self.columns)]
        if full[0] != full[1]:
            raise InvalidModel(f"the rows of the nonogram have {full[0]} full cells, the columns {full[1]}; correct a length")

    @classmethod
    def read(cls, text: str) -> Nonogram:
        """Return the nonogram of two lines, ``rows: 2 | 1 1 | 0`` and ``columns: ...``: lengths of blocks, lines parted by ``|``.

        Raises
        ------
        InvalidModel
            for anything else, naming row or column; else as the constructor.
        """
        found: dict[str, list[list[int]]] = {}
        for line in lines_of(text, cls.kind):
            name, colon, rest = line.partition(":")
            key = name.strip().lower()
            if not line.strip():
                continue
            if not colon or key not in ("rows", "columns") or key in found:
                raise InvalidModel(f"the nonogram has a line {shown(line)}; give two, 'rows: 2 | 1 1 | 0' and 'columns: ...'")
            found[key] = []
            for number, part in enumerate(rest.split("|"), 1):
                words = part.split()
                wrong = [word for word in words if not (word.isascii() and word.isdigit() and len(word) <= 4)]
                if wrong or not words:
                    value = shown(wrong[0]) if wrong else "empty"
                    raise InvalidModel(f"{key[:-1]} {number} of the nonogram is {value}; allowed are lengths such as 1 1, and 0 for no block")
                found[key].append([] if words == ["0"] else [int(word) for word in words])
        if len(found) < 2:
            raise InvalidModel("the nonogram lacks its rows or its columns; give two lines, 'rows: 2 | 1 1 | 0' and 'columns: ...'")
        return cls(found["rows"], found["columns"])

    @cached_property
    def _left(self) -> tuple[Candidates, npt.NDArray[np.int8]]:
        """Return the starts left to each block, keyed (line, number of the block), columns behind rows, and the cells known.

        Each line alone says which starts its blocks can have beside the cells known, and which cells are the same in all; until nothing
        changes. No solution is lost.
        """
        height, width = len(self.rows), len(self.columns)
        cells = np.full((height, width), UNKNOWN, dtype=np.int8)
        lines = [(cells[r], blocks) for r, blocks in enumerate(self.rows)] + [(cells[:, c], blocks) for c, blocks in enumerate(self.columns)]
        starts: list[Starts] = [()] * len(lines)
        while True:
            before = cells.copy()
            for i, (line, blocks) in enumerate(lines):
                starts[i] = line_starts(line.tolist(), blocks)
                if not all(starts[i]) or not line_cells(line.tolist(), blocks):
                    return Candidates({(i, 0): ()}), before
                line[:] = line_cells(line.tolist(), blocks)
            if (cells == before).all():
                break
        return Candidates({(i, k): options for i, blocks in enumerate(starts) for k, options in enumerate(blocks)}), cells

    def _penalties(self) -> Penalties:
        candidates, cells = self._left
        penalties = candidates.penalties()
        covers: dict[tuple[int, int], list[int]] = {}
        for i, blocks in enumerate((*self.rows, *self.columns)):
            for k, length in enumerate(blocks):
                for start in candidates.values.get((i, k), ()):
                    for bit in candidates.literals((i, k), start):
                        for at in range(start, start + length):
                            covers.setdefault((i, at), []).append(bit)
                    for after in candidates.values[i, k + 1] if k + 1 < len(blocks) and (i, k + 1) in candidates.values else ():
                        if after <= start + length:
                            penalties.forbid(candidates.literals((i, k), start) + candidates.literals((i, k + 1), after))
        height = len(self.rows)
        for r, c in product(range(height), range(len(self.columns))):
            across, down = covers.get((r, c), []), covers.get((height + c, r), [])
            if cells[r, c] == UNKNOWN:
                penalties.linear([1] * len(across) + [-1] * len(down), [*across, *down], 0)
            elif cells[r, c] == 1:
                for i, at, bits in ((r, c, across), (height + c, r, down)):
                    if not self._is_covered(i, at):
                        penalties.exactly_one(bits)
        return penalties

    def _is_covered(self, line: int, cell: int) -> bool:
        """Tell whether a block with a single start left covers a cell of a line."""
        blocks = (*self.rows, *self.columns)[line]
        starts = [self._left[0].values.get((line, k), ()) for k in range(len(blocks))]
        return any(len(left) == 1 and left[0] <= cell < left[0] + length for left, length in zip(starts, blocks, strict=True))

    def decode(self, spins: npt.ArrayLike) -> Numbers | None:
        """Return the picture that spins stand for, None where a block has no start or two, or rows and columns do not say the same."""
        found = self._left[0].read(spins, self.penalties.num_bits)
        if found is None:
            return None
        height, width = len(self.rows), len(self.columns)
        filled = np.zeros((2, height, width), dtype=np.int64)
        for (i, k), start in found.items():
            if i < height:
                filled[0, i, start : start + self.rows[i][k]] += 1
            else:
                filled[1, start : start + self.columns[i - height][k], i - height] += 1
        if (filled[0] != filled[1]).any():
            return None
        picture = tuple(map(tuple, filled[0].tolist()))
        return None if filled.max(initial=0) > 1 or self.violated(picture) else picture

    def encode(self, solution: Numbers) -> npt.NDArray[np.int8]:
        """Return the state that decodes to a picture; InvalidModel where it has other blocks: no state stands for such."""
        picture = self._picture(solution)
        broken = self.violated(picture)
        if broken:
            raise InvalidModel(f"the picture breaks {broken[0]} of the nonogram; only one with the blocks given has a state")
        starts = {}
        for i, line in enumerate((*picture, *zip(*picture, strict=True))):
            edges = [at for at, bit in enumerate(line) if bit and (at == 0 or not line[at - 1])]
            starts.update({(i, k): at for k, at in enumerate(edges)})
        return self.penalties.completed(self._left[0].true_bits(starts))

    def violated(self, solution: Numbers) -> tuple[str, ...]:
        """Return the rows and columns that have other blocks."""
        picture = self._picture(solution)
        return tuple(
            f"{name} {number} ({' '.join(map(str, blocks)) or '0'})"
            for name, lines, clues in (("row", picture, self.rows), ("column", zip(*picture, strict=True), self.columns))
            for number, (line, blocks) in enumerate(zip(lines, clues, strict=True), 1)
            if blocks_of(line) != blocks
        )

    def values(self, spins: npt.ArrayLike) -> dict[Hashable, int]:
        """Return 0 or 1 for each cell (row, column), counted from 0; {} where the state stands for no picture."""
        picture = self.decode(spins)
        return {} if picture is None else {(r, c): value for r, row in enumerate(picture) for c, value in enumerate(row)}

    def picture(self, solution: Numbers) -> str:
        """Return the picture as lines of text."""
        return "\n".join("".join("█" if value else "·" for value in row) for row in solution)

    def _picture(self, solution: Numbers) -> Numbers:
        return numbers_of(solution, self.kind, len(self.rows), len(self.columns), 0, 1)


def _clues(name: str, lines: Sequence[Sequence[int]]) -> Clues:
    """Return the blocks of rows or columns, or refuse them."""
    try:
        given = [list(line) for line in lines]
    except TypeError:
        raise InvalidModel(f"the {name}s of the nonogram are {shown(lines)}; give the lengths of the blocks of each") from None
    if not 1 <= len(given) <= SIDE_LIMIT:
        raise InvalidModel(f"the nonogram has {len(given)} {name}s; give 1 to {SIDE_LIMIT}")
    for number, line in enumerate(given, 1):
        wrong = [block for block in line if (whole(block) or 0) < 1]
        if wrong:
            raise InvalidModel(f"{name} {number} of the nonogram has a block of length {shown(wrong[0])}; give 1 to {SIDE_LIMIT}, () for no block")
    return tuple(tuple(int(block) for block in line) for line in given)
