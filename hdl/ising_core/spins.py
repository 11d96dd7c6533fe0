"""SpinMemory: a copy of all spins for each slot, and one for a row's own spin."""

from __future__ import annotations

from typing import final

from amaranth.hdl import Module, Signal
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hdl.ising_core.config import IsingConfig

OWN_LATENCY = 2
"""Cycles from ``own_address`` to ``own``."""


def ram_style(depth: int) -> dict[str, str]:
    """Return the attribute that asks for UltraRAM where a memory fills at least one (4096 rows), and for nothing below."""
    return {"ram_style": "ultra"} if depth >= 4096 else {}


@final
class SpinMemory(wiring.Component):
    """Reads one spin a slot and one row's own a cycle, in all lanes, and writes one to all copies.

    A read in the cycle after a write sees it; one in the same cycle does not. A single copy in banks would be smaller, but 1.2 to 1.7 times slower.

    Parameters
    ----------
    config : slots, lanes, spins_max, spin_latency

    Attributes
    ----------
    addresses, values : spins to read, and their states ``spin_latency`` cycles later; bit r of a state is lane r
    own_address, own : the same for the row's own spin, `OWN_LATENCY` cycles later
    write, write_address, write_value : writes one spin
    """

    def __init__(self, config: IsingConfig) -> None:
        self._config = config
        super().__init__(
            {
                "addresses": In(data.ArrayLayout(config.spin_bits, config.slots)),
                "values": Out(data.ArrayLayout(config.lanes, config.slots)),
                "own_address": In(config.spin_bits),
                "own": Out(config.lanes),
                "write": In(1),
                "write_address": In(config.spin_bits),
                "write_value": In(config.lanes),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self._config
        reads = [(f"slot{slot}", self.addresses[slot], self.values[slot], config.spin_latency) for slot in range(config.slots)]
        reads.append(("own", self.own_address, self.own, OWN_LATENCY))
        for name, address, value, latency in reads:
            memory = Memory(shape=config.lanes, depth=config.spins_max, init=[], attrs=ram_style(config.spins_max))
            m.submodules[name] = memory
            write, read = memory.write_port(), memory.read_port()
            m.d.comb += [
                read.addr.eq(address),
                read.en.eq(1),
                write.en.eq(self.write),
                write.addr.eq(self.write_address),
                write.data.eq(self.write_value),
            ]
            word = read.data
            for cycle in range(1, latency):
                register = Signal(config.lanes, name=f"{name}_{cycle}", reset_less=True)
                m.d.sync += register.eq(word)
                word = register
            m.d.comb += value.eq(word)
        return m
