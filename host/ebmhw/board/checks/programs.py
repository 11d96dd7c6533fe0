"""Random programs that a core of a given shape can hold."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from ebmhw.backends.identity import CoreShape
from ebmhw.model import Model
from ebmhw.program import Program
from ebmhw.schedule import Schedule

COUPLING_LIMIT = 127
"""Largest coupling; the bits of a program's weights are 8."""


def small(random: np.random.Generator, shape: CoreShape) -> Program:
    """Return a program of 1 to 24 spins, pairs mostly, some spins alone."""
    n = int(random.integers(1, min(24, shape.spins_max) + 1))
    pairs = [pair for pair in combinations(range(n), 2) if random.random() < 0.3]
    return _program(random, n, pairs)


def dense(random: np.random.Generator, shape: CoreShape) -> Program:
    """Return a program in which every spin is coupled to every other one, 16 to 64 of them."""
    most = min(64, shape.spins_max)
    n = int(random.integers(min(16, most), most + 1))
    while n > 2 and n * -(-(n - 1) // shape.slots) > shape.beats_max:
        n -= 1
    return _program(random, n, list(combinations(range(n), 2)))


def cubic(random: np.random.Generator, shape: CoreShape) -> Program:
    """Return a program of 8 to 40 spins with terms of 2, 3 and 4 spins: slots in chains, over the ends of beats."""
    n = int(random.integers(8, min(40, shape.spins_max) + 1))
    groups = {tuple(sorted(random.choice(n, size=int(random.integers(2, 5)), replace=False).tolist())) for _ in range(2 * n)}
    return _program(random, n, sorted(groups))


def largest(random: np.random.Generator, shape: CoreShape) -> Program:
    """Return a program of as many spins as the core holds, each coupled to as many as its rows then have slots for, evenly spread over the ring."""
    n = shape.spins_max
    slots = max(1, shape.beats_max // n) * shape.slots
    steps = random.choice(np.arange(1, (n - 1) // 2 + 1), size=min(slots // 2, (n - 1) // 2), replace=False)
    pairs = [(int(min(i, (i + step) % n)), int(max(i, (i + step) % n))) for step in steps for i in range(n)]
    return _program(random, n, sorted(set(pairs)))


def schedule(random: np.random.Generator, sweeps: int) -> Schedule:
    """Return a schedule of so many sweeps: from hot to cold, in as many steps or fewer."""
    first, last = 10 ** random.uniform(-4, -2.5), 10 ** random.uniform(-2.5, -0.5)
    steps = max(1, min(sweeps, 16))
    counts = np.full(steps, sweeps // steps)
    counts[: sweeps % steps] += 1
    return Schedule.custom(np.geomspace(first, last, steps).tolist(), counts.tolist())


def _program(random: np.random.Generator, n: int, groups: Sequence[tuple[int, ...]]) -> Program:
    weights = random.integers(1, COUPLING_LIMIT + 1, size=len(groups)) * random.choice([-1, 1], size=len(groups))
    bias = random.integers(-2 * COUPLING_LIMIT, 2 * COUPLING_LIMIT + 1, size=n)
    return Model(n, bias.tolist(), dict(zip(groups, weights.tolist(), strict=True))).compile(scale=1)
