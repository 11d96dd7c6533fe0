"""Formulas: p and not p, (p -> q) & p, A > B, in symbols or words, by a grammar, as nested lists.

A formula is ["var", name], ["not", f], ["and" or "or", f, g, ...], ["xor", f, g], ["if", f, g], ["iff", f, g], ["true"], ["false"],
["more", axis, a, b] (a is strictly above b) or ["same", axis, a, b].
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from lark import Lark, Token, Transformer
from lark.exceptions import LarkError

from ebmhw.verify.logic.words import word_set

TOKENS_LIMIT = 300
"""Tokens of one formula; deeper nesting than this cannot be written with fewer."""

DEPTH_LIMIT = 40
"""Parentheses and negations within each other."""

Form = list[Any]

_GRAMMAR = r"""
?start: iff
?iff: implication ("<->" implication)*
?implication: either | either "->" implication
?either: disjunction ("^" disjunction)*
?disjunction: conjunction ("|" conjunction)*
?conjunction: negation ("&" negation)*
?negation: "~" negation -> negated
         | "(" iff ")"
         | comparison
comparison: NAME (COMPARE NAME)+
          | NAME -> name
          | "T" -> true
          | "F" -> false
COMPARE: ">=" | "<=" | "!=" | ">" | "<" | "="
NAME: /v[A-Za-z_][A-Za-z0-9_]*'?/
%ignore " "
"""

_SIGNS = {
    "∧": "&", "&": "&", "&&": "&", "·": "&", "\u2228": "|", "|": "|", "||": "|", "¬": "~", "~": "~", "!": "~", "→": "->", "⇒": "->", "⊃": "->",
    "->": "->", "=>": "->", "-->": "->", "==>": "->", "↔": "<->", "⇔": "<->", "<->": "<->", "<=>": "<->", "≡": "<->", "⊕": "^", "⊻": "^",
    "(": "(", ")": ")", "[": "(", "]": ")", "\u22a4": "T", "⊥": "F", ">": ">", "<": "<", "=": "=", "==": "=", "≥": ">=", "≤": "<=", ">=": ">=",
    "<=": "<=", "!=": "!=", "≠": "!=",
}  # fmt: skip
_WORDS = {"and": "&", "or": "|", "not": "~", "implies": "->", "iff": "<->", "xor": "^"}
_LOGICAL = word_set("∧ & && \u2228 | || ¬ ~ → ⇒ ⊃ -> => --> ==> ↔ ⇔ <-> <=> ≡ ⊕ ⊻")
_COMPARES = word_set("> < = == ≥ ≤ >= <= != ≠")
_PIECE = re.compile(r"<->|<=>|-->|==>|->|=>|&&|\|\||>=|<=|!=|==|[A-Za-z_][A-Za-z0-9_]*'?|\S")
_LETTER = re.compile(r"[A-Za-z]\d?'?\Z")
_PROSE = re.compile(r"(?!not\b|true\b|false\b)[A-Za-z]{2,}\s+(?!and\b|or\b|implies\b|iff\b|xor\b)[A-Za-z0-9]", re.I)
"""Two words, which no formula begins with: the cheap way out for most sentences."""


def read_formula(text: str) -> Form | None:
    """Return the formula that a whole text is, or None: names are single letters, longer ones only next to a logical sign or a comparison."""
    if len(text) > 8 * TOKENS_LIMIT:
        return None
    if _PROSE.match(text):
        return None
    pieces = _PIECE.findall(text)
    if not pieces or len(pieces) > TOKENS_LIMIT:
        return None
    signs = any(piece in _LOGICAL for piece in pieces)
    compares = any(piece in _COMPARES for piece in pieces)
    if not (signs or compares or any(piece.lower() in _WORDS for piece in pieces)):
        return ["var", pieces[0]] if len(pieces) == 1 and _LETTER.match(pieces[0]) else None
    canonical, depth = [], 0
    for piece in pieces:
        if piece in _SIGNS:
            canonical.append(_SIGNS[piece])
        elif piece.lower() in _WORDS:
            canonical.append(_WORDS[piece.lower()])
        elif _LETTER.match(piece) or ((signs or compares) and (piece[0].isalpha() or piece[0] == "_")):
            canonical.append("v" + piece)
        else:
            return None
        depth += {"(": 1, ")": -1, "~": 1}.get(canonical[-1], 0)
        if canonical[-1] == "~" and depth > DEPTH_LIMIT:
            return None
        if canonical[-1][0] == "v":
            depth -= _negations_before(canonical)
        if depth > DEPTH_LIMIT:
            return None
    try:
        form: Form = _parser().parse(" ".join(canonical))
    except LarkError:
        return None
    return form if depth_of(form) <= 2 * DEPTH_LIMIT else None


def _negations_before(canonical: list[str]) -> int:
    """Return how many negations stand right before the last piece."""
    at = len(canonical) - 2
    while at >= 0 and canonical[at] == "~":
        at -= 1
    return len(canonical) - 2 - at


def depth_of(form: Form) -> int:
    """Return how deep a formula nests, without recursion."""
    deepest, stack = 0, [(form, 1)]
    while stack:
        node, depth = stack.pop()
        deepest = max(deepest, depth)
        stack.extend((child, depth + 1) for child in node[1:] if isinstance(child, list))
    return deepest


@lru_cache(maxsize=1)
def _parser() -> Lark:
    return Lark(_GRAMMAR, parser="lalr", transformer=_Forms())


class _Forms(Transformer[Token, Form]):  # type: ignore[misc]  # lark is not looked into
    """Makes nested lists while the text is parsed, so that nothing recurses on its depth."""

    def iff(self, parts: list[Form]) -> Form:
        return _left("iff", parts)

    def either(self, parts: list[Form]) -> Form:
        return _left("xor", parts)

    def implication(self, parts: list[Form]) -> Form:
        return ["if", *parts]

    def disjunction(self, parts: list[Form]) -> Form:
        return ["or", *parts]

    def conjunction(self, parts: list[Form]) -> Form:
        return ["and", *parts]

    def negated(self, parts: list[Form]) -> Form:
        return ["not", parts[0]]

    def name(self, parts: list[Token]) -> Form:
        return ["var", str(parts[0])[1:]]

    def true(self, parts: list[Token]) -> Form:
        return ["true"]

    def false(self, parts: list[Token]) -> Form:
        return ["false"]

    def comparison(self, parts: list[Token]) -> Form:
        pairs = [compared(str(parts[i])[1:], str(parts[i + 1]), str(parts[i + 2])[1:]) for i in range(0, len(parts) - 2, 2)]
        return pairs[0] if len(pairs) == 1 else ["and", *pairs]


def compared(left: str, sign: str, right: str) -> Form:
    """Return the formula of a comparison of two names."""
    if sign in ("<", "<="):
        left, right = right, left
    if sign in (">", "<"):
        return ["more", "value", left, right]
    if sign in (">=", "<="):
        return ["not", ["more", "value", right, left]]
    return ["same", "value", left, right] if sign == "=" else ["not", ["same", "value", left, right]]


def _left(name: str, parts: list[Form]) -> Form:
    form = parts[0]
    for part in parts[1:]:
        form = [name, form, part]
    return form
