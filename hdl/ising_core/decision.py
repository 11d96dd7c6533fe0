"""Decision: from a row's field and a draw, whether the less likely outcome happens (the contract's ``weak``)."""

from __future__ import annotations

from typing import Final, final

from amaranth.hdl import Cat, Const, Module, Mux, Value, signed
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from ebmhw.contract import tables
from ebmhw.contract.formats import BETA_BITS, BIAS_BITS, DRAW_BITS, ODDS_CUTOFF, ODDS_FRACTION_BITS, ODDS_SHIFT
from hdl.common.pipeline import Registers

FIELD_BITS: Final = BIAS_BITS
"""Width of a signed field: the limit of a field is that of a bias."""

_TABLE_BITS: Final = tables.TABLE_FRACTION_BITS + 1
_FACTOR_BITS: Final = DRAW_BITS + 2
_HALF: Final = _FACTOR_BITS // 2
_SHIFT: Final = tables.TABLE_FRACTION_BITS


@final
class Decision(wiring.Component):
    """One lane's decisions, a field a cycle.

    ``weak`` appears `WEAK_AT` cycles after ``field``; ``beta`` is taken `BETA_AT` cycles after it, ``draw`` and ``metropolis`` `DRAW_AT`. Inputs
    that lanes share are delayed once, outside.

    The four products are 17 x 26, 17 x 17 and twice 17 x 17 bits, each with registered operands, product and sum: one DSP slice each.

    Attributes
    ----------
    field : h, -(2^17 - 1) .. 2^17 - 1
    beta : temperature word
    draw : u
    metropolis : the rule
    weak : see the contract's "Decision of a row"
    """

    BETA_AT = 1
    DRAW_AT = 6
    WEAK_AT = 12

    def __init__(self) -> None:
        super().__init__({"field": In(signed(FIELD_BITS)), "beta": In(BETA_BITS), "draw": In(DRAW_BITS), "metropolis": In(1), "weak": Out(1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        register = Registers(m)

        # Cycle 0: |h|. 1: |h| B. 2: y.
        sign = self.field[-1]
        magnitude = register(((self.field[:-1] ^ sign.replicate(FIELD_BITS - 1)) + sign)[: FIELD_BITS - 1], "magnitude")
        scaled = register(magnitude * self.beta, "scaled")
        odds = register((scaled + (1 << (ODDS_SHIFT - 1))) >> ODDS_SHIFT, "odds")

        # Cycle 3: the two tables.
        fraction, exponent = odds[:ODDS_FRACTION_BITS], odds[ODDS_FRACTION_BITS:]
        low_bits = tables.TABLE_INDEX_BITS
        high = register(_table(m, "table_high", tables.HI, fraction[low_bits:]), "high")
        low = register(_table(m, "table_low", tables.LO, fraction[:low_bits]), "low")
        # From here on y is e (0..32) or, past the cut-off, "never".
        shift = register(exponent[: ODDS_CUTOFF.bit_length()], "shift")
        never = register(exponent >= ODDS_CUTOFF, "never")

        # Cycle 4: HI LO. 5: M.
        product = register(high * low, "product")
        mantissa = register((product + (1 << (_SHIFT - 1))) >> _SHIFT, "mantissa", width=_TABLE_BITS)

        # Cycle 6: 2^33 - v is the inverted draw with a 1 below; metropolis takes 2^33. Its halves times M. 7: aligned. 8: the whole.
        factor = Mux(self.metropolis, 1 << (_FACTOR_BITS - 1), Cat(Const(1, 1), ~self.draw))
        factor_low, factor_high = factor[:_HALF], factor[_HALF:]
        low_part = register(mantissa * factor_low, "low_part")
        high_part = register(mantissa * factor_high, "high_part")
        low_sum = register(low_part, "low_sum")
        high_sum = register(high_part, "high_sum")
        whole = register(low_sum + (high_sum << _HALF), "whole", width=_FACTOR_BITS + _TABLE_BITS - 1)

        # Cycle 9 and 10: >> e. 11: against v 2^16, whose low bits are 0.
        shift = register.after(shift, 5, "shift")
        never = register.after(never, 7, "never")
        draw = register.after(self.draw, 5, "draw")
        fine = register(whole >> shift[:4], "fine", width=len(whole))
        coarse = register(fine >> (register(shift[4:], "shift_coarse") << 4), "coarse", width=len(whole))
        # One comparison: whether any of the low bits is set stands for all of them.
        threshold = Cat(coarse[:_SHIFT].any(), coarse[_SHIFT:])
        m.d.sync += self.weak.eq(~never & (threshold > Cat(Const(0, 1), Const(1, 1), draw)))
        return m


def _table(m: Module, name: str, entries: tuple[int, ...], index: Value) -> Value:
    """Return an entry of a constant table of 64: one LUT6 a bit."""
    memory = Memory(shape=max(entries).bit_length(), depth=len(entries), init=entries)
    m.submodules[name] = memory
    read = memory.read_port(domain="comb")
    m.d.comb += read.addr.eq(index)
    return read.data
