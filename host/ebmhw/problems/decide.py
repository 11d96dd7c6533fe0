"""decide: whether clauses can all hold, by a complete solver whose every answer is checked before it is given."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, final

from ebmhw.errors import InvalidModel, InvalidProof, MissingExtra, PipelineTimeoutError, VerificationError, shown
from ebmhw.numbers import real_number
from ebmhw.problems.formula import Formula
from ebmhw.problems.proof import check_proof
from ebmhw.problems.trim import Proof, trim

_SOLVER = "glucose4"
_SECOND_SOLVER = "maplechrono"
_SHORT_PROOF = 2_000
"""Steps of a proof, above which a second solver looks for a shorter one: a solver takes 1/50 of the time of the check. Of pigeonholes 8 into 7
the first needs 7,406 steps and the second 1,039; of random 3-SAT the first needs far fewer."""

_STEP_SECONDS = 40e-6
"""Least time that a step takes to be read and checked."""

_CHUNK = 4096
"""Clauses or steps between two looks at the clock."""


@final
@dataclass(frozen=True)
class Outcome:
    """What is known of a formula.

    Attributes
    ----------
    satisfiable : True with an assignment, False with a proof, None where the time did not suffice
    assignment : truth of variables 1..n, or None
    proof : clauses that follow from the formula and each other by reverse unit propagation, the last one empty (see `check_proof`), or None
    """

    satisfiable: bool | None
    assignment: tuple[bool, ...] | None = None
    proof: Proof | None = None


def decide(formula: Formula, time_limit: float = 10.0) -> Outcome:
    """Return whether a formula of hard clauses is satisfiable, with a checked assignment or a checked and trimmed proof.

    `time_limit` is seconds for all of it, the check included; after it the answer is None, a few tenths of a second late at most.

    Raises
    ------
    InvalidModel
        for a formula with soft clauses, a time limit that is no positive number.
    MissingExtra
        without python-sat.
    VerificationError
        if the solver's answer does not stand the check.
    """
    limit = real_number(time_limit, "the time limit")
    if limit <= 0:
        raise InvalidModel(f"the time limit is {shown(time_limit)} s; give a positive number of seconds")
    if not bool(formula.hard.all()):
        soft = int((~formula.hard).sum())
        raise InvalidModel(
            f"{soft} of {formula.num_clauses} clauses are soft, and only hard ones can be decided; give Formula(num_variables, hard clauses), "
            "or search for the least cost with a sampler"
        )
    deadline = time.monotonic() + limit
    solver = _solver()
    clauses = formula.clauses
    if () in clauses:
        return Outcome(False, proof=((),))
    try:
        satisfiable, found = _solve(solver, _SOLVER, clauses, deadline)
        if satisfiable is None:
            return Outcome(None)
        if satisfiable:
            return Outcome(True, _checked(found, formula.num_variables, clauses))
        proof = list(_steps(found, formula.num_variables, deadline))
        if len(proof) > _SHORT_PROOF:
            again, found = _solve(solver, _SECOND_SOLVER, clauses, deadline, conflicts=len(proof))
            if again is False:
                proof = min(proof, list(_steps(found, formula.num_variables, deadline)), key=len)
        needed = trim(formula.num_variables, clauses, proof, deadline)
        check_proof(formula.num_variables, clauses, needed, work_limit=sys.maxsize, deadline=deadline)
    except InvalidProof as error:
        raise VerificationError(f"a solver calls a formula unsatisfiable and its proof fails: {error}; report this as a defect") from None
    except PipelineTimeoutError:
        return Outcome(None)
    return Outcome(False, proof=needed)


def _solver() -> Any:
    try:
        from pysat.solvers import Solver
    except ImportError:
        raise MissingExtra(
            "python-sat is not installed, and nothing else here can prove that clauses contradict each other; pip install 'ebmhw[verify]'"
        ) from None
    return Solver


def _solve(solvers: Any, name: str, clauses: list[tuple[int, ...]], deadline: float, conflicts: int = -1) -> tuple[bool | None, Any]:
    """Return True and a model's literals, False and a proof's lines, or None and nothing at the deadline or after so many conflicts."""
    solver = solvers(name=name, with_proof=True)
    for start in range(0, len(clauses), _CHUNK):
        solver.append_formula(clauses[start : start + _CHUNK])
        _look_at_the_clock(deadline)
    if conflicts >= 0:
        solver.conf_budget(conflicts)
    answers: list[bool | None] = []
    # A solver lets go of the interpreter's lock while it works, and looks at the interrupt at its next restart only, up to 2 s later.
    thread = threading.Thread(target=lambda: answers.append(solver.solve_limited(expect_interrupt=True)), daemon=True)
    thread.start()
    thread.join(max(0.0, deadline - time.monotonic()))
    if thread.is_alive():
        solver.interrupt()
        return None, None
    with solver:
        if not answers:
            raise VerificationError(f"{name} ended without an answer; report this as a defect")
        satisfiable = answers[0]
        if satisfiable:
            return True, solver.get_model()
        if satisfiable is None or time.monotonic() + _STEP_SECONDS * solver.accum_stats()["conflicts"] > deadline:
            return None, None
        return False, solver.get_proof()


def _steps(lines: list[str], num_variables: int, deadline: float) -> Iterator[tuple[int, ...]]:
    """Yield the clauses that a proof in the DRUP format adds, up to the first empty one, and an empty one in any case."""
    for number, line in enumerate(lines):
        if number % _CHUNK == 0:
            _look_at_the_clock(deadline)
        if line.startswith("d"):
            continue
        step = tuple(map(int, line.split()))[:-1]
        if not step:
            break
        if max(map(abs, step)) > num_variables:
            raise InvalidProof(f"a step {shown(step)} holds variables beyond the {num_variables} of the formula")
        yield step
    yield ()


def _checked(found: list[int], num_variables: int, clauses: list[tuple[int, ...]]) -> tuple[bool, ...]:
    """Return the truth of every variable by a model's literals; variables that no clause names are false."""
    true = set(found)
    for number, clause in enumerate(clauses):
        if true.isdisjoint(clause):
            raise VerificationError(f"{_SOLVER} calls a formula satisfiable by an assignment that breaks clause {number}; report this as a defect")
    if any(-literal in true for literal in true):
        raise VerificationError(f"{_SOLVER} gave an assignment that holds a variable both true and false; report this as a defect")
    return tuple(variable in true for variable in range(1, num_variables + 1))


def _look_at_the_clock(deadline: float) -> None:
    if time.monotonic() > deadline:
        raise PipelineTimeoutError("the deadline of a decision has passed")
