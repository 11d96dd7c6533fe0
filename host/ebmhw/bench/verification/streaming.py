"""Streams: how long until the first verdict, candidates a second, and how far beyond its budget a candidate that hangs is ended."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ebmhw.bench.harness import Case, Measure, Peer

if TYPE_CHECKING:
    from ebmhw.verify import VerifyRepairPipeline

QUESTION = "What is 97 + 86?"
BUDGET = 0.5


def cases(quick: bool) -> list[Case]:
    """Return the cases."""
    count = 200 if quick else 2000
    return [
        Case(
            name="streaming/until the first verdict",
            measures="wall-clock milliseconds from the call to the first verdict of eight candidates: a process's start, against none",
            unit="ms",
            ours=lambda _: lambda number: _first(2),
            peers=(Peer("in this process", lambda _: lambda number: _first(0)),),
            higher_is_better=False,
            max_rounds=3,
        ),
        Case(
            name="streaming/candidates",
            measures=f"wall-clock candidates a second once workers have started, {count} short answers on 2 processes, against one by one",
            unit="candidates/s",
            ours=lambda _: lambda number: _pace(count, 2),
            peers=(Peer("one by one", lambda _: lambda number: _pace(count, 0)),),
            max_rounds=3,
        ),
        Case(
            name="streaming/a hang beyond its budget",
            measures=f"wall-clock milliseconds that a candidate which never ends had beyond its budget of {BUDGET:g} s",
            unit="ms",
            ours=_overdue,
            higher_is_better=False,
            max_rounds=3,
            warm_up=False,
        ),
    ]


def _texts(count: int) -> list[str]:
    return [f"{at} + 86 = {at + 86}. The answer is {183 + at % 2}." for at in range(count)]


def _first(workers: int) -> float:
    from ebmhw.verify.streaming import verify_stream

    started = time.perf_counter()
    stream = verify_stream(QUESTION, _texts(8), _pipeline(), workers=workers)
    next(stream)
    took = time.perf_counter() - started
    stream.close()
    return 1000.0 * took


def _pace(count: int, workers: int) -> float:
    from ebmhw.verify.streaming import verify_stream

    stream = verify_stream(QUESTION, _texts(count), _pipeline(), workers=workers)
    # Both workers have started once a tenth is done.
    for _ in range(count // 10):
        next(stream)
    started = time.perf_counter()
    done = sum(1 for _ in stream)
    return done / (time.perf_counter() - started)


def _overdue(_: object) -> Measure:
    from ebmhw.bench.verification.hanging import Hanging
    from ebmhw.verify import VerifyRepairPipeline
    from ebmhw.verify.streaming import verify_stream

    def measure(number: int) -> float:
        (record,) = verify_stream("", ["hang"], VerifyRepairPipeline(domains=[Hanging()]), budget=BUDGET, workers=1)
        assert record.stopped == "budget"
        return 1000.0 * (record.seconds - BUDGET)

    return measure


def _pipeline() -> VerifyRepairPipeline:
    from ebmhw.verify import VerifyRepairPipeline

    return VerifyRepairPipeline(domains=["arithmetic"])
