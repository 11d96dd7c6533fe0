"""What a design may take: a plan, written by hand, and a budget, written by ``--update``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final, final

import yaml

from hdl.size.netlist import LATCHES, RESOURCES, Multiplication
from hdl.size.report import DesignSize

TOLERANCE: Final = 0.05
"""How much a figure may grow over its budget, and fall below it without a word."""

TOTAL: Final = "all"
"""Name of the whole design in a budget."""

_UNITS: Final = {
    "lut": "LUT2-6",
    "lut1": "LUT1",
    "memory_lut": "LUTs as memory",
    "ff": "flip-flops",
    "carry": "CARRY8",
    "dsp": "DSP slices",
    "bram": "BRAM36",
    "uram": "UltraRAM",
}
_HEADER: Final = """\
# What hdl/configs/{config}.yaml takes by Yosys, each block by all its instances; more than 5 % over a figure fails.
# Written by `python -m hdl.size --config {config} --update`; say in the commit why a figure grew.
"""


@final
class BudgetError(ValueError):
    """A file is no plan or no budget; the text says which, and why."""


@final
@dataclass(frozen=True)
class Plan:
    """What a design must keep to, whatever its budget says.

    Attributes
    ----------
    device : name and resources of the part
    limits : of `RESOURCES`, and ``levels`` of logic between registers
    memories : primitives of each memory, ``block.memory``; a name may have wildcards. Tables of logic have none
    multiplications : slices of each, by ``block.register``, for one instance of the block, and which of their registers are used at least; a name may
        have wildcards
    """

    device: Mapping[str, Any]
    limits: Mapping[str, float]
    memories: Mapping[str, Mapping[str, int]]
    multiplications: Mapping[str, Multiplication]

    @classmethod
    def read(cls, path: Path) -> Plan:
        """Return the plan in a file; BudgetError names what is missing or unknown."""
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
        names = ["device", "limits", "memories", "multiplications"]
        if not isinstance(data, dict) or sorted(data) != names:
            raise BudgetError(f"{path}: a plan has {', '.join(names)}; this one has {', '.join(data) if isinstance(data, dict) else repr(data)}")
        for part, known in (("device", {"name", *RESOURCES}), ("limits", {"levels", *RESOURCES})):
            if unknown := set(data[part]) - known:
                raise BudgetError(f"{path}: {part} has {', '.join(sorted(unknown))}; it may have {', '.join(sorted(known))}")
        products = {name: Multiplication(**value) for name, value in (data["multiplications"] or {}).items()}
        return cls(data["device"], data["limits"], data["memories"] or {}, products)

    def problems(self, size: DesignSize) -> list[str]:
        """Return what a design does not keep to, a sentence each."""
        return [*self._over_limits(size), *self._memories(size), *self._multiplications(size)]

    def _over_limits(self, size: DesignSize) -> list[str]:
        found = []
        for resource, limit in self.limits.items():
            if resource == "levels":
                found += [
                    f"{path.end}: {path.levels} levels of logic from {path.start}, the limit is {limit:g}; put a register between"
                    for path in size.paths
                    if path.levels > limit
                ]
            elif size.total[resource] > limit:
                largest = sorted(size.blocks, key=lambda block: -block.total[resource])[:3]
                most = ", ".join(f"{block.name} {block.total[resource]:g}" for block in largest)
                found.append(f"all: {size.total[resource]:g} {_UNITS[resource]}, the limit is {limit:g}; make the largest blocks smaller: {most}")
        return found

    def _memories(self, size: DesignSize) -> list[str]:
        found, used = [], set()
        for block in size.blocks:
            for memory, (width, depth) in block.memories.items():
                name = f"{block.name}.{memory}"
                pattern = next((pattern for pattern in self.memories if fnmatchcase(name, pattern)), None)
                got = block.primitives.get(memory, {})
                if pattern is None:
                    found.append(f"{name}: a memory of {depth} x {width} bits that became {_listed(got)} is not in the plan; add it there")
                    continue
                used.add(pattern)
                if dict(self.memories[pattern]) != got:
                    found.append(
                        f"{name}: a memory of {depth} x {width} bits became {_listed(got)}, planned is {_listed(self.memories[pattern])}; "
                        "look at its ports and its ram_style, or change the plan"
                    )
            found += [
                f"{block.name}.{memory}: became {_listed(got)}, and is no memory of the design; look at what is written and read like one"
                for memory, got in block.primitives.items()
                if memory not in block.memories
            ]
        return found + [
            f"{pattern}: is in the plan, and the design has no such memory; take it out" for pattern in self.memories if pattern not in used
        ]

    def _multiplications(self, size: DesignSize) -> list[str]:
        found, used = [], set()
        products = {f"{block.name}.{name}": product for block in size.blocks for name, product in block.multiplications.items()}
        for name, got in sorted(products.items()):
            pattern = next((pattern for pattern in self.multiplications if fnmatchcase(name, pattern)), None)
            if pattern is None:
                found.append(f"{name}: a multiplication that became {_slices(got)} is not in the plan; add it there, or write it without a product")
                continue
            used.add(pattern)
            planned = self.multiplications[pattern]
            if got.dsp != planned.dsp or not set(planned.registers) <= set(got.registers):
                found.append(f"{name}: became {_slices(got)}, planned is {_slices(planned)}; look at its width and its registers, or change the plan")
        found += [
            f"{pattern}: planned is {_slices(planned)}, and no product became one; look at its width and its registers, or change the plan"
            for pattern, planned in self.multiplications.items()
            if pattern not in used
        ]
        return found


def sanity(size: DesignSize) -> list[str]:
    """Return what no design may have: latches, and cells that the device does not have."""
    found = []
    for block in size.blocks:
        for kind, count in sorted(block.unknown.items()):
            what = "latches; give the signal a value in every case" if kind in LATCHES else "cells that the device does not have; write it otherwise"
            found.append(f"{block.name}: {count} {kind}, {what}")
    return found


def read_budget(path: Path) -> dict[str, dict[str, float]]:
    """Return the figures of a budget by block; BudgetError where it is none."""
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    if not isinstance(data, dict) or not all(isinstance(figures, dict) and set(figures) <= set(RESOURCES) for figures in data.values()):
        raise BudgetError(f"{path}: this is no budget; write it anew with --update")
    return data


def written_budget(config: str, size: DesignSize) -> str:
    """Return a design's figures as the text of a budget."""
    lines = [_HEADER.format(config=config)]
    for name, figures in _figures(size).items():
        lines.append(f"{name}: {{{', '.join(f'{resource}: {value:g}' for resource, value in figures.items() if value)}}}\n")
    return "".join(lines)


def compare(size: DesignSize, budget: Mapping[str, Mapping[str, float]]) -> tuple[list[str], list[str]]:
    """Return where a design is over its budget, and hints where the budget is out of date."""
    problems, hints = [], []
    figures = _figures(size)
    for name in figures:
        if name not in budget:
            problems.append(f"{name}: a block that the budget does not know; run with --update")
            continue
        for resource in RESOURCES:
            now, before = figures[name][resource], budget[name].get(resource, 0)
            if now > before * (1 + TOLERANCE):
                grown = f"{now / before - 1:+.1%} of at most {TOLERANCE:+.0%}" if before else "of none"
                problems.append(
                    f"{name}: {now:g} {_UNITS[resource]}, the budget is {before:g} ({grown}); make it smaller, or run with --update and say why"
                )
            elif now < before * (1 - TOLERANCE):
                hints.append(f"{name}: {now:g} {_UNITS[resource]}, the budget is {before:g} ({now / before - 1:+.1%}); run with --update")
    hints += [f"{name}: is in the budget, and the design has no such block; run with --update" for name in budget if name not in figures]
    return problems, hints


def _figures(size: DesignSize) -> dict[str, Mapping[str, float]]:
    return {**{block.name: block.total for block in size.blocks}, TOTAL: size.total}


def _listed(primitives: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {kind}" for kind, count in sorted(primitives.items())) or "logic and flip-flops"


def _slices(product: Multiplication) -> str:
    return f"{product.dsp} DSP with registers {product.registers or 'none'}"
