"""The pairs that verify is measured on: as many as promised, balanced, repeatable, their truth judged again by other means."""

from __future__ import annotations

import calendar
import operator
import re
from collections import Counter
from datetime import date
from random import Random
from types import SimpleNamespace
from typing import get_args

import pytest
import yaml

from ebmhw.bench.verification import LISTED, Counts, Pair, Split, evaluate, knowledge_of, make_pairs, table
from ebmhw.bench.verification.instances import MAKES
from ebmhw.bench.verification.pairs import EACH, HALVES, UNDECIDED
from ebmhw.bench.verification.spelling import in_words, ordinal
from ebmhw.bench.verify import cases
from ebmhw.verify.facts import Knowledge

SPLITS: tuple[Split, ...] = get_args(Split)


def test_two_thousand_pairs_half_of_them_held_out() -> None:
    halves = {split: make_pairs(split) for split in SPLITS}
    assert sum(map(len, halves.values())) >= 2000
    texts = {split: {(pair.question, pair.response) for pair in pairs} for split, pairs in halves.items()}
    assert not texts["development"] & texts["held-out"]
    for split, pairs in halves.items():
        assert len(texts[split]) > 0.95 * len(pairs)
        for kind in {pair.kind for pair in pairs} - {"undecidable"}:
            truths = Counter(pair.truth for pair in pairs if pair.kind == kind)
            assert truths["right"] == truths["wrong"] > 10


def bare(wording: tuple[str, str]) -> str:
    """Return a question and a response without case, spaces and punctuation, so that trivial variants are equal."""
    return "|".join(re.sub(r"[\s.,:;!?*$`\"'\u2019]", "", part.casefold()) for part in wording)


def test_the_held_out_wordings_are_others() -> None:
    development, held_out = HALVES["development"], HALVES["held-out"]
    assert set(held_out.wordings) == set(development.wordings) == set(MAKES)
    known = {bare(wording) for wordings in [*development.wordings.values(), *development.facts.values()] for wording in wordings}
    known |= set(map(bare, development.undecidable))
    assert bare(("WHAT is {a} plus {b}", "**{answer}**")) in known
    for kind, wordings in {**held_out.wordings, **held_out.facts, "undecidable": held_out.undecidable}.items():
        distinct = len(set(map(bare, wordings)))
        assert distinct == len(wordings), kind
        repeated = sum(bare(wording) in known for wording in wordings)  # a number, so that no failure shows a held-out wording
        assert repeated == 0, kind
    subjects = {split: {(fact["subject"], fact["relation"]) for fact in yaml.safe_load(half.knowledge)["facts"]} for split, half in HALVES.items()}
    assert not subjects["development"] & subjects["held-out"]


@pytest.mark.parametrize("split", SPLITS)
def test_every_wording_occurs(split: Split) -> None:
    half = HALVES[split]
    for wordings in half.wordings.values():
        assert len(wordings) <= EACH // 2
    assert sum(map(len, half.facts.values())) <= EACH
    assert len(half.undecidable) <= UNDECIDED
    assert set(half.facts) == {fact["relation"] for fact in yaml.safe_load(half.knowledge)["facts"]}


@pytest.mark.parametrize("split", SPLITS)
def test_pairs_are_repeatable_and_depend_on_the_seed(split: Split) -> None:
    assert make_pairs(split, 1) == make_pairs(split, 1) != make_pairs(split, 2)
    fields = {name for make in MAKES.values() for name in make(Random(0), True)} | {"subject", "value", "n", "m", "day"}
    for pair in make_pairs(split):
        assert not fields & set(re.findall(r"\{(\w+)[}:]", pair.question + pair.response)), pair
    assert Knowledge.from_text(knowledge_of(split)).facts


def by_kind(kind: str, pattern: str) -> list[tuple[re.Match[str], bool]]:
    """Return what matches in the responses of a kind, with the truth."""
    pairs = [pair for seed in range(5) for split in SPLITS for pair in make_pairs(split, seed) if pair.kind == kind]
    found = [(re.search(pattern, pair.response), pair.truth == "right") for pair in pairs]
    return [(match, truth) for match, truth in found if match is not None]


@pytest.mark.parametrize(
    ("kind", "pattern", "operation"),
    [
        ("sum", r"^(\d+) \+ (\d+) = (\d+)$", operator.add),
        ("difference", r"^(\d+) - (\d+) = (\d+)$", operator.sub),
        ("product", r"^(\d+) \* (\d+) = (\d+)$", operator.mul),
        ("quotient", r"^(\d+) / (\d+) = (\d+)$", operator.truediv),
        ("remainders", r"^(\d+) mod (\d+) = (\d+)$", operator.mod),
        ("powers", r"^(\d+)\^(\d+) = (\d+)$", operator.pow),
        ("conversions", r"^(\d+) minutes = ()(\d+) seconds$", lambda a, _: 60 * a),
        ("percentages", r"^(\d+)% of (\d+) = (\d+)$", lambda a, b: a * b / 100),
    ],
)
def test_truth_of_arithmetic(kind: str, pattern: str, operation: operator.methodcaller) -> None:
    found = by_kind(kind, pattern)
    assert found
    for match, truth in found:
        a, b, c = (int(part or 0) for part in match.groups())
        assert (operation(a, b) == c) == truth, match.group()


def test_truth_of_dates() -> None:
    found = by_kind("weekdays", r"(\d{4}-\d\d-\d\d) was a (\w+)")
    assert found
    for match, truth in found:
        assert (date.fromisoformat(match.group(1)).strftime("%A") == match.group(2)) == truth
    found = by_kind("leap years", r"^(\d{4}) is (not )?a leap year")
    assert found
    for match, truth in found:
        assert (calendar.isleap(int(match.group(1))) == (match.group(2) is None)) == truth
    for match, truth in by_kind("days that exist", r"Deadline: (\d+)-(\d+)-(\d+)"):
        year, month, day = map(int, match.groups())
        assert (day <= calendar.monthrange(year, month)[1]) == truth


def test_numbers_in_words() -> None:
    assert [in_words(n) for n in (0, 13, 20, 42, 100, 115, 1000, 12345)] == [
        "zero", "thirteen", "twenty", "forty-two", "one hundred", "one hundred fifteen", "one thousand", "twelve thousand three hundred forty-five",
    ]  # fmt: skip


def test_ordinals() -> None:
    assert " ".join(map(ordinal, (1, 2, 3, 4, 11, 12, 13, 21, 22, 23, 30, 31))) == "1st 2nd 3rd 4th 11th 12th 13th 21st 22nd 23rd 30th 31st"


def test_listed_answers() -> None:
    assert len({(pair.question, pair.response) for pair in LISTED}) == len(LISTED) > 50
    assert {pair.truth for pair in LISTED} == {"right", "wrong"}


def test_counts() -> None:
    pairs = [Pair("a", "", truth, truth) for truth in ("right", "wrong", "undecidable")]  # type: ignore[arg-type]

    def always(verdict: str) -> SimpleNamespace:
        return SimpleNamespace(verify=lambda question, response: SimpleNamespace(verdict=verdict))

    assert evaluate(always("VIOLATED"), pairs)["a"] == Counts(caught=1, flagged=2)
    assert evaluate(always("VERIFIED"), pairs)["a"] == Counts(passed=1, verified=1, settled=1)
    found = evaluate(always("UNKNOWN"), pairs)
    assert found["all"] == Counts(missed=1, unknown=1, left_open=1)
    assert table(found).splitlines()[1].split() == ["a", "0", "1", "0", "0", "1", "0", "1", "0"]


def test_cases_have_names_and_values() -> None:
    found = cases(quick=True)
    assert len({case.name for case in found}) == len(found) == 9
    case = next(case for case in found if case.name == "verify/listed caught")
    always = SimpleNamespace(verify=lambda question, response: SimpleNamespace(verdict="VIOLATED"))
    assert case.ours(always)(0) == 100.0
