"""How long blocks of a series have to be for their means to be all but independent of one another, read off the series itself."""

from __future__ import annotations

import numpy as np

from ebmhw.coherence.known import FloatArray

NEIGHBOUR_LIMIT = 0.15
"""The correlation of neighbouring block means that is put up with; what it costs is measured in tests/coherence/test_gates_rise.py."""

LONGEST_BLOCK = 256
"""Of blocks in values; a series that needs longer ones is as good as one value."""

SHORT = 72
"""Values before a change of which fewer may be part of the rise already: dependence is read off what a straight line leaves of them."""

_MOST = 0.99
_LAGS = 25


def block_length(ranks: FloatArray, change: int) -> int:
    """Return how many values, a power of two up to `LONGEST_BLOCK`, a block has to have.

    The series is taken for as dependent as the autoregression of first order, x(t+1) = rho x(t) + noise, with the largest rho of three estimates:
    two from squared differences at short lags over the whole series, which a slow rise hardly touches, and one from the sum of autocorrelations
    before the assumed change, which sees periods and slow wandering. A run that learns from its first steps on has no calm before its rise: of
    few values (`SHORT`) the third estimate leaves out their straight line, else their rise would pass for dependence and nothing fire.

    Parameters
    ----------
    ranks : (n,) of the values, n > 4, so that outliers weigh no more than others
    change : values before the assumed change, 8 or more
    """
    rho = max(_rho_of_differences(ranks, 2), _rho_of_differences(ranks, 4), _rho_before(ranks[:change]))
    length = 1
    while length < LONGEST_BLOCK and neighbour_correlation(rho, length) > NEIGHBOUR_LIMIT:
        length *= 2
    return length


def neighbour_correlation(rho: float, length: int) -> float:
    """Return the correlation of the means of two neighbouring blocks of ``length`` values of a first-order autoregression, 0 <= rho < 1."""
    left = 1.0 - rho**length
    return rho * left * left / (length * (1.0 - rho * rho) - 2.0 * rho * left) if rho > 0 else 0.0


def _rho_of_differences(ranks: FloatArray, lag: int) -> float:
    """Return rho by the mean squared difference at a lag over that at lag 1, which is 1 + rho + ... + rho^(lag - 1)."""
    near, far = (float(np.square(ranks[h:] - ranks[:-h]).mean()) for h in (1, lag))
    if far <= near:
        return 0.0
    low, high = 0.0, _MOST
    for _ in range(30):
        middle = (low + high) / 2
        low, high = (middle, high) if (1.0 - middle**lag) * near < far * (1.0 - middle) else (low, middle)
    return low


def _rho_before(ranks: FloatArray) -> float:
    """Return the rho that has this sum of autocorrelations, taken in pairs of lags up to the first that is not positive (Geyer 1992)."""
    count = len(ranks)
    centred = ranks - ranks.mean()
    if count < SHORT:
        times = np.arange(count) - (count - 1) / 2.0
        centred = centred - times * (times @ centred) / (times @ times)
    variance = float(centred @ centred)
    if variance <= 1e-9 * count:
        return 0.0
    most = max(1, min(count // 4, _LAGS))
    correlations = [float(centred[h:] @ centred[:-h]) / variance for h in range(1, most + 1)]
    total = 0.0
    for first, second in zip(correlations[::2], correlations[1::2], strict=False):
        if first + second <= 0:
            break
        total += first + second
    return min(total / (1.0 + total), _MOST)
