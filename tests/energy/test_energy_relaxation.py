"""relax: problems as energies over a box, and points rounded to solutions that the problems judge by their own rules."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ebmhw.energy import relax
from ebmhw.errors import InvalidModel
from ebmhw.problems import Formula, GraphColouring, MaxCut, OneHot, Relation, Scheduling, SubsetSelection
from ebmhw.problems.puzzles import Futoshiki, Sudoku

RING = [(0, 1), (1, 2), (2, 3), (3, 4), (4, 0)]
BOARD = ((1, 3, 2, 4), (4, 2, 3, 1), (2, 4, 1, 3), (3, 1, 4, 2))


def seats() -> OneHot:
    names = ("ada", "bob", "eve")
    relations = [Relation.all_different(names), Relation.less("bob", "ada"), Relation.adjacent("eve", "bob")]
    return OneHot({name: (1, 2, 3) for name in names}, relations)


PROBLEMS: dict[str, Any] = {
    "formula": lambda: Formula.random(12, 3.0, 1),
    "colouring": lambda: GraphColouring(5, RING, 3, fixed={0: 2}),
    "assignment": seats,
    "scheduling": lambda: Scheduling({"saw": 2, "glue": 3, "paint": 2}, 5, exclusions=[("glue", "paint")], precedences=[("saw", "glue")]),
    "capacity": lambda: Scheduling(dict.fromkeys(range(6), 2), 6, demands={"m": dict.fromkeys(range(6), 1)}, capacities={"m": 2}),
    "sudoku": lambda: Sudoku([[1, 0, 0, 0], [0, 0, 3, 0], [0] * 4, [0] * 4], deduce=False),
    "futoshiki": lambda: Futoshiki(np.zeros((3, 3), dtype=int).tolist(), less=[((0, 0), (0, 1)), ((1, 1), (1, 2))]),
}


def random_solution(problem: Any, rng: np.random.Generator) -> Any:
    """Return a solution that may break rules, drawn without the relaxation."""
    if isinstance(problem, Formula):
        return rng.choice([-1, 1], problem.num_variables).astype(np.int8)
    if isinstance(problem, GraphColouring):
        return tuple(rng.integers(0, problem.colours, problem.n).tolist())
    if isinstance(problem, OneHot):
        return {name: values[rng.integers(len(values))] for name, values in problem.domains.items()}
    if isinstance(problem, Scheduling):
        return {task: int(rng.integers(0, problem.horizon - steps + 1)) for task, steps in problem.durations.items()}
    board = [[int(rng.choice(problem.candidates.values[r, c])) for c in range(problem.size)] for r in range(problem.size)]
    return tuple(map(tuple, board))


@pytest.fixture(scope="module", params=PROBLEMS)
def solved(request: pytest.FixtureRequest) -> tuple[Any, Any, Any]:
    problem = PROBLEMS[request.param]()
    relaxed = relax(problem)
    return problem, relaxed, relaxed.solve(seed=1, starts=6, steps=1200, noise=0.02)


def judged(problem: Any, solution: Any) -> bool:
    return problem.unsatisfied(solution) == 0 if isinstance(problem, Formula) else not problem.violated(solution)


def test_descent_finds_a_solution_by_the_problems_own_rules(solved: tuple[Any, Any, Any]) -> None:
    problem, relaxed, found = solved
    assert found.solved and judged(problem, found.solution) and found.violated == ()
    x = relaxed.write(found.solution)
    assert float(relaxed.energy.energy(x)) == 0.0 and (relaxed.low <= x).all() and (x <= relaxed.high).all()
    assert (found.repaired.x >= relaxed.low - 1e-6).all() and (found.repaired.x <= relaxed.high + 1e-6).all()


def test_energy_is_0_exactly_where_the_problem_says_that_all_holds(solved: tuple[Any, Any, Any]) -> None:
    problem, relaxed, found = solved
    rng = np.random.default_rng(0)
    solutions = [found.solution, *(random_solution(problem, rng) for _ in range(60))]
    points = np.stack([relaxed.write(solution) for solution in solutions])
    energies = np.asarray(relaxed.energy.energy_batch(points))
    right = [judged(problem, solution) for solution in solutions]
    np.testing.assert_array_equal(energies == 0.0, right)
    assert not all(right) and (energies[~np.array(right)] > 0.05).all()
    for solution, point in zip(solutions, points, strict=True):
        back = relaxed.rounded(point)
        np.testing.assert_array_equal(back, solution) if isinstance(back, np.ndarray) else None
        assert isinstance(back, np.ndarray) or back == solution


def test_any_other_problem_goes_by_its_clauses() -> None:
    problem = SubsetSelection({"a": 5, "b": 4, "c": 3}, 2, {("a", "b"): 3}, groups={"new": ["b", "c"]}, quotas={"new": (1, 2)})
    relaxed = relax(problem)
    found = relaxed.solve(seed=1, starts=4)
    assert found.solved and problem.violated(found.solution) == ()
    point = relaxed.write(("a", "c"))
    assert relaxed.rounded(point) == ("a", "c")
    hard = [
        report
        for report, weight in zip(relaxed.energy.decompose(point), relaxed.energy.weights, strict=True)
        if weight == relaxed.energy.weights.max()
    ]
    assert all(report.satisfied for report in hard)


def test_weights_of_soft_rules_are_kept() -> None:
    formula = Formula(2, [(1,), (-1,), (1, 2)], [2.0, 3.0, np.inf])
    relaxed = relax(formula)
    assert relaxed.energy.weights.tolist() == [2.0, 3.0, 6.0]
    found = relaxed.solve(seed=0)
    # All hard clauses hold, though the energy can not be 0.
    assert found.solved and not found.repaired.satisfied
    edges = relax(GraphColouring(3, [(0, 1), (1, 2), (0, 2)], 2, weights=[1, 2, 3]))
    assert edges.energy.weights.tolist() == [7.0, 7.0, 7.0, 1.0, 2.0, 3.0]


def test_what_has_no_solution_is_said_to_be_unsolved() -> None:
    triangle = GraphColouring(3, [(0, 1), (1, 2), (0, 2)], 2)
    found = relax(triangle).solve(seed=0, starts=3)
    assert not found.solved and found.starts == 3 and found.violated == triangle.violated(found.solution) != ()
    assert not found.repaired.satisfied


def test_tautologies_and_doubled_literals_are_no_trouble() -> None:
    relaxed = relax(Formula(3, [(1, -1, 2), (2, 2, 3), (-3,)]))
    assert relaxed.energy.names == ("clause 1", "clause 2")
    assert relaxed.solve(seed=0).solved


@pytest.mark.parametrize(
    ("problem", "text"),
    [
        (MaxCut(3, [(0, 1)]), "no problem of constraints"),
        (3, "3 is no problem of constraints"),
        (Formula(2, []), "has no rules"),
        (Sudoku.read("1...\n..3.\n.4..\n...2"), "leave nothing to choose"),
        (Formula(2, [()]), "can never hold"),
    ],
)
def test_what_cannot_be_relaxed_is_refused(problem: Any, text: str) -> None:
    if isinstance(problem, Sudoku) and problem.candidates.bit:
        pytest.skip("the givens leave something to choose")
    with pytest.raises(InvalidModel, match=text):
        relax(problem)
