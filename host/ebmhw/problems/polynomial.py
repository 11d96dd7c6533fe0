"""SpinPolynomial: a cost over bits, collected piece by piece as products of literals and of spins, and made into arrays at once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations
from typing import final

import numpy as np
import numpy.typing as npt

Terms = dict[int, tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]]
"""By order: spins (m, order), ascending in no particular way, and the coefficients (m,) of their products."""


@final
class SpinPolynomial:
    """A sum of products of literals, each 0 or 1, and of spins, each -1 or +1; bit i is x = (1 + s) / 2 of spin i - 1.

    Attributes
    ----------
    constant : the part without any bit
    longest : literals of the longest product of literals; coefficients are multiples of 2^-longest where weights are integers
    """

    def __init__(self) -> None:
        self.constant = 0.0
        self.longest = 0
        self._literals: dict[int, tuple[list[tuple[int, ...]], list[float]]] = {}
        self._spins: dict[int, tuple[list[tuple[int, ...]], list[float]]] = {}

    def add_literals(self, literals: tuple[int, ...], weight: float) -> None:
        """Add weight x the product of literals of distinct bits: weight where all are true, else 0."""
        if literals:
            rows, weights = self._literals.setdefault(len(literals), ([], []))
            rows.append(literals)
            weights.append(weight)
            self.longest = max(self.longest, len(literals))
        else:
            self.constant += weight

    def add_spins(self, literals: tuple[int, ...], weight: float, halvings: int) -> None:
        """Add weight x the product of the spins of literals of distinct bits, negated for a negated one; weight is a multiple of 2^-halvings."""
        self.longest = max(self.longest, halvings)
        if literals:
            rows, weights = self._spins.setdefault(len(literals), ([], []))
            rows.append(tuple(abs(literal) for literal in literals))
            weights.append(-weight if sum(literal < 0 for literal in literals) % 2 else weight)
        else:
            self.constant += weight

    def add_quadratic(self, bits: Sequence[int], coefficients: Sequence[int], constant: int, halved: bool, weight: float) -> None:
        """Add weight x d^2, or weight x d (d - 1) / 2 if halved, of d = constant + sum coefficient x bit over distinct bits."""
        self.constant += weight * (constant * (constant - 1) // 2 if halved else constant * constant)
        for bit, a in zip(bits, coefficients, strict=True):
            linear = a * (a - 1) // 2 + a * constant if halved else a * a + 2 * a * constant
            if linear:
                self.add_literals((bit,), weight * linear)
        for (bit, a), (other, b) in combinations(zip(bits, coefficients, strict=True), 2):
            self.add_literals((bit, other), weight * (a * b if halved else 2 * a * b))

    def add_counted(self, literals: Sequence[int], differences: Sequence[int], weight: float) -> None:
        """Add weight x sum_d differences[d] C(t, d) of the number t of true literals (distinct bits).

        C(t, d) is the elementary symmetric polynomial e_d of the bits; over m spins e_d(x) = 2^-d sum_j C(m - j, d - j) e_j(s).
        """
        m = len(literals)
        for order in range(len(differences)):
            halves = [differences[d] * math.comb(m - order, d - order) * 2 ** (len(differences) - 1 - d) for d in range(order, len(differences))]
            coefficient = weight * (sum(halves) / 2 ** (len(differences) - 1))
            if coefficient:
                for subset in combinations(literals, order):
                    self.add_spins(subset, coefficient, len(differences) - 1)

    def add_tabulated(self, literals: Sequence[int], costs: npt.NDArray[np.float64]) -> None:
        """Add costs[r] of the row r that literals of distinct bits spell, the first one its most significant bit, by a Walsh transform."""
        k = len(literals)
        table = np.asarray(costs, dtype=np.float64).reshape((2,) * k)
        for axis in range(k):
            false, true = np.take(table, 0, axis=axis), np.take(table, 1, axis=axis)
            table = np.stack([(true + false) / 2.0, (true - false) / 2.0], axis=axis)
        for position, coefficient in enumerate(table.ravel().tolist()):
            if coefficient:
                self.add_spins(tuple(literal for i, literal in enumerate(literals) if position >> (k - 1 - i) & 1), coefficient, k)

    def arrays(self, n: int) -> tuple[float, npt.NDArray[np.float64], Terms]:
        """Return (offset, coefficients of single spins (n,), those of products) of n bits; equal products are not yet added up."""
        offset, linear = self.constant, np.zeros(n)
        parts: dict[int, list[tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]]] = {}
        for order, (rows, weights) in sorted(self._spins.items()):
            parts.setdefault(order, []).append((np.array(rows, dtype=np.int64) - 1, np.array(weights)))
        for length, (rows, weights) in sorted(self._literals.items()):
            literals = np.array(rows, dtype=np.int64)
            spins, signs = np.abs(literals) - 1, np.sign(literals).astype(np.float64)
            scaled = np.array(weights) / 2.0**length
            offset += float(scaled.sum())
            for order in range(1, length + 1):
                for subset in combinations(range(length), order):
                    parts.setdefault(order, []).append((spins[:, subset], scaled * signs[:, subset].prod(axis=1)))
        for spins, values in parts.pop(1, []):
            linear += np.bincount(spins[:, 0], values, n)
        terms = {order: (np.concatenate([s for s, _ in held]), np.concatenate([w for _, w in held])) for order, held in sorted(parts.items())}
        return offset, linear, terms
