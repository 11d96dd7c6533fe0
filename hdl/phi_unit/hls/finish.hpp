// Makes the answer to a job packet from what its row came to.
#ifndef PHI_FINISH_HPP
#define PHI_FINISH_HPP

#include "token.hpp"

#define PHI_RECORD(NAME) EBMHW_PHI_RESULTS_PKT_RECORD_##NAME
#define PHI_PARTIAL(NAME) EBMHW_PHI_RESULTS_PKT_PARTIAL_##NAME
#define PHI_REFUSAL(NAME) EBMHW_PHI_RESULTS_PKT_ERROR_##NAME
#define PHI_FLAG(NAME) EBMHW_PHI_FORMATS_FLAGS_##NAME

// Words of a partial's packet before its sums; no other packet has as many.
const int HEAD_WORDS = PHI_PARTIAL(SUMS_WORD);
static_assert(PHI_RECORD(FIXED_WORDS) <= HEAD_WORDS && PHI_REFUSAL(FIXED_WORDS) <= HEAD_WORDS, "HEAD_WORDS hold every packet's beginning");
static_assert(PHI_RECORD(FIXED_WORDS) % RESULT_WORDS == 0 && PHI_REFUSAL(FIXED_WORDS) % RESULT_WORDS == 0, "packets are whole beats");
static_assert(HEAD_WORDS % RESULT_WORDS == 0 && PHI_PARTIAL(SUMS_BITS) == BINS * 2 * RESULT_BITS, "each sum is a beat");
static_assert(PHI_PARTIAL(JOB_ID_WORD) == PHI_RECORD(JOB_ID_WORD), "a partial begins with the words of a record");
static_assert(PHI_PARTIAL(Z_CHOSEN_WORD) == PHI_RECORD(Z_CHOSEN_WORD), "a partial begins with the words of a record");

typedef ap_uint<SUM_BITS> Sum;

// Sums over all bins, and bits after which their binary point stands.
const int TOTAL_BITS = SUM_BITS + EBMHW_PHI_FORMATS_BIN_SHIFT;
const int MOMENT_BITS = TOTAL_BITS + INDEX_BITS + 1;
const int MANTISSA_BIT = EBMHW_PHI_FORMATS_MANTISSA_BIT;
const int MANTISSA_BITS = MANTISSA_BIT + 1;

// Writes a number at its place in the first words of a packet.
static void put(ap_uint<32> words[HEAD_WORDS], int word, int shift, ap_uint<32> value) {
#pragma HLS INLINE
  words[word] = words[word] | value << shift;
}

static void put_long(ap_uint<32> words[HEAD_WORDS], int word, ap_int<64> value) {
#pragma HLS INLINE
  words[word] = value.range(31, 0);
  words[word + 1] = value.range(63, 32);
}

#define PHI_PUT(LAYOUT, NAME, VALUE) put(words, LAYOUT(NAME##_WORD), LAYOUT(NAME##_SHIFT), VALUE)

static void put_header(ap_uint<32> words[HEAD_WORDS], ap_uint<8> code, ap_uint<8> version, ap_uint<32> length) {
#pragma HLS INLINE
  PHI_PUT(PHI_RECORD, MAGIC, EBMHW_PHI_RESULTS_PKT_MAGIC);
  PHI_PUT(PHI_RECORD, CODE, code);
  PHI_PUT(PHI_RECORD, VERSION, version);
  PHI_PUT(PHI_RECORD, LENGTH, length);
}

// log2 of a number whose highest bit is MANTISSA_BIT, less MANTISSA_BIT: FRACTION_BITS bits, each from a squaring.
static ap_uint<FRACTION_BITS> log2_fraction(ap_uint<MANTISSA_BITS> total) {
#pragma HLS INLINE off
  const int SHIFT = EBMHW_PHI_FORMATS_SQUARE_SHIFT;
  ap_uint<SHIFT + 1> m = total >> (MANTISSA_BIT - SHIFT);
  ap_uint<FRACTION_BITS> fraction = 0;
  for (int bit = 0; bit < FRACTION_BITS; ++bit) {
    const ap_uint<2 * (SHIFT + 1)> square = m * m;
    const ap_uint<SHIFT + 2> scaled = square >> SHIFT;
    const ap_uint<1> carry = scaled[SHIFT + 1];
    fraction = (ap_uint<FRACTION_BITS - 1>(fraction), carry);
    m = carry ? ap_uint<SHIFT + 1>(scaled >> 1) : ap_uint<SHIFT + 1>(scaled);
  }
  return fraction;
}

// floor(moment 2^FRACTION_BITS / total), by restoring division. BINS totals are added to the moment for the time, which makes it positive, and
// smaller than 2 BINS totals.
static ap_int<FRACTION_BITS + INDEX_BITS + 2> mean_of(ap_uint<MANTISSA_BITS> total, ap_int<MOMENT_BITS> moment) {
#pragma HLS INLINE off
  const ap_uint<MANTISSA_BITS + INDEX_BITS> divisor = ap_uint<MANTISSA_BITS + INDEX_BITS>(total) << INDEX_BITS;
  ap_uint<MANTISSA_BITS + INDEX_BITS + 1> rest = moment + ap_int<MOMENT_BITS>(divisor);
  ap_uint<FRACTION_BITS + INDEX_BITS + 1> quotient = 0;
  for (int bit = 0; bit < FRACTION_BITS + INDEX_BITS + 1; ++bit) {
#pragma HLS PIPELINE II = 1
    const bool fits = rest >= divisor;
    quotient = quotient << 1 | ap_uint<1>(fits);
    rest = (fits ? ap_uint<MANTISSA_BITS + INDEX_BITS + 1>(rest - divisor) : rest) << 1;
  }
  return ap_int<FRACTION_BITS + INDEX_BITS + 2>(quotient) - (BINS << FRACTION_BITS);
}

static void finish(Bin bins[LANES][BINS], hls::stream<Token>& tokens, hls::stream<ResultBeat>& results) {
#pragma HLS INLINE off
  const Token token = tokens.read();
  const bool refused = token.error != PHI_ERROR(NO_ERROR);
  const bool empty = !token.extremes.any;
  const bool whole = !refused && !empty && !token.partial;
  const Bucket kmax = token.extremes.z1 >> Z_FRACTION_BITS;

  Held held[LANES];
#pragma HLS ARRAY_PARTITION variable = held dim = 1 type = complete
  for (int lane = 0; lane < LANES; ++lane) {
#pragma HLS UNROLL
    held[lane] = token.held.range(BINS * lane + BINS - 1, BINS * lane);
  }

  // All lanes' sums of the bins of the window, from kmax down.
  Sum s_of[BINS], t_of[BINS];
  ap_uint<TOTAL_BITS> total = 0;
  ap_int<MOMENT_BITS> moment = 0;
  if (!refused) {
    for (int d = 0; d < BINS; ++d) {
#pragma HLS PIPELINE II = 1
      const ap_int<K_BITS + 1> k = kmax - d;
      const ap_uint<INDEX_BITS> index = index_of(k);
      Sum s = 0, t = 0;
      for (int lane = 0; lane < LANES; ++lane) {
#pragma HLS UNROLL
        const Bin bin = bins[lane][index];
        const bool fits = held[lane][index] && bin.turn == (k >> INDEX_BITS);
        s += fits ? bin.s : ap_uint<LANE_SUM_BITS>(0);
        t += fits ? bin.t : ap_uint<LANE_SUM_BITS>(0);
      }
      s_of[d] = s;
      t_of[d] = t;
      const ap_uint<INDEX_BITS> depth = d;
      const ap_int<SUM_BITS + INDEX_BITS + 1> moved = ap_int<SUM_BITS + 1>(t) - ap_int<SUM_BITS + INDEX_BITS + 1>(depth * s);
      total += ap_uint<TOTAL_BITS>(ap_uint<TOTAL_BITS>(s) << EBMHW_PHI_FORMATS_BIN_SHIFT) >> d;
      moment += ap_int<MOMENT_BITS>(ap_int<MOMENT_BITS>(moved) << EBMHW_PHI_FORMATS_BIN_SHIFT) >> d;
    }
  }

  ap_uint<32> entropy = 0, phi = 0;
  ap_int<64> log2_z = 0, chosen_log2p = 0;
  if (whole) {
    int top = 0;
    for (int bit = 0; bit < TOTAL_BITS; ++bit) {
#pragma HLS UNROLL
      if (total[bit]) top = bit;
    }
    // At least 0: one entry alone makes bit MANTISSA_BIT.
    const ap_uint<bits_of(TOTAL_BITS)> excess = top - MANTISSA_BIT;
    const ap_uint<MANTISSA_BITS> mantissa = total >> excess;
    const ap_int<MOMENT_BITS> scaled = moment >> excess;
    const ap_int<32> log2_s = ap_int<32>(excess) << FRACTION_BITS | ap_int<32>(log2_fraction(mantissa));
    const ap_int<32> surprise = log2_s - mean_of(mantissa, scaled);
    entropy = surprise < 0 ? ap_int<32>(0) : surprise;
    const ap_uint<32> ratio = (entropy * token.inverse) >> INVERSE_FRACTION_BITS;
    const ap_uint<32> one = 1 << FRACTION_BITS;
    phi = ratio > one ? ap_uint<32>(0) : ap_uint<32>(one - ratio);
    log2_z = (ap_int<64>(kmax) << FRACTION_BITS) + log2_s;
    if (token.has_choice) {
      const ap_int<64> log2p = (ap_int<64>(token.z_chosen) << (FRACTION_BITS - Z_FRACTION_BITS)) - log2_z;
      chosen_log2p = log2p > 0 ? ap_int<64>(0) : log2p;
    }
  }

  ap_uint<32> words[HEAD_WORDS];
#pragma HLS ARRAY_PARTITION variable = words dim = 1 type = complete
  for (int word = 0; word < HEAD_WORDS; ++word) {
#pragma HLS UNROLL
    words[word] = 0;
  }
  int head_beats = PHI_RECORD(FIXED_WORDS) / RESULT_WORDS;
  if (refused) {
    head_beats = PHI_REFUSAL(FIXED_WORDS) / RESULT_WORDS;
    put_header(words, PHI_REFUSAL(CODE), PHI_REFUSAL(VERSION), PHI_REFUSAL(FIXED_WORDS));
    PHI_PUT(PHI_REFUSAL, JOB_ID, token.job_id);
    PHI_PUT(PHI_REFUSAL, ERROR, token.error);
    PHI_PUT(PHI_REFUSAL, BEAT, token.error_beat);
  } else {
    ap_uint<32> flags = 0;
    flags[PHI_FLAG(EXCLUDED)] = token.excluded != 0;
    flags[PHI_FLAG(CLIP_HI)] = token.clip_hi;
    flags[PHI_FLAG(CLIP_LO)] = token.clip_lo;
    flags[PHI_FLAG(EMPTY)] = empty;
    flags[PHI_FLAG(NO_CHOICE)] = !token.has_choice;
    flags[PHI_FLAG(PARTIAL)] = token.partial;
    const ap_uint<32> none = EBMHW_PHI_FORMATS_NO_POSITION;
    const ap_uint<32> argmax = ap_uint<32>(token.first_entry) + token.extremes.place;
    // Signed numbers of less than 32 bits are extended.
    const ap_int<32> z1 = token.extremes.z1;
    const ap_int<32> z2 = empty || token.extremes.second ? ap_int<32>(token.extremes.z2) : ap_int<32>(EBMHW_PHI_FORMATS_NO_Z);
    const ap_int<32> z_chosen = token.z_chosen;
    PHI_PUT(PHI_RECORD, JOB_ID, token.job_id);
    PHI_PUT(PHI_RECORD, FLAGS, flags);
    PHI_PUT(PHI_RECORD, VALID, token.valid);
    PHI_PUT(PHI_RECORD, MASKED, token.masked);
    PHI_PUT(PHI_RECORD, EXCLUDED, token.excluded);
    PHI_PUT(PHI_RECORD, ARGMAX, empty ? none : argmax);
    PHI_PUT(PHI_RECORD, Z1, ap_uint<32>(z1));
    PHI_PUT(PHI_RECORD, Z2, ap_uint<32>(z2));
    put_long(words, PHI_RECORD(LOG2_Z_WORD), log2_z);
    put_long(words, PHI_RECORD(CHOSEN_LOG2P_WORD), chosen_log2p);
    PHI_PUT(PHI_RECORD, ENTROPY, entropy);
    PHI_PUT(PHI_RECORD, PHI, phi);
    PHI_PUT(PHI_RECORD, CHOSEN, token.has_choice ? token.chosen : none);
    PHI_PUT(PHI_RECORD, Z_CHOSEN, ap_uint<32>(z_chosen));
    if (token.partial) {
      head_beats = HEAD_WORDS / RESULT_WORDS;
      put_header(words, PHI_PARTIAL(CODE), PHI_PARTIAL(VERSION), PHI_PARTIAL(FIXED_WORDS));
      const ap_int<32> wide_kmax = kmax;
      PHI_PUT(PHI_PARTIAL, KMAX, ap_uint<32>(wide_kmax));
    } else {
      put_header(words, PHI_RECORD(CODE), PHI_RECORD(VERSION), PHI_RECORD(FIXED_WORDS));
    }
  }

  const bool sums_follow = !refused && token.partial;
  for (int number = 0; number < head_beats; ++number) {
#pragma HLS PIPELINE II = 1
#pragma HLS LOOP_TRIPCOUNT min = 3 max = 10
    ResultBeat beat;
    beat.data = (words[2 * number + 1], words[2 * number]);
    beat.last = token.ends_batch && !sums_follow && number == head_beats - 1;
    results.write(beat);
  }
  if (sums_follow) {
    for (int number = 0; number < 2 * BINS; ++number) {
#pragma HLS PIPELINE II = 1
      ResultBeat beat;
      beat.data = number % 2 == 0 ? s_of[number / 2] : t_of[number / 2];
      beat.last = token.ends_batch && number == 2 * BINS - 1;
      results.write(beat);
    }
  }
}

#endif  // PHI_FINISH_HPP
