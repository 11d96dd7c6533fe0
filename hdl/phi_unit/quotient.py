"""Quotient: Ut / St, rounded toward minus infinity."""

from __future__ import annotations

from typing import Final, final

from amaranth.hdl import Cat, Module, Mux, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ebmhw.contract.phi_formats import BINS, FRACTION_BITS, MANTISSA_BIT

DIVISOR_BITS: Final = MANTISSA_BIT + 1
"""Width of the normalised St."""

_WHOLE_BITS: Final = BINS.bit_length()
"""Bits of the quotient before the point, once it is shifted to 0 .. 65."""

QUOTIENT_BITS: Final = _WHOLE_BITS + FRACTION_BITS


@final
class Quotient(wiring.Component):
    """Divides bit by bit, one a cycle.

    The mean of T / S - d over the bins is above -64 and below 1 + 2^-20, so 64 is added to make it positive: floors stay what they are.

    Attributes
    ----------
    start, moment, total : begins anew; both normalised, `MANTISSA_BIT` the highest bit of ``total``
    done : the quotient is there; up to the next ``start``
    quotient : floor(2^20 moment / total) + 2^26
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "start": In(1),
                "moment": In(signed(DIVISOR_BITS + _WHOLE_BITS)),
                "total": In(DIVISOR_BITS),
                "done": Out(1),
                "quotient": Out(QUOTIENT_BITS),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        # The divisor stands still, 2^6 times itself; the remainder, below twice that, moves up.
        divisor = Signal(DIVISOR_BITS, reset_less=True)
        rest = Signal(DIVISOR_BITS + _WHOLE_BITS, reset_less=True)
        left, busy = Signal(range(QUOTIENT_BITS)), Signal()
        reduced = Signal(signed(len(rest) + 1))
        m.d.comb += reduced.eq(rest - (divisor << (_WHOLE_BITS - 1)))
        fits = ~reduced[-1]
        with m.If(busy):
            m.d.sync += [
                rest.eq(Mux(fits, reduced, rest) << 1),
                self.quotient.eq(Cat(fits, self.quotient)),
                left.eq(left - 1),
                busy.eq(left != 0),
                self.done.eq(left == 0),
            ]
        with m.If(self.start):
            m.d.sync += [
                divisor.eq(self.total),
                rest.eq(self.moment + (self.total << (_WHOLE_BITS - 1))),
                left.eq(QUOTIENT_BITS - 1),
                busy.eq(1),
                self.done.eq(0),
            ]
        return m
