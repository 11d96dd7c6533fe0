"""Blocks through Yosys, one process each, and what the whole design is checked for before."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import importlib.metadata
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, final

from hdl.files import write_whole
from hdl.size.blocks import Block
from hdl.size.netlist import Netlist

LIMIT_S: Final = 1800.0
"""Seconds that one run of Yosys may take."""

_YOSYS: Final = "import sys; from pyosys import libyosys; libyosys.run_pass(sys.argv[1], libyosys.Design())"

_SYNTHESIS: Final = "synth_xilinx -family xcup -flatten -uram -noiopad -noclkbuf -top {top} -run"

# Yosys knows no distributed ROM, only logic, which takes the same LUTs.
# Yosys uses the registers and the adder of a DSP slice on a DSP48E1 alone, and leaves a DSP48E2, which has the same, without.
_BLOCK: Final = (
    "read_rtlil design.il",
    "setattr -unset rom_style m:*",
    f"{_SYNTHESIS} begin:coarse",
    "chtype -set DSP48E1 t:DSP48E2",
    "xilinx_dsp -family xc7",
    "chtype -set DSP48E2 t:DSP48E1",
    f"{_SYNTHESIS} coarse:",
    "select {top}",
    "write_json -selected netlist.json",
)
_WHOLE: Final = (
    "read_rtlil design.il",
    "hierarchy -check -top {top}",
    "proc",
    "flatten",
    "tee -q -o check.txt check -nolatches -force-detailed-loop-check",
    "tee -q -o loops.txt scc",
)
_MAPPED: Final = re.compile(r"^ABC: Mapping \(K=\d+\) .* lev = +(\d+)", re.MULTILINE)
_PROBLEM: Final = re.compile(r"^Warning: (.*(?:\n    .*)*)", re.MULTILINE)
_LOOPS: Final = re.compile(r"^Found (\d+) SCCs\.", re.MULTILINE)

Tell = Callable[[str], None]


@final
class SynthesisError(Exception):
    """Yosys did not take a block, or took too long; the text says which, and why."""


@final
@dataclass(frozen=True)
class Mapped:
    """A block after synthesis: its netlist, and the levels of logic that abc9 tells of."""

    netlist: Netlist
    abc9_levels: int


def synthesise(blocks: Sequence[Block], cache: Path, jobs: int, tell: Tell) -> dict[str, Mapped]:
    """Return each block's netlist, by name.

    Parameters
    ----------
    blocks : in any order; of those that are alike but for their names one is synthesised
    cache : folder of earlier results; a block whose RTLIL is the same is taken from there
    jobs : how many run at once
    tell : is told of each block that is done

    Raises
    ------
    SynthesisError
        Yosys does not take a block.
    """
    results: dict[str, Mapped] = {}
    todo = []
    for block in blocks:
        path = cache / f"{_key(block)}.json.gz"
        if path.is_file():
            results[block.name] = _mapped(json.loads(gzip.decompress(path.read_bytes())), block)
        else:
            todo.append(block)
    if results:
        tell(f"unchanged: {', '.join(results)}")
    alike: dict[str, list[Block]] = {}
    for block in todo:
        alike.setdefault(_anonymous(block), []).append(block)
    groups = {group[0].name: group for group in alike.values()}
    # The largest first, so that none is left alone at the end.
    order = sorted((group[0] for group in alike.values()), key=lambda block: -len(block.text))
    for name, folder, seconds in _runs([(block.name, block.text, _filled(_BLOCK, f"\\{block.module}")) for block in order], jobs):
        module = json.loads((folder / "netlist.json").read_text())["modules"][groups[name][0].module]
        levels = [int(found) for found in _MAPPED.findall((folder / "log").read_text(errors="replace"))]
        found = {"module": _trimmed(module), "abc9_levels": max(levels, default=0)}
        for block in groups[name]:
            write_whole(cache / f"{_key(block)}.json.gz", gzip.compress(json.dumps(found).encode(), 5, mtime=0))
            results[block.name] = _mapped(found, block)
        tell(f"{', '.join(block.name for block in groups[name])}: {seconds:.0f} s")
    return {block.name: results[block.name] for block in blocks}


def check_whole(text: str, top: str) -> list[str]:
    """Return what Yosys finds wrong with a design before synthesis: latches, loops of logic, signals with no driver or with two.

    Parameters
    ----------
    text : RTLIL of all modules
    top : name of the top module
    """
    problems = []
    for _, folder, _ in _runs([(top, text, _filled(_WHOLE, top))], 1):
        problems += [" ".join(problem.split()) for problem in _PROBLEM.findall((folder / "check.txt").read_text())]
        loops = _LOOPS.search((folder / "loops.txt").read_text())
        if loops is None or int(loops[1]):
            problems.append(f"{loops[1] if loops else 'unknown'} loops of logic ('scc')")
    return problems


def _filled(steps: Sequence[str], top: str) -> str:
    return "; ".join(step.format(top=top) for step in steps)


def _anonymous(block: Block) -> str:
    """Return a block's RTLIL without its own name: that of equal parts of a design is the same."""
    return re.sub(rf"\\{re.escape(block.module)}(?=[\s.])", r"\\block", block.text)


def _key(block: Block) -> str:
    facts = [block.text, _filled(_BLOCK, f"\\{block.module}"), importlib.metadata.version("pyosys")]
    return hashlib.sha256("\0".join(facts).encode()).hexdigest()[:24]


def _mapped(found: dict[str, Any], block: Block) -> Mapped:
    return Mapped(Netlist.of(found["module"], block), found["abc9_levels"])


def _trimmed(module: dict[str, Any]) -> dict[str, Any]:
    cells = {}
    for name, cell in module["cells"].items():
        parameters = {key: value for key, value in cell["parameters"].items() if cell["type"] == "DSP48E2" and key.endswith("REG")}
        cells[name] = {key: cell[key] for key in ("type", "port_directions", "connections")} | {"parameters": parameters}
    names = {name: {key: net[key] for key in ("hide_name", "bits")} for name, net in module["netnames"].items() if not net["hide_name"]}
    return {"ports": module["ports"], "cells": cells, "netnames": names}


def _runs(tasks: Sequence[tuple[str, str, str]], jobs: int) -> Iterator[tuple[str, Path, float]]:
    """Run Yosys on (name, RTLIL, commands); yield name, folder and seconds of each that is done, whose folder is there until the next."""
    with tempfile.TemporaryDirectory(prefix="ebmhw-size-") as place, contextlib.ExitStack() as stack:
        waiting, running = list(reversed(tasks)), {}
        while waiting or running:
            while waiting and len(running) < jobs:
                name, text, commands = waiting.pop()
                folder = Path(tempfile.mkdtemp(dir=place))
                (folder / "design.il").write_text(text)
                log = stack.enter_context((folder / "log").open("wb"))
                process = subprocess.Popen([sys.executable, "-c", _YOSYS, commands], cwd=folder, stdout=log, stderr=log)
                stack.callback(_end, process)
                running[name] = process, folder, time.monotonic()
            for name, (process, folder, start) in list(running.items()):
                seconds = time.monotonic() - start
                if process.poll() is None:
                    if seconds > LIMIT_S:
                        raise SynthesisError(f"{name}: Yosys has taken more than {LIMIT_S:.0f} s; make the block smaller, or split it")
                    continue
                del running[name]
                if process.returncode:
                    raise SynthesisError(f"{name}: Yosys does not take this block:\n{_error((folder / 'log').read_text(errors='replace'))}")
                yield name, folder, seconds
            time.sleep(0.05)


def _error(log: str) -> str:
    """Return the error in a log, or else the log's end."""
    # Yosys writes errors past the buffer of its other output, so that they begin anywhere in a line.
    at = log.find("ERROR")
    return "\n".join(log[at:].splitlines()[:10] if at >= 0 else log.splitlines()[-10:])


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.kill()
        process.wait()
