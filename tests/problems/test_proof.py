"""Proofs: the checker against exhaustive truth and against propagation by plain scans; hostile proofs."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from itertools import combinations, product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebmhw.errors import InvalidProof, PipelineTimeoutError
from ebmhw.problems.proof import check_proof
from ebmhw.problems.trim import trim

Clauses = list[tuple[int, ...]]

SQUARE: Clauses = [(1, 2), (1, -2), (-1, 2), (-1, -2)]


def holds(clause: Sequence[int], state: Sequence[bool]) -> bool:
    return any(state[abs(x) - 1] == (x > 0) for x in clause)


def solutions(n: int, clauses: Sequence[Sequence[int]]) -> list[tuple[bool, ...]]:
    return [state for state in product((False, True), repeat=n) if all(holds(c, state) for c in clauses)]


def follows(clauses: Sequence[Sequence[int]], step: Sequence[int]) -> bool:
    """Reverse unit propagation by scanning all clauses until nothing changes."""
    false = {*step}
    if any(-x in false for x in false):
        return True
    while True:
        before = len(false)
        for clause in clauses:
            if any(-x in clause for x in clause):
                continue
            left = {x for x in clause if x not in false}
            if not left:
                return True
            if len(left) == 1:
                false.add(-left.pop())
                if any(-x in false for x in false):
                    return True
        if len(false) == before:
            return False


def first_failure(clauses: Clauses, proof: Clauses) -> int | None:
    for number, step in enumerate(proof):
        if not follows([*clauses, *proof[:number]], step):
            return number
    return None


def literals(n: int) -> st.SearchStrategy[int]:
    return st.integers(1, n).flatmap(lambda v: st.sampled_from([v, -v]))


@st.composite
def clause_lists(draw: st.DrawFn, most: int = 24, longest: int = 3) -> tuple[int, Clauses]:
    n = draw(st.integers(1, 5))
    return n, [tuple(c) for c in draw(st.lists(st.lists(literals(n), min_size=1, max_size=longest), max_size=most))]


def all_consequences(n: int, clauses: Clauses) -> Clauses:
    """A proof of any contradiction: all full clauses that follow, then those of n - 1 literals, and so on to the empty one."""
    models = solutions(n, clauses)
    return [
        tuple(-v if s else v for v, s in zip(chosen, signs, strict=True))
        for size in range(n, -1, -1)
        for chosen in combinations(range(1, n + 1), size)
        for signs in product((False, True), repeat=size)
        if not any(all(state[v - 1] == s for v, s in zip(chosen, signs, strict=True)) for state in models)
    ]


@given(clause_lists())
def test_contradictions_are_proved_and_nothing_else_is(case: tuple[int, Clauses]) -> None:
    n, clauses = case
    proof = all_consequences(n, clauses)
    if solutions(n, clauses):
        with pytest.raises(InvalidProof, match=r"no step|not the empty clause"):
            check_proof(n, clauses, proof)
        with pytest.raises(InvalidProof, match=f"step {len(proof)} of the proof"):
            check_proof(n, clauses, [*proof, ()])
        return
    check_proof(n, clauses, proof)
    trimmed = trim(n, clauses, proof)
    check_proof(n, clauses, trimmed)
    assert [step for step in trimmed if step] == [step for step in proof if step in trimmed[:-1]]
    for clause in range(len(clauses)):
        rest = clauses[:clause] + clauses[clause + 1 :]
        if solutions(n, rest):
            with pytest.raises(InvalidProof):
                check_proof(n, rest, trimmed)


@given(clause_lists(), st.data())
def test_changed_proofs_are_judged_as_plain_scans_judge_them(case: tuple[int, Clauses], data: st.DataObject) -> None:
    n, clauses = case
    proof = all_consequences(n, clauses)[-12:]
    for _ in range(data.draw(st.integers(0, 3))):
        place = data.draw(st.integers(0, len(proof)))
        step = data.draw(st.lists(literals(n), max_size=3)) if place == len(proof) else list(proof[place])
        kind = data.draw(st.sampled_from(["insert", "drop", "shorten", "flip", "swap"]))
        if kind == "insert" or place == len(proof):
            proof.insert(place, tuple(step))
        elif kind == "drop":
            del proof[place]
        elif kind == "swap":
            proof[place], proof[0] = proof[0], proof[place]
        elif step:
            literal = data.draw(st.integers(0, len(step) - 1))
            proof[place] = tuple(step[:literal] + ([-step[literal]] if kind == "flip" else []) + step[literal + 1 :])
    failure = first_failure(clauses, proof)
    if failure is None and proof and not proof[-1]:
        check_proof(n, clauses, proof)
        assert not solutions(n, clauses)
        return
    with pytest.raises(InvalidProof) as caught:
        check_proof(n, clauses, proof)
    named = re.match(r"step (\d+) of the proof", str(caught.value))
    assert (int(named[1]) if named else None) == failure


def test_a_proof_of_a_contradiction_at_hand_is_one_step() -> None:
    for clauses in ([()], [(1,), (-1,)], [(1,), (-1, 2), (-2, -1)]):
        check_proof(2, clauses, [()])
    check_proof(2, SQUARE, [(1,), ()])
    check_proof(2, SQUARE, [(1, -1), (1, 1), ()])  # a tautology, and a literal twice
    check_proof(7, [(1,), (-1,)], [(7, -3), ()])


@pytest.mark.parametrize(
    ("clauses", "proof", "message"),
    [
        (SQUARE, [], "the proof has no step"),
        (SQUARE, [()], r"step 0 of the proof, \(\), does not follow"),
        (SQUARE, [(1,)], "step 0 is the last of the proof and not the empty clause"),
        (SQUARE, [(1,), (), (2,)], "step 2 is the last"),
        (SQUARE[1:], [(1,), ()], r"step 0 of the proof, \(1,\), does not follow"),
        (SQUARE, [(3,)], "step 0 holds 3; literals are 1 .. 2"),
        (SQUARE, [(1,), (-3,)], "step 1 holds -3"),
        (SQUARE, [(0,)], "step 0 holds 0"),
        (SQUARE, [(True,)], "step 0 holds True"),
        (SQUARE, [(1.0,)], "step 0 holds 1.0"),
        (SQUARE, [("1",)], "step 0 holds '1'"),
        (SQUARE, [([1],)], r"step 0 holds \[1\]"),
        (SQUARE, [(None,)], "step 0 holds None"),
        (SQUARE, [(10**5000,)], "step 0 holds "),
        (SQUARE, [(1,), (), (True,)], "step 2 holds True"),
        (SQUARE, [1], "step 0 is 1; a clause is a list of integers"),
        (SQUARE, ["1"], "step 0 is '1'"),
        (SQUARE, [{1: 2}], "step 0 is {1: 2}"),
        (SQUARE, None, "the proof is None; give a sequence of clauses"),
        (SQUARE, "", "give a sequence of clauses"),
        (SQUARE, {}, "give a sequence of clauses"),
        ([(1,), (3,)], [()], "clause 1 holds 3"),
        ([(True,)], [()], "clause 0 holds True"),
        (5, [()], "give a sequence of clauses"),
    ],
)
def test_wrong_proofs_are_refused(clauses: Any, proof: Any, message: str) -> None:
    with pytest.raises(InvalidProof, match=message):
        check_proof(2, clauses, proof)


@pytest.mark.parametrize("count", [-1, True, 2.0, "2", None])
def test_wrong_numbers_of_variables_are_refused(count: Any) -> None:
    with pytest.raises(InvalidProof, match="give an integer from 0"):
        check_proof(count, SQUARE, [()])


def pigeonholes(holes: int) -> Clauses:
    def name(pigeon: int, hole: int) -> int:
        return pigeon * holes + hole + 1

    return [tuple(name(p, h) for h in range(holes)) for p in range(holes + 1)] + [
        (-name(a, h), -name(b, h)) for h in range(holes) for a, b in combinations(range(holes + 1), 2)
    ]


def test_work_has_a_limit() -> None:
    endless = iter(lambda: (1, 2), None)
    with pytest.raises(InvalidProof, match=r"step \d+ passes the limit of 100000 clauses and literals"):
        check_proof(2, SQUARE, endless, work_limit=100_000)
    with pytest.raises(InvalidProof, match=r"clause \d+ passes the limit of 1000 "):
        check_proof(2, endless, [()], work_limit=1_000)
    with pytest.raises(InvalidProof, match="passes the limit"):
        check_proof(10**30, [tuple(range(1, 3000))] * 3000, [()], work_limit=10_000)
    # Every step propagates through long chains: work counts what is looked at, not steps.
    chain = [(-v, v + 1) for v in range(1, 2000)]
    with pytest.raises(InvalidProof, match="passes the limit"):
        check_proof(4000, chain, [(-1, 2000, 2000 + v) for v in range(1, 2000)], work_limit=1_000_000)


def test_the_deadline_holds() -> None:
    chain = [(-v, v + 1) for v in range(1, 2000)]
    start = time.monotonic()
    with pytest.raises(PipelineTimeoutError, match="the check of a proof reached step"):
        check_proof(2001, chain, [(-1, 2000)] * 500_000, work_limit=10**12, deadline=start + 0.2)
    with pytest.raises(PipelineTimeoutError, match="the trimming of a proof"):
        trim(50_000, chain, [(-1, 2000, v) for v in range(2, 50_000)], deadline=start)
    assert time.monotonic() - start < 5


def test_a_huge_number_of_variables_costs_nothing() -> None:
    check_proof(10**18, [(10**18,), (-(10**18),)], [()])


def test_trimming_needs_a_contradiction_and_every_step() -> None:
    with pytest.raises(InvalidProof, match="no contradiction"):
        trim(2, SQUARE[1:], [(-1,)])
    with pytest.raises(InvalidProof, match="step 0 of the proof does not follow"):
        trim(2, SQUARE[1:], [(1,)])
    assert trim(2, SQUARE, [(1, 2), (1,), (2, -1)]) == ((1,), ())


def test_trimming_leaves_out_what_is_about_something_else() -> None:
    clauses = pigeonholes(3)
    n = 12
    proof = all_consequences(4, SQUARE)
    other: Clauses = [tuple(x + (n if x > 0 else -n) for x in c) for c in SQUARE]
    proof = [tuple(x + (n if x > 0 else -n) for x in c) for c in proof if c]
    kept = trim(n + 4, [*clauses, *other], proof)
    assert len(kept) == 2 and len(kept[0]) == 1 and abs(kept[0][0]) in (n + 1, n + 2)
    check_proof(n + 4, [*clauses, *other], kept)
