"""Samples of the Ising cores against those of the CPU kernel, bit by bit."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from ebmhw.backends.identity import CoreShape
from ebmhw.board.checks import programs
from ebmhw.board.checks.context import Context, Mismatch, NotApplicable, first_difference
from ebmhw.program import Program
from ebmhw.schedule import Schedule

Make = Callable[[np.random.Generator, CoreShape], Program]
Options = Callable[[np.random.Generator, Program, int], dict[str, Any]]


_LONG_UPDATES = 20_000_000
"""Updates of the longest run."""


def small(context: Context) -> str:
    """Compare programs of a few spins."""
    return _several(context, "small", programs.small)


def dense(context: Context) -> str:
    """Compare programs in which all spins are coupled."""
    return _several(context, "dense", programs.dense)


def cubic(context: Context) -> str:
    """Compare programs with terms of three and four spins."""
    return _several(context, "cubic", programs.cubic)


def metropolis(context: Context) -> str:
    """Compare the rule for annealing."""
    return _several(context, "metropolis", programs.cubic, lambda random, program, reads: {"rule": "metropolis"})


def clamped(context: Context) -> str:
    """Compare runs with spins held fixed, for all reads alike and each its own."""

    def options(random: np.random.Generator, program: Program, reads: int) -> dict[str, Any]:
        spins = random.choice(program.n, size=min(program.n, 3), replace=False).tolist()
        return {"clamps": {spin: random.choice([-1, 1], size=reads) if at else int(random.choice([-1, 1])) for at, spin in enumerate(spins)}}

    return _several(context, "clamped", programs.cubic, options)


def kept(context: Context) -> str:
    """Compare the states that a run keeps on its way, from given initial states."""

    def options(random: np.random.Generator, program: Program, reads: int) -> dict[str, Any]:
        initial = random.choice(np.array([-1, 1], dtype=np.int8), size=(reads, program.n))
        return {"burn_in": int(random.integers(0, 3)), "keep_every": int(random.integers(1, 3)), "initial": initial}

    return _several(context, "kept", programs.dense, options)


def resumed(context: Context) -> str:
    """Compare a run in two parts with the reference's in one."""
    random, updates = context.random("resumed"), context.updates
    lanes = context.cores[0].shape.lanes
    for _ in range(context.programs):
        program = programs.cubic(random, context.cores[0].shape)
        sweeps = max(4, context.sweeps(program, 2))
        schedule = programs.schedule(random, sweeps)
        options: dict[str, Any] = {"reads": lanes + 1, "seed": int(random.integers(2**63))}
        cut = sweeps // 2
        first = context.run(program, _first(schedule, cut), **options)
        second = context.run(program, schedule.after(cut), resume=first)
        whole = context.right(program, schedule, **options)
        difference = first_difference(second, whole)
        if difference:
            raise Mismatch(f"program {program.digest[:16]} ({program.n} spins), resumed after {cut} of {sweeps} sweeps: {difference}")
        context.updates += int(first.info["updates"]) + int(second.info["updates"])
    return _told(context, context.programs, updates)


def _first(schedule: Schedule, sweeps: int) -> Schedule:
    """Return the first so many sweeps of a schedule."""
    before = np.cumsum(schedule.sweeps) - schedule.sweeps
    return Schedule(schedule.betas, np.clip(sweeps - before, 0, schedule.sweeps))


def lanes(context: Context) -> str:
    """Compare one read more than all lanes of all cores take, and fewer than one core has."""
    random, updates = context.random("lanes"), context.updates
    program = programs.cubic(random, context.cores[0].shape)
    width = context.cores[0].shape.lanes
    for reads in (1, width - 1 or 1, width, len(context.cores) * width + 1):
        first = int(random.integers(0, 1000))
        context.compare(
            program, programs.schedule(random, context.sweeps(program, 2, 40)), reads=reads, seed=int(random.integers(2**63)), first_read=first
        )
    return _told(context, 1, updates) + f"; 1 to {len(context.cores) * width + 1} reads of {width} lanes"


def largest(context: Context) -> str:
    """Compare a problem of as many spins as a core holds."""
    random, updates = context.random("largest"), context.updates
    program = programs.largest(random, context.cores[0].shape)
    sweeps = context.sweeps(program, 1, 20)
    context.compare(program, programs.schedule(random, sweeps), reads=min(4, context.cores[0].shape.lanes), seed=int(random.integers(2**63)))
    return _told(context, 1, updates) + f"; {program.n} spins, {program.weights.num_terms} terms, {sweeps} sweeps"


def short_jobs(context: Context) -> str:
    """Compare many jobs of one or two sweeps, as many in an exchange as the driver puts there."""
    random, updates = context.random("short"), context.updates
    program = programs.small(random, context.cores[0].shape)
    reads = 24 * context.cores[0].shape.lanes - 1
    draws = context.compare(program, programs.schedule(random, int(random.integers(1, 3))), reads=reads, seed=int(random.integers(2**63)))
    exchanges = draws.info["exchanges"]
    return _told(context, 1, updates) + f"; 24 jobs in {exchanges} exchange{'s' if exchanges != 1 else ''}"


def long_job(context: Context) -> str:
    """Compare a run of many sweeps: counters and best sweeps with high bits."""
    random, updates = context.random("long"), context.updates
    program = programs.small(random, context.cores[0].shape)
    reads = context.cores[0].shape.lanes
    # The CPU must do it too: that of the board makes some million updates a second.
    sweeps = context.sweeps(program, 1, max(100, _LONG_UPDATES // (program.n * reads)))
    context.compare(program, programs.schedule(random, sweeps), reads=reads, seed=int(random.integers(2**63)))
    return _told(context, 1, updates) + f"; {sweeps} sweeps"


def problem_kept(context: Context) -> str:
    """Look whether a problem stays loaded from run to run: the second run is answered by one packet less a core."""
    if len(context.cores) > 1:
        raise NotApplicable("several cores share the work")
    random, core = context.random("problem"), context.cores[0]
    program = programs.dense(random, core.shape)
    counts = []
    for _ in range(2):
        before = core.counters()["jobs_done"]
        # As many reads as lanes: one job a run.
        context.compare(program, programs.schedule(random, 2), reads=core.shape.lanes, seed=int(random.integers(2**63)))
        counts.append(core.counters()["jobs_done"] - before)
    if counts != [2, 1]:
        raise Mismatch(
            f"program {program.digest[:16]}: two runs were answered by {counts[0]} and {counts[1]} packets, not 2 and 1: it was loaded again"
        )
    return "loaded once for two runs"


def repeated(context: Context) -> str:
    """Look whether the same run gives the same bits again, three times in all."""
    random, updates = context.random("repeated"), context.updates
    program = programs.cubic(random, context.cores[0].shape)
    schedule = programs.schedule(random, context.sweeps(program, 2))
    options: dict[str, Any] = {"reads": context.cores[0].shape.lanes + 1, "seed": int(random.integers(2**63))}
    first = context.compare(program, schedule, **options)
    for number in (2, 3):
        difference = first_difference(context.run(program, schedule, **options), first)
        if difference:
            raise Mismatch(f"program {program.digest[:16]}: run {number} differs from the first: {difference}")
    return _told(context, 1, updates) + ", three times"


def soak(context: Context, minutes: float) -> str:
    """Compare random programs of all kinds until the time is over."""
    random, updates, runs = context.random("soak"), context.updates, 0
    makes = (programs.small, programs.dense, programs.cubic)
    stop = time.monotonic() + 60 * minutes
    while time.monotonic() < stop:
        program = makes[runs % len(makes)](random, context.cores[0].shape)
        reads = int(random.integers(1, 2 * context.cores[0].shape.lanes + 1))
        rule = ("gibbs", "metropolis")[int(random.integers(2))]
        sweeps = context.sweeps(program, 2, 500)
        context.compare(program, programs.schedule(random, sweeps), reads=reads, seed=int(random.integers(2**63)), rule=rule)
        runs += 1
    return _told(context, runs, updates) + f" in {minutes:g} minutes"


def _several(context: Context, name: str, make: Make, options: Options = lambda random, program, reads: {}) -> str:
    random, updates = context.random(name), context.updates
    width = context.cores[0].shape.lanes
    for _ in range(context.programs):
        program = make(random, context.cores[0].shape)
        reads = int(random.integers(1, width + 2))
        sweeps = context.sweeps(program, 2)
        context.compare(program, programs.schedule(random, sweeps), reads=reads, seed=int(random.integers(2**63)), **options(random, program, reads))
    return _told(context, context.programs, updates)


def _told(context: Context, count: int, before: int) -> str:
    return f"{count} program{'s' if count != 1 else ''}, {context.updates - before:,} updates, every bit as on the CPU"
