"""Risk: how many of the answers that are given are wrong, and a threshold below which to abstain that keeps it within a limit."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import bdtr, betaincinv

from ebmhw.errors import VerificationError, shown

Array = npt.NDArray[np.float64]
Truth = npt.NDArray[np.bool_]

GRID = tuple(round(0.5 + 0.05 * step, 2) for step in range(10))
"""Thresholds that are tried. They are set beforehand, so that the test of each is exact; each costs some of the bound's confidence."""


class Threshold(NamedTuple):
    """A threshold, and what is known of the answers above it.

    Attributes
    ----------
    at : probability from which on an answer is given; None where no threshold keeps the risk within the limit: always abstain
    risk : the limit, share of given answers that are wrong
    confidence : probability, over draws of the pairs, that the risk is within the limit
    pairs : independent pairs that it was chosen on
    given, wrong : of these
    """

    at: float | None
    risk: float
    confidence: float
    pairs: int
    given: int
    wrong: int

    @property
    def reason(self) -> str:
        """Why there is none, and what to do about it; "" where there is one."""
        if self.at is not None:
            return ""
        return f"no threshold keeps the risk of {100 * self.risk:g} % on {self.pairs} pairs; give more pairs or a larger risk"


def threshold_for(probabilities: Array, correct: Truth, risk: float = 0.1, confidence: float = 0.95) -> Threshold:
    """Return the threshold of `GRID` that gives most answers among those whose risk is within a limit.

    With a confidence of 0.95 and independent pairs that nothing was fitted on, the share of wrong ones among all answers above the threshold is at
    most ``risk`` in 95 of 100 draws of pairs. For each threshold the count of wrong ones is binomial, so that its tail (Clopper and Pearson, 1934)
    tests whether the risk is above the limit; all thresholds are tested, each at (1 - confidence) / 10 (Bonferroni). This is "learn then test"
    (Angelopoulos, Bates, Candès, Jordan and Lei, 2021) for selective classification (Geifman and El-Yaniv, 2017).

    Parameters
    ----------
    probabilities, correct : (n,) each
    risk, confidence : between 0 and 1
    """
    for name, value in (("risk", risk), ("confidence", confidence)):
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0.0 < value < 1.0:
            raise VerificationError(f"{name} is {shown(value)}; give a number between 0 and 1")
    found = Threshold(None, risk, confidence, len(probabilities), 0, 0)
    for at in GRID:
        chosen = probabilities >= at
        given, wrong = int(chosen.sum()), int((~correct[chosen]).sum())
        if given > found.given and float(bdtr(wrong, given, risk)) <= (1.0 - confidence) / len(GRID):
            found = found._replace(at=at, given=given, wrong=wrong)
    return found


def interval(count: int, total: int, confidence: float = 0.95) -> tuple[float, float]:
    """Return the exact interval of a share by Clopper and Pearson; (0, 1) of nothing."""
    tail = (1.0 - confidence) / 2
    low = 0.0 if count == 0 else float(betaincinv(count, total - count + 1, tail))
    high = 1.0 if count == total else float(betaincinv(count + 1, total - count, 1.0 - tail))
    return low, high


def risk_coverage(probabilities: Array, correct: Truth) -> tuple[Array, Array]:
    """Return (coverage, risk): for each probability that occurs, falling, the share of answers from it on, and how many of these are wrong."""
    order = np.argsort(-probabilities, kind="stable")
    wrong = np.cumsum(~correct[order])
    given = np.arange(1, len(order) + 1)
    last = np.append(np.diff(probabilities[order]) != 0, True)
    return given[last] / len(order), (wrong / given)[last]
