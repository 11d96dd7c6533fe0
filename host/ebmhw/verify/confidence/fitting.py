"""Fitting: scores by logistic regression, and the mapping of scores to probabilities, each on pairs that it was not fitted on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from ebmhw.errors import VerificationError, shown
from ebmhw.verify.confidence.examples import NAMES, OPTIONAL, Example
from ebmhw.verify.confidence.isotonic import pooled, stepped
from ebmhw.verify.confidence.logistic import fitted, platt, sigmoid
from ebmhw.verify.confidence.measures import log_loss

Array = npt.NDArray[np.float64]
Truth = npt.NDArray[np.bool_]
Kind = Literal["platt", "isotonic"]

PENALTY = 1.0
FOLDS = 5
MOST = 1e9
"""Size of a feature at most; what is larger would drown the others, and what is not finite makes a probability that is none."""


class Scorer(NamedTuple):
    """A linear function of features.

    Attributes
    ----------
    names : of the features that it uses
    mean, scale, weights : (d,), of features as they are; they are centred and divided by the scale first
    bias : a number
    """

    names: tuple[str, ...]
    mean: Array
    scale: Array
    weights: Array
    bias: float

    def scores(self, table: Array) -> Array:
        """Return the score of each row of a table (n, d)."""
        found: Array = (table - self.mean) / self.scale @ self.weights + self.bias
        return found


class Mapping(NamedTuple):
    """What makes probabilities of scores.

    Attributes
    ----------
    kind : "platt", sigmoid(a score + b) with parameters (a,), (b,); "isotonic", steps that start at scores ``first`` and have values ``second``
    first, second : see there
    """

    kind: Kind
    first: Array
    second: Array

    def probabilities(self, scores: Array) -> Array:
        """Return the probability of each score."""
        if self.kind == "isotonic":
            return stepped(self.first, self.second, scores)
        return sigmoid(self.first[0] * scores + self.second[0])


class Fitted(NamedTuple):
    """What fitting came to.

    Attributes
    ----------
    scorer, mapping : that make a probability
    losses : log loss of each mapping on folds that it was not fitted on, nats
    """

    scorer: Scorer
    mapping: Mapping
    losses: dict[str, float]


def names_in(examples: Sequence[Example]) -> tuple[str, ...]:
    """Return the features that the examples have; VerificationError where they have none, or some have an optional one and others do not."""
    for name in OPTIONAL:
        having = sum(name in one.features for one in examples)
        if 0 < having < len(examples):
            raise VerificationError(f"{name} is known of {having} of {len(examples)} examples; give it for all, or for none")
    names = tuple(name for name in NAMES if name in examples[0].features)
    if not names:
        raise VerificationError(f"example 0 has none of the features {', '.join(NAMES)}; make examples by ebmhw.verify.confidence.example")
    return names


def table_of(examples: Sequence[Example], names: Sequence[str]) -> Array:
    """Return features as rows (n, d); VerificationError where one is missing or no number from -`MOST` to `MOST`."""
    rows = []
    for at, one in enumerate(examples):
        missing = next((name for name in names if name not in one.features), None)
        if missing is not None:
            raise VerificationError(f"example {at} has no feature {missing!r}, which this was fitted with; give it")
        row = [one.features[name] for name in names]
        for name, value in zip(names, row, strict=True):
            if not isinstance(value, (int, float)) or not abs(value) <= MOST:
                raise VerificationError(f"{name} of example {at} is {shown(value)}; give a number from {-MOST:g} to {MOST:g}")
        rows.append(row)
    return np.array(rows, dtype=np.float64).reshape(len(examples), len(names))


def fit_scorer(table: Array, correct: Truth, names: tuple[str, ...]) -> Scorer:
    """Return the scorer fitted to a table; features that are all alike weigh nothing."""
    mean, deviation = table.mean(axis=0), table.std(axis=0)
    scale = np.where(deviation > 1e-9, deviation, 1.0)
    weights = fitted((table - mean) / scale, correct.astype(np.float64), PENALTY)
    return Scorer(names, mean, scale, weights[:-1], float(weights[-1]))


def fit_mapping(kind: Kind, scores: Array, correct: Truth) -> Mapping:
    """Return the mapping fitted to scores."""
    if kind == "isotonic":
        return Mapping(kind, *pooled(scores, correct))
    slope, offset = platt(scores, correct)
    return Mapping(kind, np.array([slope]), np.array([offset]))


def cross_fitted(table: Array, correct: Truth, groups: Array, names: tuple[str, ...], seed: int) -> Fitted:
    """Return the scorer of all pairs with the mapping, "platt" or "isotonic", that does better on pairs held out.

    Each fold's scores come from a scorer that never saw the fold; the mappings are fitted on these. For the choice each is fitted on the other folds'
    scores and judged on one. Groups are never torn.

    Parameters
    ----------
    table, correct : (n, d) and (n,)
    groups : (n,), numbers of the pairs' groups
    """
    fold = folds_of(groups, FOLDS, seed)
    scores = np.empty(len(table))
    for at in range(FOLDS):
        inside = fold == at
        scores[inside] = fit_scorer(table[~inside], correct[~inside], names).scores(table[inside])
    losses: dict[str, float] = {}
    kinds: tuple[Kind, ...] = ("platt", "isotonic")
    for kind in kinds:
        held_out = np.empty(len(table))
        for at in range(FOLDS):
            inside = fold == at
            held_out[inside] = fit_mapping(kind, scores[~inside], correct[~inside]).probabilities(scores[inside])
        losses[kind] = log_loss(held_out, correct)
    best = min(kinds, key=lambda kind: losses[kind])
    return Fitted(fit_scorer(table, correct, names), fit_mapping(best, scores, correct), losses)


def folds_of(groups: Array, folds: int, seed: int) -> npt.NDArray[np.intp]:
    """Return the fold of each pair; groups are dealt out by chance, as many to each fold."""
    found = np.unique(groups)
    dealt = np.empty(len(found), dtype=np.intp)
    dealt[np.random.default_rng(seed).permutation(len(found))] = np.arange(len(found)) % folds
    return dealt[np.searchsorted(found, groups)]
