"""EntryLane: the bits of a logit become its exponent of two."""

from __future__ import annotations

from typing import Final, final

from amaranth.hdl import Cat, Const, Module, Mux, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ebmhw.contract.phi_formats import EXPONENT_MULTIPLIER, EXPONENT_SHIFT, FORMATS, XF_BITS, XF_FRACTION_BITS
from hdl.common.pipeline import Registers
from hdl.phi_unit.layouts import Z_BITS, entry_layout

_FLOAT16, _BFLOAT16, _FLOAT32 = (FORMATS.index(name) for name in ("float16", "bfloat16", "float32"))
_BIAS: Final = 127
_REBIAS_16: Final = _BIAS - 15
_FRACTION: Final = 23

_TOP: Final = _BIAS + XF_BITS - 1 - XF_FRACTION_BITS
"""Exponent from which on the magnitude of xf reaches 2^(XF_BITS - 1)."""

_TRAILING: Final = 2
"""EXPONENT_MULTIPLIER is a multiple of 4, so that what is left of it fits the narrow operand of a DSP slice."""


@final
class EntryLane(wiring.Component):
    """Converts an entry a cycle; its result appears `LATENCY` cycles later.

    All formats are widened to the sign, exponent and fraction of a float32, in which they are exact. The magnitude 2^15 abs(x) is the fraction, its
    leading 1 in front, shifted right; negative numbers round their halves toward zero, so that xf is floor(x 2^14 + 1/2) for either sign.

    Attributes
    ----------
    bits : the entry, in the lower half for formats of 16 bits
    format : index in FORMATS
    present : there is an entry; without one it is none of valid, masked, excluded
    entry : see `entry_layout`; of what is not valid the key is 0 and z is anything
    """

    LATENCY: Final = 8

    def __init__(self) -> None:
        super().__init__({"bits": In(32), "format": In(2), "present": In(1), "entry": Out(entry_layout())})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        register = Registers(m)
        if EXPONENT_MULTIPLIER % (1 << _TRAILING):
            raise ValueError(f"EXPONENT_MULTIPLIER is {EXPONENT_MULTIPLIER}; the multiplier takes a multiple of {1 << _TRAILING}")

        # Cycle 0: one format for all.
        bits = self.bits
        sign, exponent, fraction, special = Signal(), Signal(8), Signal(_FRACTION), Signal()
        with m.Switch(self.format):
            with m.Case(_FLOAT16):
                m.d.comb += [
                    sign.eq(bits[15]),
                    # A subnormal has no leading 1 and the exponent of the smallest normal number.
                    exponent.eq(Mux(bits[10:15].any(), bits[10:15] + _REBIAS_16, 0)),
                    fraction.eq(Cat(Const(0, _FRACTION - 10), bits[:10])),
                    special.eq(bits[10:15].all()),
                ]
            with m.Case(_BFLOAT16):
                m.d.comb += [sign.eq(bits[15]), exponent.eq(bits[7:15]), fraction.eq(Cat(Const(0, _FRACTION - 7), bits[:7]))]
                m.d.comb += special.eq(bits[7:15].all())
            with m.Default():
                m.d.comb += [sign.eq(bits[31]), exponent.eq(bits[_FRACTION:31]), fraction.eq(bits[:_FRACTION]), special.eq(exponent.all())]
        least = Mux(self.format == _FLOAT16, 1 + _REBIAS_16, 1)
        normal, some = exponent.any(), fraction.any()
        infinite = special & ~some
        valid = register(self.present & ~special, "valid")
        masked = register(self.present & infinite & sign, "masked")
        excluded = register(self.present & special & (some | ~sign), "excluded")
        negative = register(sign, "negative")
        leading = register(normal, "leading")
        scale = register(Mux(normal, exponent, least), "scale", width=8)
        fraction_1 = register(fraction, "fraction")

        # Cycle 1: how far to shift. The key orders numbers: larger magnitudes are larger, smaller where negative; both zeros are one.
        # Those of subnormal float16 are smaller than of any float32 that they equal, which no other format meets in one row.
        mantissa = Cat(fraction_1, leading)
        magnitude = Cat(fraction_1, Mux(leading, scale, 0))
        nothing = ~(leading | fraction_1.any())
        backwards = negative & ~nothing
        key = register(Mux(valid, Cat(magnitude ^ backwards.replicate(31), ~backwards, Const(1, 1)), 0), "key", width=33)
        huge = register(scale >= _TOP, "huge")
        exact = register((scale == _TOP) & ~fraction_1.any(), "exact")
        distance = Const(_TOP - 1, 8) - scale
        # Within 0 .. 31 unless the number is huge or next to nothing.
        far = register((scale < _TOP) & (distance[:8] >= 32), "far")
        shift = register(distance[:5], "shift")
        wide = register(Cat(Const(0, XF_BITS - 24), mantissa), "wide", width=XF_BITS)

        # Cycle 2 and 3: shifted right; whether anything was lost.
        fine = register(wide >> shift[:3], "fine", width=XF_BITS)
        lost_fine = register((wide & ((Const(1, 8) << shift[:3]) - 1)[:7]).any(), "lost_fine")
        far, coarse_shift = register(far, "far_1"), register(shift[3:], "coarse_shift")
        coarse, lost = Signal(XF_BITS), Signal()
        with m.Switch(coarse_shift):
            for eighths in range(4):
                with m.Case(eighths):
                    m.d.comb += [coarse.eq(fine >> (8 * eighths)), lost.eq(fine[: 8 * eighths].any())]
        whole = register(Mux(far, 0, coarse), "whole", width=XF_BITS)
        sticky = register(lost_fine | Mux(far, fine.any(), lost), "sticky")

        # Cycle 4: the magnitude of xf. 5: xf.
        negative_4 = register.after(negative, 3, "negative")
        huge_4, exact_4 = register.after(huge, 2, "huge"), register.after(exact, 2, "exact")
        rounded = register((whole + Mux(negative_4, sticky, 1)) >> 1, "rounded", width=XF_BITS - 1)
        negative_5, huge_5 = register(negative_4, "negative_5"), register(huge_4, "huge_5")
        inexact_5 = register(~exact_4, "inexact_5")
        limit = Cat((~negative_5).replicate(XF_BITS - 1), negative_5)
        inverted = Cat(rounded, Const(0, 1)) ^ negative_5.replicate(XF_BITS)
        xf = register(Mux(huge_5, limit, (inverted + negative_5)[:XF_BITS]), "xf", width=XF_BITS)
        clip_hi, clip_lo = register(huge_5 & ~negative_5, "clip_hi"), register(huge_5 & negative_5 & inexact_5, "clip_lo")

        # Cycle 6 and 7: times log2(e), rounded, in one DSP slice.
        multiplier, shift_right = EXPONENT_MULTIPLIER >> _TRAILING, EXPONENT_SHIFT - _TRAILING
        product = Signal(signed(XF_BITS + multiplier.bit_length()), reset_less=True)
        m.d.sync += product.eq(xf.as_signed() * Const(multiplier, signed(multiplier.bit_length() + 1)))
        z = Signal(signed(Z_BITS), reset_less=True)
        m.d.comb += z.eq((product + (1 << (shift_right - 1))) >> shift_right)

        entry = self.entry
        valid_7 = register.after(valid, self.LATENCY - 2, "valid")
        m.d.sync += [
            entry.valid.eq(valid_7),
            entry.masked.eq(register.after(masked, self.LATENCY - 2, "masked")),
            entry.excluded.eq(register.after(excluded, self.LATENCY - 2, "excluded")),
            entry.clip_hi.eq(register(clip_hi, "clip_hi_1") & valid_7),
            entry.clip_lo.eq(register(clip_lo, "clip_lo_1") & valid_7),
            entry.key.eq(register.after(key, self.LATENCY - 3, "key")),
            entry.z.eq(z),
        ]
        return m
