"""TokenSummary: what the entries of a token come to, but for their bins."""

from __future__ import annotations

from typing import Final, final

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.common.pipeline import Registers
from hdl.phi_unit.config import LANES, PhiConfig
from hdl.phi_unit.extremes import Extremes
from hdl.phi_unit.layouts import Z_BITS, entry_layout, summary_layout

_COUNTS: Final = ("valid", "masked", "excluded")
_MARKS: Final = ("clip_hi", "clip_lo")


@final
class TokenSummary(wiring.Component):
    """Counts entries, and finds the largest and the chosen one; beats of one token follow those of another at any distance.

    Parameters
    ----------
    config : widths

    Attributes
    ----------
    entries : of each lane
    chosen : which lane has the chosen entry
    position : of lane 0
    beat, first, last : a beat comes; it is a token's first; its last
    done, summary : `LATENCY` cycles after a token's last beat, for a cycle
    """

    LATENCY: Final = Extremes.LATENCY

    def __init__(self, config: PhiConfig) -> None:
        self._config = config
        super().__init__(
            {
                "entries": In(entry_layout()).array(LANES),
                "chosen": In(LANES),
                "position": In(config.entry_bits),
                "beat": In(1),
                "first": In(1),
                "last": In(1),
                "done": Out(1),
                "summary": Out(summary_layout(config)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        register = Registers(m)
        wait = self.LATENCY - 2
        m.submodules.extremes = extremes = Extremes(self._config)
        m.d.comb += [
            *(extremes.keys[lane].eq(entry.key) for lane, entry in enumerate(self.entries)),
            *(extremes.zs[lane].eq(entry.z) for lane, entry in enumerate(self.entries)),
            extremes.position.eq(self.position),
            extremes.valid.eq(self.beat),
            extremes.first.eq(self.first),
        ]

        # Cycle 0: over the lanes of a beat. The last: over the beats of a token.
        flags = register(Cat(self.beat, self.first, self.last), "flags")
        beat, first, last = register.after(flags, wait, "flags_of_beat")
        summary = self.summary
        for name in _COUNTS:
            of_beat = register(sum(getattr(entry, name) for entry in self.entries), f"{name}_lanes", width=LANES.bit_length())
            of_beat = register.after(of_beat, wait, f"{name}_beat")
            total = getattr(summary, name)
            with m.If(beat):
                m.d.sync += total.eq(Mux(first, 0, total) + of_beat)
        for name in _MARKS:
            of_beat = register(Cat(getattr(entry, name) for entry in self.entries).any(), f"{name}_lanes")
            of_beat = register.after(of_beat, wait, f"{name}_beat")
            mark = getattr(summary, name)
            with m.If(beat):
                m.d.sync += mark.eq((mark & ~first) | of_beat)

        hits = [entry.valid & chosen for entry, chosen in zip(self.entries, self.chosen, strict=True)]
        hit_z = Signal(Z_BITS)
        for hit, entry in zip(hits, self.entries, strict=True):
            with m.If(hit):
                m.d.comb += hit_z.eq(entry.z)
        hit = register.after(register(Cat(hits).any(), "hit"), wait, "hit")
        z = register.after(register(hit_z, "hit_z"), wait, "hit_z")
        with m.If(beat):
            with m.If(hit):
                m.d.sync += [summary.has_choice.eq(1), summary.z_chosen.eq(z.as_signed())]
            with m.Elif(first):
                m.d.sync += summary.has_choice.eq(0)
        m.d.sync += self.done.eq(beat & last)
        # These come from a register of their own.
        largest = extremes.largest
        m.d.comb += [summary.argmax.eq(largest.position), summary.z1.eq(largest.z1), summary.z2.eq(largest.z2)]
        return m
