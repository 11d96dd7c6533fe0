// The part of Vitis HLS' header of this name that phi_unit.hpp uses, for C simulation without Vitis. This folder is not on Vitis' include path.
#ifndef PHI_CSIM_AP_AXI_SDATA_H
#define PHI_CSIM_AP_AXI_SDATA_H

#include <cstddef>
#include <cstdint>

#include <ap_int.h>

#define AXIS_ENABLE_LAST 0b00010000

namespace hls {

// A beat with TDATA and TLAST; there are no others here.
template <typename T, std::size_t WUser, std::size_t WId, std::size_t WDest, std::uint8_t Signals>
struct axis {
  static_assert(WUser == 0 && WId == 0 && WDest == 0 && Signals == AXIS_ENABLE_LAST, "only beats with TDATA and TLAST are known here");
  T data;
  ap_uint<1> last;
};

}  // namespace hls

#endif  // PHI_CSIM_AP_AXI_SDATA_H
