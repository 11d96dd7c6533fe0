"""The netlist of a block after synthesis: what it uses, and for what."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from graphlib import TopologicalSorter
from typing import Any, Final, final

from hdl.size.blocks import Block, plain

RESOURCES: Final = ("lut", "lut1", "memory_lut", "ff", "carry", "dsp", "bram", "uram")
"""LUT2 to LUT6; LUT1 and inverters; LUTs used as memory or shift register; flip-flops; CARRY8; DSP slices; block RAM of 36 Kib; UltraRAM."""

# How much of which resource a primitive takes. Yosys makes the carry chains of UltraScale+ from the CARRY4 of older families.
_USES: Final[dict[str, tuple[str, float]]] = {
    **{f"LUT{inputs}": ("lut", 1) for inputs in range(2, 7)},
    **dict.fromkeys(("LUT1", "INV"), ("lut1", 1)),
    **dict.fromkeys(("SRL16E", "SRLC32E", "RAM32X1S", "RAM64X1S"), ("memory_lut", 1)),
    **dict.fromkeys(("RAM32X1D", "RAM64X1D", "RAM128X1S"), ("memory_lut", 2)),
    **dict.fromkeys(("RAM128X1D", "RAM256X1S", "RAM32M", "RAM64M"), ("memory_lut", 4)),
    **dict.fromkeys(("RAM256X1D", "RAM512X1S", "RAM32M16", "RAM64M8"), ("memory_lut", 8)),
    **dict.fromkeys(("FDRE", "FDSE", "FDCE", "FDPE"), ("ff", 1)),
    "CARRY8": ("carry", 1),
    "CARRY4": ("carry", 0.5),
    "DSP48E2": ("dsp", 1),
    "RAMB36E2": ("bram", 1),
    "RAMB18E2": ("bram", 0.5),
    "URAM288": ("uram", 1),
}
_FREE: Final = ("MUXF7", "MUXF8", "MUXF9", "BUFG", "$scopeinfo")
LATCHES: Final = ("LDCE", "LDPE", "LDCPE", "$_DLATCH_P_", "$_DLATCH_N_")

_MEMORIES: Final = ("RAMB", "URAM", "RAM32", "RAM64", "RAM128", "RAM256", "RAM512")
_LOGIC: Final = ("LUT", "INV", "CARRY", "MUXF")
# A product of more than one slice makes cells ``$12.genblk1.sliceA.last.genblk1.mul``.
_SLICE: Final = re.compile(r"\.(?:genblk\d+|slice[AB]\S*|mul\S*|last)\b.*\Z")
# A memory makes cells ``name.0.3``, one whose ports share an address ``name.0.3.genblk1.genblk1[5].genblk1.slice``.
_TILE: Final = re.compile(r"\.\d+\.\d+(?:\.genblk\d+(?:\[\d+\])?|\.slice)*\Z")
_SHARED_FROM: Final = 4
SHARED: Final = "(shared)"

Bit = int | str


@final
@dataclass(frozen=True)
class Cell:
    """A primitive, or a block within: its type, parameters as bit strings, and the bits at its ports."""

    kind: str
    parameters: Mapping[str, str]
    inputs: Mapping[str, tuple[Bit, ...]]
    outputs: Mapping[str, tuple[Bit, ...]]

    @property
    def is_logic(self) -> bool:
        """Whether paths lead through it: also through a DSP slice of which no register behind the multiplier is used."""
        return self.kind.startswith(_LOGIC) or (self.kind == "DSP48E2" and not self.absorbed & {"M", "P"})

    @property
    def is_memory(self) -> bool:
        """Whether it is a piece of a memory."""
        return self.kind.startswith(_MEMORIES)

    @property
    def absorbed(self) -> set[str]:
        """Registers of a DSP slice that are used, of A, B, C, M and P."""
        return {name for name in "ABCMP" if int(self.parameters.get(f"{name}REG", "0"), 2)}


@final
@dataclass(frozen=True)
class Multiplication:
    """A product: its slices, and which of their registers are used, of A, B, C, M and P."""

    dsp: int
    registers: str


@final
@dataclass(frozen=True)
class Netlist:
    """A block of primitives.

    Attributes
    ----------
    ports : direction and bits
    cells : by name
    names : the register, or else the signal, that a bit belongs to
    products : names of multiplications by their cells
    """

    ports: Mapping[str, tuple[str, tuple[Bit, ...]]]
    cells: Mapping[str, Cell]
    names: Mapping[Bit, str]
    products: Mapping[str, str]

    @classmethod
    def of(cls, module: Mapping[str, Any], block: Block) -> Netlist:
        """Return a block that ``write_json`` wrote as ``module``."""
        cells = {}
        for name, cell in module["cells"].items():
            bits: dict[str, dict[str, tuple[Bit, ...]]] = {"input": {}, "output": {}}
            for port, at in cell["connections"].items():
                bits[cell["port_directions"][port]][block.original(port)] = tuple(at)
            cells[name] = Cell(plain(cell["type"]), cell["parameters"], bits["input"], bits["output"])
        known = block.registers
        names: dict[Bit, str] = {}
        ranks: dict[Bit, tuple[bool, int, int, str]] = {}
        for name, net in module["netnames"].items():
            if net["hide_name"]:
                continue
            rank = (name not in known, name.count("."), len(name), name)
            for bit in net["bits"]:
                if bit not in ranks or rank < ranks[bit]:
                    ranks[bit], names[bit] = rank, plain(name)
        ports = {block.original(name): (port["direction"], tuple(port["bits"])) for name, port in module["ports"].items()}
        return cls(ports, cells, names, block.products)

    @cached_property
    def resources(self) -> dict[str, float]:
        """How much it uses of each of `RESOURCES`."""
        used = dict.fromkeys(RESOURCES, 0.0)
        for cell in self.cells.values():
            if cell.kind in _USES:
                resource, amount = _USES[cell.kind]
                used[resource] += amount
        return used

    def unknown(self, blocks: Iterable[str]) -> Counter[str]:
        """Return the cells that are no primitives of the device and not of ``blocks``."""
        known = {*_USES, *_FREE, *blocks}
        return Counter(cell.kind for cell in self.cells.values() if cell.kind not in known)

    @cached_property
    def memories(self) -> dict[str, dict[str, int]]:
        """The primitives of each memory."""
        found: dict[str, Counter[str]] = {}
        for name, cell in self.cells.items():
            if cell.is_memory:
                found.setdefault(memory_name(name), Counter())[cell.kind] += 1
        return {name: dict(kinds) for name, kinds in sorted(found.items())}

    @cached_property
    def multiplications(self) -> dict[str, Multiplication]:
        """What became DSP slices, by the name that the design gives it."""
        slices: dict[str, list[str]] = {}
        for name, cell in self.cells.items():
            if cell.kind == "DSP48E2":
                slices.setdefault(_SLICE.sub("", name), []).append(name)
        found = {}
        for root, names in slices.items():
            absorbed = set().union(*(self.cells[name].absorbed for name in names))
            found[self._product_name(root)] = Multiplication(len(names), "".join(sorted(absorbed)))
        return dict(sorted(found.items()))

    @cached_property
    def registers(self) -> dict[str, dict[str, float]]:
        """What each register or output takes, with the logic in front of it; logic that serves more than four is under `SHARED`."""
        used: dict[str, dict[str, float]] = {}
        for name, cell in self.cells.items():
            if cell.kind not in _USES:
                continue
            resource, amount = _USES[cell.kind]
            if name in self._reach:
                owners = self._reach[name]
            elif resource in ("ff", "memory_lut") and not cell.is_memory:
                owners = frozenset({self.name_of(name)})
            else:
                continue
            for owner in owners:
                entry = used.setdefault(owner, dict.fromkeys(RESOURCES, 0.0))
                entry[resource] += amount / len(owners)
        return used

    def name_of(self, cell: str) -> str:
        """Return the memory or the product that a cell is a piece of, or the register that it holds, or else its own name."""
        if self.cells[cell].is_memory:
            return memory_name(cell)
        if self.cells[cell].kind == "DSP48E2":
            return self._product_name(_SLICE.sub("", cell))
        bits = (bit for bits in self.cells[cell].outputs.values() for bit in bits)
        return next((self.names[bit] for bit in bits if bit in self.names), plain(cell.removeprefix("$flatten\\")))

    def _product_name(self, cell: str) -> str:
        place = cell.removeprefix("$flatten\\")
        return self.products.get(place, place)

    @cached_property
    def _readers(self) -> dict[Bit, set[str]]:
        """The cells that read a bit, and the output ports that it is at, as ``>port``."""
        found: dict[Bit, set[str]] = {}
        for name, cell in self.cells.items():
            for bits in cell.inputs.values():
                for bit in bits:
                    found.setdefault(bit, set()).add(name)
        for name, (direction, bits) in self.ports.items():
            for bit in bits if direction == "output" else ():
                found.setdefault(bit, set()).add(f">{name}")
        return found

    @cached_property
    def _reach(self) -> dict[str, frozenset[str]]:
        """The registers, memories and output ports that a cell of logic leads to."""
        logic = {name for name, cell in self.cells.items() if cell.is_logic}
        after = {
            name: {reader for bits in self.cells[name].outputs.values() for bit in bits for reader in self._readers.get(bit, ())} for name in logic
        }
        found: dict[str, frozenset[str]] = {}
        for name in TopologicalSorter({name: readers & logic for name, readers in after.items()}).static_order():
            ends = frozenset().union(*(found[reader] if reader in logic else {self._end(reader)} for reader in after[name]))
            found[name] = ends if len(ends) <= _SHARED_FROM else frozenset({SHARED})
        return found

    def _end(self, reader: str) -> str:
        return plain(reader) if reader.startswith(">") else self.name_of(reader)


def memory_name(cell: str) -> str:
    """Return the memory that a cell ``memory.1.0`` is a piece of."""
    return plain(_TILE.sub("", cell))
