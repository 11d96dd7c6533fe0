// What is known of a job packet once its last beat has come, beside the bins.
#ifndef PHI_TOKEN_HPP
#define PHI_TOKEN_HPP

#include "bins.hpp"
#include "extremes.hpp"

struct Token {
  bool ends_batch;
  ap_uint<8> error;
  ap_uint<32> error_beat;
  ap_uint<32> job_id;
  bool partial;
  ap_uint<INVERSE_BITS> inverse;
  Count first_entry;
  ap_uint<32> chosen;
  bool has_choice;
  Exponent z_chosen;
  Count valid;
  Count masked;
  Count excluded;
  bool clip_hi;
  bool clip_lo;
  Extremes extremes;
  ap_uint<LANES * BINS> held;  // of all lanes, the first lane's lowest
};

#define PHI_ERROR(NAME) EBMHW_PHI_UNIT_REG_LAST_ERROR_CODE_##NAME

#endif  // PHI_TOKEN_HPP
