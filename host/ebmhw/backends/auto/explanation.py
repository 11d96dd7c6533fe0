"""Explanations: what each backend is expected to take for some work, in its parts, and which one "auto" takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, final

import numpy as np

from ebmhw.backends.auto.calibration import Calibrations, Record, board_key, cpu_key
from ebmhw.backends.auto.chooser import Choice, Chooser, shown_seconds
from ebmhw.backends.auto.cost import PARTS, PhiWork, ProgramLoad, RunWork
from ebmhw.backends.auto.fit import Prediction
from ebmhw.backends.core import CoreBackend
from ebmhw.backends.cpu import CpuBackend
from ebmhw.errors import BackendUnavailable
from ebmhw.model import Model
from ebmhw.program import Program

_CONFIG: Final = "kv260"
"""Configuration of the design that a board would hold."""


@final
@dataclass(frozen=True)
class Expectation:
    """What a backend is expected to take.

    Attributes
    ----------
    backend : its name
    time : in its parts; None where nothing can be said
    at_least_s : seconds that it takes at the least where ``time`` is None, if that is known
    missing : what would tell more, None where nothing is missing
    """

    backend: str
    time: Prediction | None
    at_least_s: float | None = None
    missing: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        time = None if self.time is None else {"seconds": self.time.seconds, "parts_s": dict(self.time.parts), "within_factor": self.time.factor}
        return {"backend": self.backend, "expected": time, "at_least_s": self.at_least_s, "missing": self.missing}


@final
@dataclass(frozen=True)
class Explanation:
    """Some work and where it would be done.

    Attributes
    ----------
    work : what it is, in words
    backends : what each is expected to take
    chosen : the one that "auto" takes
    because : why
    """

    work: str
    backends: Sequence[Expectation]
    chosen: str
    because: str

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        return {"work": self.work, "backends": [one.to_dict() for one in self.backends], "chosen": self.chosen, "because": self.because}


@final
class Explainer:
    """Explains choices between the CPU and a board.

    Parameters
    ----------
    cpu : the CPU
    board : the board's backend, or why there is none
    calibrations : what has been measured
    board_name : of the board's backend
    """

    def __init__(self, cpu: CpuBackend, board: CoreBackend | str, calibrations: Calibrations, board_name: str = "kv260") -> None:
        self._threads, self._board, self._board_name = cpu.threads, board, board_name
        self._cpu = calibrations.find("cpu", cpu_key(cpu.threads, cpu.instruction_set), board_name)
        self._record: Record | str = board if isinstance(board, str) else calibrations.find(board.name, board_key(board), board_name)
        self._chooser: Chooser | None = None
        if isinstance(board, CoreBackend) and isinstance(self._cpu, Record) and isinstance(self._record, Record):
            self._chooser = Chooser(self._cpu, self._threads, board, self._record)

    def run(self, program: Program, reads: int, sweeps: int, rule: str) -> Explanation:
        """Explain the first run of a program at a temperature a sweep."""
        work = RunWork(ProgramLoad(program), np.zeros(0, dtype=np.int32), reads, sweeps, sweeps, 0, rule)
        about = f"{program.n} spins, {program.weights.num_terms} terms, {reads} reads of {sweeps} sweeps, {rule}"
        cpu, board, misfit = None, None, None
        if isinstance(self._cpu, Record):
            cpu = self._cpu.run.predict(work.on_cpu(self._threads, fresh=True), PARTS["cpu run"])
        if self._chooser is not None:
            misfit = self._chooser.misfit(program, rule, work)
            board = None if misfit is not None else self._chooser.board_run(work, fresh=True, loads=True)
        return self._explanation(about, cpu, board, misfit, _least_seconds(work) if isinstance(self._board, str) else None)

    def phi(self, rows: int, entries: int, format: str) -> Explanation:
        """Explain a measurement of logits."""
        work = PhiWork(rows, entries, format)
        cpu = board = misfit = None
        if isinstance(self._cpu, Record) and self._cpu.phi is not None:
            cpu = self._cpu.phi.predict(work.on_cpu(self._threads), PARTS["cpu phi"])
        if self._chooser is not None:
            misfit = self._chooser.phi_misfit(entries)
            board = None if misfit is not None else self._chooser.board_phi(work)
        return self._explanation(f"logits of {rows} rows of {entries} {format}", cpu, board, misfit, None)

    def _explanation(self, work: str, cpu: Prediction | None, board: Prediction | None, misfit: str | None, at_least: float | None) -> Explanation:
        cpu_missing = self._cpu if isinstance(self._cpu, str) else None
        board_missing = misfit if misfit is not None else self._record if isinstance(self._record, str) else None
        backends = (Expectation("cpu", cpu, None, cpu_missing), Expectation(self._board_name, board, at_least, board_missing))
        if cpu is not None and board is not None:
            choice: Choice = Choice.between(cpu, board, self._board_name)
            return Explanation(work, backends, self._board_name if choice.on_board else "cpu", choice.because)
        return Explanation(work, backends, "cpu", f"auto: cpu, since {board_missing or cpu_missing}")


def typical(explainer: Explainer) -> list[Explanation]:
    """Return explanations of typical work: annealing of four programs in 1, 64 and 1,024 reads, and logits of language models."""
    found = []
    for n, degree, weighted in ((64, 63, True), (800, 48, False), (2000, 4, False), (8192, 8, False)):
        program = _program(n, degree, weighted)
        found += [explainer.run(program, reads, 1000, "metropolis") for reads in (1, 64, 1024)]
    return found + [explainer.phi(rows, entries, "float16") for rows, entries in ((1, 49_152), (512, 49_152), (512, 151_936))]


def _program(n: int, degree: int, weighted: bool) -> Program:
    """Return a random program of about that degree, the same each time."""
    random = np.random.default_rng(n)
    spins = np.sort(random.integers(0, n, (n * degree // 2, 2)), axis=1)
    spins = np.unique(spins[spins[:, 0] < spins[:, 1]], axis=0)
    weights = random.integers(1, 128 if weighted else 2, len(spins)) * random.choice(np.array([-1, 1]), len(spins))
    return Model.from_arrays(n, None, {2: (spins, weights)}).compile()


def text_of(explanation: Explanation) -> list[str]:
    """Return an explanation as lines of text."""
    lines = [explanation.work]
    for one in explanation.backends:
        if one.time is not None:
            parts = sorted(one.time.parts.items(), key=lambda part: -part[1])
            split = ", ".join(f"{name} {shown_seconds(seconds)}" for name, seconds in parts if seconds > 0)
            lines.append(f"  {one.backend}: {shown_seconds(one.time.seconds)}, within a factor of {one.time.factor:.2g} ({split})")
        else:
            least = "" if one.at_least_s is None else f"at least {shown_seconds(one.at_least_s)}, the cycles of its core alone; "
            lines.append(f"  {one.backend}: {least}{one.missing}")
    return [*lines, f"  {explanation.because}"]


def _least_seconds(work: RunWork) -> float | None:
    """Return the seconds that a KV260 takes for the sweeps alone, at the clock that designs are built for; None where its RTL is not there."""
    from ebmhw import rtl
    from ebmhw.board.block_design import CLOCK_MHZ

    try:
        size = rtl.find(_CONFIG).sidecar.units["ising_core"].parameters
    except BackendUnavailable:
        return None
    problem = work.load.packed(work.clamped, int(size["slots"]))
    if problem.n > int(size["spins_max"]) or problem.beats > int(size["beats_max"]):
        return None
    groups = -(-work.reads // int(size["lanes"]))
    return groups * work.sweeps * (problem.beats_executed + int(size["spin_latency"])) / (CLOCK_MHZ * 1e6)
