"""Xoshiro128pp: the random stream of a lane."""

from __future__ import annotations

from typing import Final, final

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ebmhw.contract.stream import OUTPUT_ROTATION, STATE_ROTATION, STATE_SHIFT, STATE_WORDS

_WORD = 32


@final
class Xoshiro128pp(wiring.Component):
    """xoshiro128++ (Blackman and Vigna, 2018) whose state is also a stretch of a 32-bit wide shift chain.

    A shift moves ``shift_in`` to word 0, word 0 to word 1 and so on, and word 3 is ``shift_out``. So a state is shifted in from word 3 down to
    word 0, and comes out in that order, too; in a chain of streams the first state that is shifted in, or out, belongs to the stream
    farthest from the chain's input. Loading is thus one more input of each state bit, five in all, rather than a multiplexer of 128 bits a stream.

    ``advance`` and ``shift`` never come in the same cycle. The state is 0 after a reset, which draws nothing but 0: shift one in.

    Attributes
    ----------
    latency : cycles from ``advance`` to its draw
    advance : draws a number, one a cycle if need be
    draw : the number, until the next one
    shift, shift_in, shift_out : the chain
    """

    latency: Final = 2

    def __init__(self) -> None:
        super().__init__(
            {
                "advance": In(1),
                "draw": Out(_WORD),
                "shift": In(1),
                "shift_in": In(_WORD),
                "shift_out": Out(_WORD),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        words = [Signal(_WORD, name=f"word{index}") for index in range(STATE_WORDS)]
        s0, s1, s2, s3 = words
        with m.If(self.advance):
            m.d.sync += [
                s0.eq(s0 ^ s1 ^ s3),
                s1.eq(s0 ^ s1 ^ s2),
                s2.eq(s0 ^ s2 ^ (s1 << STATE_SHIFT)),
                s3.eq((s1 ^ s3).rotate_left(STATE_ROTATION)),
            ]
        with m.If(self.shift):
            m.d.sync += [word.eq(before) for word, before in zip(words, [self.shift_in, *words], strict=False)]
        m.d.comb += self.shift_out.eq(s3)

        # Two additions of 32 bits, one a cycle.
        total, addend = Signal(_WORD), Signal(_WORD)
        with m.If(self.advance):
            m.d.sync += [total.eq(s0 + s3), addend.eq(s0)]
        m.d.sync += self.draw.eq(total.rotate_left(OUTPUT_ROTATION) + addend)
        return m
