"""relax: a problem of `ebmhw.problems` as constraints over real numbers, and points rounded back to solutions that the problem itself judges."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import combinations, product
from typing import Any, final

import numpy as np

from ebmhw.energy.arrays import FloatArray, count, point
from ebmhw.energy.composed import ComposedEnergy
from ebmhw.energy.constraint import BaseConstraint
from ebmhw.energy.constraints.linear import Bounds
from ebmhw.energy.constraints.logic import Clause, DifferentColours, ExactlyOne, NotTogether
from ebmhw.energy.constraints.timing import Capacity, Exclusion, Order
from ebmhw.energy.descent import Repaired, repair
from ebmhw.errors import InvalidModel, InvalidRun, shown
from ebmhw.problems.assignment import OneHot
from ebmhw.problems.colouring import GraphColouring
from ebmhw.problems.formula import Formula
from ebmhw.problems.problem import ConstraintProblem
from ebmhw.problems.puzzles.latin import LatinSquare
from ebmhw.problems.scheduling import Scheduling


@final
@dataclass(frozen=True, eq=False)
class Solved:
    """What `Relaxation.solve` found.

    Attributes
    ----------
    solution : of the start that broke the fewest rules, as the problem has solutions; None where no point stood for one
    violated : names of the rules that it breaks, by the problem's own judgement
    repaired : the descent that led there
    starts : starts that were tried
    """

    solution: Any
    violated: tuple[str, ...]
    repaired: Repaired
    starts: int

    @property
    def solved(self) -> bool:
        """Whether the solution breaks no rule."""
        return self.solution is not None and not self.violated


@final
@dataclass(frozen=True, eq=False)
class Relaxation:
    """A problem as an energy over a box.

    Attributes
    ----------
    problem : as given
    energy : its rules, a constraint each; a weighted rule with its weight, hard ones with 1 + the sum of those
    low, high : ends of the box, float64 (input_dim,)
    read : point (input_dim,) -> solution, or None where it stands for none
    write : solution -> point; rules that a solution keeps have energy 0 there
    judge : solution -> names of the hard rules that it breaks, by the problem itself
    """

    problem: Any
    energy: ComposedEnergy
    low: FloatArray
    high: FloatArray
    read: Callable[[FloatArray], Any]
    write: Callable[[Any], FloatArray]
    judge: Callable[[Any], tuple[str, ...]]

    def rounded(self, x: Any) -> Any:
        """Return the solution nearest to a point (input_dim,); None where it stands for none."""
        return self.read(np.asarray(point(x, "a point", self.energy.input_dim), dtype=np.float64))

    def start(self, seed: int) -> FloatArray:
        """Return a point drawn uniformly from the box."""
        rng = np.random.default_rng(count(seed, "the seed", 0))
        drawn: FloatArray = rng.uniform(self.low, self.high)
        return drawn

    def solve(
        self, seed: int = 0, starts: int = 8, steps: int = 500, step_size: float = 0.1, noise: float = 0.0, random_step: bool = False
    ) -> Solved:
        """Return the best of several descents from random starts, ended by the first whose rounded point breaks no rule.

        A descent may fail where solutions exist; that there are none is for `ebmhw.problems.decide` to say.
        """
        best: Solved | None = None
        for number in range(count(starts, "starts")):
            found = repair(self.energy, self.start(seed + number), steps, step_size, noise, random_step, seed + number, bounds=(self.low, self.high))
            solution = self.rounded(found.x)
            broken = ("the point stands for no solution",) if solution is None else self.judge(solution)
            tried = Solved(solution, broken, found, number + 1)
            if tried.solved:
                return tried
            if best is None or (best.solution is None, len(best.violated)) > (solution is None, len(broken)):
                best = tried
        if best is None:
            raise InvalidRun("no starts; give at least one")
        return Solved(best.solution, best.violated, best.repaired, starts)

    def __repr__(self) -> str:
        return f"Relaxation({self.problem!r}, {self.energy.num_constraints} constraints over {self.energy.input_dim} inputs)"


def relax(problem: Any) -> Relaxation:
    """Return a problem as an energy over a box.

    Formula: a spin a variable, a clause each. GraphColouring: a spin a vertex and colour. OneHot: a spin a value. Scheduling: the start of each
    task, in time steps. Sudoku and Futoshiki: a spin a value that is left to a cell. Any other problem of constraints: the clauses that it gives
    to a complete solver, over its spins and their ancillas. Spins are in [-1, 1].

    Raises
    ------
    InvalidModel
        for what is no such problem, and for one without rules or without anything to choose.
    """
    if isinstance(problem, Formula):
        return _formula(problem)
    if isinstance(problem, GraphColouring):
        return _colouring(problem)
    if isinstance(problem, OneHot):
        return _assignment(problem)
    if isinstance(problem, Scheduling):
        return _scheduling(problem)
    if isinstance(problem, LatinSquare):
        return _latin(problem)
    if isinstance(problem, ConstraintProblem):
        return _clauses(problem)
    raise InvalidModel(f"{shown(problem)} is no problem of constraints; give a Formula, GraphColouring, OneHot, Scheduling, Sudoku and the like")


def _relaxation(
    problem: Any,
    terms: Iterable[tuple[BaseConstraint, float | None]],
    box: tuple[Any, Any],
    read: Callable[[FloatArray], Any],
    write: Callable[[Any], FloatArray],
    judge: Callable[[Any], tuple[str, ...]],
) -> Relaxation:
    pairs = list(terms)
    if not pairs:
        raise InvalidModel(f"{problem!r} has no rules, which every point keeps; give a problem with at least one")
    hard = 1.0 + sum(weight for _, weight in pairs if weight is not None)
    energy = ComposedEnergy((term for term, _ in pairs), [hard if weight is None else weight for _, weight in pairs])
    low, high = (np.broadcast_to(np.asarray(end, dtype=np.float64), (energy.input_dim,)).copy() for end in box)
    return Relaxation(problem, energy, low, high, read, write, judge)


def _formula(problem: Formula) -> Relaxation:
    size = problem.num_variables
    terms: list[tuple[BaseConstraint, float | None]] = [
        (Clause(size, literals, name=f"clause {number}"), weight) for number, literals, weight in _clauses_of(problem)
    ]

    def judge(spins: Any) -> tuple[str, ...]:
        held = np.zeros(len(problem.clauses), dtype=bool)
        truths = np.asarray(spins) > 0
        for number, literals in enumerate(problem.clauses):
            held[number] = any(truths[abs(x) - 1] == (x > 0) for x in literals)
        return tuple(f"clause {i}" for i in np.flatnonzero(~held & problem.hard))

    return _relaxation(problem, terms, (-1.0, 1.0), _signs, lambda spins: np.asarray(spins, dtype=np.float64)[:size], judge)


def _clauses(problem: ConstraintProblem[Any]) -> Relaxation:
    formula, spins = problem.formula, problem.model.n
    inner = _formula(formula)

    def write(solution: Any) -> FloatArray:
        state = problem.encode(solution)
        if formula.num_variables == spins:
            return np.asarray(state, dtype=np.float64)
        # Variables behind the spins follow from them; a complete solver says how.
        from ebmhw.problems.decide import decide

        hard = [literals for _, literals, weight in _clauses_of(formula) if weight is None]
        fixed = [[(i + 1) if s > 0 else -(i + 1)] for i, s in enumerate(state.tolist())]
        found = decide(Formula(formula.num_variables, [*hard, *fixed], split_above=8)).assignment
        if found is None:
            raise InvalidModel("the solution breaks a rule, so that no values of the ancillas belong to it; give one that keeps them")
        return np.where(np.asarray(found[: formula.num_variables]), 1.0, -1.0)

    return _relaxation(
        problem,
        zip(inner.energy.terms, (weight for _, _, weight in _clauses_of(formula)), strict=True),
        (-1.0, 1.0),
        lambda x: problem.decode(_signs(x)[:spins]),
        write,
        problem.violated,
    )


def _clauses_of(formula: Formula) -> list[tuple[int, tuple[int, ...], float | None]]:
    """Return (number, distinct literals, weight or None where it must hold) of the clauses that can be broken."""
    rows = zip(formula.clauses, formula.hard.tolist(), formula.weights.tolist(), strict=True)
    found = []
    for number, (given, hard, weight) in enumerate(rows):
        literals = tuple(dict.fromkeys(given))
        if len({abs(x) for x in literals}) == len(literals):
            found.append((number, literals, None if hard else float(weight)))
    return found


def _colouring(problem: GraphColouring) -> Relaxation:
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

    return _relaxation(problem, terms, (-1.0, 1.0), lambda x: tuple(int(c) for c in x.reshape(n, k).argmax(axis=1)), write, problem.violated)


def _assignment(problem: OneHot) -> Relaxation:
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

    return _relaxation(problem, terms, (-1.0, 1.0), read, write, problem.violated)


def _scheduling(problem: Scheduling) -> Relaxation:
    tasks = {task: place for place, task in enumerate(problem.durations)}
    size, lasting = len(tasks), list(problem.durations.values())
    low = np.array([problem.windows[task][0] for task in tasks], dtype=np.float64)
    high = np.array([problem.windows[task][1] - problem.durations[task] for task in tasks], dtype=np.float64)
    terms: list[tuple[BaseConstraint, float | None]] = [(Bounds(size, None, low, high, name="windows"), None)]
    for a, b in dict.fromkeys(problem.precedences):
        terms.append((Order(size, tasks[a], tasks[b], problem.durations[a], name=f"{a} before {b}"), None))
    for a, b in dict.fromkeys((a, b) if tasks[a] < tasks[b] else (b, a) for a, b in problem.exclusions):
        terms.append((Exclusion(size, tasks[a], tasks[b], (problem.durations[a], problem.durations[b]), name=f"{a} and {b} do not overlap"), None))
    for name, units in problem.demands.items():
        if sum(units.values()) > problem.capacities[name]:
            at = [tasks[task] for task in units]
            capacity = Capacity(size, at, [lasting[i] for i in at], list(units.values()), problem.capacities[name], name=f"capacity of {name}")
            terms.append((capacity, None))

    def read(x: FloatArray) -> Any:
        # floor(x + c) keeps every rule that real starts keep exactly; within tolerances some c does, and which is for the problem to judge.
        tried = [
            dict(zip(tasks, np.clip(np.floor(x + c), low, high).astype(int).tolist(), strict=True)) for c in (0.5, 0.3, 0.7, 0.1, 0.9, 0.01, 0.99)
        ]
        return min(tried, key=lambda starts: len(problem.violated(starts)))

    def write(solution: Any) -> FloatArray:
        return np.array([solution[task] for task in tasks], dtype=np.float64)

    # A box needs some width; a task with one possible start is held there by its bounds.
    return _relaxation(problem, terms, (low - 0.25, high + 0.25), read, write, problem.violated)


def _latin(problem: LatinSquare) -> Relaxation:
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

    return _relaxation(problem, terms, (-1.0, 1.0), read, write, problem.violated)


def _signs(x: FloatArray) -> Any:
    return np.where(x >= 0, 1, -1).astype(np.int8)
