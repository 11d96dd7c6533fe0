"""Signatures of AXI4-Lite and AXI4-Stream, as the one who starts transfers sees them.

Joined with the name of the port by one underscore, their members are called as tools and test benches expect: a port ``s_axi``
has ``s_axi_awvalid``, a port ``m_axis`` has ``m_axis_tdata``.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final, final

from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

LITE_DATA_BITS: Final = 32
"""Width of the data of an AXI4-Lite port."""

PROTECTION_BITS: Final = 3
"""Width of ``awprot`` and ``arprot``."""


@final
class Response(IntEnum):
    """``bresp`` and ``rresp``."""

    OKAY = 0
    EXOKAY = 1
    SLVERR = 2
    DECERR = 3


@final
class AxiLite(wiring.Signature):
    """AXI4-Lite with 32 bits of data: ``Out`` makes a manager's port, ``In`` a subordinate's.

    Parameters
    ----------
    address_bits : width of byte addresses, 1..64
    """

    def __init__(self, address_bits: int) -> None:
        if not 1 <= address_bits <= 64:
            raise ValueError(f"address_bits of an AXI4-Lite port is {address_bits}; give 1 to 64")
        self.address_bits: Final = address_bits
        super().__init__(
            {
                "awaddr": Out(address_bits),
                "awprot": Out(PROTECTION_BITS),
                "awvalid": Out(1),
                "awready": In(1),
                "wdata": Out(LITE_DATA_BITS),
                "wstrb": Out(LITE_DATA_BITS // 8),
                "wvalid": Out(1),
                "wready": In(1),
                "bresp": In(2),
                "bvalid": In(1),
                "bready": Out(1),
                "araddr": Out(address_bits),
                "arprot": Out(PROTECTION_BITS),
                "arvalid": Out(1),
                "arready": In(1),
                "rdata": In(LITE_DATA_BITS),
                "rresp": In(2),
                "rvalid": In(1),
                "rready": Out(1),
            }
        )


@final
class AxiStream(wiring.Signature):
    """AXI4-Stream with byte enables and packets: ``Out`` makes a source's port, ``In`` a sink's.

    Parameters
    ----------
    data_bits : width of a beat, whole bytes
    """

    def __init__(self, data_bits: int = 64) -> None:
        if data_bits < 8 or data_bits % 8:
            raise ValueError(f"data_bits of an AXI4-Stream port is {data_bits}; give a multiple of 8")
        self.data_bits: Final = data_bits
        super().__init__(
            {
                "tdata": Out(data_bits),
                "tkeep": Out(data_bits // 8),
                "tlast": Out(1),
                "tvalid": Out(1),
                "tready": In(1),
            }
        )
