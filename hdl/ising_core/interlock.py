"""Interlock: lets a beat go only when every spin that it reads has been written."""

from __future__ import annotations

from typing import final

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hdl.ising_core.config import IsingConfig
from hdl.ising_core.layouts import work_layout
from hdl.ising_core.pipeline import Stages


@final
class Interlock(wiring.Component):
    """Holds a beat while a row on its way to writing is one of its spins, or the row's own.

    A beat passes through two registers. In the first its spins are compared with all rows on their way; the matches, one bit for each cycle of age,
    go with it into the second, where they age by a shift a cycle: the beat is issued when none is left. So the comparison is not in the path
    of the stall.

    Parameters
    ----------
    config : slots, widths, and through `Stages` the pipeline's length

    Attributes
    ----------
    work : beats in order
    room : there is room for the state of one more row
    issued : the beat that is issued, valid in the cycle of ``issue``
    issue : this is cycle 0 of the beat
    hazard, full : a beat waits for a spin; for room
    held : a beat is in one of the two registers
    """

    def __init__(self, config: IsingConfig) -> None:
        self._config = config
        self._latency = Stages.of(config).latency
        super().__init__(
            {
                "work": In(stream.Signature(work_layout(config))),
                "room": In(1),
                "issued": Out(work_layout(config)),
                "issue": Out(1),
                "hazard": Out(1),
                "held": Out(1),
                "full": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config, ages = self._config, self._latency - 1

        arrived = Signal(work_layout(config), reset_less=True)
        arrived_valid, held_valid = Signal(), Signal()
        held, hazards, blocked = self.issued, Signal(ages), Signal()
        needs_room = held.emit & held.last
        m.d.comb += [
            self.held.eq(arrived_valid | held_valid),
            self.hazard.eq(held_valid & blocked),
            self.full.eq(held_valid & ~blocked & needs_room & ~self.room),
            self.issue.eq(held_valid & ~blocked & (~needs_room | self.room)),
        ]
        moves = arrived_valid & (~held_valid | self.issue)
        m.d.comb += self.work.ready.eq(~arrived_valid | moves)
        with m.If(self.work.ready):
            m.d.sync += [arrived.eq(self.work.payload), arrived_valid.eq(self.work.valid)]

        # Row number ``age`` was issued ``age`` cycles ago; age 0 is the one that is issued now.
        rows = [(self.issue & held.last, held.spin)]
        for age in range(1, ages):
            valid, spin = Signal(name=f"valid_{age}"), Signal(config.spin_bits, name=f"spin_{age}", reset_less=True)
            m.d.sync += [valid.eq(rows[-1][0]), spin.eq(rows[-1][1])]
            rows.append((valid, spin))
        reads = [slot.spin for slot in arrived.slots] + [arrived.spin]
        matches = Cat(valid & Cat(read == spin for read in reads).any() for valid, spin in rows)

        # Whether any is left is known a cycle ahead: the stall goes far, through the readaheads' FIFOs (11 levels of logic with the "any" in it).
        m.d.sync += [hazards.eq(hazards << 1), blocked.eq(hazards[:-1].any())]
        with m.If(self.issue):
            m.d.sync += held_valid.eq(0)
        with m.If(moves):
            m.d.sync += [held.eq(arrived), held_valid.eq(1), hazards.eq(matches), blocked.eq(matches.any())]
        return m
