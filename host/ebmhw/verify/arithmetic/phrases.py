"""Phrases: sums told as actions ("adding 15 to 27 gives 42", "17 divided by 5 leaves a remainder of 2") as the tokens of equations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ebmhw.verify.arithmetic.token import Token
from ebmhw.verify.arithmetic.words import LEADS, VERBS

_GETTING = frozenset(("get", "gets", "obtain", "giving", "leaving", "making", "gave", "left", "reach"))
_BETWEEN = frozenset(("which", "you", "we", "i", "us", "will", "would", "have", "has", "resulting", "then", "with", "there", "together", "both"))
_SIGNS = {"add": "+", "subtract": "rsub", "take": "rsub", "multiply": "*", "divide": "/"}
_PREPOSITIONS = {"add": ("and", "to", "with"), "subtract": ("from",), "take": ("from",), "multiply": ("by", "and", "with"), "divide": ("by",)}
_BEFORE = frozenset(("OP", "OF", "PER", "MORE", "LFN", "FN", "DASH", "X", "NUM", "CUR", "OPAQUE", "FRAC", "NOT"))
_GAP = 6
"""Tokens between a sum in words and its result."""


class _Quantity(NamedTuple):
    tokens: list[Token]
    after: int


def retold(tokens: list[Token], question: bool) -> list[Token]:
    """Return the tokens with each sum that is told as an action, and its result, in the order of an equation."""
    result: list[Token] = []
    at = 0
    while at < len(tokens):
        kind = tokens[at].type
        found = None
        if kind in ("ASK", "WORD"):
            found = _verb(tokens, at) or (_share(tokens, at) if question and kind == "ASK" else None)
        elif kind in ("NUM", "CUR") and not (result and _tied(tokens, at)):
            found = _remainder(tokens, at, question) or (None if question else _pair(tokens, at) or _each(tokens, at) or _excess(tokens, at))
        elif kind == "REM":
            found = _rest(tokens, at, question)
        elif kind == "LFN":
            found = _fractions(tokens, at)
        if found is None:
            result.append(tokens[at])
            at += 1
        else:
            result.extend(found.tokens)
            at = found.after
    return result


def _tied(tokens: Sequence[Token], at: int) -> bool:
    """Return whether a number belongs to what stands before it: "2 * 15", "1, 15"."""
    before = tokens[at - 1]
    if before.type == "SEP":
        return at > 1 and tokens[at - 2].type in ("NUM", "UNIT")
    if before.type == "WORD":
        return before.value not in LEADS and before.value not in ("together", "when", "if")
    return before.type in _BEFORE or before.type == "AND"


def _quantity(tokens: Sequence[Token], at: int) -> _Quantity | None:
    """Return a number with its currency or unit; "2/6" is one number."""
    row: list[Token] = []
    if at < len(tokens) and tokens[at].type == "CUR":
        row.append(tokens[at])
        at += 1
    if at >= len(tokens) or tokens[at].type != "NUM":
        return None
    number = _fraction(tokens, at)
    row.append(tokens[at] if number is None else number)
    at += 1 if number is None else 3
    if at < len(tokens) and tokens[at].type == "UNIT":
        row.append(tokens[at])
        at += 1
    return _Quantity(row, at)


def _fraction(tokens: Sequence[Token], at: int) -> Token | None:
    if at + 2 >= len(tokens):
        return None
    above, sign, below = tokens[at : at + 3]
    if sign.value != "/" or above.end != sign.start or sign.end != below.start or below.type != "NUM":
        return None
    if not (above.value.isdecimal() and below.value.isdecimal() and len(above.value) < 20 and len(below.value) < 20 and below.value.strip("0")):
        return None
    return Token("NUM", f"{int(above.value)}/{int(below.value)}", above.start, below.end)


def _is(token: Token, *words: str) -> bool:
    return token.value in words or (token.type == "IN" and "to" in words) or (token.type == "AND" and "and" in words)


def _equals(tokens: Sequence[Token], at: int) -> _Quantity | None:
    """Return the relation that stands for ", which gives you", where a number follows it."""
    said: Token | None = None
    for index in range(at, min(at + _GAP, len(tokens))):
        token = tokens[index]
        kind = token.type
        if kind in ("NUM", "CUR") or (kind == "DASH" and index + 1 < len(tokens) and tokens[index + 1].type == "NUM"):
            return None if said is None else _Quantity([Token("REL", "=", said.start, said.end)], index)
        if kind in ("IS", "IT") or (kind == "CMP" and token.value == "eq") or (kind == "WORD" and token.value in _GETTING):
            said = token
        elif index == at and kind == "AND" and at + 1 < len(tokens):
            if tokens[at + 1].type != "IT" and tokens[at + 1].value not in _BETWEEN:
                return None
        elif (index > at or kind not in ("SEP", "IN")) and kind not in ("SKIP", "RESULT", "ANSWER") and token.value not in _BETWEEN:
            return None
    return None


def _fresh(like: Token) -> Token:
    return Token("FRESH", "", like.start, like.start)


def _equation(one: Sequence[Token], sign: str, other: Sequence[Token], relation: _Quantity) -> _Quantity:
    first, second = one[-1], other[0]
    return _Quantity([_fresh(one[0]), *one, Token("OP", sign, first.end, second.start), *other, *relation.tokens], relation.after)


def _verb(tokens: Sequence[Token], at: int) -> _Quantity | None:
    """Read "adding 15 to 27 gives" and "take 4 away from 9, and you get"."""
    verb = VERBS.get(tokens[at].value)
    if verb not in _SIGNS:
        return None
    one = _quantity(tokens, at + 1)
    if one is None or one.after >= len(tokens):
        return None
    index = one.after + (verb == "take" and tokens[one.after].value == "away")
    if index >= len(tokens) or not _is(tokens[index], *_PREPOSITIONS[verb]):
        return None
    other = _quantity(tokens, index + 1)
    relation = None if other is None else _equals(tokens, other.after)
    if other is None or relation is None:
        return None
    return _equation(one.tokens, _SIGNS[verb], other.tokens, relation)


def _pair(tokens: Sequence[Token], at: int) -> _Quantity | None:
    """Read "15 and 27 make 42"."""
    one = _quantity(tokens, at)
    if one is None or one.after >= len(tokens) or tokens[one.after].type != "AND":
        return None
    other = _quantity(tokens, one.after + 1)
    if other is None:
        return None
    index = other.after
    while index < len(tokens) and index < other.after + 2 and tokens[index].value in ("together", "both"):
        index += 1
    if index >= len(tokens) or tokens[index].type != "IS" or tokens[index].value not in ("makes", "sums"):
        return None
    relation = _equals(tokens, index)
    return None if relation is None else _equation(one.tokens, "+", other.tokens, relation)


def _each(tokens: Sequence[Token], at: int) -> _Quantity | None:
    """Read "7 tickets at $5.50 each cost $38.50"."""
    if tokens[at].type != "NUM":
        return None
    index = at + 1
    while index < len(tokens) and index < at + 4 and tokens[index].type == "WORD" and tokens[index].value != "at":
        index += 1
    if index == at + 1 or index >= len(tokens) or tokens[index].value not in ("at", "for"):
        return None
    price = _quantity(tokens, index + 1)
    if price is None or price.tokens[0].type != "CUR" or price.after + 1 >= len(tokens) or tokens[price.after].value not in ("each", "apiece", "per"):
        return None
    said = tokens[price.after + 1]
    if said.type != "IS" and said.value not in ("cost", "costs"):
        return None
    if price.after + 2 >= len(tokens) or tokens[price.after + 2].type != "CUR" or tokens[price.after].end - tokens[price.after].start < 4:
        return None
    return _equation([tokens[at]], "*", price.tokens, _Quantity([Token("REL", "=", said.start, said.end)], price.after + 2))


def _excess(tokens: Sequence[Token], at: int) -> _Quantity | None:
    """Read "9 exceeds 4 by 5"."""
    row = tokens[at : at + 5]
    if [token.type for token in row] != ["NUM", "CMP", "NUM", "WORD", "NUM"] or row[1].value != ">" or row[3].value != "by":
        return None
    return _equation([row[0]], "-", [row[2]], _Quantity([Token("REL", "=", row[3].start, row[3].end)], at + 4))


def _divided(tokens: Sequence[Token], at: int) -> tuple[Token, Token, int] | None:
    """Return "17 (is) divided by 5": both numbers and where it ends."""
    if at >= len(tokens) or tokens[at].type != "NUM":
        return None
    index = at + 1
    if index < len(tokens) and tokens[index].type == "IS":
        index += 1
    if index + 1 >= len(tokens) or tokens[index].value != "/" or tokens[index + 1].type != "NUM":
        return None
    return tokens[at], tokens[index + 1], index + 2


def _remainder(tokens: Sequence[Token], at: int, question: bool) -> _Quantity | None:
    """Read "17 divided by 5 leaves a remainder of 2"; in a question, "when 17 is divided by 5, what is the remainder"."""
    division = _divided(tokens, at)
    if division is None:
        return None
    one, other, index = division
    asks = None
    for step in range(index, min(index + _GAP, len(tokens))):
        token = tokens[step]
        if token.type == "REM":
            break
        asks = token if token.type == "ASK" else asks
        if token.type not in ("IS", "SEP", "SKIP", "AND", "ASK") and token.value not in ("has", "have", "with", "you", "get", "there"):
            return None
    else:
        return None
    sign = Token("OP", "mod", one.end, other.start)
    if question:
        return None if asks is None else _Quantity([_fresh(one), Token("ASK", "value", one.start, one.start), one, sign, other], step + 1)
    while step + 1 < len(tokens) and tokens[step + 1].type in ("OF", "IS"):
        step += 1
    if step + 1 >= len(tokens) or tokens[step + 1].type != "NUM":
        return None
    said = tokens[step]
    return _Quantity([_fresh(one), one, sign, other, Token("REL", "=", said.start, said.end)], step + 1)


def _rest(tokens: Sequence[Token], at: int, question: bool) -> _Quantity | None:
    """Read "the remainder when 17 is divided by 5", and "is 2"."""
    index = at + 1
    while index < len(tokens) and index < at + 4 and (tokens[index].type in ("OF", "SKIP", "IF") or tokens[index].value in ("when", "after", "you")):
        index += 1
    division = _divided(tokens, index)
    if division is None:
        return None
    one, other, after = division
    row = [one, Token("OP", "mod", one.end, other.start), other]
    if question:
        return _Quantity(row, after)
    if after + 1 < len(tokens) and (tokens[after].type == "IS" or tokens[after].value in ("eq", "=")) and tokens[after + 1].type == "NUM":
        return _Quantity([_fresh(one), *row, Token("REL", "=", tokens[after].start, tokens[after].end)], after + 1)
    return None


def _share(tokens: Sequence[Token], at: int) -> _Quantity | None:
    """Read the question "what percent of 50 is 10"."""
    row = tokens[at + 1 : at + 6]
    if [token.type for token in row] != ["POST", "OF", "NUM", "IS", "NUM"] or row[0].value != "%":
        return None
    whole, part = row[2], row[4]
    end = part.end
    made = [
        tokens[at],
        part,
        Token("OP", "/", end, end),
        Token("NUM", whole.value, end, end),
        Token("OP", "*", end, end),
        Token("NUM", "100", end, end),
    ]
    return _Quantity(made, at + 6)


def _fractions(tokens: Sequence[Token], at: int) -> _Quantity | None:
    """Read "the sum of 2/6 and 3/8" with each fraction as one number."""
    row, index = [tokens[at]], at + 1
    changed = False
    while index < len(tokens) and tokens[index].type in ("NUM", "SEP", "AND"):
        number = _fraction(tokens, index) if tokens[index].type == "NUM" else None
        changed = changed or number is not None
        row.append(tokens[index] if number is None else number)
        index += 1 if number is None else 3
    return _Quantity(row, index) if changed else None
