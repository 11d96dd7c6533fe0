"""Hashi (bridges): islands joined by one or two bridges to their neighbours, none crossing, all connected.

Two bits for each pair of neighbours, the second only with the first: one bridge, two bridges. That all islands are connected is left to cuts.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from typing import ClassVar, NamedTuple, final

import numpy as np
import numpy.typing as npt

from ebmhw.errors import InvalidModel, shown
from ebmhw.problems.cuts import Clause, CutProblem
from ebmhw.problems.penalties import Penalties
from ebmhw.problems.puzzles.grid import SIDE_LIMIT, Cell, cells_of, digit, numbers_of, place
from ebmhw.problems.puzzles.separator import components
from ebmhw.spins import checked

Bridge = tuple[Cell, Cell, int]
Bridges = tuple[Bridge, ...]


class Link(NamedTuple):
    """Two islands that can be joined, the upper or left one first, and the most bridges between them."""

    a: Cell
    b: Cell
    most: int


@final
class Hashi(CutProblem[Bridges]):
    """A hashi. Solutions are ((row, column), (row, column), 1 or 2) for each pair of joined islands, ascending.

    Parameters
    ----------
    islands : (rows, columns) numbers 1 .. 8, the bridges of an island, 0 for water
    cuts : clauses that all connected solutions satisfy, as `missing_cuts` returns them

    Attributes
    ----------
    links : pairs of islands with only water between them
    crossing : pairs of links, by their numbers, that cannot both have bridges

    Raises
    ------
    InvalidModel
        for another number, rows of different lengths, a board without islands.

    Examples
    --------
    >>> puzzle = Hashi.read("2.2\\n...\\n1.1")
    >>> print(puzzle.picture((((0, 0), (0, 2), 1), ((0, 0), (2, 0), 1), ((0, 2), (2, 2), 1))))
    2─2
    │ │
    1 1
    """

    kind: ClassVar[str] = "hashi"

    def __init__(self, islands: Sequence[Sequence[int]], cuts: Iterable[Clause] = ()) -> None:
        try:
            rows, columns = len(islands), len(islands[0])
        except (TypeError, IndexError):
            raise InvalidModel(f"the hashi is {shown(islands)}; give rows of numbers, 0 for water") from None
        if rows > SIDE_LIMIT or not 1 <= columns <= SIDE_LIMIT:
            raise InvalidModel(f"a hashi of {rows} rows of {columns} is not possible; give 1 to {SIDE_LIMIT} of each")
        self.islands = numbers_of(islands, self.kind, rows, columns, 1, 8, blank=0)
        self.wanted = {(r, c): count for r, row in enumerate(self.islands) for c, count in enumerate(row) if count}
        if not self.wanted:
            raise InvalidModel("the hashi has no island; give at least one number of 1 to 8")
        self.cuts: tuple[Clause, ...] = tuple(cuts)
        self.links = tuple(self._links())
        across = {(a[0], c): i for i, (a, b, _) in enumerate(self.links) if a[0] == b[0] for c in range(a[1] + 1, b[1])}
        self.crossing = tuple(
            (across[r, a[1]], j) for j, (a, b, _) in enumerate(self.links) if a[0] < b[0] for r in range(a[0] + 1, b[0]) if (r, a[1]) in across
        )
        numbers = iter(range(1, 2 * len(self.links) + 1))
        self._bits = tuple(tuple(next(numbers) for _ in range(link.most)) for link in self.links)

    @classmethod
    def read(cls, text: str) -> Hashi:
        """Return the hashi of rows of digits 1 to 8, ``.`` for water.

        Raises
        ------
        InvalidModel
            for rows of different lengths or another character, naming row and column.
        """
        return cls(cells_of(text, cls.kind, lambda word: 0 if word == "." else digit(word, 1, 8), "1 to 8, . for water"))

    def with_cuts(self, cuts: Iterable[Clause]) -> Hashi:
        """Return the puzzle with further cuts."""
        return Hashi(self.islands, (*self.cuts, *cuts))

    def _links(self) -> Iterator[Link]:
        for r, c in self.wanted:
            for down in (0, 1):
                q, d = r + down, c + 1 - down
                while q < len(self.islands) and d < len(self.islands[0]):
                    if self.islands[q][d]:
                        yield Link((r, c), (q, d), min(2, self.wanted[r, c], self.wanted[q, d]))
                        break
                    q, d = q + down, d + 1 - down

    def _penalties(self) -> Penalties:
        penalties = Penalties()
        penalties.bits(max(1, sum(map(len, self._bits))))
        for bits in self._bits:
            if len(bits) == 2:
                penalties.clause([bits[0], -bits[1]])
        ends: dict[Cell, list[int]] = {island: [] for island in self.wanted}
        for (a, b, _), bits in zip(self.links, self._bits, strict=True):
            ends[a] += bits
            ends[b] += bits
        for island, count in self.wanted.items():
            penalties.exactly(ends[island], count)
        for i, j in self.crossing:
            penalties.forbid([self._bits[i][0], self._bits[j][0]])
        for cut in self.cuts:
            penalties.clause(cut)
        return penalties

    def decode(self, spins: npt.ArrayLike) -> Bridges | None:
        """Return the bridges that spins stand for, None where a second bridge is without a first."""
        states = checked(spins, (self.penalties.num_bits,))
        if states.ndim != 1:
            raise InvalidModel(f"spins have shape {states.shape}; decode one state ({self.penalties.num_bits},) at a time")
        found = []
        for (a, b, _), bits in zip(self.links, self._bits, strict=True):
            on = [bool(states[bit - 1] > 0) for bit in bits]
            if on == [False, True]:
                return None
            if any(on):
                found.append((a, b, sum(on)))
        return tuple(sorted(found))

    def encode(self, solution: Bridges) -> npt.NDArray[np.int8]:
        """Return the state that decodes to bridges; InvalidModel for more of them than both islands can take."""
        counts = {(a, b): count for a, b, count in self._checked(solution)}
        true: list[int] = []
        for (a, b, most), bits in zip(self.links, self._bits, strict=True):
            count = counts.get((a, b), 0)
            if count > most:
                raise InvalidModel(f"{count} bridges from {place(a)} to {place(b)} of the hashi; these islands take {most}")
            true += bits[:count]
        return self.penalties.completed(true)

    def violated(self, solution: Bridges) -> tuple[str, ...]:
        """Return the islands with another number of bridges, the crossings, and whether islands are not connected."""
        bridges = self._checked(solution)
        broken = []
        found = dict.fromkeys(self.wanted, 0)
        for a, b, n in bridges:
            found[a] += n
            found[b] += n
        for island, have in found.items():
            count = self.wanted[island]
            if have != count:
                broken.append(f"the {count} at {place(island)} has {have} bridges")
        joined = {(a, b) for a, b, _ in bridges}
        for i, j in self.crossing:
            (a, b, _), (c, d, _) = self.links[i], self.links[j]
            if (a, b) in joined and (c, d) in joined:
                broken.append(f"bridges cross at {place((a[0], c[1]))}")
        parts = len(self._parts(bridges))
        return (*broken, f"the islands are in {parts} parts") if parts > 1 else tuple(broken)

    def missing_cuts(self, solution: Bridges) -> list[Clause]:
        """Return, for each part that bridges connect, that some bridge leaves it; [] where all islands are connected."""
        parts = self._parts(self._checked(solution))
        if len(parts) == 1:
            return []
        cuts = {
            tuple(bits[0] for (a, b, _), bits in zip(self.links, self._bits, strict=True) if (a in part) != (b in part)) for part in map(set, parts)
        }
        return sorted(cuts)

    def values(self, spins: npt.ArrayLike) -> dict[Hashable, int]:
        """Return the bridges, 0 to 2, of each pair of islands; {} where the state stands for nothing."""
        bridges = self.decode(spins)
        if bridges is None:
            return {}
        counts = {(a, b): count for a, b, count in bridges}
        return {(a, b): counts.get((a, b), 0) for a, b, _ in self.links}

    def picture(self, solution: Bridges) -> str:
        """Return islands and bridges as lines of text."""
        lines = [[str(count) if count else " " for count in row] for row in self.islands]
        for (r, c), (q, d), count in solution:
            for i in range(r + 1, q):
                lines[i][c] = "│║"[count - 1]
            for j in range(c + 1, d):
                lines[r][j] = "─═"[count - 1]
        return "\n".join("".join(line).rstrip() for line in lines)

    def _checked(self, solution: Bridges) -> Bridges:
        """Return bridges in order, each pair once, refused where no bridge can be."""
        known, found = {(a, b) for a, b, _ in self.links}, {}
        for given in solution:
            try:
                a, b, count = given
                pair = tuple(sorted([(int(a[0]), int(a[1])), (int(b[0]), int(b[1]))]))
            except (TypeError, ValueError, IndexError):
                raise InvalidModel(f"bridge {shown(given)} of the hashi is none; give ((row, column), (row, column), 1 or 2)") from None
            if pair not in known or pair in found or count not in (1, 2):
                raise InvalidModel(f"bridge {shown(given)} of the hashi joins no neighbours, comes twice or is not 1 or 2; give each pair once")
            found[pair] = int(count)
        return tuple(sorted((a, b, count) for (a, b), count in found.items()))

    def _parts(self, bridges: Bridges) -> list[list[Cell]]:
        """Return the islands that bridges connect, part by part."""
        cells = list(self.wanted)
        number = {cell: i for i, cell in enumerate(cells)}
        near: list[list[int]] = [[] for _ in cells]
        for a, b, _ in bridges:
            near[number[a]].append(number[b])
            near[number[b]].append(number[a])
        return [[cells[i] for i in part] for part in components(near, set(range(len(cells))))]
