"""parse: an expression of propositional logic from text, in words, ASCII or Unicode symbols."""

from __future__ import annotations

from functools import cache
from typing import Any, final

from ebmhw.errors import ExtractionError, InvalidModel, MissingExtra, shown
from ebmhw.problems.propositions.expressions import And, Expression, Iff, Implies, Not, Or, Var, Xor

TEXT_LIMIT = 20_000
"""Characters of a text; that many brackets take 0.3 s."""

# From the weakest operator to the strongest; "implies" groups to the right, all others to the left.
GRAMMAR = r"""
?start: iff
?iff: implies | iff _IFF implies
?implies: any | any _IMPLIES implies
?any: odd | odd (_OR odd)+
?odd: all | all (_XOR all)+
?all: not | not (_AND not)+
?not: atom | _NOT not -> negation
?atom: "(" iff ")" | "[" iff "]" | NAME -> name | TRUE -> true | FALSE -> false

_IFF.2: "<->" | "<=>" | "<-->" | "<==>" | "↔" | "⇔" | "⟷" | "⟺" | "≡" | /iff(?![\w'])/i
_IMPLIES.2: "->" | "=>" | "-->" | "==>" | "→" | "⇒" | "⟶" | "⟹" | "⊃" | /implies(?![\w'])/i
_OR.2: "||" | "|" | "\u2228" | /or(?![\w'])/i
_XOR.2: "^" | "⊕" | "⊻" | /xor(?![\w'])/i
_AND.2: "&&" | "&" | "∧" | /and(?![\w'])/i
_NOT.2: "~" | "!" | "¬" | /not(?![\w'])/i
TRUE.2: "\u22a4" | /true(?![\w'])/i
FALSE.2: "⊥" | /false(?![\w'])/i
NAME: /[^\W\d]\w*'*/
%ignore /\s+/
"""


def parse(text: str) -> Expression:
    """Return the expression of a text such as ``p and not q -> r``; "not" binds strongest, then and, xor, or, implies, iff.

    Operators: not ~ ! ¬, and & ∧, xor ^ ⊕, or | (U+2228), implies -> => →, iff <-> <=> ↔; true (U+22A4) and false ⊥. Words count in any case.

    Raises
    ------
    ExtractionError
        for anything else, naming the place; for a text beyond TEXT_LIMIT.
    MissingExtra
        without lark.
    """
    if not isinstance(text, str) or len(text) > TEXT_LIMIT:
        what = f"{len(text)} characters" if isinstance(text, str) else shown(text)
        raise ExtractionError(f"a proposition is {what}; give text of up to {TEXT_LIMIT} characters")
    parser = _parser()
    from lark.exceptions import UnexpectedEOF, UnexpectedInput

    try:
        found: Expression = parser.parse(text)
    except InvalidModel as error:
        raise ExtractionError(f"the proposition {shown(text)} cannot be read: {error}") from None
    except UnexpectedInput as error:
        place = error.pos_in_stream
        if isinstance(error, UnexpectedEOF) or place is None or place >= len(text) or getattr(getattr(error, "token", None), "type", "") == "$END":
            raise ExtractionError(f"the proposition {shown(text)} ends too early; an operand or a bracket is missing at its end") from None
        near = shown(text[place : place + 20])
        raise ExtractionError(f"the proposition {shown(text)} cannot be read from character {place + 1} on, at {near}; {_HELP}") from None
    return found


_HELP = "write variables as words, with not, and, or, xor, ->, <-> and brackets between them"


@cache
def _parser() -> Any:
    try:
        from lark import Lark
    except ImportError:
        raise MissingExtra("lark is not installed, and no text can be read as logic without it; pip install 'ebmhw[verify]'") from None
    return Lark(GRAMMAR, parser="lalr", lexer="basic", transformer=_Builder())


@final
class _Builder:
    """Builds expressions while the text is read, one method for each rule, so that no tree is walked."""

    def name(self, parts: list[Any]) -> Expression:
        return Var(str(parts[0]))

    def true(self, parts: list[Any]) -> Expression:
        return And()

    def false(self, parts: list[Any]) -> Expression:
        return Or()

    def negation(self, parts: list[Any]) -> Expression:
        return Not(*parts)

    def all(self, parts: list[Any]) -> Expression:
        return And(*parts)

    def odd(self, parts: list[Any]) -> Expression:
        return Xor(*parts)

    def any(self, parts: list[Any]) -> Expression:
        return Or(*parts)

    def implies(self, parts: list[Any]) -> Expression:
        return Implies(*parts)

    def iff(self, parts: list[Any]) -> Expression:
        return Iff(*parts)
