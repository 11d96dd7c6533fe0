"""SlotSection: checks the slots of a problem packet, packs them into beats and completes the rows."""

from __future__ import annotations

from typing import final

from amaranth.hdl import Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ebmhw.contract.formats import BIAS_BITS, COUPLING_BITS, FIELD_LIMIT, coupling_limit
from ebmhw.contract.ising_core import ERRORS, JOBS
from ebmhw.contract.registers import WORD_BITS
from hdl.common.framer import packet_beat_layout
from hdl.common.packets import CODE_BITS, entry_field, stray_bits
from hdl.common.pipeline import delayed
from hdl.ising_core.config import IsingConfig, bits_for
from hdl.ising_core.layouts import BEAT_BITS, beat_layout, row_layout, slot_layout
from hdl.ising_core.parser.signals import BEAT_WORDS, fault_layout, write_port

_SECTION = JOBS.layout("problem").section("slot")

_STAGES = 5
"""Cycles from taking slots to the fault that they make."""


@final
class SlotSection(wiring.Component):
    """Takes the slots of a stream beat a cycle, with the row that they belong to.

    A row's base, which is its bias when it comes, goes back to memory as its bias less the sum of its couplings: its field when every product is -1.
    Checks have five stages, the same for all, so that faults are told in the order of the beats.

    Parameters
    ----------
    config : slots of a beat, widths

    Attributes
    ----------
    start : strobe: slots of ``rows`` rows come, and the rows from memory
    rows : rows of the problem
    stored : the rows from memory, exactly ``rows`` of them
    ready : the row of the next slots is here
    take, beat : slots
    abandon : no more slots come; rows that are still to come are taken
    left : rows whose slots have not all been taken
    drained : all rows have been taken
    beat_write, row_write : to memory
    fault : ``slot``, ``field`` or ``reserved``
    """

    def __init__(self, config: IsingConfig) -> None:
        self._config = config
        super().__init__(
            {
                "start": In(1),
                "rows": In(range(config.spins_max + 1)),
                "stored": In(stream.Signature(row_layout(config))),
                "ready": Out(1),
                "take": In(1),
                "beat": In(packet_beat_layout(BEAT_BITS)),
                "abandon": In(1),
                "left": Out(range(config.spins_max + 1)),
                "drained": Out(1),
                "beat_write": Out(write_port(config.beat_bits, beat_layout(config))),
                "row_write": Out(write_port(config.spin_bits, row_layout(config))),
                "fault": Out(fault_layout()),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self._config
        slots = [self.beat.data.word_select(at, WORD_BITS) for at in range(BEAT_WORDS)]

        # -- whose slots these are ----------------------------------------------------------------------------------------
        row, here, to_come = Signal(row_layout(config)), Signal(), Signal.like(self.rows)
        first, beats_left, last_beat = Signal(), Signal.like(row.beats), Signal()
        part = Signal(bits_for(config.slots // BEAT_WORDS))
        fills = part == config.slots // BEAT_WORDS - 1
        ends = fills & last_beat
        m.d.comb += [self.ready.eq(here), self.drained.eq(to_come == 0), self.stored.ready.eq(~here | (self.take & ends) | self.abandon)]
        with m.If(self.take):
            m.d.sync += [part.eq(Mux(fills, 0, part + 1)), first.eq(0)]
            with m.If(fills):
                m.d.sync += [beats_left.eq(beats_left - 1), last_beat.eq(beats_left == 2)]
            with m.If(ends):
                m.d.sync += [here.eq(0), self.left.eq(self.left - 1)]
        with m.If(self.stored.valid & self.stored.ready):
            stored = self.stored.payload
            m.d.sync += [row.eq(stored), here.eq(1), first.eq(1), beats_left.eq(stored.beats), last_beat.eq(stored.beats == 1)]
            m.d.sync += to_come.eq(to_come - 1)
        with m.If(self.abandon):
            m.d.sync += here.eq(0)
        with m.If(self.start):
            m.d.sync += [here.eq(0), part.eq(0), to_come.eq(self.rows), self.left.eq(self.rows)]

        # Stage k + 1 works on what index k of these says.
        taken = Signal(_STAGES - 1)
        about = Signal(data.StructLayout({"row": row_layout(config), "first": 1, "fills": 1, "ends": 1, "last": 1, "beat": 32}))
        m.d.sync += taken.eq(Cat(self.take, taken))
        m.d.comb += [about.row.eq(row), about.first.eq(first), about.fills.eq(fills), about.ends.eq(ends), about.last.eq(last_beat)]
        m.d.comb += about.beat.eq(self.beat.index)
        passed = delayed(m, about, _STAGES - 1, "about")

        # -- stage 1: each slot alone -------------------------------------------------------------------------------------
        packed, stray, bad = Signal(data.ArrayLayout(slot_layout(config), BEAT_WORDS)), Signal(), Signal(BEAT_WORDS)
        m.d.sync += stray.eq(Cat(stray_bits(slot, _SECTION) for slot in slots).any())
        for at, slot in enumerate(slots):
            spin, coupling, chain = (entry_field(slot, _SECTION, name) for name in ("spin", "coupling", "chain"))
            faults = [
                spin >= self.rows,
                (spin == row.spin) & (chain | (coupling != 0)),
                coupling < -coupling_limit(COUPLING_BITS),
                chain & (coupling != 0),
            ]
            if at == BEAT_WORDS - 1:
                faults.append(chain & ends)
            m.d.sync += [packed[at].spin.eq(spin), packed[at].coupling.eq(coupling), packed[at].chain.eq(chain), bad[at].eq(Cat(faults).any())]

        # -- stage 2: sums of the stream beat; a beat of memory is whole --------------------------------------------------
        couplings = [packed[at].coupling for at in range(BEAT_WORDS)]
        added, added_magnitude = Signal(signed(COUPLING_BITS + BEAT_WORDS)), Signal(COUPLING_BITS + BEAT_WORDS)
        code = Signal(CODE_BITS)
        m.d.sync += [
            added.eq(sum(couplings)),
            added_magnitude.eq(sum(_magnitude(coupling) for coupling in couplings)),
            code.eq(Mux(stray, ERRORS["reserved"], Mux(bad.any(), ERRORS["slot"], 0))),
        ]
        codes = delayed(m, code, 2, "code")
        write, whole = self.beat_write, Cat(self.beat_write.data.slots.as_value(), packed.as_value())
        m.d.sync += [write.en.eq(taken[0] & passed[1].fills), write.data.last.eq(passed[1].last)]
        with m.If(taken[0]):
            m.d.sync += write.data.slots.as_value().eq(whole[len(packed.as_value()) :])
        with m.If(write.en):
            m.d.sync += write.address.eq(write.address + 1)

        # -- stage 3: sums of the row. That of the couplings may wrap, but only in a row whose magnitudes are refused -----
        total = Signal(signed(BIAS_BITS), reset_less=True)
        total_magnitude = Signal(range((config.slots << len(row.beats) + COUPLING_BITS - 1) + 1), reset_less=True)
        with m.If(taken[1]):
            m.d.sync += [
                total.eq(Mux(passed[2].first, 0, total) + added),
                total_magnitude.eq(Mux(passed[2].first, 0, total_magnitude) + added_magnitude),
            ]

        # -- stages 4 and 5: base and greatest field; the row goes back ---------------------------------------------------
        base, greatest = Signal(signed(BIAS_BITS), reset_less=True), Signal(len(total_magnitude) + 1, reset_less=True)
        m.d.sync += [base.eq(passed[3].row.base - total), greatest.eq(total_magnitude + _magnitude(passed[3].row.base))]
        over = passed[4].ends & (greatest > FIELD_LIMIT)
        m.d.sync += [
            self.fault.found.eq(taken[3] & ((codes[2] != 0) | over)),
            self.fault.code.eq(Mux(codes[2] != 0, codes[2], ERRORS["field"])),
            self.fault.beat.eq(passed[4].beat),
            self.row_write.en.eq(taken[3] & passed[4].ends),
            self.row_write.data.eq(passed[4].row),
            self.row_write.data.base.eq(base),
        ]
        with m.If(self.row_write.en):
            m.d.sync += self.row_write.address.eq(self.row_write.address + 1)
        with m.If(self.start):
            m.d.sync += [write.address.eq(0), self.row_write.address.eq(0)]
        return m


def _magnitude(value: Value) -> Value:
    """Return the magnitude of a signed value, as wide as the value."""
    return Mux(value < 0, -value, value)[: len(value)]
