"""Decisions against the contract's text in plain integers, around the draws at which they turn."""

from __future__ import annotations

from decimal import Decimal, localcontext
from random import Random
from typing import Any, Final, NamedTuple

import cocotb
import numpy as np

from ebmhw.golden.step import weak_outcome
from hdl.ising_core.decision import Decision
from sim.bench import Bench

FIELD: Final = 2**17 - 1
"""Largest field."""
BETA: Final = 2**26 - 1
"""Largest temperature word."""
DRAW: Final = 2**32 - 1
CUTOFF: Final = 33 << 12
LIMIT: Final[dict[str, Any]] = {"timeout_time": 400, "timeout_unit": "us"}
"""A hundred thousand cycles: no test comes near it unless something is stuck."""


def table(root: int) -> list[int]:
    """Return round(2^16 2^(-k/root)) for k = 0..63."""
    with localcontext() as context:
        context.prec = 50
        return [int((2 ** (16 - Decimal(k) / root)).to_integral_value()) for k in range(64)]


HI, LO = table(64), table(4096)


class Case(NamedTuple):
    """What one decision takes."""

    field: int
    beta: int
    draw: int
    metropolis: int


def odds(field: int, beta: int) -> int:
    """Return the contract's y."""
    return abs(field) * beta + 2**8 >> 9


def weak(field: int, beta: int, draw: int, metropolis: int) -> bool:
    """Return whether the less likely outcome happens, by the contract's text."""
    y = odds(field, beta)
    v = 2 * draw + 1
    if y >= CUTOFF:
        return False
    e, f = y >> 12, y & 4095
    m = HI[f >> 6] * LO[f & 63] + 2**15 >> 16
    return v << 16 < ((2**33 if metropolis else 2**33 - v) * m >> e)


def threshold(field: int, beta: int, metropolis: int) -> int:
    """Return the least draw that is not weak, 2^32 if all are: by bisection, as weak never comes back once it is gone."""
    low, high = 0, DRAW + 1
    while low < high:
        middle = (low + high) // 2
        if weak(field, beta, middle, metropolis):
            low = middle + 1
        else:
            high = middle
    return low


def around(random: Random, field: int, beta: int, rules: tuple[int, ...] = (0, 1)) -> list[Case]:
    """Return the draws next to the threshold, for a field of either sign."""
    cases = []
    for metropolis in rules:
        turn = threshold(field, beta, metropolis)
        draws = {turn - 1, turn, turn + 1} & set(range(max(0, turn - 1), min(DRAW, turn + 1) + 1))
        cases += [Case(random.choice((-1, 1)) * field, beta, draw, metropolis) for draw in draws]
    return cases


def with_odds(random: Random, y: int) -> tuple[int, int] | None:
    """Return a field and a temperature word with these odds, None if the field that was tried has none."""
    field = min(FIELD, int(2 ** random.uniform(0, 9.5)))
    beta = -(-((y << 9) - 2**8) // field)
    return (field, max(0, beta)) if beta <= BETA and odds(field, max(0, beta)) == y else None


def every_fraction(random: Random) -> list[Case]:
    """Return cases with every one of the 4096 fractions, hence every entry of both tables, and every exponent over and over."""
    cases = []
    for fraction in range(4096):
        found = None
        while found is None:
            found = with_odds(random, random.randrange(33) << 12 | fraction)
        cases += around(random, *found, rules=(random.getrandbits(1),))
    return cases


def cut_off(random: Random) -> list[Case]:
    """Return cases just below the cut-off, at it, and beyond."""
    cases = []
    for field in [2, 3, FIELD - 1, FIELD, *(random.randint(2, FIELD) for _ in range(60)), *(int(2 ** random.uniform(1, 17)) for _ in range(60))]:
        # The least temperature word that is cut off.
        least = -(-((CUTOFF << 9) - 2**8) // field)
        if least <= BETA:
            assert odds(field, least) >= CUTOFF > odds(field, least - 1)
        for beta in {least - 1, least, least + 1}:
            if beta <= BETA:
                cases += [Case(sign * field, beta, draw, rule) for draw in (0, 1) for rule in (0, 1) for sign in (-1, 1)]
                cases += around(random, field, beta)
    return cases


def corners(random: Random) -> list[Case]:
    """Return cases of the least and the largest field and temperature."""
    cases = []
    for field in (0, 1, 2, FIELD - 1, FIELD):
        for beta in (0, 1, 255, 256, 257, BETA - 1, BETA):
            cases += around(random, field, beta)
            draws = (0, 1, 2**31 - 1, 2**31, DRAW - 1, DRAW)
            cases += [Case(sign * field, beta, draw, rule) for sign in (-1, 1) for draw in draws for rule in (0, 1)]
    return cases


def anywhere(random: Random, count: int) -> list[Case]:
    """Return cases of fields and temperatures of all sizes."""
    cases: list[Case] = []
    while len(cases) < count:
        field = random.choice((random.randint(0, FIELD), int(2 ** random.uniform(0, 17)) - 1))
        beta = random.choice((random.randint(0, BETA), int(2 ** random.uniform(0, 26)) - 1))
        cases += around(random, field, beta)
        cases.append(Case(-field, beta, random.getrandbits(32), random.getrandbits(1)))
    return cases


def golden(cases: list[Case]) -> list[bool]:
    """Return the same by the golden model."""
    field, beta, draw, metropolis = np.array(cases, dtype=np.int64).T
    gibbs, other = (weak_outcome(np, abs(field), beta, draw.astype(np.uint32), rule) for rule in ("gibbs", "metropolis"))
    return np.where(metropolis == 1, other, gibbs).tolist()


async def decide(bench: Bench, cases: list[Case]) -> None:
    """Put one case a cycle through the unit and compare each decision."""
    dut = bench.dut
    expected = [weak(*case) for case in cases]
    assert expected == golden(cases)
    idle = Case(0, 0, 0, 0)
    padded = [*[idle] * Decision.WEAK_AT, *cases, *[idle] * Decision.WEAK_AT]
    for at in range(Decision.WEAK_AT, len(padded)):
        dut.field.value = padded[at].field
        dut.beta.value = padded[at - Decision.BETA_AT].beta
        dut.draw.value = padded[at - Decision.DRAW_AT].draw
        dut.metropolis.value = padded[at - Decision.DRAW_AT].metropolis
        await dut.clk.rising_edge
        number = at - 2 * Decision.WEAK_AT
        if number >= 0:
            found = int(dut.weak.value)
            assert found == expected[number], f"{cases[number]}, y = {odds(*cases[number][:2])}, is weak: {found}, not {expected[number]:d}"
    bench.count(programs=1, updates=len(cases))


@cocotb.test(**LIMIT)
async def around_every_threshold(dut: Any) -> None:
    """Every table entry, every exponent, the cut-off and the corners, at the draws next to the threshold, in random order."""
    bench = Bench(dut)
    random = bench.random
    await bench.start()
    cases = [*every_fraction(random), *cut_off(random), *corners(random), *anywhere(random, 3000)]
    random.shuffle(cases)
    exponents = {odds(case.field, case.beta) >> 12 for case in cases}
    assert exponents >= set(range(34))
    outcomes = {(case.metropolis, weak(*case), case.field > 0) for case in cases}
    assert len(outcomes) == 8
    await decide(bench, cases)


@cocotb.test(**LIMIT)
async def reset_in_the_middle(dut: Any) -> None:
    """What is on its way at a reset does not change what comes after it."""
    bench = Bench(dut)
    await bench.start()
    for _ in range(8):
        cases = anywhere(bench.random, 30)
        await decide(bench, cases)
        dut.field.value, dut.beta.value = FIELD, BETA
        await bench.wait(bench.random.randint(1, 12))
        await bench.reset(bench.random.randint(1, 3))
