"""Constraints on truths: clauses, implications, one of several, combinations that must not be, codes that differ.

A truth is a spin: +1 true, -1 false, and a point between counts (1 + x) / 2 as true. Literals are those of `ebmhw.problems`: i says that
spin i - 1 is true, -i that it is false.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, final

import numpy as np

from ebmhw.energy.arrays import IntArray, held, indices, jnp, positions
from ebmhw.energy.constraint import TOLERANCE, BaseConstraint
from ebmhw.errors import InvalidModel, shown
from ebmhw.numbers import whole
from ebmhw.problems.problem import integer, listed


@final
class Clause(BaseConstraint):
    """At least one literal is true: the residual is the product of how false each is, 1 where all are false and 0 where one is true.

    Parameters
    ----------
    input_dim : number of spins
    literals : nonzero integers up to input_dim without their sign, of distinct spins
    """

    def __init__(self, input_dim: int, literals: Iterable[int], *, name: str | None = None, tolerance: float = TOLERANCE) -> None:
        parameters, members = _literals(input_dim, literals)
        super().__init__(input_dim, parameters, (), name or " or ".join(map(_word, members)), tolerance)

    @classmethod
    def residuals(cls, structure: Any, parameters: Any, x: Any) -> Any:
        """Return the product (1,)."""
        return jnp.prod((1.0 - parameters["signs"] * x[parameters["at"]]) / 2.0)[None]


@final
class Implication(BaseConstraint):
    """Where all premises are true, so is at least one conclusion; the residual is the product of how true the ones and how false the others are."""

    def __init__(
        self, input_dim: int, premises: Iterable[int], conclusions: Iterable[int], *, name: str | None = None, tolerance: float = TOLERANCE
    ) -> None:
        given, wanted = (tuple(side) if isinstance(side, Iterable) else () for side in (premises, conclusions))
        if not given or not wanted:
            raise InvalidModel(f"an implication of {len(given)} premises and {len(wanted)} conclusions; give one or more of each")
        parameters, _ = _literals(input_dim, [*(-literal if whole(literal) is not None else literal for literal in given), *wanted])
        text = f"{' and '.join(map(_word, given))} -> {' or '.join(map(_word, wanted))}"
        super().__init__(input_dim, parameters, (), name or text, tolerance)

    @classmethod
    def residuals(cls, structure: Any, parameters: Any, x: Any) -> Any:
        """Return the product (1,)."""
        return Clause.residuals(structure, parameters, x)


@final
class ExactlyOne(BaseConstraint):
    """Exactly one of the spins at positions is +1; residuals are by how much their number is off, and the product of each pair.

    Between -1 and +1 it holds nowhere else: products of 0 leave one spin that is not -1, and the number makes it +1.
    """

    def __init__(self, input_dim: int, at: Any, *, name: str | None = None, tolerance: float = TOLERANCE) -> None:
        places = positions(at, "positions", input_dim)
        first, second = np.triu_indices(places.size, 1)
        parameters = {"at": places, "first": places[first], "second": places[second]}
        super().__init__(input_dim, parameters, (), name or f"exactly one of {listed(places.tolist())}", tolerance)

    @classmethod
    def residuals(cls, structure: Any, parameters: Any, x: Any) -> Any:
        """Return the difference and the products (1 + pairs,)."""
        true = (1.0 + x) / 2.0
        return jnp.concatenate([(jnp.sum(true[parameters["at"]]) - 1.0)[None], true[parameters["first"]] * true[parameters["second"]]])


@final
class NotTogether(BaseConstraint):
    """Of no row of positions are all spins +1; residuals are the products (1 + x) / 2 of each row.

    Parameters
    ----------
    input_dim : number of spins
    rows : positions (m, k), distinct within a row
    """

    def __init__(self, input_dim: int, rows: Any, *, name: str | None = None, tolerance: float = TOLERANCE) -> None:
        places = indices(rows, "rows of positions", input_dim, None, None)
        if not places.size:
            raise InvalidModel(f"rows of positions have shape {places.shape}; give (m, k), at least 1 of each")
        if (np.diff(np.sort(places, axis=1), axis=1) == 0).any():
            raise InvalidModel("a row of positions holds one twice; give distinct positions within a row")
        super().__init__(input_dim, {"rows": places}, (), name or f"not together: {listed(map(tuple, places.tolist()))}", tolerance)

    @classmethod
    def residuals(cls, structure: Any, parameters: Any, x: Any) -> Any:
        """Return the products (m,)."""
        return jnp.prod((1.0 + x[parameters["rows"]]) / 2.0, axis=1)


@final
class DifferentColours(BaseConstraint):
    """Two vertices have different colours, each given by a spin a colour, one of them +1; the residual is the overlap, 1 where they are equal.

    Parameters
    ----------
    input_dim : number of spins
    first, second : positions (colours,) of the two vertices, colour by colour
    """

    def __init__(self, input_dim: int, first: Any, second: Any, *, name: str | None = None, tolerance: float = TOLERANCE) -> None:
        one, other = positions(first, "positions of the first vertex", input_dim), positions(second, "positions of the second vertex", input_dim)
        if one.size != other.size or np.intersect1d(one, other).size:
            raise InvalidModel(f"positions {shown(one.tolist())} and {shown(other.tolist())}; give as many for either vertex, and none to both")
        text = f"colours of {listed(one.tolist())} and {listed(other.tolist())} differ"
        super().__init__(input_dim, {"first": one, "second": other}, (), name or text, tolerance)

    @classmethod
    def residuals(cls, structure: Any, parameters: Any, x: Any) -> Any:
        """Return the overlap (1,)."""
        true = (1.0 + x) / 2.0
        return (true[parameters["first"]] @ true[parameters["second"]])[None]


def _literals(input_dim: int, literals: Iterable[int]) -> tuple[dict[str, Any], tuple[int, ...]]:
    if not isinstance(literals, Iterable):
        raise InvalidModel(f"literals are {shown(literals)}; give a sequence of nonzero integers")
    members, size = tuple(literals), integer(input_dim, "the number of inputs of an energy", 1)
    for literal in members:
        number = whole(literal)
        if number is None or not 1 <= abs(number) <= size:
            raise InvalidModel(f"literal {shown(literal)} names no spin; literals are 1 .. {input_dim}, negative for a negated spin")
    if not members:
        raise InvalidModel("a clause without literals can never hold; give at least one literal")
    array: IntArray = np.array(members, dtype=np.int32)
    if np.unique(np.abs(array)).size < array.size:
        raise InvalidModel(f"literals {shown(members)} name a spin twice; give literals of distinct spins")
    return {"at": indices(np.abs(array) - 1, "literals", input_dim, None), "signs": held(np.sign(array), "signs", array.size)}, members


def _word(literal: int) -> str:
    return f"{'not ' if literal < 0 else ''}x[{abs(literal) - 1}]"
