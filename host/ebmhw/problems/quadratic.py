"""Quadratic: a quadratic model of spins or bits as it comes in a file of dimod or of qbsolv."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, final

import numpy as np
import numpy.typing as npt

from ebmhw.errors import InvalidModel
from ebmhw.model import SPIN_LIMIT, Model
from ebmhw.numbers import index_pairs, real_number, real_numbers
from ebmhw.problems.table import Layout, line_of_row, parse_integer, read_rows
from ebmhw.problems.text import Text, load, show
from ebmhw.spins import checked

if TYPE_CHECKING:
    import dimod

VARTYPE = re.compile(rb"#.*?vartype[:=][ \t]*([-_.a-zA-Z0-9]+)")
"""dimod's own pattern for the header of a COO file."""

_LABEL_LIMIT = 2**31 - 1


@final
class Quadratic:
    """A quadratic model, E = offset + sum_i linear_i v_i + sum_e weights_e v_a v_b, with v = s or v = (1 + s) / 2.

    Parameters
    ----------
    vartype : "SPIN" or "BINARY", or dimod's constant
    linear : (n,) numbers, n at least 1
    edges : (m, 2) positions in 0..n-1, distinct in a row; equal pairs add up
    weights : (m,) numbers
    offset : constant added to every energy
    variables : (n,) labels, ascending where they come from a file, or None for 0..n-1

    Attributes
    ----------
    kind : "ising" of spins, "qubo" of bits
    n, vartype, linear, edges, weights, offset, variables : as given, in arrays

    Raises
    ------
    InvalidModel
        for another vartype, what is no number, lengths that differ; `model` refuses what no model can hold.
    """

    def __init__(
        self,
        vartype: object,
        linear: npt.ArrayLike,
        edges: npt.ArrayLike,
        weights: npt.ArrayLike,
        offset: float = 0.0,
        variables: npt.ArrayLike | None = None,
    ) -> None:
        self.vartype = _vartype_name(vartype)
        self.linear = real_numbers(linear, "linear weights")
        self.edges = index_pairs(edges, "edges")
        self.weights = real_numbers(weights, "weights")
        self.offset = real_number(offset, "offset")
        try:
            self.variables: npt.NDArray[np.int64] = np.arange(self.linear.size) if variables is None else np.asarray(variables)
        except ValueError:
            raise InvalidModel("variables are not all single labels; give one integer a variable") from None
        if self.linear.ndim != 1 or not self.linear.size or self.variables.shape != self.linear.shape:
            raise InvalidModel(
                f"linear has shape {self.linear.shape}, variables {self.variables.shape}; give one number for each of at least one variable"
            )
        if self.weights.shape != self.edges.shape[:1]:
            raise InvalidModel(f"edges have shape {self.edges.shape}, weights {self.weights.shape}; give (edges, 2) and (edges,)")
        self.n = int(self.linear.size)

    @classmethod
    def read(cls, path: str | os.PathLike[str], vartype: object = None) -> Quadratic:
        """Return the model of a file: dimod's COO (lines ``i j w``, ``# vartype=SPIN`` or ``BINARY``) or qbsolv's ``p qubo``.

        Parameters
        ----------
        vartype : vartype of a COO file without that header

        Raises
        ------
        InvalidFile
            for anything else, naming the line, and where no vartype is given or two disagree.
        """
        return cls.from_text(load(path), vartype)

    @classmethod
    def from_text(cls, text: Text, vartype: object = None) -> Quadratic:
        """Return the model of a file that is already loaded; arguments and errors as `read`."""
        given = None if vartype is None else _vartype_name(vartype)
        first = next((content.strip() for _, _, content in text.lines() if _is_content(content)), b"#")
        return _read_qubo(text, given) if first.startswith((b"c", b"p")) else _read_coo(text, given)

    @property
    def kind(self) -> str:
        """The word "ising" for spins, "qubo" for bits."""
        return "ising" if self.vartype == "SPIN" else "qubo"

    @cached_property
    def model(self) -> Model:
        """Model of equal energies; spin i is ``variables[i]``."""
        if self.vartype == "BINARY":
            return Model.from_binary_arrays(self.linear, self.edges, self.weights, self.offset)
        return Model.from_arrays(self.n, -self.linear, {2: (self.edges, -self.weights)}, self.offset)

    @cached_property
    def bqm(self) -> dimod.BinaryQuadraticModel:
        """The same as a dimod BQM of the file's vartype and labels."""
        import dimod

        quadratic = (self.edges[:, 0], self.edges[:, 1], self.weights)
        return dimod.BinaryQuadraticModel.from_numpy_vectors(
            self.linear, quadratic, self.offset, dimod.Vartype[self.vartype], variable_order=self.variables.tolist()
        )

    def energy(self, spins: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return the energy of spins (..., n), each -1 or +1 (bits are (1 + s) / 2), as float64 (...)."""
        return self.model.energy(spins)

    def values(self, spins: npt.ArrayLike) -> dict[int, int]:
        """Return the value of each variable by its label, in the file's own vartype, for one solution (n,)."""
        states = checked(spins, (self.n,))
        values = (states + 1) // 2 if self.vartype == "BINARY" else states
        return dict(zip(self.variables.tolist(), values.tolist(), strict=True))

    def describe(self, spins: npt.ArrayLike) -> dict[str, float | int | str]:
        """Return what one solution (n,) is worth: its energy."""
        return {"energy": float(self.energy(spins))}

    def __repr__(self) -> str:
        return f"Quadratic({self.n} variables, {self.weights.size} couplings, {self.vartype})"


def _is_content(content: bytes) -> bool:
    return bool(content.strip()) and not content.lstrip().startswith(b"#")


def _vartype_name(vartype: object) -> str:
    name = getattr(vartype, "name", vartype)
    if isinstance(vartype, (set, frozenset)):
        name = "SPIN" if vartype == {-1, 1} else "BINARY" if vartype == {0, 1} else vartype
    if name not in ("SPIN", "BINARY"):
        raise InvalidModel(f"vartype is {name!r}; give 'SPIN' or 'BINARY'")
    return str(name)


def _read_coo(text: Text, vartype: str | None) -> Quadratic:
    named = vartype
    for line, match in _vartypes(text):
        found = match[1].decode("ascii")
        if found not in ("SPIN", "BINARY"):
            raise text.error(line, f"vartype is {show(match[1])}; write '# vartype=SPIN' or '# vartype=BINARY'")
        if named not in (None, found):
            raise text.error(line, f"vartype {found} where {named} was given before; the two must agree")
        named = found
    if named is None:
        raise text.error(None, "no vartype; begin the file with '# vartype=SPIN' or '# vartype=BINARY', or pass vartype=")
    pairs, weights = read_rows(text, 0, 1, Layout("variable", 0, _LABEL_LIMIT, (3,), b"#"))
    if not len(pairs):
        raise text.error(None, "no variable; give lines 'i j weight', i equal to j for a variable's own weight")
    variables, pairs = _numbered(pairs)
    if variables.size > SPIN_LIMIT:
        raise text.error(None, f"{variables.size} variables; a model has at most {SPIN_LIMIT}")
    return _assembled(text, named, variables.size, pairs, weights, variables)


def _numbered(labels: npt.NDArray[np.int32]) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """Return the labels that occur, ascending, and each label's position among them."""
    largest = int(labels.max())
    if largest > 4 * labels.size:
        variables, positions = np.unique(labels, return_inverse=True)
        return variables, positions.reshape(labels.shape).astype(np.int32)
    # A table of all labels up to the largest: 10 times as fast as sorting 4,000,000 of them.
    present = np.zeros(largest + 1, dtype=bool)
    present[labels] = True
    return np.flatnonzero(present).astype(np.int32), (np.cumsum(present, dtype=np.int32) - 1)[labels]


def _vartypes(text: Text) -> Iterator[tuple[int, re.Match[bytes]]]:
    """Yield (line number, match) of every comment that names a vartype, looking at comments alone (a file may have millions of lines)."""
    position = text.data.find(b"#")
    while position >= 0:
        end = text.data.find(b"\n", position)
        end = len(text.data) if end < 0 else end
        match = VARTYPE.match(text.data[position:end])
        if match:
            yield text.line_at(position), match
        position = text.data.find(b"#", end)


def _read_qubo(text: Text, vartype: str | None) -> Quadratic:
    line, position, tokens = text.first(b"c", "a qbsolv file has a line 'p qubo 0 maxNodes nNodes nCouplers'")
    if tokens[:2] != [b"p", b"qubo"] or len(tokens) != 6:
        raise text.error(line, f"{show(b' '.join(tokens))} begins no model; give 'p qubo 0 maxNodes nNodes nCouplers'")
    if tokens[2] not in (b"0", b"unconstrained"):
        raise text.error(line, f"topology {show(tokens[2])} is not supported; give 0 or unconstrained")
    if vartype == "SPIN":
        raise text.error(line, "a qubo's variables are BINARY where vartype SPIN was given; leave the argument out")
    n = parse_integer(text, line, tokens[3], "number of maxNodes", 1, SPIN_LIMIT)
    said = {
        "diagonal": parse_integer(text, line, tokens[4], "number of nNodes", 0, 2**40),
        "coupler": parse_integer(text, line, tokens[5], "number of nCouplers", 0, 2**40),
    }
    layout = Layout("node", 0, n - 1, (3,), b"c")
    pairs, weights = read_rows(text, position, line + 1, layout)
    diagonal = pairs[:, 0] == pairs[:, 1]
    for noun, rows in (("diagonal", np.flatnonzero(diagonal)), ("coupler", np.flatnonzero(~diagonal))):
        if rows.size > said[noun]:
            where = line_of_row(text, position, line + 1, layout, int(rows[said[noun]]))
            raise text.error(where, f"a {noun} line beyond the {said[noun]} that line {line} says; correct the p line or drop this one")
        if rows.size < said[noun]:
            raise text.error(
                text.last_line, f"the file ends after {rows.size} of the {said[noun]} {noun} lines that line {line} says; fetch it again"
            )
    return _assembled(text, "BINARY", n, pairs, weights, None)


def _assembled(
    text: Text,
    vartype: str,
    n: int,
    pairs: npt.NDArray[np.int32],
    weights: npt.NDArray[np.float64],
    variables: npt.NDArray[np.int32] | None,
) -> Quadratic:
    own = pairs[:, 0] == pairs[:, 1]
    linear = np.bincount(pairs[own, 0], weights[own], n).astype(np.float64)
    if not np.isfinite(linear).all():
        raise text.error(None, "weights of one variable add up beyond 1.8e308; scale the file's weights down")
    coupled = ~own
    return Quadratic(vartype, linear, pairs[coupled], weights[coupled], variables=variables)
