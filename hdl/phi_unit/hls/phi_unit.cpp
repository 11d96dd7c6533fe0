#include "phi_unit.hpp"

#include "accumulate.hpp"
#include "finish.hpp"

void phi_unit(hls::stream<JobBeat>& jobs, hls::stream<ResultBeat>& results) {
#pragma HLS INTERFACE mode = axis port = jobs register_mode = both
#pragma HLS INTERFACE mode = axis port = results register_mode = both
// With ap_start and ap_continue tied high the unit takes packet after packet. ap_ctrl_none would not do: processes that share memories need the
// handshake between them.
#pragma HLS INTERFACE mode = ap_ctrl_chain port = return
#pragma HLS DATAFLOW
  // One row is added up in one half of a ping-pong buffer while the answer to the row before is made from the other.
  Bin bins[LANES][BINS];
#pragma HLS ARRAY_PARTITION variable = bins dim = 1 type = complete
#pragma HLS AGGREGATE variable = bins compact = bit
#pragma HLS BIND_STORAGE variable = bins type = ram_s2p impl = lutram latency = 1
#pragma HLS STREAM variable = bins type = pipo depth = 2
  hls::stream<Token> tokens("tokens");
#pragma HLS STREAM variable = tokens depth = 2
  accumulate(jobs, bins, tokens);
  finish(bins, tokens, results);
}
