"""The self-test: whether the units of a backend do what the contract says and what the CPU kernel does, row by row, each with a limit."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, final

from ebmhw.backends.base import SamplerBackend
from ebmhw.backends.core import CoreBackend
from ebmhw.board.checks import draws, phi, refusals, units
from ebmhw.board.checks.context import Context, NotApplicable
from ebmhw.errors import EbmhwError, InvalidRun, NotSupported

PROGRAMS: Final = 4
"""Programs, or sets of rows, of each row unless another number is asked for."""

ROW_SECONDS: Final = 60.0
"""Limit of a row. With four programs a row the simulated design of the board takes 10 s for the longest; a board is done in a second or two."""

_WIND_UP_SECONDS: Final = 60.0
"""What a row whose time is over may take to end; one that does not has the unit in its hands."""

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

NAMES: Final = (*(name for name, _ in _CHECKS), "soak", "transfers")
"""Rows in their order."""


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
    """

    what: str
    passed: bool
    detail: str
    seconds: float
    applies: bool = True


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
    """

    backend: str
    seed: int
    rows: tuple[Row, ...]
    updates: int

    @property
    def passed(self) -> bool:
        """Whether no row failed, and one at least applied."""
        return all(row.passed for row in self.rows) and any(row.applies for row in self.rows)

    def as_data(self) -> dict[str, Any]:
        """Return the outcome as JSON can hold it."""
        rows = [dataclasses.asdict(row) for row in self.rows]
        return {"passed": self.passed, "backend": self.backend, "seed": self.seed, "updates": self.updates, "rows": rows}


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
    """Test the units of a backend.

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
        checks.append(("soak", lambda context: draws.soak(context, minutes), 60 * minutes + row_seconds))
    checks.append(("transfers", units.transfers, row_seconds))
    chosen = [one for one in checks if only in one[0]]
    if not chosen:
        raise InvalidRun(f"no row of the self-test holds {only!r} in its name; they are: {', '.join(name for name, _, _ in checks)}")
    from ebmhw.backends.choice import get_backend

    context = Context(backend, get_backend("cpu"), seed, programs, clock_mhz, build)
    # A simulation is compiled here, which takes a minute or more and is no row's fault.
    on_start("connecting")
    _ = context.units
    rows: list[Row] = []
    dead = ""
    for name, check, seconds in chosen:
        on_start(name)
        if dead:
            rows.append(Row(name, False, f"not run: {dead}", 0.0))
        else:
            row, dead = _run(context, name, check, seconds)
            rows.append(row)
        on_row(rows[-1])
    return SelfTest(backend.name, seed, tuple(rows), context.updates)


def _run(context: Context, name: str, check: Callable[[Context], str], seconds: float) -> tuple[Row, str]:
    """Return the row of a check, and why nothing more can be run, "" where it can."""
    began = time.monotonic()
    context.expired.clear()
    passed, detail, ended = _limited(lambda: check(context), seconds, context.expired)
    dead = ""
    if not ended:
        dead = f"{name!r} was not done within {seconds:g} s and does not end; the units count as dead"
        detail = dead
    elif not passed and passed is not None:
        dead = _revived(context)
    if dead and ended:
        detail = f"{detail}; {dead}"
    seconds_taken = time.monotonic() - began
    if passed is None:
        return Row(name, True, f"does not apply: {detail}", seconds_taken, applies=False), dead
    return Row(name, passed, detail, seconds_taken), dead


def _limited(work: Callable[[], str], seconds: float, expired: threading.Event) -> tuple[bool | None, str, bool]:
    """Return (passed, detail, whether it ended) of work in a thread of its own, which is left behind where nothing else helps; passed is None where
    it does not apply."""
    found: list[tuple[bool | None, str]] = []

    def run() -> None:
        try:
            found.append((True, work()))
        except NotApplicable as reason:
            found.append((None, str(reason)))
        except EbmhwError as error:
            found.append((False, f"{error} [{error.code}]"))
        except Exception as error:
            # A fault of the driver or of the test is a failed row too, and no reason to leave out the others.
            found.append((False, f"{type(error).__name__}: {error}"))

    thread = threading.Thread(target=run, name="self-test", daemon=True)
    thread.start()
    try:
        thread.join(seconds)
        late = thread.is_alive()
        if late:
            expired.set()
            thread.join(_WIND_UP_SECONDS if seconds >= 1 else 10 * seconds)
    except KeyboardInterrupt:
        expired.set()
        raise
    if not found:
        return False, "", False
    passed, detail = found[0]
    if late and passed is not False:
        passed, detail = False, f"done only after the limit of {seconds:g} s: {detail}"
    return passed, detail, True


def _revived(context: Context) -> str:
    """Reset all units after a failure; return why they are dead, "" where they answer."""

    def reset() -> str:
        for driver in context.units:
            driver.reset()
            unit = driver.kind.unit
            if driver.read("identity") != unit.identity:
                raise NotSupported(f"{unit.name} does not say any more what it is")
        return ""

    passed, detail, ended = _limited(reset, 30.0, context.expired)
    if not ended:
        return "a reset does not end; the units count as dead"
    return "" if passed else f"after a reset: {detail}; the units count as dead"
