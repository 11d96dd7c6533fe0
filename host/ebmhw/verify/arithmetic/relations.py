"""Relations: signs, "is", comparisons in words, and properties."""

from __future__ import annotations

from ebmhw.verify.arithmetic.reader import Reader
from ebmhw.verify.arithmetic.token import Token
from ebmhw.verify.arithmetic.wording import word

_AFTER = frozenset(("number", "because", "since", "so", "but", "while", "whereas", "too", "as", "for"))
"""Words that may follow a property; others belong to it: "17 is even better"."""


def rel(reader: Reader, index: int, token: Token) -> None:
    run = reader.run
    if reader.is_ is not None:
        reader.is_ = None
    if reader.after:
        reader.relate(token.value, token)
    elif run.tokens and run.tokens[-1].type == "REL":
        run.tokens[-1].value = token.value
    elif run.tokens:
        reader.poison()
    elif reader.answers or reader.asks:
        return
    elif reader.opens and token.value in "=~" and (index == 0 or reader.tokens[index - 1].type == "LINE"):
        reader.answers = "="
    else:
        reader.bad = True


def is_word(reader: Reader, index: int, token: Token) -> None:
    if reader.after:
        reader.is_ = token
        return
    if reader.answers or reader.asks:
        return
    if reader.opens and token.value == "is":
        reader.asked = True
        reader.opens = True
        return
    reader.lead = token


def cmp(reader: Reader, index: int, token: Token) -> None:
    if not reader.after:
        if token.value == "eq" and (reader.answers or reader.asks):
            return
        if reader.answers and token.value != "=":
            reader.clear()
            reader.opens = False
        reader.lead = token
        return
    sign = {"eq": "="}.get(token.value, token.value)
    if reader.is_ is None and not reader.asked and token.value in (">=", "<=", "=", "!="):
        reader.finish("word")
        return
    if reader.not_:
        sign = {"=": "!=", ">": "<=", ">=": "<", "<=": ">", "<": ">=", "!=": "="}[sign]
    start = token.start if reader.is_ is None else reader.is_.start
    reader.is_, reader.not_ = None, False
    reader.relate(sign, Token("REL", sign, start, token.end), worded=True)


def not_word(reader: Reader, index: int, token: Token) -> None:
    if reader.after and reader.is_ is not None:
        reader.not_ = True
        reader.not_end = token.end
    elif reader.after:
        reader.finish("word")
        reader.lead = token
    else:
        reader.lead = token
        if reader.answers:
            reader.clear()
            reader.opens = False


def about_word(reader: Reader, index: int, token: Token) -> None:
    run = reader.run
    if run.tokens and run.tokens[-1].type == "REL" and not reader.after:
        if run.tokens[-1].value == "=":
            run.tokens[-1].value = "~"
    elif reader.is_ is not None or reader.answers:
        reader.about = True
    elif reader.after:
        reader.finish("word")


def prop(reader: Reader, index: int, token: Token) -> None:
    if not reader.after or (reader.is_ is None and not reader.asked):
        word(reader, index, token)
        return
    following = reader.token(index + 1)
    goes_on = following is not None and following.type in ("WORD", "NUM", "UNIT", "MORE", "FN", "LFN")
    if goes_on and following is not None and not (following.type == "WORD" and following.value in _AFTER):
        reader.finish("word")
        return
    reader.run.negated = reader.not_
    if reader.is_ is not None:
        reader.run.property = _words_of(reader.is_, token)
    reader.run.tokens.append(Token("PROP", token.value, token.start, token.end))
    reader.is_, reader.not_ = None, False
    reader.finish("property", index)


def prop_by(reader: Reader, index: int, token: Token) -> None:
    if not reader.after or (reader.is_ is None and not reader.asked):
        word(reader, index, token)
        return
    run = reader.run
    run.negated = reader.not_
    if reader.is_ is not None:
        run.property = _words_of(reader.is_, token)
    run.tokens.append(Token("PROPBY", token.value, token.start, token.end))
    run.nouns |= {0} if reader.nouns else set()
    reader.is_, reader.not_, reader.after, reader.nouns = None, False, False, 0


def _words_of(first: Token, last: Token) -> str:
    return f"{first.start}:{first.end}:{last.start}:{last.end}"


def divides(reader: Reader, index: int, token: Token) -> None:
    following = reader.token(index + 1)
    if reader.after and not reader.nouns and following is not None and following.type == "NUM":
        reader.run.tokens.append(Token("PROPBY", "factor", token.start, token.end))
        reader.after = False
    else:
        word(reader, index, token)
