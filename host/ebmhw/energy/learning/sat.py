"""Learned couplings for satisfiability: what clauses of a kind weigh, shared by formulas of every size.

The hand-written energy of a clause of L literals l is 2^-L prod (1 - l s), whose products of r literals all have the weight 2^-L (-1)^r. Here each
has a weight of its own, by the number of its literals r and, on request, by how many literals of its clause are the commoner sign of their
variable. All weights alike is the hand-written energy.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array

from ebmhw.backends import SamplerBackend
from ebmhw.energy.learning.phases import SpinArray
from ebmhw.energy.learning.shared import Instance
from ebmhw.energy.learning.structure import FloatArray, IndexArray, Structure
from ebmhw.errors import InvalidModel, shown
from ebmhw.numbers import real_numbers, whole
from ebmhw.schedule import Schedule

if TYPE_CHECKING:
    from ebmhw.problems import Formula


def clause_features(formula: Formula, literals: int = 3, by_majority: bool = False) -> Instance:
    """Return the instance of a formula whose clauses have ``literals`` distinct variables each; spin i is variable i + 1.

    Its shared parameters are ``literals`` weights, of products of 1, 2, ... literals; with ``by_majority`` there are literals + 1 times as many:
    parameter c x literals + r - 1 is of products of r literals in clauses with c literals of their variable's commoner sign (a tie counts as
    common).

    Raises
    ------
    InvalidModel
        for clauses of another length, with a variable twice, or weighted ones.
    """
    from ebmhw.problems import Formula

    if not isinstance(formula, Formula):
        raise InvalidModel(f"formula is {shown(formula)}; give a Formula")
    literals = _literals(literals)
    clauses = np.array([clause for clause in formula.clauses if len(clause) == literals], dtype=np.int64).reshape(-1, literals)
    spins, signs = np.abs(clauses) - 1, np.sign(clauses)
    if formula.kind != "sat" or len(clauses) != formula.num_clauses or not len(clauses) or (np.diff(np.sort(spins, axis=1), axis=1) == 0).any():
        raise InvalidModel(f"features are those of unweighted clauses of {literals} distinct variables each, at least one; give such a formula")
    n = formula.num_variables
    balance = np.bincount(spins.ravel(), signs.ravel(), n)
    kinds = literals + 1 if by_majority else 1
    common = (signs * np.where(balance >= 0, 1, -1)[spins] > 0).sum(axis=1) if by_majority else np.zeros(len(clauses), dtype=np.int64)
    terms: dict[int, npt.NDArray[np.int64]] = {}
    entries: dict[int, tuple[FloatArray, npt.NDArray[np.int64]]] = {}
    for order in range(1, literals + 1):
        parts = []
        for subset in combinations(range(literals), order):
            chosen = list(subset)
            # As in `Formula`: a product has the coefficient 2^-L prod(-l) in the energy, and a model subtracts.
            weight = -(2.0**-literals) * np.prod(-signs[:, chosen], axis=1)
            parts.append((spins[:, chosen], weight, common * literals + order - 1))
        members, weights, columns = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
        terms[order], entries[order] = np.sort(members, axis=1), (weights, columns)
    structure = Structure.from_arrays(n, {order: members for order, members in terms.items() if order > 1})
    rows, values, places = [], [], []
    first = {block.shape[1]: (place, block) for place, block in structure.places}
    for order, members in terms.items():
        weights, columns = entries[order]
        rows.append(members[:, 0] if order == 1 else first[order][0] + _positions(first[order][1], members, n))
        values.append(weights)
        places.append(columns)
    shape = (structure.size, kinds * literals)
    matrix = coo_array((np.concatenate(values), (np.concatenate(rows), np.concatenate(places))), shape=shape).tocsr()
    matrix.sum_duplicates()
    return Instance(structure, matrix)


def hand_written(literals: int = 3, by_majority: bool = False) -> FloatArray:
    """Return the shared parameters of the hand-written energy, one unit of energy a clause: all 1."""
    number = _literals(literals)
    return np.ones(((number + 1) if by_majority else 1) * number)


def at_unit(shared: npt.ArrayLike) -> FloatArray:
    """Return shared parameters divided by their mean size, so that a clause is about one unit of energy and schedules compare."""
    vector = real_numbers(shared, "shared parameters")
    size = float(np.abs(vector).mean()) if vector.size else 0.0
    if not 0 < size < np.inf:
        raise InvalidModel(f"shared parameters are {shown(vector.tolist())}; give finite ones that are not all 0, such as learned ones")
    unit: FloatArray = vector / size
    return unit


def annealed(
    instance: Instance, shared: npt.ArrayLike, betas: tuple[float, float], sweeps: int, reads: int, seed: int, backend: SamplerBackend
) -> SpinArray:
    """Return the best state of each read of an anneal by the rule "metropolis", int8 (reads, n); betas (first, last) are per unit of energy."""
    program = instance.structure.model(instance.parameters(shared)).compile()
    schedule = Schedule.geometric(betas[0] / program.scale, betas[1] / program.scale, sweeps)
    return backend.run(program, schedule, reads=reads, seed=seed, rule="metropolis").best_spins


def _literals(value: int) -> int:
    number = whole(value)
    if number is None or number < 1:
        raise InvalidModel(f"literals is {shown(value)}; give how many a clause has, at least 1")
    return number


def _positions(sorted_terms: IndexArray, terms: npt.NDArray[np.int64], n: int) -> npt.NDArray[np.int64]:
    """Return where each of ``terms`` stands among terms in lexicographic order, which hold them all."""
    powers = np.array([n**power for power in range(terms.shape[1] - 1, -1, -1)], dtype=object if n ** terms.shape[1] >= 2**62 else np.int64)
    places: npt.NDArray[np.int64] = np.searchsorted(sorted_terms @ powers, terms @ powers).astype(np.int64)
    return places
