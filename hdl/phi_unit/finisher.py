"""Finisher: the bins of a token become its answer."""

from __future__ import annotations

from typing import final

from amaranth.hdl import Cat, Const, Module, Mux, Signal, signed
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ebmhw.contract.phi_formats import BINS, FRACTION_BITS, INVERSE_FRACTION_BITS, MANTISSA_BIT, SQUARE_SHIFT, Z_FRACTION_BITS
from ebmhw.contract.phi_unit import RESULT_BYTES
from hdl.common.framer import stream_layout
from hdl.common.pipeline import Registers
from hdl.phi_unit.answer import AnswerWriter
from hdl.phi_unit.config import PhiConfig
from hdl.phi_unit.layouts import K_BITS, bin_layout, summary_layout, token_layout
from hdl.phi_unit.logarithm import M_BITS, Logarithm
from hdl.phi_unit.moments import Moments
from hdl.phi_unit.quotient import DIVISOR_BITS, Quotient

_STEP = 4
"""Places that a number is shifted by at once while it is normalised; then one at a time."""

_ENTROPY_BITS = 32
"""Width of H in a record; no H needs more than 25."""


@final
class Finisher(wiring.Component):
    """Takes one token at a time; the next one's entries are added meanwhile.

    Parameters
    ----------
    config : widths

    Attributes
    ----------
    token, summary : of the token whose entries are all added; both are taken with the last beat of the answer
    walk, kmax : see `BinWalk`
    bins : the bins, all of which are taken
    finished : strobe, a token's answer is out
    results : beats of packets; ``last`` ends a batch
    """

    def __init__(self, config: PhiConfig) -> None:
        self._config = config
        super().__init__(
            {
                "token": In(stream.Signature(token_layout(config))),
                "summary": In(stream.Signature(summary_layout(config))),
                "walk": Out(1),
                "kmax": Out(signed(K_BITS)),
                "bins": In(stream.Signature(bin_layout(config))),
                "finished": Out(1),
                "results": Out(stream.Signature(stream_layout(8 * RESULT_BYTES))),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self._config
        token, summary, bins = self.token.payload, self.summary.payload, self.bins
        m.submodules.moments = moments = Moments(config)
        m.submodules.logarithm = logarithm = Logarithm()
        m.submodules.quotient = quotient = Quotient()
        m.submodules.writer = writer = AnswerWriter(config)
        wiring.connect(m, writer.results, wiring.flipped(self.results))
        m.d.comb += [
            self.kmax.eq(summary.z1[-K_BITS - 1 : -1].as_signed()),
            writer.token.eq(token),
            writer.summary.eq(summary),
            writer.bins.payload.eq(bins.payload),
            moments.bins.payload.eq(bins.payload),
        ]

        total, moment, whole = Signal(len(moments.total)), Signal(moments.moment.shape()), Signal(range(len(moments.total)))
        left = Signal(range(BINS + 1))
        answered = Signal()
        steps = Signal(5)
        with m.FSM():
            with m.State("idle"):
                m.d.sync += [left.eq(BINS), answered.eq(0)]
                with m.If(self.token.valid & self.summary.valid):
                    m.d.comb += [self.walk.eq(1), moments.start.eq(1)]
                    m.next = "add"
                    with m.If(token.partial & (token.error == 0)):
                        m.d.comb += writer.start.eq(1)
                        m.next = "send"
            # Whatever becomes of the token, its bins are walked, which empties them.
            with m.State("add"):
                m.d.comb += [bins.ready.eq(1), moments.bins.valid.eq(bins.valid)]
                m.d.sync += [total.eq(moments.total), moment.eq(moments.moment), whole.eq(0)]
                with m.If(moments.done):
                    m.next = "normalise"
                    with m.If((token.error != 0) | (summary.valid == 0)):
                        m.next = "answer"
            with m.State("normalise"):
                with m.If(total[MANTISSA_BIT + _STEP :].any()):
                    m.d.sync += [total.eq(total >> _STEP), moment.eq(moment >> _STEP), whole.eq(whole + _STEP)]
                with m.Elif(total[MANTISSA_BIT + 1 :].any()):
                    m.d.sync += [total.eq(total >> 1), moment.eq(moment >> 1), whole.eq(whole + 1)]
                with m.Else():
                    m.d.comb += [logarithm.start.eq(1), quotient.start.eq(1)]
                    m.next = "divide"
            with m.State("divide"):
                m.d.sync += steps.eq(1)
                with m.If(logarithm.done & quotient.done):
                    m.next = "multiply"
            with m.State("multiply"):
                m.d.sync += steps.eq(steps << 1)
                with m.If(steps[-1]):
                    m.next = "answer"
            with m.State("answer"):
                m.d.comb += writer.start.eq(~answered)
                m.d.sync += answered.eq(1)
                with m.If(writer.done):
                    m.d.comb += self.finished.eq(1)
                    m.next = "idle"
            with m.State("send"):
                m.d.comb += [bins.ready.eq(writer.bins.ready), writer.bins.valid.eq(bins.valid)]
                with m.If(writer.done):
                    m.d.comb += self.finished.eq(1)
                    m.next = "idle"
        m.d.comb += [
            self.token.ready.eq(self.finished),
            self.summary.ready.eq(self.finished),
            logarithm.m.eq(total[MANTISSA_BIT - SQUARE_SHIFT :][:M_BITS]),
            quotient.total.eq(total[:DIVISOR_BITS]),
            quotient.moment.eq(moment),
        ]
        self._numbers(m, writer, logarithm, quotient, whole)
        return m

    def _numbers(self, m: Module, writer: AnswerWriter, logarithm: Logarithm, quotient: Quotient, whole: Signal) -> None:
        """Compute H, phi, log2 Z and the chosen entry's log-probability in the five cycles of state ``multiply``."""
        register = Registers(m)
        token, summary, numbers = self.token.payload, self.summary.payload, writer.numbers
        log2_s = Cat(logarithm.fraction, whole)
        one = 1 << FRACTION_BITS

        # What `Quotient` adds to keep itself positive goes out again.
        difference = Signal(signed(_ENTROPY_BITS), reset_less=True)
        m.d.sync += difference.eq(log2_s + (BINS << FRACTION_BITS) - quotient.quotient)
        entropy = register(Mux(difference < 0, 0, difference[: _ENTROPY_BITS - 6]), "entropy", width=_ENTROPY_BITS - 6)
        share = register.after(register(entropy * token.inverse, "product"), 1, "share")
        fall = share >> INVERSE_FRACTION_BITS
        m.d.sync += [numbers.entropy.eq(entropy), numbers.phi.eq(Mux(fall > one, 0, one - fall))]

        log2_z, log2_p = (Signal(signed(K_BITS + FRACTION_BITS + 2), name=name, reset_less=True) for name in ("log2_z", "log2_p"))
        z_shift = FRACTION_BITS - Z_FRACTION_BITS
        m.d.sync += [
            log2_z.eq((self.kmax << FRACTION_BITS) + log2_s),
            log2_p.eq(Cat(Const(0, z_shift), summary.z_chosen).as_signed() - log2_z),
            numbers.log2_z.eq(log2_z),
            numbers.chosen_log2p.eq(Mux(log2_p > 0, 0, log2_p)),
        ]
