"""Logic: random arguments in English, judged by truth tables, all rankings and all small models."""

from __future__ import annotations

import itertools
from typing import Any

from arguments import BACKEND, LOGIC, judged, verdict
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ebmhw.verify.deadline import Deadline
from ebmhw.verify.prover import LiveProver
from ebmhw.verify.repair import edited
from ebmhw.verify.verdict import UNKNOWN, VERIFIED, VIOLATED

# Propositional arguments, judged by truth tables.

CLAUSES = {
    "a": ("the door is open", "the door is not open"),
    "b": ("Tom sings", "Tom does not sing"),
    "c": ("it is raining", "it isn't raining"),
    "d": ("Ann is a doctor", "Ann is not a doctor"),
}
literals = st.tuples(st.sampled_from(sorted(CLAUSES)), st.booleans())


def said(literal: tuple[str, bool]) -> str:
    return CLAUSES[literal[0]][0 if literal[1] else 1]


PATTERNS: dict[str, tuple[str, Any]] = {
    "one": ("{0}", lambda x, y: x),
    "if": ("if {0}, then {1}", lambda x, y: not x or y),
    "if comma": ("if {0}, {1}", lambda x, y: not x or y),
    "back": ("{1} if {0}", lambda x, y: not x or y),
    "only if": ("{0} only if {1}", lambda x, y: not x or y),
    "iff": ("{0} if and only if {1}", lambda x, y: x == y),
    "unless": ("{0} unless {1}", lambda x, y: x or y),
    "or": ("{0} or {1}", lambda x, y: x or y),
    "either": ("either {0} or {1}", lambda x, y: x or y),
    "xor": ("{0} or {1}, but not both", lambda x, y: x != y),
    "and": ("{0} and {1}", lambda x, y: x and y),
    "neither": ("neither {0} nor {1}", lambda x, y: not x and not y),
    "false": ("it is false that {0}", lambda x, y: not x),
}
statements = st.tuples(st.sampled_from(sorted(PATTERNS)), literals, literals)


def sentence(statement: tuple[str, Any, Any]) -> str:
    text = PATTERNS[statement[0]][0].format(said(statement[1]), said(statement[2]))
    return text[0].upper() + text[1:]


def truth(statement: tuple[str, Any, Any], row: dict[str, bool]) -> bool:
    return bool(PATTERNS[statement[0]][1](row[statement[1][0]] == statement[1][1], row[statement[2][0]] == statement[2][1]))


ROWS = [dict(zip(CLAUSES, values, strict=True)) for values in itertools.product((False, True), repeat=len(CLAUSES))]


@settings(max_examples=60)
@given(st.lists(statements, min_size=1, max_size=4), statements)
def test_propositional_arguments_agree_with_truth_tables(premises: list[Any], conclusion: Any) -> None:
    models = [row for row in ROWS if all(truth(premise, row) for premise in premises)]
    assume(models)
    question = " ".join(f"{sentence(premise)}." for premise in premises)
    claims = [claim for claim in judged(question, f"Therefore, {sentence(conclusion)}.") if claim.statement.kind == "conclusion"]
    values = {truth(conclusion, row) for row in models}
    found = claims[0].verdict if claims else None
    if values == {True}:
        assert found == VERIFIED
    elif values == {False}:
        assert found == VIOLATED
        assert claims[0].fix is not None
        assert verdict(question, f"Therefore, {claims[0].fix}.") == VERIFIED
    else:
        assert found in (None, UNKNOWN)


@settings(max_examples=40)
@given(st.lists(statements, min_size=2, max_size=5))
def test_a_response_is_violated_exactly_where_it_contradicts_itself(response: list[Any]) -> None:
    text = " ".join(f"{sentence(statement)}." for statement in response)
    consistent = any(all(truth(statement, row) for statement in response) for row in ROWS)
    claims = judged("", text)
    assert (VIOLATED in {claim.verdict for claim in claims}) == (not consistent)
    if not consistent:
        left = [s for s in response if sentence(s) not in {claim.text for claim in claims if claim.verdict == VIOLATED}]
        assert any(all(truth(statement, row) for statement in left) for row in ROWS)


@settings(max_examples=25)
@given(st.lists(statements, min_size=1, max_size=2), st.lists(statements, min_size=1, max_size=3))
def test_the_smallest_change_makes_a_response_agree(premises: list[Any], response: list[Any]) -> None:
    question, text = (" ".join(f"{sentence(statement)}." for statement in group) for group in (premises, response))
    models = [row for row in ROWS if all(truth(premise, row) for premise in premises)]
    deadline = Deadline(60)
    prover = LiveProver(lambda: BACKEND, 1, deadline)
    edits = LOGIC.smallest_change(LOGIC.read(question, "question", deadline), LOGIC.read(text, "response", deadline), prover, deadline)
    least = min((sum(not truth(statement, row) for statement in response) for row in models), default=0)
    assert len(edits) == least
    if models:
        assert verdict(question, edited(text, edits)) != VIOLATED


# Orders, judged by all weak orders of four names.

NAMES = ("Tom", "Ann", "Bob", "Eve")
RANKS = list(itertools.product(range(4), repeat=4))
ORDERS: dict[str, Any] = {
    "{0} is taller than {1}": lambda x, y: x > y,
    "{0} is shorter than {1}": lambda x, y: x < y,
    "{0} is not taller than {1}": lambda x, y: x <= y,
    "{0} is as tall as {1}": lambda x, y: x == y,
}
comparisons = st.tuples(st.sampled_from(sorted(ORDERS)), st.permutations(range(4)).map(lambda p: p[:2]))


@settings(max_examples=40)
@given(st.lists(comparisons, min_size=1, max_size=5), comparisons)
def test_orders_agree_with_all_rankings(premises: list[Any], conclusion: Any) -> None:
    def holds(comparison: Any, ranks: tuple[int, ...]) -> bool:
        return bool(ORDERS[comparison[0]](*(ranks[i] for i in comparison[1])))

    def text(comparison: Any) -> str:
        return comparison[0].format(*(NAMES[i] for i in comparison[1]))

    models = [ranks for ranks in RANKS if all(holds(premise, ranks) for premise in premises)]
    assume(models)
    claims = judged(" ".join(f"{text(premise)}." for premise in premises), f"Therefore {text(conclusion)}.")
    values = {holds(conclusion, ranks) for ranks in models}
    found = claims[0].verdict if claims else None
    assert found == VERIFIED if values == {True} else found == VIOLATED if values == {False} else found in (None, UNKNOWN)


# Categorical statements, judged by all models with up to 2^3 kinds of individuals.

TERMS = ("cats", "pets", "robots")
CATEGORICAL: dict[str, Any] = {
    "All {0} are {1}": lambda kinds, x, y: all(kind[y] for kind in kinds if kind[x]),
    "No {0} are {1}": lambda kinds, x, y: not any(kind[x] and kind[y] for kind in kinds),
    "Some {0} are {1}": lambda kinds, x, y: any(kind[x] and kind[y] for kind in kinds),
    "Some {0} are not {1}": lambda kinds, x, y: any(kind[x] and not kind[y] for kind in kinds),
    "Not all {0} are {1}": lambda kinds, x, y: any(kind[x] and not kind[y] for kind in kinds),
    "Only {0} are {1}": lambda kinds, x, y: all(kind[x] for kind in kinds if kind[y]),
}
CONTRARIES: dict[str, Any] = {
    "All {0} are {1}": CATEGORICAL["No {0} are {1}"],
    "No {0} are {1}": CATEGORICAL["All {0} are {1}"],
    "Only {0} are {1}": CATEGORICAL["No {0} are {1}"],
}
KINDS = list(itertools.product((False, True), repeat=3))
MODELS = [[kind for i, kind in enumerate(KINDS) if mask >> i & 1] for mask in range(1, 256)]
syllogisms = st.tuples(st.sampled_from(sorted(CATEGORICAL)), st.permutations(range(3)).map(lambda p: p[:2]))


@settings(max_examples=40)
@given(st.lists(syllogisms, min_size=1, max_size=3), syllogisms)
def test_syllogisms_agree_with_all_models(premises: list[Any], conclusion: Any) -> None:
    def holds(statement: Any, kinds: Any) -> bool:
        return bool(CATEGORICAL[statement[0]](kinds, *statement[1]))

    def text(statement: Any) -> str:
        return str(statement[0].format(*(TERMS[i] for i in statement[1])))

    models = [kinds for kinds in MODELS if all(holds(premise, kinds) for premise in premises)]
    assume(models)
    claims = judged(" ".join(f"{text(premise)}." for premise in premises), f"Therefore {text(conclusion).lower()}.")
    values = {holds(conclusion, kinds) for kinds in models}
    # "No cats are pets" is not drawn from "all cats are pets", though both are true where there are no cats.
    opposite = CONTRARIES.get(conclusion[0], lambda kinds, x, y: False)
    wrong = values == {False} or all(opposite(kinds, *conclusion[1]) for kinds in models)
    found = claims[0].verdict if claims else None
    assert found == VERIFIED if values == {True} else found == VIOLATED if wrong else found in (None, UNKNOWN)
