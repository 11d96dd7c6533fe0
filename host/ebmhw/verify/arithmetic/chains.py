"""Chains: the verdict of an equation or comparison a = b = c, and the text that mends it."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from ebmhw.verify.arithmetic.agreement import literally
from ebmhw.verify.arithmetic.doubts import doubted
from ebmhw.verify.arithmetic.evaluate import evaluate
from ebmhw.verify.arithmetic.ledger import Ledger
from ebmhw.verify.arithmetic.limits import DividedByZero, Limit, Undefined
from ebmhw.verify.arithmetic.numerals import Number, shown, simple, styled
from ebmhw.verify.arithmetic.quantity import quantity, units_of
from ebmhw.verify.arithmetic.sides import Instead, Meeting, has_units, meeting
from ebmhw.verify.claim import Claim
from ebmhw.verify.statement import Statement
from ebmhw.verify.verdict import UNKNOWN, VERIFIED, VIOLATED, Verdict

_WORDS = {"<": "less than", ">": "greater than", "<=": "at most", ">=": "at least", "!=": "other than"}
_RELATIONS = {"<": ("<", "is less than"), ">": (">", "is greater than"), "=": ("=", "is equal to")}
"""As a sign and in words."""


class Edit(NamedTuple):
    """A replacement within a statement, in characters of it."""

    start: int
    end: int
    text: str


class _Side(NamedTuple):
    place: int
    steps: list[str]
    corrected: Instead


def judged_chain(statement: Statement, ledger: Ledger) -> Claim:
    """Return the claim of an equation or comparison, and note in the ledger what it computed."""
    content = statement.content
    if "limit" in content:
        return Claim(statement, UNKNOWN, content["limit"])
    ledger.begin()
    try:
        claim = _judged(statement, ledger)
        if claim.verdict != VIOLATED and claim.fix is None:
            ledger.withdraw()
        return claim
    except Limit as limit:
        return Claim(statement, UNKNOWN, f"not computed: it holds {limit}")
    except Undefined as undefined:
        return Claim(statement, UNKNOWN, f"it has no value here: {undefined}")
    except DividedByZero as division:
        return Claim(statement, UNKNOWN if "doubt" in content else VIOLATED, f"it has no value: {division}")


def _judged(statement: Statement, ledger: Ledger) -> Claim:
    content = statement.content
    sides = [_Side(index, steps, ledger.corrected(steps)) for index, steps in enumerate(content["sides"])]
    relations: list[str] = content["relations"]
    if content.get("ranged") and sides[0].steps[-1:] == ["-"] and len(sides[0].steps) == 3:
        claim = _range(statement, sides)
        if claim is not None:
            return claim
    edits: list[Edit] = []
    notes: list[str] = []
    violated: list[str] = []
    maybe: list[str] = []
    dependent = any(side.corrected for side in sides)
    doubt = content.get("doubt") or ("its first number may be a name" if content.get("label") else "")
    at = 0
    while at < len(sides):
        end = at
        while end < len(relations) and relations[end] in ("=", "~"):
            end += 1
        if end > at:
            _equal(statement, sides[at : end + 1], relations[at:end], ledger, edits, notes, violated, maybe, bool(doubt))
        at = end + 1
    for index, relation in enumerate(relations):
        if relation not in ("=", "~"):
            _compare(statement, sides[index], sides[index + 1], relation, edits, violated, maybe, notes)
    if violated and not doubt and len(sides) > 2 and 0 in content.get("nouns", ()) and literally(sides[0].steps) is None:
        rest = [meeting(sides[1].steps, side.steps, "~" in relations) for side in sides[2:]]
        if all(sign in "=~" for sign in relations) and all(found.degree in ("equal", "rounded") for found in rest):
            doubt = "its other parts agree, and the words in its first part may say more"
    if content.get("label") and violated and len(sides) > 2 and all(sign in "=~" for sign in relations):
        rest = [meeting(sides[1].steps, side.steps, "~" in relations) for side in sides[2:]]
        if all(found.degree in ("equal", "rounded") for found in rest):
            return Claim(statement, VERIFIED, "it holds behind its first number, which is a name")
    if violated and not doubt:
        doubt = doubted(statement)
        if doubt:
            for side in sides:
                if literally(side.steps) is not None:
                    ledger.holds(_written(side.steps))
    if not violated and dependent:
        return _fixed(statement, UNKNOWN, "it holds, but rests on a number that is wrong above", edits)
    if not violated and not maybe and content.get("said") == "denied":
        return Claim(statement, UNKNOWN, f"it holds by itself, but {doubt}")
    if not violated and not maybe:
        return Claim(statement, VERIFIED, _reason(sides, notes))
    if not violated:
        return Claim(statement, UNKNOWN, maybe[0])
    if doubt:
        return Claim(statement, UNKNOWN, f"{violated[0]}, but {doubt}")
    return _fixed(statement, VIOLATED, violated[0], edits)


def _reason(sides: Sequence[_Side], notes: list[str]) -> str:
    return "it holds" + (f": {notes[0]}" if notes else "")


def _fixed(statement: Statement, verdict: Verdict, reason: str, edits: list[Edit]) -> Claim:
    if not edits:
        return Claim(statement, verdict, reason)
    edits.sort()
    first, last = edits[0].start, max(edit.end for edit in edits)
    text, at = "", first
    for edit in edits:
        if edit.start < at:
            continue
        text += statement.text[at : edit.start] + edit.text
        at = edit.end
    text += statement.text[at:last]
    start = statement.span[0]
    return Claim(statement, verdict, reason, text, (start + first, start + last))


def _equal(
    statement: Statement,
    sides: list[_Side],
    relations: list[str],
    ledger: Ledger,
    edits: list[Edit],
    notes: list[str],
    violated: list[str],
    maybe: list[str],
    doubt: bool,
) -> None:
    """Judge sides that are said to be equal: each must agree with the first that is computed, or with one that did."""
    base = next((side for side in sides if literally(side.steps) is None), sides[0])
    agreed: list[_Side] = [base]
    last: Number | None = None
    wrong = False
    if base.corrected:
        edits.extend(_leaves(statement, base))
    for side in sides:
        if side is base:
            continue
        about = "~" in relations[max(0, min(base.place, side.place) - sides[0].place) : max(base.place, side.place) - sides[0].place]
        best = _best(agreed, side, about, ledger)
        if best.degree == "unequal" and statement.content.get("compares") and best.wanted is not None and _flipped(best.wanted, side):
            best = Meeting("maybe", "the words behind it may say its sign", best.wanted)
        said = literally(side.steps)
        if best.degree in ("equal", "rounded"):
            agreed.append(side)
            if best.note and best.note != "rounded":
                notes.append(best.note)
            elif best.note:
                notes.append("rounded")
        elif best.degree == "maybe":
            maybe.append(_told(statement, base, side, best))
            agreed.append(side)
        else:
            wrong = True
            violated.append(_told(statement, base, side, best))
        correct = best
        if best.degree == "maybe" and correct.degree == "unequal":
            correct = best
        if base.corrected:
            correct = meeting(base.steps, side.steps, about, base.corrected, side.corrected)
        if correct.degree == "unequal":
            edits.extend(_mended(statement, base, side, correct, about))
        if said is not None:
            written = _written(side.steps)
            last = written if best.degree != "unequal" or correct.wanted is None else simple(correct.wanted * said.factor)
            if correct.degree == "unequal" and correct.wanted is not None and not doubt:
                ledger.wrong(written, simple(correct.wanted * said.factor))
            elif correct.degree == "rounded" and correct.wanted is not None:
                ledger.rounded(written, simple(correct.wanted * said.factor))
            elif correct.degree == "equal" and not base.corrected:
                ledger.holds(written)
    ledger.last = (last, not wrong) if last is not None else ledger.last


def _flipped(wanted: Number, side: _Side) -> bool:
    said = literally(side.steps)
    return said is not None and wanted * said.factor == -_written(side.steps)


def _written(steps: Sequence[str]) -> Number:
    return evaluate(steps).number


def _best(agreed: Sequence[_Side], side: _Side, about: bool, ledger: Ledger) -> Meeting:
    """Return the best agreement with the first or the last side that agreed, with numbers as they are or as they were before rounding."""
    first = meeting(agreed[0].steps, side.steps, about)
    best = first
    if best.degree in ("equal", "rounded"):
        return best
    for other in agreed[-1:] if len(agreed) > 1 else ():
        found = meeting(other.steps, side.steps, about)
        if found.degree in ("equal", "rounded"):
            return found
        if found.degree == "maybe":
            best = found
    exact, other_exact = ledger.unrounded(agreed[0].steps), ledger.unrounded(side.steps)
    if exact or other_exact:
        for left, right in ((exact, other_exact), (exact, ()), ((), other_exact)):
            if left or right:
                found = meeting(agreed[0].steps, side.steps, about, left, right if literally(side.steps) is None else ())
                if found.degree in ("equal", "rounded"):
                    return Meeting(found.degree, "with numbers as they were before rounding", first.wanted)
    return best if best.degree != "unequal" else first


def _told(statement: Statement, base: _Side, side: _Side, found: Meeting) -> str:
    """Return in plain words what the sides are."""
    spans = statement.content["spans"]
    left, right = (statement.text[slice(*spans[index])] for index in (base.place, side.place))
    value = shown(evaluate(base.steps).number)
    if has_units(base.steps) or has_units(side.steps):
        units = units_of(side.steps) or units_of(base.steps)
        value = shown(found.wanted) if found.wanted is not None else value
        value += f" {units[0].name}" if found.wanted is not None and len(units) == 1 else ""
    if found.degree == "unequal" and found.note:
        return f"{left} is {found.note}, not {right}"
    other = "" if literally(side.steps) is not None else f", which is {shown(evaluate(side.steps).number)}"
    in_one = _in_one_unit(base, side) if has_units(base.steps) and has_units(side.steps) and other else None
    if in_one is not None:
        value, other = in_one[0], f", which is {in_one[1]}"
    words = f"{left} is {value}, not {right}{other}" if found.degree == "unequal" else f"{left} is {value}; {right}{other} is near or in other units"
    return words if found.degree == "unequal" else f"{words}: {found.note or 'it may be rounded'}"


def _in_one_unit(base: _Side, side: _Side) -> tuple[str, str] | None:
    """Return both sides in the last unit of the second, "135 min" for "1 h 30 min + 45 min"; None where their units do not fit together."""
    left, right, unit = quantity(base.steps), quantity(side.steps), units_of(side.steps)[-1]
    if left is None or right is None or unit.offset or not left.dimension == right.dimension == unit.dimension:
        return None
    values = (simple(Fraction(found.number) / Fraction(unit.factor)) for found in (left, right))
    first, second = (f"{shown(value)} {unit.name}" for value in values)
    return first, second


def _leaves(statement: Statement, side: _Side) -> list[Edit]:
    """Return edits that put the right numbers in place of those that were wrong earlier."""
    edits = []
    for (start, end), value in zip(statement.content["numbers"][side.place], side.corrected, strict=False):
        if value is not None:
            text = styled(value, statement.text[start:end]) if value >= 0 else None
            if text is None:
                text = f"({shown(value)})"
            edits.append(Edit(start, end, text))
    return edits


def _mended(statement: Statement, base: _Side, side: _Side, found: Meeting, about: bool) -> list[Edit]:
    """Return the edits that make a side agree with the base."""
    said = literally(side.steps)
    start, end = statement.content["spans"][side.place]
    numbers = statement.content["numbers"][side.place]
    text = statement.text
    if said is None or len(numbers) != 1:
        if side.steps[-1] == "rem" and found.note:
            return [Edit(start, end, found.note)] if found.degree == "unequal" else []
        value = evaluate(base.steps, "exact", base.corrected).number
        if has_units(base.steps) or has_units(side.steps):
            return []
        first = statement.content["numbers"][side.place][0] if numbers else (start, end)
        like = text[slice(*first)]
        if len(numbers) == 2 and side.steps[2:] == ["/"] and type(value) is Fraction and value.denominator < 10**6:
            return [Edit(start, end, str(value))]
        new = styled(value, like if any(character.isdigit() for character in like) else "0")
        return [] if new is None else [Edit(start, end, new)]
    if found.wanted is None:
        return []
    return number_edits(text, (start, end), tuple(numbers[0]), found.wanted, said.factor < 0)


def number_edits(text: str, span: tuple[int, int], number: tuple[int, ...], wanted: Number, signed: bool) -> list[Edit]:
    """Return the edit that writes a number in the style of the one that stands there; `wanted` is what stands behind its sign."""
    start, end = number
    first = span[0]
    if wanted < 0:
        new = styled(-wanted, text[start:end])
        if new is None:
            return []
        if signed:
            return [Edit(first, end, text[first + 1 : start] + new)]
        return [Edit(start, end, "-" + new)] if first == start else [Edit(first, end, "-" + text[first:start] + new)]
    new = styled(wanted, text[start:end])
    if new is None or new == text[start:end]:
        return []
    return [Edit(start, end, new)]


def _compare(
    statement: Statement,
    left: _Side,
    right: _Side,
    relation: str,
    edits: list[Edit],
    violated: list[str],
    maybe: list[str],
    notes: list[str],
) -> None:
    """Judge a comparison of two sides."""
    one: Number
    other: Number
    if has_units(left.steps) or has_units(right.steps):
        measured, against = quantity(left.steps), quantity(right.steps)
        if measured is None or against is None or measured.dimension != against.dimension:
            maybe.append("its sides measure different things")
            return
        one, other = measured.number, against.number
    else:
        one, other = evaluate(left.steps).number, evaluate(right.steps).number
    holds = {"<": one < other, ">": one > other, "<=": one <= other, ">=": one >= other, "!=": one != other}[relation]
    spans = statement.content["spans"]
    texts = [statement.text[slice(*spans[side.place])] for side in (left, right)]
    said = [
        text if literally(side.steps) is not None else f"{text} (that is {shown(evaluate(side.steps).number)})"
        for text, side in zip(texts, (left, right), strict=True)
    ]
    if holds:
        notes.append(f"{said[0]} is {_WORDS[relation]} {said[1]}")
    else:
        violated.append(f"{said[0]} is not {_WORDS[relation]} {said[1]}")
        true = "=" if one == other else "<" if one < other else ">"
        start, end = statement.content["signs"][left.place]
        edits.append(Edit(start, end, _RELATIONS[true][statement.text[start:end][:1].isalpha()]))


def _range(statement: Statement, sides: list[_Side]) -> Claim | None:
    """Judge "Pages 10 - 20 = 11 pages": from 10 up to 20, both counted."""
    first, last = (evaluate([step]).number for step in sides[0].steps[:2])
    if first >= last:
        return None
    counts = {last - first + 1, last - first}
    value = evaluate(sides[-1].steps).number
    if value == last - first + 1:
        return Claim(
            statement, VERIFIED, f"it is a range, not a difference: from {shown(first)} to {shown(last)} there are {shown(value)}, both counted"
        )
    near = value in counts
    return Claim(statement, UNKNOWN, "it is a range, not a difference" + ("; whether both ends count is not said" if near else ""))
