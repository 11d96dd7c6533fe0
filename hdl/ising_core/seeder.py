"""Seeder: a seed and a first read become the random states of all lanes."""

from __future__ import annotations

from typing import final

from amaranth.hdl import Array, Cat, Module, Mux, Signal, Value
from amaranth.lib import enum, stream, wiring
from amaranth.lib.wiring import In, Out

from ebmhw.contract.formats import SEED_BITS
from ebmhw.contract.stream import FMIX_MULTIPLIERS, FMIX_SHIFTS, STATE_WORDS, STEP
from hdl.ising_core.config import IsingConfig, bits_for
from hdl.ising_core.layouts import RANDOM_BITS

_WORD = RANDOM_BITS // STATE_WORDS

_PRODUCT_STAGES = STATE_WORDS - 1
"""Registers behind the multiplication: with the one of the operands, a round of four words just fills the multiplier."""


@final
class Round(enum.Enum, shape=4):
    """What the words go into the multiplier for: the first read's offset, fmix32 of fmix32 for the keys, fmix32 for the states of a lane."""

    OFFSET = 0
    INNER_FIRST = 1
    INNER_SECOND = 2
    OUTER_FIRST = 3
    OUTER_SECOND = 4
    KEYS = 5
    STATE_FIRST = 6
    STATE_SECOND = 7
    COLLECT = 8


_FOLLOWING = {
    Round.OFFSET: Round.INNER_FIRST,
    Round.INNER_FIRST: Round.INNER_SECOND,
    Round.INNER_SECOND: Round.OUTER_FIRST,
    Round.OUTER_FIRST: Round.OUTER_SECOND,
    Round.OUTER_SECOND: Round.KEYS,
    Round.KEYS: Round.STATE_FIRST,
    Round.STATE_FIRST: Round.STATE_SECOND,
}


@final
class Seeder(wiring.Component):
    """Makes the states with which the reads of the lanes start, as `ebmhw.contract.stream.initial_state` does.

    The four words of a state go round through one multiplier, a round of four cycles a multiplication; what leaves it enters it again in the
    same cycle. Five rounds make the keys and the first read's offset, one puts them down, and each lane takes two: 8 lanes + 30 cycles
    from ``start`` to ``done`` if each state is taken within 4 cycles.

    Parameters
    ----------
    config : how many lanes

    Attributes
    ----------
    seed, first_read : what to make states of, constant from ``start`` to ``done``
    start : strobe, not between another one and its ``done``
    states : a state a lane, lane 0 first, word 0 lowest
    done : strobe, in the cycle after the last state was taken
    """

    def __init__(self, config: IsingConfig) -> None:
        self._lanes = config.lanes
        super().__init__(
            {
                "seed": In(SEED_BITS),
                "first_read": In(32),
                "start": In(1),
                "states": Out(stream.Signature(RANDOM_BITS)),
                "done": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        low, high = self.seed[:_WORD], self.seed[_WORD:]
        active, word, step = Signal(), Signal(range(STATE_WORDS)), Signal(Round)
        lane = Signal(bits_for(self._lanes))

        collects = Signal()
        moves = Signal()
        m.d.comb += [
            collects.eq(active & (((step == Round.STATE_FIRST) & (lane != 0)) | (step == Round.COLLECT))),
            moves.eq(~(collects & self.states.valid & ~self.states.ready)),
        ]

        operand, factor = Signal(_WORD), Signal(_WORD)
        left, right = Signal(_WORD, reset_less=True), Signal(_WORD, reset_less=True)
        products = [Signal(_WORD, name=f"product{stage}", reset_less=True) for stage in range(_PRODUCT_STAGES)]
        with m.If(moves):
            m.d.sync += [left.eq(operand), right.eq(factor)]
            m.d.sync += [later.eq(earlier) for later, earlier in zip(products, [(left * right)[:_WORD], *products], strict=False)]
        product, mixed = products[-1], Signal(_WORD)
        m.d.comb += mixed.eq(_mix(product, 2))

        # Sums are made in the cycle before the one that mixes them.
        offset, seeded, placed = (Signal(_WORD, name=name, reset_less=True) for name in ("offset", "seeded", "placed"))
        keys = Array(Signal(_WORD, name=f"key{index}", reset_less=True) for index in range(STATE_WORDS))
        following = Signal.like(word)
        m.d.comb += following.eq(word + 1)
        with m.If(moves):
            m.d.sync += [
                seeded.eq(Mux(step == Round.INNER_FIRST, seeded, low) + STEP),
                placed.eq(keys[following] + offset),
            ]

        with m.Switch(step):
            with m.Case(Round.OFFSET):
                m.d.comb += [operand.eq(self.first_read), factor.eq(STEP)]
            with m.Case(Round.INNER_FIRST):
                m.d.comb += [operand.eq(_mix(seeded, 0)), factor.eq(FMIX_MULTIPLIERS[0])]
                with m.If(moves & (word == 0)):
                    m.d.sync += offset.eq(product)
            with m.Case(Round.OUTER_FIRST):
                m.d.comb += [operand.eq(_mix(mixed ^ high, 0)), factor.eq(FMIX_MULTIPLIERS[0])]
            with m.Case(Round.STATE_FIRST):
                m.d.comb += [operand.eq(_mix(placed, 0)), factor.eq(FMIX_MULTIPLIERS[0])]
                with m.If(moves & (word == STATE_WORDS - 1)):
                    m.d.sync += offset.eq(offset + STEP)
            with m.Default():
                m.d.comb += [operand.eq(_mix(product, 1)), factor.eq(FMIX_MULTIPLIERS[1])]

        with m.If(step == Round.KEYS):
            m.d.sync += keys[word].eq(mixed)

        with m.If(active & moves):
            m.d.sync += word.eq(following)
            with m.If(word == STATE_WORDS - 1), m.Switch(step):
                for before, after in _FOLLOWING.items():
                    with m.Case(before):
                        m.d.sync += step.eq(after)
                with m.Case(Round.STATE_SECOND):
                    m.d.sync += [step.eq(Round.STATE_FIRST), lane.eq(lane + 1)]
                    with m.If(lane == self._lanes - 1):
                        m.d.sync += step.eq(Round.COLLECT)
                with m.Case(Round.COLLECT):
                    m.d.sync += active.eq(0)
        with m.If(self.start):
            m.d.sync += [active.eq(1), step.eq(Round.OFFSET), lane.eq(0)]

        taken = self.states.valid & self.states.ready
        m.d.sync += self.done.eq(taken & ~active)
        with m.If(taken):
            m.d.sync += self.states.valid.eq(0)
        with m.If(collects & moves):
            m.d.sync += self.states.payload.eq(Cat(self.states.payload[_WORD:], mixed))
            with m.If(word == STATE_WORDS - 1):
                m.d.sync += self.states.valid.eq(1)
        return m


def _mix(value: Value, shift: int) -> Value:
    """Return ``value`` after one of the shifts of fmix32."""
    return value ^ (value >> FMIX_SHIFTS[shift])
