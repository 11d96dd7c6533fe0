"""Model: an energy over spins with terms of any order, and its ways from and to dimod and thrml.

This is the only place where signs and variable types of other packages are converted: dimod adds energies
(E = sum h s + sum J s s) where a Model subtracts them, so that J_model = -J_dimod and b_model = -h_dimod.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import combinations, pairwise
from typing import TYPE_CHECKING, Any, final

import numpy as np
import numpy.typing as npt

from ebmhw.contract.formats import BIAS_BITS, COUPLING_BITS
from ebmhw.errors import InvalidModel, shown
from ebmhw.numbers import real_number, real_numbers, whole
from ebmhw.spins import checked, columns

if TYPE_CHECKING:
    import dimod

    from ebmhw.program import Program

FloatArray = npt.NDArray[np.float64]
SpinArray = npt.NDArray[np.int32]
Term = tuple[tuple[int, ...], float]

SPIN_LIMIT = 2**26 - 1
"""Spins of one model; the CPU kernel addresses two copies of 32 bytes a spin with 32-bit offsets."""


BINARY_LIMIT = 2**20
"""Products of spins that the terms of a BINARY polynomial may expand to; 2^18 of one term take 1.7 s and 130 MB."""


@final
@dataclass(frozen=True, eq=False)
class TermBlock:
    """All terms of one order, in lexicographic order of their ascending spins.

    Attributes
    ----------
    spins : int32 (terms, order), each row ascending
    weights : float64 (terms,), none of them zero
    """

    spins: SpinArray
    weights: FloatArray

    @property
    def order(self) -> int:
        """Number of spins in each term."""
        return int(self.spins.shape[1])


@final
class Model:
    """An Ising model, E(s) = offset - sum_t J_t prod_{i in t} s_i - sum_i b_i s_i over spins s_i in {-1, +1}.

    Parameters
    ----------
    n : number of spins, at least 1
    bias : b, (n,) numbers, or None for zeros
    terms : iterable of ((i, j, ...), weight) with two or more distinct spins each, or a mapping of the same;
        weights over the same spins add up, zero sums are dropped
    offset : constant added to every energy

    Raises
    ------
    InvalidModel
        for a spin that is not an integer, out of range or repeated in its term, a weight that is not finite, a bias of
        another length, an empty model.
    """

    n: int
    bias: FloatArray
    blocks: tuple[TermBlock, ...]
    offset: float

    def __init__(
        self,
        n: int,
        bias: npt.ArrayLike | None = None,
        terms: Iterable[tuple[Sequence[int], float]] | Mapping[tuple[int, ...], float] = (),
        offset: float = 0.0,
    ) -> None:
        pairs = terms.items() if isinstance(terms, Mapping) else terms
        size = _index(n, "the number of spins")
        by_order: dict[int, tuple[list[list[int]], list[float]]] = {}
        for number, term in enumerate(pairs):
            try:
                members, weight = term
                spins = [_index(spin, f"term {number}") for spin in members]
            except (TypeError, ValueError) as error:
                if isinstance(error, InvalidModel):
                    raise
                raise InvalidModel(f"term {number} is {shown(term)}; give ((i, j, ...), weight)") from None
            if len(spins) < 2:
                raise InvalidModel(f"term {number} holds {len(spins)} spin(s); a term has 2 or more, a single spin's weight goes into bias")
            if any(not 0 <= spin < 2**63 for spin in spins):
                raise InvalidModel(f"term {number} {tuple(spins)} names a spin out of range; spins of this model are 0..{size - 1}")
            lists = by_order.setdefault(len(spins), ([], []))
            lists[0].append(spins)
            lists[1].append(weight)
        blocks = {k: (np.array(s, dtype=np.int64), real_numbers(w, "term weights")) for k, (s, w) in by_order.items()}
        if any(weights.ndim != 1 for _, weights in blocks.values()):
            raise InvalidModel("term weights are not all single numbers; give ((i, j, ...), weight)")
        self._set(n, bias, blocks, offset)

    @classmethod
    def from_arrays(
        cls,
        n: int,
        bias: npt.ArrayLike | None,
        terms: Mapping[int, tuple[npt.ArrayLike, npt.ArrayLike]],
        offset: float = 0.0,
    ) -> Model:
        """Return a model from arrays: ``terms[k]`` is (spins (m, k) integers, weights (m,)); rules and errors as above."""
        blocks = {}
        for order, (spins, weights) in terms.items():
            try:
                indices = np.asarray(spins)
            except ValueError:
                raise InvalidModel(f"spins of the terms of order {order} are no rectangular array; give (terms, {order})") from None
            if indices.size and indices.dtype.kind not in "iu":
                raise InvalidModel(f"spins of the terms of order {order} are {indices.dtype}; give integers")
            if indices.ndim != 2 or indices.shape[1] != order or order < 2:
                raise InvalidModel(f"spins of the terms of order {order} have shape {indices.shape}; give (terms, {max(order, 2)})")
            values = real_numbers(weights, f"weights of the terms of order {order}")
            if values.shape != (indices.shape[0],):
                raise InvalidModel(f"{values.size} weights for {indices.shape[0]} terms of order {order}; give one a term")
            blocks[order] = (indices if indices.dtype == np.int32 else indices.astype(np.int64), values)
        self = cls.__new__(cls)
        self._set(n, bias, blocks, offset)
        return self

    def _set(self, n: object, bias: npt.ArrayLike | None, blocks: Mapping[int, tuple[npt.NDArray[Any], FloatArray]], offset: float) -> None:
        self.n = _index(n, "the number of spins")
        if not 1 <= self.n <= SPIN_LIMIT:
            raise InvalidModel(f"a model of {self.n} spins is not possible; give 1 to {SPIN_LIMIT}")
        self.bias = np.zeros(self.n) if bias is None else real_numbers(bias, "bias")
        if self.bias.shape != (self.n,):
            raise InvalidModel(f"bias has shape {self.bias.shape} for {self.n} spins; give one number a spin")
        _refuse_unbounded(self.bias, lambda i: f"bias of spin {i}")
        self.offset = real_number(offset, "offset")
        self.bias.setflags(write=False)
        merged = (_merge(self.n, spins, weights) for _, (spins, weights) in sorted(blocks.items()))
        self.blocks = tuple(block for block in merged if block.weights.size)

    @classmethod
    def from_binary_arrays(cls, linear: FloatArray, pairs: npt.ArrayLike, weights: FloatArray, offset: float = 0.0) -> Model:
        """Return the model of E = offset + sum a x + sum q x x over bits x = (1 + s) / 2.

        ``linear`` (n,) is a, ``pairs`` (m, 2) and ``weights`` (m,) are q. A coupling q x_i x_j is q/4 (1 + s_i + s_j + s_i s_j),
        a x_i is a/2 (1 + s_i); quarters of integers are exact.
        """
        members, quarter = np.asarray(pairs), weights / 4.0
        if members.size == 0:
            members = np.zeros((0, 2), dtype=np.int64)
        couplings = cls.from_arrays(linear.size, None, {2: (members, -quarter)})
        bias = -linear / 2.0
        for column in range(2):
            bias = bias - np.bincount(members[:, column], quarter, linear.size)
        self = cls.from_arrays(linear.size, bias, {}, offset + float(linear.sum()) / 2.0 + float(quarter.sum()))
        self.blocks = couplings.blocks
        return self

    def terms(self) -> Iterator[Term]:
        """Yield every term as ((i, j, ...), weight), lower orders first, spins ascending."""
        for block in self.blocks:
            for spins, weight in zip(block.spins.tolist(), block.weights.tolist(), strict=True):
                yield tuple(spins), weight

    @property
    def num_terms(self) -> int:
        """Number of terms of two and more spins."""
        return sum(block.weights.size for block in self.blocks)

    @property
    def max_order(self) -> int:
        """Largest number of spins in a term; 1 where there is none."""
        return max((block.order for block in self.blocks), default=1)

    def energy(self, spins: npt.ArrayLike) -> FloatArray:
        """Return E(s) of spins (..., n), each -1 or +1, as float64 (...); exact for integer weights while below 2^53."""
        states = checked(spins, (self.n,))
        result = np.empty(math.prod(states.shape[:-1]))
        largest = max((block.weights.size for block in self.blocks), default=1)
        for rows, chunk in columns(states.reshape(-1, self.n), largest):
            total = self.bias @ chunk.astype(np.float64)
            for block in self.blocks:
                product = chunk[block.spins[:, 0]]
                for column in range(1, block.order):
                    product *= chunk[block.spins[:, column]]
                total += block.weights @ product.astype(np.float64)
            result[rows] = self.offset - total
        return result.reshape(states.shape[:-1])

    def compile(self, coupling_bits: int = COUPLING_BITS, bias_bits: int = BIAS_BITS, scale: float | None = None) -> Program:
        """Return the integer program of this model; see `ebmhw.program.compile_model`."""
        from ebmhw.program import compile_model

        return compile_model(self, coupling_bits=coupling_bits, bias_bits=bias_bits, scale=scale)

    def mapped(self, function: Callable[[FloatArray], FloatArray]) -> Model:
        """Return the model with ``function`` applied to the biases and to each block's weights, and offset 0; zeros are dropped."""
        self_ = Model.__new__(Model)
        self_.n, self_.offset = self.n, 0.0
        self_.bias = function(self.bias)
        blocks = []
        for block in self.blocks:
            weights = function(block.weights)
            kept = slice(None) if weights.all() else np.flatnonzero(weights)
            blocks.append(TermBlock(block.spins[kept], weights[kept]))
        self_.blocks = tuple(block for block in blocks if block.weights.size)
        self_.bias.setflags(write=False)
        for block in self_.blocks:
            block.spins.setflags(write=False)
            block.weights.setflags(write=False)
        return self_

    def local_field_bound(self) -> FloatArray:
        """Return |b_i| + sum of |J_t| over the terms that hold i, float64 (n,); infinite where it exceeds float64."""
        total = np.abs(self.bias)
        with np.errstate(over="ignore"):
            for block in self.blocks:
                magnitude = np.abs(block.weights)
                for column in range(block.order):
                    total += np.bincount(block.spins[:, column], magnitude, self.n)
        return total

    @classmethod
    def from_bqm(cls, bqm: dimod.BinaryQuadraticModel) -> Model:
        """Return the model of a dimod BQM of either vartype; spin i is ``bqm.variables[i]``, energies are equal."""
        import dimod

        if bqm.vartype is not dimod.SPIN:
            bqm = bqm.change_vartype(dimod.SPIN, inplace=False)
        vectors = bqm.to_numpy_vectors(variable_order=list(bqm.variables))
        spins = np.stack([vectors.quadratic.row_indices, vectors.quadratic.col_indices], axis=1)
        return cls.from_arrays(
            bqm.num_variables,
            -np.asarray(vectors.linear_biases, dtype=np.float64),
            {2: (spins.astype(np.int64), -np.asarray(vectors.quadratic.biases, dtype=np.float64))},
            float(vectors.offset),
        )

    @classmethod
    def from_poly(cls, poly: dimod.BinaryPolynomial) -> Model:
        """Return the model of a dimod polynomial of either vartype; spin i is ``poly_variables(poly)[i]``."""
        import dimod

        order = poly_variables(poly)
        position = {v: i for i, v in enumerate(order)}
        grouped: dict[int, tuple[list[list[int]], list[float]]] = {}
        for members, weight in poly.items():
            spins, weights = grouped.setdefault(len(members), ([], []))
            spins.append(sorted(position[v] for v in members))
            weights.append(float(weight))
        binary = poly.vartype is dimod.BINARY
        if binary and sum(len(w) << k for k, (_, w) in grouped.items()) > BINARY_LIMIT:
            largest = max(grouped)
            raise InvalidModel(
                f"a term of {largest} variables of a BINARY polynomial expands to 2^{largest} products of spins, and this polynomial to more than "
                f"{BINARY_LIMIT} in all; give it as a SPIN polynomial, or split its terms"
            )
        bias, offset = np.zeros(len(order)), 0.0
        terms: dict[int, tuple[list[npt.NDArray[np.int64]], list[FloatArray]]] = {}
        for size, (rows, values) in sorted(grouped.items()):
            # A polynomial's terms come in the order of a hash; sums must not depend on it.
            ordered = sorted(zip(rows, values, strict=True))
            members_ = np.array([row for row, _ in ordered], dtype=np.int64).reshape(len(ordered), size)
            # x = (1 + s) / 2: a product of k bits is 2^-k times the sum of the products over all subsets of their spins.
            scaled = np.array([value for _, value in ordered]) / (2.0**size if binary else 1.0)
            for k in range(size + 1) if binary else (size,):
                for subset in combinations(range(size), k):
                    if k == 0:
                        offset += float(scaled.sum())
                    elif k == 1:
                        bias -= np.bincount(members_[:, subset[0]], scaled, len(order))
                    else:
                        held = terms.setdefault(k, ([], []))
                        held[0].append(members_[:, subset])
                        held[1].append(-scaled)
        return cls.from_arrays(len(order), bias, {k: (np.concatenate(s), np.concatenate(w)) for k, (s, w) in terms.items()}, offset)

    def to_bqm(self, variables: Sequence[Hashable] | None = None) -> dimod.BinaryQuadraticModel:
        """Return a dimod BQM (SPIN) of equal energies; refused where a term has more than two spins."""
        import dimod

        if self.max_order > 2:
            raise InvalidModel(f"a term of this model has {self.max_order} spins, a BQM holds pairs; use to_poly()")
        labels = self._labels(variables)
        bqm = dimod.BinaryQuadraticModel(dimod.SPIN)
        bqm.add_linear_from(zip(labels, (-self.bias).tolist(), strict=True))
        for block in self.blocks:
            names = ((labels[i], labels[j]) for i, j in block.spins.tolist())
            bqm.add_quadratic_from((a, b, -w) for (a, b), w in zip(names, block.weights.tolist(), strict=True))
        bqm.offset = self.offset
        return bqm

    def to_poly(self, variables: Sequence[Hashable] | None = None) -> dimod.BinaryPolynomial:
        """Return a dimod polynomial (SPIN) of equal energies, every variable in it."""
        import dimod

        labels = self._labels(variables)
        poly: dict[tuple[Hashable, ...], float] = {(label,): -b for label, b in zip(labels, self.bias.tolist(), strict=True)}
        poly.update({tuple(labels[i] for i in spins): -w for spins, w in self.terms()})
        if self.offset:
            poly[()] = self.offset
        return dimod.BinaryPolynomial(poly, dimod.SPIN)

    def _labels(self, variables: Sequence[Hashable] | None) -> list[Hashable]:
        labels: list[Hashable] = [*(range(self.n) if variables is None else variables)]
        if len(labels) != self.n or len(set(labels)) != self.n:
            raise InvalidModel(f"{len(set(labels))} distinct variable names for {self.n} spins; give one name a spin")
        return labels

    @classmethod
    def from_thrml(cls, ising_ebm: Any) -> Model:
        """Return the model of a thrml ``IsingEBM``; spin i is ``ising_ebm.nodes[i]``.

        thrml's energy is -beta (sum b s + sum J s s) and it samples at exp(-E); its beta is multiplied into the weights here,
        so that sampling this model at beta = 1 targets the same distribution.
        """
        beta = float(np.asarray(ising_ebm.beta))
        position = {node: i for i, node in enumerate(ising_ebm.nodes)}
        spins = np.array([[position[a], position[b]] for a, b in ising_ebm.edges], dtype=np.int64).reshape(-1, 2)
        return cls.from_arrays(
            len(position),
            beta * np.asarray(ising_ebm.biases, dtype=np.float64),
            {2: (spins, beta * np.asarray(ising_ebm.weights, dtype=np.float64))},
        )

    def __repr__(self) -> str:
        return f"Model({self.n} spins, {self.num_terms} terms of order up to {self.max_order})"


def poly_variables(poly: dimod.BinaryPolynomial) -> list[Any]:
    """Return the variables of a polynomial in an order that does not depend on the hash seed."""
    variables = list(poly.variables)
    try:
        ordered = sorted(variables)
        # Sets compare, but not all of them one way or the other; then the result is that of the iteration order.
        if all(a < b for a, b in pairwise(ordered)):
            return ordered
    except TypeError:
        pass
    return sorted(variables, key=lambda v: (type(v).__name__, _stable_repr(v)))


def _stable_repr(value: object) -> str:
    """Return repr(value), the members of sets in an order that does not depend on the hash seed."""
    if isinstance(value, frozenset):
        return f"frozenset({sorted(map(_stable_repr, value))})"
    if isinstance(value, tuple):
        return f"({', '.join(map(_stable_repr, value))})"
    return repr(value)


def _index(value: object, what: str) -> int:
    index = whole(value)
    if index is None:
        raise InvalidModel(f"{what} holds {shown(value)}; spins are counted with integers")
    return index


def _refuse_unbounded(values: FloatArray, name: Any) -> None:
    bad = np.flatnonzero(~np.isfinite(values))
    if bad.size:
        raise InvalidModel(f"{name(int(bad[0]))} is {values[bad[0]]}; weights must be finite numbers")


def _merge(n: int, spins: npt.NDArray[Any], weights: FloatArray) -> TermBlock:
    """Return the block with equal terms added up in the order given and zero sums dropped."""
    order = spins.shape[1]
    # Column by column: with NumPy's row-wise sort and comparisons of such narrow arrays this took 1.5 times as long (2M pairs).
    columns = [np.ascontiguousarray(spins[:, k]) for k in range(order)]
    outside = np.flatnonzero(reduce(np.logical_or, ((column < 0) | (column >= n) for column in columns)))
    if outside.size:
        raise InvalidModel(f"term {tuple(spins[outside[0]].tolist())} names a spin out of range; spins of this model are 0..{n - 1}")
    for last in range(order - 1, 0, -1):
        for k in range(last):
            columns[k], columns[k + 1] = np.minimum(columns[k], columns[k + 1]), np.maximum(columns[k], columns[k + 1])
    repeated = np.flatnonzero(reduce(np.logical_or, (a == b for a, b in pairwise(columns))))
    if repeated.size:
        raise InvalidModel(
            f"term {tuple(sorted(spins[repeated[0]].tolist()))} repeats a spin; s*s is 1, so drop both and put the weight on what is left"
        )
    _refuse_unbounded(weights, lambda i: f"weight of term {tuple(spins[i].tolist())}")
    first = np.ones(len(spins), dtype=bool)
    if order * n.bit_length() < 63:
        # One integer key a term: a stable argsort of it is twice as fast as a lexsort of two columns (2M terms).
        key = reduce(lambda high, low: high * n + low, (column.astype(np.int64) for column in columns))
        rank = np.argsort(key, kind="stable")
        ordered = key[rank]
        first[1:] = ordered[1:] != ordered[:-1]
    else:
        rank = np.lexsort(columns[::-1])
        first[1:] = reduce(np.logical_or, (column[rank[1:]] != column[rank[:-1]] for column in columns))
    # bincount adds one after the other, so the sums do not depend on how a library blocks its reductions.
    sums = np.bincount(np.cumsum(first) - 1, weights[rank]) if len(spins) else weights
    kept = sums != 0.0
    source = rank[first][kept]
    block = TermBlock(np.stack([column[source] for column in columns], axis=1).astype(np.int32), sums[kept])
    _refuse_unbounded(block.weights, lambda i: f"sum of the weights of term {tuple(block.spins[i].tolist())}")
    block.spins.setflags(write=False)
    block.weights.setflags(write=False)
    return block
