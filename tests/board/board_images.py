"""Bitstreams that no Vivado made: a true header, configuration data that programs nothing, and the entry of a manifest with files that exist."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from ebmhw import rtl
from ebmhw.board.block_design import (
    BLOCKS,
    BOARD_PART,
    CLOCK_MHZ,
    DMA_MEMORY_BITS,
    INTERRUPT_CONTROLLER,
    INTERRUPT_CONTROLLER_ADDRESS,
    PART,
    REGISTER_RANGE,
    STEM,
)
from ebmhw.board.manifest import FILE, BitstreamEntry, FileFacts, Manifest, Timing, UnitHashes
from ebmhw.contract.design import UNITS
from ebmhw.contract.render import contract_digest
from ebmhw.errors import BackendUnavailable

FRAME_WORDS = 93  # 32-bit words of a configuration frame of UltraScale+ (UG570)

_PREAMBLE = bytes.fromhex("0ff00ff00ff00ff000")
_DUMMY, _NO_OP, _SYNC = 0xFFFF_FFFF, 0x2000_0000, 0xAA99_5566
_BUS_WIDTH = (0x0000_00BB, 0x1122_0044)
_WRITE_AXSS = 0x3001_A001  # user access register: a word that configures nothing, so that two images may differ
_DESYNC = (0x3000_8001, 0x0000_000D)


def synthetic_words(frames: int = 4, stamp: int = 0) -> list[int]:
    """Return configuration data, 32-bit words in the order of the file: dummies, bus width, sync, ``stamp``, frames of no-op words, desync."""
    start = [_DUMMY] * 16 + [*_BUS_WIDTH] + [_DUMMY] * 2 + [_SYNC, _NO_OP, _WRITE_AXSS, stamp & _DUMMY]
    return start + [_NO_OP] * (frames * FRAME_WORDS) + [*_DESYNC] + [_NO_OP] * 4


def synthetic_bit(
    path: Path,
    design: str = f"{STEM}_wrapper",
    part: str = PART,
    frames: int = 4,
    stamp: int = 0,
    date: str = "2026/03/14",
    time: str = "15:09:26",
    version: str = "2024.1",
) -> Path:
    """Write a .bit whose header is Vivado's form (fields a to e) and return its path; frames and stamp are those of `synthetic_words`."""
    words = synthetic_words(frames, stamp)
    texts = {"a": f"{design};UserID=0XFFFFFFFF;Version={version}", "b": part, "c": date, "d": time}
    head = struct.pack(">H", len(_PREAMBLE)) + _PREAMBLE + struct.pack(">H", 1)
    for key, text in texts.items():
        data = text.encode() + b"\0"
        head += key.encode() + struct.pack(">H", len(data)) + data
    path.write_bytes(head + b"e" + struct.pack(">I", 4 * len(words)) + struct.pack(f">{len(words)}I", *words))
    return path


def synthetic_hwh(control_bits: int = 128, memory_bits: int = DMA_MEMORY_BITS, **addresses: int) -> str:
    """Return a .hwh with the processor's cell alone: widths of M_AXI_HPM0_FPD and S_AXI_HP0_FPD, and where the registers of the cells lie.

    It has what firmware is made from; PYNQ finds no units in it. ``addresses`` are those that differ from the block design's.
    """
    bases = {block.cell: block.address for block in BLOCKS} | {block.dma: block.dma_address for block in BLOCKS}
    bases |= {INTERRUPT_CONTROLLER: INTERRUPT_CONTROLLER_ADDRESS} | addresses
    system = ElementTree.Element("EDKSYSTEM", EDWVERSION="1.2")
    processor = ElementTree.SubElement(ElementTree.SubElement(system, "MODULES"), "MODULE", INSTANCE="zynq_ultra_ps_e_0", MODTYPE="zynq_ultra_ps_e")
    parameters, ranges = ElementTree.SubElement(processor, "PARAMETERS"), ElementTree.SubElement(processor, "MEMORYMAP")
    for name, bits in (("C_MAXIGP0_DATA_WIDTH", control_bits), ("C_SAXIGP2_DATA_WIDTH", memory_bits)):
        ElementTree.SubElement(parameters, "PARAMETER", NAME=name, VALUE=str(bits))
    for cell, base in bases.items():
        ends = {"BASEVALUE": f"0x{base:010X}", "HIGHVALUE": f"0x{base + REGISTER_RANGE - 1:010X}"}
        ElementTree.SubElement(ranges, "MEMRANGE", INSTANCE=cell, MASTERBUSINTERFACE="M_AXI_HPM0_FPD", **ends)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(system, encoding="unicode") + "\n"


def synthetic_entry(folder: Path, *, bit: Mapping[str, Any] | None = None, hwh: Mapping[str, Any] | None = None, **changes: Any) -> BitstreamEntry:
    """Write the files of a bitstream into a folder and return their entry, which fits this package's contract unless ``changes`` say otherwise.

    Parameters
    ----------
    folder : made where it is missing; gets ``ebmhw.bit``, ``ebmhw.hwh`` and ``ebmhw.xsa``
    bit, hwh : of `synthetic_bit` and `synthetic_hwh`
    changes : of `ebmhw.board.manifest.BitstreamEntry`; ``files`` too, where the entry is not to tell the truth
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{STEM}{suffix}" for suffix in (".bit", ".hwh", ".xsa")]
    synthetic_bit(paths[0], **(bit or {}))
    paths[1].write_text(synthetic_hwh(**(hwh or {})), encoding="utf-8")
    with zipfile.ZipFile(paths[2], "w") as archive:
        archive.writestr(zipfile.ZipInfo(f"{STEM}.hwh", (2026, 3, 14, 0, 0, 0)), paths[1].read_bytes())
    facts: dict[str, Any] = {
        "name": "kv260",
        "phi": "rtl",
        "part": PART,
        "board": BOARD_PART.replace("*", "1.4"),
        "clock_mhz": CLOCK_MHZ,
        "tool": "Vivado v2024.1 (64-bit)",
        "timing": Timing(setup_slack=0.125, hold_slack=0.011, failing_endpoints=0),
        "utilisation": {"LUT": (64000, 117120), "URAM": (56, 64)},
        "files": {path.name: FileFacts.of(path) for path in paths},
    }
    return BitstreamEntry(**_of_contract() | facts | changes)


def synthetic_bitstreams(root: Path, *, bit: Mapping[str, Any] | None = None, hwh: Mapping[str, Any] | None = None, **changes: Any) -> BitstreamEntry:
    """Write a folder of bitstreams as a checkout has one, ``root/NAME`` and ``root/manifest.json``, and return the one entry."""
    entry = synthetic_entry(root / str(changes.get("name", "kv260")), bit=bit, hwh=hwh, **changes)
    Manifest({}).with_entry(entry).write(root / FILE)
    return entry


def _of_contract() -> dict[str, Any]:
    """Return the entry's members that tell of the contract: of the generated RTL, or of this package alone where there is none of it."""
    try:
        sidecar = rtl.find("kv260").sidecar
    except BackendUnavailable:
        return {
            "config": "kv260",
            "parameters": {unit.name: {} for unit in UNITS},
            "units": {unit.name: UnitHashes(unit.registers.hash32, unit.packet_hash) for unit in UNITS},
            "contract_digest": contract_digest(),
            "sources_digest": sha256(b"no sources").hexdigest(),
        }
    return {
        "config": sidecar.config,
        "parameters": {name: dict(unit.parameters) for name, unit in sidecar.units.items()},
        "units": {name: UnitHashes(unit.map_hash, unit.packet_hash) for name, unit in sidecar.units.items()},
        "contract_digest": sidecar.contract_digest,
        "sources_digest": sidecar.sources_digest,
    }
