"""Expressions: one constraint of a program, such as ``a == b + 1`` or ``AllDifferentConstraint([a, b, c])``, by a grammar and never by eval."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, final

from lark import Lark, Token, Transformer
from lark.exceptions import LarkError, UnexpectedCharacters, UnexpectedToken

from ebmhw.errors import ExtractionError, shown

LENGTH_LIMIT = 1000
"""Characters of one expression."""

DEPTH_LIMIT = 16
"""Parentheses and negations within each other."""

NUMBER_LIMIT = 10**6
"""Largest number that an expression may hold."""

Tree = tuple[Any, ...]
"""("value", int), ("name", str), ("add" or "subtract", t, t), ("abs", t), ("==" .. ">=", t, t), ("and" or "or", e, ...), ("not", e),
("different", name, ...)."""

_GRAMMAR = r"""
?start: either
?either: both (_OR both)*
?both: inverse (_AND inverse)*
?inverse: _NOT inverse -> negated
        | relation
relation: sum (COMPARE sum)+
        | _DIFFERENT "(" "["? name ("," name)* ","? "]"? ")" -> different
        | "(" either ")" -> inner
?sum: term
    | sum "+" term -> add
    | sum "-" term -> subtract
?term: INT -> value
     | "-" INT -> minus
     | name
     | "abs" "(" sum ")" -> absolute
name: NAME
_DIFFERENT.3: /AllDifferent(Constraint)?\b/i
_OR.2: /or\b|\|\|?/
_AND.2: /and\b|&&?/
_NOT.2: /not\b|!(?!=)/
COMPARE: "==" | "!=" | "<=" | ">=" | "<" | ">" | "="
INT: /\d{1,7}/
NAME.1: /(?!(and|or|not|abs)\b)[A-Za-z_][A-Za-z0-9_]*/
%ignore /[ \t]+/
"""


@final
@dataclass(frozen=True)
class Expression:
    """A constraint, parsed; equal expressions have equal trees."""

    tree: Tree

    @classmethod
    def read(cls, text: str, where: str = "a constraint") -> Expression:
        """Return the expression that a text is.

        Raises
        ------
        ExtractionError
            for anything else, beginning with `where`.
        """
        if len(text) > LENGTH_LIMIT:
            raise ExtractionError(f"{where} has {len(text)} characters, more than {LENGTH_LIMIT}; split it")
        if _nesting(text) > DEPTH_LIMIT:
            raise ExtractionError(f"{where} nests deeper than {DEPTH_LIMIT} parentheses or negations; split it")
        try:
            tree: Tree = _parser().parse(text)
        except UnexpectedCharacters as error:
            raise ExtractionError(f"{where}: {shown(text[error.pos_in_stream : error.pos_in_stream + 12])} is not understood; {_EXAMPLES}") from None
        except UnexpectedToken as error:
            met = "the end" if error.token.type == "$END" else shown(str(error.token))
            raise ExtractionError(f"{where}: {met} is not expected there in {shown(text)}; {_EXAMPLES}") from None
        except LarkError as error:
            raise ExtractionError(f"{where}: {error}; {_EXAMPLES}") from None
        return cls(tree)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The variables, each once, in order."""
        found: dict[str, None] = {}
        stack: list[Any] = [self.tree]
        while stack:
            node = stack.pop()
            if node[0] == "name":
                found[node[1]] = None
            elif node[0] == "different":
                found.update(dict.fromkeys(node[1:]))
            else:
                stack.extend(child for child in reversed(node[1:]) if isinstance(child, tuple))
        return tuple(found)

    def holds(self, values: dict[str, int]) -> bool:
        """Tell whether it is true of the values of its variables."""
        return bool(_value(self.tree, values))

    def __str__(self) -> str:
        return _written(self.tree)


_EXAMPLES = "write it as in a == 2, a < b, a == b + 1, a != b, AllDifferentConstraint([a, b])"


def comparison(left: Tree, sign: str, right: Tree) -> Expression:
    """Return the expression that compares two sums."""
    return Expression((sign, left, right))


def _nesting(text: str) -> int:
    """Return how deep parentheses and runs of negations go, at most."""
    depth = deepest = 0
    for piece in re.findall(r"[()]|\bnot\b|!(?!=)", text):
        depth += -1 if piece == ")" else 1
        deepest = max(deepest, depth)
    return deepest


@lru_cache(maxsize=1)
def _parser() -> Lark:
    return Lark(_GRAMMAR, parser="lalr", transformer=_Trees())


class _Trees(Transformer[Token, Tree]):  # type: ignore[misc]  # lark is not looked into
    """Makes tuples while the text is parsed."""

    def either(self, parts: list[Tree]) -> Tree:
        return ("or", *parts)

    def both(self, parts: list[Tree]) -> Tree:
        return ("and", *parts)

    def negated(self, parts: list[Tree]) -> Tree:
        return ("not", parts[0])

    def inner(self, parts: list[Tree]) -> Tree:
        return parts[0]

    def relation(self, parts: list[Any]) -> Tree:
        pairs = [("==" if parts[i + 1] == "=" else str(parts[i + 1]), parts[i], parts[i + 2]) for i in range(0, len(parts) - 2, 2)]
        return pairs[0] if len(pairs) == 1 else ("and", *pairs)

    def different(self, parts: list[Tree]) -> Tree:
        return ("different", *(part[1] for part in parts))

    def add(self, parts: list[Tree]) -> Tree:
        return ("add", *parts)

    def subtract(self, parts: list[Tree]) -> Tree:
        return ("subtract", *parts)

    def value(self, parts: list[Token]) -> Tree:
        return ("value", int(parts[0]))

    def minus(self, parts: list[Token]) -> Tree:
        return ("value", -int(parts[0]))

    def absolute(self, parts: list[Tree]) -> Tree:
        return ("abs", parts[0])

    def name(self, parts: list[Token]) -> Tree:
        return ("name", str(parts[0]))


_COMPARE: dict[str, Any] = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    ">": lambda a, b: a > b,
    "<=": lambda a, b: a <= b,
    ">=": lambda a, b: a >= b,
}


def _value(node: Tree, values: dict[str, int]) -> int:
    """Return the value of a sum, or the truth of a relation; nodes are at most as deep as a text of LENGTH_LIMIT can nest sums."""
    head = node[0]
    if head == "value":
        return int(node[1])
    if head == "name":
        return values[node[1]]
    if head == "different":
        held = [values[name] for name in node[1:]]
        return len(set(held)) == len(held)
    if head == "and":
        return all(_value(child, values) for child in node[1:])
    if head == "or":
        return any(_value(child, values) for child in node[1:])
    if head == "not":
        return not _value(node[1], values)
    if head == "abs":
        return abs(_value(node[1], values))
    left, right = _value(node[1], values), _value(node[2], values)
    if head in _COMPARE:
        return int(_COMPARE[head](left, right))
    return left + right if head == "add" else left - right


def _written(node: Tree) -> str:
    head = node[0]
    if head in ("value", "name"):
        return str(node[1])
    if head == "different":
        return f"AllDifferentConstraint([{', '.join(node[1:])}])"
    if head == "not":
        return f"not ({_written(node[1])})"
    if head == "abs":
        return f"abs({_written(node[1])})"
    if head in ("and", "or"):
        return f" {head} ".join(f"({_written(child)})" if child[0] in ("and", "or") else _written(child) for child in node[1:])
    sign = {"add": "+", "subtract": "-"}.get(head, head)
    return f"{_written(node[1])} {sign} {_written(node[2])}"
