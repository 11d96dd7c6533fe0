"""Trees whose value is squashed to 0..1, and how far they are from given targets.

A squashed tree gives 1 / (1 + exp(-(scale tree(x) + shift))); its parameters are the tree's constants, the scale and the shift, in this order.
"""

from __future__ import annotations

import numpy as np

from ebmhw.coherence.eml.nodes import EMLNode, EMLOp
from ebmhw.coherence.eml.tape import Tape, gradients, values
from ebmhw.coherence.known import FloatArray

LEAST_IN_LN = 1e-3
"""Constants that ln takes stay above this; below 1e-12 nothing would move them again."""

LARGEST = 50.0
"""Other bounds: of constants that ln takes, and of scale and shift in absolute value. Constants that exp takes stay within -20 and 20."""


def squashed(tape: Tape, params: FloatArray, inputs: FloatArray) -> FloatArray:
    """Return the squashed values (B,), 0 to 1, for inputs (B, D); NaN where one that is read is NaN."""
    return _logistic(params[-2] * values(tape, params[:-2], inputs) + params[-1])


def loss_and_gradient(tape: Tape, params: FloatArray, inputs: FloatArray, targets: FloatArray) -> tuple[float, FloatArray]:
    """Return half the mean squared error of the squashed values, and its exact gradient (P + 2,) by the parameters."""
    known = gradients(tape, params[:-2], inputs)
    reward = _logistic(params[-2] * known.values + params[-1])
    errors = reward - targets
    slopes = errors * reward * (1.0 - reward) / len(targets)
    by_params = np.concatenate([(slopes * params[-2]) @ known.params, [slopes @ known.values, slopes.sum()]])
    return float((errors * errors).mean() / 2), by_params


def bounds(root: EMLNode) -> tuple[FloatArray, FloatArray]:
    """Return the least and largest parameters (P + 2,) within which fitting keeps a tree."""
    in_ln = _in_ln(root, False)
    low = [LEAST_IN_LN if flag else -20.0 for flag in in_ln]
    high = [LARGEST if flag else 20.0 for flag in in_ln]
    return np.array([*low, -LARGEST, -LARGEST]), np.array([*high, LARGEST, LARGEST])


def _in_ln(node: EMLNode, right: bool) -> list[bool]:
    """Tell of each constant of a subtree, from left to right, whether ln takes it; ``right`` of the subtree itself."""
    if node.op is EMLOp.CONST:
        return [right]
    if node.op is EMLOp.VAR_X:
        return []
    first, second = node.children()
    return _in_ln(first, False) + _in_ln(second, True)


def _logistic(x: FloatArray) -> FloatArray:
    # exp(-|x|) cannot overflow; beyond 700 the float64 result is 0 or 1 either way.
    small = np.exp(-np.minimum(np.abs(x), 700.0))
    return np.asarray(np.where(x >= 0, 1.0, small) / (1.0 + small))
