"""How fast a board is: registers, exchanges, samples and rows, beside the CPU kernel of the same machine in the same minutes."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, final

import numpy as np

from ebmhw.backends.base import SamplerBackend
from ebmhw.backends.core import CoreBackend
from ebmhw.board.checks import programs, wire
from ebmhw.board.checks.context import EXCHANGE_SECONDS, Context
from ebmhw.errors import InvalidRun, NotSupported
from ebmhw.program import Program

ROUNDS: Final = 5

_FEW_ROUNDS: Final = 3
"""Of fewer rounds a median says little."""

_ACCESSES = 200
"""Register accesses of a round, so that the clock's own microsecond does not count."""

_JOBS = 100

_CPU_UPDATES = 10_000_000
"""Of a round of the CPU kernel, at the most."""

_VOCABULARY = 32_768
"""Entries of the rows that are measured; a simulation takes fewer."""


@final
@dataclass(frozen=True)
class Figure:
    """One thing that was measured.

    Attributes
    ----------
    what : its name
    value, low, high : median, least and most of the rounds
    unit : of them
    cpu : median of the CPU kernel's rounds at the same work, None where it has no such work
    """

    what: str
    value: float
    low: float
    high: float
    unit: str
    cpu: float | None = None

    @property
    def ratio(self) -> float | None:
        """The value over the CPU's, where there is one."""
        return None if not self.cpu else self.value / self.cpu

    def as_data(self) -> dict[str, Any]:
        """Return the figure as JSON can hold it."""
        names = ("what", "value", "low", "high", "unit", "cpu", "ratio")
        return {name: getattr(self, name) for name in names}

    def row(self) -> tuple[str, str, str, str]:
        """Return the figure as a row of a table: what, value with its range, the CPU's, the ratio."""
        cpu = "" if self.cpu is None else f"{_short(self.cpu)} {self.unit}"
        ratio = "" if self.ratio is None else f"{self.ratio:.3g}"
        return self.what, f"{_short(self.value)} {self.unit} ({_short(self.low)} .. {_short(self.high)})", cpu, ratio


def header(rounds: int) -> tuple[str, str, str, str]:
    """Return the head of the table; where there are fewer than three rounds it says so."""
    few = f" of {rounds} round{'s' if rounds > 1 else ''} only" if rounds < _FEW_ROUNDS else ""
    return "what", f"median{few} (least .. most)", "CPU kernel", "ratio"


def board_bench(backend: SamplerBackend, *, rounds: int = ROUNDS, seed: int = 1, on_start: Callable[[str], None] = lambda what: None) -> list[Figure]:
    """Measure the units of a backend, and the CPU kernel at the same work, after a round of each that does not count.

    Parameters
    ----------
    backend : as of `ebmhw.board.selftest.selftest`
    rounds : of each figure; medians are told, of which fewer than three say little
    seed : of the programs and rows
    on_start : is told what is measured next

    Raises
    ------
    NotSupported
        The backend has no units of hardware.
    InvalidRun
        No rounds.
    """
    if not isinstance(backend, CoreBackend):
        raise NotSupported(f"backend {backend.name!r} has no units of hardware to measure; give 'kv260' or 'simulated', or use `ebmhw bench`")
    if rounds < 1:
        raise InvalidRun(f"rounds is {rounds}; give 1 or more")
    from ebmhw.backends.choice import get_backend

    context = Context(backend, get_backend("cpu"), seed, 1)
    figures = []
    for what, unit, ours, cpu in _measures(context):
        on_start(what)
        # The first round packs the program, starts threads and warms the processor up.
        ours()
        if cpu is not None:
            cpu()
        values, others = [], []
        # Side by side, so that a machine that gets slower does so for both.
        for _ in range(rounds):
            values.append(ours())
            if cpu is not None:
                others.append(cpu())
        figures.append(Figure(what, statistics.median(values), min(values), max(values), unit, statistics.median(others) if others else None))
    return figures


def _measures(context: Context) -> Iterator[tuple[str, str, Callable[[], float], Callable[[], float] | None]]:
    """Yield (what, unit, a round of ours, a round of the CPU's)."""
    core = context.cores[0]

    def reads() -> float:
        return 1e6 / _ACCESSES * _seconds(lambda: [core.read("identity") for _ in range(_ACCESSES)])

    def writes() -> float:
        limit = core.stall_cycles

        def some() -> None:
            for _ in range(_ACCESSES):
                core.write("output_limit", cycles=limit)

        return 1e6 / _ACCESSES * _seconds(some)

    yield "register read", "us", reads, None
    yield "register write", "us", writes, None

    rows = [(0, 3, ((5, (1,)),)), (1, -2, ((5, (0,)),))]
    load = wire.core_load(core, Program.from_rows(2, rows), 0)
    many = np.concatenate([load.packets[0], *[load.packets[1]] * _JOBS])

    yield "exchange: a problem and a job without sweeps", "us", lambda: 1e6 * _seconds(_exchange(core, load.batch, load.room)), None
    yield f"job without sweeps, {_JOBS} an exchange", "us", lambda: 1e6 / _JOBS * _seconds(_exchange(core, many, load.room * _JOBS)), None

    program = programs.dense(context.random("bench"), core.shape)
    sweeps = context.sweeps(program, len(context.cores), 50_000)
    reads_of_run = core.shape.lanes * len(context.cores)

    def updates(sampler: SamplerBackend, count: int) -> Callable[[], float]:
        schedule = programs.schedule(context.random("bench schedule"), count)
        return lambda: reads_of_run * count * program.n / _seconds(lambda: sampler.run(program, schedule, reads=reads_of_run, seed=3))

    what = f"samples: {program.n} spins, all coupled, {reads_of_run} reads, {sweeps} sweeps"
    # The same for the CPU, whose rate does not depend on it, in a time that one can wait for.
    shorter = min(sweeps, max(10, _CPU_UPDATES // (reads_of_run * program.n)))
    yield what, "updates/s", updates(context.backend, sweeps), updates(context.reference, shorter)

    if "phi" not in context.backend.capabilities.units:
        return
    unit = context.phi_units[0]
    entries = _VOCABULARY if context.rate() >= 1e7 else _VOCABULARY // 8
    count = 8 * len(context.phi_units)
    logits = (4 * context.random("bench rows").normal(size=(count, entries))).astype(np.float16)

    def tokens(sampler: SamplerBackend) -> Callable[[], float]:
        return lambda: count / _seconds(lambda: sampler.phi(logits))

    yield f"phi: {count} rows of {entries:,} entries, float16", "tokens/s", tokens(context.backend), tokens(context.reference)

    row = wire.phi_load(unit, entries)
    batch = np.concatenate([row.batch] * 8)
    size = 8 * (batch.size + 8 * row.room)
    yield f"phi: both streams, {size:,} bytes an exchange", "MB/s", lambda: size / 1e6 / _seconds(_exchange(unit, batch, 8 * row.room)), None


def _exchange(driver: Any, batch: Any, room: int) -> Callable[[], object]:
    return lambda: driver.exchange(batch, room, EXCHANGE_SECONDS)


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return max(1e-9, time.perf_counter() - began)


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"
