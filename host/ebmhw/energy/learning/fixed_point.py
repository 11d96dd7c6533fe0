"""How parameters that are learned become integers: a grid of a power of two, which stands still while they move."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from ebmhw.contract.formats import FIELD_LIMIT, coupling_limit
from ebmhw.errors import DoesNotFit

FRACTION_BITS = 10
"""Finest grid, 2^-10. At beta 1 the temperature word is then 5,909, within 9e-5 of what it stands for; ten bits more, and it would be 6."""

COARSEST = -3
"""Coarsest grid, 2^3: beta 1 is 8 in program units, and a temperature word ends at 11.09."""


def rounded(
    vector: npt.NDArray[np.float64], n: int, terms: tuple[npt.NDArray[np.int32], ...], coupling_bits: int, bias_bits: int
) -> tuple[npt.NDArray[np.float64], float, float, int]:
    """Return (integers, scale, largest error, how many nonzero ones are lost) of n biases followed by the weights of ``terms``.

    scale = 2^f with the largest f of -3 .. 10 at which the rounded numbers fit: couplings of ``coupling_bits``, biases of ``bias_bits``, and each
    spin's |b| + sum |J| within 2^17 - 1. `Program` takes the largest scale of all instead, which moves with every step of learning; on this grid a
    weight that does not change stays the same integer, integers / scale are exact in float64, and beta 1 is exactly 1 / scale.

    Raises
    ------
    DoesNotFit
        where not even f = -3 does: a model whose energies are in the thousands at beta 1 has no other states than its ground states.
    """
    biases, weights = np.abs(vector[:n]), np.abs(vector[n:])
    limits = [(float(biases.max(initial=0.0)), coupling_limit(bias_bits)), (float(weights.max(initial=0.0)), coupling_limit(coupling_bits))]
    limits.append((float(_field_bound(vector, n, terms).max()), FIELD_LIMIT))
    fraction = min([FRACTION_BITS, *(math.floor(math.log2(min(limit / value, 1e300))) for value, limit in limits if value > 0)])
    while fraction >= COARSEST:
        scale = 2.0**fraction
        integers = np.rint(vector * scale)
        if _field_bound(integers, n, terms).max() <= FIELD_LIMIT and np.abs(integers[:n]).max() <= coupling_limit(bias_bits):
            error = float(np.abs(vector - integers / scale).max())
            return integers, scale, error, int(np.count_nonzero(vector) - np.count_nonzero(integers))
        fraction -= 1
    raise DoesNotFit(
        f"parameters up to {max(value for value, _ in limits):g} (or their sums at a spin) do not fit {coupling_bits} and {bias_bits} bits "
        f"at beta 1 on a grid of {2.0**-COARSEST:g}; lower the learning rate, set weight_limit, or give more coupling_bits (up to 18)"
    )


def _field_bound(vector: npt.NDArray[np.float64], n: int, terms: tuple[npt.NDArray[np.int32], ...]) -> npt.NDArray[np.float64]:
    total, first = np.abs(vector[:n]), n
    for spins in terms:
        magnitude = np.abs(vector[first : first + spins.shape[0]])
        for column in range(spins.shape[1]):
            total = total + np.bincount(spins[:, column], magnitude, n)
        first += spins.shape[0]
    return total
