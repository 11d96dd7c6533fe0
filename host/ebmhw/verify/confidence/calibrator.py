"""Calibrator: the probability that a response is right, and whether to abstain."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, final

import numpy as np
import numpy.typing as npt

from ebmhw.errors import VerificationError, shown
from ebmhw.numbers import whole
from ebmhw.verify.confidence.evaluation import Evaluation, evaluate
from ebmhw.verify.confidence.examples import OPTIONAL, Example, features
from ebmhw.verify.confidence.fitting import FOLDS, Mapping, Scorer, cross_fitted, names_in, table_of
from ebmhw.verify.confidence.risk import Threshold, threshold_for

if TYPE_CHECKING:
    from ebmhw.verify.report import Report

LEAST_GROUPS = 50
"""Questions that a calibrator is fitted on at least; fewer leave the folds with a handful."""

THRESHOLD_SHARE = 0.4
"""Of the questions, those that only the threshold is chosen on: fewer make abstention frequent, more the probabilities coarse."""


class Confidence(NamedTuple):
    """How sure to be of a response.

    Attributes
    ----------
    probability : that it is right
    abstain : True where that is below the threshold, or where there is none
    threshold : from which on an answer is given; None where none keeps the risk
    reason : why to abstain; "" where not
    """

    probability: float
    abstain: bool
    threshold: float | None
    reason: str = ""


@final
@dataclass(frozen=True, eq=False)
class Calibrator:
    """Gives responses a probability to be right.

    Attributes
    ----------
    scorer, mapping : make the probability of features
    threshold : for abstaining, chosen on questions that nothing else was fitted on
    losses : of the mappings that were tried, on pairs held out, nats
    pairs, groups : that it was made of, those for the threshold included
    """

    scorer: Scorer
    mapping: Mapping
    threshold: Threshold
    losses: dict[str, float]
    pairs: int
    groups: int

    @classmethod
    def fit(cls, examples: Sequence[Example], *, target_risk: float = 0.1, confidence: float = 0.95, seed: int = 0) -> Calibrator:
        """Return a calibrator fitted to responses whose truth is known.

        Questions (groups) are divided by chance: on 60 of 100 the score and its mapping are fitted, crosswise, on the other 40 the threshold is
        chosen, on one pair of each, as pairs of one question do not say two things. What is right of responses like these holds for no others.

        Parameters
        ----------
        examples : of at least 50 questions, right ones and wrong ones among them
        target_risk : share of wrong ones among the answers that are given, at most
        confidence : with which that holds (see `ebmhw.verify.confidence.threshold_for`)
        seed : of the division

        Raises
        ------
        VerificationError
            for too few examples, only right or only wrong ones, and examples that differ in which features they have.
        """
        if not examples or not all(isinstance(one, Example) for one in examples):
            raise VerificationError("examples must be a list of Example; make them by ebmhw.verify.confidence.example")
        start = whole(seed)
        if start is None or start < 0:
            raise VerificationError(f"seed is {shown(seed)}; give a whole number of at least 0")
        strange = next((one for one in examples if not isinstance(one.correct, (bool, np.bool_)) or not isinstance(one.group, str)), None)
        if strange is not None:
            raise VerificationError(f"an example has correct {shown(strange.correct)} and group {shown(strange.group)}; give a bool and a str")
        names = names_in(examples)
        table, correct = table_of(examples, names), np.array([one.correct for one in examples], dtype=np.bool_)
        # By a dict: an array of texts would take the longest one's memory for each.
        found = {name: number for number, name in enumerate(sorted({one.group for one in examples}))}
        groups = np.array([found[one.group] for one in examples])
        if len(found) < LEAST_GROUPS:
            raise VerificationError(f"there are {len(found)} questions; give at least {LEAST_GROUPS}, or probabilities mean nothing")
        generator = np.random.default_rng(start)
        for_threshold = np.zeros(len(found), dtype=np.bool_)
        for_threshold[generator.permutation(len(found))[: round(THRESHOLD_SHARE * len(found))]] = True
        fit = ~for_threshold[groups]
        if not 0 < correct[fit].sum() < fit.sum():
            raise VerificationError(f"all {int(fit.sum())} examples to fit on are {'right' if correct[fit].any() else 'wrong'}; give both kinds")
        scorer, mapping, losses = cross_fitted(table[fit], correct[fit], groups[fit].astype(np.float64), names, start)
        # One a question: the first in an order by chance.
        order = generator.permutation(len(examples))
        rest = order[~fit[order]]
        chosen = rest[np.unique(groups[rest], return_index=True)[1]]
        probabilities = mapping.probabilities(scorer.scores(table[chosen]))
        threshold = threshold_for(probabilities, correct[chosen], target_risk, confidence)
        return cls(scorer, mapping, threshold, losses, len(examples), len(found))

    def confidence(self, report: Report, *, logprob: float | None = None, agreement: float | None = None) -> Confidence:
        """Return how sure to be of a response; parameters as of `ebmhw.verify.confidence.features`.

        Raises
        ------
        VerificationError
            where it was fitted with a logprob or agreement that is not given, or without one that is.
        """
        found = features(report, logprob=logprob, agreement=agreement)
        for name in OPTIONAL:
            if (name in found) != (name in self.scorer.names):
                was, now = ("with", "give it") if name in self.scorer.names else ("without", "leave it out")
                raise VerificationError(f"this calibrator was fitted {was} {name}; {now}, or fit another one")
        probability = float(self.probabilities([Example(found, False, "")])[0])
        at = self.threshold.at
        if at is None:
            return Confidence(probability, True, None, self.threshold.reason)
        abstain = probability < at
        return Confidence(probability, abstain, at, f"the probability is below the threshold of {at:g}" if abstain else "")

    def probabilities(self, examples: Sequence[Example]) -> npt.NDArray[np.float64]:
        """Return the probability of each example to be right; its truth is not looked at."""
        return self.mapping.probabilities(self.scorer.scores(table_of(examples, self.scorer.names)))

    def evaluate(self, examples: Sequence[Example], *, seed: int = 0) -> Evaluation:
        """Return how good the probabilities are on examples, which must be of other questions than those it was fitted on."""
        if not examples:
            raise VerificationError("there are no examples to evaluate on; give some of other questions than it was fitted on")
        groups = [one.group for one in examples]
        return evaluate(self.probabilities(examples), np.array([one.correct for one in examples], dtype=np.bool_), groups, seed=seed)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write it to a file of JSON, whole or not at all."""
        from ebmhw.verify.confidence.saving import save

        save(self, path)

    @staticmethod
    def load(path: str | os.PathLike[str]) -> Calibrator:
        """Return what `save` wrote; InvalidFile for anything else, NewerRecord for a later version's."""
        from ebmhw.verify.confidence.saving import load

        return load(path)

    def __repr__(self) -> str:
        at = f"always abstains: {self.threshold.reason}" if self.threshold.at is None else f"answers from {shown(self.threshold.at)}"
        return f"Calibrator({self.mapping.kind} of {len(self.scorer.names)} features, {self.groups} questions, {FOLDS} folds; {at})"
