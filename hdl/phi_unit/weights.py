"""WeightTable: the two tables of the contract, for two lanes."""

from __future__ import annotations

from typing import Final, final

from amaranth.hdl import Module
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from ebmhw.contract import phi_tables
from ebmhw.contract.phi_formats import WEIGHT_FRACTION_BITS, Z_FRACTION_BITS

WEIGHT_BITS: Final = WEIGHT_FRACTION_BITS + 1
"""Width of an entry of WT or WU."""


def weight_layout() -> data.StructLayout:
    """The weight of an entry, and its weight times its fraction."""
    return data.StructLayout({"s": WEIGHT_BITS, "t": WEIGHT_BITS})


@final
class WeightTable(wiring.Component):
    """WT and WU side by side: one block RAM of 1024 x 36 bits, a port a lane, its output registered.

    Attributes
    ----------
    fractions : f of either lane
    weights : what the tables have there, `LATENCY` cycles later
    """

    LATENCY: Final = 2

    def __init__(self) -> None:
        super().__init__({"fractions": In(Z_FRACTION_BITS).array(2), "weights": Out(weight_layout()).array(2)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        init = [{"s": s, "t": t} for s, t in zip(phi_tables.WT, phi_tables.WU, strict=True)]
        m.submodules.memory = memory = Memory(shape=weight_layout(), depth=len(init), init=init, attrs={"ram_style": "block"})
        for fraction, weight in zip(self.fractions, self.weights, strict=True):
            read = memory.read_port()
            m.d.comb += [read.addr.eq(fraction), read.en.eq(1)]
            m.d.sync += weight.eq(read.data)
        return m
