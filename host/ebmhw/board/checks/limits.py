"""Checks with a limit: each in a thread of its own, which time, and Ctrl-C, can leave behind."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final, NamedTuple

from ebmhw.backends.stop import Stop
from ebmhw.board.checks.context import NotApplicable, TimeOver
from ebmhw.errors import EbmhwError

_WIND_UP_SECONDS: Final = 60.0
"""What a row whose time is over may take to end; one that does not has the unit in its hands."""

STOP_SECONDS: Final = 10.0
"""What a row may take to end once Ctrl-C was pressed; of twenty at random moments of a simulation the whole process took 1.1 s at the most."""

_LOOK_SECONDS: Final = 0.1
"""Between two looks whether Ctrl-C was pressed."""


class Outcome(NamedTuple):
    """Of work in a thread of its own: whether it passed (None where it does not apply), what it says, whether it ended, and whether Ctrl-C cut it."""

    passed: bool | None
    detail: str
    ended: bool = True
    cut: bool = False


def limited(work: Callable[[], str], seconds: float, expired: threading.Event, stop: Stop) -> Outcome:
    """Return the outcome of work in a thread of its own, which is left behind where nothing else helps."""
    found: list[Outcome] = []

    def run() -> None:
        try:
            found.append(Outcome(True, work()))
        except NotApplicable as reason:
            found.append(Outcome(None, str(reason)))
        except EbmhwError as error:
            found.append(Outcome(False, f"{error} [{error.code}]", cut=isinstance(error, TimeOver)))
        except Exception as error:
            # A fault of the driver or of the test is a failed row too, and no reason to leave out the others.
            found.append(Outcome(False, f"{type(error).__name__}: {error}"))

    thread = threading.Thread(target=run, name="self-test", daemon=True)
    thread.start()
    late = False
    try:
        if not _joined(thread, seconds, stop):
            expired.set()
            late = not stop.interrupted
            if late:
                _joined(thread, _WIND_UP_SECONDS if seconds >= 1 else 10 * seconds, stop)
            if stop.interrupted:
                thread.join(STOP_SECONDS)
    except BaseException:
        # A caller's handler of a signal raised, or Ctrl-C was pressed twice, which waits no longer.
        expired.set()
        if not stop.interrupted:
            thread.join(STOP_SECONDS)
        raise
    if not found:
        return Outcome(False, "", ended=False, cut=not late)
    outcome = found[0]
    if late and outcome.passed is not False:
        return Outcome(False, f"done only after the limit of {seconds:g} s: {outcome.detail}")
    return outcome._replace(cut=outcome.cut and not late)


def _joined(thread: threading.Thread, seconds: float, stop: Stop) -> bool:
    """Wait for a thread until its time is over or Ctrl-C is pressed; return whether it ended."""
    deadline = time.monotonic() + seconds
    while thread.is_alive() and not stop.interrupted and (left := deadline - time.monotonic()) > 0:
        thread.join(min(left, _LOOK_SECONDS))
    return not thread.is_alive()
