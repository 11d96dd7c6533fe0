"""The harness: measures named cases against their peers in interleaved rounds, in CPU seconds of one core.

A case is prepared once, run once to warm up, then measured in rounds ours, peer, ours, peer ..., so that a machine that gets slower or
faster meanwhile does so for both. The ratio is taken within each round, and the median over rounds is what counts.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any, Literal, final

DEFAULT_ROUNDS = 5

Measure = Callable[[int], float]
"""Does the work of one round (its number is the seed, -1 the warm-up) and returns the work done, or what was found."""


class PeerMissing(Exception):
    """A peer cannot be measured here; the text says why and what would help."""


def cpu_seconds() -> float:
    """Return the CPU seconds that this process and its ended children have used, all threads together."""
    own = time.process_time()
    try:
        import resource
    except ImportError:  # Windows counts no children
        return own
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return own + children.ru_utime + children.ru_stime


@final
@dataclass(frozen=True)
class Peer:
    """Somebody else's way to do the same; ``make`` takes what the case's setup returned and may raise ImportError or PeerMissing."""

    name: str
    make: Callable[[Any], Measure]


@final
@dataclass(frozen=True)
class Case:
    """One thing to measure.

    Attributes
    ----------
    name, group : "sampling/G1 256 reads" and the part before the slash
    measures : what is measured, in one sentence
    unit : of the values shown
    setup : makes what all sides share (graphs, files); not measured. What it enters into the stack is closed after the case
    ours : takes what setup returned and gives the function to measure
    peers : the same for others; the first one's ratio is held against the goal
    per_cpu_second : the value is work per CPU second, else what `Measure` returns
    higher_is_better : tells which way a ratio and a goal go; a ratio above 1 always favours us
    goal, goal_of : a number that the median should reach, of the ratio or of our value
    cpu_limit : CPU seconds within which the value has to be found
    ratio : whether a ratio of the values means anything (of two cuts it does not)
    max_rounds : where more rounds would only take longer
    warm_up : whether to run each side once before measuring
    """

    name: str
    measures: str
    unit: str
    ours: Callable[[Any], Measure]
    setup: Callable[[ExitStack], Any] = lambda _: None
    peers: tuple[Peer, ...] = ()
    per_cpu_second: bool = False
    higher_is_better: bool = True
    goal: float | None = None
    goal_of: Literal["ratio", "value"] = "value"
    cpu_limit: float | None = None
    ratio: bool = True
    max_rounds: int | None = None
    warm_up: bool = True

    @property
    def group(self) -> str:
        """The topic, as `--only` may name it."""
        return self.name.partition("/")[0]


@final
@dataclass
class Series:
    """The numbers of all rounds."""

    values: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        """The middle value, or the mean of the two middle ones."""
        return statistics.median(self.values)

    @property
    def low(self) -> float:
        """The smallest value."""
        return min(self.values)

    @property
    def high(self) -> float:
        """The largest value."""
        return max(self.values)

    def to_json(self) -> dict[str, Any] | None:
        """Return median, min, max and values; None where there are none."""
        if not self.values:
            return None
        return {"median": self.median, "min": self.low, "max": self.high, "values": self.values}


@final
@dataclass
class Side:
    """What one side did: its values, its CPU seconds, and for a peer the ratios, or why there is nothing."""

    name: str
    values: Series = field(default_factory=Series)
    cpu: Series = field(default_factory=Series)
    ratio: Series = field(default_factory=Series)
    missing: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the side as plain data."""
        return {
            "name": self.name,
            "value": self.values.to_json(),
            "cpu_seconds": self.cpu.to_json(),
            "ratio": self.ratio.to_json(),
            "missing": self.missing,
        }


@final
@dataclass
class Result:
    """A measured case; ``error`` says why it could not be measured, ``interrupted`` that rounds are missing."""

    case: Case
    rounds: int
    ours: Side
    peers: list[Side]
    error: str | None = None
    interrupted: bool = False

    @property
    def hits(self) -> int | None:
        """In how many rounds our value met its goal within the CPU limit; None where the goal is not about the value."""
        if self.case.goal is None or self.case.goal_of != "value":
            return None
        return sum(self._reached(value, cpu) for value, cpu in zip(self.ours.values.values, self.ours.cpu.values, strict=True))

    @property
    def met(self) -> bool | None:
        """Whether the medians meet the goal; None without a goal or without the numbers to tell."""
        if self.case.goal is None or self.error is not None or not self.ours.values.values:
            return None
        if self.case.goal_of == "value":
            return self._reached(self.ours.values.median, self.ours.cpu.median)
        if not self.peers or not self.peers[0].ratio.values:
            return None
        return self.peers[0].ratio.median >= self.case.goal

    def _reached(self, value: float, cpu: float) -> bool:
        goal, limit = self.case.goal, self.case.cpu_limit
        assert goal is not None
        good = value >= goal if self.case.higher_is_better else value <= goal
        return good and (limit is None or cpu <= limit)

    def to_json(self) -> dict[str, Any]:
        """Return the result as plain data."""
        case = self.case
        return {
            "name": case.name,
            "group": case.group,
            "measures": case.measures,
            "unit": case.unit,
            "higher_is_better": case.higher_is_better,
            "goal": case.goal,
            "goal_of": case.goal_of if case.goal is not None else None,
            "cpu_limit": case.cpu_limit,
            "met": self.met,
            "hits": self.hits,
            "rounds": len(self.ours.values.values),
            "ours": self.ours.to_json(),
            "peers": [peer.to_json() for peer in self.peers],
            "error": self.error,
            "interrupted": self.interrupted,
        }


def run_cases(
    cases: Iterable[Case],
    rounds: int = DEFAULT_ROUNDS,
    on_result: Callable[[Result], None] | None = None,
    on_step: Callable[[Case, str, int, int], None] | None = None,
    clock: Callable[[], float] = cpu_seconds,
) -> list[Result]:
    """Measure cases one after the other and return their results.

    Parameters
    ----------
    rounds : of each case, at least 1; a case may ask for fewer
    on_result : called with each result as soon as it is there; after Ctrl-C also with the one that was cut, if it has a whole round
    on_step : called before each step with (case, name of the side, round, rounds), round 0 is the preparation and the warm-up
    clock : CPU seconds

    A case that fails is a result with an ``error``; the others still run. KeyboardInterrupt is passed on.
    """
    results = []
    for case in cases:
        result = Result(case, min(rounds, case.max_rounds or rounds), Side("ebmhw"), [Side(peer.name) for peer in case.peers])
        try:
            _measure(result, on_step or _silent, clock)
        except KeyboardInterrupt:
            result.interrupted = True
            if result.ours.values.values and on_result is not None:
                on_result(result)
            raise
        except Exception as error:  # one broken case must not cost the others
            result.error = f"{type(error).__name__}: {error}"
        results.append(result)
        if on_result is not None:
            on_result(result)
    return results


def _silent(case: Case, side: str, number: int, rounds: int) -> None:
    return None


def _measure(result: Result, on_step: Callable[[Case, str, int, int], None], clock: Callable[[], float]) -> None:
    case = result.case
    with ExitStack() as stack:
        on_step(case, "setup", 0, result.rounds)
        shared = case.setup(stack)
        measure = case.ours(shared)
        _warm_up(case, "ebmhw", measure, on_step, result.rounds)
        opponents: list[tuple[Side, Measure]] = []
        for peer, side in zip(case.peers, result.peers, strict=True):
            try:
                other = peer.make(shared)
                _warm_up(case, peer.name, other, on_step, result.rounds)
            except ImportError as error:
                side.missing = f"peer {peer.name} not installed: pip install 'ebmhw[bench]' ({error})"
            except PeerMissing as error:
                side.missing = str(error)
            except Exception as error:  # a peer that fails must not hide our number
                side.missing = f"peer {peer.name} failed: {type(error).__name__}: {error}"
            else:
                opponents.append((side, other))
        gc.collect()
        for number in range(result.rounds):
            taken = [
                (side, *_timed(case, side.name, function, number, result.rounds, on_step, clock))
                for side, function in [(result.ours, measure), *opponents]
            ]
            # Only whole rounds are kept, so that all series have one length.
            for side, value, cpu in taken:
                side.values.values.append(value)
                side.cpu.values.append(cpu)
                if case.ratio and side is not result.ours:
                    side.ratio.values.append(_ratio(case, taken[0][1], value))


def _warm_up(case: Case, name: str, measure: Measure, on_step: Callable[[Case, str, int, int], None], rounds: int) -> None:
    if case.warm_up:
        on_step(case, name, 0, rounds)
        measure(-1)


def _timed(
    case: Case,
    name: str,
    measure: Measure,
    number: int,
    rounds: int,
    on_step: Callable[[Case, str, int, int], None],
    clock: Callable[[], float],
) -> tuple[float, float]:
    on_step(case, name, number + 1, rounds)
    began = clock()
    value = float(measure(number))
    cpu = clock() - began
    # A clock that did not move (a case of no work) gives no rate; a nanosecond keeps the division honest about that.
    return (value / max(cpu, 1e-9) if case.per_cpu_second else value), cpu


def _ratio(case: Case, ours: float, peer: float) -> float:
    better, worse = (ours, peer) if case.higher_is_better else (peer, ours)
    return better / worse if worse else 0.0 if not better else float("inf")


def selected(cases: Sequence[Case], only: Sequence[str]) -> list[Case]:
    """Return the cases whose name holds one of the given texts, in any case of letters; all of them where none is given."""
    return [case for case in cases if not only or any(text.lower() in case.name.lower() for text in only)]
