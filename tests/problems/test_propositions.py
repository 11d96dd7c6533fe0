"""Propositional logic: texts, evaluation, clauses and energies against truth tables; depth, sharing and hostile texts."""

from __future__ import annotations

import copy
import pickle
import sys
import time
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebmhw.errors import ExtractionError, InvalidModel, MissingExtra
from ebmhw.problems.decide import decide
from ebmhw.problems.proof import check_proof
from ebmhw.problems.propositions import (
    And,
    Expression,
    Iff,
    Implies,
    Not,
    Or,
    Propositions,
    Var,
    Xor,
    counterexample,
    entailment,
    evaluate,
    grammar,
    parse,
    variables,
)

pytest.importorskip("lark")
pytest.importorskip("pysat")

P, Q, R, S = (Var(name) for name in "pqrs")


def expressions(names: str = "pqrs", leaves: int = 8) -> st.SearchStrategy[Expression]:
    atoms = st.sampled_from([Var(name) for name in names]) | st.sampled_from([And(), Or()])
    return st.recursive(
        st.sampled_from([Var(name) for name in names]) | atoms,
        lambda inner: st.one_of(
            inner.map(Not),
            st.lists(inner, max_size=4).map(lambda held: And(*held)),
            st.lists(inner, max_size=4).map(lambda held: Or(*held)),
            st.lists(inner, max_size=4).map(lambda held: Xor(*held)),
            st.tuples(inner, inner).map(lambda pair: Implies(*pair)),
            st.tuples(inner, inner).map(lambda pair: Iff(*pair)),
        ),
        max_leaves=leaves,
    )


def truth(expression: Expression, truths: dict[str, bool]) -> bool:
    """What an expression says, from its definition."""
    if isinstance(expression, Var):
        return truths[expression.name]
    held = [truth(operand, truths) for operand in expression.operands]
    match expression:
        case Not():
            return not held[0]
        case And():
            return False not in held
        case Or():
            return True in held
        case Xor():
            return held.count(True) % 2 == 1
        case Implies():
            return held[0] <= held[1]
        case _:
            assert isinstance(expression, Iff)
            return held[0] is held[1]


def assignments(names: tuple[str, ...]) -> list[dict[str, bool]]:
    return [dict(zip(names, row, strict=True)) for row in product((False, True), repeat=len(names))]


@given(expressions())
def test_text_and_evaluation(expression: Expression) -> None:
    again = parse(str(expression))
    names = variables(expression)
    assert set(variables(again)) <= set(names) and set(names) <= set("pqrs")
    for row in assignments(names):
        assert evaluate(expression, row) is evaluate(again, row) is truth(expression, row)
    assert pickle.loads(pickle.dumps(expression)) == expression == copy.deepcopy(expression)


@given(st.lists(expressions(leaves=6), max_size=3))
def test_energies_and_clauses_are_those_of_the_truth_table(held: list[Expression]) -> None:
    problem = Propositions(held)
    good = [row for row in assignments(problem.names) if all(truth(e, row) for e in held)]
    for row in assignments(problem.names):
        state = problem.encode(row)
        assert problem.decode(state) == row == problem.values(state)
        assert [v.split(":")[0] for v in problem.violated(row)] == [str(i) for i, e in enumerate(held) if not truth(e, row)]
        energy = float(problem.model.energy(state[None])[0])
        assert (energy == 0) == (row in good) and energy >= 0
    outcome = decide(problem.formula)
    assert outcome.satisfiable is bool(good)
    if outcome.assignment is not None:
        assert dict(zip(problem.names, outcome.assignment, strict=False)) in good
    n = problem.model.n
    if n <= 12:
        cube = np.array(list(product((-1, 1), repeat=n)), dtype=np.int8)
        energies = problem.model.energy(cube)
        assert energies.min() >= 0
        zero = [problem.decode(state) for state in cube[energies == 0]]
        # Definitions follow from the variables: one state of energy 0 for each solution, twice that where a spin stands for nothing.
        assert len(zero) == len(good) * (1 if problem.names else 2) and all(row in good for row in zero)


@given(st.lists(expressions("pqr", 5), max_size=2), expressions("pqr", 5))
def test_entailment_is_that_of_the_truth_table(premises: list[Expression], conclusion: Expression) -> None:
    names = variables(*premises, conclusion)
    holds = all(truth(conclusion, row) for row in assignments(names) if all(truth(e, row) for e in premises))
    formula = entailment(premises, conclusion)
    outcome = decide(formula)
    assert outcome.satisfiable is not holds
    if outcome.proof is not None:
        check_proof(formula.num_variables, formula.clauses, outcome.proof)
    else:
        assert outcome.assignment is not None
        problem = counterexample(premises, conclusion)
        assert problem.violated(dict(zip(problem.names, outcome.assignment, strict=False))) == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("p and not q", And(P, Not(Q))),
        ("p -> q", Implies(P, Q)),
        ("¬p \u2228 q", Or(Not(P), Q)),
        ("p -> q -> r", Implies(P, Implies(Q, R))),
        ("p <-> q <-> r", Iff(Iff(P, Q), R)),
        ("p or q and r xor s", Or(P, Xor(And(Q, R), S))),
        ("p|q&r^s", Or(P, Xor(And(Q, R), S))),
        ("P IMPLIES (q Iff R)", Implies(Var("P"), Iff(Q, Var("R")))),
        ("~!¬not p", Not(Not(Not(Not(P))))),
        ("p ∧ q ∧ r && s", And(P, Q, R, S)),
        ("p ⊕ q ⊻ r", Xor(P, Q, R)),
        ("p ⇒ q", Implies(P, Q)),
        ("p⇔[q→r]", Iff(P, Implies(Q, R))),
        ("true and ⊥ or \u22a4 or FALSE", Or(And(And(), Or()), And(), Or())),
        ("notp or ändert_1'", Or(Var("notp"), Var("ändert_1'"))),
        ("((((p))))", P),
        (" \n p\t=>\nq ", Implies(P, Q)),
    ],
)
def test_texts(text: str, expected: Expression) -> None:
    assert parse(text) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "ends too early"),
        ("p and", "ends too early"),
        ("(p", "ends too early"),
        ("not", "ends too early"),
        ("p q", "from character 3 on, at 'q'"),
        ("p)", "from character 2 on"),
        ("(p]", "from character 3 on"),
        ("and p", "from character 1 on"),
        ("p $ q", "from character 3 on"),
        ("p < q", "from character 3 on"),
        ("p -> -> q", "from character 6 on"),
        ("1 or p", "from character 1 on"),
        ("x² or p", "a variable is named 'x²'"),
        ("p" * 201, "a variable is named"),
        ("p" * 20_001, "20001 characters; give text of up to 20000"),
        (5, "a proposition is 5; give text"),
    ],
)
def test_wrong_texts_are_refused(text: Any, message: str) -> None:
    with pytest.raises(ExtractionError, match=message):
        parse(text)


def test_wrong_parts_are_refused() -> None:
    for name in ("", "1p", "p q", "Not", "true", None, 7, "a" * 201, "'"):
        with pytest.raises(InvalidModel, match="a variable is named"):
            Var(name)  # type: ignore[arg-type]
    with pytest.raises(InvalidModel, match="an operand of And is 'p'; give expressions"):
        And(P, "p")  # type: ignore[arg-type]
    with pytest.raises(InvalidModel, match="give a list of them"):
        Propositions("p")
    with pytest.raises(InvalidModel, match="a proposition is 5; give text"):
        Propositions([5])  # type: ignore[list-item]
    with pytest.raises(InvalidModel, match="variable q has no truth"):
        evaluate(And(P, Q), {"p": True})
    with pytest.raises(InvalidModel, match=r"the variables are \['p'\]"):
        Propositions([P]).encode({"q": True})
    with pytest.raises(AttributeError, match="does not change"):
        P.name = "q"


def test_operators_build_expressions() -> None:
    assert Or(And(Not(P), Q), Xor(R, S)) == (~P & Q) | (R ^ S)
    assert Implies(P, Q) == P >> Q
    assert {P, Var("p")} == {P} and And(P, Q) != And(Q, P) and And(P) != Or(P) and P != "p"


def test_depth_and_sharing_cost_no_more_than_their_nodes() -> None:
    start = time.monotonic()
    deep: Expression = P
    for i in range(600):
        deep = Implies(Not(deep), And(deep, Var(f"x{i % 7}"))) if i % 2 else Or(Q, Not(deep))
    assert deep == pickle.loads(pickle.dumps(deep)) and len(str(deep)) == 10_003 and repr(deep).startswith("Implies: ")
    row = dict.fromkeys(variables(deep), True)
    problem = Propositions([deep])
    assert bool(problem.violated(row)) is not evaluate(deep, row)
    assert problem.model.energy(problem.encode(row)[None])[0] == (0 if evaluate(deep, row) else 1)
    shared: Expression = P
    for _ in range(16):
        shared = Xor(And(shared, Q), Or(shared, R))
    assert evaluate(shared, {"p": True, "q": True, "r": False}) is False
    assert decide(Propositions([shared]).formula).satisfiable is True
    assert time.monotonic() - start < 10


def test_brackets_and_chains_as_deep_as_a_text_can_hold() -> None:
    for text in ("(" * 9_000 + "p" + ")" * 9_000, "~" * 9_998 + "p", "p->" * 2_000 + "p", "p<->" * 2_999 + "p", "p&" * 4_999 + "p"):
        expression = parse(text)
        problem = Propositions([expression])
        assert (problem.violated({"p": True}) == ()) is evaluate(expression, {"p": True}) is True
        assert problem.model.n == 1


def test_a_parity_is_one_product_of_spins() -> None:
    problem = Propositions([Xor(*(Var(f"x{i}") for i in range(12)))])
    assert problem.model.n == 12 and problem.model.num_terms == 1 and problem.model.max_order == 12
    assert Propositions([Or(P, Xor(*(Var(f"x{i}") for i in range(12))))]).model.n == 14


def test_what_is_short_takes_no_ancilla() -> None:
    for text in ("p and q and r", "p or q or r or s", "(p -> q) and (q -> r)", "p <-> q", "(p and q) -> (r or s)", "(p and q) or (r and s)"):
        problem = Propositions([text])
        assert problem.model.n == len(problem.names)


def test_named_inferences() -> None:
    assert decide(entailment(["rain -> wet", "rain"], "wet")).satisfiable is False
    assert decide(entailment(["rain -> wet", "wet"], "rain")).satisfiable is True
    assert decide(Propositions(["p", "not p"]).formula).satisfiable is False
    assert decide(Propositions(["true"]).formula).satisfiable is True
    assert decide(entailment([], "p or not p")).satisfiable is False
    assert decide(entailment(["false"], "p")).satisfiable is False
    assert repr(counterexample(["p"], "q")) == "Propositions(2 expressions, 2 variables)"


def test_without_lark_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lark", None)
    grammar._parser.cache_clear()
    with pytest.raises(MissingExtra, match=r"pip install 'ebmhw\[verify\]'"):
        parse("p")
    assert decide(Propositions([P & ~P]).formula).satisfiable is False  # built from Python it works without
