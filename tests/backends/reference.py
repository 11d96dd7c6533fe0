"""The sampler a second time: plain Python integers, written from the text of the contract and from nothing else.

It shares no code and no table with the package, so that a mistake there cannot hide here. Rows in, everything out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod

WORD = 2**32 - 1
GOLDEN_RATIO = 0x9E3779B9
LAST_BETA_WORD = 2**26 - 1


def nearest_root(numerator_log2: int, root: int) -> int:
    """Return 2^(numerator_log2 / root) rounded to the nearest integer, by exact comparison of integers."""
    m = 0
    # m - 1/2 <= 2^(p/q)  <=>  (2 m - 1)^q <= 2^(p + q)
    for bit in reversed(range(18)):
        if (2 * (m | 1 << bit) - 1) ** root <= 2 ** (numerator_log2 + root):
            m |= 1 << bit
    return m


HI = [nearest_root(16 * 64 - k, 64) for k in range(64)]
LO = [nearest_root(16 * 4096 - k, 4096) for k in range(64)]


def fmix32(h: int) -> int:
    """Return the finaliser of MurmurHash3."""
    h ^= h >> 16
    h = h * 0x85EBCA6B & WORD
    h ^= h >> 13
    h = h * 0xC2B2AE35 & WORD
    return h ^ h >> 16


class Xoshiro:
    """xoshiro128++ of one read."""

    def __init__(self, seed: int, read: int) -> None:
        low, high = seed & WORD, seed >> 32
        keys = [fmix32(fmix32((low + GOLDEN_RATIO * (k + 1)) & WORD) ^ high) for k in range(4)]
        self.words = [fmix32((key + GOLDEN_RATIO * read) & WORD) for key in keys]

    def draw(self) -> int:
        """Return the next 32 bits."""
        a, b, c, d = self.words
        total = a + d & WORD
        result = (total << 7 | total >> 25) + a & WORD
        shifted = b << 9 & WORD
        c ^= a
        d ^= b
        b ^= c
        a ^= d
        c ^= shifted
        d = (d << 11 | d >> 21) & WORD
        self.words = [a, b, c, d]
        return result


def weak(rule: str, field_size: int, beta: int, u: int) -> bool:
    """Return whether draw ``u`` lets a spin take the side of higher energy."""
    y = field_size * beta + 2**8 >> 9
    if y >= 33 << 12:
        return False
    e, f = y >> 12, y & 4095
    m = HI[f >> 6] * LO[f & 63] + 2**15 >> 16
    v = 2 * u + 1
    if rule == "gibbs":
        return v << 16 < ((2**33 - v) * m >> e)
    return v << 16 < (2**33 * m >> e)


def threshold(rule: str, field_size: int, beta: int) -> int:
    """Return T with weak == (u < T), by bisection."""
    low, high = 0, 2**32
    while low < high:
        middle = low + high >> 1
        low, high = (middle + 1, high) if weak(rule, field_size, beta, middle) else (low, middle)
    return low


@dataclass
class Read:
    """All that one read gives; ``states`` and ``energies`` after every sweep, ``states[0]`` the initial one."""

    random: list[int]
    states: list[list[int]]
    energies: list[int]
    flips: int = 0
    best_energy: int = 0
    best_sweep: int = 0
    best: list[int] = field(default_factory=list)
    kept: list[list[int]] = field(default_factory=list)
    updates: int = 0


def energy(rows: Iterable[tuple[int, int, Sequence[tuple[int, Sequence[int]]]]], state: Sequence[int]) -> int:
    """Return E(s), each term counted in the row of the lowest of its spins."""
    total = 0
    for spin, bias, terms in rows:
        total -= bias * state[spin]
        total -= sum(weight * prod(state[j] for j in others) * state[spin] for weight, others in terms if spin < min(others))
    return total


def run_read(
    rows: Sequence[tuple[int, int, Sequence[tuple[int, Sequence[int]]]]],
    words: Iterable[int],
    rule: str,
    seed: int,
    read: int,
    initial: Sequence[int] | None = None,
    clamps: Mapping[int, int] | None = None,
    burn_in: int = 0,
    keep_every: int = 0,
) -> Read:
    """Run one read; ``words`` is the temperature word of each sweep."""
    rows, clamps, random = list(rows), dict(clamps or {}), Xoshiro(seed, read)
    n = len(rows)
    state = [1 if random.draw() >> 31 else -1 for _ in range(n)] if initial is None else [int(s) for s in initial]
    for spin, value in clamps.items():
        state[spin] = value
    e = energy(rows, state)
    result = Read(random.words, [list(state)], [e], best_energy=e, best=list(state))
    active = [row for row in rows if row[0] not in clamps]
    for number, word in enumerate(words, start=1):
        for spin, bias, terms in active:
            h = bias + sum(weight * prod(state[j] for j in others) for weight, others in terms)
            is_weak = weak(rule, abs(h), word, random.draw())
            before = state[spin]
            if rule == "gibbs":
                state[spin] = 1 if (h >= 0) != is_weak else -1
            elif before * h <= 0 or is_weak:
                state[spin] = -before
            result.flips += state[spin] != before
        e = energy(rows, state)
        result.states.append(list(state))
        result.energies.append(e)
        if e < result.best_energy:
            result.best_energy, result.best_sweep, result.best = e, number, list(state)
        if keep_every and number > burn_in and (number - burn_in) % keep_every == 0:
            result.kept.append(list(state))
        result.updates += len(active)
    result.random = random.words
    return result
