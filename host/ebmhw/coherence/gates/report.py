"""EvalReport: how an adapter answered; EvalGate: whether that is good enough, closed where anything is unknown."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, NamedTuple, final

from ebmhw.coherence.constants import SIGMA
from ebmhw.coherence.gates.intervals import Interval, paired_difference, wilson
from ebmhw.coherence.known import mean_of
from ebmhw.errors import ConfigError, shown
from ebmhw.numbers import whole

DISCONTINUITY = (0.3, 0.7)
"""The band of the discontinuity score: below it order is lost at most events, above it nearly every one is a sudden commitment."""

LEAST_EXAMPLES = 10


@final
class ExampleRecord(NamedTuple):
    """One answered example; None for what is unknown."""

    prompt: str
    completion: str
    score: float | None
    n_tokens: int
    phi_mean: float | None
    discontinuity_score: float | None

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        return self._asdict()


@final
@dataclass(frozen=True)
class EvalReport:
    """How a model answered examples of a task.

    Attributes
    ----------
    metric : mean score, 0 to 1
    n : examples that have a score
    phi_mean, discontinuity_score : means over the completions of their traces' measures
    wanted : examples asked for
    n_traced : completions of which phi is known
    n_answered : completions, scored or not
    task, model : what they are called
    seconds : of generating and scoring
    failure : why fewer than ``wanted`` were answered, None where all were
    records : the examples, in order
    """

    metric: float | None
    n: int
    phi_mean: float | None
    discontinuity_score: float | None
    wanted: int
    n_traced: int
    n_answered: int
    task: str = ""
    model: str = ""
    seconds: float = 0.0
    failure: str | None = None
    records: tuple[ExampleRecord, ...] = field(default=(), repr=False)

    @classmethod
    def of_records(
        cls, records: list[ExampleRecord], wanted: int, *, task: str = "", model: str = "", seconds: float = 0.0, failure: str | None = None
    ) -> EvalReport:
        """Return the report of these examples."""
        scores = [record.score for record in records]
        traced = [record for record in records if record.phi_mean is not None]
        return cls(
            metric=mean_of(scores),
            n=sum(score is not None for score in scores),
            phi_mean=mean_of([record.phi_mean for record in records]),
            discontinuity_score=mean_of([record.discontinuity_score for record in traced]),
            wanted=wanted,
            n_traced=len(traced),
            n_answered=len(records),
            task=task,
            model=model,
            seconds=seconds,
            failure=failure,
            records=tuple(records),
        )

    @property
    def interval(self) -> Interval | None:
        """The 95 % interval of the metric, None where that is unknown; see `ebmhw.coherence.gates.intervals.wilson`."""
        known = _known(self.metric)
        return None if known is None or self.n < 1 or not 0.0 <= known <= 1.0 else wilson(known, self.n)

    def to_dict(self, *, records: bool = True) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        names = ("task", "model", "n", "wanted", "n_answered", "n_traced", "seconds", "failure")
        told: dict[str, Any] = {name: _known(getattr(self, name)) for name in ("metric", "phi_mean", "discontinuity_score")}
        told |= {"interval": None if self.interval is None else list(self.interval)} | {name: getattr(self, name) for name in names}
        return told | ({"records": [record.to_dict() for record in self.records]} if records else {})


@final
class Comparison(NamedTuple):
    """An adapter against the model that it was trained on, on the same examples.

    Attributes
    ----------
    difference : mean score of the adapter minus that of the base; None where no example has both
    interval : its 95 % interval; see `ebmhw.coherence.gates.intervals.paired_difference`
    pairs : examples that have both
    better, worse : how many the adapter scored higher, lower
    base : how the base answered
    """

    difference: float | None
    interval: Interval | None
    pairs: int
    better: int
    worse: int
    base: EvalReport

    @classmethod
    def of(cls, adapter: EvalReport, base: EvalReport) -> Comparison:
        """Return the comparison of two reports of the same examples in the same order."""
        both = zip(adapter.records, base.records, strict=False)
        pairs = [(a.score, b.score) for a, b in both if a.prompt == b.prompt and a.score is not None and b.score is not None]
        if not pairs:
            return cls(None, None, 0, 0, 0, base)
        first, second = ([pair[i] for pair in pairs] for i in (0, 1))
        return cls(
            (sum(first) - sum(second)) / len(pairs),
            paired_difference(first, second),
            len(pairs),
            sum(a > b for a, b in pairs),
            sum(a < b for a, b in pairs),
            base,
        )

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        interval = None if self.interval is None else list(self.interval)
        return {**self._asdict(), "interval": interval, "base": self.base.to_dict()}


@final
class Criterion(NamedTuple):
    """One demand of a gate: its name, the value (None where unknown), the limit in words, and whether it is met."""

    name: str
    value: float | None
    limit: str
    passed: bool


@final
class GateDecision(NamedTuple):
    """What a gate says.

    Attributes
    ----------
    passed : whether all criteria are met
    reasons : why not, a sentence each; empty where it passed
    numbers : values and limits by name
    criteria : in the order in which they are shown
    """

    passed: bool
    reasons: tuple[str, ...]
    numbers: dict[str, float | None]
    criteria: tuple[Criterion, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        return {
            "passed": self.passed,
            "reasons": list(self.reasons),
            "numbers": self.numbers,
            "criteria": [criterion._asdict() for criterion in self.criteria],
        }


@final
class EvalGate:
    """The gate at the end of a training: the task is done well enough, and coherently. What is unknown does not pass.

    Parameters
    ----------
    metric_threshold : of the mean score, 0 to 1
    phi_floor : of the mean phi, 0 to 1
    discontinuity : band of the mean discontinuity score; a completion without any event scores .5
    least_examples : examples with a score
    lower_bound : whether the lower end of the metric's 95 % interval has to reach the threshold, rather than the metric

    Raises
    ------
    ConfigError
        for limits that are none.
    """

    def __init__(
        self,
        metric_threshold: float = 0.5,
        phi_floor: float = SIGMA,
        discontinuity: tuple[float, float] = DISCONTINUITY,
        *,
        least_examples: int = LEAST_EXAMPLES,
        lower_bound: bool = False,
    ) -> None:
        try:
            low, high = discontinuity
        except (TypeError, ValueError):
            raise ConfigError(f"discontinuity of a gate is {shown(discontinuity)}; give a lower and an upper limit from 0 to 1") from None
        for name, value in (("metric_threshold", metric_threshold), ("phi_floor", phi_floor), ("discontinuity", low), ("discontinuity", high)):
            known = _known(value)
            if known is None or not 0.0 <= known <= 1.0:
                raise ConfigError(f"{name} of a gate is {shown(value)}; give a number from 0 to 1")
        if low > high:
            raise ConfigError(f"discontinuity of a gate is {low:g} to {high:g}; give the lower limit first")
        least = whole(least_examples)
        if least is None or least < 1:
            raise ConfigError(f"least_examples of a gate is {shown(least_examples)}; give a whole number from 1 up")
        self.metric_threshold, self.phi_floor, self.discontinuity = float(metric_threshold), float(phi_floor), (float(low), float(high))
        self.least_examples, self.lower_bound = least, bool(lower_bound)

    def check(self, report: EvalReport) -> GateDecision:
        """Return the decision on a report."""
        low, high = self.discontinuity
        interval = report.interval
        judged = (None if interval is None else interval.low) if self.lower_bound else _known(report.metric)
        phi, broken = _known(report.phi_mean), _known(report.discontinuity_score)
        complete = report.failure is None and report.n == report.n_traced == report.n_answered == report.wanted
        criteria = (
            _at_least("metric, lower bound" if self.lower_bound else "metric", judged, self.metric_threshold),
            _at_least("phi_mean", phi, self.phi_floor),
            Criterion("discontinuity_score", broken, f"{low:g} to {high:g}", broken is not None and low <= broken <= high),
            _at_least("examples", float(report.n), float(self.least_examples)),
            Criterion("complete", float(min(report.n, report.n_traced)), f"= {report.wanted:g}", complete),
        )
        reasons = tuple(self._reason(criterion, report) for criterion in criteria if not criterion.passed)
        numbers = {
            "metric": _known(report.metric),
            "metric_low": None if interval is None else interval.low,
            "metric_high": None if interval is None else interval.high,
            "metric_threshold": self.metric_threshold,
            "phi_mean": phi,
            "phi_floor": self.phi_floor,
            "discontinuity_score": broken,
            "discontinuity_low": low,
            "discontinuity_high": high,
            "examples": float(report.n),
            "least_examples": float(self.least_examples),
        }
        return GateDecision(not reasons, reasons, numbers, criteria)

    def _reason(self, criterion: Criterion, report: EvalReport) -> str:
        if criterion.name == "complete":
            if report.failure is not None:
                return report.failure
            return (
                f"of {report.wanted} examples {report.n_answered} were answered, {report.n} have a score and {report.n_traced} a phi; "
                "what is unknown does not pass"
            )
        if criterion.value is None:
            return f"{criterion.name} is unknown; what is unknown does not pass"
        if criterion.name == "examples":
            return f"{report.n} examples have a score, fewer than {self.least_examples}; evaluate more"
        return f"{criterion.name} is {criterion.value:.4g}, not {criterion.limit}"


def _at_least(name: str, value: float | None, limit: float) -> Criterion:
    return Criterion(name, value, f">= {limit:.6g}", value is not None and value >= limit)


def _known(value: Any) -> float | None:
    """Return a finite number as a float, None for anything else."""
    if value is None or isinstance(value, (bool, str, bytes)):
        return None
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None
