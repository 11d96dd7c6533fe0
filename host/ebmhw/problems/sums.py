"""Sums of literals between two limits: their normal form, the slack steps and the polynomials that express them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import NamedTuple

from ebmhw.errors import InvalidModel, shown
from ebmhw.numbers import whole

SUM_LIMIT = 1 << 31
"""Largest sum of coefficients of a linear constraint, so that its square is exact in float64 for most weights."""


class BoundedSum(NamedTuple):
    """low <= sum of the coefficients of true literals <= high.

    Attributes
    ----------
    coefficients : positive, without a common divisor
    literals : of distinct bits, as many
    low, high : within 0 .. the sum of all coefficients, or low > high where no truths can do
    """

    coefficients: tuple[int, ...]
    literals: tuple[int, ...]
    low: int
    high: int

    @classmethod
    def of(cls, coefficients: Sequence[int], literals: Sequence[int], low: int | None, high: int | None) -> BoundedSum | None:
        """Return the normal form of a sum with integer coefficients and limits (None for none), or None where it always holds."""
        if len(coefficients) != len(literals):
            raise InvalidModel(f"{len(coefficients)} coefficients for {len(literals)} literals; give one a literal")
        constant, held = 0, dict.fromkeys(sorted({abs(x) for x in literals}), 0)
        for coefficient, literal in zip(coefficients, literals, strict=True):
            a = _integer(coefficient, "coefficient")
            held[abs(literal)] += a if literal > 0 else -a
            constant += 0 if literal > 0 else a
        constant += sum(a for a in held.values() if a < 0)
        signed = [(abs(a), bit if a > 0 else -bit) for bit, a in held.items() if a]
        total = sum(a for a, _ in signed)
        least = 0 if low is None else max(0, _integer(low, "lower limit") - constant)
        most = total if high is None else min(total, _integer(high, "upper limit") - constant)
        if least == 0 and most == total:
            return None
        divisor = math.gcd(*(a for a, _ in signed)) if signed else 1
        if total // divisor > SUM_LIMIT:
            raise InvalidModel(f"coefficients of a linear constraint sum up to {shown(total // divisor)}, beyond {SUM_LIMIT}; divide them")
        return cls(tuple(a // divisor for a, _ in signed), tuple(x for _, x in signed), -(-least // divisor), most // divisor)

    @property
    def largest(self) -> int:
        """The sum of all coefficients."""
        return sum(self.coefficients)

    @property
    def ones(self) -> bool:
        """True where all coefficients are 1, so that the sum counts true literals."""
        return self.largest == len(self.literals)

    @property
    def clause(self) -> tuple[int, ...] | None:
        """The literals of the clause that says the same, or None: none of them where no truths can do, all or all negated ones where one will do."""
        if self.low > self.high:
            return ()
        smallest = min(self.coefficients, default=0)
        if self.high == self.largest and self.low <= smallest:
            return self.literals
        if self.low == 0 and self.high >= self.largest - smallest:
            return tuple(-x for x in self.literals)
        return None


def slack_steps(most: int) -> list[int]:
    """Return steps whose sums are 0 and `most`, others between, and never further apart than 2: 2, 4, 8, ... and a last one that may be less."""
    steps: list[int] = []
    while sum(steps) < most:
        steps.append(min(sum(steps) + 2, most - sum(steps)))
    return steps


def chosen_steps(steps: Sequence[int], wanted: int) -> list[bool]:
    """Return which steps add up to `wanted` or one less; none, or all, where it is below or above what they can."""
    chosen = [False] * len(steps)
    if steps and wanted > sum(steps[:-1]) + 1:
        chosen[-1] = True
        wanted -= steps[-1]
    for i in reversed(range(len(steps) - 1)):
        # All but the last are powers of two.
        if steps[i] <= wanted:
            chosen[i] = True
            wanted -= steps[i]
    return chosen


def counting_differences(m: int, low: int, high: int, limit: int) -> list[int] | None:
    """Return the fewest c_d for which sum c_d C(t, d) is 0 at t = low .. high and at least 1 at any other t of 0 .. m, None beyond the limit.

    C(t, high + 1) does where low is 0, C(m - t, m - low + 1) where high is m, their sum always; C(t - low, high - low + 1) where the number of
    allowed counts is even, C(-d, r) being C(d + r - 1, r) then. The limit is one of spin products, sum of C(m, d) up to the degree.
    """
    allowed = high - low + 1
    one_sided = low == 0 or high == m or allowed % 2 == 1
    degree = max(high + 1 if high < m else 0, m - low + 1 if low else 0) if one_sided else allowed
    # From m on C(m, d) falls again; a degree beyond the limit has that many products by itself.
    if degree > limit or any(count > limit for count in accumulate(math.comb(m, order) for order in range(degree + 1))):
        return None
    if one_sided:
        values = [math.comb(t, high + 1) + (math.comb(m - t, m - low + 1) if low else 0) for t in range(degree + 1)]
    else:
        values = [math.comb(max(t - low, low - t + allowed - 1), allowed) for t in range(degree + 1)]
    found: list[int] = []
    while values:
        # Newton's forward differences at 0; those beyond the degree are 0.
        found.append(values[0])
        values = [b - a for a, b in pairwise(values)]
    return found


def _integer(value: object, what: str) -> int:
    number = whole(value)
    if number is None:
        raise InvalidModel(f"{what} {shown(value)} of a linear constraint is no integer; give whole numbers")
    return number
