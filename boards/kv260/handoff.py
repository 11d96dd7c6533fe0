"""Whether a hardware handoff (.hwh) describes the design that the driver expects: what PYNQ makes its names, addresses and registers from."""

from __future__ import annotations

from pathlib import Path
from typing import Final
from xml.etree import ElementTree

from boards.kv260.settings import ACCESS
from ebmhw.board import block_design
from ebmhw.board.block_design import BLOCKS
from ebmhw.contract.registers import RegisterMap
from ebmhw.errors import FirmwareError

_SHOWN: Final = 8


def check_handoff(path: Path) -> None:
    """Refuse a .hwh that PYNQ would make other names, addresses or registers from than the contract has.

    Raises
    ------
    FirmwareError
        It cannot be read, or differs; the text tells the first differences.
    """
    try:
        text = path.read_bytes()
    except OSError as error:
        raise FirmwareError(f"Vivado wrote no {path} ({error.strerror or error}); build again") from None
    faults = handoff_faults(text)
    if faults:
        more = f"; and {len(faults) - _SHOWN} more" if len(faults) > _SHOWN else ""
        raise FirmwareError(
            f"{path} is not of the design that was to be built: {'; '.join(faults[:_SHOWN])}{more}; build again with this version of ebmhw"
        )


def handoff_faults(text: bytes) -> list[str]:
    """Return in what a .hwh differs from the block design and the contract, a sentence each; [] where it agrees."""
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        return [f"it is no XML ({error})"]
    modules = {module.get("INSTANCE", ""): module for module in root.iter("MODULE")}
    ranges: dict[str, list[tuple[int, int]]] = {}
    for memrange in root.iter("MEMRANGE"):
        if memrange.get("MEMTYPE") == "REGISTER":
            low, high = (int(memrange.get(key, "-1"), 0) for key in ("BASEVALUE", "HIGHVALUE"))
            ranges.setdefault(memrange.get("INSTANCE", ""), []).append((low, high))
    due = [(block_design.INTERRUPT_CONTROLLER, block_design.INTERRUPT_CONTROLLER_VLNV, block_design.INTERRUPT_CONTROLLER_ADDRESS)]
    for block in BLOCKS:
        due += [(block.cell, block.vlnv, block.address), (block.dma, block_design.DMA_VLNV, block.dma_address)]
    faults: list[str] = []
    for cell, vlnv, address in due:
        if cell not in modules:
            faults.append(f"it has no cell {cell}")
            continue
        if modules[cell].get("VLNV") != vlnv:
            faults.append(f"{cell} is {modules[cell].get('VLNV')}, not {vlnv}")
        whole = (address, address + block_design.REGISTER_RANGE - 1)
        if ranges.get(cell, []) != [whole]:
            there = ", ".join(f"{low:#x}..{high:#x}" for low, high in ranges.get(cell, [])) or "nowhere"
            faults.append(f"the registers of {cell} are at {there}, not at {whole[0]:#x}..{whole[1]:#x}")
    for block in BLOCKS:
        if block.cell in modules:
            faults += _register_faults(block.cell, modules[block.cell], block.unit.registers)
        if block.dma in modules:
            found = {one.get("NAME", "").lower(): one.get("VALUE", "") for one in modules[block.dma].findall("PARAMETERS/PARAMETER")}
            for name, value in (("c_include_sg", "0"), ("c_sg_length_width", str(block_design.DMA_LENGTH_BITS))):
                if found.get(name) != value:
                    faults.append(f"{name} of {block.dma} is {found.get(name)}, not {value}")
    return faults


def _register_faults(cell: str, module: ElementTree.Element, registers: RegisterMap) -> list[str]:
    blocks = module.findall("ADDRESSBLOCKS/ADDRESSBLOCK")
    if len(blocks) != 1:
        # PYNQ names a cell with several CELL/INTERFACE, and ol.CELL has no registers.
        return [f"{cell} has {len(blocks)} address blocks, not one"]
    # PYNQ passes over a block of any other use, or of an interface that the cell has not.
    told = (blocks[0].get("USAGE"), blocks[0].get("INTERFACE"))
    if told != ("register", "s_axi"):
        return [f"the address block of {cell} is for {told[0]} at {told[1]}, not for register at s_axi"]
    found = {one.get("NAME", ""): one for one in blocks[0].findall("REGISTERS/REGISTER")}
    due = {register.name: register for register in registers.registers}
    faults = [f"{cell} has no register {name}" for name in due.keys() - found.keys()]
    faults += [f"{cell} has a register {name}, which its map has not" for name in found.keys() - due.keys()]
    for name in due.keys() & found.keys():
        offset = _number(found[name], "ADDRESS_OFFSET")
        if offset != due[name].offset:
            faults.append(f"register {name} of {cell} is at {offset}, not {due[name].offset}")
        theirs = {
            one.get("NAME", ""): (_number(one, "BIT_OFFSET"), _number(one, "BIT_WIDTH"), _property(one, "ACCESS"))
            for one in found[name].findall("FIELDS/FIELD")
        }
        ours = {field.name: (field.lsb, field.bits, ACCESS[field.access]) for field in due[name].fields}
        if theirs != ours:
            faults.append(f"the fields of register {name} of {cell} are {theirs}, not {ours}")
    return sorted(faults)


def _property(element: ElementTree.Element, name: str) -> str:
    return next((one.get("VALUE", "") for one in element.findall("PROPERTY") if one.get("NAME") == name), "")


def _number(element: ElementTree.Element, name: str) -> int | None:
    try:
        return int(_property(element, name), 0)
    except ValueError:
        return None
