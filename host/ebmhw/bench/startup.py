"""Time and memory before the first sample: a lattice of a million spins from its file, and the import of the package.

Each measurement is a fresh interpreter, and its CPU seconds and peak memory are those of the whole process, imports among them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from ebmhw.bench import graphs
from ebmhw.bench.harness import Case, Measure, Peer, PeerMissing

IMPORT_LIMIT = 0.7
"""CPU seconds of a fresh interpreter that imports every name of the package."""

_SIDE = 1000
_QUICK_SIDE = 200

_IMPORT_OURS = "import ebmhw; [getattr(ebmhw, name) for name in ebmhw.__all__]"
_IMPORT_DWAVE = "import dimod, dwave.samplers"
_TIME = "; import time; print(time.process_time())"


def cases(quick: bool) -> list[Case]:
    """Return the cases of start-up; ``quick`` takes a lattice of 40,000 spins."""
    side = _QUICK_SIDE if quick else _SIDE
    what = "of a fresh process that reads a G-set file, builds the model and draws 1 read of 1 sweep"
    return [
        Case(
            name="startup/import",
            measures="CPU seconds of a fresh interpreter that imports every public name",
            unit="s",
            ours=lambda _: lambda number: _import(_IMPORT_OURS),
            peers=(Peer("dwave-samplers", _import_dwave),),
            higher_is_better=False,
            goal=IMPORT_LIMIT,
        ),
        _lattice(f"startup/lattice {side}x{side} time", f"CPU seconds {what}", "s", "cpu_s", side, 3),
        _lattice(f"startup/lattice {side}x{side} memory", f"peak memory {what}", "MB", "peak_mb", side, 1),
    ]


def _lattice(name: str, measures: str, unit: str, key: str, side: int, rounds: int) -> Case:
    def setup(stack: ExitStack) -> Path:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="ebmhw-bench-"))
        return write_lattice(side, Path(folder) / "lattice.txt")

    return Case(
        name=name,
        measures=measures,
        unit=unit,
        setup=setup,
        ours=lambda path: _child("ours", path, key),
        peers=(
            Peer("dwave-samplers, arrays", lambda path: _child("vectors", path, key)),
            Peer("dwave-samplers, line by line", lambda path: _child("loop", path, key)),
        ),
        higher_is_better=False,
        max_rounds=rounds,
        warm_up=False,
    )


def write_lattice(side: int, path: Path) -> Path:
    """Write a side x side lattice that is closed both ways, couplings +-1, always the same, as a G-set file."""
    import numpy as np

    edges = graphs.torus(side, side) + 1
    weights = np.random.default_rng(side).choice(np.array([-1, 1]), len(edges))
    with path.open("w", encoding="ascii") as file:
        file.write(f"{side * side} {len(edges)}\n")
        file.writelines(f"{a} {b} {w}\n" for (a, b), w in zip(edges.tolist(), weights.tolist(), strict=True))
    return path


def _run(arguments: list[str]) -> str:
    one = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False, env={**os.environ, **one})
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise RuntimeError(f"the process ended with {done.returncode}: {last}")
    return done.stdout


def _child(side: str, path: Path, key: str) -> Measure:
    if side != "ours":
        # Here rather than in the child, so that a peer that is not installed is known before any round.
        from importlib.util import find_spec

        for module in ("dimod", "dwave", "dwave.samplers"):
            if find_spec(module) is None:
                raise ImportError(f"No module named {module!r}")

    def measure(number: int) -> float:
        found: dict[str, Any] = json.loads(_run(["-m", "ebmhw.bench.child", side, str(path)]).splitlines()[-1])
        if found.get("missing"):
            raise RuntimeError(found["missing"])
        if found[key] is None:
            raise PeerMissing("this system does not tell how much memory a process has had")
        return float(found[key])

    return measure


def _import(code: str) -> float:
    return float(_run(["-c", code + _TIME]))


def _import_dwave(_: Any) -> Measure:
    import dwave.samplers  # noqa: F401  # whether it is there at all

    return lambda number: _import(_IMPORT_DWAVE)
