"""Values and exact gradients of trees, over many inputs at once.

A tree is run as a tape: its nodes with children before parents. Gradients are those of reverse-mode differentiation, exact but for the
rounding of floats; no step of finite differences is chosen.
"""

from __future__ import annotations

from typing import NamedTuple, final

import numpy as np

from ebmhw.coherence.eml.function import CLAMP_X, EPS, combined
from ebmhw.coherence.eml.nodes import EMLNode, EMLOp
from ebmhw.coherence.known import FloatArray

Tape = tuple[tuple[EMLOp, int], ...]
"""Kinds of nodes, with the place of a constant among the parameters or the index of an input."""


@final
class EMLGradients(NamedTuple):
    """What a tree gives, and its derivatives there.

    Attributes
    ----------
    values : (B,)
    params : (B, P), by the constants
    inputs : (B, input_dim)
    """

    values: FloatArray
    params: FloatArray
    inputs: FloatArray


def tape_of(root: EMLNode) -> Tape:
    """Return the tape of a tree."""
    entries: list[tuple[EMLOp, int]] = []
    constants = 0
    for node in root.postfix():
        if node.op is EMLOp.CONST:
            entries.append((node.op, constants))
            constants += 1
        else:
            entries.append((node.op, -1 if node.var_idx is None else node.var_idx))
    return tuple(entries)


def values(tape: Tape, params: FloatArray, inputs: FloatArray) -> FloatArray:
    """Return what a tree with these constants (P,) gives for inputs (B, D), as (B,); NaN where an input that it reads is NaN."""
    stack: list[FloatArray] = []
    for op, index in tape:
        if op is EMLOp.CONST:
            stack.append(np.asarray(params[index]))
        elif op is EMLOp.VAR_X:
            stack.append(inputs[:, index])
        else:
            right = stack.pop()
            stack.append(combined(stack.pop(), right))
    return np.array(np.broadcast_to(stack.pop(), len(inputs)))


def gradients(tape: Tape, params: FloatArray, inputs: FloatArray) -> EMLGradients:
    """Return the same and its derivatives; 0 by an argument at or beyond its limit (20 of exp, 1e-12 of ln), NaN where the value is."""
    results: list[FloatArray] = []
    children: list[tuple[int, int]] = []
    stack: list[int] = []
    for n, (op, index) in enumerate(tape):
        pair = (-1, -1)
        if op is EMLOp.CONST:
            results.append(np.full(len(inputs), params[index]))
        elif op is EMLOp.VAR_X:
            results.append(inputs[:, index])
        else:
            right, left = stack.pop(), stack.pop()
            pair = (left, right)
            results.append(combined(results[left], results[right]))
        children.append(pair)
        stack.append(n)
    by_params = np.zeros((len(inputs), len(params)))
    by_inputs = np.zeros(inputs.shape)
    adjoints = [np.ones(len(inputs))] * len(tape)
    for n in reversed(range(len(tape))):
        op, index = tape[n]
        if op is EMLOp.CONST:
            by_params[:, index] = adjoints[n]
        elif op is EMLOp.VAR_X:
            by_inputs[:, index] += adjoints[n]
        else:
            left, right = children[n]
            x, y = results[left], results[right]
            adjoints[left] = adjoints[n] * np.where(np.abs(x) < CLAMP_X, np.exp(np.clip(x, -CLAMP_X, CLAMP_X)), 0.0)
            adjoints[right] = adjoints[n] * np.where(y > EPS, -1.0 / np.maximum(y, EPS), 0.0)
    unknown = np.isnan(results[-1])
    by_params[unknown] = np.nan
    by_inputs[unknown] = np.nan
    return EMLGradients(np.array(results[-1]), by_params, by_inputs)
