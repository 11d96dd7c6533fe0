// Takes a job packet from the stream: checks it, and adds the entries of its row up.
#ifndef PHI_ACCUMULATE_HPP
#define PHI_ACCUMULATE_HPP

#include "entry.hpp"
#include "token.hpp"

#define PHI_JOB(NAME) EBMHW_PHI_JOBS_PKT_TOKEN_##NAME

// A field of a job packet, given the data of the beat that it lies in.
#define PHI_JOB_LOW(NAME) (PHI_JOB(NAME##_WORD) % JOB_WORDS * WORD_BITS + PHI_JOB(NAME##_SHIFT))
#define PHI_JOB_FIELD(DATA, NAME) ap_uint<PHI_JOB(NAME##_BITS)>((DATA).range(PHI_JOB_LOW(NAME) + PHI_JOB(NAME##_BITS) - 1, PHI_JOB_LOW(NAME)))

const int FIELD_BEATS = PHI_JOB(FIXED_WORDS) / JOB_WORDS;
static_assert(PHI_JOB(FIXED_WORDS) == 2 * JOB_WORDS, "the fields of a token are taken from two beats");
static_assert(PHI_JOB(JOB_ID_WORD) < JOB_WORDS && PHI_JOB(ENTRIES_WORD) < JOB_WORDS, "they lie in the first beat");
static_assert(PHI_JOB(INVERSE_WORD) == PHI_JOB(FORMAT_WORD) && PHI_JOB(INVERSE_WORD) == PHI_JOB(PARTIAL_WORD), "they share a word");
static_assert(PHI_JOB(BEATS_WORD) >= JOB_WORDS && PHI_JOB(CHOSEN_WORD) >= JOB_WORDS, "they lie in the second");
static_assert(PHI_JOB(FIRST_ENTRY_WORD) >= JOB_WORDS && PHI_JOB(INVERSE_WORD) >= JOB_WORDS, "they lie in the second");

// What the second beat shows to be wrong, in the order in which it is told.
static ap_uint<8> wrong_fields(const ap_uint<JOB_BITS>& data, ap_uint<32> entries, ap_uint<32> length) {
#pragma HLS INLINE
  const ap_uint<32> unowned = ~(PHI_JOB(INVERSE_MASK) | PHI_JOB(FORMAT_MASK) | PHI_JOB(PARTIAL_MASK));
  const int shared = PHI_JOB(INVERSE_WORD) % JOB_WORDS * WORD_BITS;
  const ap_uint<32> word = data.range(shared + WORD_BITS - 1, shared);
  const bool partial = PHI_JOB_FIELD(data, PARTIAL) != 0;
  const ap_uint<2> format = PHI_JOB_FIELD(data, FORMAT);
  const ap_uint<32> first_entry = PHI_JOB_FIELD(data, FIRST_ENTRY);
  const ap_uint<32> beats = PHI_JOB_FIELD(data, BEATS);
  const ap_uint<33> end = ap_uint<33>(first_entry) + entries;
  const ap_uint<32> lanes = format == EBMHW_PHI_FORMATS_FORMATS_FLOAT32 ? WIDE_LANES : LANES;
  const ap_uint<33> rounded_up = ap_uint<33>(entries) + (lanes - 1);
  const ap_uint<33> needed = format == EBMHW_PHI_FORMATS_FORMATS_FLOAT32 ? rounded_up >> bits_of(WIDE_LANES - 1) : rounded_up >> LANE_BITS;
  const ap_uint<36> words = ap_uint<36>(beats) * JOB_WORDS + PHI_JOB(FIXED_WORDS);
  if ((word & unowned) != 0) return PHI_ERROR(RESERVED);
  if (entries < (partial ? 1 : 2) || end > PHI_ENTRIES_MAX) return PHI_ERROR(SIZE);
  if (format > EBMHW_PHI_FORMATS_FORMATS_FLOAT32) return PHI_ERROR(FORMAT);
  if (!partial && PHI_JOB_FIELD(data, INVERSE) > (1u << INVERSE_FRACTION_BITS)) return PHI_ERROR(INVERSE);
  if (words != length || needed != beats) return PHI_ERROR(LENGTH);
  return PHI_ERROR(NO_ERROR);
}

// Two lanes share a memory of each table, one at each of its ports.
#ifdef __SYNTHESIS__
typedef ap_uint<WEIGHT_BITS> TableEntry;
#else
// Compilers take minutes over the constructors of 8192 ap_uint.
typedef unsigned TableEntry;
#endif
static const TableEntry WT[LANES / 2][EBMHW_PHI_TABLES_WT_LENGTH] = {
    EBMHW_PHI_TABLES_WT, EBMHW_PHI_TABLES_WT, EBMHW_PHI_TABLES_WT, EBMHW_PHI_TABLES_WT};
static const TableEntry WU[LANES / 2][EBMHW_PHI_TABLES_WU_LENGTH] = {
    EBMHW_PHI_TABLES_WU, EBMHW_PHI_TABLES_WU, EBMHW_PHI_TABLES_WU, EBMHW_PHI_TABLES_WU};
static_assert(LANES == 8, "the tables are copied four times");

static void accumulate(hls::stream<JobBeat>& jobs, Bin bins[LANES][BINS], hls::stream<Token>& tokens) {
#pragma HLS INLINE off
#pragma HLS ARRAY_PARTITION variable = WT dim = 1 type = complete
#pragma HLS ARRAY_PARTITION variable = WU dim = 1 type = complete
#pragma HLS BIND_STORAGE variable = WT type = rom_2p impl = bram
#pragma HLS BIND_STORAGE variable = WU type = rom_2p impl = bram
  Token token;
  Held held[LANES];
#pragma HLS ARRAY_PARTITION variable = held dim = 1 type = complete
  Written written[LANES][DELAY];
#pragma HLS ARRAY_PARTITION variable = written dim = 0 type = complete
  for (int lane = 0; lane < LANES; ++lane) {
#pragma HLS UNROLL
    held[lane] = 0;
    for (int age = 0; age < DELAY; ++age) {
#pragma HLS UNROLL
      written[lane][age].index = 0;
      written[lane][age].bin.turn = 0;
      written[lane][age].bin.s = 0;
      written[lane][age].bin.t = 0;
    }
  }

  const JobBeat first = jobs.read();
  const ap_uint<32> length = PHI_JOB_FIELD(first.data, LENGTH);
  const ap_uint<32> entries = PHI_JOB_FIELD(first.data, ENTRIES);
  // Without a magic number or with a length that cannot be, the packet goes on to the end of the batch.
  const bool open_ended = PHI_JOB_FIELD(first.data, MAGIC) != EBMHW_PHI_JOBS_PKT_MAGIC || length < EBMHW_PHI_JOBS_PKT_HEADER_WORDS;
  const bool known = !open_ended && PHI_JOB_FIELD(first.data, CODE) == PHI_JOB(CODE) && PHI_JOB_FIELD(first.data, VERSION) == PHI_JOB(VERSION);
  const ap_uint<32> beats = (ap_uint<33>(length) + (JOB_WORDS - 1)) / JOB_WORDS;
  token.job_id = known ? PHI_JOB_FIELD(first.data, JOB_ID) : ap_uint<32>(0);
  token.error_beat = 0;
  bool ends = !open_ended && beats == 1;
  bool last = first.last != 0;
  if (open_ended) {
    token.error = PHI_ERROR(MAGIC);
  } else if (!known) {
    token.error = PHI_ERROR(KIND);
  } else if (length % JOB_WORDS != 0 || length < PHI_JOB(FIXED_WORDS)) {
    token.error = PHI_ERROR(LENGTH);
  } else {
    token.error = last ? PHI_ERROR(TRUNCATED) : PHI_ERROR(NO_ERROR);
  }

  ap_uint<JOB_BITS> fields = 0;
  if (!ends && !last) {
    const JobBeat second = jobs.read();
    fields = second.data;
    ends = !open_ended && beats == FIELD_BEATS;
    last = second.last != 0;
    if (token.error == PHI_ERROR(NO_ERROR)) {
      token.error = last && !ends ? ap_uint<8>(PHI_ERROR(TRUNCATED)) : wrong_fields(fields, entries, length);
      token.error_beat = 1;
    }
  }
  const ap_uint<2> format = PHI_JOB_FIELD(fields, FORMAT);
  const ap_uint<LANE_BITS + 1> row_lanes = format == EBMHW_PHI_FORMATS_FORMATS_FLOAT32 ? WIDE_LANES : LANES;
  const ap_uint<32> first_entry = PHI_JOB_FIELD(fields, FIRST_ENTRY);
  token.chosen = PHI_JOB_FIELD(fields, CHOSEN);
  token.partial = PHI_JOB_FIELD(fields, PARTIAL) != 0;
  token.inverse = PHI_JOB_FIELD(fields, INVERSE);
  token.first_entry = first_entry;
  const ap_int<34> chosen_place = ap_int<34>(token.chosen) - ap_int<34>(first_entry);

  token.has_choice = false;
  token.z_chosen = 0;
  token.valid = 0;
  token.masked = 0;
  token.excluded = 0;
  token.clip_hi = false;
  token.clip_lo = false;
  token.extremes.any = false;
  token.extremes.second = false;
  token.extremes.key = 0;
  token.extremes.place = 0;
  token.extremes.z1 = 0;
  token.extremes.z2 = 0;

  // The rest of the packet; of one that is refused it is dropped. ``place`` is that of the beat's first entry in the row.
  ap_uint<32> beat = FIELD_BEATS;
  ap_uint<COUNT_BITS + 1> place = 0;
  while (!ends && !last) {
#pragma HLS PIPELINE II = 1
#pragma HLS LOOP_TRIPCOUNT min = 1 max = 131072 avg = 4096
    const JobBeat taken = jobs.read();
    ends = !open_ended && beat == beats - 1;
    last = taken.last != 0;
    if (last && !ends && token.error == PHI_ERROR(NO_ERROR)) {
      token.error = PHI_ERROR(TRUNCATED);
      token.error_beat = beat;
    }
    const bool good = token.error == PHI_ERROR(NO_ERROR);

    Extremes extremes[LANES];
#pragma HLS ARRAY_PARTITION variable = extremes dim = 1 type = complete
    ap_uint<LANE_BITS + 1> valid = 0, masked = 0, excluded = 0;
    for (int lane = 0; lane < LANES; ++lane) {
#pragma HLS UNROLL
      const ap_uint<32> narrow = taken.data.range(16 * lane + 15, 16 * lane);
      const int wide_lane = lane % WIDE_LANES;
      const ap_uint<32> wide = taken.data.range(32 * wide_lane + 31, 32 * wide_lane);
      const Entry entry = entry_of(format == EBMHW_PHI_FORMATS_FORMATS_FLOAT32 ? wide : narrow, format);
      const ap_uint<COUNT_BITS + 1> at = place + lane;
      const bool inside = good && lane < row_lanes && at < entries;
      const bool counts = inside && entry.valid;
      valid += counts;
      masked += inside && entry.masked;
      excluded += inside && entry.excluded;
      token.clip_hi |= inside && entry.clip_hi;
      token.clip_lo |= inside && entry.clip_lo;
      if (counts && chosen_place == at) {
        token.has_choice = true;
        token.z_chosen = entry.z;
      }
      extremes[lane].any = counts;
      extremes[lane].second = false;
      extremes[lane].key = entry.key;
      extremes[lane].place = at;
      extremes[lane].z1 = entry.z;
      extremes[lane].z2 = 0;
      const ap_uint<Z_FRACTION_BITS> fraction = entry.z.range(Z_FRACTION_BITS - 1, 0);
      const Bucket k = entry.z >> Z_FRACTION_BITS;
      add_entry(bins[lane], written[lane], held[lane], counts, k, WT[lane / 2][fraction], WU[lane / 2][fraction]);
    }
    token.valid += valid;
    token.masked += masked;
    token.excluded += excluded;
    for (int span = 1; span < LANES; span *= 2) {
#pragma HLS UNROLL
      for (int lane = 0; lane < LANES; lane += 2 * span) {
#pragma HLS UNROLL
        extremes[lane] = larger_of(extremes[lane], extremes[lane + span]);
      }
    }
    token.extremes = larger_of(token.extremes, extremes[0]);
    place += row_lanes;
    ++beat;
  }
  for (int age = 0; age < DELAY; ++age) {
#pragma HLS PIPELINE II = 1
    for (int lane = 0; lane < LANES; ++lane) {
#pragma HLS UNROLL
      write_back(bins[lane], written[lane]);
    }
  }
  for (int lane = 0; lane < LANES; ++lane) {
#pragma HLS UNROLL
    token.held.range(BINS * lane + BINS - 1, BINS * lane) = held[lane];
  }
  token.ends_batch = last;
  tokens.write(token);
}

#endif  // PHI_ACCUMULATE_HPP
