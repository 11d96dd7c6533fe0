"""within: the answer of something that may never come back, waited for only so long."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable
from typing import TypeVar, final

from ebmhw.verify.deadline import Deadline

T = TypeVar("T")


@final
class TimeOver(Exception):
    """What was waited for did not come in time; not a TimeoutError, which the work may raise for reasons of its own."""


# Python waits for a lock at most this long; no limit that anyone gives is longer.
_LONGEST = threading.TIMEOUT_MAX


def within(deadline: Deadline, work: Callable[[], T], cancel: Callable[[], None] | None = None) -> T:
    """Return work(), done in a thread of its own; raise TimeOver once the deadline has passed.

    Python cannot end a thread: what does not come back goes on behind the scenes, as a daemon, until it does or the process ends.
    ``cancel`` is called then, and at Ctrl-C, to make it come back.
    """
    results: list[T] = []
    failures: list[BaseException] = []
    done = threading.Event()

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:  # handed to the caller, whatever it is
            failures.append(error)
        finally:
            done.set()

    threading.Thread(target=contextvars.copy_context().run, args=(run,), name="ebmhw language model", daemon=True).start()
    ended = False
    try:
        ended = done.wait(min(deadline.left, _LONGEST))
    finally:
        if not ended and cancel is not None:
            cancel()
    # What comes after the limit, or because of the cancelling, does not count.
    if not ended:
        raise TimeOver
    if failures:
        raise failures[0]
    return results[0]
