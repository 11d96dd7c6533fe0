"""The random states of all lanes as one chain of words: loading it, reading it out, and drawing initial states from it."""

from __future__ import annotations

from typing import final

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ebmhw.contract.stream import STATE_WORDS
from hdl.common.xoshiro import Xoshiro128pp
from hdl.ising_core.config import IsingConfig
from hdl.ising_core.layouts import RANDOM_BITS

_WORD = RANDOM_BITS // STATE_WORDS


@final
class RandomLoader(wiring.Component):
    """Shifts 128-bit states, lane 0's first, into the chain, whose far end is lane 0.

    Attributes
    ----------
    states : one a lane
    shift, word : to the chain
    """

    def __init__(self) -> None:
        super().__init__({"states": In(stream.Signature(RANDOM_BITS)), "shift": Out(1), "word": Out(_WORD)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        at = Signal(range(STATE_WORDS))
        # What goes in first comes to lie in a lane's last word.
        words = [self.states.payload.word_select(word, _WORD) for word in reversed(range(STATE_WORDS))]
        m.d.comb += self.shift.eq(self.states.valid)
        with m.Switch(at):
            for index, word in enumerate(words):
                with m.Case(index):
                    m.d.comb += self.word.eq(word)
        with m.If(self.states.valid):
            m.d.sync += at.eq(at + 1)
            m.d.comb += self.states.ready.eq(at == STATE_WORDS - 1)
        return m


@final
class RandomReader(wiring.Component):
    """Reads the chain out as pairs of words, lane 0's first two first; what it has read is gone.

    Attributes
    ----------
    start : begins; the lanes' states are offered until all are taken
    shift, word : to and from the chain
    pairs : two words of a state, the lower one below
    """

    def __init__(self, config: IsingConfig) -> None:
        self._lanes = config.lanes
        super().__init__({"start": In(1), "shift": Out(1), "word": In(_WORD), "pairs": Out(stream.Signature(2 * _WORD))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        state = Signal(RANDOM_BITS, reset_less=True)
        lanes_left = Signal(range(self._lanes + 1))
        with m.FSM():
            with m.State("idle"), m.If(self.start):
                m.d.sync += lanes_left.eq(self._lanes)
                m.next = "shift0"
            for at in range(STATE_WORDS):
                with m.State(f"shift{at}"):
                    m.d.comb += self.shift.eq(1)
                    m.d.sync += state.eq(Cat(self.word, state))
                    m.next = f"shift{at + 1}" if at + 1 < STATE_WORDS else "lower"
            with m.State("lower"):
                m.d.comb += [self.pairs.valid.eq(1), self.pairs.payload.eq(state[: 2 * _WORD])]
                with m.If(self.pairs.ready):
                    m.next = "upper"
            with m.State("upper"):
                m.d.comb += [self.pairs.valid.eq(1), self.pairs.payload.eq(state[2 * _WORD :])]
                with m.If(self.pairs.ready):
                    m.d.sync += lanes_left.eq(lanes_left - 1)
                    m.next = "shift0"
                    with m.If(lanes_left == 1):
                        m.next = "idle"
        return m


@final
class InitialDraws(wiring.Component):
    """Draws the initial state of every spin, in order of the spins.

    Attributes
    ----------
    start, done : strobes
    spins : how many, at least 1
    draw : advances all random streams
    draws : the top bit of each lane's draw, `Xoshiro128pp.latency` cycles later
    write, address, value : the states, a spin a cycle
    """

    def __init__(self, config: IsingConfig) -> None:
        self._config = config
        super().__init__(
            {
                "start": In(1),
                "done": Out(1),
                "spins": In(range(config.spins_max + 1)),
                "draw": Out(1),
                "draws": In(config.lanes),
                "write": Out(1),
                "address": Out(config.spin_bits),
                "value": Out(config.lanes),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        left = Signal.like(self.spins)
        drawn = Signal(Xoshiro128pp.latency)
        m.d.comb += self.draw.eq(left != 0)
        m.d.sync += drawn.eq((drawn << 1) | self.draw)
        with m.If(self.start):
            m.d.sync += [left.eq(self.spins), self.address.eq(0)]
        with m.Elif(self.draw):
            m.d.sync += left.eq(left - 1)
        # A draw whose top bit is 1 makes +1, which the core stores as 0.
        m.d.comb += [self.write.eq(drawn[-1]), self.value.eq(~self.draws)]
        with m.If(self.write):
            m.d.sync += self.address.eq(self.address + 1)
        m.d.sync += self.done.eq(drawn[-1] & ~drawn[:-1].any() & ~self.draw)
        return m
