"""decide: against exhaustive truth; time limits on formulas that resolution cannot prove; solvers that lie or are missing."""

from __future__ import annotations

import sys
import time
from itertools import combinations, product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebmhw.errors import InvalidModel, MissingExtra, VerificationError
from ebmhw.problems import Formula
from ebmhw.problems.decide import decide
from ebmhw.problems.proof import check_proof

pytest.importorskip("pysat")


def pigeonholes(holes: int) -> Formula:
    def name(pigeon: int, hole: int) -> int:
        return pigeon * holes + hole + 1

    somewhere = [tuple(name(p, h) for h in range(holes)) for p in range(holes + 1)]
    alone = [(-name(a, h), -name(b, h)) for h in range(holes) for a, b in combinations(range(holes + 1), 2)]
    return Formula(holes * (holes + 1), somewhere + alone, split_above=8)


def satisfiable(formula: Formula) -> bool:
    return any(
        all(any(state[abs(x) - 1] == (x > 0) for x in clause) for clause in formula.clauses)
        for state in product((False, True), repeat=formula.num_variables)
    )


@st.composite
def formulas(draw: st.DrawFn) -> Formula:
    n = draw(st.integers(1, 6))
    literals = st.integers(1, n).flatmap(lambda v: st.sampled_from([v, -v]))
    return Formula(n, draw(st.lists(st.lists(literals, max_size=3), max_size=30)))


@given(formulas())
def test_answers_are_those_of_exhaustive_search(formula: Formula) -> None:
    outcome = decide(formula)
    assert outcome.satisfiable is satisfiable(formula)
    if outcome.satisfiable:
        assert outcome.proof is None and outcome.assignment is not None and len(outcome.assignment) == formula.num_variables
        assert all(any(outcome.assignment[abs(x) - 1] == (x > 0) for x in clause) for clause in formula.clauses)
    else:
        assert outcome.assignment is None and outcome.proof is not None and outcome.proof[-1] == ()
        check_proof(formula.num_variables, formula.clauses, outcome.proof)


@pytest.mark.parametrize("seed", range(6))
def test_random_formulas_of_100_variables(seed: int) -> None:
    formula = Formula.random(100, 5.0, seed)
    outcome = decide(formula, 60)
    assert outcome.satisfiable is False and outcome.proof is not None
    check_proof(100, formula.clauses, outcome.proof)
    assert decide(formula, 60) == outcome
    easy = Formula.random(100, 3.0, seed)
    assert decide(easy).satisfiable is True


def test_pigeonholes_are_refuted_and_a_second_solver_shortens_the_proof() -> None:
    formula = pigeonholes(7)
    outcome = decide(formula, 60)
    assert outcome.proof is not None and len(outcome.proof) < 2000  # 7,252 from the first solver
    check_proof(formula.num_variables, formula.clauses, outcome.proof)
    assert decide(Formula(formula.num_variables, formula.clauses[1:], split_above=8)).satisfiable is True


@pytest.mark.parametrize("limit", [0.05, 0.7])
def test_time_limits_hold(limit: float) -> None:
    for formula in (pigeonholes(12), Formula.random(300, 4.6, 1), Formula.random(20_000, 4.26, 1)):
        start = time.monotonic()
        assert decide(formula, limit).satisfiable is None
        assert time.monotonic() - start < limit + 1


def test_formulas_without_variables_or_with_an_empty_clause() -> None:
    assert decide(Formula(0, [])).assignment == ()
    assert decide(Formula(0, [()])).proof == ((),)
    assert decide(Formula(3, [(1,), ()])).proof == ((),)
    assert decide(Formula(3, [(2, -2)])).assignment is not None
    assert decide(Formula(2, [(2,)])).assignment == (False, True)
    assert decide(Formula(1, [(1,), (-1,)])).proof == ((),)


def test_soft_clauses_and_wrong_limits_are_refused() -> None:
    with pytest.raises(
        InvalidModel, match=r"1 of 2 clauses are soft, and only hard ones can be decided; give Formula\(num_variables, hard clauses\)"
    ):
        decide(Formula(2, [(1,), (2,)], [float("inf"), 3]))
    assert decide(Formula(2, [(1,), (2,)], [float("inf")] * 2)).satisfiable is True
    for limit in (0, -1.0, float("nan"), "1", None):
        with pytest.raises(InvalidModel, match="the time limit is"):
            decide(Formula(1, [(1,)]), limit)  # type: ignore[arg-type]


def test_without_the_solver_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pysat", None)
    monkeypatch.setitem(sys.modules, "pysat.solvers", None)
    with pytest.raises(MissingExtra, match=r"pip install 'ebmhw\[verify\]'"):
        decide(Formula(1, [(1,)]))


class Liar:
    """A solver that answers as it is told."""

    def __init__(self, answer: bool | None, model: list[int], proof: list[str]) -> None:
        self.answer, self.model, self.proof = answer, model, proof

    def __call__(self, name: str, with_proof: bool) -> Any:
        return self

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def append_formula(self, clauses: object) -> None:
        pass

    def solve_limited(self, expect_interrupt: bool) -> bool | None:
        return self.answer

    def interrupt(self) -> None:
        pass

    def accum_stats(self) -> dict[str, int]:
        return {"conflicts": 0}

    def get_model(self) -> list[int]:
        return self.model

    def get_proof(self) -> list[str]:
        return self.proof


@pytest.mark.parametrize(
    ("liar", "message"),
    [
        (Liar(True, [1, -2], []), "by an assignment that breaks clause 1"),
        (Liar(True, [1, -1, 2], []), "both true and false"),
        (Liar(False, [], ["0"]), "its proof fails"),
        (Liar(False, [], ["1 0", "-2 0", "0"]), "its proof fails"),
        (Liar(False, [], ["3 0", "0"]), "holds variables beyond the 2"),
        (Liar(False, [], []), "its proof fails"),
    ],
)
def test_a_lying_solver_is_found_out(monkeypatch: pytest.MonkeyPatch, liar: Liar, message: str) -> None:
    import pysat.solvers

    monkeypatch.setattr(pysat.solvers, "Solver", liar)
    with pytest.raises(VerificationError, match=message):
        decide(Formula(2, [(1, 2), (2, -1)]))
