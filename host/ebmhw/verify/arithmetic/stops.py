"""Stops: commas, full stops, lines and headings, where a run ends or goes on."""

from __future__ import annotations

from ebmhw.verify.arithmetic.reader import STARTS, Reader
from ebmhw.verify.arithmetic.token import Token


def sep(reader: Reader, index: int, token: Token) -> None:
    tokens = reader.tokens
    following = reader.token(index + 1)
    if reader.after and reader.lists and following is not None:
        if following.type == "AND" and index + 2 < len(tokens):
            reader.skip = index + 2
            following = tokens[index + 2]
        if following.type in STARTS or following.type == "DASH":
            reader.run.tokens.append(Token("SEP", ",", token.start, token.end))
            reader.after, reader.nouns = False, 0
            return
    if reader.after and reader.verb and following is not None and following.type in ("NUM", "CUR"):
        return
    if reader.after and token.type == "AND" and reader.run.tokens[-1].type == "UNIT" and following is not None and following.type == "NUM":
        beyond = reader.token(index + 2)
        if beyond is not None and beyond.type == "UNIT" and not reader.nouns:
            return
    divisors = reader.after and len(reader.run.tokens) > 1 and reader.run.tokens[-2].type == "PROPBY"
    if divisors and following is not None and following.type in ("NUM", "AND"):
        reader.poison()
        return
    glued = token.type == "SEP" and following is not None and following.start == token.end and following.type == "NUM"
    before = tokens[index - 1] if index else None
    if glued and before is not None and before.type == "NUM" and before.end == token.start:
        reader.poison()
        return
    if reader.run.tokens:
        if not reader.after:
            reader.drop_last()
        reader.finish(token.value)
    if token.type == "SEP" and (reader.answers or reader.asks):
        return
    reader.lead = token if token.type == "AND" else None
    reader.opens = reader.opens and token.type == "SEP"
    reader.bad = False


def stop(reader: Reader, index: int, token: Token) -> None:
    following = reader.token(index + 1)
    before = reader.token(index - 1)
    value = token.value
    if reader.after and not reader.nouns and value == ":" and following is not None and following.type == "NUM" and before is not None:
        even = (before.end == token.start) == (following.start == token.end)
        if even:
            reader.operate(Token("OP", "/", token.start, token.end))
            return
    if (
        value == "!"
        and reader.after
        and not reader.nouns
        and reader.run.tokens[-1].end == token.start
        and reader.run.tokens[-1].type in ("NUM", "RPAR")
    ):
        goes = following is not None and (
            following.type in ("OP", "REL", "X", "RPAR", "IS", "CMP") or (following.type == "DASH" and following.start > token.end)
            or (reader.question and following.type == "STOP" and following.value == "?")
        )  # fmt: skip
        if goes or (reader.question and reader.run.asks and len(reader.run.tokens) == 1 and following is None):
            reader.run.tokens.append(Token("POST", "factorial", token.start, token.end))
            return
    if reader.run.tokens:
        if not reader.after:
            reader.drop_last(value == "?")
        reader.finish(value)
    if value == ":":
        if not (reader.answers or reader.asks):
            if (
                before is not None
                and before.type == "SKIP"
                and before.end - before.start == 1
                and (index < 2 or reader.tokens[index - 2].type == "LINE")
            ):
                reader.answers = "a:"
            elif reader.asked:
                pass
            reader.opens = True
            reader.lead = None
        return
    if value == "|":
        reader.bad = False
    if value == "?" and not reader.question:
        reader.wrong = reader.wrong or "asked"
    reader.end_sentence()
    reader.clear()
    reader.opens, reader.lead, reader.bad, reader.dashed = True, None, value == "#", False
    if value == "#":
        reader.opens, reader.bad = False, False


def line(reader: Reader, index: int, token: Token) -> None:
    following = reader.token(index + 1)
    if reader.run.tokens:
        if reader.after:
            if following is not None and following.type == "REL" and following.value in "=~":
                return
        elif following is not None and following.type in STARTS and reader.run.tokens[-1].type in ("OP", "REL"):
            return
        else:
            reader.drop_last()
        reader.finish("\n")
    if reader.answers in ("answer", "result", "boxed", "a:") and reader.tokens[index - 1].type == "STOP":
        reader.opens = True
        return
    reader.end_sentence()
    reader.clear()
    reader.opens, reader.lead, reader.bad, reader.dashed = True, None, False, False


def boxed(reader: Reader, index: int, token: Token) -> None:
    if reader.run.tokens:
        if not reader.after:
            return
        reader.finish("word")
    reader.answers = "boxed"


def hashes(reader: Reader, index: int, token: Token) -> None:
    line(reader, index, token)
    if token.value == "####":
        reader.answers = "####"


def opaque(reader: Reader, index: int, token: Token) -> None:
    reader.poison()


def fresh(reader: Reader, index: int, token: Token) -> None:
    """Begin an equation that `phrases` made, whatever stands before it in its sentence."""
    if reader.run.tokens:
        if not reader.after:
            reader.drop_last()
        reader.finish("word")
    reader.clear()
    reader.opens, reader.lead, reader.bad, reader.dashed, reader.tied = True, None, False, False, False
