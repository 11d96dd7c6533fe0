"""Moments: the sums St and Ut over the bins of a token."""

from __future__ import annotations

from typing import Final, final

from amaranth.hdl import Module, Signal, signed
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ebmhw.contract.phi_formats import BIN_SHIFT, BINS
from hdl.common.pipeline import Registers
from hdl.phi_unit.config import PhiConfig
from hdl.phi_unit.layouts import bin_layout

_DEPTH_BITS: Final = BINS.bit_length() - 1


def total_bits(config: PhiConfig) -> int:
    """Return the width of St: bin d counts a 2^d-th, so that all bins together come to less than if all were bin 0."""
    return config.sum_bits + BIN_SHIFT


def moment_bits(config: PhiConfig) -> int:
    """Return the width of Ut, signed: abs(T - d S) is at most 63 S."""
    return total_bits(config) + 1 + _DEPTH_BITS


@final
class Moments(wiring.Component):
    """Adds up (S 2^20) >> d and ((T - d S) 2^20) >> d over the bins d = 0..63, a bin a cycle, each shifted on its own.

    Parameters
    ----------
    config : widths

    Attributes
    ----------
    start : begins anew; not in the cycle of a bin
    bins : the bins, always taken
    done : all bins are added; up to the next ``start``
    total, moment : St and Ut
    """

    def __init__(self, config: PhiConfig) -> None:
        self._config = config
        super().__init__(
            {
                "start": In(1),
                "bins": In(stream.Signature(bin_layout(config), always_ready=True)),
                "done": Out(1),
                "total": Out(total_bits(config)),
                "moment": Out(signed(moment_bits(config))),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        register = Registers(m)
        depth = Signal(_DEPTH_BITS)
        comes = Signal(6)
        ends = self.bins.valid & (depth == BINS - 1)
        final_bin = Signal(6)
        m.d.sync += [comes.eq((comes << 1) | self.bins.valid), final_bin.eq((final_bin << 1) | ends), depth.eq(depth + self.bins.valid)]

        # Cycle 0: operands. 1 and 2: d S, in DSP slices. 3: T - d S.
        sums = self.bins.payload
        s, t, d = register(sums.s, "s"), register(sums.t, "t"), register(depth, "d")
        product = register.after(register(s * d, "product"), 1, "product")
        s, t, d = register.after(s, 2, "s_of"), register.after(t, 2, "t_of"), register.after(d, 2, "d_of")
        deviation = Signal(signed(self._config.sum_bits + _DEPTH_BITS + 1), reset_less=True)
        m.d.sync += deviation.eq(t - product)
        s, d = register(s, "s_3"), register(d, "d_3")

        # Cycle 4 and 5: shifted by d, in two steps. 6: added.
        fine_bits = _DEPTH_BITS // 2
        coarse = register(d[fine_bits:], "coarse")
        s_fine = register((s << BIN_SHIFT) >> d[:fine_bits], "s_fine", width=len(self.total))
        u_fine, u_coarse = Signal.like(self.moment, reset_less=True), Signal.like(self.moment, reset_less=True)
        m.d.sync += [u_fine.eq((deviation << BIN_SHIFT) >> d[:fine_bits]), u_coarse.eq(u_fine >> (coarse << fine_bits))]
        s_coarse = register(s_fine >> (coarse << fine_bits), "s_coarse", width=len(self.total))
        with m.If(comes[5]):
            m.d.sync += [self.total.eq(self.total + s_coarse), self.moment.eq(self.moment + u_coarse)]
        with m.If(final_bin[5]):
            m.d.sync += self.done.eq(1)
        with m.If(self.start):
            m.d.sync += [self.total.eq(0), self.moment.eq(0), self.done.eq(0), depth.eq(0)]
        return m
