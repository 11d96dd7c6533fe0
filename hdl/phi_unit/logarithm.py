"""Logarithm: the base-2 logarithm of a normalised number, a bit at a time."""

from __future__ import annotations

from typing import Final, final

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ebmhw.contract.phi_formats import FRACTION_BITS, SQUARE_SHIFT

M_BITS: Final = SQUARE_SHIFT + 1
"""Width of the number, whose highest bit is set."""

_HALF: Final = M_BITS // 2


@final
class Logarithm(wiring.Component):
    """Squares a number m once for each fraction bit, which is 1 where the square reaches 2; three cycles a bit.

    Attributes
    ----------
    start, m : begins anew
    done : the fraction is there; up to the next ``start``
    fraction : log2(m 2^-31), 20 bits, each exact for the truncated squares of the contract
    """

    def __init__(self) -> None:
        super().__init__({"start": In(1), "m": In(M_BITS), "done": Out(1), "fraction": Out(FRACTION_BITS)})

    def elaborate(self, platform: object) -> Module:
        module = Module()
        m = Signal(M_BITS, reset_less=True)
        phase, left = Signal(3), Signal(range(FRACTION_BITS))

        # Phase 0: products of halves, each in a DSP slice. 1: the square. 2: its upper bits, halved if it reaches 2.
        low, high = m[:_HALF], m[_HALF:]
        low_low, low_high, high_high = (Signal(M_BITS, name=name, reset_less=True) for name in ("low_low", "low_high", "high_high"))
        square = Signal(2 * M_BITS, reset_less=True)
        module.d.sync += [
            low_low.eq(low * low),
            low_high.eq(low * high),
            high_high.eq(high * high),
            square.eq(Cat(low_low, high_high) + Cat(Const(0, _HALF + 1), low_high)),
            phase.eq(Cat(phase[2] & (left != 0), phase[:2])),
        ]
        bit = square[-1]
        with module.If(phase[2]):
            module.d.sync += [
                m.eq(Mux(bit, square[-M_BITS:], square[-M_BITS - 1 : -1])),
                self.fraction.eq(Cat(bit, self.fraction)),
                left.eq(left - 1),
                self.done.eq(left == 0),
            ]
        with module.If(self.start):
            module.d.sync += [m.eq(self.m), phase.eq(1), left.eq(FRACTION_BITS - 1), self.done.eq(0)]
        return module
