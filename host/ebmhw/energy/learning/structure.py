"""Structure: which spins and terms a model that is learned may have; its parameters as one vector, their statistics, and their program."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from itertools import combinations
from typing import final

import numpy as np
import numpy.typing as npt

from ebmhw.colouring import colour, conflict_graph
from ebmhw.contract.formats import BIAS_BITS, COUPLING_BITS
from ebmhw.energy.learning.fixed_point import rounded
from ebmhw.errors import InvalidModel, shown
from ebmhw.model import Model
from ebmhw.numbers import real_numbers, whole
from ebmhw.program import Program
from ebmhw.spins import checked, columns

FloatArray = npt.NDArray[np.float64]
IndexArray = npt.NDArray[np.int32]

TERMS_LIMIT = 2**24
"""Terms that a structure made by name may have: each takes about 60 bytes of parameters, statistics and program."""


@final
class Structure:
    """Spins, which of them are visible, and the terms that may have weights.

    Its parameters are one vector, float64 (size,): the n biases, then the weights of the terms, lower orders first, each order in lexicographic
    order. The model they stand for is that of `Model`: p(s) ~ exp(sum_i b_i s_i + sum_t J_t prod_{i in t} s_i).

    Parameters
    ----------
    n : number of spins, at least 1
    terms : sequences of two or more distinct spins each, in any order; one given twice counts once
    visible : the spins that data give values to, in the order of the data's columns; None for all of them

    Raises
    ------
    InvalidModel
        for spins out of range or repeated, as `Model`, and for visible ones that are none, or not distinct.
    """

    def __init__(self, n: int, terms: Iterable[Sequence[int]] = (), visible: Sequence[int] | IndexArray | None = None) -> None:
        frame = Model(n, None, {tuple(sorted(map(_spin, term))): 1.0 for term in _listed(terms)})
        self._set(frame, visible)

    @classmethod
    def of(cls, model: Model, visible: Sequence[int] | IndexArray | None = None) -> Structure:
        """Return the structure of a model's terms; a term of weight 0 is not in a model, and so not in its structure."""
        self = cls.__new__(cls)
        self._set(model, visible)
        return self

    @classmethod
    def from_arrays(cls, n: int, terms: Mapping[int, npt.ArrayLike], visible: Sequence[int] | IndexArray | None = None) -> Structure:
        """Return a structure from arrays: ``terms[k]`` is integers (m, k); rules and errors as above."""
        blocks: dict[int, tuple[npt.ArrayLike, npt.ArrayLike]] = {}
        for order, spins in terms.items():
            array = index_array(spins, f"terms of {order} spins")
            members = np.sort(array, axis=1) if array.ndim == 2 else array
            unique = np.unique(members, axis=0) if members.ndim == 2 and members.size else members
            blocks[order] = (unique, np.ones(len(unique)))
        return cls.of(Model.from_arrays(n, None, blocks), visible)

    @classmethod
    def bipartite(cls, visible: int, hidden: int) -> Structure:
        """Return the structure of a restricted Boltzmann machine: spins 0 .. visible - 1 are visible, each joined to each hidden one behind them."""
        v, h = _count(visible, "the number of visible spins", 1), _count(hidden, "the number of hidden spins", 1)
        _refuse_terms(v * h)
        pairs = np.stack([np.repeat(np.arange(v), h), v + np.tile(np.arange(h), v)], axis=1)
        return cls.from_arrays(v + h, {2: pairs}, np.arange(v, dtype=np.int32))

    @classmethod
    def complete(cls, visible: int, hidden: int = 0, order: int = 2) -> Structure:
        """Return the structure with every term of 2 .. ``order`` spins: a Boltzmann machine, fully visible where ``hidden`` is 0."""
        v, h = _count(visible, "the number of visible spins", 1), _count(hidden, "the number of hidden spins", 0)
        highest, n = _count(order, "the highest order", 2), v + h
        total, row = 0, n
        for k in range(2, min(highest, n) + 1):
            row = row * (n - k + 1) // k
            total += row
            _refuse_terms(total)
        terms = {k: np.array(list(combinations(range(n), k)), dtype=np.int64).reshape(-1, k) for k in range(2, min(highest, n) + 1)}
        return cls.from_arrays(n, terms, np.arange(v, dtype=np.int32))

    def _set(self, frame: Model, visible: Sequence[int] | IndexArray | None) -> None:
        self.n = frame.n
        self.terms: tuple[IndexArray, ...] = tuple(block.spins for block in frame.blocks)
        self.visible = np.arange(frame.n, dtype=np.int32) if visible is None else indices_of(visible, frame.n, "visible spins")
        if not self.visible.size:
            raise InvalidModel("no spin is visible; name those that data give values to")
        self.hidden: IndexArray = np.setdiff1d(np.arange(frame.n, dtype=np.int32), self.visible)
        self.size = frame.n + frame.num_terms
        for array in (self.visible, self.hidden):
            array.setflags(write=False)

    @cached_property
    def order(self) -> IndexArray:
        """Visiting order, int32 (n,): the visible spins colour by colour, then the hidden ones.

        So that k sweeps end with hidden spins drawn for the last visible ones, as contrastive divergence is defined. It is a function of the
        structure alone: no weight that is, or rounds to, 0 changes it.
        """
        indptr, neighbours = conflict_graph(self.n, self.terms)
        colours = colour(self.n, indptr, neighbours)
        return np.concatenate([np.sort(part)[np.argsort(colours[np.sort(part)], kind="stable")] for part in (self.visible, self.hidden)]).astype(
            np.int32
        )

    @cached_property
    def digest(self) -> str:
        """SHA-256 (hex) of spins, terms and visible ones."""
        sha = hashlib.sha256(f"ebmhw structure 1 {self.n}".encode())
        sha.update(self.visible.astype("<i4").tobytes())
        for spins in self.terms:
            sha.update(f"{spins.shape}".encode())
            sha.update(spins.astype("<i4").tobytes())
        return sha.hexdigest()

    def statistics(self, spins: npt.ArrayLike) -> npt.NDArray[np.int64]:
        """Return the sums over reads of each s_i and each term's product, of spins (reads, n), int64 (size,).

        Sums of -1 and +1 are exact, whatever the order in which they are added.
        """
        states = checked(spins, (self.n,)).reshape(-1, self.n)
        sums = [states.sum(axis=0, dtype=np.int64)]
        for members in self.terms:
            if members.shape[1] == 2 and members.shape[0] * 32 >= self.n * self.n:
                floats = states.astype(np.float64)
                gram = floats.T @ floats
                sums.append(gram[members[:, 0], members[:, 1]].astype(np.int64))
                continue
            total = np.zeros(members.shape[0], dtype=np.int64)
            for _, chunk in columns(states, members.shape[0]):
                product = chunk[members[:, 0]]
                for column in range(1, members.shape[1]):
                    product *= chunk[members[:, column]]
                total += product.sum(axis=1, dtype=np.int64)
            sums.append(total)
        return np.concatenate(sums)

    def model(self, parameters: npt.ArrayLike) -> Model:
        """Return the model of a vector of parameters; weights that are 0 are not in it."""
        vector = self.checked_parameters(parameters)
        return Model.from_arrays(self.n, vector[: self.n], self._blocks(vector))

    def parameters(self, model: Model) -> FloatArray:
        """Return the vector of a model's weights; its offset is no parameter. InvalidModel names a term that this structure lacks."""
        if model.n != self.n:
            raise InvalidModel(f"the model has {model.n} spins, the structure {self.n}")
        vector = np.zeros(self.size)
        vector[: self.n] = model.bias
        places = {spins.shape[1]: (first, spins) for first, spins in self.places}
        for block in model.blocks:
            first, spins = places.get(block.order, (0, np.zeros((0, block.order), dtype=np.int32)))
            both = np.concatenate([spins, block.spins])
            _, which = np.unique(both, axis=0, return_inverse=True)
            # Both are sorted and without repeats, so that a term of the model is known where the structure has its number too.
            position = np.full(len(both), -1, dtype=np.int64)
            numbers = np.asarray(which).ravel()
            position[numbers[: len(spins)]] = np.arange(len(spins))
            at = position[numbers[len(spins) :]]
            if (at < 0).any():
                raise InvalidModel(f"term {tuple(block.spins[int(np.argmin(at))].tolist())} of the model is not one of the structure")
            vector[first + at] = block.weights
        return vector

    def program(self, parameters: npt.ArrayLike, coupling_bits: int = COUPLING_BITS, bias_bits: int = BIAS_BITS) -> Program:
        """Return the integer program of parameters: rounded to a power of two's grid (`fixed_point.rounded`), in the fixed visiting order.

        For 64 + 64 spins and 4,096 terms it takes 0.4 ms where ``Model.compile``, which colours anew, takes 4.5.
        """
        vector = self.checked_parameters(parameters)
        integers, scale, error, lost = rounded(vector, self.n, self.terms, coupling_bits, bias_bits)
        weights = Model.from_arrays(self.n, integers[: self.n], self._blocks(integers))
        return Program(weights, self.order.copy(), scale, error, coupling_bits, bias_bits, lost)

    def checked_parameters(self, parameters: npt.ArrayLike) -> FloatArray:
        """Return a vector of parameters as float64 (size,), refused where it has another shape or holds what is not finite."""
        vector = real_numbers(parameters, "parameters")
        if vector.shape != (self.size,):
            raise InvalidModel(f"parameters have shape {vector.shape}; this structure has {self.size}: {self.n} biases, then its terms' weights")
        if not np.isfinite(vector).all():
            at = int(np.flatnonzero(~np.isfinite(vector))[0])
            raise InvalidModel(f"parameter {at} is {vector[at]}; lower the learning rate, or start from finite weights")
        return vector

    @property
    def places(self) -> list[tuple[int, IndexArray]]:
        """For each order the position of its first weight among the parameters, and its terms int32 (m, order)."""
        first, places = self.n, []
        for spins in self.terms:
            places.append((first, spins))
            first += spins.shape[0]
        return places

    def _blocks(self, vector: FloatArray) -> dict[int, tuple[npt.ArrayLike, npt.ArrayLike]]:
        return {spins.shape[1]: (spins, vector[first : first + spins.shape[0]]) for first, spins in self.places}

    def __repr__(self) -> str:
        return f"Structure({self.n} spins, {self.visible.size} visible, {self.size - self.n} terms)"


def indices_of(spins: Sequence[int] | IndexArray, n: int, what: str) -> IndexArray:
    """Return distinct spins of 0 .. n - 1 as int32; InvalidModel names ``what`` and the one that is wrong."""
    if not isinstance(spins, Iterable) or (isinstance(spins, np.ndarray) and spins.ndim != 1):
        raise InvalidModel(f"{what} are {shown(spins)}; give a sequence of spins")
    numbers = [whole(spin) for spin in (spins.tolist() if isinstance(spins, np.ndarray) else spins)]
    for spin, given in zip(numbers, spins, strict=True):
        if spin is None or not 0 <= spin < n:
            raise InvalidModel(f"{what} name {shown(given)}; spins are 0..{n - 1}")
    if len(set(numbers)) != len(numbers):
        raise InvalidModel(f"{what} name a spin twice: {shown(numbers)}; give each once")
    return np.array(numbers, dtype=np.int32)


def _spin(value: object) -> int:
    number = whole(value)
    if number is None:
        raise InvalidModel(f"a term names spin {shown(value)}; spins are whole numbers")
    return number


def _listed(terms: Iterable[Sequence[int]]) -> list[Sequence[int]]:
    """Return the terms, each of them something to go through; InvalidModel for what is none."""
    try:
        made = list(terms)
    except TypeError:
        raise InvalidModel(f"terms are {shown(terms)}; give a sequence of terms, each a sequence of spins") from None
    for term in made:
        if not isinstance(term, Iterable):
            raise InvalidModel(f"a term is {shown(term)}; give sequences of two or more spins")
    return made


def index_array(values: npt.ArrayLike, what: str) -> npt.NDArray[np.integer]:
    """Return integers as an array, whatever its shape; InvalidModel names ``what`` for anything else. What is empty is taken for integers."""
    try:
        array = np.asarray(values)
    except ValueError:
        raise InvalidModel(f"{what} are no rectangular array; give rows of equal length") from None
    if array.dtype.kind not in "iu" and (array.size or array.ndim == 0):
        raise InvalidModel(f"{what} are {shown(values)}; give integers")
    return array.astype(np.int64) if array.dtype.kind not in "iu" else array


def checked_structure(value: object) -> Structure:
    """Return a structure as it is; InvalidModel for anything else."""
    if not isinstance(value, Structure):
        raise InvalidModel(f"structure is {shown(value)}; give a Structure, such as Structure.bipartite(visible, hidden)")
    return value


def _count(value: object, what: str, low: int) -> int:
    number = whole(value)
    if number is None or number < low:
        raise InvalidModel(f"{what} is {shown(value)}; give a whole number of at least {low}")
    return number


def _refuse_terms(count: int) -> None:
    if count > TERMS_LIMIT:
        raise InvalidModel(f"such a structure has {count} terms, more than {TERMS_LIMIT}; name the terms that it needs")
