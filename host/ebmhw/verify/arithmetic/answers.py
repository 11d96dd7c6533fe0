"""Answers: what the question asks for, against what the response gives."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any, NamedTuple

from ebmhw.verify.arithmetic.agreement import literally
from ebmhw.verify.arithmetic.chains import judged_chain, number_edits
from ebmhw.verify.arithmetic.evaluate import evaluate
from ebmhw.verify.arithmetic.ledger import Ledger
from ebmhw.verify.arithmetic.limits import DividedByZero, Limit, Undefined
from ebmhw.verify.arithmetic.numerals import Number, decimal, shown, simple
from ebmhw.verify.arithmetic.properties import judged_property
from ebmhw.verify.arithmetic.quantity import units_of
from ebmhw.verify.arithmetic.sides import Meeting, has_units, meeting
from ebmhw.verify.arithmetic.units import unit_named
from ebmhw.verify.claim import Claim
from ebmhw.verify.statement import Statement
from ebmhw.verify.verdict import UNKNOWN, VERIFIED, VIOLATED

_OPPOSITE = {"yes": "no", "no": "yes", "true": "false", "false": "true", "correct": "incorrect", "incorrect": "correct"} | {
    "yep": "no", "yeah": "no", "nope": "yes",
}  # fmt: skip
_OPERATIONS = {"sum": "+", "difference": "-", "product": "*", "quotient": "/", "remainder": "mod"}
_ANY = frozenset(("it", "result", "value", "total"))


class Found(NamedTuple):
    """What the response says, in order: statements of equations, properties and answers with their claims as far as they have one."""

    chains: Sequence[Claim]
    answers: Sequence[Statement]
    candidates: Sequence[Statement]


def as_answer(candidate: Statement, text: str | None = None) -> Statement:
    """Return a candidate as an answer at the place that it stands for."""
    start, end = candidate.content["at"]
    content = {name: value for name, value in candidate.content.items() if name not in ("at", "text")}
    return Statement(candidate.domain, "answer", candidate.source, (start, end), candidate.content["text"], content)


def judged_goal(goal: Statement, found: Found) -> tuple[list[Claim], str | None]:
    """Return the claims that answers to one goal make, and the goal in words where nothing answers it."""
    if goal.content["asks"] == "value":
        return _value(goal, found)
    return _truth(goal, found)


def _truth(goal: Statement, found: Found) -> tuple[list[Claim], str | None]:
    judged = judged_property(goal) if goal.content["asks"] == "property" else judged_chain(goal, Ledger(frozenset()))
    said = [candidate for candidate in found.candidates if candidate.content["form"] == "yes"]
    if not said:
        same = any(claim.statement.content.get("sides") == goal.content["sides"] for claim in found.chains)
        answered = same or any(claim.verdict != UNKNOWN and claim.kind in ("property", "comparison") for claim in found.chains)
        return [], None if answered else f"whether {goal.text}"
    answer = as_answer(said[0])
    if judged.verdict == UNKNOWN or "rounded" in judged.reason:
        return [Claim(answer, UNKNOWN, f"whether {goal.text} was not decided: {judged.reason}")], None
    holds = judged.verdict == VERIFIED
    if answer.content["yes"] == holds:
        return [Claim(answer, VERIFIED, judged.reason)], None
    word = _OPPOSITE[answer.text.lower()]
    return [Claim(answer, VIOLATED, judged.reason, word.capitalize() if answer.text[0].isupper() else word, answer.span)], None


def _value(goal: Statement, found: Found) -> tuple[list[Claim], str | None]:
    steps: list[str] = goal.content["steps"]
    if found.answers:
        final = found.answers[-1]
        claims = [claim for answer in found.answers[:-1] if (claim := _claim(goal, answer)).verdict == VERIFIED]
        return [*claims, _claim(goal, final)], None
    said = [as_answer(candidate) for candidate in found.candidates if candidate.content["form"] != "yes"]
    if any(_meets(goal, claim) for claim in found.chains):
        bare = [_claim(goal, answer).verdict for answer in said if answer.content["form"] == "bare"]
        return [], f"what {goal.text} is" if VIOLATED in bare and VERIFIED not in bare else None
    if not said:
        return [], f"what {goal.text} is"
    right = [claim for answer in said if (claim := _claim(goal, answer)).verdict == VERIFIED]
    if right:
        return right[-1:], None
    final = said[-1]
    form = final.content["form"]
    fits = (
        form in _ANY
        or form == "bare"
        or _OPERATIONS.get(form) in (steps[-1], {"sum:": "+", "diff": "-", "prod": "*", "quot": "/"}.get(steps[-1][:4]))
    )
    claim = _claim(goal, final)
    if fits and not found.chains and claim.verdict == VIOLATED:
        return [claim], None
    return [], f"what {goal.text} is"


def _meets(goal: Statement, claim: Claim) -> bool:
    """Return whether an equation comes to what is asked: one of its sides is an answer; the question's own expression said again is none."""
    content = claim.statement.content
    if claim.kind != "equation" or "sides" not in content or content.get("said"):
        return False
    try:
        asked = evaluate(goal.content["steps"]).number
        sides: list[list[str]] = content["sides"]
        if goal.content["steps"] in sides:
            return any(_is_answer(steps) for steps in sides)
        for steps in sides:
            if literally(steps) is None and evaluate(steps).number == asked and not has_units(goal.content["steps"]):
                return any(_is_answer(steps) for steps in sides)
        return literally(content["sides"][-1]) is not None and _met(goal, content["sides"][-1], False).degree in ("equal", "rounded")
    except (Limit, Undefined, DividedByZero):
        return False


def _is_answer(steps: list[str]) -> bool:
    """Return whether an expression is a result: a number, a fraction, a whole number with its remainder, or what has no shorter form."""
    if literally(steps) is not None:
        return True
    numbers = sum(step[0].isdigit() for step in steps)
    if numbers == 2 and (steps[-1] in ("/", "rem") or steps[2:] == ["/", "neg"] or (steps[1:2] == ["neg"] and steps[3:] == ["/"])):
        return True
    return not evaluate(steps).exact


def _met(goal: Statement, steps: list[str], about: bool) -> Meeting:
    """Return how an answer meets a goal: with the unit that is asked for where it has none."""
    asked: list[str] = goal.content["steps"]
    target: str = goal.content["target"]
    if target:
        unit = unit_named(target)
        if not has_units(steps):
            return meeting(asked, [*steps, "u:" + target], about)
        if unit is not None and units_of(steps)[-1].name != unit.name:
            found = meeting(asked, steps, about)
            return Meeting("maybe" if found.degree != "unequal" else "unequal", f"it is asked for in {target}", None)
        return meeting(asked, steps, about)
    if has_units(asked) and not has_units(steps):
        best = meeting(asked, steps, about)
        for unit in units_of(asked):
            found = meeting(asked, [*steps, "u:" + unit.name], about)
            if found.degree in ("equal", "rounded"):
                return found
        if best.degree in ("equal", "rounded"):
            return best
        names = {unit.name for unit in units_of(asked)}
        return meeting(asked, [*steps, "u:" + names.pop()], about) if len(names) == 1 else Meeting("maybe", "its unit is not said", None)
    if "%" in steps and "%" not in asked and "/" not in asked:
        found = meeting(asked, steps, about)
        return Meeting("maybe", "its percent sign is not asked for", found.wanted) if found.note else found
    if about and _coarse(asked, steps):
        return Meeting("maybe", "it is said to be rounded, and is not", None)
    if has_units(steps) and not has_units(asked):
        return meeting(asked, [step for step in steps if step[:2] != "u:"], about)
    return meeting(asked, steps, about)


def _coarse(asked: list[str], steps: list[str]) -> bool:
    """Return whether an exact whole number below a million is asked for, and another one is said."""
    value, said = evaluate(asked).number, Fraction(evaluate(steps).number)
    return type(value) is int and abs(value) < 10**6 and said != value and 2 * abs(said - value) <= abs(value)


def _claim(goal: Statement, answer: Statement) -> Claim:
    content = answer.content
    if "steps" not in content:
        return Claim(answer, UNKNOWN, f"{goal.text} asks for a number")
    about = bool(content.get("about"))
    try:
        found = _met(goal, content["steps"], about)
        asked = _asked(goal)
    except Limit as limit:
        return Claim(answer, UNKNOWN, f"not computed: it holds {limit}")
    except (Undefined, DividedByZero) as undefined:
        return Claim(answer, UNKNOWN, f"it has no value: {undefined}")
    how = content.get("said")
    if how == "denied" or (how and found.degree not in ("equal", "rounded")):
        return Claim(answer, UNKNOWN, f"{goal.text} is {asked}, but {content['doubt']}")
    if found.degree in ("equal", "rounded"):
        return Claim(answer, VERIFIED, f"{goal.text} is {asked}" + (f": {found.note}" if found.note else ""))
    if found.degree == "maybe":
        return Claim(answer, UNKNOWN, f"{goal.text} is {asked}; {answer.text}: {found.note or 'it may be rounded'}")
    fix, span = _fix(answer, found.wanted)
    return Claim(answer, VIOLATED, f"{goal.text} is {asked}, not {answer.text}", fix, span)


def _asked(goal: Statement) -> str:
    target = goal.content["target"]
    if target:
        found = meeting(goal.content["steps"], ["0", "u:" + target], False)
        if found.wanted is not None:
            return f"{shown(found.wanted)} {target}"
    value = evaluate(goal.content["steps"]).number
    units = units_of(goal.content["steps"])
    if len(units) > 1:
        found = meeting(goal.content["steps"], ["0", "u:" + units[0].name], False)
        return shown(value) if found.wanted is None else f"{shown(found.wanted)} {units[0].name}"
    return shown(value) + (f" {units[0].name}" if units else "")


def _fix(answer: Statement, wanted: Number | None) -> tuple[str | None, tuple[int, int] | None]:
    content: Any = answer.content
    said = literally(content["steps"])
    if wanted is not None and said is None and not has_units(content["steps"]):
        return (f"{wanted}" if wanted.denominator < 10**9 else decimal(wanted, 12)), answer.span
    if said is None or wanted is None or len(content["numbers"]) != 1:
        return None, None
    length = len(answer.text)
    edits = number_edits(answer.text, (0, length), tuple(content["numbers"][0]), wanted, said.factor < 0)
    if not edits:
        return None, None
    edit = edits[0]
    return edit.text, (answer.span[0] + edit.start, answer.span[0] + edit.end)


def judged_restated(answer: Statement, ledger: Ledger, asks: bool) -> Claim:
    """Return the claim of an answer to no goal that was read.

    It is VIOLATED where it restates a result that is wrong above, VERIFIED where it restates the last result, that holds, and the question asks for
    nothing else that is known, else UNKNOWN.
    """
    content = answer.content
    if "steps" not in content:
        return Claim(answer, UNKNOWN, "there is nothing here to check it against")
    try:
        value = simple(evaluate(content["steps"]).number)
    except Limit as limit:
        return Claim(answer, UNKNOWN, f"not computed: it holds {limit}")
    except (Undefined, DividedByZero) as undefined:
        return Claim(answer, UNKNOWN, f"it has no value: {undefined}")
    said = literally(content["steps"])
    right = ledger.correction(value)
    if right is not None and said is not None:
        fix, span = _fix(answer, simple(Fraction(right) / said.factor))
        return Claim(answer, VIOLATED, f"it restates {shown(value)}, which should be {shown(right)} above", fix, span)
    if ledger.last is not None and ledger.last == (value, True):
        if asks:
            return Claim(answer, UNKNOWN, f"it restates {shown(value)}, computed above; whether the question asks for that was not read")
        return Claim(answer, VERIFIED, f"it restates {shown(value)}, computed above")
    return Claim(answer, UNKNOWN, "there is nothing here to check it against")
