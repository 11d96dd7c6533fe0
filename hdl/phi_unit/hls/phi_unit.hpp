// The phi unit for Vitis HLS: job packets in, result packets out. See README.md.
#ifndef PHI_UNIT_HPP
#define PHI_UNIT_HPP

#include <ap_axi_sdata.h>
#include <ap_int.h>
#include <hls_stream.h>

#include "contract/constants.h"
#include "contract/phi_jobs.h"
#include "contract/phi_results.h"
#include "contract/phi_unit_registers.h"

// Entries of the largest row, and positions of the largest vocabulary: at most what the contract allows.
#ifndef PHI_ENTRIES_MAX
#define PHI_ENTRIES_MAX EBMHW_PHI_FORMATS_ENTRIES_LIMIT
#endif

const int JOB_BITS = 8 * EBMHW_PHI_JOBS_PKT_BEAT_BYTES;
const int RESULT_BITS = 8 * EBMHW_PHI_RESULTS_PKT_BEAT_BYTES;

// Beats of the two AXI4-Streams: TDATA and TLAST.
typedef hls::axis<ap_uint<JOB_BITS>, 0, 0, 0, AXIS_ENABLE_LAST> JobBeat;
typedef hls::axis<ap_uint<RESULT_BITS>, 0, 0, 0, AXIS_ENABLE_LAST> ResultBeat;

// Takes one job packet and writes its answer. Blocks until the packet has come and the answer has been taken.
void phi_unit(hls::stream<JobBeat>& jobs, hls::stream<ResultBeat>& results);

#endif  // PHI_UNIT_HPP
