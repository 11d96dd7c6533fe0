"""Provers: what a domain asks when a question needs a search. One searches and proves, the other only checks what was found."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, final

from ebmhw.errors import InvalidCertificate, InvalidProof, VerificationError
from ebmhw.problems.proof import check_proof
from ebmhw.verify.deadline import Deadline

if TYPE_CHECKING:
    from ebmhw.backends import SamplerBackend
    from ebmhw.problems.formula import Formula

Clauses = tuple[tuple[int, ...], ...]

READS, SWEEPS = 32, 200
"""One search for a witness: a group of the CPU kernel, and a ramp that solves 37 of 37 satisfiable random 3-SAT formulas of 50 variables at ratio 4,
and 33 of 35 of 100."""

HOT, COLD = 1.0, 5.0
"""Inverse temperatures of the ramp, over the energy of one broken constraint: on puzzles two to five times as many reads solve them as from the
default betas."""

SOLVER_SECONDS = 10.0
"""Longest run of the complete solver for one decision; the pipeline's own limit cuts it further."""


class Decision(NamedTuple):
    """The answer to: can all constraints of a problem hold at once?

    Attributes
    ----------
    satisfiable : True with a checked witness, False with a checked proof, None where neither was found in time
    solution : what the witness decodes to (for a Formula, {variable: bool}); None unless satisfiable
    key : digest of the problem; a claim that rests on this decision names it
    """

    satisfiable: bool | None
    solution: Any
    key: str


class Record(NamedTuple):
    """What a certificate holds of a decision: the clauses, and the witness or the proof.

    Attributes
    ----------
    variables, clauses : the problem as a formula
    witness : the truth of each bit of the problem's model, or of each variable of a formula, or None
    proof : clauses that each follow by unit propagation from those before, the last one empty, or None
    found_by : the backend's name, "solver", or "nothing" where time was over
    """

    variables: int
    clauses: Clauses
    witness: tuple[bool, ...] | None
    proof: Clauses | None
    found_by: str

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON holds it; the witness as literals."""
        return {
            "variables": self.variables,
            "clauses": [list(clause) for clause in self.clauses],
            "witness": None if self.witness is None else [i if true else -i for i, true in enumerate(self.witness, 1)],
            "proof": None if self.proof is None else [list(step) for step in self.proof],
            "found_by": self.found_by,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Record:
        """Return the record of what `to_json` wrote; its form is checked by the certificate's schema."""
        witness = data["witness"]
        if witness is not None and [abs(literal) for literal in witness] != list(range(1, len(witness) + 1)):
            raise InvalidCertificate("a witness of the certificate does not give each variable once, in order; it is not as it was issued")
        return cls(
            data["variables"],
            tuple(tuple(clause) for clause in data["clauses"]),
            None if witness is None else tuple(literal > 0 for literal in witness),
            None if data["proof"] is None else tuple(tuple(step) for step in data["proof"]),
            data["found_by"],
        )


def key_of(variables: int, clauses: Sequence[Sequence[int]]) -> str:
    """Return the SHA-256 of a formula, of its DIMACS lines in the order given."""
    lines = [f"p cnf {variables} {len(clauses)}", *(" ".join(map(str, [*clause, 0])) for clause in clauses)]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


class Prover(ABC):
    """Decides problems, and remembers what a certificate must hold of each.

    Attributes
    ----------
    records : {key: Record} of every decision so far
    """

    def __init__(self) -> None:
        self.records: dict[str, Record] = {}

    @final
    def decide(self, problem: Any) -> Decision:
        """Return whether the hard constraints of a Formula, or of a ConstraintProblem with `.formula`, can all hold."""
        formula: Formula = getattr(problem, "formula", problem)
        hard = formula.hard.tolist()
        clauses = tuple(clause for clause, needed in zip(formula.clauses, hard, strict=True) if needed)
        key = key_of(formula.num_variables, clauses)
        if key not in self.records:
            self.records[key] = self._record(key, problem, formula, clauses)
        record = self.records[key]
        if record.witness is not None:
            return Decision(True, _solution(problem, record.witness), key)
        return Decision(None if record.proof is None else False, None, key)

    @abstractmethod
    def _record(self, key: str, problem: Any, formula: Formula, clauses: Clauses) -> Record:
        """Return a witness or a proof of clauses that were not decided before, or a record with neither."""


@final
class LiveProver(Prover):
    """Searches for a witness on a backend, then has the complete solver decide; both answers are checked before they count.

    Parameters
    ----------
    backend : returns the backend, asked at the first search only
    seed : of the search; a witness found on one backend is the same on every other
    deadline : ends both
    """

    def __init__(self, backend: Callable[[], SamplerBackend], seed: int, deadline: Deadline) -> None:
        super().__init__()
        self._backend, self._seed, self._deadline = backend, seed, deadline

    def _record(self, key: str, problem: Any, formula: Formula, clauses: Clauses) -> Record:
        from ebmhw.problems.decide import decide
        from ebmhw.problems.formula import Formula

        witness = self._searched(problem, formula, clauses)
        if witness is not None:
            return Record(formula.num_variables, clauses, witness, None, self._backend().name)
        seconds = min(self._deadline.left, SOLVER_SECONDS)
        if not seconds:
            return Record(formula.num_variables, clauses, None, None, "nothing")
        hard = formula if len(clauses) == formula.num_clauses else Formula(formula.num_variables, clauses, split_above=formula.split_above)
        outcome = decide(hard, seconds)
        if outcome.assignment is not None:
            witness = outcome.assignment[: _size(problem, formula)]
            if not _witnessed(problem, witness, clauses):
                raise VerificationError(f"{problem!r}: an assignment of its clauses breaks its rules, a fault of its encoding; please report it")
        return Record(formula.num_variables, clauses, witness, outcome.proof, "solver")

    def _searched(self, problem: Any, formula: Formula, clauses: Clauses) -> tuple[bool, ...] | None:
        """Return a witness that the backend finds in one search, or None."""
        from ebmhw.plan import make_plan

        if not formula.num_variables or not all(clauses) or self._deadline.passed:
            return None
        plan = make_plan(problem.model, num_sweeps=SWEEPS, beta_range=(HOT / problem.unit, COLD / problem.unit), seed=self._seed)
        limit = None if self._deadline.seconds is None else self._deadline.left
        draws = self._backend().run(plan.program, plan.schedule, reads=READS, seed=self._seed, rule=plan.rule, time_limit=limit)
        best = draws.best_spins[draws.best_energy.argmin()][: _size(problem, formula)]
        witness = tuple((best > 0).tolist())
        return witness if _witnessed(problem, witness, clauses) else None

    def least(self, problem: Any, **options: Any) -> Any:
        """Return the best state of a weighted problem that annealing finds; see `ebmhw.problems.witness.find`."""
        from ebmhw.problems.witness import find

        deadline = None if self._deadline.seconds is None else self._deadline.at
        return find(problem, self._backend(), self._seed, deadline=deadline, **options)


@final
class ReplayProver(Prover):
    """Takes every decision from a certificate, after checking its witness or proof; searches for nothing.

    Parameters
    ----------
    recorded : {key: Record} of the certificate
    deadline : ends the check of a proof
    """

    def __init__(self, recorded: Mapping[str, Record], deadline: Deadline) -> None:
        super().__init__()
        self._recorded, self._deadline = recorded, deadline

    def _record(self, key: str, problem: Any, formula: Formula, clauses: Clauses) -> Record:
        record = self._recorded.get(key)
        if record is None:
            raise InvalidCertificate(f"the claims of these texts rest on decision {key[:16]}, which the certificate does not hold; it is another's")
        if (record.variables, record.clauses) != (formula.num_variables, clauses):
            raise InvalidCertificate(f"the clauses of decision {key[:16]} are not those of the texts; the certificate was changed")
        if record.witness is not None and not (len(record.witness) == _size(problem, formula) and _witnessed(problem, record.witness, clauses)):
            raise InvalidCertificate(f"the witness of decision {key[:16]} breaks a constraint; the certificate was changed")
        if record.proof is not None:
            try:
                check_proof(formula.num_variables, clauses, record.proof, deadline=self._deadline.at)
            except InvalidProof as error:
                raise InvalidCertificate(f"the proof of decision {key[:16]} fails: {error}") from None
        return record


def satisfies(witness: Sequence[bool], clauses: Clauses) -> bool:
    """Tell whether an assignment satisfies every clause; variable i is witness[i - 1]."""
    return all(any(witness[abs(literal) - 1] == (literal > 0) for literal in clause) for clause in clauses)


def _size(problem: Any, formula: Formula) -> int:
    """Return how many bits a witness has: those of the problem's model, ancillas of its clauses left out."""
    return formula.num_variables if problem is formula else int(problem.model.n)


def _witnessed(problem: Any, witness: Sequence[bool], clauses: Clauses) -> bool:
    """Tell whether a witness solves the problem: by its own rules where it has some, else by its clauses."""
    if not hasattr(problem, "violated"):
        return satisfies(witness, clauses)
    solution = _solution(problem, witness)
    return solution is not None and not problem.violated(solution)


def _solution(problem: Any, witness: Sequence[bool]) -> Any:
    """Return what a witness decodes to: of a problem its own noun, of a formula {variable: bool}."""
    if not hasattr(problem, "violated"):
        return dict(enumerate(witness, 1))
    import numpy as np

    return problem.decode(np.where(witness, 1, -1).astype(np.int8))
