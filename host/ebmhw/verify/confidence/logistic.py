"""Logistic regression with an L2 penalty, fitted by Newton's method; on one input it is Platt's scaling."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

STEPS = 100
TOLERANCE = 1e-10


def sigmoid(z: Array) -> Array:
    """Return 1 / (1 + exp(-z)), without overflow."""
    half: Array = 0.5 * (1.0 + np.tanh(0.5 * z))
    return half


def fitted(inputs: Array, targets: Array, penalty: float) -> Array:
    """Return weights (d + 1,), the bias last, that minimise the log loss plus penalty / 2 times the squared weights, the bias not counted.

    Newton's method with halved steps where the full one does not lower the loss: it is convex, and strictly so with a penalty.

    Parameters
    ----------
    inputs : (n, d)
    targets : (n,), 0 to 1
    penalty : above 0
    """
    design = np.column_stack([inputs, np.ones(len(inputs))])
    ridge = np.full(design.shape[1], penalty)
    # Enough for the bias not to run away where all targets are alike.
    ridge[-1] = 1e-6
    weights = np.zeros(design.shape[1])
    loss = _loss(design, targets, weights, ridge)
    for _ in range(STEPS):
        p = sigmoid(design @ weights)
        gradient = design.T @ (p - targets) + ridge * weights
        hessian = (design * (p * (1.0 - p))[:, None]).T @ design + np.diag(ridge)
        step = np.linalg.solve(hessian, gradient)
        size = 1.0
        while (trial := _loss(design, targets, weights - size * step, ridge)) > loss and size > 1e-8:
            size /= 2
        weights = weights - size * step
        if loss - trial <= TOLERANCE * (1.0 + abs(loss)):
            break
        loss = trial
    return weights


def platt(scores: Array, correct: npt.NDArray[np.bool_]) -> tuple[float, float]:
    """Return (slope, offset) of sigmoid(slope score + offset).

    Targets are not 0 and 1 but (1 / (N- + 2)) and (N+ + 1) / (N+ + 2), by Platt, "Probabilistic outputs for support vector machines", 1999, so that
    separable scores have a finite slope.
    """
    right, wrong = int(correct.sum()), int((~correct).sum())
    targets = np.where(correct, (right + 1.0) / (right + 2.0), 1.0 / (wrong + 2.0))
    slope, offset = fitted(scores[:, None], targets, 1e-6)
    return float(slope), float(offset)


def _loss(design: Array, targets: Array, weights: Array, ridge: Array) -> float:
    z = design @ weights
    return float(np.sum(np.logaddexp(0.0, z) - targets * z) + 0.5 * np.sum(ridge * weights**2))
