"""Answers: yes, no and names, judged as what they say about the question that they answer."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ebmhw.verify.claim import Claim
from ebmhw.verify.logic.checks import Checks, contrary, is_generic, is_opaque, unknown
from ebmhw.verify.logic.components import Part, considered, parts_of
from ebmhw.verify.logic.formulas import Form
from ebmhw.verify.logic.ground import TooLarge, walk
from ebmhw.verify.prover import Prover
from ebmhw.verify.statement import Statement
from ebmhw.verify.verdict import UNKNOWN, VERIFIED, VIOLATED


def yes_or_no(answer: Statement, goal: Statement, part: Part, prover: Prover, whole: bool) -> Claim:
    """Return the claim that yes or no makes about the only question; `whole` tells whether all of the question's text was read."""
    form, yes = goal.content["form"], answer.content["value"]
    other = contrary(form)
    try:
        checks = Checks([*part.premises, form, *([other] if other else [])], prover)
        if (given := checks.together(part.premises)).satisfiable is not True:
            reason = "what the question says cannot all be true" if given.satisfiable is False else "not decided in time"
            return unknown(answer, reason, (given.key,))
        holds, fails = checks.together(part.premises, also_not=form), checks.together([*part.premises, form])
        if other is not None and True is holds.satisfiable is fails.satisfiable:
            fails = checks.together(part.premises, also_not=other)
    except TooLarge as error:
        return unknown(answer, f"not decided: {error}")
    generic = any(is_generic(premise) for premise in part.premises)
    follows = goal.content["follows"]
    if holds.satisfiable is False:
        return _turned(answer, yes, "it follows from what the question says", holds.key, generic)
    if fails.satisfiable is False and not follows:
        return _turned(answer, not yes, "what the question says rules it out", fails.key, generic)
    if holds.satisfiable is None or fails.satisfiable is None:
        return unknown(answer, "not decided in time")
    if follows and whole and not any(is_opaque(premise) for premise in part.premises):
        members = Checks([*part.premises, form], prover, imports=True).together(part.premises, also_not=form)
        if members.satisfiable is True:
            return _turned(answer, not yes, "there is a case in which all premises are true and this is false", members.key, generic)
        return unknown(answer, "whether it follows depends on whether there are such things at all", (holds.key,))
    return unknown(answer, "does not follow from what the question says, and neither does the contrary", (holds.key, fails.key))


def _turned(answer: Statement, right: bool, reason: str, key: str, generic: bool) -> Claim:
    if right:
        return Claim(answer, VERIFIED, reason, decisions=(key,))
    if generic:
        return Claim(answer, UNKNOWN, f"{reason}, unless a general statement has exceptions", decisions=(key,))
    other = {"yes": "no", "no": "yes", "true": "false", "false": "true"}[answer.text.lower()]
    return Claim(answer, VIOLATED, reason, other.capitalize() if answer.text[0].isupper() else other, answer.span, (key,))


def named(
    goal: Statement, question: Sequence[Statement], response: Sequence[Statement], prover: Prover, whole: bool
) -> tuple[list[Claim], list[str]]:
    """Return the claim of a name that answers "who is the tallest?", and the question where nothing in the response answers it."""
    (axis, sign), pair = goal.content["who"], goal.content["names"]
    parts = [part for part in parts_of(question, []) if any(_orders(form, axis) for form in part.premises)]
    premises = [form for part in parts for form in part.premises]
    answers = [statement for statement in considered(response) if _name(statement)]
    if not premises:
        return [], []
    if len(answers) != 1:
        said = [part for statement in considered(response) if "form" in statement.content for part in walk([statement.content["form"]])]
        answered = any(part[:2] == ["top", axis] if not pair else part[:2] == ["more", axis] for part in said)
        return [], [] if answered else [goal.text]
    answer = answers[0]
    names = pair or list(dict.fromkeys(other for part in walk(premises) if part[0] in ("more", "same") and part[1] == axis for other in part[2:]))
    name = next((other for other in names if other.lower() == _name(answer)), None)
    if name is None:
        return [unknown(answer, "it is not among what the question compares")], []
    # Somebody whom no order mentions may stand above them all.
    people = {part[1] for statement in question if "form" in statement.content for part in walk([statement.content["form"]]) if part[0] == "is"}
    whole = whole and people <= {*names}
    forms = {other: _top(axis, sign, other, pair) for other in names}
    try:
        checks = Checks([*premises, *forms.values()], prover)
        given = checks.together(premises)
        if given.satisfiable is not True:
            reason = "what the question says cannot all be true" if given.satisfiable is False else "not decided in time"
            return [unknown(answer, reason, (given.key,))], []
        if (holds := checks.together(premises, also_not=forms[name])).satisfiable is False:
            if pair or whole:
                return [Claim(answer, VERIFIED, "it follows from what the question says", decisions=(holds.key,))], []
            return [unknown(answer, "it follows, unless a sentence of the question that was not read says otherwise", (holds.key,))], []
        fails = checks.together([*premises, forms[name]])
        if fails.satisfiable is False:
            right = next((other for other in names if checks.together(premises, also_not=forms[other]).satisfiable is False), None)
            fix = None if right is None or not (pair or whole) else _renamed(answer.text, name, right, question)
            span = None if fix is None else answer.span
            return [Claim(answer, VIOLATED, "what the question says rules it out", fix, span, (fails.key,))], []
    except TooLarge as error:
        return [unknown(answer, f"not decided: {error}")], []
    return [unknown(answer, "does not follow from what the question says, and neither does the contrary", (holds.key, fails.key))], []


def _name(statement: Statement) -> str:
    """Return the name that a statement consists of, in small letters; "" where it is none. A bare letter reads as a sentence too."""
    form = statement.content.get("form", ["", ""])
    return str(statement.content.get("name") or (form[1].lower() if form[0] == "var" and " " not in form[1] else ""))


def _orders(form: Form, axis: str) -> bool:
    return any(part[0] in ("more", "same", "top") and part[1] == axis for part in walk([form]))


def _top(axis: str, sign: int, name: str, pair: Sequence[str]) -> Form:
    if not pair:
        return ["top", axis, sign, name]
    other = pair[0] if name == pair[1] else pair[1]
    return ["more", axis, name, other] if sign > 0 else ["more", axis, other, name]


def _renamed(text: str, name: str, right: str, question: Sequence[Statement]) -> str | None:
    """Return an answer with another name, written as the question writes it."""
    written = next((found[0] for statement in question if (found := re.search(rf"\b{re.escape(right)}\b", statement.text, re.I))), None)
    changed = re.subn(rf"\b{re.escape(name)}\b", lambda _: written or right, text, count=1, flags=re.I)
    return changed[0] if changed[1] and written is not None else None
