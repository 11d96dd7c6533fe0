"""Densities of rows of -1 and +1 that need no sampler, to hold a learned energy against."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
import numpy.typing as npt

from ebmhw.energy.learning.data import spin_rows
from ebmhw.energy.learning.structure import FloatArray
from ebmhw.errors import InvalidModel, InvalidRun, shown
from ebmhw.numbers import whole


@final
@dataclass(frozen=True, eq=False)
class BernoulliMixture:
    """A mixture of independent spins: sum_k share_k prod_i p_ki^[s_i = +1] (1 - p_ki)^[s_i = -1].

    Attributes
    ----------
    shares : float64 (components,)
    probabilities : float64 (components, spins), each above 0 and below 1
    """

    shares: FloatArray
    probabilities: FloatArray

    @classmethod
    def fitted(cls, data: npt.ArrayLike, components: int = 1, seed: int = 0, rounds: int = 200) -> BernoulliMixture:
        """Return a mixture fitted to data (rows, spins) by expectation maximisation, one pseudo-count of either sign and of each component.

        One component is independent spins.
        """
        try:
            table = np.asarray(data)
        except ValueError:
            raise InvalidModel("data are no rectangular array; give rows of equal length") from None
        rows = spin_rows(table, table.shape[-1] if table.ndim else 0, "data")
        count, number, start = whole(components), whole(rounds), whole(seed)
        if count is None or not 1 <= count <= len(rows):
            raise InvalidRun(f"components is {shown(components)}; give a whole number from 1 to {len(rows)}, the rows")
        if number is None or number < 1 or start is None or start < 0:
            raise InvalidRun(f"rounds is {shown(rounds)} and seed {shown(seed)}; give whole numbers of at least 1 and 0")
        bits = (rows > 0).astype(np.float64)
        rng = np.random.default_rng(start)
        belongs = rng.dirichlet(np.full(count, 0.1), len(rows)) if count > 1 else np.ones((len(rows), 1))
        for _ in range(number if count > 1 else 1):
            weight = belongs.sum(axis=0)
            made = cls((weight + 1) / (len(rows) + count), (belongs.T @ bits + 1) / (weight[:, None] + 2))
            joint = made._joint(bits)
            belongs = np.exp(joint - np.logaddexp.reduce(joint, axis=1)[:, None])
        return made

    def log_probabilities(self, rows: npt.ArrayLike) -> FloatArray:
        """Return log p of rows (rows, spins), in nats, float64 (rows,)."""
        bits = (spin_rows(rows, self.probabilities.shape[1], "data") > 0).astype(np.float64)
        result: FloatArray = np.logaddexp.reduce(self._joint(bits), axis=1)
        return result

    def _joint(self, bits: FloatArray) -> FloatArray:
        result: FloatArray = np.log(self.shares) + bits @ np.log(self.probabilities).T + (1 - bits) @ np.log1p(-self.probabilities).T
        return result
