// Widths of everything in the unit, from the constants of the contract.
#ifndef PHI_WIDTHS_HPP
#define PHI_WIDTHS_HPP

#include "phi_unit.hpp"

constexpr int bits_of(unsigned long long value) {
  int bits = 0;
  for (; value != 0; value >>= 1) ++bits;
  return bits;
}

const int WORD_BITS = 8 * EBMHW_PHI_JOBS_PKT_WORD_BYTES;
const int JOB_WORDS = JOB_BITS / WORD_BITS;
const int RESULT_WORDS = RESULT_BITS / WORD_BITS;

const int LANES = JOB_BITS / 16;
const int WIDE_LANES = JOB_BITS / 32;
const int LANE_BITS = bits_of(LANES - 1);

// Numbers up to PHI_ENTRIES_MAX: counts, positions.
const int COUNT_BITS = bits_of(PHI_ENTRIES_MAX);

const int XF_BITS = EBMHW_PHI_FORMATS_XF_BITS;
const int Z_FRACTION_BITS = EBMHW_PHI_FORMATS_Z_FRACTION_BITS;
const int Z_BITS = XF_BITS + bits_of(EBMHW_PHI_FORMATS_EXPONENT_MULTIPLIER) - EBMHW_PHI_FORMATS_EXPONENT_SHIFT;

// k of an entry: its bin's place in the ring of bins, and above it the turn of the ring.
const int BINS = EBMHW_PHI_FORMATS_BINS;
const int K_BITS = Z_BITS - Z_FRACTION_BITS;
const int INDEX_BITS = bits_of(BINS - 1);
const int TURN_BITS = K_BITS - INDEX_BITS;

// A weight is below 2^WEIGHT_BITS. Rows of 32 bits use WIDE_LANES lanes, so a lane gets that share of the entries at the most.
const int WEIGHT_BITS = EBMHW_PHI_FORMATS_WEIGHT_FRACTION_BITS + 1;
const int LANE_SUM_BITS = bits_of((PHI_ENTRIES_MAX + WIDE_LANES - 1) / WIDE_LANES - 1) + WEIGHT_BITS;
const int SUM_BITS = bits_of(PHI_ENTRIES_MAX - 1) + WEIGHT_BITS;

const int FRACTION_BITS = EBMHW_PHI_FORMATS_FRACTION_BITS;
const int INVERSE_FRACTION_BITS = EBMHW_PHI_FORMATS_INVERSE_FRACTION_BITS;
const int INVERSE_BITS = INVERSE_FRACTION_BITS + 1;

static_assert(PHI_ENTRIES_MAX >= 2 * LANES && PHI_ENTRIES_MAX <= EBMHW_PHI_FORMATS_ENTRIES_LIMIT, "PHI_ENTRIES_MAX is out of the contract's range");
static_assert(BINS == 1 << INDEX_BITS, "the ring of bins is indexed by the low bits of k");
static_assert(SUM_BITS + INDEX_BITS + EBMHW_PHI_FORMATS_BIN_SHIFT < 64, "sums are answered in 64 bits, signed");

typedef ap_uint<COUNT_BITS> Count;
typedef ap_int<Z_BITS> Exponent;
typedef ap_int<K_BITS> Bucket;

#endif  // PHI_WIDTHS_HPP
