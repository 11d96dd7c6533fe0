"""The self-test: whether the units of a backend do what the contract says and what the CPU kernel does, row by row, each with a limit."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, final

from ebmhw.backends.base import SamplerBackend
from ebmhw.backends.core import CoreBackend
from ebmhw.backends.stop import Stop, keyboard_interrupt_sets
from ebmhw.board.checks import draws, limits, phi, refusals, units
from ebmhw.board.checks.context import Context
from ebmhw.errors import InvalidRun, NotSupported

PROGRAMS: Final = 4
"""Programs, or sets of rows, of each row unless another number is asked for."""

ROW_SECONDS: Final = 60.0
"""Limit of a row. With four programs a row the simulated design of the board takes 10 s for the longest; a board is done in a second or two."""

_SOAK: Final = "soak"

_CHECKS: Final[tuple[tuple[str, Callable[[Context], str]], ...]] = (
    ("identity", units.identity),
    ("registers", units.registers),
    ("counters", units.counters),
    ("samples: small programs", draws.small),
    ("samples: dense programs", draws.dense),
    ("samples: terms of 3 and 4 spins", draws.cubic),
    ("samples: clamped spins", draws.clamped),
    ("samples: Metropolis", draws.metropolis),
    ("samples: kept states", draws.kept),
    ("samples: resumed runs", draws.resumed),
    ("samples: one to all lanes", draws.lanes),
    ("samples: the largest problem", draws.largest),
    ("samples: many short jobs", draws.short_jobs),
    ("samples: a long job", draws.long_job),
    ("problem kept between jobs", draws.problem_kept),
    ("phi: rows", phi.rows),
    ("phi: a large vocabulary", phi.large),
    ("phi: shards", phi.shards),
    ("refusals: Ising core", refusals.ising),
    ("refusals: phi unit", refusals.phi),
    ("recovery: an answer that is cut", refusals.cut_answer),
    ("recovery: a job that is given up", refusals.given_up),
    ("cycles", units.cycles),
    ("clock", units.clock),
    ("repeated runs", draws.repeated),
)

NAMES: Final = (*(name for name, _ in _CHECKS), _SOAK, "transfers")
"""Rows in their order; "soak" only runs where minutes are given."""


@final
@dataclass(frozen=True)
class Row:
    """One thing that was looked at.

    Attributes
    ----------
    what : its name, one of `NAMES`
    passed : False where something is wrong
    detail : what was found, or exactly what is wrong
    seconds : how long it took
    applies : False where there was nothing to look at here; such a row did not fail
    stopped : whether Ctrl-C ended it, with nothing wrong until then
    """

    what: str
    passed: bool
    detail: str
    seconds: float
    applies: bool = True
    stopped: bool = False


@final
@dataclass(frozen=True)
class SelfTest:
    """The outcome of a self-test.

    Attributes
    ----------
    backend : its name
    seed : of all that was random; the same seed tests the same
    rows : in the order of `NAMES`
    updates : spin updates that were compared
    stopped : whether Ctrl-C ended it before its end; such a self-test has not passed
    """

    backend: str
    seed: int
    rows: tuple[Row, ...]
    updates: int
    stopped: bool = False

    @property
    def passed(self) -> bool:
        """Whether it came to its end, no row failed, and one at least applied."""
        return not self.stopped and all(row.passed for row in self.rows) and any(row.applies for row in self.rows)

    def as_data(self) -> dict[str, Any]:
        """Return the outcome as JSON can hold it."""
        rows = [dataclasses.asdict(row) for row in self.rows]
        told = {"passed": self.passed, "stopped": self.stopped, "backend": self.backend, "seed": self.seed, "updates": self.updates}
        return {**told, "rows": rows}


def selftest(
    backend: SamplerBackend,
    *,
    seed: int = 1,
    programs: int = PROGRAMS,
    minutes: float = 0.0,
    only: str = "",
    clock_mhz: float | None = None,
    build: int | None = None,
    row_seconds: float = ROW_SECONDS,
    on_row: Callable[[Row], None] = lambda row: None,
    on_start: Callable[[str], None] = lambda what: None,
) -> SelfTest:
    """Test the units of a backend. Ctrl-C ends the test with the rows so far; a second one raises at once.

    Parameters
    ----------
    backend : one that has units of hardware: "kv260", "simulated", or another `CoreBackend`
    seed : of everything random
    programs : programs, or sets of rows, of each row
    minutes : how long random programs are compared on top, 0 for not at all
    only : rows whose name holds this; "" for all
    clock_mhz : the clock that the units should have; None for a simulation, whose clock says nothing
    build : what register ``build`` should read, None where nothing says
    row_seconds : limit of each row
    on_row, on_start : are told each row that is done, and what begins

    Raises
    ------
    NotSupported
        The backend has no units of hardware.
    InvalidRun
        An argument is out of its range, or there is no such row.
    """
    if not isinstance(backend, CoreBackend):
        raise NotSupported(
            f"backend {backend.name!r} has no units of hardware to test; it is what they are compared with. Give 'kv260' or 'simulated'"
        )
    if not 0 <= seed < 2**63 or programs < 1 or not 0 <= minutes <= 60 * 24 * 30 or not row_seconds > 0:
        raise InvalidRun(
            f"seed {seed}, programs {programs}, minutes {minutes}, row_seconds {row_seconds}: give a seed of 0 to 2^63 - 1, a program or more, "
            "0 to 43200 minutes, and more than 0 seconds"
        )
    checks = [(name, check, row_seconds) for name, check in _CHECKS]
    if minutes:
        checks.append((_SOAK, lambda context: draws.soak(context, minutes), 60 * minutes + row_seconds))
    checks.append(("transfers", units.transfers, row_seconds))
    chosen = [one for one in checks if only in one[0]]
    if not chosen:
        if only in _SOAK:
            raise InvalidRun(f"the row {_SOAK!r} compares random programs for some minutes, and minutes is 0; give how many (--minutes 10)")
        names = ", ".join(f"{name} (where minutes are given)" if name == _SOAK else name for name in NAMES)
        raise InvalidRun(f"no row of the self-test holds {only!r} in its name; they are: {names}")
    from ebmhw.backends.choice import get_backend

    context = Context(backend, get_backend("cpu"), seed, programs, clock_mhz, build)
    stop, rows = Stop(), list[Row]()
    try:
        # A simulation is compiled here, which takes a minute or more and is no row's fault.
        on_start("connecting")
        _ = context.units
        with keyboard_interrupt_sets(stop):
            _run_all(context, chosen, stop, rows, on_row, on_start)
    except KeyboardInterrupt:
        # A second one does not wait, and one before the first row has nothing to wait for.
        if stop.interrupted:
            raise
        stop.interrupted = True
    return SelfTest(backend.name, seed, tuple(rows), context.updates, stop.interrupted)


def _run_all(
    context: Context,
    checks: Sequence[tuple[str, Callable[[Context], str], float]],
    stop: Stop,
    rows: list[Row],
    on_row: Callable[[Row], None],
    on_start: Callable[[str], None],
) -> None:
    """Append the row of each check, until all are done or it is stopped."""
    dead = ""
    for name, check, seconds in checks:
        if stop.interrupted:
            return
        on_start(name)
        if dead:
            rows.append(Row(name, False, f"not run: {dead}", 0.0))
        else:
            row, dead = _run(context, name, check, seconds, stop)
            rows.append(row)
        on_row(rows[-1])


def _run(context: Context, name: str, check: Callable[[Context], str], seconds: float, stop: Stop) -> tuple[Row, str]:
    """Return the row of a check, and why nothing more can be run, "" where it can."""
    began, before = time.monotonic(), context.updates
    context.expired.clear()
    outcome = limits.limited(lambda: check(context), seconds, context.expired, stop)
    passed, detail, dead = outcome.passed, outcome.detail, ""
    if outcome.cut:
        compared = context.updates - before
        found = f"stopped after {compared:,} updates, every bit as on the CPU" if compared else "stopped before there was anything to tell"
        if not outcome.ended:
            found = f"stopped, and not done {limits.STOP_SECONDS:g} s later"
        return Row(name, True, found, time.monotonic() - began, stopped=True), ""
    if not outcome.ended:
        dead = f"{name!r} was not done within {seconds:g} s and does not end; the units count as dead"
        detail = dead
    elif not passed and passed is not None:
        dead = _revived(context, stop)
    if dead and outcome.ended:
        detail = f"{detail}; {dead}"
    seconds_taken = time.monotonic() - began
    if passed is None:
        return Row(name, True, f"does not apply: {detail}", seconds_taken, applies=False), dead
    return Row(name, passed, detail, seconds_taken), dead


def _revived(context: Context, stop: Stop) -> str:
    """Reset all units after a failure; return why they are dead, "" where they answer."""

    def reset() -> str:
        for driver in context.units:
            driver.reset()
            unit = driver.kind.unit
            if driver.read("identity") != unit.identity:
                raise NotSupported(f"{unit.name} does not say any more what it is")
        return ""

    outcome = limits.limited(reset, 30.0, context.expired, stop)
    if not outcome.ended:
        return "a reset does not end; the units count as dead"
    return "" if outcome.passed else f"after a reset: {outcome.detail}; the units count as dead"
