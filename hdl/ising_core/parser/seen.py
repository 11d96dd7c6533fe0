"""SeenSpins: which spins have had a row."""

from __future__ import annotations

from typing import final

from amaranth.hdl import Module, Signal
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from hdl.ising_core.config import IsingConfig


@final
class SeenSpins(wiring.Component):
    """Remembers spins until it is told to forget them, which takes a cycle a spin while nothing else needs it.

    Parameters
    ----------
    config : number of spins

    Attributes
    ----------
    spin : in each cycle one, whether it is meant or not
    add : the spin of the cycle before is one to remember
    before : the spin of the cycle before is remembered already
    forget, spins : strobe: forget the spins below ``spins``
    ready : nothing is left to be forgotten; it takes `spins_max` cycles after a reset
    """

    def __init__(self, config: IsingConfig) -> None:
        self._config = config
        super().__init__(
            {
                "spin": In(config.spin_bits),
                "add": In(1),
                "before": Out(1),
                "forget": In(1),
                "spins": In(range(config.spins_max + 1)),
                "ready": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.memory = bits = memory.Memory(shape=1, depth=self._config.spins_max, init=[])
        write, read = bits.write_port(), bits.read_port(transparent_for=())
        # A reset leaves memories alone, so that all spins are forgotten after one.
        left = Signal(range(self._config.spins_max + 1), init=self._config.spins_max)
        m.d.comb += self.ready.eq(left == 0)
        with m.If(self.forget):
            m.d.sync += left.eq(self.spins)
        with m.Elif(~self.ready):
            m.d.sync += left.eq(left - 1)

        spin, just_added = Signal.like(self.spin), Signal()
        m.d.sync += [spin.eq(self.spin), just_added.eq(self.add & (spin == self.spin))]
        m.d.comb += [
            read.addr.eq(self.spin),
            # The write of the cycle before comes too late for this read.
            self.before.eq(read.data | just_added),
            write.en.eq(self.add | ~self.ready),
            write.addr.eq(spin),
            write.data.eq(1),
        ]
        with m.If(~self.ready):
            m.d.comb += [write.addr.eq(left - 1), write.data.eq(0)]
        return m
