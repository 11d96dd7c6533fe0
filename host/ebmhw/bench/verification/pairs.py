"""Pairs: questions and responses whose truth is known, made from a seed."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any, Literal, NamedTuple

import yaml

from ebmhw.bench.verification import development, development_more, held_out, held_out_facts
from ebmhw.bench.verification.development import Wordings
from ebmhw.bench.verification.instances import MAKES

Split = Literal["development", "held-out"]
Truth = Literal["right", "wrong", "undecidable"]

EACH = 28
"""Pairs of a kind in one half, half of them right; 37 kinds and those that cannot be decided make more than 1,000 a half."""

UNDECIDED = 40
"""Pairs of one half that no exact check can decide."""


class Pair(NamedTuple):
    """A question and a response.

    Attributes
    ----------
    kind : what it is about
    question, response : texts
    truth : whether the response is right, wrong, or says what cannot be decided
    """

    kind: str
    question: str
    response: str
    truth: Truth


class Half(NamedTuple):
    """What the pairs of one half are made of.

    Attributes
    ----------
    wordings, facts : by kind, by relation, a question and a response each
    undecidable : a question and a response that says what cannot be decided
    knowledge : text of the knowledge file that `facts` goes by
    stream : number of the half in its seeds
    """

    wordings: Wordings
    facts: Wordings
    undecidable: tuple[tuple[str, str], ...]
    knowledge: str
    stream: int


def _joined(first: Wordings, second: Wordings) -> Wordings:
    return {name: first.get(name, ()) + second.get(name, ()) for name in {**first, **second}}


HALVES: dict[Split, Half] = {
    "development": Half(
        _joined(development.WORDINGS, development_more.WORDINGS),
        _joined(development.FACTS, development_more.FACTS),
        development.UNDECIDABLE + development_more.UNDECIDABLE,
        development.KNOWLEDGE,
        0,
    ),
    "held-out": Half(held_out.WORDINGS, held_out_facts.FACTS, held_out_facts.UNDECIDABLE, held_out_facts.KNOWLEDGE, 2),
}
"""What each half is made of."""


def knowledge_of(split: Split) -> str:
    """Return the text of the knowledge file that pairs of kind "facts" go by."""
    return HALVES[split].knowledge


def make_pairs(split: Split, seed: int = 0, each: int = EACH) -> list[Pair]:
    """Return the pairs of a half: `each` of every kind, the first right, the second wrong, and so on; wordings take turns."""
    half = HALVES[split]
    pairs = []
    for kind, make in MAKES.items():
        random = Random(f"{kind}/{half.stream}/{seed}")
        wordings = half.wordings[kind]
        for index in range(each):
            truth = index % 2 == 0
            question, response = wordings[index // 2 % len(wordings)]
            fields = make(random, truth)
            pairs.append(Pair(kind, question.format_map(fields), response.format_map(fields), "right" if truth else "wrong"))
    pairs.extend(_facts(half, Random(f"facts/{half.stream}/{seed}"), each))
    pairs.extend(_undecidable(half, Random(f"undecidable/{half.stream}/{seed}")))
    return pairs


def _facts(half: Half, random: Random, each: int) -> list[Pair]:
    by_relation: dict[str, list[Mapping[str, Any]]] = {}
    for entry in yaml.safe_load(half.knowledge)["facts"]:
        by_relation.setdefault(entry["relation"], []).append(entry)
    wordings = [(relation, *wording) for relation in sorted(half.facts) for wording in half.facts[relation]]
    pairs = []
    for index in range(2 * each):
        truth = index % 2 == 0
        relation, question, response = wordings[index // 2 % len(wordings)]
        entry, other = random.sample(by_relation[relation], 2)
        fields = {"subject": entry["subject"], "value": entry["value"] if truth else other["value"]}
        pairs.append(Pair("facts", question.format_map(fields), response.format_map(fields), "right" if truth else "wrong"))
    return pairs


def _undecidable(half: Half, random: Random) -> list[Pair]:
    pairs = []
    for index in range(UNDECIDED):
        question, response = half.undecidable[index % len(half.undecidable)]
        n = random.randint(11, 80)
        fields = {"n": n, "m": n + random.randint(2, 15), "day": random.randint(1, 28)}
        pairs.append(Pair("undecidable", question.format_map(fields), response.format_map(fields), "undecidable"))
    return pairs
