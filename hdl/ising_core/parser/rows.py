"""RowSection: checks and stores the rows of a problem packet."""

from __future__ import annotations

from typing import final

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ebmhw.contract.ising_core import ERRORS, JOBS
from hdl.common.framer import packet_beat_layout
from hdl.common.packets import entry_field
from hdl.ising_core.config import IsingConfig
from hdl.ising_core.layouts import BEAT_BITS, row_layout
from hdl.ising_core.parser.seen import SeenSpins
from hdl.ising_core.parser.signals import fault_layout, write_port

_SECTION = JOBS.layout("problem").section("row")


@final
class RowSection(wiring.Component):
    """Takes a row a cycle; two cycles later it is written, its bias as its base, or its fault is told.

    Parameters
    ----------
    config : widths

    Attributes
    ----------
    start : strobe: rows of a new problem come
    rows, rows_executed : its counts, constant until ``finish``
    ready : the spins of earlier rows are forgotten, so that rows can be taken
    take, beat : a row
    finish : strobe: no more rows come
    write : to the memory of rows
    beats, beats_executed : of all rows, and of the first ``rows_executed``; they do not wrap
    fault : ``row``: a spin that the problem does not have, or that had a row before, or no beats
    """

    def __init__(self, config: IsingConfig) -> None:
        self._config = config
        row = row_layout(config)
        beats = row["beats"].width + config.spin_bits
        super().__init__(
            {
                "start": In(1),
                "rows": In(range(config.spins_max + 1)),
                "rows_executed": In(range(config.spins_max + 1)),
                "ready": Out(1),
                "take": In(1),
                "beat": In(packet_beat_layout(BEAT_BITS)),
                "finish": In(1),
                "write": Out(write_port(config.spin_bits, row)),
                "beats": Out(beats),
                "beats_executed": Out(beats),
                "fault": Out(fault_layout()),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.seen = seen = SeenSpins(self._config)
        given = {field.name: entry_field(self.beat.data, _SECTION, field.name) for field in _SECTION.fields}

        taken, exists, index = Signal(), Signal(), Signal.like(self.beat.index)
        row = Signal(row_layout(self._config))
        m.d.sync += [
            taken.eq(self.take),
            exists.eq(given["spin"] < self.rows),
            index.eq(self.beat.index),
            Cat(row.spin, row.base, row.beats).eq(Cat(given["spin"][: len(row.spin)], given["bias"], given["beats"])),
        ]
        m.d.comb += [
            seen.spin.eq(given["spin"]),
            seen.add.eq(taken & exists),
            seen.forget.eq(self.finish),
            seen.spins.eq(self.rows),
            self.ready.eq(seen.ready),
        ]

        number = Signal.like(self.rows)
        with m.If(taken):
            m.d.sync += [number.eq(number + 1), self.beats.eq(self.beats + row.beats)]
            with m.If(number < self.rows_executed):
                m.d.sync += self.beats_executed.eq(self.beats_executed + row.beats)
        with m.If(self.start):
            m.d.sync += [number.eq(0), self.beats.eq(0), self.beats_executed.eq(0)]

        bad = ~exists | seen.before | (row.beats == 0)
        m.d.sync += [
            self.write.en.eq(taken & ~bad),
            self.write.address.eq(number),
            self.write.data.eq(row),
            self.fault.found.eq(taken & bad),
            self.fault.code.eq(ERRORS["row"]),
            self.fault.beat.eq(index),
        ]
        return m
