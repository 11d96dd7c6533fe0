"""Problems of one choice out of several (colourings, assignments, Latin squares) as energies over a spin a choice, between -1 and +1."""

from __future__ import annotations

from itertools import combinations, product
from typing import Any

import numpy as np

from ebmhw.energy.arrays import FloatArray
from ebmhw.energy.constraint import BaseConstraint
from ebmhw.energy.constraints.logic import Clause, DifferentColours, ExactlyOne, NotTogether
from ebmhw.energy.relaxation import Relaxation, relaxation
from ebmhw.errors import InvalidModel
from ebmhw.problems.assignment import OneHot
from ebmhw.problems.colouring import GraphColouring
from ebmhw.problems.puzzles.latin import LatinSquare


def colouring(problem: GraphColouring) -> Relaxation:
    """Return a colouring over a spin a vertex and colour."""
    n, k = problem.n, problem.colours
    places = np.arange(n * k).reshape(n, k)
    terms: list[tuple[BaseConstraint, float | None]] = [
        (ExactlyOne(n * k, row, name=f"vertex {v} has one colour"), None) for v, row in enumerate(places)
    ]
    terms += [(Clause(n * k, [int(places[v, c]) + 1], name=f"vertex {v} has colour {c}"), None) for v, c in problem.fixed.items()]
    together: dict[tuple[int, int], float] = {}
    for number, (a, b) in enumerate(problem.edges):
        pair = (min(a, b), max(a, b))
        together[pair] = together.get(pair, 0.0) + (1.0 if problem.weights is None else problem.weights[number])
    for (a, b), weight in together.items():
        terms.append((DifferentColours(n * k, places[a], places[b], name=f"edge {a}-{b}"), None if problem.weights is None else weight))

    def write(solution: Any) -> FloatArray:
        found = np.full((n, k), -1.0)
        found[np.arange(n), list(solution)] = 1.0
        return found.ravel()

    return relaxation(problem, terms, (-1.0, 1.0), lambda x: tuple(int(c) for c in x.reshape(n, k).argmax(axis=1)), write, problem.violated)


def assignment(problem: OneHot) -> Relaxation:
    """Return an assignment over a spin a value."""
    bits = {name: {value: problem.bit(name, value) - 1 for value in values} for name, values in problem.domains.items()}
    size = sum(map(len, bits.values()))
    terms: list[tuple[BaseConstraint, float | None]] = [
        (ExactlyOne(size, list(places.values()), name=f"{name} has one value"), None) for name, places in bits.items()
    ]
    named: dict[str, int] = {}
    for relation in problem.relations:
        if relation.all_distinct:
            pairs = combinations(relation.names, 2)
            rows = [(bits[a][value], bits[b][value]) for a, b in pairs for value in bits[a] if value in bits[b]]
        else:
            values = product(*(problem.domains[name] for name in relation.names))
            rows = [tuple(bits[n][v] for n, v in zip(relation.names, row, strict=True)) for row in values if not relation.holds(*row)]  # type: ignore[misc]
        named[relation.label] = named.get(relation.label, 0) + 1
        label = relation.label if named[relation.label] == 1 else f"{relation.label} ({named[relation.label]})"
        if rows:
            terms.append((NotTogether(size, rows, name=label), None if relation.weight is None else float(relation.weight)))

    def write(solution: Any) -> FloatArray:
        found = np.full(size, -1.0)
        found[[bits[name][value] for name, value in solution.items()]] = 1.0
        return found

    def read(x: FloatArray) -> Any:
        return {name: max(places, key=lambda value: x[places[value]]) for name, places in bits.items()}

    return relaxation(problem, terms, (-1.0, 1.0), read, write, problem.violated)


def latin(problem: LatinSquare) -> Relaxation:
    """Return a puzzle on a Latin square over a spin a value that is left to a cell."""
    candidates = problem.candidates
    bits = {key: bit - 1 for key, bit in candidates.bit.items()}
    size = len(bits)
    if not size:
        raise InvalidModel(f"the givens of the {problem.kind} leave nothing to choose; read its solution from the candidates")
    cells: dict[Any, dict[int, int]] = {}
    for (cell, value), place in bits.items():
        cells.setdefault(cell, {})[value] = place
    terms: list[tuple[BaseConstraint, float | None]] = [
        (ExactlyOne(size, list(places.values()), name=f"cell {cell}"), None) for cell, places in cells.items()
    ]
    for name, members in problem.units.items():
        for value in range(1, problem.size + 1):
            if not any(candidates.is_fixed(cell, value) for cell in members):
                at = [bits[cell, value] for cell in members if (cell, value) in bits]
                if not at:
                    raise InvalidModel(f"{name} of the {problem.kind} has no place for {value}; the givens contradict each other")
                terms.append((ExactlyOne(size, at, name=f"{value} in {name}"), None))
    for a, b in problem.less:
        wrong = [(x, y) for x in candidates.values[a] for y in candidates.values[b] if x >= y]
        rows = [[*candidates.literals(a, x), *candidates.literals(b, y)] for x, y in wrong]
        for number, row in enumerate(rows):
            if not row:
                raise InvalidModel(f"cells {a} and {b} of the {problem.kind} cannot be in order; the givens contradict each other")
            terms.append((Clause(size, [-literal for literal in row], name=f"{a} < {b}, pair {number}"), None))

    def read(x: FloatArray) -> Any:
        chosen = {cell: max(places, key=lambda value: x[places[value]]) for cell, places in cells.items()}
        return tuple(
            tuple(chosen[r, c] if (r, c) in chosen else next(iter(candidates.values[r, c])) for c in range(problem.size)) for r in range(problem.size)
        )

    def write(solution: Any) -> FloatArray:
        found = np.full(size, -1.0)
        for (r, c), places in cells.items():
            if solution[r][c] in places:
                found[places[solution[r][c]]] = 1.0
        return found

    return relaxation(problem, terms, (-1.0, 1.0), read, write, problem.violated)
