"""Formula: clauses over Boolean variables, plain (SAT) or weighted (MaxSAT), as an energy with no ancilla spin a clause."""

from __future__ import annotations

import math
import operator
import os
from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import chain, combinations
from typing import NamedTuple, final

import numpy as np
import numpy.typing as npt

from ebmhw.errors import InvalidModel, shown
from ebmhw.model import SPIN_LIMIT, Model
from ebmhw.numbers import real_number, real_numbers
from ebmhw.problems.dimacs import CLAUSES_LIMIT, line_of_clause, read_clauses
from ebmhw.problems.text import Text, load
from ebmhw.spins import checked, columns

LITERALS_LIMIT = 8
"""Literals of a clause that become one term; j of them expand to 2^j products."""

_KEY = 29
"""Bits of a literal within a sort key: 2 |literal| + sign, |literal| <= 2^27."""


class _Group(NamedTuple):
    """Clauses of one length: their numbers (m,), their literals int64 (m, length) of distinct variables."""

    clauses: npt.NDArray[np.int64]
    literals: npt.NDArray[np.int64]


@final
class Formula:
    """A conjunction of clauses; spin i is variable i + 1, and +1 means true.

    Parameters
    ----------
    num_variables : n, the variables are 1..n
    clauses : sequences of literals, nonzero integers, negative for a negated variable; or an integer array (m, length)
    weights : (m,) positive numbers, infinite for a clause that must hold; None if every clause must (SAT)
    split_above : None, or k = 3..8: clauses of more than k literals are chained by ancilla spins behind the n variables. The least energy
        over the ancillas is that of the clause itself

    Attributes
    ----------
    num_variables, num_clauses : as given
    hard : bool (m,), clauses that must hold
    weights : float64 (m,); a hard clause weighs 1 + the sum of all soft ones, so that breaking it costs more than breaking all those
    kind : "sat" where every clause is hard, else "maxsat"

    Raises
    ------
    InvalidModel
        for a literal out of range, a weight that is no positive number, a clause of more than 8 distinct literals where nothing says to split it.
    """

    def __init__(
        self,
        num_variables: int,
        clauses: Iterable[Sequence[int]] | npt.NDArray[np.integer],
        weights: npt.ArrayLike | None = None,
        split_above: int | None = None,
    ) -> None:
        if isinstance(clauses, np.ndarray) and clauses.ndim == 2 and clauses.dtype.kind in "iu" and np.can_cast(clauses.dtype, np.int64):
            literals = clauses.astype(np.int64).ravel()
            lengths = np.full(clauses.shape[0], clauses.shape[1], dtype=np.int64)
        else:
            try:
                rows = list(clauses)
                lengths = np.array([len(row) for row in rows], dtype=np.int64)
                literals = np.fromiter(map(operator.index, chain.from_iterable(rows)), dtype=np.int64, count=int(lengths.sum()))
            except (TypeError, OverflowError):
                raise InvalidModel("clauses are not all sequences of integers; give tuples of literals such as (1, -2, 3)") from None
        self._set(num_variables, literals, lengths, weights, split_above)
        if self._too_long is not None:
            raise InvalidModel(f"clause {self._too_long} has {self._length_of(self._too_long)} literals; {_LONG}")

    @classmethod
    def read(cls, path: str | os.PathLike[str], split_above: int | None = None) -> Formula:
        """Return the formula of a DIMACS file: ``p cnf``, ``p wcnf``, or the weighted form of 2022 without a ``p`` line.

        Raises
        ------
        InvalidFile
            for anything else, naming the line; also for a clause of more than 8 distinct literals unless `split_above` is given.
        """
        return cls.from_text(load(path), split_above)

    @classmethod
    def from_text(cls, text: Text, split_above: int | None = None) -> Formula:
        """Return the formula of a DIMACS file that is already loaded; errors as `read`."""
        n, literals, lengths, weights = read_clauses(text)
        self = cls.__new__(cls)
        self._set(n, literals.astype(np.int64), lengths, weights, split_above)
        if self._too_long is not None:
            raise text.error(line_of_clause(text, self._too_long), f"a clause of {self._length_of(self._too_long)} literals; {_LONG}")
        return self

    @classmethod
    def random(cls, n: int, ratio_or_clauses: float, seed: int, literals: int = 3, split_above: int | None = None) -> Formula:
        """Return a uniform random formula: distinct variables in a clause, each negated with probability 1/2.

        `ratio_or_clauses` is the number of clauses where it is an integer, else clauses per variable.

        Raises
        ------
        InvalidModel
            for a number that is not allowed: `n` and `literals` count from 1, literals up to n, clauses and the seed from 0.
        """
        n = _counted(n, "the number of variables", 1, SPIN_LIMIT)
        literals = _counted(literals, "the number of literals a clause", 1)
        if literals > n:
            raise InvalidModel(f"{literals} distinct variables of {n} are not possible; give 1 to {n} literals a clause")
        if isinstance(ratio_or_clauses, (int, np.integer)):
            m = _counted(ratio_or_clauses, "the number of clauses", 0, CLAUSES_LIMIT)
        else:
            ratio = real_number(ratio_or_clauses, "the ratio of clauses to variables")
            if not 0.0 <= ratio <= CLAUSES_LIMIT / n:
                raise InvalidModel(f"the ratio of clauses to variables is {ratio}; {n} variables take 0 to {CLAUSES_LIMIT / n}")
            m = round(ratio * n)
        rng = np.random.default_rng(_counted(seed, "the seed", 0))
        chosen = np.empty((m, literals), dtype=np.int64)
        # Floyd's sampling: step j takes one of 0..j, or j itself where that is taken; all subsets are equally likely.
        for column, last in enumerate(range(n - literals, n)):
            drawn = rng.integers(0, last + 1, m)
            taken = (chosen[:, :column] == drawn[:, None]).any(axis=1)
            chosen[:, column] = np.where(taken, last, drawn)
        return cls(n, (chosen + 1) * rng.choice(np.array([-1, 1]), (m, literals)), split_above=split_above)

    def _set(
        self,
        num_variables: int,
        literals: npt.NDArray[np.int64],
        lengths: npt.NDArray[np.int64],
        weights: npt.ArrayLike | None,
        split_above: int | None,
    ) -> None:
        if isinstance(num_variables, bool) or not isinstance(num_variables, (int, np.integer)) or not 0 <= num_variables <= SPIN_LIMIT:
            raise InvalidModel(f"a formula of {num_variables!r} variables is not possible; give 0 to {SPIN_LIMIT}")
        if split_above is not None and not (isinstance(split_above, (int, np.integer)) and 3 <= split_above <= LITERALS_LIMIT):
            raise InvalidModel(f"split_above is {shown(split_above)}; give 3 to {LITERALS_LIMIT}, or None to split nothing")
        wrong = np.flatnonzero((literals == 0) | (literals > num_variables) | (literals < -int(num_variables)))
        if wrong.size:
            clause = int(np.searchsorted(np.cumsum(lengths), wrong[0], side="right"))
            raise InvalidModel(
                f"clause {clause} holds literal {literals[wrong[0]]}; literals are 1 .. {num_variables}, negative for a negated variable"
            )
        m = lengths.size
        values = np.full(m, np.inf) if weights is None else real_numbers(weights, "weights")
        if values.shape != (m,):
            raise InvalidModel(f"weights have shape {values.shape} for {m} clauses; give one number a clause")
        bad = np.flatnonzero(~(values > 0))
        if bad.size:
            raise InvalidModel(f"weight of clause {int(bad[0])} is {values[bad[0]]}; give a positive number, inf for a hard clause")
        self.num_variables = int(num_variables)
        self.num_clauses = int(m)
        self.hard: npt.NDArray[np.bool_] = np.isinf(values)
        soft = float(values[~self.hard].sum())
        # Above 2^53 adding 1 changes nothing; the next float is then the least that is more than all soft clauses.
        self.weights: npt.NDArray[np.float64] = np.where(self.hard, max(1.0 + soft, float(np.nextafter(soft, np.inf))), values)
        self.split_above = None if split_above is None else int(split_above)
        self.hard.setflags(write=False)
        self.weights.setflags(write=False)
        self._literals, self._lengths = literals.astype(np.int32), lengths
        self._groups = _grouped(literals, lengths)
        limit = LITERALS_LIMIT if split_above is None else split_above
        self._num_ancillas = sum(group.clauses.size * _links(length, limit) for length, group in self._groups.items() if length > limit)
        longest = max(self._groups, default=0)
        self._too_long = int(self._groups[longest].clauses[0]) if split_above is None and longest > LITERALS_LIMIT else None

    def _length_of(self, clause: int) -> int:
        return next(length for length, group in self._groups.items() if clause in group.clauses)

    @property
    def kind(self) -> str:
        """The word "sat" where every clause is hard, "maxsat" where one is not."""
        return "sat" if bool(self.hard.all()) else "maxsat"

    @property
    def clauses(self) -> list[tuple[int, ...]]:
        """The clauses as given, a new list of tuples of literals."""
        flat, ends = self._literals.tolist(), np.cumsum(self._lengths).tolist()
        return [tuple(flat[start:end]) for start, end in zip([0, *ends], ends, strict=False)]

    @cached_property
    def model(self) -> Model:
        """Model of energy `unit` x the weight of unsatisfied clauses (its least over ancilla spins); all integers if the weights are."""
        return self._energy[0]

    @property
    def unit(self) -> float:
        """Energy of an unsatisfied clause of weight 1: 2^(longest clause) over the common divisor of all coefficients."""
        return self._energy[1]

    @cached_property
    def _energy(self) -> tuple[Model, float]:
        pieces = self._pieces()
        longest = max(pieces, default=0)
        n = self.num_variables + self._num_ancillas
        bias, offset = np.zeros(n), 0.0
        terms: dict[int, tuple[list[npt.NDArray[np.int64]], list[npt.NDArray[np.float64]]]] = {}
        for length, group in pieces.items():
            # A clause costs w prod_l (1 - l s)/2; a subset of its literals has the coefficient w 2^-length prod(-l), and J is minus that.
            scaled = self.weights[group.clauses] * 2.0 ** (longest - length)
            offset += float(scaled.sum())
            spins, signs = np.abs(group.literals) - 1, np.sign(group.literals).astype(np.float64)
            for order in range(1, length + 1):
                for subset in combinations(range(length), order):
                    weight = scaled * ((-1.0) ** (order + 1))
                    for column in subset:
                        weight = weight * signs[:, column]
                    if order == 1:
                        bias += np.bincount(spins[:, subset[0]], weight, n)
                    else:
                        held = terms.setdefault(order, ([], []))
                        held[0].append(spins[:, subset])
                        held[1].append(weight)
        model = Model.from_arrays(n, bias, {k: (np.concatenate(s), np.concatenate(w)) for k, (s, w) in terms.items()}, offset)
        divisor = _divisor(model)
        if divisor > 1:
            blocks = {block.order: (block.spins, block.weights / divisor) for block in model.blocks}
            model = Model.from_arrays(n, model.bias / divisor, blocks, model.offset / divisor)
        return model, 2.0**longest / divisor

    def _pieces(self) -> dict[int, _Group]:
        """Return the clauses by length, those above the limit replaced by (l1 .. a), (-a .. b), (-b ..).

        The ancillas a, b can satisfy all pieces of a satisfied clause, and all but one of any other; each piece weighs as the clause.
        """
        limit = LITERALS_LIMIT if self.split_above is None else self.split_above
        parts: dict[int, list[_Group]] = {}
        ancilla = self.num_variables
        for length, group in sorted(self._groups.items()):
            if length <= limit:
                parts.setdefault(length, []).append(group)
                continue
            links = _links(length, limit)
            names = ancilla + 1 + np.arange(group.clauses.size * links, dtype=np.int64).reshape(-1, links)
            ancilla += names.size
            start = 0
            for link in range(links + 1):
                opening = [-names[:, link - 1 : link]] if link else []
                closing = [names[:, link : link + 1]] if link < links else []
                end = min(length, start + limit - len(opening) - len(closing))
                piece = np.concatenate([*opening, group.literals[:, start:end], *closing], axis=1)
                parts.setdefault(piece.shape[1], []).append(_Group(group.clauses, piece))
                start = end
        return {
            length: _Group(np.concatenate([g.clauses for g in groups]), np.concatenate([g.literals for g in groups]))
            for length, groups in sorted(parts.items())
        }

    def unsatisfied(self, spins: npt.ArrayLike) -> npt.NDArray[np.int64]:
        """Return how many clauses as given are unsatisfied by spins (..., n) or (..., model.n), as int64 (...)."""
        return self._sums(spins, np.ones(self.num_clauses)).astype(np.int64)

    def cost(self, spins: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return the weight of the clauses that spins (..., n) or (..., model.n) leave unsatisfied, as float64 (...)."""
        return self._sums(spins, self.weights)

    def assignment(self, spins: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Return the truth of every variable, bool (..., n), of spins (..., n) or (..., model.n)."""
        truth: npt.NDArray[np.bool_] = self._states(spins) > 0
        return truth

    def values(self, spins: npt.ArrayLike) -> dict[int, int]:
        """Return the truth, 0 or 1, of each variable 1..n for one solution, ancillas left out."""
        return {i + 1: int(true) for i, true in enumerate(self.assignment(spins).tolist())}

    def describe(self, spins: npt.ArrayLike) -> dict[str, float | int | str]:
        """Return what one solution is worth: unsatisfied clauses, the share of satisfied ones, for weighted ones hard clauses and cost."""
        broken = int(self.unsatisfied(spins))
        facts: dict[str, float | int | str] = {
            "unsatisfied": broken,
            "satisfied_share": 1.0 - broken / self.num_clauses if self.num_clauses else 1.0,
        }
        if self.kind == "maxsat":
            facts["hard_unsatisfied"] = int(self._sums(spins, self.hard.astype(np.float64)))
            facts["cost"] = float(self.cost(spins))
        return facts

    def _states(self, spins: npt.ArrayLike) -> npt.NDArray[np.int8]:
        return checked(spins, (self.num_variables, self.num_variables + self._num_ancillas))[..., : self.num_variables]

    def _sums(self, spins: npt.ArrayLike, values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        states = self._states(spins)
        reads = math.prod(states.shape[:-1])
        result = np.zeros(reads)
        largest = max((group.clauses.size for group in self._groups.values()), default=1)
        for rows, chunk in columns(states.reshape(reads, self.num_variables), largest):
            for length, (clauses, literals) in self._groups.items():
                broken = np.ones((clauses.size, chunk.shape[1]), dtype=bool)
                for column in range(length):
                    wanted = np.sign(literals[:, column : column + 1]).astype(np.int8)
                    broken &= chunk[np.abs(literals[:, column]) - 1] != wanted
                result[rows] += values[clauses] @ broken.astype(np.float64)
        return result.reshape(states.shape[:-1])

    def __repr__(self) -> str:
        return f"Formula({self.num_variables} variables, {self.num_clauses} clauses, {self.kind})"


_LONG = f"more than {LITERALS_LIMIT} do not expand well, pass split_above=k (3 <= k <= {LITERALS_LIMIT}) to chain it with ancilla spins"


def _counted(value: object, what: str, least: int, most: int | None = None) -> int:
    """Return an integer in least .. most, or refuse it by name."""
    if isinstance(value, (int, np.integer)) and not isinstance(value, bool) and least <= value and (most is None or value <= most):
        return int(value)
    limits = f"{least} or more" if most is None else f"{least} to {most}"
    raise InvalidModel(f"{what} is {shown(value)}; give an integer, {limits}")


def _links(length: int, limit: int) -> int:
    """Return the ancillas of a clause: both end pieces hold limit - 1 of its literals, each piece between them limit - 2."""
    return max(0, -(-(length - 2) // (limit - 2)) - 1)


def _grouped(literals: npt.NDArray[np.int64], lengths: npt.NDArray[np.int64]) -> dict[int, _Group]:
    """Return the clauses by their number of distinct literals, tautologies left out, one sort for all."""
    clause = np.repeat(np.arange(lengths.size, dtype=np.int64), lengths)
    keys = np.sort((clause << _KEY) | (2 * np.abs(literals) + (literals < 0)))
    if keys.size:
        keys = keys[np.concatenate([[True], keys[1:] != keys[:-1]])]
    both = (keys[1:] == keys[:-1] + 1) & (keys[:-1] % 2 == 0)
    clause = keys >> _KEY
    always = np.zeros(lengths.size, dtype=bool)
    always[clause[1:][both]] = True
    code = keys & ((1 << _KEY) - 1)
    distinct = np.where(code % 2 == 1, -(code >> 1), code >> 1)
    counts = np.bincount(clause, minlength=lengths.size)
    starts = np.cumsum(counts) - counts
    counts[always] = -1
    groups = {}
    for length in np.unique(counts[counts >= 0]).tolist():
        numbers = np.flatnonzero(counts == length)
        groups[length] = _Group(numbers, distinct[starts[numbers][:, None] + np.arange(length)])
    return groups


def _divisor(model: Model) -> int:
    """Return the greatest common divisor of all coefficients, 1 where one is not an exact integer or all are zero."""
    found = 0
    for values in (np.array([model.offset]), model.bias, *(block.weights for block in model.blocks)):
        if not (np.abs(values) < 2.0**53).all() or (values != np.rint(values)).any():
            return 1
        found = int(np.gcd(found, np.gcd.reduce(values.astype(np.int64))))
        if found == 1:
            return 1
    return max(found, 1)
