"""The sizes of a design's blocks, as a table and as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, final

from hdl.size.blocks import Block, plain
from hdl.size.netlist import RESOURCES, Multiplication, Netlist
from hdl.size.paths import LogicPath
from hdl.size.synthesis import Mapped

_HEADINGS: Final = ("LUT2-6", "LUT1", "LUTRAM", "FF", "CARRY8", "DSP", "BRAM36", "URAM")
_DEEPEST: Final = 10
# Blocks with less than this part of all LUTs are not taken apart.
_PARTS_FROM: Final = 0.05


@final
@dataclass(frozen=True)
class BlockSize:
    """A block, and what one of its instances takes.

    Attributes
    ----------
    name, count : of the block
    one : how much of each resource one instance takes
    parts : the same for what is within it, by name; ``""`` is what is in none
    registers : the same for each register, with the logic in front of it
    memories : width and depth of each
    primitives : what each memory became
    multiplications : what became DSP slices
    unknown : cells that are no primitives of the device
    abc9_levels : levels of logic within the block, as abc9 counts
    levels : levels of the deepest path that ends in the block
    """

    name: str
    count: int
    one: Mapping[str, float]
    parts: Mapping[str, Mapping[str, float]]
    registers: Mapping[str, Mapping[str, float]]
    memories: Mapping[str, tuple[int, int]]
    primitives: Mapping[str, Mapping[str, int]]
    multiplications: Mapping[str, Multiplication]
    unknown: Mapping[str, int]
    abc9_levels: int
    levels: int

    @classmethod
    def of(cls, block: Block, mapped: Mapped, blocks: Sequence[Block], levels: int) -> BlockSize:
        """Return the size of a synthesised block of ``blocks``."""
        netlist = mapped.netlist
        return cls(
            name=block.name,
            count=block.count,
            one=netlist.resources,
            parts=_parts(netlist),
            registers=netlist.registers,
            memories=block.memories,
            primitives=netlist.memories,
            multiplications=netlist.multiplications,
            unknown=netlist.unknown(plain(other.module) for other in blocks),
            abc9_levels=mapped.abc9_levels,
            levels=levels,
        )

    @property
    def total(self) -> dict[str, float]:
        """How much all instances take."""
        return {resource: self.count * self.one[resource] for resource in RESOURCES}


@final
@dataclass(frozen=True)
class DesignSize:
    """A design: its blocks, and the deepest path to each register, deepest first."""

    blocks: tuple[BlockSize, ...]
    paths: tuple[LogicPath, ...]

    @cached_property
    def total(self) -> dict[str, float]:
        """How much all blocks take."""
        return {resource: sum(block.total[resource] for block in self.blocks) for resource in RESOURCES}

    def to_json(self, facts: Mapping[str, Any]) -> str:
        """Return all of it with ``facts`` as JSON."""
        blocks = {}
        for block in self.blocks:
            blocks[block.name] = {
                "count": block.count,
                "one": _rounded(block.one),
                "total": _rounded(block.total),
                "levels": block.levels,
                "abc9_levels": block.abc9_levels,
                "parts": {name: _rounded(part) for name, part in block.parts.items()},
                "registers": {name: _rounded(register) for name, register in sorted(block.registers.items())},
                "memories": {
                    name: {"width": width, "depth": depth, "primitives": block.primitives.get(name, {})}
                    for name, (width, depth) in block.memories.items()
                },
                "multiplications": {name: {"dsp": product.dsp, "registers": product.registers} for name, product in block.multiplications.items()},
            }
        paths = [{"levels": path.levels, "from": path.start, "to": path.end} for path in self.paths]
        return json.dumps({**facts, "total": _rounded(self.total), "blocks": blocks, "paths": paths}, indent=1) + "\n"


def table(size: DesignSize, device: Mapping[str, Any] | None) -> str:
    """Return blocks, largest first, the whole, and the device if one is given, as lines of text; then the deepest paths."""
    rows: list[tuple[str, str, Mapping[str, float], str]] = []
    for block in sorted(size.blocks, key=lambda block: (-block.total["lut"], block.name)):
        rows.append((block.name, str(block.count), block.total, str(block.levels)))
        if block.total["lut"] < _PARTS_FROM * size.total["lut"]:
            continue
        if block.count > 1:
            rows.append(("  one of them", "", block.one, ""))
        if len(block.parts) > 1:
            rows += [(f"    {name or '(the rest)'}", "", part, "") for name, part in sorted(block.parts.items(), key=lambda item: -item[1]["lut"])]
    levels = max((block.levels for block in size.blocks), default=0)
    rows.append(("all", "", size.total, str(levels)))
    wide = max(len(row[0]) for row in rows)
    lines = [f"{'block':{wide}} {'count':>5} " + " ".join(f"{heading:>7}" for heading in _HEADINGS) + "  levels"]
    for name, count, figures, deep in rows:
        if name == "all":
            lines.append("-" * len(lines[0]))
        lines.append(f"{name:{wide}} {count:>5} " + " ".join(f"{_figure(figures[resource]):>7}" for resource in RESOURCES) + f"  {deep:>6}")
    if device:
        shares = {resource: size.total[resource] / device[resource] for resource in RESOURCES if resource in device}
        lines.append(f"{device['name']:{wide}} {'':5} " + " ".join(f"{device.get(resource, ''):>7}" for resource in RESOURCES))
        lines.append(f"{'':{wide}} {'':5} " + " ".join(f"{shares[at]:>7.0%}" if at in shares else " " * 7 for at in RESOURCES))
    lines += ["", "deepest paths (levels of LUTs and carry chains from register to register):"]
    lines += [f"  {path.levels:2} {path.start} -> {path.end}" for path in size.paths[:_DEEPEST]]
    return "\n".join(lines)


def register_table(block: BlockSize) -> str:
    """Return what each register of a block takes with the logic in front of it, the most LUTs first."""
    rows = sorted(block.registers.items(), key=lambda item: (-item[1]["lut"], -item[1]["ff"], item[0]))
    wide = max((len(name) for name, _ in rows), default=0)
    shown = ("lut", "lut1", "memory_lut", "ff", "carry")
    headings = dict(zip(RESOURCES, _HEADINGS, strict=True))
    lines = [f"{'register of ' + block.name:{max(wide, 20)}} " + " ".join(f"{headings[resource]:>7}" for resource in shown)]
    lines += [f"{name:{max(wide, 20)}} " + " ".join(f"{_figure(figures[resource]):>7}" for resource in shown) for name, figures in rows]
    return "\n".join(lines)


def _parts(netlist: Netlist) -> dict[str, dict[str, float]]:
    """Return what the parts within a block take, by their registers; logic that serves several belongs to each in parts."""
    parts: dict[str, dict[str, float]] = {}
    for register, used in netlist.registers.items():
        part = parts.setdefault(_part(register), dict.fromkeys(RESOURCES, 0.0))
        for resource, amount in used.items():
            part[resource] += amount
    for product, slices in netlist.multiplications.items():
        parts.setdefault(_part(product), dict.fromkeys(RESOURCES, 0.0))["dsp"] += slices.dsp
    return parts


def _part(name: str) -> str:
    return name.partition(".")[0] if "." in name else ""


def _figure(value: float) -> str:
    return "" if not value else f"{value:,.0f}" if value == round(value) or value > 100 else f"{value:,.1f}"


def _rounded(figures: Mapping[str, float]) -> dict[str, float]:
    return {resource: round(value, 2) for resource, value in figures.items() if value}
