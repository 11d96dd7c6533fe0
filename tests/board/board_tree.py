"""Synthetic file systems of a KV260: its device tree, its sysfs, and what is installed."""

from __future__ import annotations

from pathlib import Path

from ebmhw.board.block_design import BLOCKS, Block
from ebmhw.board.loaded import BUILD, CONTRACT_DIGEST, MAP_HASH, PACKET_HASH
from ebmhw.board.system import MANAGER, TREE
from ebmhw.contract.render import contract_digest

MODEL = "ZynqMP KV260 revB\0"
COMPATIBLE = "xlnx,zynqmp-sk-kv260-rev1\0xlnx,zynqmp-sk-kv260-revB\0xlnx,zynqmp-sk-kv260\0xlnx,zynqmp\0"
"""As a KV260 says; what describes the carrier card takes the place of what describes the module."""


def put(path: Path, content: bytes | str) -> None:
    """Write a file with its folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())


def cells(*values: int) -> bytes:
    """Return big-endian 32-bit cells."""
    return b"".join(value.to_bytes(4, "big") for value in values)


def properties(block: Block, build: int = 0x1234_5678) -> dict[str, bytes]:
    """Return what the node of a unit says while all is well."""
    return {
        "compatible": f"{block.compatible}\0".encode(),
        "reg": cells(0, block.address, 0, 0x1_0000),
        BUILD: cells(build),
        MAP_HASH: cells(block.unit.registers.hash32),
        PACKET_HASH: cells(block.unit.packet_hash),
        CONTRACT_DIGEST: f"{contract_digest()}\0".encode(),
    }


def add_unit(root: Path, block: Block, build: int = 0x1234_5678, **changes: bytes | None) -> Path:
    """Write the node of a unit, a change of a property None to leave it out; return its folder."""
    parent = root / TREE / "axi"
    put(parent / "#address-cells", cells(2))
    put(parent / "#size-cells", cells(2))
    node = parent / f"{block.cell}@{block.address:x}"
    for name, value in {**properties(block, build), **changes}.items():
        if value is not None:
            put(node / name, value)
    return node


def add_design(root: Path, build: int = 0x1234_5678, manager: str = "operating\n") -> None:
    """Write the nodes of all units, and the FPGA manager's state."""
    for block in BLOCKS:
        add_unit(root, block, build)
    put(root / MANAGER / "state", manager)


def add_machine(root: Path, model: str = MODEL, compatible: str = COMPATIBLE) -> None:
    """Write what the device tree and /etc of a board say of it, with nothing loaded."""
    put(root / TREE / "model", model)
    put(root / TREE / "compatible", compatible)
    put(root / TREE / "cpus/cpu@0/compatible", "arm,cortex-a53\0")
    put(root / MANAGER / "state", "operating\n")
