"""Runs: the longest stretches of a token stream that may be one statement, found in one pass."""

from __future__ import annotations

from collections.abc import Callable

from ebmhw.verify.arithmetic import operators, relations, stops, values, wording
from ebmhw.verify.arithmetic.reader import Reader
from ebmhw.verify.arithmetic.token import Token

_ACTIONS: dict[str, Callable[[Reader, int, Token], None]] = {
    "NUM": values.num, "LOOSE": values.num, "CUR": values.cur, "UNIT": values.unit, "POST": values.post, "PERCENT": values.percent,
    "FN": values.function, "LFN": values.function, "FRAC": values.function, "LPAR": values.lpar, "RPAR": values.rpar, "OPEN": values.open,
    "CLOSE": values.close, "OP": operators.op, "DASH": operators.dash, "STARS": operators.stars, "X": operators.x, "OF": operators.of,
    "MORE": operators.more, "REM": operators.rem, "PER": operators.per, "REL": relations.rel, "IS": relations.is_word, "CMP": relations.cmp,
    "NOT": relations.not_word, "ABOUT": relations.about_word, "PROP": relations.prop, "PROPBY": relations.prop_by, "DIVIDES": relations.divides,
    "WORD": wording.word, "WORDNUM": wording.word, "SKIP": wording.skip_word, "ASK": wording.ask, "ASKIS": wording.ask_is, "ANSWER": wording.answer,
    "RESULT": wording.result, "IT": wording.result, "VALUEOF": wording.value_of, "YES": wording.yes, "NO": wording.yes, "IN": wording.in_word,
    "IF": wording.if_word, "WRONG": wording.wrong_word,
    "SYSTEM": wording.system, "SCALE": wording.wrong_word, "WAIT": wording.wait, "AND": stops.sep, "SEP": stops.sep,
    "STOP": stops.stop, "LINE": stops.line, "BOXED": stops.boxed, "HASHES": stops.hashes, "OPAQUE": stops.opaque, "FRESH": stops.fresh,
}  # fmt: skip


def read_runs(tokens: list[Token], question: bool) -> Reader:
    """Return the reader of a token stream behind its end: `found` holds the runs in order."""
    reader = Reader(tokens, question)
    line = True
    for index, token in enumerate(tokens):
        if index < reader.skip:
            continue
        kind = token.type
        if line and kind != "LINE":
            line = False
            if not reader.run.tokens and _marker(reader, index, token):
                line = True
                continue
        _ACTIONS[kind](reader, index, token)
        if kind == "LINE":
            line = not reader.run.tokens
    reader.finish("end")
    reader.end_sentence()
    return reader


def _marker(reader: Reader, index: int, token: Token) -> bool:
    """Skip a bullet, a quote sign or the number of a list item at the beginning of a line."""
    following = reader.token(index + 1)
    if following is None:
        return False
    kind = token.type
    spaced = following.start > token.end
    if kind == "DASH" or kind == "OP":
        return spaced and token.value in "-*+"
    if kind == "REL":
        return token.value == ">"
    after = reader.token(index + 2)
    if after is None:
        return False
    if kind == "LPAR" and following.type == "NUM" and len(following.value) < 3 and after.type == "RPAR":
        beyond = reader.token(index + 3)
        if beyond is not None and beyond.start > after.end and beyond.type not in ("OP", "REL", "DASH", "X", "POST", "PERCENT"):
            reader.skip = index + 3
            return True
    ends = following.type == "RPAR" or (following.type == "STOP" and following.value in ".:")
    if kind == "NUM" and len(token.value) < 4 and not spaced and ends and after.start > following.end:
        reader.skip = index + 2
        return True
    return False
