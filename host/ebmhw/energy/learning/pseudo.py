"""Pseudo-likelihood: how well each visible spin is told by the others, which needs no partition sum."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ebmhw.energy.learning.data import spin_rows
from ebmhw.energy.learning.restricted import Restricted, log_two_cosh
from ebmhw.energy.learning.structure import FloatArray, Structure
from ebmhw.errors import InvalidModel
from ebmhw.numbers import real_numbers


def pseudo_log_likelihood(structure: Structure, parameters: npt.ArrayLike, rows: npt.ArrayLike) -> FloatArray:
    """Return sum_i log p(v_i | the other visible spins) of data (rows, visible), in nats, float64 (rows,) (Besag 1975).

    Exact for restricted Boltzmann machines and for structures without hidden spins; InvalidModel for others.
    """
    values = spin_rows(rows, structure.visible.size, "data")
    if structure.hidden.size:
        return _restricted(Restricted.of(structure, parameters), values.astype(np.float64))
    states = np.empty((len(values), structure.n), dtype=np.int8)
    states[:, structure.visible] = values
    model = structure.model(parameters)
    fields = np.tile(model.bias, (len(states), 1))
    floats = states.astype(np.float64)
    for block in model.blocks:
        products = block.weights * np.prod(floats[:, block.spins], axis=2)
        for column in range(block.order):
            members = block.spins[:, column]
            # A product without one of its spins is the product times that spin.
            np.add.at(fields.T, members, (products * floats[:, members]).T)
    return _told(2.0 * fields * floats)


def _restricted(machine: Restricted, rows: FloatArray) -> FloatArray:
    fields = machine.hidden_bias + rows @ machine.weights
    now = log_two_cosh(fields).sum(axis=1)
    change = np.empty_like(rows)
    for unit in range(rows.shape[1]):
        turned = fields - 2.0 * rows[:, unit : unit + 1] * machine.weights[unit]
        change[:, unit] = 2.0 * rows[:, unit] * machine.visible_bias[unit] + now - log_two_cosh(turned).sum(axis=1)
    return _told(change)


def _told(differences: FloatArray) -> FloatArray:
    """Return the sum of log sigmoid over columns."""
    result: FloatArray = -np.logaddexp(0.0, -differences).sum(axis=1)
    return result


def reconstruction_error(rows: npt.ArrayLike, again: npt.ArrayLike) -> float:
    """Return the share of visible spins that differ between data and what a chain made of them, both (rows, visible)."""
    first, second = real_numbers(rows, "data"), real_numbers(again, "what is made of them")
    if first.shape != second.shape or not first.size:
        raise InvalidModel(f"data have shape {first.shape}, what is made of them {second.shape}; give rows of the same, at least one value")
    return float((first != second).mean())
