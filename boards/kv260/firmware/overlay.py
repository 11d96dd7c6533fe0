"""The device tree's overlay, with which the kernel loads the image and learns what is in it."""

from __future__ import annotations

import sys
from pathlib import Path
from string import Template
from typing import Final

from boards.kv260.firmware.ports import PortBits
from boards.kv260.firmware.tools import find_tool, made_by, run_tool
from ebmhw.board.block_design import (
    APP,
    BLOCKS,
    DMA_MEMORY_BITS,
    GIC_SPI,
    INTERRUPT_CONTROLLER,
    INTERRUPT_CONTROLLER_ADDRESS,
    PL_CLOCK_ID,
    PL_RESETS,
    REGISTER_RANGE,
)
from ebmhw.board.installed import IMAGE, OVERLAY
from ebmhw.board.loaded import BUILD, CONTRACT_DIGEST, MAP_HASH, PACKET_HASH
from ebmhw.board.manifest import BitstreamEntry

TEMPLATE: Final = Path(__file__).with_name("overlay.dts.in")

PORTS: Final = PortBits(control=128, memory=DMA_MEMORY_BITS)
"""What the Vivado scripts ask for; `make_firmware` takes the widths from the .hwh."""

MEMORY_READ, MEMORY_WRITE, CONTROL = 4, 5, 14
"""Numbers of the registers in ``config-afi``: AFIFM2's RDCTRL and WRCTRL, which are S_AXI_HP0_FPD's, and FPD_SLCR's AFI_FS.

Kernel binding xlnx,afi-fpga; the registers are FD380000, FD380014 and FD615000 of UG1087, which PYNQ writes for C_SAXIGP2_DATA_WIDTH and
C_MAXIGP0_DATA_WIDTH.
"""

_FABRIC_WIDTH = {128: 0, 64: 1, 32: 2}  # RDCTRL and WRCTRL, bits 1..0
_MASTER_WIDTH = {32: 0, 64: 1, 128: 2}  # AFI_FS, bits 9..8 for M_AXI_HPM0_FPD, 11..10 for M_AXI_HPM1_FPD


def overlay_source(entry: BitstreamEntry, ports: PortBits = PORTS) -> str:
    """Return the overlay of a bitstream in the device tree's language."""
    # Nothing is at M_AXI_HPM1_FPD; its bits stay as a KV260 boots, 128 bits wide.
    control = _MASTER_WIDTH[ports.control] << 8 | _MASTER_WIDTH[128] << 10
    memory = _FABRIC_WIDTH[ports.memory]
    return Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
        image=IMAGE,
        resets=", ".join(f"<&zynqmp_reset {number}>" for number in PL_RESETS),
        afi=", ".join(f"<{number} {value:#x}>" for number, value in ((MEMORY_READ, memory), (MEMORY_WRITE, memory), (CONTROL, control))),
        app=APP,
        clock=PL_CLOCK_ID,
        rate=entry.clock_mhz * 1_000_000,
        spi=GIC_SPI,
        units="\n".join(_units(entry)),
        silent="\n".join(_silent()),
    )


def write_overlay(source: str, folder: Path, work: Path) -> Path:
    """Have dtc compile the overlay into a folder, and return its path; FirmwareError where there is no dtc, or it failed.

    Warnings, of which dtc 1.6 has none here, go to stderr.
    """
    (work / f"{APP}.dts").write_text(source, encoding="utf-8")
    printed = run_tool([find_tool("dtc"), "-@", "-I", "dts", "-O", "dtb", "-o", OVERLAY, f"{APP}.dts"], work)
    if printed.strip():
        print(printed.strip(), file=sys.stderr)
    return made_by("dtc", work / OVERLAY, printed).replace(folder / OVERLAY)


def _units(entry: BitstreamEntry) -> list[str]:
    nodes = []
    for block in BLOCKS:
        hashes = entry.units[block.cell]
        cells = {BUILD: entry.build, MAP_HASH: hashes.map_hash, PACKET_HASH: hashes.packet_hash}
        properties = [
            f'compatible = "{block.compatible}";',
            *(f"{name} = <{value:#010x}>;" for name, value in cells.items()),
            f'{CONTRACT_DIGEST} = "{entry.contract_digest}";',
        ]
        nodes.append(_node(block.cell, block.address, properties))
    return nodes


def _silent() -> list[str]:
    cells = [(block.dma, block.dma_address) for block in BLOCKS] + [(INTERRUPT_CONTROLLER, INTERRUPT_CONTROLLER_ADDRESS)]
    return [_node(name, address, []) for name, address in cells]


def _node(cell: str, address: int, properties: list[str]) -> str:
    lines = [f"reg = <{address >> 32:#x} {address & 0xFFFF_FFFF:#010x} 0x0 {REGISTER_RANGE:#x}>;", *properties]
    return "\n".join([f"\t{cell.replace('_', '-')}@{address:x} {{", *(f"\t\t{line}" for line in lines), "\t};"])
