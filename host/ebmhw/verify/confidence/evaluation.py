"""Evaluation: how good probabilities are, on pairs that nothing was fitted on."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, final

import numpy as np
import numpy.typing as npt

from ebmhw.errors import VerificationError, shown
from ebmhw.verify.confidence import measures
from ebmhw.verify.confidence.risk import interval, risk_coverage

Array = npt.NDArray[np.float64]
Truth = npt.NDArray[np.bool_]

BINS = 10
DRAWS = 300


class Interval(NamedTuple):
    """A figure with its 95 % interval, by drawing groups again (bootstrap)."""

    value: float
    low: float
    high: float


class Bin(NamedTuple):
    """Pairs of like probability.

    Attributes
    ----------
    mean : of their probabilities
    pairs, right : how many, and how many of them are right
    low, high : 95 % interval of the share that is right (Clopper and Pearson), for independent pairs
    """

    mean: float
    pairs: int
    right: int
    low: float
    high: float

    @property
    def share(self) -> float:
        """That is right."""
        return self.right / self.pairs


@final
@dataclass(frozen=True, eq=False)
class Evaluation:
    """How good probabilities are.

    Attributes
    ----------
    pairs, groups : how many
    base_rate : share of right ones
    log_loss, brier, auroc : with intervals; nats, squared error, 0.5 for no discrimination
    log_loss_of_base_rate : of giving every pair the base rate
    ece, ece_by_chance : expected calibration error over `BINS` bins, and what it would be on average were the probabilities calibrated
    z, p_value : Spiegelhalter's test of calibration; small p-values speak against it. Too sure where pairs of one group depend on each other
    bins : by probability, ascending
    coverage, risk : the risk-coverage curve
    """

    pairs: int
    groups: int
    base_rate: float
    log_loss: Interval
    log_loss_of_base_rate: float
    brier: Interval
    auroc: Interval
    ece: float
    ece_by_chance: float
    z: float
    p_value: float
    bins: tuple[Bin, ...]
    coverage: tuple[float, ...]
    risk: tuple[float, ...]

    def coverage_at(self, risk: float) -> float:
        """Return the largest coverage whose risk is at most this on these very pairs: an optimistic figure, as the threshold is chosen on them."""
        return max((coverage for coverage, found in zip(self.coverage, self.risk, strict=True) if found <= risk), default=0.0)

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON holds it; what is not a number is null."""
        plain = {name: getattr(self, name) for name in self.__dataclass_fields__}
        for name in ("log_loss", "brier", "auroc"):
            plain[name] = {part: _finite(value) for part, value in plain[name]._asdict().items()}
        plain["bins"] = [one._asdict() for one in self.bins]
        plain["coverage"], plain["risk"] = list(self.coverage), list(self.risk)
        plain["z"] = _finite(self.z)
        return plain

    def table(self) -> str:
        """Return figures, bins and the coverage at some risks as text."""
        rows = [
            f"{self.pairs} pairs, {self.groups} questions, {self.base_rate:.1%} right",
            f"AUROC     {_told(self.auroc)}    (0.5: no discrimination)",
            f"log loss  {_told(self.log_loss)}    (base rate alone: {self.log_loss_of_base_rate:.3f})",
            f"Brier     {_told(self.brier)}",
            f"ECE       {self.ece:.3f}, {self.ece_by_chance:.3f} by chance alone; Spiegelhalter z {self.z:+.2f}, p {self.p_value:.2g}",
            "",
            "probability  right   95 % interval   pairs",
        ]
        for one in self.bins:
            marks = [" "] * 41
            for at in range(round(40 * one.low), round(40 * one.high) + 1):
                marks[at] = "-"
            marks[round(40 * one.share)] = "o"
            marks[round(40 * one.mean)] = "|" if round(40 * one.mean) != round(40 * one.share) else "@"
            rows.append(f"      {one.mean:.3f}  {one.share:.3f}  {one.low:.3f} to {one.high:.3f}  {one.pairs:6d}  {''.join(marks).rstrip()}")
        rows += ["", "o: share right, |: probability, @: both, ---: interval of the share", ""]
        rows += [f"coverage at {risk:.0%} risk, chosen on these pairs: {self.coverage_at(risk):.1%}" for risk in (0.05, 0.1, 0.2, 0.3)]
        return "\n".join(rows)


def evaluate(
    probabilities: npt.ArrayLike, correct: npt.ArrayLike, groups: Sequence[str] | None = None, *, bins: int = BINS, seed: int = 0
) -> Evaluation:
    """Return how good probabilities are.

    Parameters
    ----------
    probabilities : (n,), 0 to 1, n at least 1
    correct : (n,), whether each turned out to be right
    groups : (n,), the question of each, for intervals; each is its own where left out
    bins : of the reliability table
    seed : of the drawing for intervals

    Raises
    ------
    VerificationError
        for numbers that are no probabilities, and lengths that differ.
    """
    p, y = np.asarray(probabilities, dtype=np.float64), np.asarray(correct)
    if p.ndim != 1 or len(p) == 0 or y.shape != p.shape or y.dtype != np.bool_ or (groups is not None and len(groups) != len(p)):
        raise VerificationError(f"probabilities {p.shape}, correct {y.shape} of {y.dtype}; give as many truths (bool) and groups as probabilities")
    if not np.all((p >= 0.0) & (p <= 1.0)):
        raise VerificationError(f"probabilities hold {shown(p[~((p >= 0.0) & (p <= 1.0))][0])}; give numbers from 0 to 1")
    names, which = np.unique(np.arange(len(p)).astype(str) if groups is None else np.asarray(groups), return_inverse=True)
    members = np.split(np.argsort(which.ravel(), kind="stable"), np.cumsum(np.bincount(which.ravel()))[:-1])
    generator = np.random.default_rng(seed)
    draws = [np.concatenate([members[at] for at in generator.integers(len(names), size=len(names))]) for _ in range(DRAWS)]

    def figure(measure: Callable[[Array, Truth], float]) -> Interval:
        found = [value for draw in draws if math.isfinite(value := measure(p[draw], y[draw]))]
        low, high = np.quantile(found, [0.025, 0.975]) if found else (math.nan, math.nan)
        return Interval(measure(p, y), float(low), float(high))

    base = float(y.mean())
    coverage, risk = risk_coverage(p, y)
    z, p_value = measures.spiegelhalter(p, y)
    return Evaluation(
        pairs=len(p),
        groups=len(names),
        base_rate=base,
        log_loss=figure(measures.log_loss),
        log_loss_of_base_rate=measures.log_loss(np.full(len(p), base), y),
        brier=figure(measures.brier),
        auroc=figure(measures.auroc),
        ece=measures.ece(p, y, bins),
        ece_by_chance=measures.ece_by_chance(p, bins, seed),
        z=z,
        p_value=p_value,
        bins=_bins(p, y, bins),
        coverage=tuple(coverage.tolist()),
        risk=tuple(risk.tolist()),
    )


def _bins(p: Array, y: Truth, bins: int) -> tuple[Bin, ...]:
    which = measures.binned(p, measures.edges_of(p, bins))
    found = []
    for at in np.unique(which):
        inside = which == at
        count, right = int(inside.sum()), int(y[inside].sum())
        found.append(Bin(float(p[inside].mean()), count, right, *interval(right, count)))
    return tuple(found)


def _told(figure: Interval) -> str:
    return f"{figure.value:.3f} ({figure.low:.3f} to {figure.high:.3f})"


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
