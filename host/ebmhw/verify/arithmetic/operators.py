"""Operators: plus, dash, times, of, more than, remainder; a dash may be a minus, a bullet or a hyphen."""

from __future__ import annotations

from ebmhw.verify.arithmetic.reader import STARTS, Reader
from ebmhw.verify.arithmetic.token import Token
from ebmhw.verify.arithmetic.wording import answer, word


def op(reader: Reader, index: int, token: Token) -> None:
    following = reader.token(index + 1)
    if reader.is_ is not None:
        reader.finish("word")
        reader.bad = True
        return
    if not reader.after:
        glued = following is not None and following.type == "NUM" and following.start == token.end
        if token.value == "+" and glued and (reader.run.tokens[-1].type in ("OP", "REL", "LPAR") if reader.run.tokens else reader.opens):
            reader.begin()
            reader.run.tokens.append(Token("SIGN", "+", token.start, token.end))
        elif token.value == "*":
            return
        else:
            reader.poison()
        return
    if token.value == "/" and following is not None and following.type in ("WORD", "UNIT", "SKIP", "PER", "X"):
        # A rate by nouns: "12 eggs/box".
        reader.nouns += 1
        reader.skip = index + 2
        return
    if token.value == "*" and (following is None or following.type not in STARTS | {"DASH", "OPAQUE", "WORD", "X"}):
        return
    if token.value == "*" and following is not None and following.type == "WORD" and reader.run.tokens[-1].end == token.start != following.start - 1:
        return
    if token.value == "/" and following is not None and reader.run.ranged:
        reader.run.doubt = "it may be a name"
    reader.operate(token)


def dash(reader: Reader, index: int, token: Token) -> None:
    following = reader.token(index + 1)
    before = reader.token(index - 1)
    spaced = before is None or before.end < token.start
    if reader.is_ is not None and following is not None and following.type in ("NUM", "CUR"):
        reader.settle()
    if reader.after:
        if following is not None and following.start == token.end and following.type in ("WORD", "SKIP", "FN", "UNIT") and not spaced:
            if following.type == "WORD" and len(following.value) == 1:
                reader.poison()
            else:
                reader.nouns += 1
            reader.skip = index + 2
        elif following is None or not (following.type in STARTS or (following.type == "DASH" and following.start > token.end)):
            if following is not None and following.type in ("WORD", "X", "OPAQUE") and reader.run.relations and len(following.value) > 1:
                reader.run.doubt = reader.run.doubt or "a dash and words follow"
                reader.finish("-")
            elif following is not None and following.type in ("WORD", "X", "OPAQUE"):
                reader.poison()
            else:
                reader.finish("-")
        else:
            reader.operate(Token("OP", "-", token.start, token.end))
    elif following is not None and following.type in STARTS and (reader.run.tokens or following.start == token.end or reader.is_ is not None):
        if before is not None and before.end == token.start and before.type in ("WORD", "OPAQUE", "NUM", "X"):
            reader.poison()
            return
        reader.dashed = not reader.opens
        reader.begin()
        reader.run.tokens.append(Token("SIGN", "-", token.start, token.end))
    elif not reader.run.tokens:
        reader.dashed = True


def stars(reader: Reader, index: int, token: Token) -> None:
    following = reader.token(index + 1)
    if not reader.after or reader.nouns or following is None or following.type not in ("NUM", "LPAR", "DASH"):
        return
    if (reader.run.tokens[-1].end == token.start) == (following.start == token.end):
        reader.operate(Token("OP", "^", token.start, token.end))


def x(reader: Reader, index: int, token: Token) -> None:
    following = reader.token(index + 1)
    if reader.after and following is not None and _times(reader, index, token, following):
        reader.operate(Token("OP", "*", token.start, token.end))
    elif reader.after and following is not None and following.type == "WORD" and len(following.value) > 1:
        reader.finish("word")
        reader.bad = True
    else:
        reader.poison()


def _times(reader: Reader, index: int, token: Token, following: Token) -> bool:
    """Return whether x is a times sign: "3 x 4", "3x4", "3 x -4"; not the letter of "3x - 4", "2x (1 + 1)", or of "0x10"."""
    last = reader.run.tokens[-1]
    glued = last.end == token.start
    if following.type == "DASH":
        beyond = reader.token(index + 2)
        return not glued and following.start > token.end and beyond is not None and beyond.start == following.end
    return following.type in STARTS and not (glued and (following.start > token.end or last.value == "0"))


def of(reader: Reader, index: int, token: Token) -> None:
    if not reader.after:
        return
    tokens = reader.run.tokens
    last = tokens[-1]
    part = last.type == "POST" and last.value in "%‰"
    part = part or (last.type == "NUM" and ("/" in last.value or last.value.startswith("0.")))
    part = part or (last.type == "NUM" and len(tokens) > 1 and tokens[-2].type == "OP" and tokens[-2].value == "/")
    if part and not reader.nouns:
        reader.operate(Token("OP", "of", token.start, token.end))
    else:
        reader.finish("of")
        reader.lead = token
        reader.bad = True


def more(reader: Reader, index: int, token: Token) -> None:
    if not reader.after:
        reader.lead = token
        if reader.answers:
            reader.clear()
            reader.opens = False
        return
    if reader.is_ is not None:
        sign = ">" if token.value == "more" else "<"
        if reader.not_:
            sign = "<=" if sign == ">" else ">="
        reader.relate(sign, Token("REL", sign, reader.is_.start, token.end))
        reader.is_, reader.not_ = None, False
    elif reader.run.question and reader.asked:
        reader.relate(">" if token.value == "more" else "<", token)
    elif not reader.nouns:
        reader.operate(Token("OP", token.value, token.start, token.end))
        reader.run.more = True
    else:
        reader.finish("word")
        reader.bad = True


def rem(reader: Reader, index: int, token: Token) -> None:
    following = reader.token(index + 1)
    said = reader.run.relations or reader.run.answers or reader.run.opens
    if reader.after and said and following is not None and following.type == "NUM":
        reader.operate(Token("OP", "rem", token.start, token.end))
    elif reader.after and said and token.end - token.start <= 9 and following is not None and following.type == "OF":
        reader.skip = index + 2
        reader.operate(Token("OP", "rem", token.start, token.end))
    elif not reader.run.tokens and following is not None and following.type == "IS":
        answer(reader, index, Token("RESULT", "remainder", token.start, token.end))
    else:
        word(reader, index, token)


def per(reader: Reader, index: int, token: Token) -> None:
    if reader.after:
        reader.nouns += 1
        if token.value == "per":
            following = reader.token(index + 1)
            if following is not None and following.type in ("WORD", "UNIT"):
                reader.skip = index + 2
    else:
        word(reader, index, token)
