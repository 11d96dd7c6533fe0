"""A vectorised NumPy sampler with one fault at a time: the negative controls of the distribution tests.

A state is one integer a chain (bit i set: spin i is +1), and thresholds are tabulated for every state, so a row is a few
operations on an array of chains. Without a fault the sampler is bit-identical to the golden model, which a test checks.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import final

import numpy as np
import numpy.typing as npt

from ebmhw.contract import tables
from ebmhw.golden.stream import initial_random, next_draw
from ebmhw.program import Program

IntArray = npt.NDArray[np.int64]
WHOLE = 1 << 32


def all_states(n: int) -> npt.NDArray[np.int8]:
    """Return all 2^n states in the order of their codes, int8 (2^n, n)."""
    return np.where(np.arange(1 << n)[:, None] >> np.arange(n) & 1, 1, -1).astype(np.int8)


def codes_of(states: npt.NDArray[np.int8]) -> IntArray:
    """Return the code of each state (..., n)."""
    return ((states > 0) << np.arange(states.shape[-1])).sum(axis=-1)


def fields(program: Program) -> IntArray:
    """Return the field of every row's spin in every state, int64 (rows, 2^n)."""
    states = all_states(program.n).astype(np.int64)
    result = np.empty((program.n, len(states)), dtype=np.int64)
    for r, (_, bias, terms) in enumerate(program.rows):
        result[r] = bias + sum(weight * states[:, list(others)].prod(axis=1) for weight, others in terms)
    return result


def thresholds(magnitude: IntArray, word: int, hi: tuple[int, ...] = tables.HI) -> IntArray:
    """Return the number of weak draws of the gibbs rule, solved for v in the contract's inequality."""
    y = (magnitude * word + 2**8) >> 9
    e, f = np.minimum(y >> 12, 32), y & 4095
    m = (np.array(hi)[f >> 6] * np.array(tables.LO)[f & 63] + 2**15) >> 16
    one = 1 << e
    v = ((m << 33) - one) // (m + (one << 16))
    return np.where((y >> 12 < 33) & (m << 33 >= one), (v + 1) >> 1, 0)


def table_off_by_one(magnitude: IntArray, word: int) -> IntArray:
    """The upper table read one entry too far."""
    return thresholds(magnitude, word, (*tables.HI[1:], tables.HI[-1]))


def draws_of(bits: int) -> Callable[[IntArray, int], IntArray]:
    """Return thresholds as draws of fewer bits make them, rounded to the nearest there is."""
    grain = 1 << (32 - bits)

    def coarse(magnitude: IntArray, word: int) -> IntArray:
        return (thresholds(magnitude, word) + grain // 2) // grain * grain

    return coarse


class Draws(ABC):
    """A source of one 32-bit draw for each of ``reads`` chains at a time."""

    @abstractmethod
    def __init__(self, seed: int, reads: int) -> None:
        """Start the streams."""

    @abstractmethod
    def next(self) -> npt.NDArray[np.uint32]:
        """Return the next draw of every chain."""


@final
class OwnStreams(Draws):
    """The contract's: xoshiro128++ for each read."""

    def __init__(self, seed: int, reads: int) -> None:
        self.state = initial_random(np, seed, np.arange(reads, dtype=np.uint32))

    def next(self) -> npt.NDArray[np.uint32]:
        draw, self.state = next_draw(np, self.state)
        return draw


@final
class OneBitShiftRegisters(Draws):
    """A maximal 32-bit shift register for each chain (taps 32, 22, 2, 1), well seeded, but advanced by one bit a draw."""

    def __init__(self, seed: int, reads: int) -> None:
        self.state = np.random.default_rng(seed).integers(1, WHOLE, reads, dtype=np.uint32)

    def next(self) -> npt.NDArray[np.uint32]:
        s = self.state
        bit = (s ^ s >> np.uint32(10) ^ s >> np.uint32(30) ^ s >> np.uint32(31)) & np.uint32(1)
        self.state = s >> np.uint32(1) | bit << np.uint32(31)
        return self.state


@final
class SharedShiftRegister(Draws):
    """One shift register for all chains: chain c sees the 32 bits from bit c on, and a draw moves on by ``advance`` bits."""

    advance = 1

    def __init__(self, seed: int, reads: int) -> None:
        self.reads, self.at = reads, 0
        self.register = int(np.random.default_rng(seed).integers(1, WHOLE))
        self.bits = np.zeros(0, dtype=np.uint32)

    def next(self) -> npt.NDArray[np.uint32]:
        while self.bits.size < self.at + self.reads + 32:
            s, more = self.register, []
            for _ in range(4096):
                bit = (s ^ s >> 10 ^ s >> 30 ^ s >> 31) & 1
                s = s >> 1 | bit << 31
                more.append(bit)
            self.register = s
            self.bits = np.concatenate([self.bits, np.array(more, dtype=np.uint32)])
        window = self.bits[self.at : self.at + self.reads + 31]
        draw = np.zeros(self.reads, dtype=np.uint32)
        for k in range(32):
            draw = draw << np.uint32(1) | window[k : k + self.reads]
        self.at += self.advance
        return draw


def in_order(program: Program) -> list[list[int]]:
    """Return the rows that are updated at once: one at a time, as the contract has it."""
    return [[r] for r in range(program.n)]


def even_then_odd(program: Program) -> list[list[int]]:
    """All spins of even index at once, then all of odd index, whether or not they are coupled."""
    return [[r for r in range(program.n) if program.order[r] % 2 == parity] for parity in (0, 1)]


def synchronous(program: Program) -> list[list[int]]:
    """All spins at once, each from the state before the sweep."""
    return [list(range(program.n))]


@final
@dataclass(frozen=True)
class Sampler:
    """The gibbs sampler of the contract, but for what is given here."""

    groups: Callable[[Program], list[list[int]]] = in_order
    thresholds: Callable[[IntArray, int], IntArray] = thresholds
    draws: type[Draws] = OwnStreams

    def run(self, program: Program, word: int, sweeps: int, reads: int, seed: int, burn_in: int | None = None) -> IntArray:
        """Return the codes of the final states (reads,), or with ``burn_in`` those after every later sweep (sweeps - burn_in, reads)."""
        field = fields(program)
        weak = self.thresholds(np.abs(field), word)
        strong = field >= 0
        groups, spins = self.groups(program), program.order.tolist()
        source = self.draws(seed, reads)
        code = np.zeros(reads, dtype=np.int64)
        for i in range(program.n):
            code |= (source.next() >> np.uint32(31)).astype(np.int64) << i
        # Where no draw can change any state any more, the sweeps left are not worth doing.
        moves = ((strong != (all_states(program.n).T[spins] > 0)) | (weak > 0)).any(axis=0)
        kept = []
        for sweep in range(sweeps):
            if burn_in is None and not moves[code].any():
                break
            for group in groups:
                before = code
                for r in group:
                    up = strong[r][before] ^ (source.next() < weak[r][before])
                    code = code & ~(1 << spins[r]) | up.astype(np.int64) << spins[r]
            if burn_in is not None and sweep >= burn_in:
                kept.append(code)
        return code if burn_in is None else np.array(kept)


CONTROLS: Mapping[str, Sampler] = {
    "even, then odd": Sampler(groups=even_then_odd),
    "synchronous": Sampler(groups=synchronous),
    "one bit a draw": Sampler(draws=OneBitShiftRegisters),
    "one register for all": Sampler(draws=SharedShiftRegister),
    "8-bit draws": Sampler(thresholds=draws_of(8)),
    "16-bit draws": Sampler(thresholds=draws_of(16)),
    "table off by one": Sampler(thresholds=table_off_by_one),
}
"""Samplers that a test of the distribution must reject."""


def sweep_matrix(
    program: Program, word: int, limit: Callable[[IntArray, int], IntArray] = thresholds, clamped: Collection[int] = ()
) -> npt.NDArray[np.float64]:
    """Return the transition matrix of one sweep in order, float64 (2^n, 2^n), from the thresholds: row = from, column = to."""
    field = fields(program)
    weak = limit(np.abs(field), word) / WHOLE
    up = np.where(field >= 0, 1 - weak, weak)
    size = 1 << program.n
    law = np.eye(size)  # (to, from): whole rows move, which is several times as fast
    for r, spin in enumerate(program.order.tolist()):
        if spin in clamped:
            continue
        # The two states that differ in this spin alone have the same field, so they share their future.
        halves = law.reshape(size >> (spin + 1), 2, 1 << spin, size)
        mass = halves.sum(axis=1)
        chance = up[r].reshape(size >> (spin + 1), 2, 1 << spin)[:, 0, :, None]
        halves[:, 0], halves[:, 1] = mass * (1 - chance), mass * chance
    return law.T
