"""What every check of a self-test is given, and the two ways to end one early."""

from __future__ import annotations

import threading
import time
import zlib
from collections.abc import Callable
from typing import Any, Final, final

import numpy as np

from ebmhw.backends.base import SamplerBackend
from ebmhw.backends.core import CoreBackend
from ebmhw.backends.draws import Draws
from ebmhw.backends.driver import IsingDriver
from ebmhw.backends.phi_driver import PhiDriver
from ebmhw.backends.unit_driver import UnitDriver
from ebmhw.errors import HardwareFault
from ebmhw.program import Program
from ebmhw.schedule import Schedule

EXCHANGE_SECONDS: Final = 30.0
"""Limit of one exchange that a check makes itself."""

_RUN_SECONDS: Final = 1.0
"""What the runs of one program should take of a unit."""


@final
class NotApplicable(Exception):
    """A check has nothing to look at here; the text says why."""


@final
class Mismatch(HardwareFault):
    """A unit answered something else than the contract or the CPU kernel."""


@final
class TimeOver(HardwareFault):
    """A check ended because it was to end: its time was over, or the self-test was stopped."""


@final
class Context:
    """The subject of a self-test.

    Parameters
    ----------
    backend : whose units are tested
    reference : what has the right answers
    seed : of everything that is random
    programs : programs, or sets of rows, of each check
    clock_mhz : the clock that the units should have, None where they have none (a simulation)
    build : what register ``build`` should read, None where nothing says

    Attributes
    ----------
    expired : set once the check that runs is to end
    updates : spin updates that were compared so far
    """

    def __init__(
        self, backend: CoreBackend, reference: SamplerBackend, seed: int, programs: int, clock_mhz: float | None = None, build: int | None = None
    ) -> None:
        self.backend, self.reference, self.seed, self.programs = backend, reference, seed, programs
        self.clock_mhz, self.build = clock_mhz, build
        self.expired = threading.Event()
        self.updates = 0
        self._rate = 0.0

    @property
    def cores(self) -> list[IsingDriver]:
        """The drivers of the Ising cores."""
        return list(self.backend.drivers)

    @property
    def phi_units(self) -> list[PhiDriver]:
        """The drivers of the phi units; NotApplicable where there are none."""
        if "phi" not in self.backend.capabilities.units:
            raise NotApplicable("there is no phi unit")
        return list(self.backend.phi_drivers)

    @property
    def units(self) -> list[UnitDriver]:
        """All drivers."""
        phi: list[UnitDriver] = list(self.backend.phi_drivers) if "phi" in self.backend.capabilities.units else []
        return [*self.cores, *phi]

    def random(self, what: str) -> np.random.Generator:
        """Return the random numbers of a check: the same whichever checks ran before it."""
        return np.random.default_rng([self.seed, zlib.crc32(what.encode())])

    def rate(self) -> float:
        """Return a lower bound of the cycles of a core a second, measured once by a short job."""
        if not self._rate:
            core = self.cores[0]
            began, before = time.perf_counter(), core.counters()["cycles"]
            program = Program.from_rows(2, [(0, 1, ((1, (1,)),)), (1, 0, ((1, (0,)),))])
            self.backend.run(program, Schedule.constant(0.01, 20), reads=core.shape.lanes, seed=1)
            cycles = core.counters()["cycles"] - before
            self._rate = max(core.cycles_per_second, cycles / (time.perf_counter() - began))
        return self._rate

    def sweeps(self, program: Program, groups: int = 1, most: int = 200) -> int:
        """Return the sweeps that runs of so many groups of lanes have time for, at least 2."""
        shape = self.cores[0].shape
        slots = sum(block.weights.size * block.order * (block.order - 1) for block in program.blocks)
        cycles = groups * (program.n + slots / shape.slots + shape.latency)
        return int(min(most, max(2, self.rate() * _RUN_SECONDS / cycles - 2)))

    def compare(self, program: Program, schedule: Schedule, **options: Any) -> Draws:
        """Run a program on the units and on the reference; return the draws, Mismatch names the first bit that differs."""
        got, wanted = self.run(program, schedule, **options), self.right(program, schedule, **options)
        difference = first_difference(got, wanted)
        if difference:
            raise Mismatch(f"program {program.digest[:16]} ({program.n} spins), seed {wanted.identity.seed}, {wanted.sweeps} sweeps: {difference}")
        self.updates += int(got.info["updates"])
        return got

    def run(self, program: Program, schedule: Schedule, **options: Any) -> Draws:
        """Run a program on the units."""
        return self._whole(self.backend.run, program, schedule, **options)

    def right(self, program: Program, schedule: Schedule, **options: Any) -> Draws:
        """Run a program on the reference."""
        return self._whole(self.reference.run, program, schedule, **options)

    def _whole(self, run: Callable[..., Draws], program: Program, schedule: Schedule, **options: Any) -> Draws:
        draws = run(program, schedule, interrupt=self.expired.is_set, **options)
        self.check_time()
        return draws

    def check_time(self) -> None:
        """End the check where its time is over."""
        if self.expired.is_set():
            raise TimeOver("the time of this check is over")


def first_difference(got: Draws, wanted: Draws) -> str:
    """Return where two runs differ first, "" where they are equal bit by bit."""
    for name in ("spins", "energy", "best_spins", "best_energy", "best_sweep", "flips", "random", "kept"):
        a, b = getattr(got, name), getattr(wanted, name)
        if a is None and b is None:
            continue
        if a is None or b is None or a.shape != b.shape:
            shapes = [None if one is None else one.shape for one in (a, b)]
            return f"{name} has shape {shapes[0]}, not {shapes[1]}"
        wrong = np.argwhere(a != b)
        if len(wrong):
            at = tuple(int(index) for index in wrong[0])
            where = f"read {at[0] + wanted.identity.first_read}"
            if name == "kept":
                where += f", kept state {at[1]}"
            if name in ("spins", "best_spins", "kept"):
                where += f", spin {at[-1]}"
            if name == "random":
                where += f", word {at[-1]}"
            return f"{name} of {where} is {a[at]}, not {b[at]}; {len(wrong)} of {a.size} numbers differ"
    if got.sweeps != wanted.sweeps:
        return f"{got.sweeps} sweeps were done, not {wanted.sweeps}"
    return ""
