"""Measure a design: elaborate it, check it whole, synthesise its blocks, follow its paths."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path

from amaranth.lib import wiring

from hdl.convert import rtlil_of
from hdl.size.blocks import blocks, plain
from hdl.size.paths import deepest
from hdl.size.report import BlockSize, DesignSize
from hdl.size.synthesis import check_whole, synthesise


def rtlil(component: wiring.Component, module: str) -> str:
    """Return the RTLIL of a component and of all that it instantiates."""
    return "\n".join(source for _, source in rtlil_of(component, module).values())


def measure(
    text: str, top: str, split: Collection[str], cache: Path, *, jobs: int = 1, tell: Callable[[str], None] = lambda _: None
) -> tuple[DesignSize, list[str]]:
    """Return the size of a design, and what is wrong with it whatever its size.

    Parameters
    ----------
    text : RTLIL of all modules
    top : name of the top module
    split : see `blocks`
    cache : folder of earlier results
    jobs : how many blocks are synthesised at once
    tell : is told what is done

    Raises
    ------
    hdl.size.synthesis.SynthesisError
        Yosys does not take the design.
    ValueError
        The design has no such top or parts.
    """
    parts = blocks(text, top, split)
    problems = check_whole(text, top)
    tell(f"the whole: {len(problems)} latches, loops and signals without one driver")
    if problems:
        # A loop would have no deepest path.
        return DesignSize((), ()), [f"{top}: {problem}" for problem in problems]
    mapped = synthesise(parts, cache, jobs, tell)
    modules = {plain(part.module): part.name for part in parts}
    paths = deepest({name: found.netlist for name, found in mapped.items()}, modules, modules[top])
    levels = {path.block: path.levels for path in reversed(paths)}
    sizes = [BlockSize.of(part, mapped[part.name], parts, levels.get(part.name, 0)) for part in parts]
    return DesignSize(tuple(sizes), tuple(paths)), []
