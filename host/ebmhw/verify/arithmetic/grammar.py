"""Grammar: tokens of one statement to its parts, by lark's LALR(1) parser with an embedded transformer.

Operators stand in one flat rule and `postfix` gives them their precedence: with a rule a level, lark reduces five rules a number and takes twice as
long (36 us against 20 us for "15 + 27 = 42").
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any, Literal, NamedTuple, cast, final

from lark import Lark, Transformer
from lark.exceptions import UnexpectedInput
from lark.lexer import Lexer

from ebmhw.verify.arithmetic.postfix import Part, postfix
from ebmhw.verify.arithmetic.token import Token

_GRAMMAR = r"""
chain: side (REL side)+
value: side
property: side PROP | side PROPBY side
side: operand | side OP operand | side POST | side UNIT
operand: NUM
       | SIGN operand -> prefixed
       | FN operand -> prefixed
       | LPAR side RPAR -> grouped
       | FRAC LPAR side RPAR LPAR side RPAR -> fraction
       | LFN item (SEP item)+ -> listed
       | LFN LPAR side (SEP side)+ RPAR -> called
item: operand | item POST | item UNIT
%declare NUM OP SIGN FN LFN FRAC LPAR RPAR SEP POST UNIT REL PROP PROPBY
"""

Start = Literal["chain", "value", "property"]


class Parsed(NamedTuple):
    """A statement by its parts.

    Attributes
    ----------
    sides : the expressions in order
    signs : the relations between them, or the one property
    places : where those stand, (start, end) in characters of the text
    """

    sides: tuple[Part, ...]
    signs: tuple[str, ...]
    places: tuple[tuple[int, int], ...]


@final
class _Given(Lexer):  # type: ignore[misc]  # lark is an extra: without it mypy sees Any
    """A lexer that is never asked: the parser is fed with tokens that are there already."""

    def __init__(self, lexer_conf: Any) -> None:
        pass

    def lex(self, data: Any) -> Iterator[Any]:
        return iter(())


Flat = list[Any]


@final
class _Builder(Transformer):  # type: ignore[misc]
    """Builds flat sides of tokens and finished parts, and parts of them where a side ends."""

    def side(self, children: list[Any]) -> Flat:
        first = children[0]
        if type(first) is list and len(children) > 1:
            for child in children[1:]:
                if type(child) is list:
                    first.extend(child)
                else:
                    first.append(child)
            return first
        return cast(Flat, first)

    item = side

    def operand(self, children: list[Any]) -> Flat:
        return children

    def prefixed(self, children: list[Any]) -> Flat:
        return [children[0], *children[1]]

    def grouped(self, children: list[Any]) -> Flat:
        part = postfix(children[1])
        return [Part(part.steps, part.numbers, children[0].start, children[2].end)]

    def fraction(self, children: list[Any]) -> Flat:
        above, below = postfix(children[2]), postfix(children[5])
        return [Part([*above.steps, *below.steps, "/"], above.numbers + below.numbers, children[0].start, children[6].end)]

    def listed(self, children: list[Any]) -> Flat:
        return [_function(children[0], children[1::2])]

    def called(self, children: list[Any]) -> Flat:
        part = _function(children[0], children[2:-1:2])
        return [Part(part.steps, part.numbers, part.start, children[-1].end)]

    def chain(self, children: list[Any]) -> Parsed:
        signs = children[1::2]
        return Parsed(
            tuple([postfix(side) for side in children[::2]]), tuple([sign.value for sign in signs]), tuple([(sign.start, sign.end) for sign in signs])
        )

    def value(self, children: list[Any]) -> Parsed:
        return Parsed((postfix(children[0]),), (), ())

    def property(self, children: list[Any]) -> Parsed:
        sign = children[1]
        return Parsed(tuple([postfix(side) for side in children[::2]]), (sign.value,), ((sign.start, sign.end),))


def _function(name: Token, sides: Iterable[Flat]) -> Part:
    parts = [postfix(side) for side in sides]
    steps = [step for part in parts for step in part.steps]
    numbers = [number for part in parts for number in part.numbers]
    return Part([*steps, f"{name.value}:{len(parts)}"], numbers, name.start, parts[-1].end)


_END = Token("$END", "", 0, 0)


@lru_cache(maxsize=1)
def _parser() -> Lark:
    return Lark(_GRAMMAR, parser="lalr", lexer=_Given, transformer=_Builder(), start=["chain", "value", "property"])


def parsed(tokens: Sequence[Token], start: Start) -> Parsed | None:
    """Return the parts of a statement, or None where the tokens are none."""
    first = tokens[0]
    if len(tokens) == 1 and first.type == "NUM":  # most answers; the parser takes 8 us for it
        return Parsed((Part([first.value], [(first.start, first.end)], first.start, first.end),), (), ()) if start == "value" else None
    # Fed by hand: Lark.parse takes 20 us for five tokens, its interactive parser 13.
    state = _parser().parse_interactive(start=start)
    try:
        for token in tokens:
            state.feed_token(cast(Any, token))
        return cast(Parsed, state.feed_token(cast(Any, _END)))
    except UnexpectedInput:
        return None
