// The largest entry of some, and the largest z of the others.
#ifndef PHI_EXTREMES_HPP
#define PHI_EXTREMES_HPP

#include "widths.hpp"

struct Extremes {
  bool any;     // there is a valid entry
  bool second;  // there is another one
  ap_int<32> key;
  Count place;  // of the largest, in the row
  Exponent z1;
  Exponent z2;
};

// Both together; the places of ``first`` are the lower ones, so it wins a tie.
static Extremes larger_of(const Extremes& first, const Extremes& other) {
#pragma HLS INLINE
  const bool other_wins = other.any && (!first.any || other.key > first.key);
  const Extremes winner = other_wins ? other : first;
  const Extremes loser = other_wins ? first : other;
  // The loser's largest is at least its second.
  const bool loser_counts = loser.any && (!winner.second || loser.z1 > winner.z2);
  Extremes both = winner;
  both.second = winner.second || loser.any;
  both.z2 = loser_counts ? loser.z1 : winner.z2;
  return both;
}

#endif  // PHI_EXTREMES_HPP
