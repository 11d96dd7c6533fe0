"""Grounding: steps of a calculation that use a number from nowhere, or leave one that the question gives unused. A heuristic, asked only by name.

On the first 330 questions of a public set of model solutions to GSM8K, on which the constants were chosen, VIOLATED is right in 85 of 100 cases
where 61 of 100 solutions are wrong, and finds a third of the wrong ones; see `ebmhw bench --only gsm8k`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import ClassVar, final

from ebmhw.verify.arithmetic.limits import Limit, Undefined
from ebmhw.verify.arithmetic.numerals import value_of
from ebmhw.verify.arithmetic.scan import tokens
from ebmhw.verify.arithmetic.statements import statements
from ebmhw.verify.claim import Claim
from ebmhw.verify.deadline import Deadline
from ebmhw.verify.domain import Domain, Judgement
from ebmhw.verify.prover import Prover
from ebmhw.verify.statement import Source, Statement
from ebmhw.verify.verdict import VIOLATED

_WORDS = {
    word: Fraction(value)
    for value, words in {
        "1": "once single each a an",
        "2": "half halves twice double doubled doubles couple pair pairs both",
        "3": "third thirds triple tripled triples thrice",
        "4": "quarter quarters fourth fourths quadruple quadrupled",
        "5": "fifth fifths",
        "12": "dozen dozens",
    }.items()
    for word in words.split()
}
"""Words of a question that give a number which `tokens` leaves as words."""

_CONSTANTS = frozenset(map(Fraction, ("1", "2", "3", "4", "7", "10", "12", "24", "30", "52", "60", "100", "365", "1000", "1/2", "1/4", "1/100")))
"""Numbers that need no source: small factors, days, months, hours, minutes, percent."""


@final
class Grounding(Domain):
    """Flags numbers of a calculation that are neither given nor derived, and given ones that no step uses."""

    shares_words: ClassVar[bool] = True

    @property
    def name(self) -> str:
        """ "grounding"."""
        return "grounding"

    def read(self, text: str, source: Source, deadline: Deadline) -> list[Statement]:
        """Return the numbers that a question gives as one statement, or each calculation of a response."""
        if source == "question":
            given, digits = _given(text)
            return [Statement("grounding", "given", source, (0, len(text)), text, {"numbers": given, "digits": digits})] if given else []
        return [] if source == "constraints" else [step for found in statements(text, source, deadline) for step in _step(found)]

    def judge(self, question: Sequence[Statement], response: Sequence[Statement], prover: Prover, deadline: Deadline) -> Judgement:
        """Return a VIOLATED claim for each suspicion; a calculation without one is no claim, for it may still be the wrong one."""
        given = [value for statement in question for value in _numbers(statement.content["numbers"])]
        if not given or not response:
            return Judgement()
        known = _CONSTANTS.union(given, *map(_rests, given))
        used: set[Fraction] = set()
        claims = []
        for step in response:
            operands = _numbers(step.content["operands"])
            strange = [value for value in operands if not known.intersection(_scaled(value))]
            if strange:
                reason = f"uses {_shown(strange)}, which the question does not give and no earlier step derives"
                claims.append(Claim(step, VIOLATED, reason))
            used.update(value for operand in operands for value in _scaled(operand))
            known = known.union(_numbers(step.content["results"]))
        # A number in words ("one of them", "both") often counts nothing: with them 175 more of those solutions are flagged, 61 of them right.
        digits = [value for statement in question for value in _numbers(statement.content["digits"])]
        unused = [value for value in dict.fromkeys(digits) if value != 1 and used.isdisjoint({value, *_rests(value)})]
        if unused:
            last = response[-1]._replace(kind="unused")
            claims.append(Claim(last, VIOLATED, f"no step uses {_shown(unused)}, which the question gives"))
        return Judgement(tuple(claims))


def _given(text: str) -> tuple[list[str], list[str]]:
    """Return the numbers of a question, each once, in order: all of them, and those written in digits."""
    found: dict[str, bool] = {}
    for token in tokens(text):
        if token.type in ("NUM", "LOOSE"):
            found[token.value] = found.get(token.value, False) or text[token.start].isdigit()
        elif token.value.lower() in _WORDS:
            found.setdefault(str(_WORDS[token.value.lower()]), False)
    return list(found), [value for value, digits in found.items() if digits]


def _step(statement: Statement) -> Iterable[Statement]:
    """Yield an equation as the numbers that it calculates with and those that it comes to."""
    sides = statement.content.get("sides")
    if statement.kind != "equation" or sides is None:
        return
    numbers = [[step for step in side if step[0].isdigit()] for side in sides]
    operands = [value for values in numbers if len(values) > 1 for value in values]
    if operands:
        results = [value for values in numbers if len(values) == 1 for value in values]
        yield statement._replace(domain="grounding", kind="step", content={"operands": operands, "results": results})


def _numbers(values: Iterable[str]) -> list[Fraction]:
    """Return values as fractions, those beyond the limits of arithmetic left out."""
    found = []
    for value in values:
        try:
            found.append(Fraction(value_of(value)))
        except (Limit, Undefined):
            continue
    return found


def _rests(part: Fraction) -> tuple[Fraction, ...]:
    """Return what a percentage leaves, and what it adds up to, as shares and percentages."""
    return 1 - part / 100, 1 + part / 100, 100 - part, 100 + part


def _scaled(value: Fraction) -> tuple[Fraction, Fraction, Fraction]:
    """Return the ways in which a number may be written: as it is, as a percentage, as the share that this is."""
    return value, value * 100, value / 100


def _shown(values: Sequence[Fraction]) -> str:
    """Return numbers as words of a reason; shares as decimals where these are exact."""
    return " and ".join(f"{float(value):g}" if value.denominator > 1 else str(value) for value in values[:3]) + (
        " and more" if len(values) > 3 else ""
    )
