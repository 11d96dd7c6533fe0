// The sums of one lane: a ring of bins, each with the turn of the ring that it is of.
//
// Bin k lies at k mod BINS. Of two k in one place the larger one keeps it: the other is BINS or more below, out of any window that can come of it.
// Whether a place holds anything is a bit beside the memory, so that a row begins without clearing it.
#ifndef PHI_BINS_HPP
#define PHI_BINS_HPP

#include "widths.hpp"

struct Bin {
  ap_int<TURN_BITS> turn;
  ap_uint<LANE_SUM_BITS> s;
  ap_uint<LANE_SUM_BITS> t;
};

typedef ap_uint<BINS> Held;

// Beats between reading a bin and writing it back: a cycle for the memory, one for the multiplexer and one for the sum. What was written within
// them is taken from registers. A beat whose entry does not count repeats the update before it, which changes nothing: updates stay in their order.
const int DELAY = 3;

struct Written {
  ap_uint<INDEX_BITS> index;
  Bin bin;
};

static ap_uint<INDEX_BITS> index_of(Bucket k) {
#pragma HLS INLINE
  return k.range(INDEX_BITS - 1, 0);
}

static ap_int<TURN_BITS> turn_of(Bucket k) {
#pragma HLS INLINE
  return k >> INDEX_BITS;
}

// Writes what was updated DELAY beats ago, and makes room for another update.
static void write_back(Bin bins[BINS], Written written[DELAY]) {
#pragma HLS INLINE
  bins[written[DELAY - 1].index] = written[DELAY - 1].bin;
  for (int age = DELAY - 1; age > 0; --age) {
#pragma HLS UNROLL
    written[age] = written[age - 1];
  }
}

// One beat of a lane: adds an entry if it counts.
static void add_entry(Bin bins[BINS], Written written[DELAY], Held& held, bool counts, Bucket k, ap_uint<WEIGHT_BITS> weight,
                      ap_uint<WEIGHT_BITS> moment) {
#pragma HLS INLINE
  const ap_uint<INDEX_BITS> index = index_of(k);
  const ap_int<TURN_BITS> turn = turn_of(k);
  Bin old = bins[index];
  for (int age = DELAY - 1; age >= 0; --age) {
#pragma HLS UNROLL
    if (written[age].index == index) old = written[age].bin;
  }
  const bool begins = !held[index] || turn > old.turn;
  const bool adds = !begins && turn == old.turn;
  Bin updated = old;
  if (begins) {
    updated.turn = turn;
    updated.s = weight;
    updated.t = moment;
  } else if (adds) {
    updated.s = old.s + weight;
    updated.t = old.t + moment;
  }
  write_back(bins, written);
  if (counts) {
    held[index] = 1;
    written[0].index = index;
    written[0].bin = updated;
  }
}

#endif  // PHI_BINS_HPP
