"""GraphColouring: a colour for each vertex, different ones at the ends of each edge; colours as binary codes."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, ClassVar, final

import numpy as np
import numpy.typing as npt

from ebmhw.errors import InvalidModel, shown
from ebmhw.model import SPIN_LIMIT
from ebmhw.numbers import index_pairs
from ebmhw.problems.formula import LITERALS_LIMIT
from ebmhw.problems.penalties import Penalties
from ebmhw.problems.problem import ConstraintProblem, integer

COLOURS_LIMIT = 2**LITERALS_LIMIT
"""Colours of a code of 8 bits; an edge takes as many products of spins."""

Colours = tuple[int, ...]
"""The colour of each vertex, 0 .. colours - 1."""


@final
class GraphColouring(ConstraintProblem[Colours]):
    """A graph to be coloured.

    Spins: ceil(log2 colours) a vertex, the binary code of its colour, first bit first; one-hot codes would take `colours` of them.

    Penalty: an edge costs the product of (1 + s t) / 2 over the bits of its ends, 1 where their codes are equal and else 0: for 4 colours two
    pairs and one product of four spins. Where the number of colours is no power of two, each vertex has a clause for each 0 bit of the largest
    code (that bit and all 1 bits above it on would be a larger one). Both cost 1 or more where broken, so that 1 is weight enough; with weighted
    edges the clauses and fixed colours weigh 1 + the sum of all edges, more than all edges together can cost.

    Parameters
    ----------
    n : number of vertices, at least 1
    edges : (m, 2) vertices, counted from 0
    colours : 1 to 256
    weights : None if the ends of each edge must differ; else (m,) positive integers, the cost of an edge with ends alike
    fixed : {vertex: colour}, which must be kept

    Raises
    ------
    InvalidModel
        for a self-loop, a vertex, colour or weight out of range.
    """

    kind: ClassVar[str] = "colouring"

    def __init__(
        self,
        n: int,
        edges: npt.ArrayLike,
        colours: int,
        weights: Sequence[int] | None = None,
        fixed: Mapping[int, int] | None = None,
    ) -> None:
        self.colours = integer(colours, "the number of colours", 1, COLOURS_LIMIT)
        self.width = max(1, (self.colours - 1).bit_length())
        self.n = integer(n, "the number of vertices", 1, SPIN_LIMIT // self.width)
        pairs = index_pairs(edges, "edges")
        self.edges: list[tuple[int, int]] = [(int(a), int(b)) for a, b in pairs.tolist()]
        for a, b in self.edges:
            if not (0 <= a < self.n and 0 <= b < self.n):
                raise InvalidModel(f"edge {(a, b)} names a vertex out of range; vertices of this graph are 0..{self.n - 1}")
            if a == b:
                raise InvalidModel(f"edge {(a, b)} is a self-loop, whose ends cannot differ; drop it")
        if weights is not None and len(weights) != len(self.edges):
            raise InvalidModel(f"{len(weights)} weights for {len(self.edges)} edges; give one an edge, or None")
        self.weights = None if weights is None else [integer(w, f"the weight of edge {e}", 1) for e, w in zip(self.edges, weights, strict=True)]
        self.fixed = {
            integer(v, "a fixed vertex", 0, self.n - 1): integer(c, f"the fixed colour of vertex {shown(v)}", 0, self.colours - 1)
            for v, c in (fixed or {}).items()
        }

    def decode(self, spins: npt.ArrayLike) -> Colours | None:
        """Return the colours of all vertices; None where a code is none of a colour."""
        places = 1 << np.arange(self.width - 1, -1, -1)
        codes = self._truths(spins)[: self.n * self.width].reshape(self.n, self.width) @ places
        return None if bool((codes >= self.colours).any()) else tuple(codes.tolist())

    def encode(self, solution: Colours) -> npt.NDArray[np.int8]:
        """Return the spins of a colouring."""
        self._checked(solution)
        return self.penalties.completed(x for v, c in enumerate(solution) for x in self._literals(v, c) if x > 0)

    def violated(self, solution: Colours) -> tuple[str, ...]:
        """Return the fixed colours that are not kept, and, unless edges are weighted, the edges whose ends are alike."""
        self._checked(solution)
        broken = [f"vertex {v} has colour {solution[v]}, not {c}" for v, c in self.fixed.items() if solution[v] != c]
        if self.weights is None:
            broken += [f"edge {a}-{b}: both ends have colour {solution[a]}" for a, b in self.edges if solution[a] == solution[b]]
        return tuple(broken)

    def cost(self, solution: Colours) -> int:
        """Return the weight of the edges whose ends are alike; 0 where edges have none."""
        self._checked(solution)
        return sum(w for (a, b), w in zip(self.edges, self.weights or (), strict=False) if solution[a] == solution[b])

    def values(self, spins: npt.ArrayLike) -> dict[Hashable, Any]:
        """Return the colour of each vertex; {} where a code is none of a colour."""
        return dict(enumerate(self.decode(spins) or ()))

    def _penalties(self) -> Penalties:
        penalties = Penalties()
        penalties.bits(self.n * self.width)
        largest = self.colours - 1
        for v in range(self.n):
            bits = self._literals(v, 2**self.width - 1)
            above: list[int] = []
            for place, bit in zip(range(self.width - 1, -1, -1), bits, strict=True):
                if largest >> place & 1:
                    above.append(bit)
                else:
                    penalties.forbid([*above, bit])
        for v, colour in self.fixed.items():
            for literal in self._literals(v, colour):
                penalties.clause([literal])
        for number, (a, b) in enumerate(self.edges):
            weight = None if self.weights is None else self.weights[number]
            penalties.different(self._literals(a, 2**self.width - 1), self._literals(b, 2**self.width - 1), weight)
        return penalties

    def _literals(self, vertex: int, code: int) -> list[int]:
        """Return the literals that say that a vertex has a code."""
        first = vertex * self.width + 1
        return [first + i if code >> (self.width - 1 - i) & 1 else -(first + i) for i in range(self.width)]

    def _checked(self, solution: Colours) -> None:
        if len(solution) != self.n:
            raise InvalidModel(f"a colouring of {len(solution)} vertices for a graph of {self.n}; give one colour a vertex")
        for v, colour in enumerate(solution):
            integer(colour, f"the colour of vertex {v}", 0, self.colours - 1)

    def __repr__(self) -> str:
        return f"GraphColouring({self.n} vertices, {len(self.edges)} edges, {self.colours} colours)"
