"""What the block design of the KV260 and whoever builds, loads or drives it must agree on: names, addresses, interrupts, clocks.

The Vivado script, the device tree, the driver and the tests take every one of these from here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, final

from ebmhw.contract.design import UNITS, Unit

APP: Final = "ebmhw-kv260"
"""Name of the firmware: of its folder, of its image, and for ``xmutil loadapp``."""

STEM: Final = "ebmhw"
"""Stem of the .bit, the .hwh and the .xsa."""

TOP: Final = "ebmhw_wrapper"
"""The design's top module, whose name the header of the .bit holds."""

PART: Final = "xck26-sfvc784-2LV-c"
"""The FPGA of the K26 module, as Vivado calls it."""

BOARD_PART: Final = "xilinx.com:kv260_som:part0:*"
"""Vivado's board files: the K26 module; of several versions the newest is taken."""

BOARD_CONNECTION: Final = "som240_1_connector xilinx.com:kv260_carrier:som240_1_connector:*"
"""The carrier card at the module's connector."""

VENDOR: Final = "ebmhw"
LIBRARY: Final = "hdl"
IP_VERSION: Final = "1.0"

CLOCKS_MHZ: Final = (100, 125, 200, 250)
"""Choices of the programmable logic's one clock, pl_clk0: whole parts of the 1,000 MHz that IOPLL runs at on the KV260."""

CLOCK_MHZ: Final = 200
"""The clock that is built for unless another is asked for."""

PHI_SOURCES: Final = ("rtl", "hls")
"""What the phi unit's data path may be made from."""

REGISTER_RANGE: Final = 0x1_0000
"""Bytes of the address space of each block; its registers take less."""

DMA_VLNV: Final = "xilinx.com:ip:axi_dma:7.1"
INTERRUPT_CONTROLLER: Final = "axi_intc_0"
INTERRUPT_CONTROLLER_VLNV: Final = "xilinx.com:ip:axi_intc:4.1"
INTERRUPT_CONTROLLER_ADDRESS: Final = 0xA004_0000

DMA_LENGTH_BITS: Final = 26
"""Width of the length register of the DMA engines: one transfer has less than 2^26 bytes."""

DMA_MEMORY_BITS: Final = 128
"""Width of the DMA engines' memory ports, that of S_AXI_HP0_FPD, which is not coherent: the driver flushes and invalidates."""

CONTROL_BITS: Final = 32
"""Width of M_AXI_HPM0_FPD, which reaches the registers. Kria-PYNQ's overlay sets the port's processor side to 32 bits when a user logs in: a wider
port would from then on read registers at multiples of 16 bytes only."""

GIC_SPI: Final = 89
"""The shared interrupt of pl_ps_irq0[0] at the GIC, where the interrupt controller's one line ends; its number in the device tree."""

PL_RESETS: Final = (116, 117, 118, 119)
"""The resets of the programmable logic, numbers of zynqmp_reset."""

PL_CLOCK_ID: Final = 71
"""pl_clk0, number of zynqmp_clk."""

FIRMWARE_ROOT: Final = "/lib/firmware/xilinx"
"""Where the board's loader looks for firmware, a folder each."""

SHARE_ROOT: Final = "/usr/share/ebmhw/kv260"
"""Where the .bit, the .hwh and the manifest's entry lie on the board: not in the firmware folder, where the loader wants one image only."""

SHELL: Final = {"shell_type": "XRT_FLAT", "num_slots": "1"}
"""What shell.json says."""


@final
@dataclass(frozen=True)
class Block:
    """A unit of the design with what surrounds it in the block design.

    Attributes
    ----------
    unit : of the contract; the cell and the module have its name
    address : of its registers, as the processor sees them
    dma : cell of its DMA engine
    dma_address : of the engine's registers
    """

    unit: Unit
    address: int
    dma: str
    dma_address: int

    @property
    def cell(self) -> str:
        """Name of the unit's cell in the block design, and of the attribute of a ``pynq.Overlay``."""
        return self.unit.name

    @property
    def vlnv(self) -> str:
        """Vendor, library, name and version of the unit's IP, by which PYNQ binds a driver."""
        return f"{VENDOR}:{LIBRARY}:{self.unit.name}:{IP_VERSION}"

    @property
    def compatible(self) -> str:
        """What the unit's node in the device tree says that it is."""
        return f"{VENDOR},{self.unit.name.replace('_', '-')}-{IP_VERSION}"


BLOCKS: Final = (
    Block(UNITS[0], 0xA000_0000, "axi_dma_ising", 0xA002_0000),
    Block(UNITS[1], 0xA001_0000, "axi_dma_phi", 0xA003_0000),
)
"""Of each unit, in the order of `ebmhw.contract.design.UNITS`."""

INTERRUPTS: Final = tuple(
    [f"{block.cell}/interrupt" for block in BLOCKS] + [f"{block.dma}/{pin}" for block in BLOCKS for pin in ("mm2s_introut", "s2mm_introut")]
)
"""Pins at the inputs 0, 1, ... of the interrupt controller."""


def block(unit_name: str) -> Block:
    """Return the block of a unit; KeyError where there is none."""
    return {one.unit.name: one for one in BLOCKS}[unit_name]
