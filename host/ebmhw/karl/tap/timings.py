"""Timings: what an event costs, by tap, in a hook's process and by a collector; for benches, not for tests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from ebmhw.karl.home import VARIABLE
from ebmhw.karl.tap.payloads import parsed
from ebmhw.karl.tap.receiving import BYTES

_CWD = "/"


class Timing(NamedTuple):
    """Seconds of one kind of event.

    Attributes
    ----------
    median, worst : over the events, the worst the 99th percentile; wall clock
    cpu : of this process, on the mean; on a busy machine, or one whose disk is slow to sync, it tells more
    events : how many
    """

    median: float
    worst: float
    cpu: float
    events: int


def work(home: str | os.PathLike[str], events: int = 200, output_chars: int = 10_000) -> dict[str, Timing]:
    """Return what taps work for an event, from its bytes to its line, without the start of a process.

    Parameters
    ----------
    home : an empty folder, which is filled
    events : of each kind
    output_chars : of each call's output
    """
    from ebmhw.karl.tap.tapping import Tap

    tap = Tap(home)
    found = {}
    for name, make in _KINDS.items():
        times, cpu = [], 0.0
        for number in range(events):
            session = f"session-{number}"
            data = json.dumps(make(session, number, output_chars)).encode()[:BYTES]
            if name == "D next prompt":
                # The session has to have ended before; that is not part of it.
                tap.handle(_prompt(session, 0, 0))
                tap.handle(_end(session, 0, 0))
            start, used = time.perf_counter(), time.process_time()
            tap.handle(parsed(data))
            cpu += time.process_time() - used
            times.append(time.perf_counter() - start)
        found[name] = _timing(times, cpu)
    return found


def processes(home: str | os.PathLike[str], events: int = 20) -> dict[str, Timing]:
    """Return what a hook's process takes in all, its start included, beside that of one that does nothing."""
    environment = {**os.environ, VARIABLE: os.fspath(home)}
    found = {}
    for name, arguments in (("nothing", ["-c", "pass"]), ("tap", ["-m", "ebmhw.karl.tap"])):
        times = []
        used = _children()
        for number in range(events):
            data = json.dumps(_call("session-of-processes", number, 1000)).encode()
            start = time.perf_counter()
            subprocess.run([sys.executable, *arguments], input=data, env=environment, check=True, capture_output=True)
            times.append(time.perf_counter() - start)
        found[name] = _timing(times, _children() - used)
    return found


def collected(home: str | os.PathLike[str], events: int = 500, output_chars: int = 10_000) -> Timing:
    """Return what a hook waits for a collector, which runs in a process of its own meanwhile."""
    from ebmhw.karl.tap.clients import SOCKET, handed_over
    from ebmhw.karl.tap.stamps import stamped

    folder = Path(home)
    environment = {**os.environ, VARIABLE: os.fspath(home)}
    running = subprocess.Popen([sys.executable, "-m", "ebmhw.karl.tap.collector"], env=environment, stdout=subprocess.PIPE)
    try:
        assert running.stdout is not None
        running.stdout.readline()
        assert (folder / SOCKET).exists()
        times, used = [], time.process_time()
        for number in range(events):
            data = json.dumps(_call("session-of-collector", number, output_chars)).encode()
            start = time.perf_counter()
            taken = handed_over(folder, data, stamped(), None)
            times.append(time.perf_counter() - start)
            if not taken:
                raise RuntimeError(f"the collector did not take event {number} of {events}; see tap.log in {folder}")
        return _timing(times, time.process_time() - used)
    finally:
        running.terminate()
        running.wait(20)
        running.stdout.close()  # type: ignore[union-attr]


def _children() -> float:
    return sum(os.times()[2:4])


def _timing(times: list[float], cpu: float) -> Timing:
    ordered = sorted(times)
    return Timing(median(ordered), ordered[int(0.99 * (len(ordered) - 1))], cpu / len(ordered), len(ordered))


def _prompt(session: str, number: int, output_chars: int) -> Mapping[str, Any]:
    prompt = "That is wrong: use the other function, and run the tests again. " * 8
    return {"hook_event_name": "UserPromptSubmit", "session_id": session, "cwd": _CWD, "prompt": prompt, "prompt_id": f"p{number}"}


def _call(session: str, number: int, output_chars: int) -> Mapping[str, Any]:
    output = ("tests/test_a.py ....\n" * (output_chars // 21 + 1))[:output_chars] + "\n12 passed in 0.41s"
    return {
        "hook_event_name": "PostToolUse",
        "session_id": session,
        "cwd": _CWD,
        "tool_name": "Bash",
        "tool_input": {"command": "python -m pytest -q tests", "description": "Run the tests"},
        "tool_response": {"stdout": output, "stderr": "", "interrupted": False},
        "tool_use_id": f"t{number}",
        "duration_ms": 410,
    }


def _end(session: str, number: int, output_chars: int) -> Mapping[str, Any]:
    return {"hook_event_name": "SessionEnd", "session_id": session, "cwd": _CWD, "reason": "other"}


_KINDS = {"A prompt": _prompt, "B after a tool": _call, "C session end, stored": _end, "D next prompt": _prompt}
