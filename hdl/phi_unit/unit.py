"""PhiUnit: packets of logits in, packets of records out."""

from __future__ import annotations

from typing import Final, final

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.fifo import SyncFIFO
from amaranth.lib.wiring import In, Out

from ebmhw.contract.phi_formats import FORMATS, Z_FRACTION_BITS
from ebmhw.contract.phi_unit import RESULT_BYTES
from hdl.common.framer import stream_layout
from hdl.common.packets import CODE_BITS
from hdl.common.pipeline import Registers, delayed
from hdl.phi_unit.bins import LaneBins
from hdl.phi_unit.config import LANES, PhiConfig
from hdl.phi_unit.entry import EntryLane
from hdl.phi_unit.finisher import Finisher
from hdl.phi_unit.layouts import JOB_BITS, summary_layout, token_layout
from hdl.phi_unit.parser import Phase, TokenParser
from hdl.phi_unit.summary import TokenSummary
from hdl.phi_unit.walk import BinWalk
from hdl.phi_unit.weights import WeightTable

TOKENS: Final = 2
"""Tokens under way: one whose entries are added, one whose answer is made; each has a bank of bins."""

_WIDE: Final = FORMATS.index("float32")
_ENTRY_BITS: Final = JOB_BITS // LANES


def events_layout() -> data.StructLayout:
    """What happens in a cycle, for counters and error registers."""
    return data.StructLayout({"beat": 1, "waits": 1, "done": 1, "failed": 1, "error": CODE_BITS, "job_id": 32, "beat_number": 32})


@final
class PhiUnit(wiring.Component):
    """The entropy unit without registers.

    Parameters
    ----------
    config : size

    Attributes
    ----------
    jobs, results : packets
    input_limit : see `TokenParser`
    phase, waiting : what the parser is doing; see `TokenParser`
    tokens : how many are under way
    events : see `events_layout`
    """

    def __init__(self, config: PhiConfig) -> None:
        self._config = config
        super().__init__(
            {
                "jobs": In(stream.Signature(stream_layout(JOB_BITS))),
                "results": Out(stream.Signature(stream_layout(8 * RESULT_BYTES))),
                "input_limit": In(32),
                "phase": Out(Phase),
                "waiting": Out(1),
                "tokens": Out(range(TOKENS + 1)),
                "events": Out(events_layout()),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self._config
        m.submodules.parser = parser = TokenParser(config)
        m.submodules.summary = summary = TokenSummary(config)
        m.submodules.walk = walk = BinWalk(config)
        m.submodules.finisher = finisher = Finisher(config)
        wiring.connect(m, wiring.flipped(self.jobs), parser.jobs)
        wiring.connect(m, finisher.results, wiring.flipped(self.results))

        # -- entries to bins ----------------------------------------------------------------------------------------------
        beat = parser.beats.payload
        beats = delayed(m, _strobed(m, parser.beats.valid, beat), EntryLane.LATENCY + WeightTable.LATENCY, "beat")
        of_entries, of_weights = beats[EntryLane.LATENCY], beats[-1]
        register = Registers(m)
        tables = []
        for pair in range(LANES // 2):
            m.submodules[f"weights{pair}"] = table = WeightTable()
            tables += [(table.fractions[side], table.weights[side]) for side in range(2)]
        for lane, (fraction, weight) in enumerate(tables):
            m.submodules[f"entry{lane}"] = entry = EntryLane()
            m.submodules[f"bins{lane}"] = bins = LaneBins(config)
            narrow = beat.data[_ENTRY_BITS * lane :][:_ENTRY_BITS]
            wide = beat.data[2 * _ENTRY_BITS * lane :][: 2 * _ENTRY_BITS] if lane < LANES // 2 else narrow
            z, valid = entry.entry.z, entry.entry.valid
            m.d.comb += [
                entry.bits.eq(Mux(beat.format == _WIDE, wide, narrow)),
                entry.format.eq(beat.format),
                entry.present.eq(beat.present[lane] & parser.beats.valid),
                summary.entries[lane].eq(entry.entry),
                fraction.eq(z[:Z_FRACTION_BITS]),
                bins.add.eq(register.after(valid, WeightTable.LATENCY, f"valid{lane}")),
                bins.add_bank.eq(of_weights.bank),
                bins.k.eq(register.after(z[Z_FRACTION_BITS:], WeightTable.LATENCY, f"k{lane}").as_signed()),
                bins.weight.eq(weight),
                bins.walk.eq(walk.walk),
                bins.walk_bank.eq(walk.walk_bank),
                bins.walk_k.eq(walk.walk_k),
                walk.s[lane].eq(bins.s),
                walk.t[lane].eq(bins.t),
            ]
        m.d.comb += [
            summary.chosen.eq(of_entries.chosen),
            summary.position.eq(of_entries.position),
            summary.beat.eq(of_entries.comes),
            summary.first.eq(of_entries.first),
            summary.last.eq(of_entries.last),
        ]

        # -- tokens -------------------------------------------------------------------------------------------------------
        # What the packet said waits for what the entries came to, which ends up later than the last entry's bin.
        m.submodules.said = said = SyncFIFO(width=token_layout(config).size, depth=TOKENS)
        m.submodules.found = found = SyncFIFO(width=summary_layout(config).size, depth=TOKENS)
        m.d.comb += [
            said.w_data.eq(parser.token.payload.as_value()),
            said.w_en.eq(parser.token.valid),
            found.w_data.eq(summary.summary.as_value()),
            # What was on its way when a reset came ends before the banks are empty.
            found.w_en.eq(summary.done & walk.ready),
        ]
        for fifo, port in ((said, finisher.token), (found, finisher.summary)):
            m.d.comb += [port.payload.as_value().eq(fifo.r_data), port.valid.eq(fifo.r_rdy), fifo.r_en.eq(port.ready)]
        bank = Signal()
        with m.If(finisher.finished):
            m.d.sync += bank.eq(~bank)
        m.d.comb += [
            walk.start.eq(finisher.walk),
            walk.kmax.eq(finisher.kmax),
            walk.bank.eq(bank),
        ]
        wiring.connect(m, walk.bins, finisher.bins)
        m.d.sync += self.tokens.eq(self.tokens + (parser.beats.valid & beat.first) - finisher.finished)
        m.d.comb += [
            parser.free.eq(walk.ready & (self.tokens != TOKENS)),
            parser.input_limit.eq(self.input_limit),
            self.phase.eq(parser.phase),
            self.waiting.eq(parser.waiting),
        ]
        token, events = finisher.token.payload, self.events
        m.d.comb += [
            events.beat.eq(parser.beats.valid & beat.present.any()),
            events.waits.eq((parser.phase == Phase.WAITING) & ~parser.free),
            events.done.eq(finisher.finished & (token.error == 0)),
            events.failed.eq(finisher.finished & (token.error != 0)),
            events.error.eq(token.error),
            # An answer that stalls on its last beat is no longer known here.
            events.job_id.eq(Mux(finisher.token.valid, token.job_id, 0)),
            events.beat_number.eq(token.beat),
        ]
        return m


def _strobed(m: Module, valid: Signal, beat: data.View) -> data.View:
    """Return what of a beat is needed after its entries, with a strobe that says that it is one."""
    layout = beat.shape()
    shape = data.StructLayout({"comes": 1, **{name: layout[name].shape for name in ("chosen", "position", "bank", "first", "last")}})
    strobed = Signal(shape, name="strobed")
    m.d.comb += [strobed.comes.eq(valid), *(getattr(strobed, name).eq(getattr(beat, name)) for name in shape.members if name != "comes")]
    return strobed
