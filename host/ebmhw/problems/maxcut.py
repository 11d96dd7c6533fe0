"""MaxCut: split the vertices of a weighted graph in two so that the edges between the parts weigh most."""

from __future__ import annotations

import os
from functools import cached_property
from typing import Any, ClassVar, final

import numpy as np
import numpy.typing as npt

from ebmhw.errors import InvalidModel
from ebmhw.model import SPIN_LIMIT, Model
from ebmhw.numbers import index_pairs, real_numbers
from ebmhw.problems.table import Layout, line_of_row, parse_integer, read_rows
from ebmhw.problems.text import Text, load
from ebmhw.spins import checked, columns

_COMMENTS = (b"#", b"c")


@final
class MaxCut:
    """A Max-Cut problem; spin i tells the side of vertex i.

    Parameters
    ----------
    n : number of vertices, at least 1
    edges : (m, 2) vertices, counted from 0; parallel edges add up
    weights : (m,) finite numbers, or None for ones

    Attributes
    ----------
    edges, weights : int32 (m, 2) and float64 (m,), in the order given

    Raises
    ------
    InvalidModel
        for a self-loop, a vertex out of range, a weight that is no finite number, lengths that differ.
    """

    kind: ClassVar[str] = "maxcut"

    def __init__(self, n: int, edges: npt.ArrayLike, weights: npt.ArrayLike | None = None) -> None:
        pairs = index_pairs(edges, "edges")
        if isinstance(n, (bool, np.bool_)) or not isinstance(n, (int, np.integer)) or not 1 <= n <= SPIN_LIMIT:
            raise InvalidModel(f"a graph of {n!r} vertices is not possible; give 1 to {SPIN_LIMIT}")
        outside = np.flatnonzero(((pairs < 0) | (pairs >= n)).any(axis=1))
        if outside.size:
            raise InvalidModel(f"edge {tuple(pairs[outside[0]].tolist())} names a vertex out of range; vertices of this graph are 0..{n - 1}")
        loops = np.flatnonzero(pairs[:, 0] == pairs[:, 1])
        if loops.size:
            raise InvalidModel(f"edge {tuple(pairs[loops[0]].tolist())} is a self-loop, which no cut can hold; drop it")
        values = np.ones(len(pairs)) if weights is None else real_numbers(weights, "weights")
        if values.shape != (len(pairs),):
            raise InvalidModel(f"weights have shape {values.shape} for {len(pairs)} edges; give one number an edge")
        unbounded = np.flatnonzero(~np.isfinite(values))
        if unbounded.size:
            edge = tuple(pairs[unbounded[0]].tolist())
            raise InvalidModel(f"weight of edge {edge} is {values[unbounded[0]]}; weights must be finite numbers")
        self.n = int(n)
        self.edges: npt.NDArray[np.int32] = pairs.astype(np.int32)
        self.weights: npt.NDArray[np.float64] = values
        self.edges.setflags(write=False)
        self.weights.setflags(write=False)

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> MaxCut:
        """Return the problem of a G-set file: a header ``n m``, then m lines ``i j w``, vertices from 1, w left out for ones.

        Lines that begin with ``#`` or ``c`` are comments.

        Raises
        ------
        InvalidFile
            for anything else, naming the line; all lines have a weight or none has.
        """
        return cls.from_text(load(path))

    @classmethod
    def from_text(cls, text: Text) -> MaxCut:
        """Return the problem of a G-set file that is already loaded; errors as `read`."""
        line, position, header = text.first(_COMMENTS, "a G-set file begins with two integers, vertices and edges")
        if len(header) != 2:
            raise text.error(line, f"the header has {len(header)} values; a G-set file begins with two integers, vertices and edges")
        n = parse_integer(text, line, header[0], "number of vertices", 1, SPIN_LIMIT)
        m = parse_integer(text, line, header[1], "number of edges", 0, 2**40)
        layout = Layout("vertex", 1, n, (2, 3), _COMMENTS)
        pairs, weights = read_rows(text, position, line + 1, layout)
        if len(pairs) > m:
            extra = line_of_row(text, position, line + 1, layout, m)
            raise text.error(extra, f"an edge beyond the {m} that the header on line {line} says; correct the header or drop the line")
        if len(pairs) < m:
            raise text.error(
                text.last_line, f"the file ends after {len(pairs)} of the {m} edges that its header says; it was cut short, fetch it again"
            )
        loops = np.flatnonzero(pairs[:, 0] == pairs[:, 1])
        if loops.size:
            where = line_of_row(text, position, line + 1, layout, int(loops[0]))
            raise text.error(where, f"a self-loop at vertex {pairs[loops[0], 0]}, which no cut can hold; drop the line")
        pairs -= 1
        # All that __init__ would check is checked; its passes and copies over 2,000,000 edges are saved.
        self = cls.__new__(cls)
        self.n, self.edges, self.weights = n, pairs, weights
        self.edges.setflags(write=False)
        self.weights.setflags(write=False)
        return self

    @classmethod
    def from_networkx(cls, graph: Any) -> MaxCut:
        """Return the problem of a networkx graph of any kind; vertex i is ``list(graph)[i]``, "weight" is 1 where missing."""
        position = {node: i for i, node in enumerate(graph)}
        triples = list(graph.edges(data="weight", default=1))
        edges = np.array([(position[a], position[b]) for a, b, _ in triples], dtype=np.int64).reshape(-1, 2)
        return cls(len(position), edges, [weight for _, _, weight in triples])

    @cached_property
    def model(self) -> Model:
        """Model whose energy is sum w s_i s_j = (sum w) - 2 cut: no offset, so that integer weights stay the integers they are."""
        return Model.from_arrays(self.n, None, {2: (self.edges, -self.weights)})

    def cut(self, spins: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return the weight of the edges between the two sides of spins (..., n), as float64 (...); exact for integers below 2^53."""
        states = checked(spins, (self.n,))
        flat = states.reshape(-1, self.n)
        result = np.empty(flat.shape[0])
        for rows, chunk in columns(flat, len(self.weights)):
            differ = chunk[self.edges[:, 0]] != chunk[self.edges[:, 1]]
            result[rows] = self.weights @ differ.astype(np.float64)
        return result.reshape(states.shape[:-1])

    def values(self, spins: npt.ArrayLike) -> dict[int, int]:
        """Return the side, 0 or 1, of each vertex, numbered from 1 as in files, for one solution (n,)."""
        return {i + 1: int(spin > 0) for i, spin in enumerate(checked(spins, (self.n,)).tolist())}

    def describe(self, spins: npt.ArrayLike) -> dict[str, float | int | str]:
        """Return what one solution (n,) is worth: its cut."""
        return {"cut": float(self.cut(spins))}

    def __repr__(self) -> str:
        return f"MaxCut({self.n} vertices, {len(self.weights)} edges)"
