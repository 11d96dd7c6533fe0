// An entry of a row: from the bits of its format to what it weighs. There is no floating-point arithmetic here.
#ifndef PHI_ENTRY_HPP
#define PHI_ENTRY_HPP

#include "widths.hpp"

// Bits of binary32, in which all formats are looked at; binary16 keeps its own exponent.
const int FRACTION_32 = 23;
const int FRACTION_16 = 10;
const int BIAS_32 = 127;
const int BIAS_16 = 15;

struct Entry {
  bool valid;
  bool masked;
  bool excluded;
  bool clip_hi;
  bool clip_lo;
  ap_int<32> key;  // orders the inputs of a row as numbers, both zeros alike
  Exponent z;
};

// bits: of the entry, those of 16-bit formats in the lower half
static Entry entry_of(ap_uint<32> bits, ap_uint<2> format) {
#pragma HLS INLINE
  const bool half = format == EBMHW_PHI_FORMATS_FORMATS_FLOAT16;
  const ap_uint<32> wide = format == EBMHW_PHI_FORMATS_FORMATS_BFLOAT16 ? ap_uint<32>(bits << 16) : bits;
  const bool negative = half ? bool(bits[15]) : bool(wide[31]);
  const ap_uint<31> magnitude = half ? ap_uint<31>(bits.range(14, 0)) : ap_uint<31>(wide.range(30, 0));
  const ap_uint<8> exponent = half ? ap_uint<8>(magnitude.range(14, FRACTION_16)) : ap_uint<8>(magnitude.range(30, FRACTION_32));
  const ap_uint<FRACTION_32> fraction =
      half ? ap_uint<FRACTION_32>(ap_uint<FRACTION_32>(magnitude.range(FRACTION_16 - 1, 0)) << (FRACTION_32 - FRACTION_16))
           : ap_uint<FRACTION_32>(magnitude.range(FRACTION_32 - 1, 0));
  const bool special = exponent == (half ? 31 : 255);

  Entry entry;
  entry.masked = special && fraction == 0 && negative;
  entry.excluded = special && !entry.masked;
  entry.valid = !special;
  const ap_int<32> signed_magnitude = magnitude;
  entry.key = negative ? ap_int<32>(-signed_magnitude) : signed_magnitude;

  // |x| 2^(XF_FRACTION_BITS + 1) is the mantissa shifted left by ``shift``; from 4 on everything is clipped, and beyond -24 only the sign is left.
  const int HEADROOM = 4;
  const int WIDTH = FRACTION_32 + 1 + HEADROOM;
  const ap_int<10> zero_shift_32 = BIAS_32 + FRACTION_32 - (EBMHW_PHI_FORMATS_XF_FRACTION_BITS + 1);
  const ap_int<10> zero_shift_16 = BIAS_16 + FRACTION_32 - (EBMHW_PHI_FORMATS_XF_FRACTION_BITS + 1);
  const ap_uint<8> scale = exponent == 0 ? ap_uint<8>(1) : exponent;
  const ap_int<10> shift = ap_int<10>(scale) - (half ? zero_shift_16 : zero_shift_32);
  const ap_uint<5> right = shift >= HEADROOM ? 0 : shift < HEADROOM - WIDTH ? WIDTH : int(HEADROOM - shift);
  const ap_uint<1> hidden = exponent != 0;
  const ap_uint<WIDTH> mantissa = ap_uint<WIDTH>((hidden, fraction)) << HEADROOM;
  const ap_uint<WIDTH> whole = mantissa >> right;
  const bool rest = (ap_uint<WIDTH>(whole << right)) != mantissa;
  // floor(x 2^(XF_FRACTION_BITS + 1)): toward minus infinity.
  const ap_int<WIDTH + 2> floored = negative ? ap_int<WIDTH + 2>(-ap_int<WIDTH + 2>(whole) - (rest ? 1 : 0)) : ap_int<WIDTH + 2>(whole);
  const ap_int<WIDTH + 2> rounded = (floored + 1) >> 1;

  const ap_int<WIDTH + 2> limit = 1 << (XF_BITS - 1);
  entry.clip_hi = entry.valid && rounded >= limit;
  entry.clip_lo = entry.valid && rounded < -limit;
  const ap_int<XF_BITS> xf = rounded >= limit ? ap_int<XF_BITS>(limit - 1) : rounded < -limit ? ap_int<XF_BITS>(-limit) : ap_int<XF_BITS>(rounded);
  const ap_int<bits_of(EBMHW_PHI_FORMATS_EXPONENT_MULTIPLIER) + 1> multiplier = EBMHW_PHI_FORMATS_EXPONENT_MULTIPLIER;
  entry.z = (xf * multiplier + (1 << (EBMHW_PHI_FORMATS_EXPONENT_SHIFT - 1))) >> EBMHW_PHI_FORMATS_EXPONENT_SHIFT;
  return entry;
}

#endif  // PHI_ENTRY_HPP
