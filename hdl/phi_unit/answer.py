"""AnswerWriter: what the unit answers, as packets."""

from __future__ import annotations

from typing import Final, final

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ebmhw.contract.packets import PacketLayout
from ebmhw.contract.phi_formats import BINS, FLAGS, FRACTION_BITS, NO_POSITION, NO_Z
from ebmhw.contract.phi_unit import RESULT_BYTES, RESULTS
from hdl.common.framer import stream_layout
from hdl.common.packets import head_beats
from hdl.phi_unit import layouts
from hdl.phi_unit.config import PhiConfig
from hdl.phi_unit.layouts import K_BITS, Z_BITS, bin_layout, summary_layout, token_layout

_BEAT: Final = 8 * RESULT_BYTES


def numbers_layout() -> data.StructLayout:
    """What is computed from the bins of a token."""
    return data.StructLayout(
        {"log2_z": signed(64), "chosen_log2p": signed(64), "entropy": 32, "phi": FRACTION_BITS + 1},
    )


@final
class AnswerWriter(wiring.Component):
    """Writes a ``record``, a ``partial`` or an ``error``.

    Parameters
    ----------
    config : widths

    Attributes
    ----------
    start : begins an answer; everything below stays as it is until ``done``
    token, summary, numbers : what to write; numbers are ignored where the token is partial or empty
    bins : of a partial token, 64 are taken
    done : strobe with the last beat of the answer
    results : beats of packets; ``last`` ends a batch
    """

    def __init__(self, config: PhiConfig) -> None:
        self._config = config
        super().__init__(
            {
                "start": In(1),
                "token": In(token_layout(config)),
                "summary": In(summary_layout(config)),
                "numbers": In(numbers_layout()),
                "bins": In(stream.Signature(bin_layout(config))),
                "done": Out(1),
                "results": Out(stream.Signature(stream_layout(_BEAT))),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        token, results, bins = self.token, self.results, self.bins.payload
        fields = self._fields(m)
        partial = RESULTS.layout("partial")
        sums_at = partial.bit_offset("sums") // _BEAT
        error = {"job_id": token.job_id, "error": token.error, "beat": token.beat, "zero": 0}
        # Of an empty row z1 is `NO_Z`, whose k is 0.
        kmax = _padded(m, "kmax", self.summary.z1[-K_BITS - 1 : -1].as_signed(), 32)
        heads = {
            "error": head_beats(RESULTS.layout("error"), error),
            "record": head_beats(RESULTS.layout("record"), fields),
            "partial": head_beats(partial, {**fields, "kmax": kmax, "zero": 0, "sums": Const(0, 1)})[:sums_at],
        }
        _whole_beats(partial)

        goes = results.valid & results.ready
        at = Signal(range(max(map(len, heads.values()))))
        left, second = Signal(range(BINS)), Signal()
        with m.FSM():
            with m.State("idle"):
                m.d.sync += [at.eq(0), left.eq(BINS - 1), second.eq(0)]
                with m.If(self.start):
                    m.next = "record"
                    with m.If(token.partial):
                        m.next = "partial"
                    with m.If(token.error != 0):
                        m.next = "error"
            for name, beats in heads.items():
                with m.State(name):
                    final_beat = at == len(beats) - 1
                    m.d.comb += results.valid.eq(1)
                    with m.Switch(at):
                        for index, beat in enumerate(beats):
                            with m.Case(index):
                                m.d.comb += results.payload.data.eq(beat)
                    if name != "partial":
                        m.d.comb += results.payload.last.eq(final_beat & token.ends_batch)
                    with m.If(goes):
                        m.d.sync += at.eq(at + 1)
                        with m.If(final_beat):
                            m.next = "sums" if name == "partial" else "idle"
                            if name != "partial":
                                m.d.comb += self.done.eq(1)
            with m.State("sums"):
                final_beat = second & (left == 0)
                m.d.comb += [
                    results.valid.eq(self.bins.valid),
                    results.payload.data.eq(Mux(second, bins.t, bins.s)),
                    results.payload.last.eq(final_beat & token.ends_batch),
                    self.bins.ready.eq(results.ready & second),
                ]
                with m.If(goes):
                    m.d.sync += [second.eq(~second), left.eq(left - second)]
                    with m.If(final_beat):
                        m.d.comb += self.done.eq(1)
                        m.next = "idle"
        return m

    def _fields(self, m: Module) -> dict[str, Value | int]:
        """Return the fields of a record."""
        token, summary, numbers = self.token, self.summary, self.numbers
        empty = Signal()
        m.d.comb += empty.eq(summary.valid == 0)
        counted = ~(empty | token.partial)
        flags = {
            "excluded": summary.excluded != 0,
            "clip_hi": summary.clip_hi,
            "clip_lo": summary.clip_lo,
            "empty": empty,
            "no_choice": ~summary.has_choice,
            "partial": token.partial,
        }
        z2 = Mux(summary.z2 == layouts.NO_Z, NO_Z, summary.z2)
        return {
            "job_id": token.job_id,
            "flags": Cat(flags[name] for name in FLAGS),
            "valid": summary.valid,
            "masked": summary.masked,
            "excluded": summary.excluded,
            "argmax": Mux(empty, NO_POSITION, summary.argmax),
            "z1": _padded(m, "z1", Mux(empty, 0, summary.z1), 32),
            "z2": _padded(m, "z2", Mux(empty, 0, z2), 32),
            "log2_z": Mux(counted, numbers.log2_z.as_unsigned(), 0),
            "chosen_log2p": Mux(counted & summary.has_choice, numbers.chosen_log2p.as_unsigned(), 0),
            "entropy": Mux(counted, numbers.entropy, 0),
            "phi": Mux(counted, numbers.phi, 0),
            "chosen": Mux(summary.has_choice, token.chosen, NO_POSITION),
            "z_chosen": _padded(m, "z_chosen", Mux(summary.has_choice, summary.z_chosen, Const(0, signed(Z_BITS))), 32),
        }


def _padded(m: Module, name: str, value: Value, bits: int) -> Signal:
    """Return a signed value in so many bits."""
    padded = Signal(signed(bits), name=name)
    m.d.comb += padded.eq(value)
    return padded


def _whole_beats(layout: PacketLayout) -> None:
    if layout.bit_offset("sums") % _BEAT or layout.fields[-1].name != "sums" or layout.fields[-1].bits != 2 * _BEAT * BINS:
        raise ValueError(f"the sums of packet '{layout.name}' are not two beats a bin at its end; teach the writer its layout")
