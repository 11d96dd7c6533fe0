"""FieldTree: one lane's sum of the couplings whose product of spins is +1."""

from __future__ import annotations

from typing import final

from amaranth.hdl import Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ebmhw.contract.formats import COUPLING_BITS
from hdl.ising_core.config import IsingConfig


def sum_bits(slots: int) -> int:
    """Return the width of a signed sum of ``slots`` couplings."""
    return COUPLING_BITS + (slots - 1).bit_length()


def tail_mask(chain: list[Signal]) -> list[Signal]:
    """Return for each slot whether it and all after it are chained, so that its product goes on in the next beat."""
    return [Cat(*chain[slot:]).all() for slot in range(len(chain))]


def pair_sums(couplings: list[Value]) -> list[Value]:
    """Return the sum of each two couplings that are added first."""
    return [lower + upper for lower, upper in zip(couplings[::2], couplings[1::2], strict=True)]


@final
class FieldTree(wiring.Component):
    """Multiplies the spins of chained slots, within a beat and across beats, and adds the couplings of positive products.

    A spin is 1 where it is -1, so a product is an exclusive or. ``total`` appears `latency` cycles after ``spins``.

    Parameters
    ----------
    config : slots

    Attributes
    ----------
    clear : forgets a product that was to be carried over
    valid : a beat is here; between beats the product carried over is kept
    spins : one bit a slot
    chain, tail : chain flags of the beat, and their `tail_mask`; with ``spins``
    chain_next : chain flags a cycle later
    couplings, pairs : couplings of the beat, and their `pair_sums`, two cycles after ``spins``. All lanes share these sums; so the first level of
        a lane's tree is one LUT a bit that chooses among four numbers, where adding two masked couplings takes two and a carry
    total : sum of the couplings whose product is +1
    """

    latency = 4

    def __init__(self, config: IsingConfig) -> None:
        self._slots = config.slots
        super().__init__(
            {
                "clear": In(1),
                "valid": In(1),
                "spins": In(config.slots),
                "chain": In(config.slots),
                "tail": In(config.slots),
                "chain_next": In(config.slots),
                "couplings": In(data.ArrayLayout(signed(COUPLING_BITS), config.slots)),
                "pairs": In(data.ArrayLayout(signed(COUPLING_BITS + 1), config.slots // 2)),
                "total": Out(signed(sum_bits(config.slots))),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        half = self._slots // 2

        # Cycle 0: the product carried over, and chains in the lower slots. 1: chains in the upper slots.
        carried = Signal()
        with m.If(self.valid):
            m.d.sync += carried.eq((self.spins & self.tail).xor() ^ (self.tail[0] & carried))
        with m.If(self.clear):
            m.d.sync += carried.eq(0)
        lower = _products(self.spins[:half], self.chain, carried)
        lower_1 = Signal(half, reset_less=True)
        upper_1 = Signal(self._slots - half, reset_less=True)
        m.d.sync += [lower_1.eq(Cat(*lower)), upper_1.eq(self.spins[half:])]
        upper = _products(upper_1, self.chain_next[half:], lower_1[-1] & self.chain_next[half - 1])
        products = Signal(self._slots, reset_less=True)
        m.d.sync += products.eq(Cat(lower_1, *upper))

        # Cycle 2 and 3: the sum.
        terms = []
        for at in range(half):
            lower, upper = self.couplings[2 * at], self.couplings[2 * at + 1]
            terms.append(Mux(products[2 * at], Mux(products[2 * at + 1], 0, upper), Mux(products[2 * at + 1], lower, self.pairs[at])))
        terms = _pairs(terms)
        registers = [Signal(term.shape(), name=f"partial_{at}", reset_less=True) for at, term in enumerate(terms)]
        m.d.sync += [register.eq(term) for register, term in zip(registers, terms, strict=True)]
        terms = registers
        while len(terms) > 1:
            terms = _pairs(terms)
        m.d.sync += self.total.eq(terms[0])
        return m


def _products(spins: Signal, chain: Signal, carried: Signal) -> list[Signal]:
    """Return each slot's product with the chained slots before it; ``carried`` goes into the first."""
    products = [spins[0] ^ carried]
    for slot in range(1, len(spins)):
        products.append(spins[slot] ^ (chain[slot - 1] & products[-1]))
    return products


def _pairs(terms: list[Signal]) -> list[Signal]:
    sums = [a + b for a, b in zip(terms[::2], terms[1::2], strict=False)]
    return sums + terms[len(terms) - len(terms) % 2 :]
