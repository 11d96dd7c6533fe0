"""Program: the integers that every backend runs, made from a Model by quantising, colouring and ordering.

A program never depends on the backend. Everything in it is a deterministic function of the model, in our own code, because
samples depend on every bit of it; `Program.digest` names it.
"""

from __future__ import annotations

import hashlib
import math
import operator
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import final, overload

import numpy as np
import numpy.typing as npt

from ebmhw.colouring import colour, conflict_graph
from ebmhw.contract.formats import BIAS_BITS, COUPLING_BITS, FIELD_LIMIT, coupling_limit
from ebmhw.errors import DoesNotFit, InvalidModel, shown
from ebmhw.model import Model, TermBlock
from ebmhw.numbers import whole

Row = tuple[int, int, tuple[tuple[int, tuple[int, ...]], ...]]
"""One row: (spin, bias, ((J, (other spins ...)), ...))."""

SCALE_STEP = 1.0 - 2.0**-10
"""A scale is lowered by this factor until the rounded weights, too, meet the field limit."""


@final
class Program:
    """An integer Ising program: weights, biases and a visiting order.

    Attributes
    ----------
    n : number of spins
    weights : the integer model, E_program = scale * (E_model - offset) up to rounding; its offset is 0
    order : int32 (n,), the spin of each row in visiting order
    scale : float, program units per model unit; program beta = model beta / scale
    quantisation_error : largest |w - w' / scale| of a weight or bias, in model units
    lost : nonzero weights and biases of the model that round to 0
    coupling_bits, bias_bits : widths of the signed integers
    """

    def __init__(
        self, weights: Model, order: npt.NDArray[np.int32], scale: float, quantisation_error: float, coupling_bits: int, bias_bits: int, lost: int = 0
    ) -> None:
        self.weights = weights
        self.order = order
        self.scale = scale
        self.quantisation_error = quantisation_error
        self.lost = lost
        self.coupling_bits = _width(coupling_bits, "coupling_bits")
        self.bias_bits = _width(bias_bits, "bias_bits")
        self.order.setflags(write=False)
        self._check()

    def _check(self) -> None:
        if self.order.shape != (self.n,) or not np.array_equal(np.sort(self.order), np.arange(self.n)):
            raise InvalidModel(f"the visiting order must name each of the {self.n} spins once")
        fraction = _fraction(self.weights)
        if fraction:
            raise InvalidModel(f"{fraction} is not an integer, and a program holds integers; compile a Model to have it rounded")
        problem = _misfit(self.weights, self.coupling_bits, self.bias_bits)
        if problem:
            raise DoesNotFit(f"{problem}; compile the model with scale=None to have it scaled")

    @classmethod
    def from_rows(cls, n: int, rows: Iterable[Row], coupling_bits: int = COUPLING_BITS, bias_bits: int = BIAS_BITS) -> Program:
        """Return the program of given rows, one a spin, in the order given; every term stands in the row of each of its spins.

        Raises InvalidModel where rows are missing, repeated, or disagree about a term; DoesNotFit where numbers are too large.
        """
        order: list[int] = []
        bias: list[float] = [0] * n
        seen: dict[tuple[int, ...], list[tuple[int, int]]] = {}
        for number, row in enumerate(rows):
            try:
                spin, b, terms = row
                order.append(operator.index(spin))
                for weight, others in terms:
                    seen.setdefault(tuple(sorted(map(operator.index, (spin, *others)))), []).append((spin, weight))
            except (TypeError, ValueError):
                raise InvalidModel(f"row {number} is {shown(row)}; give (spin, bias, ((J, (other spins ...)), ...)) of integers") from None
            if not 0 <= spin < n:
                raise InvalidModel(f"row {number} is of spin {spin}; spins of this program are 0..{n - 1}")
            bias[spin] = b
        for members, entries in seen.items():
            if sorted(s for s, _ in entries) != list(members) or len({w for _, w in entries}) != 1:
                raise InvalidModel(f"rows disagree about term {members}: (spin, weight) {sorted(entries)}; each of its rows holds it once")
        weights = Model(n, bias, [(members, entries[0][1]) for members, entries in seen.items()])
        return cls(weights, np.array(order, dtype=np.int32), 1.0, 0.0, coupling_bits, bias_bits)

    @property
    def n(self) -> int:
        """Number of spins."""
        return self.weights.n

    @property
    def bias(self) -> npt.NDArray[np.int32]:
        """Biases in spin order, int32 (n,)."""
        return self.weights.bias.astype(np.int32)

    @property
    def blocks(self) -> tuple[TermBlock, ...]:
        """Terms by order, integer weights held as float64."""
        return self.weights.blocks

    @cached_property
    def incidence(self) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
        """(indptr (n + 1,), terms): which terms hold each spin, numbered through the blocks, ascending."""
        from scipy.sparse import coo_array

        if not self.blocks:
            return np.zeros(self.n + 1, dtype=np.int32), np.zeros(0, dtype=np.int32)
        spins, terms, first = [], [], 0
        for block in self.blocks:
            count = block.weights.size
            for column in range(block.order):
                spins.append(block.spins[:, column])
                terms.append(np.arange(first, first + count, dtype=np.int32))
            first += count
        owner, term = np.concatenate(spins), np.concatenate(terms)
        table = coo_array((np.ones(owner.size, dtype=np.int8), (owner, term)), shape=(self.n, first)).tocsr()
        table.sort_indices()
        return table.indptr, table.indices

    @property
    def rows(self) -> Sequence[Row]:
        """The rows in visiting order, each (spin, bias, ((J, (other spins ...)), ...)); made when asked for."""
        return _Rows(self)

    @property
    def max_slots(self) -> int:
        """Largest number of spin reads of one row: a term of k spins takes k - 1."""
        slots = np.zeros(self.n, dtype=np.int64)
        for block in self.blocks:
            slots += np.bincount(block.spins.ravel(), minlength=self.n) * (block.order - 1)
        return int(slots.max())

    def energy(self, spins: npt.ArrayLike) -> npt.NDArray[np.int64]:
        """Return E_program of spins (..., n) as int64 (...), exact."""
        return self.weights.energy(spins).astype(np.int64)

    @cached_property
    def digest(self) -> str:
        """SHA-256 (hex) of everything in the program: equal in every process, on every machine."""
        sha = hashlib.sha256(b"ebmhw program 1")
        sha.update(f"{self.n} {self.coupling_bits} {self.bias_bits} {float(self.scale).hex()}".encode())
        for array in (self.order, self.bias):
            sha.update(array.astype("<i4").tobytes())
        for block in self.blocks:
            sha.update(f"{block.order} {block.weights.size}".encode())
            sha.update(block.spins.astype("<i4").tobytes())
            sha.update(block.weights.astype("<i4").tobytes())
        return sha.hexdigest()

    def __repr__(self) -> str:
        return f"Program({self.n} spins, {self.weights.num_terms} terms, scale {self.scale:g}, {self.digest[:12]})"


@final
class _Rows(Sequence[Row]):
    """The rows of a program, one made at a time: a million tuples would take a gigabyte."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._first = np.cumsum([0, *(block.weights.size for block in program.blocks)])

    def __len__(self) -> int:
        return self._program.n

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Row]: ...
    def __getitem__(self, index: int | slice) -> Row | Sequence[Row]:
        if isinstance(index, slice):
            return tuple(self[i] for i in range(*index.indices(len(self))))
        program = self._program
        spin = int(program.order[index])
        indptr, terms = program.incidence
        entries = []
        for term in terms[indptr[spin] : indptr[spin + 1]].tolist():
            which = int(np.searchsorted(self._first, term, side="right")) - 1
            block = program.blocks[which]
            at = term - int(self._first[which])
            others = tuple(s for s in block.spins[at].tolist() if s != spin)
            entries.append((int(block.weights[at]), others))
        return spin, int(program.weights.bias[spin]), tuple(entries)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    __hash__ = None  # type: ignore[assignment]  # rows compare by value, like a list


def compile_model(model: Model, coupling_bits: int = COUPLING_BITS, bias_bits: int = BIAS_BITS, scale: float | None = None) -> Program:
    """Return the program of a model: E_program = scale * (E_model - offset) up to rounding half to even.

    With ``scale`` None it is 1 where all weights are integers that fit, else the largest float64 with
    scale |J| <= 2^(coupling_bits - 1) - 1, scale |b| <= 2^(bias_bits - 1) - 1 and scale (|b_i| + sum |J|) <= 2^17 - 1 for every
    spin, lowered by SCALE_STEP until the rounded weights meet the sum limit too. A given scale is used as it is; 1 refuses
    weights that are not integers instead of rounding them.

    Raises DoesNotFit where weights do not fit at the given scale, or widths are not 2..18.
    """
    coupling_bits, bias_bits = _width(coupling_bits, "coupling_bits"), _width(bias_bits, "bias_bits")
    if scale is None:
        exact = _fraction(model) is None and _misfit(model, coupling_bits, bias_bits) is None
        used = 1.0 if exact else _largest_scale(model, coupling_bits, bias_bits)
    else:
        try:
            used = float(scale)
        except (TypeError, ValueError, OverflowError):
            used = math.nan
        if not (math.isfinite(used) and used > 0):
            raise DoesNotFit(f"scale is {shown(scale)}; it must be a finite number above 0, or None to have it chosen")
        fraction = _fraction(model) if used == 1.0 else None
        if fraction:
            raise DoesNotFit(f"{fraction} is not an integer, and scale=1 does not round; use scale=None or another scale")
    weights = _rounded(model, used)
    while scale is None and _misfit(weights, coupling_bits, bias_bits):
        used *= SCALE_STEP
        weights = _rounded(model, used)
    problem = _misfit(weights, coupling_bits, bias_bits)
    if problem:
        raise DoesNotFit(f"with scale {used:g} {problem}; use scale=None to have the largest scale that fits chosen")
    error = _quantisation_error(model, used)
    indptr, neighbours = conflict_graph(model.n, [block.spins for block in weights.blocks])
    order = np.argsort(colour(model.n, indptr, neighbours), kind="stable").astype(np.int32)
    return Program(weights, order, used, error, coupling_bits, bias_bits, _nonzero(model) - _nonzero(weights))


def _nonzero(model: Model) -> int:
    return model.num_terms + int(np.count_nonzero(model.bias))


def _rounded(model: Model, scale: float) -> Model:
    """Return the model with every weight times scale, rounded half to even."""
    with np.errstate(over="ignore"):
        return model.mapped(lambda weights: np.rint(weights * scale))


def _width(bits: object, name: str) -> int:
    width = whole(bits)
    if width is None or not 2 <= width <= BIAS_BITS:
        raise DoesNotFit(f"{name} is {shown(bits)}; it must be a whole number from 2 to {BIAS_BITS}")
    return width


def _fraction(model: Model) -> str | None:
    """Name a weight that is not an integer, or return None."""
    odd = np.flatnonzero(model.bias != np.rint(model.bias))
    if odd.size:
        return f"bias {model.bias[odd[0]]} of spin {odd[0]}"
    for block in model.blocks:
        odd = np.flatnonzero(block.weights != np.rint(block.weights))
        if odd.size:
            return f"weight {block.weights[odd[0]]} of term {tuple(block.spins[odd[0]].tolist())}"
    return None


def _misfit(model: Model, coupling_bits: int, bias_bits: int) -> str | None:
    """Name what exceeds the number formats, or return None."""
    limit = coupling_limit(coupling_bits)
    for block in model.blocks:
        large = np.flatnonzero(np.abs(block.weights) > limit)
        if large.size:
            return (
                f"weight {block.weights[large[0]]:g} of term {tuple(block.spins[large[0]].tolist())} is beyond "
                f"{coupling_bits} bits (-{limit}..{limit})"
            )
    limit = coupling_limit(bias_bits)
    large = np.flatnonzero(np.abs(model.bias) > limit)
    if large.size:
        return f"bias {model.bias[large[0]]:g} of spin {large[0]} is beyond {bias_bits} bits (-{limit}..{limit})"
    bound = model.local_field_bound()
    if bound.max() > FIELD_LIMIT:
        spin = int(bound.argmax())
        return f"|bias| + sum of |weights| of spin {spin} is {bound[spin]:g}, beyond the field limit {FIELD_LIMIT}"
    return None


def _largest_scale(model: Model, coupling_bits: int, bias_bits: int) -> float:
    """Return the largest float64 that keeps scaled weights, biases and field sums within their limits before rounding."""
    bound = model.local_field_bound()
    if not np.isfinite(bound).all():
        spin = int(np.flatnonzero(~np.isfinite(bound))[0])
        raise DoesNotFit(f"|bias| + sum of |weights| of spin {spin} exceeds float64; divide the weights by a common factor")
    limits = [(float(bound.max()), FIELD_LIMIT), (float(np.abs(model.bias).max()), coupling_limit(bias_bits))]
    limits += [(float(np.abs(block.weights).max()), coupling_limit(coupling_bits)) for block in model.blocks]
    limits = [(value, limit) for value, limit in limits if value > 0]
    # Subnormal weights would ask for a scale beyond float64.
    scale = min(min(limit / value, float(np.finfo(np.float64).max)) for value, limit in limits)
    while any(scale * value > limit for value, limit in limits):
        scale = math.nextafter(scale, 0.0)
    return scale


def _quantisation_error(model: Model, scale: float) -> float:
    worst = [np.abs(values - np.rint(values * scale) / scale).max() for values in (model.bias, *(b.weights for b in model.blocks))]
    return float(max(worst))
