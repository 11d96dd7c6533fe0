"""Statements: what a run of tokens says, as a canonical record of steps and places."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from ebmhw.verify.arithmetic.evaluate import is_number, leaves
from ebmhw.verify.arithmetic.grammar import Parsed, parsed
from ebmhw.verify.arithmetic.letters import plain
from ebmhw.verify.arithmetic.limits import LINE_LIMIT, QUESTION_LIMIT, STATEMENTS_LIMIT
from ebmhw.verify.arithmetic.phrases import retold
from ebmhw.verify.arithmetic.pieces import pieces, readable
from ebmhw.verify.arithmetic.postfix import Part
from ebmhw.verify.arithmetic.reader import Reader, Run
from ebmhw.verify.arithmetic.runs import read_runs
from ebmhw.verify.arithmetic.scan import tokens_between
from ebmhw.verify.arithmetic.token import Token
from ebmhw.verify.arithmetic.units import unit_named
from ebmhw.verify.arithmetic.words import VERBS
from ebmhw.verify.deadline import Deadline
from ebmhw.verify.statement import Source, Statement

_QUOTES = re.compile("[\"'\u2018\u2019\u201c\u201d]")
_TOLD = frozenset((*VERBS, "percent?", "remainder?", "each,", "remainder,"))
_CHOICE = re.compile(r"[Aa]nswer(?: is|:) ?\(?[A-E]\)?(?!\w)")
_NUMBERS = 200
"""Numbers of a question that are remembered as given."""

_STOPS = frozenset((".", "?", "!", ";", "\n", "end", ":", ")"))
_LITERAL = frozenset(("neg", "%", "‰", "dozen"))
_STRONG = frozenset(("answer", "boxed", "####", "a:", "=", "is the answer"))


def statements(text: str, source: Source, deadline: Deadline) -> list[Statement]:
    """Return the statements of a text in order of their spans.

    The kinds: "equation", "comparison", "property", "answer"; of a question "goal", and "question" for one that asks what was not read. A "candidate"
    has an empty span and holds where it stands: words that are an answer only if the question has a goal, so that other domains may read them else.
    """
    question = source == "question"
    letters = readable(plain(text))
    result: list[Statement] = []
    numbers: set[str] = set()
    asks = False
    for start, end, short in pieces(letters):
        limit = "" if short else f"a line of more than {LINE_LIMIT:,} characters is not read"
        if len(result) >= STATEMENTS_LIMIT:
            limit = f"the text has more than {STATEMENTS_LIMIT:,} statements; those behind are not read"
        if question and start > QUESTION_LIMIT:
            asks = True
            break
        if limit:
            if not question:
                result.append(Statement("arithmetic", "equation", source, (start, start), "", {"limit": limit}))
            if short:
                break
            continue
        deadline.check("arithmetic")
        found = tokens_between(letters, start, end)
        if not _TOLD.isdisjoint(letters[start:end].split()):
            found = retold(found, question)
        if question:
            asks = asks or any(token.type in ("ASK", "ASKIS") or (token.type == "STOP" and token.value == "?") for token in found)
            if len(numbers) < _NUMBERS:
                numbers.update(token.value for token in found if token.type in ("NUM", "LOOSE") and len(token.value) < 40)
        result.extend(_of_piece(found, text, source))
    if question and numbers and not any(statement.kind == "goal" for statement in result):
        result.append(Statement("arithmetic", "question", source, (0, 0), "", {"asks": asks, "numbers": sorted(numbers)[:_NUMBERS]}))
    return result


def _of_piece(found: list[Token], text: str, source: Source) -> list[Statement]:
    """Return the statements of a piece of a text by its tokens."""
    reader = read_runs(found, source == "question")
    reader.choice = "(B)" in text and _CHOICE.search(text) is not None
    result: list[Statement] = []
    if source == "question":
        return [statement for run in reader.found if (statement := _of_question(run, text)) is not None]
    places = []
    for run in reader.found:
        places.append(len(result))
        statement = _of_response(run, text, source)
        if statement is not None:
            result.append(statement)
    places.append(len(result))
    if reader.wrong_runs or reader.retracted or reader.foreign or reader.choice:
        _mark(result, reader, places)
    for token, positive in reader.yes:
        content = {"form": "yes", "yes": positive, "at": [token.start, token.end], "text": text[token.start : token.end]}
        result.append(Statement("arithmetic", "candidate", source, (token.start, token.start), "", content))
    if reader.yes:
        result.sort(key=_place)
    return result


def _place(statement: Statement) -> tuple[int, int]:
    return statement.span


def _mark(result: list[Statement], reader: Reader, places: list[int]) -> None:
    """Note on statements that the text calls them wrong, or takes them back."""
    last = len(places) - 1
    for first, behind, how in reader.wrong_runs:
        for index in range(places[min(first, last)], places[min(behind, last)]):
            if how == "version" and result[index].kind != "comparison":
                continue
            result[index].content["doubt"] = "its sentence speaks of a mistake, a claim, a question or a scale"  # type: ignore[index]
            result[index].content["said"] = how  # type: ignore[index]
    if reader.foreign or reader.choice:
        for statement in result:
            statement.content["doubt"] = "the text speaks of another system of numbers, of a scale or of choices"  # type: ignore[index]
            statement.content["said"] = "denied"  # type: ignore[index]
    at = 0
    for behind in reader.retracted:
        for index in range(at, places[min(behind, last)]):
            result[index].content["retracted"] = True  # type: ignore[index]
        at = max(at, places[min(behind, last)])


def _statement(kind: str, source: Source, text: str, start: int, end: int, content: dict[str, Any]) -> Statement:
    return Statement("arithmetic", kind, source, (start, end), text[start:end], content)


def _of_response(run: Run, text: str, source: Source) -> Statement | None:
    row = run.tokens
    if run.limit:
        return _statement("equation", source, text, row[0].start, row[-1].end, {"limit": run.limit}) if run.relations else None
    kind = row[-1].type
    if kind == "PROP" or any(token.type == "PROPBY" for token in row):
        return _property(run, text, source)
    if run.relations:
        return _chain(run, text, source)
    if run.torn or run.cut:
        return None
    if run.answers or (run.opens and run.closes in _STOPS):
        return _answer(run, text, source)
    return None


def _answer(run: Run, text: str, source: Source) -> Statement | None:
    approximate = run.answers.startswith("about ")
    form = run.answers.removeprefix("about ") or "bare"
    if run.compares:
        return None
    if form == "a:" and not run.closes:
        return None
    row = run.tokens
    if form == "boxed" and row[0].type == "LPAR" and row[-1].type == "RPAR" and len(row) < 6:
        row = row[1:-1]
    found = parsed(row, "value")
    if found is None:
        return None
    part = found.sides[0]
    if form == "bare" and not _is_literal(part.steps):
        return None
    content: dict[str, Any] = {"form": form, "steps": part.steps, "numbers": _offsets(part.numbers, part.start), "about": approximate}
    if run.nouns:
        content["nouns"] = True
    if form in _STRONG and not (form == "=" and run.nouns):
        return _statement("answer", source, text, part.start, part.end, content)
    content |= {"at": [part.start, part.end], "text": text[part.start : part.end]}
    return Statement("arithmetic", "candidate", source, (part.start, part.start), "", content)


def _offsets(numbers: Sequence[tuple[int, int]], start: int) -> list[list[int]]:
    return [[first - start, last - start] for first, last in numbers]


def _is_literal(steps: Sequence[str]) -> bool:
    """Return whether an expression is one number with its sign, percent sign or unit."""
    return len(steps) == 1 or (is_number(steps[0]) and all(step in _LITERAL or step[:2] == "u:" for step in steps[1:]))


def _sided(found: Parsed) -> tuple[int, int, dict[str, Any]]:
    start, end = found.sides[0].start, found.sides[-1].end
    content: dict[str, Any] = {
        "sides": [part.steps for part in found.sides],
        "relations": list(found.signs),
        "numbers": [_offsets(part.numbers, start) for part in found.sides],
        "spans": [[part.start - start, part.end - start] for part in found.sides],
        "signs": _offsets(found.places, start),
    }
    return start, end, content


def _unit_of(part: Part) -> str:
    for step in reversed(part.steps):
        if step[:2] == "u:":
            return step[2:]
    return ""


def _chain(run: Run, text: str, source: Source) -> Statement | None:
    row = run.tokens
    nouns = run.nouns
    worded = False
    for token in row:
        if token.type == "REL":
            worded = text[token.start : token.start + 1].isalpha() and token.value in "=~"
            break
    if run.cut:
        row, nouns = _without_first(row, nouns)
        worded = False
    if sum(token.type == "REL" for token in row) == 0:
        return None
    found = parsed(row, "chain")
    if found is None:
        return None
    if _bare_equation(found) and not _convertible(found, worded, nouns):
        comparing = found.signs[0] not in ("=", "~")
        plain = not nouns and not any(_unit_of(part) for part in found.sides)
        if (worded or not plain or not (run.opens or comparing) or run.cut) and not comparing:
            if len(found.sides) < 3:
                return None
            row, nouns = _without_first(row, nouns)
            found = parsed(row, "chain")
            if found is None or all(_is_literal(part.steps) for part in found.sides):
                return None
    elif worded and found.signs[0] in "=~" and _is_literal(found.sides[0].steps) and not _begins(run, nouns) and (nouns or not _bare_equation(found)):
        row, nouns = _without_first(row, nouns)
        found = parsed(row, "chain") if sum(token.type == "REL" for token in row) else None
        if found is None:
            return None
    if _unknowns(row, found, text) or (run.doubt and len(found.sides) == 2 and _bare_equation(found) and found.signs[0] == "="):
        return None
    start, end, content = _sided(found)
    if run.doubt:
        content["doubt"] = run.doubt
    elif _quoted(text, start, end):
        content["doubt"] = "it is quoted, or holds a quotation"
    if ((run.label and not run.opens) or 0 in nouns) and _is_literal(found.sides[0].steps):
        content["label"] = True
    if run.compares:
        content["compares"] = True
    if run.ranged:
        content["ranged"] = True
    if run.torn:
        content["torn"] = True
    if run.answers in _STRONG:
        content["answers"] = run.answers
    if nouns:
        content["nouns"] = sorted(nouns)
    kind = "equation" if all(sign in ("=", "~") for sign in found.signs) else "comparison"
    return _statement(kind, source, text, start, end, content)


def _quoted(text: str, start: int, end: int) -> bool:
    """Return whether a statement, or a part of it, stands in quotation marks; those around the whole text do not count."""
    if _QUOTES.search(text, max(0, start - 1), end + 1) is None:
        return False
    return not (start == 1 and end + 2 >= len(text) and _QUOTES.search(text, start, end) is None)


def _begins(run: Run, nouns: set[int]) -> bool:
    """Return whether the first number stands for itself: "30 is 20% of 150"."""
    return run.opens and 0 not in nouns and not run.answers


def _without_first(row: Sequence[Token], nouns: set[int]) -> tuple[list[Token], set[int]]:
    for index, token in enumerate(row):
        if token.type == "REL":
            return list(row[index + 1 :]), {noun - 1 for noun in nouns if noun}
    return [], set()


def _bare_equation(found: Parsed) -> bool:
    return _is_literal(found.sides[0].steps) and _is_literal(found.sides[1].steps)


def _convertible(found: Parsed, worded: bool, nouns: set[int]) -> bool:
    """Return whether the first two sides are quantities of one dimension; in words of different units, and nothing else is named."""
    one, other = unit_named(_unit_of(found.sides[0])), unit_named(_unit_of(found.sides[1]))
    if one is None or other is None or one.dimension != other.dimension:
        return False
    return not worded or (one.name != other.name and 0 not in nouns)


def _unknowns(row: Sequence[Token], found: Parsed, text: str) -> bool:
    """Return whether a letter glued to a number may be an unknown and no unit: "2L = 22", "4s + 16 = 2s + 32"."""
    if not any(
        token.type == "UNIT" and token.end - token.start == 1 and text[token.start].isalpha() and text[token.start - 1].isdigit() for token in row
    ):
        return False
    for part in found.sides:
        units = sum(step[:2] == "u:" for step in part.steps)
        adds = any(step in ("+", "-") for step in part.steps)
        if units == 0 or (adds and units < len(part.numbers)):
            return True
    return False


def _property(run: Run, text: str, source: Source) -> Statement | None:
    if run.relations or run.cut:
        return None
    found = parsed(run.tokens, "property")
    if found is None or not _is_literal(found.sides[0].steps):
        return None
    start, end, content = _sided(found)
    content["relations"] = list(found.signs)
    if run.negated:
        content["negated"] = True
    last = run.tokens[-1]
    end = max(end, last.end)
    if run.property:
        first, behind, word, word_end = (int(place) - start for place in run.property.split(":"))
        content["words"] = [first, behind, word, word_end]
    if run.doubt or (run.label and not run.opens):
        content["doubt"] = run.doubt or "the words before it may belong to it"
    return _statement("property", source, text, start, end, content)


def _of_question(run: Run, text: str) -> Statement | None:
    row = run.tokens
    if run.limit or run.cut:
        return None
    if row[-1].type == "PROP" or any(token.type == "PROPBY" for token in row):
        found = parsed(row, "property") if run.question or run.closes == "?" else None
        if found is None:
            return None
        start, end, content = _sided(found)
        content |= {"asks": "property", "negated": run.negated}
        return _statement("goal", "question", text, start, max(end, row[-1].end), content)
    if run.relations:
        found = parsed(row, "chain") if (run.question or run.closes == "?") and not run.torn else None
        if found is None:
            return None
        start, end, content = _sided(found)
        content["asks"] = "truth"
        return _statement("goal", "question", text, start, end, content)
    if run.closes not in _STOPS and not (run.closes == "," and run.asks):
        return None
    found = parsed(row, "value")
    if found is None:
        return None
    part = found.sides[0]
    if _is_literal(part.steps) and not run.target:
        return None
    if "mod" in part.steps and ("+" in part.steps or "-" in part.steps):
        return None
    if not run.asks and (run.nouns or not run.opens):
        return None
    if run.nouns and not run.target:
        return None
    content = {"asks": "value", "steps": part.steps, "target": run.target, "numbers": sorted(set(leaves(part.steps)))}
    return _statement("goal", "question", text, part.start, part.end, content)
