"""The phi unit's tables and constants against exact arithmetic."""

from __future__ import annotations

import hashlib
import math
from fractions import Fraction

import pytest

from ebmhw.contract import phi_formats, phi_tables
from ebmhw.contract.phi_formats import ENTRIES_LIMIT, inverse_log2


def root1024(number: int) -> int:
    """The integer part of the 1024th root."""
    for _ in range(10):
        number = math.isqrt(number)
    return number


def test_tables_are_the_rounded_powers() -> None:
    assert tuple((root1024(2 ** (18 * 1024 + f)) + 1) // 2 for f in range(1024)) == phi_tables.WT
    assert tuple((root1024((2**8 * f) ** 1024 * 2**f) + 1) // 2 for f in range(1024)) == phi_tables.WU


@pytest.mark.slow
def test_no_entry_is_near_a_tie() -> None:
    nearest = 1.0
    for f in range(1024):
        for scaled in (2 ** (18 * 1024 + f), (2**8 * f) ** 1024 * 2**f):
            # Twice the value with 20 bits behind the point; odd numbers are ties.
            twice = root1024(scaled << 20 * 1024)
            if twice:
                nearest = min(nearest, abs(twice / 2**20 % 2 - 1) / 2)
    assert 4e-5 < nearest < 6e-5


def test_tables_have_their_hash() -> None:
    assert hashlib.sha256(",".join(map(str, phi_tables.WT + phi_tables.WU)).encode()).hexdigest() in phi_tables.TABLES_SHA256


def test_the_multiplier_is_log2_e() -> None:
    # e between two of its partial sums.
    terms = [Fraction(1, math.factorial(n)) for n in range(30)]
    low = sum(terms)
    assert (phi_formats.EXPONENT_MULTIPLIER * 2 - 1) / 2**17 < math.log2(low) < (phi_formats.EXPONENT_MULTIPLIER * 2 + 1) / 2**17


def worst_of(limit: int) -> tuple[float, list[int]]:
    """Return the least distance of 2^24 / log2 V from a tie, V = 2..limit, and the V whose INV is not that rounded.

    ln V with 100 bits behind the point, from ln(V + 1) - ln V = 2 atanh(1 / (2 V + 1)).
    """
    bits = 100
    one = 1 << bits

    def step(v: int) -> int:
        y = 2 * v + 1
        power, total, n = one // y, 0, 1
        while power:
            total += power // n
            power //= y * y
            n += 2
        return 2 * total

    log, ln2, wrong, nearest = 0, 0, [], 1.0
    for v in range(1, limit):
        log += step(v)
        if v == 1:
            ln2 = log
        value = (ln2 << (24 + bits)) // log
        if inverse_log2(v + 1) != (value + one // 2) >> bits:
            wrong.append(v + 1)
        nearest = min(nearest, abs((value & (one - 1)) - one // 2) / one)
    return nearest, wrong


def test_inverse_logarithms() -> None:
    nearest, wrong = worst_of(40_000)
    assert not wrong and nearest > 7e-8


@pytest.mark.slow
def test_all_inverse_logarithms() -> None:
    nearest, wrong = worst_of(ENTRIES_LIMIT)
    assert not wrong and 7e-8 < nearest < 9e-8
