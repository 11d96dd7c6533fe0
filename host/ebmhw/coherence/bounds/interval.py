"""How large the entropy of a distribution can be of which only the likeliest entries are known."""

from __future__ import annotations

from math import e, exp, fsum, inf, log
from typing import Any, NamedTuple, final

import numpy as np

from ebmhw.coherence.known import FloatArray, floats
from ebmhw.errors import InvalidTrace, shown
from ebmhw.numbers import whole

TOLERANCE = 1e-5
"""How far a given log-probability may be off, nats; a softmax in float32 is within 2e-6 where the probability counts."""

# exp and the sums here are within a few units in the last place of float64; these are far larger and still far below any tolerance.
_ROUNDING = 2.0**-46
_OUTWARD = 2.0**-40


@final
class Interval(NamedTuple):
    """A number that lies between two others."""

    low: float
    high: float

    @property
    def width(self) -> float:
        """high - low."""
        return self.high - self.low

    @property
    def middle(self) -> float:
        """Half-way between the two, which is off by half the width at most."""
        return (self.low + self.high) / 2


@final
class EntropyInterval(NamedTuple):
    """What the entropy of a distribution over V entries lies between, nats.

    Let p_1 .. p_k be known, H_k = sum p ln(1/p), r = 1 - sum p the mass of the other n = V - k entries, none of which exceeds c.
    *High.* By concavity their part is largest where all are r/n: H <= H_k + r ln(n/r). That is allowed, as r/n <= c.
    *Low.* Moving mass from a smaller to a larger entry lowers it; what cannot be moved further is floor(r/c) entries of c and one of the rest s:
    H >= H_k + floor(r/c) c ln(1/c) + s ln(1/s), which is at least H_k + r ln(1/c). Both are attained.
    Known log-probabilities may each be off by a tolerance; every part is then taken at its least and its most, and both ends are moved outwards by
    more than float64 rounds, so that the entropy of the true distribution is inside.
    """

    low: float
    high: float

    @property
    def width(self) -> float:
        """high - low, nats."""
        return self.high - self.low

    def phi(self, vocab_size: int) -> Interval:
        """Return what phi = 1 - H / ln V lies between."""
        most = log(_size(vocab_size))
        return Interval(max(0.0, 1 - self.high / most - _OUTWARD), min(1.0, max(0.0, 1 - self.low / most) + _OUTWARD))

    @classmethod
    def of_top(cls, top: Any, vocab_size: int, *, further: Any = (), most: float | None = None, tolerance: float = TOLERANCE) -> EntropyInterval:
        """Return the interval for a distribution by the log-probabilities of its likeliest entries.

        They have to be those of the distribution whose entropy is asked for: servers that report them before (or after) temperature, penalties
        and top-p tell of another distribution than that which tokens were drawn from.

        Parameters
        ----------
        top : (k,) nats in any order, each entry of the vocabulary once; -inf for a probability of 0
        vocab_size : V
        further : log-probabilities of entries beyond the top, such as that of a token that was drawn; each once, and none among ``top``
        most : a log-probability that no other entry exceeds, by default the least of ``top``, and 0 where that is empty
        tolerance : how far each may be off, nats

        Raises
        ------
        InvalidTrace
            for more than V entries, positive log-probabilities, a sum beyond 1, or a rest too large for the other entries, all beyond tolerance.
        """
        size = _size(vocab_size)
        off = _tolerance(tolerance) + _ROUNDING
        likeliest, others = _logprobs(top, "top", off), _logprobs(further, "further", off)
        least = float(likeliest.min()) if likeliest.size else 0.0
        cap = min(1.0, exp(min(0.0, least if most is None else _one(most, off)) + off))
        known = np.concatenate([likeliest, others])
        if most is None and others.size and likeliest.size and others.max() > least + 2 * off:
            raise InvalidTrace(f"an entry beyond the top has log-probability {others.max():.6g}, more than {least:.6g} of the top; give it in top")
        n = size - known.size
        if n < 0:
            raise InvalidTrace(
                f"{known.size} log-probabilities are given for a vocabulary of {size}; give each entry once, and the vocabulary's size"
            )
        rest = _rest(known, n, cap, off)
        lows, highs = np.exp(known - off), np.minimum(np.exp(known + off), 1.0)
        ends = np.stack([_parts(lows), _parts(highs)])
        peaks = np.where((lows <= 1 / e) & (highs >= 1 / e), 1 / e, 0.0)
        low = fsum(ends.min(axis=0)) + _least_tail(rest, cap)
        high = fsum(np.maximum(ends.max(axis=0), peaks)) + _largest_tail(rest, n)
        return cls(max(0.0, low - _OUTWARD * (1 + low)), min(log(size) * (1 + _OUTWARD), high + _OUTWARD * (1 + high)))


def _rest(known: FloatArray, n: int, cap: float, off: float) -> Interval:
    """Return what the mass of the other entries lies between."""
    low, high = 1 - fsum(np.minimum(np.exp(known + off), 1.0)), 1 - fsum(np.exp(known - off))
    if high < 0:
        raise InvalidTrace(
            f"the probabilities of {known.size} entries sum to {1 - high:.9g}; give each entry once, "
            "or tolerance= how far their logarithms may be off, in nats"
        )
    if low > n * cap:
        raise InvalidTrace(
            f"the probabilities of {known.size} entries leave {low:.6g}, but {n} others of at most {cap:.6g} each hold {n * cap:.6g}; "
            "give the likeliest entries and the vocabulary's size, or tolerance= how far logarithms may be off, in nats"
        )
    return Interval(max(0.0, low), min(high, n * cap))


def _least_tail(rest: Interval, cap: float) -> float:
    # As a function of the mass it is concave between multiples of the cap, where it rises from one to the next.
    if rest.high <= 0 or cap <= 0:
        return 0.0
    multiple = cap * np.ceil(rest.low / cap)
    return min(_packed(mass, cap) for mass in (rest.low, rest.high, multiple) if mass <= rest.high)


def _packed(mass: float, cap: float) -> float:
    whole_entries = mass // cap
    left = max(0.0, mass - whole_entries * cap)
    return float(whole_entries * _part(cap) + _part(left))


def _largest_tail(rest: Interval, n: int) -> float:
    if n == 0:
        return 0.0
    best = min(max(n / e, rest.low), rest.high)  # r ln(n/r) rises up to r = n/e
    return best * log(n / best) if best > 0 else 0.0


def _part(probability: float) -> float:
    return -probability * log(probability) if probability > 0 else 0.0


def _parts(probabilities: FloatArray) -> FloatArray:
    return -probabilities * np.log(np.where(probabilities > 0, probabilities, 1.0))


def _size(vocab_size: Any) -> int:
    size = whole(vocab_size)
    if size is None or size < 2:
        raise InvalidTrace(f"vocab_size is {shown(vocab_size)}; give the entries of the model's vocabulary, 2 or more, which no response tells")
    if size > 2**31:
        raise InvalidTrace(f"vocab_size is {shown(vocab_size)}; vocabularies of up to {2**31} entries are measured")
    return int(size)


def _tolerance(value: Any) -> float:
    try:
        number = float(floats(value))
    except (TypeError, ValueError, OverflowError):
        number = inf
    if not 0 <= number <= 1:
        raise InvalidTrace(f"tolerance is {shown(value)}; give nats from 0 to 1")
    return number


def _one(value: Any, off: float) -> float:
    return float(_logprobs([value], "most", off)[0])


def _logprobs(values: Any, what: str, off: float) -> FloatArray:
    try:
        array = floats(values)
    except (TypeError, ValueError, OverflowError):
        array = np.full(1, np.nan)
    if array.ndim == 1 and array.size == 0:
        return array
    if array.ndim != 1 or np.isnan(array).any():
        raise InvalidTrace(f"{what} is {shown(values)}; give log-probabilities, nats (k,)")
    if array.max() > off:
        raise InvalidTrace(f"{what} holds {array.max():.6g}; the logarithm of a probability is at most 0 (give tolerance= how far it may be off)")
    return np.minimum(array, 0.0)
