"""ComposedEnergy: weighted constraints as one energy, told apart again by `decompose` and `verify`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from ebmhw.energy.arrays import FloatArray, held, jax, jnp, point
from ebmhw.energy.base import EnergyFunction
from ebmhw.energy.constraint import BaseConstraint, positive
from ebmhw.errors import InvalidModel, shown


@final
@dataclass(frozen=True)
class ConstraintReport:
    """What one constraint says of a point: its energy (a squared residual), that times its weight, and whether the energy is within its tolerance."""

    name: str
    energy: float
    weighted_energy: float
    satisfied: bool


@final
@dataclass(frozen=True)
class EnergyReport:
    """What all constraints say of a point.

    Attributes
    ----------
    total_energy : sum of weighted energies
    constraints : a report each, in their order
    """

    total_energy: float
    constraints: tuple[ConstraintReport, ...]

    @property
    def failing(self) -> tuple[str, ...]:
        """Names of the constraints that do not hold."""
        return tuple(report.name for report in self.constraints if not report.satisfied)

    def is_verified(self) -> bool:
        """Tell whether all constraints hold."""
        return not self.failing

    def failing_constraints(self) -> list[str]:
        """Return `failing` as a list, by Carnot's name."""
        return list(self.failing)


@final
class ComposedEnergy(EnergyFunction):
    """The sum of constraints times weights.

    Constraints of one class and shape are computed together, so that the time to compile goes with the kinds, not with their number
    (10,000 clauses of 3 literals: as long as one). Weights are arguments: `with_weights` compiles nothing.

    Parameters
    ----------
    terms : constraints, at least one, all of one input_dim, with distinct names
    weights : a positive number each; None for 1 each

    Raises
    ------
    InvalidModel
        for no constraints, ones of different lengths or of one name, weights that are not positive and finite.
    """

    def __init__(self, terms: Iterable[BaseConstraint], weights: Sequence[float] | FloatArray | None = None) -> None:
        self.terms = tuple(terms) if isinstance(terms, Iterable) else ()
        if not self.terms:
            raise InvalidModel("an energy composed of no constraints; give at least one")
        for term in self.terms:
            if not isinstance(term, BaseConstraint):
                raise InvalidModel(f"{shown(term)} is no constraint; give objects of BaseConstraint")
            if term.input_dim != self.terms[0].input_dim:
                raise InvalidModel(
                    f"constraint {term.name!r} is over {term.input_dim} inputs, {self.terms[0].name!r} over {self.terms[0].input_dim}; "
                    "give all one length"
                )
        seen: set[str] = set()
        for term in self.terms:
            if term.name in seen:
                raise InvalidModel(f"two constraints are named {term.name!r}; give each its own name, or one of them a larger weight")
            seen.add(term.name)
        numbers = held(np.ones(len(self.terms)) if weights is None else weights, "weights", len(self.terms))
        for term, number in zip(self.terms, numbers.tolist(), strict=True):
            positive(number, f"the weight of {term.name!r}")
        groups: dict[Any, list[int]] = {}
        for place, term in enumerate(self.terms):
            leaves, form = jax.tree.flatten(term._held)
            key = (type(term), term.structure, form, tuple((leaf.shape, leaf.dtype.str) for leaf in leaves))
            groups.setdefault(key, []).append(place)
        stacked = tuple(jax.tree.map(lambda *leaves: np.stack(leaves), *(self.terms[i]._held for i in places)) for places in groups.values())
        order = np.argsort([i for places in groups.values() for i in places]).astype(np.int32)
        tolerances = held([term.tolerance for term in self.terms], "tolerances", len(self.terms))
        super().__init__(
            self.terms[0].input_dim,
            {"weights": numbers, "terms": stacked, "order": order, "tolerances": tolerances},
            tuple((key[0], key[1], len(places)) for key, places in groups.items()),
        )

    @classmethod
    def evaluate(cls, structure: Any, parameters: Any, x: Any) -> Any:
        """Return the weighted sum of the constraints' energies."""
        return parameters["weights"] @ cls.parts(structure, parameters, x)

    @classmethod
    def parts(cls, structure: Any, parameters: Any, x: Any) -> Any:
        """Return the energies (terms,) of the constraints, without weights: a pure function in JAX of its last two arguments."""
        groups = [
            jax.vmap(kind.evaluate, in_axes=(None, 0, None), axis_size=size)(inner, stacked, x)
            for (kind, inner, size), stacked in zip(structure, parameters["terms"], strict=True)
        ]
        return jnp.concatenate(groups)[parameters["order"]]

    @classmethod
    def violated_gradient(cls, structure: Any, parameters: Any, x: Any) -> tuple[Any, Any]:
        """Return the energies (terms,), and the gradient (input_dim,) of those above their tolerance, weighted; pure, as `parts`."""
        energies, back = jax.vjp(lambda y: cls.parts(structure, parameters, y), x)
        violated = ~(energies <= parameters["tolerances"])
        return energies, back(jnp.where(violated, parameters["weights"], 0.0).astype(energies.dtype))[0]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the constraints, in their order."""
        return tuple(term.name for term in self.terms)

    @property
    def num_constraints(self) -> int:
        """Number of constraints."""
        return len(self.terms)

    @property
    def weights(self) -> FloatArray:
        """Weights of the constraints, float64 (terms,), read-only."""
        numbers: FloatArray = self._held["weights"]
        return numbers

    @property
    def tolerances(self) -> FloatArray:
        """Tolerances of the constraints, float64 (terms,), read-only."""
        numbers: FloatArray = self._held["tolerances"]
        return numbers

    def energies(self, x: Any) -> Any:
        """Return the energies (terms,) of the constraints at a point (input_dim,), without weights; errors as `energy`."""
        return _parts(self.structure, self.parameters, point(x, "a point", self.input_dim))

    def grad_violated_only(self, x: Any) -> Any:
        """Return the gradient (input_dim,) of the weighted sum of the constraints that do not hold at a point; 0 where all do."""
        return _violated(self.structure, self.parameters, point(x, "a point", self.input_dim))[1]

    def decompose(self, x: Any) -> list[ConstraintReport]:
        """Return what each constraint says of a point (input_dim,), in their order."""
        return self._reports(np.asarray(self.energies(x), dtype=np.float64))

    def verify(self, x: Any) -> EnergyReport:
        """Return what all constraints say of a point (input_dim,)."""
        reports = self.decompose(x)
        return EnergyReport(float(sum(report.weighted_energy for report in reports)), tuple(reports))

    def with_weights(self, weights: Sequence[float] | FloatArray) -> ComposedEnergy:
        """Return the same constraints under other positive weights; nothing is compiled anew."""
        return ComposedEnergy(self.terms, weights)

    def add(self, term: BaseConstraint, weight: float = 1.0) -> ComposedEnergy:
        """Return this energy and a further constraint."""
        return ComposedEnergy((*self.terms, term), [*self.weights.tolist(), weight])

    def scale(self, factor: float) -> ComposedEnergy:
        """Return this energy with all weights times a positive number."""
        return self.with_weights(self.weights * positive(factor, "the factor of an energy"))

    def compose(self, other: ComposedEnergy) -> ComposedEnergy:
        """Return the constraints of both under their weights."""
        return ComposedEnergy((*self.terms, *other.terms), np.concatenate([self.weights, other.weights]))

    def _reports(self, energies: FloatArray) -> list[ConstraintReport]:
        satisfied = energies <= self.tolerances.astype(self.parameters["tolerances"].dtype)
        rows = zip(self.terms, energies.tolist(), self.weights.tolist(), satisfied.tolist(), strict=True)
        return [ConstraintReport(term.name, energy, weight * energy, holds) for term, energy, weight, holds in rows]

    def __repr__(self) -> str:
        return f"ComposedEnergy({len(self.terms)} constraints over {self.input_dim} inputs)"


_parts = jax.jit(ComposedEnergy.parts, static_argnums=0)
_violated = jax.jit(ComposedEnergy.violated_gradient, static_argnums=0)
