"""What the .hwh says of the ports of the processor and of the addresses, which the overlay must agree with.

Whether it describes the whole design was judged when it was built (`boards.kv260.handoff`); this is what the overlay states anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, final
from xml.etree import ElementTree

from ebmhw.board.block_design import BLOCKS, INTERRUPT_CONTROLLER, INTERRUPT_CONTROLLER_ADDRESS
from ebmhw.errors import FirmwareError

PROCESSOR: Final = "zynq_ultra_ps_e"
"""Kind of the processor's cell."""

CONTROL_PORT: Final = "C_MAXIGP0_DATA_WIDTH"
"""Width of M_AXI_HPM0_FPD, through which the processor reaches registers."""

MEMORY_PORT: Final = "C_SAXIGP2_DATA_WIDTH"
"""Width of S_AXI_HP0_FPD, through which the DMA engines reach memory."""

PORT_BITS: Final = (32, 64, 128)
"""Widths that a port may have."""

ADDRESSES: Final = {
    **{block.cell: block.address for block in BLOCKS},
    **{block.dma: block.dma_address for block in BLOCKS},
    INTERRUPT_CONTROLLER: INTERRUPT_CONTROLLER_ADDRESS,
}
"""Of the registers of each cell."""

REMEDY: Final = "build it again (make bitstream)"


@final
@dataclass(frozen=True)
class PortBits:
    """Widths of the processor's ports to the programmable logic that the design was built with, in bits.

    Neither the .bit nor the FPGA manager sets them: registers of the processor do, which hold what booting or another overlay wrote.
    """

    control: int
    memory: int


def read_ports(path: Path) -> PortBits:
    """Return the widths of the ports in a .hwh.

    Raises
    ------
    FirmwareError
        It is no .hwh of a ZynqMP, or has a cell at another address than this package: reading there would stop the processor.
    """
    try:
        root = ElementTree.fromstring(path.read_bytes())
    except (ElementTree.ParseError, LookupError, ValueError) as error:
        raise FirmwareError(f"{path} is no .hwh: {error}; {REMEDY}") from None
    processors = [module for module in root.iter("MODULE") if module.get("MODTYPE") == PROCESSOR]
    if len(processors) != 1:
        raise FirmwareError(f"{path} has {len(processors)} processors of kind {PROCESSOR}, a KV260 has one; {REMEDY}")
    bases = {one.get("INSTANCE", ""): one.get("BASEVALUE", "") for one in processors[0].iterfind("MEMORYMAP/MEMRANGE")}
    for cell, address in ADDRESSES.items():
        if _number(bases.get(cell, "")) != address:
            raise FirmwareError(f"{path} has {cell} at {bases.get(cell, 'no address')}, this version of ebmhw at {address:#x}; {REMEDY}")
    values = {one.get("NAME", ""): one.get("VALUE", "") for one in processors[0].iterfind("PARAMETERS/PARAMETER")}
    widths = []
    for name in (CONTROL_PORT, MEMORY_PORT):
        if _number(values.get(name, "")) not in PORT_BITS:
            raise FirmwareError(f"{path} says {name} = {values.get(name, 'nothing')}, not one of {', '.join(map(str, PORT_BITS))}; {REMEDY}")
        widths.append(int(values[name], 0))
    return PortBits(*widths)


def _number(text: str) -> int | None:
    try:
        return int(text, 0)
    except ValueError:
        return None
