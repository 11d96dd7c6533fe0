"""How fast `verify` is: short arithmetic answers a CPU second, the slowest in a hundred, and memory over many calls."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from ebmhw.bench.harness import Case, Measure, Peer, PeerMissing

if TYPE_CHECKING:
    from ebmhw.verify import VerifyRepairPipeline

ANSWERS, QUICK_ANSWERS = 10_000, 1_000
PEER_ANSWERS = 300
"""carnot-ebm does some hundred a second."""

CALLS_GOAL, SLOWEST_GOAL, GROWTH_GOAL = 5_000.0, 1.0, 1.0
"""Calls a second of one core; milliseconds; MiB over as many further calls as the case makes."""

_FORMS = (
    ("What is {a} {op} {b}?", "{a} {op} {b} = {c}"),
    ("What is {a} {op} {b}?", "The answer is {c}."),
    ("Calculate {a} {op} {b}.", "{a} {op} {b} = {c}, so the answer is {c}."),
    ("How much is {a} {op} {b}?", "It is {c}."),
)


def cases(quick: bool) -> list[Case]:
    """Return the cases; ``quick`` takes a tenth of the answers."""
    count = QUICK_ANSWERS if quick else ANSWERS
    texts = f"{count:,} distinct short arithmetic answers, half of them wrong, each seen once"
    return [
        Case(
            name="verify/answers",
            measures=f"calls of verify() a CPU second over {texts}",
            unit="calls/s",
            ours=lambda _: _checked(count, _our_pipeline()),
            peers=(Peer("carnot-ebm", lambda _: _checked(PEER_ANSWERS, _carnot())),),
            per_cpu_second=True,
            goal=CALLS_GOAL,
        ),
        Case(
            name="verify/answers p99",
            measures=f"milliseconds that 99 of 100 calls stay below, wall-clock, over {texts}",
            unit="ms",
            setup=_warmed,
            ours=lambda pipeline: lambda number: _slowest(pipeline, answers(count, number)),
            higher_is_better=False,
            goal=SLOWEST_GOAL,
        ),
        Case(
            name="verify/answers memory",
            measures=f"growth of resident memory over {10 * count:,} calls, after as many before",
            unit="MiB",
            setup=_warmed,
            ours=lambda pipeline: lambda number: _growth(pipeline, 10 * count),
            higher_is_better=False,
            goal=GROWTH_GOAL,
            max_rounds=1,
            warm_up=False,
        ),
    ]


def answers(count: int, seed: int) -> Iterator[tuple[str, str]]:
    """Yield (question, response) pairs: sums, differences and products of numbers up to a million, one response in two off by a little."""
    rng = random.Random(seed)
    for number in range(count):
        a, b = rng.randrange(1, 10**6), rng.randrange(1, 10**6)
        op = rng.choice("+-*")
        c = {"+": a + b, "-": a - b, "*": a * b}[op] + (rng.choice([-10, -1, 1, 2, 10]) if number % 2 else 0)
        question, response = rng.choice(_FORMS)
        yield question.format(a=a, op=op, b=b), response.format(a=a, op=op, b=b, c=c)


def _our_pipeline() -> VerifyRepairPipeline:
    from ebmhw.verify import VerifyRepairPipeline

    return VerifyRepairPipeline()


def _carnot() -> Any:
    try:
        from carnot.pipeline import VerifyRepairPipeline
    except ImportError as error:
        raise PeerMissing(f"carnot-ebm cannot be imported ({error}): pip install carnot-ebm==0.1.0b1, Python 3.11 or later") from None
    return VerifyRepairPipeline()


def _checked(count: int, pipeline: Any) -> Measure:
    def work(number: int) -> float:
        done = 0
        for question, response in answers(count, number):
            pipeline.verify(question, response)
            done += 1
        return float(done)

    return work


def _warmed(_: ExitStack) -> VerifyRepairPipeline:
    pipeline = _our_pipeline()
    for question, response in answers(100, -1):
        pipeline.verify(question, response)
    return pipeline


def _slowest(pipeline: VerifyRepairPipeline, pairs: Iterator[tuple[str, str]]) -> float:
    """Return the 99th percentile of the seconds of a call, in milliseconds."""
    clock: Callable[[], float] = time.perf_counter
    seconds = []
    for question, response in pairs:
        started = clock()
        pipeline.verify(question, response)
        seconds.append(clock() - started)
    seconds.sort()
    return 1e3 * seconds[int(len(seconds) * 0.99)]


def _growth(pipeline: VerifyRepairPipeline, count: int) -> float:
    for question, response in answers(count, 1):
        pipeline.verify(question, response)
    before = _resident()
    for question, response in answers(count, 2):
        pipeline.verify(question, response)
    return (_resident() - before) / 2**20


def _resident() -> int:
    """Return the bytes of this process in memory."""
    import os

    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
