"""What the programmable logic holds, as the live device tree says it: the way to know before a register is touched.

Reading an address that the programmable logic does not serve stops the whole processor; the device tree can be read whatever is loaded.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import final

from ebmhw.board.block_design import BLOCKS, Block
from ebmhw.board.system import OPERATING, manager_state, nodes, read_small, strings, tree_folder
from ebmhw.contract.registers import WORD_BYTES
from ebmhw.contract.render import contract_digest
from ebmhw.errors import BoardError

BUILD, MAP_HASH, PACKET_HASH, CONTRACT_DIGEST = "ebmhw,build", "ebmhw,map-hash", "ebmhw,packet-hash", "ebmhw,contract-digest"
"""Properties of a unit's node beside ``compatible`` and ``reg``: a cell each, the last one a string."""

_DIGEST = re.compile(r"[0-9a-f]{64}")


@final
@dataclass(frozen=True)
class LoadedUnit:
    """A unit as its node says.

    Attributes
    ----------
    block : what it is
    node : path of the node within the tree
    address, size : of its registers, in bytes
    build, map_hash, packet_hash, contract_digest : as of `ebmhw.board.manifest.BitstreamEntry`
    """

    block: Block
    node: str
    address: int
    size: int
    build: int
    map_hash: int
    packet_hash: int
    contract_digest: str


@final
@dataclass(frozen=True)
class LoadedDesign:
    """Our design, in the programmable logic.

    Attributes
    ----------
    units : all of them, by name
    manager : state of the FPGA manager, None where there is none
    """

    units: Mapping[str, LoadedUnit]
    manager: str | None

    @property
    def build(self) -> int:
        """What register ``build`` of each unit reads."""
        return next(iter(self.units.values())).build

    @property
    def operating(self) -> bool:
        """Whether the FPGA manager says that the bitstream runs."""
        return self.manager == OPERATING

    def differences(self) -> list[str]:
        """Return in what the design is not one that this package can drive, a sentence each that names both sides; [] where it is."""
        told = []
        for name, found in self.units.items():
            unit = found.block.unit
            for what, theirs, ours in (("register map", found.map_hash, unit.registers.hash32), ("packets", found.packet_hash, unit.packet_hash)):
                if theirs != ours:
                    told.append(f"the {what} of {name} has hash {theirs:#010x} in the loaded design, {ours:#010x} in this version of ebmhw")
            if found.contract_digest != contract_digest():
                theirs_said, ours_said = found.contract_digest[:8], contract_digest()[:8]
                told.append(f"the contract's digest of {name} is {theirs_said} in the loaded design, {ours_said} in this version of ebmhw")
            if found.address != found.block.address:
                told.append(f"the registers of {name} are at {found.address:#x} in the loaded design, at {found.block.address:#x} in this version")
        return told


def loaded_design(root: Path = Path("/")) -> LoadedDesign | None:
    """Return what of ours is loaded, None where nothing is.

    Parameters
    ----------
    root : of the file system that the device tree is looked for in

    Raises
    ------
    BoardError
        A part of the design is there and the rest is not, a node does not say what it has to, or the tree cannot be read.
    """
    tree = tree_folder(root)
    compatible = {block.compatible: block for block in BLOCKS}
    units: dict[str, LoadedUnit] = {}
    for folder, parent in nodes(tree):
        names = strings(read_small(folder / "compatible"))
        found = next((compatible[name] for name in names if name in compatible), None)
        if found is None or strings(read_small(folder / "status"))[:1] not in ([], ["okay"], ["ok"]):
            continue
        unit = _unit(found, tree, folder, parent)
        other = units.setdefault(found.cell, unit)
        if other is not unit:
            raise _broken(f"it has two nodes of {found.cell}, {other.node} and {unit.node}")
    if not units:
        return None
    missing = [block.cell for block in BLOCKS if block.cell not in units]
    if missing:
        raise _broken(f"it has a node of {', '.join(units)} and none of {', '.join(missing)}: the design is half loaded, or half removed")
    units = {block.cell: units[block.cell] for block in BLOCKS}
    builds = {name: unit.build for name, unit in units.items()}
    if len(set(builds.values())) > 1:
        raise _broken("its nodes are of several designs: " + ", ".join(f"{name} of build {build:#010x}" for name, build in builds.items()))
    return LoadedDesign(units, manager_state(root))


def _unit(block: Block, tree: Path, folder: Path, parent: Path) -> LoadedUnit:
    node = "/" + folder.relative_to(tree).as_posix()
    cells = [_cell(parent / name, node, default) for name, default in (("#address-cells", 2), ("#size-cells", 1))]
    raw = read_small(folder / "reg") or b""
    # More ranges may follow; the registers' is the first.
    if not (1 <= cells[0] <= 2 and 1 <= cells[1] <= 2) or len(raw) < WORD_BYTES * sum(cells):
        raise _broken(f"reg of {node} has {len(raw)} bytes for {cells[0]} cells of address and {cells[1]} of size")
    middle = WORD_BYTES * cells[0]
    digest = strings(read_small(folder / CONTRACT_DIGEST))
    if len(digest) != 1 or not _DIGEST.fullmatch(digest[0]):
        raise _broken(f"{CONTRACT_DIGEST} of {node} is no SHA-256")
    build, map_hash, packet_hash = (_cell(folder / name, node) for name in (BUILD, MAP_HASH, PACKET_HASH))
    address, size = int.from_bytes(raw[:middle], "big"), int.from_bytes(raw[middle : WORD_BYTES * sum(cells)], "big")
    if size < block.unit.registers.size or address % WORD_BYTES:
        raise _broken(f"reg of {node} has {size} bytes at {address:#x}, the registers take {block.unit.registers.size}")
    return LoadedUnit(block, node, address, size, build, map_hash, packet_hash, digest[0])


def _cell(path: Path, node: str, default: int | None = None) -> int:
    raw = read_small(path)
    if raw is None and default is not None:
        return default
    if raw is None or len(raw) != WORD_BYTES:
        raise _broken(f"{path.name} of {node} is {'missing' if raw is None else f'{len(raw)} bytes long'}, not a cell of {WORD_BYTES} bytes")
    return int.from_bytes(raw, "big")


def _broken(what: str) -> BoardError:
    return BoardError(f"the device tree says of ebmhw what cannot be: {what}; load the firmware again (ebmhw board load --replace)")
