"""Trials: random problems and logits that a backend is timed on, to tell what others will take."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cached_property
from typing import Any, Final, final

import numpy as np
import numpy.typing as npt

from ebmhw.backends.auto.cost import PARTS, PhiWork, ProgramLoad, RunWork
from ebmhw.backends.auto.fit import Fit, fit
from ebmhw.backends.base import SamplerBackend
from ebmhw.backends.core import CoreBackend
from ebmhw.contract.formats import RULES
from ebmhw.model import Model
from ebmhw.native.library import LANES
from ebmhw.program import Program
from ebmhw.schedule import Schedule

_MOST_SPINS, _MOST_TERMS = 4096, 30_000
"""Of a trial's problem: larger ones take longer to make than to run."""

_LEAST_SECONDS, _MOST_SECONDS = 1e-3, 0.2
"""What a trial should take; the time between is chosen at random, on a scale of powers."""

_AGAIN, _MOST_SWEEPS = 3, 20_000
"""Runs of a program after its first one, and sweeps of one."""

_TIMES, _TWICE_SECONDS = 3, 0.02
"""A trial that takes less is done so many times."""

_PHI_SHARE: Final = 0.3
"""Of the time, for the trials of phi, where there are any."""

_MOST_ENTRIES: Final = 1 << 22
"""Logits of one trial."""

_LEAST_TRIALS: Final = 12
"""Of each kind, also where they take longer than they should."""

_LONG_SECONDS: Final = 0.5
"""A trial of the least work that is expected to take longer is made smaller."""

_FIRST_SPINS, _FIRST_ENTRIES = 64, 1024
"""Of the first trial, before anything is known of how fast the backend is."""

_ENOUGH: Final = 600
"""Trials of a kind that more would add nothing to."""

Clock = Callable[[], float]


@final
class Trials:
    """Timed runs of one backend.

    Parameters
    ----------
    backend : a `CoreBackend`, whose units are counted as of a board, or the CPU's
    threads : of the CPU
    seed : of the trials
    clock : seconds that only grow
    """

    def __init__(self, backend: SamplerBackend, threads: int = 1, seed: int = 0, clock: Clock = time.perf_counter) -> None:
        self._backend, self._threads, self._clock = backend, threads, clock
        self._board = backend if isinstance(backend, CoreBackend) else None
        self._side = "cpu" if self._board is None else "board"
        self._random = np.random.default_rng(seed)
        # Spins times groups of reads, and entries, that take _LONG_SECONDS.
        self._most_spins, self._most_entries = float(_FIRST_SPINS), float(_FIRST_ENTRIES)
        self.runs: list[tuple[RunWork, dict[str, float], float]] = []
        self.phis: list[tuple[PhiWork, dict[str, float], float]] = []

    def measure(self, seconds: float, progress: Callable[[float], None] = lambda share: None, at_most: float | None = None) -> tuple[Fit, Fit | None]:
        """Return the fits to trials of about so many seconds, of runs and of phi (None where the backend has no unit for it).

        Parameters
        ----------
        progress : called with the share that is done
        at_most : seconds after which too few trials are an error; twice as many where it is left out

        Raises
        ------
        KeyboardInterrupt
            Also where Ctrl-C came in the middle of a run.
        InvalidRun
            Too few trials were done in that time.
        """
        has_phi = "phi" in self._backend.capabilities.units
        began, limit = self._clock(), 2 * seconds if at_most is None else at_most

        def do(trials: list[Any], some: Callable[[float], None], first: float, share: float) -> None:
            # What is only done once in a process is no part of what a run takes.
            some(5 * _LEAST_SECONDS)
            trials.clear()
            while len(trials) < _ENOUGH:
                passed = self._clock() - began
                if passed > (first + share) * limit or (passed > (first + share) * seconds and len(trials) >= _LEAST_TRIALS):
                    break
                some(self._target())
                progress(min(first + share, max(first, (self._clock() - began) / seconds)))

        run_share = 1 - _PHI_SHARE * has_phi
        do(self.runs, self._run_some, 0.0, run_share)
        if has_phi:
            do(self.phis, self._phi_some, run_share, _PHI_SHARE)
        progress(1.0)
        run = fit([counts for _, counts, _ in self.runs], [took for *_, took in self.runs], list(PARTS[f"{self._side} run"]))
        if not has_phi:
            return run, None
        return run, fit([counts for _, counts, _ in self.phis], [took for *_, took in self.phis], list(PARTS[f"{self._side} phi"]))

    @cached_property
    def _entries(self) -> dict[str, npt.NDArray[np.floating]]:
        """Logits by format, which all trials take theirs from: drawing them takes longer than measuring them."""
        drawn = 5 * self._random.standard_normal(_MOST_ENTRIES, dtype=np.float32)
        return {"float32": drawn, "float16": drawn.astype(np.float16)}

    def _target(self) -> float:
        return float(_LEAST_SECONDS * (_MOST_SECONDS / _LEAST_SECONDS) ** self._random.random())

    def _run_some(self, target: float) -> None:
        """Time a few sweeps of a new program, and then as many as take about ``target`` seconds."""
        random = self._random
        program = random_program(random, self._backend, self._most_spins)
        load = ProgramLoad(program)
        groups = max(1.0, self._most_spins / program.n)
        reads = 1 if random.random() < 0.25 else int(2 ** random.uniform(0, min(9.0, np.log2(LANES * groups))))
        rule = RULES[int(random.integers(len(RULES)))]
        few = int(random.integers(1, 5))
        took = self._run(program, load, reads, few, 0, rule, fresh=True)
        # A short trial says little: the bound falls by half at a time.
        self._most_spins = max(self._most_spins / 2, program.n * -(-reads // LANES) * _LONG_SECONDS / took)
        sweeps = few
        # What a run begins with hides what a sweep takes, until there are more of them.
        for _ in range(_AGAIN):
            sweeps = int(np.clip(sweeps * target / took, sweeps, _MOST_SWEEPS))
            kept = int(random.integers(0, 1 + min(sweeps, 64))) if random.random() < 0.3 else 0
            took = self._run(program, load, reads, sweeps, kept, rule, fresh=False)
            if took > target / 2:
                break

    def _run(self, program: Program, load: ProgramLoad, reads: int, sweeps: int, kept: int, rule: str, *, fresh: bool) -> float:
        # Betas of programs of small fields: what is hot and cold is a matter of its largest field.
        cold = 3.0 / max(1.0, float(np.median(program.weights.local_field_bound())))
        constant = self._random.random() < 0.5
        schedule = Schedule.constant(cold / 3, sweeps) if constant else Schedule.geometric(cold / 30, cold, sweeps)
        every = None if kept == 0 else max(1, sweeps // kept)
        seed, took = int(self._random.integers(2**32)), float("inf")
        # The shortest: what else the machine does only ever adds. A board would know the program again.
        for _ in range(1 if fresh and self._board is not None else _TIMES):
            if fresh:
                program = _copy(program)
            began = self._clock()
            draws = self._backend.run(program, schedule, reads=reads, seed=seed, rule=rule, keep_every=every)
            took = min(took, max(self._clock() - began, 1e-6))
            if draws.info["stopped_by"] == "interrupt":
                raise KeyboardInterrupt
            if took > _TWICE_SECONDS:
                break
        made = 0 if draws.kept is None else int(draws.kept.shape[1])
        none = np.zeros(0, dtype=np.int32)
        work = RunWork(load, none, reads, sweeps, 1 if constant else sweeps, made, rule)
        if self._board is None:
            counts = work.on_cpu(self._threads, fresh=fresh)
        else:
            drivers = self._board.drivers
            counts = work.on_board(drivers[0].shape, len(drivers), 0.0, fresh=fresh, loads=fresh, exchanges=draws.info["exchanges"])
        self.runs.append((work, counts, took))
        return took

    def _phi_some(self, target: float) -> None:
        """Time a row of some length, and then as many as take about ``target`` seconds."""
        entries = int(2 ** self._random.uniform(1, np.clip(np.log2(self._most_entries), 2, 17.5)))
        kind = "float32" if self._random.random() < 0.5 else "float16"
        rows, most = 1, _MOST_ENTRIES // entries
        took = self._phi(entries, rows, kind)
        self._most_entries = max(self._most_entries / 2, entries * _LONG_SECONDS / took)
        for _ in range(_AGAIN):
            rows = int(np.clip(rows * target / took, rows, most))
            took = self._phi(entries, rows, kind)
            if took > target / 2 or rows == most:
                break

    def _phi(self, entries: int, rows: int, kind: str) -> float:
        logits = self._entries[kind][: rows * entries].reshape(rows, entries)
        took = float("inf")
        for _ in range(_TIMES):
            began = self._clock()
            info = self._backend.phi(logits).info
            took = min(took, max(self._clock() - began, 1e-6))
            if took > _TWICE_SECONDS:
                break
        work = PhiWork(rows, entries, kind)
        if self._board is None:
            counts = work.on_cpu(self._threads)
        else:
            drivers = self._board.phi_drivers
            counts = work.on_board(drivers[0].cost(entries, work.format), len(drivers), 0.0, info["exchanges"])
        self.phis.append((work, counts, took))
        return took


def random_program(random: np.random.Generator, backend: SamplerBackend, most_spins: float = _MOST_SPINS) -> Program:
    """Return a random program that a backend takes: +-1 or 8-bit weights between pairs, or terms of three spins, sparse or dense."""
    most = max(8.0, min(backend.capabilities.max_spins, _MOST_SPINS, most_spins))
    n = int(2 ** random.uniform(2, np.log2(most)))
    kind = random.integers(4)
    order = 3 if kind == 3 and n >= 3 else 2
    degree = 2 ** random.uniform(0, 6 if kind < 3 else 4)
    slots = backend.capabilities.max_slots
    terms = int(max(1, min(n * degree / order, _MOST_TERMS, n * slots / 8)))
    spins = np.sort(random.integers(0, n, (terms, order)), axis=1)
    spins = spins[(np.diff(spins, axis=1) > 0).all(axis=1)]
    # Each set of spins once, so that the weights are what they are drawn as.
    spins = np.unique(spins, axis=0) if spins.size else np.arange(order)[None, :]
    signs = random.choice(np.array([-1, 1]), len(spins))
    weights = signs * (random.integers(1, 128, len(spins)) if kind in (1, 2) else 1)
    bias = random.integers(-3, 4, n) if random.random() < 0.5 else None
    return Model.from_arrays(n, bias, {order: (spins, weights)}).compile()


def _copy(program: Program) -> Program:
    """Return the same program as one that no backend has seen."""
    return Program(program.weights, program.order, program.scale, program.quantisation_error, program.coupling_bits, program.bias_bits, program.lost)
