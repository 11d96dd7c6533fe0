"""Literals: flat mappings in Python's notation, as transformers prints its logs; read by a scanner, nothing is ever evaluated."""

from __future__ import annotations

import re
from typing import Any

_SPACE = re.compile(r"[ \t]*")
_TEXT = re.compile(r"'((?:[^'\\\n]|\\.)*)'|\"((?:[^\"\\\n]|\\.)*)\"")
_WORD = re.compile(r"[^,{}\[\]()'\"\s]+")
_WRAPPED = re.compile(r"[A-Za-z_][\w.]*\(\s*([^,{}\[\]()'\"\s]+)\s*(?:,[^()\[\]{}\n]*)?\)")
_SKIPPED = re.compile(r"[^\[\](){}'\",]+")

_WORDS: dict[str, Any] = {"None": None, "True": True, "False": False, "nan": float("nan"), "inf": float("inf"), "-inf": float("-inf")}
_CLOSING = {"(": ")", "[": "]", "{": "}"}

DEPTH_LIMIT = 64
"""Brackets within brackets of a value, which is passed over."""


def mapping_of(text: str) -> dict[str, Any] | None:
    """Return the first ``{'key': value, ...}`` of a line, None where there is none that is whole.

    Values are numbers, texts, None, True, False, nan and inf, also wrapped in a call such as ``np.float64(0.5)`` or ``tensor(0.5)``;
    a value with brackets of any other kind becomes None. Takes time linear in the text.
    """
    start = next((at for at in (text.find("{'"), text.find('{"')) if at >= 0), -1)
    return None if start < 0 else _mapping(text, start + 1)


def _mapping(text: str, at: int) -> dict[str, Any] | None:
    found: dict[str, Any] = {}
    while True:
        at = _after_space(text, at)
        if text[at : at + 1] == "}":
            return found
        key = _TEXT.match(text, at)
        if key is None:
            return None
        at = _after_space(text, key.end())
        if text[at : at + 1] != ":":
            return None
        value = _value(text, _after_space(text, at + 1))
        if value is None:
            return None
        found[_unquoted(key)], at = value
        at = _after_space(text, at)
        if text[at : at + 1] == ",":
            at += 1
        elif text[at : at + 1] != "}":
            return None


def _value(text: str, at: int) -> tuple[Any, int] | None:
    """Return a value and where it ends."""
    quoted = _TEXT.match(text, at)
    if quoted:
        return _unquoted(quoted), quoted.end()
    wrapped = _WRAPPED.match(text, at)
    if wrapped:
        return _word(wrapped.group(1)), wrapped.end()
    word = _WORD.match(text, at)
    if word and text[word.end() : word.end() + 1] not in _CLOSING:
        return _word(word.group()), word.end()
    end = _past_brackets(text, word.end() if word else at)
    return None if end is None else (None, end)


def _past_brackets(text: str, at: int) -> int | None:
    """Return where the bracket that opens here is closed, None where it is not."""
    open_ones: list[str] = []
    while at < len(text):
        sign = text[at]
        quoted = _TEXT.match(text, at) if sign in "'\"" else None
        if quoted:
            at = quoted.end()
        elif sign in _CLOSING:
            open_ones.append(_CLOSING[sign])
            if len(open_ones) > DEPTH_LIMIT:
                return None
            at += 1
        elif sign in ")]}":
            if not open_ones or open_ones.pop() != sign:
                return None
            at += 1
            if not open_ones:
                return at
        elif open_ones and sign == ",":
            at += 1
        else:
            skipped = _SKIPPED.match(text, at)
            if not open_ones or skipped is None:
                return None
            at = skipped.end()
    return None


def _word(word: str) -> Any:
    return _WORDS.get(word, word)


def _unquoted(match: re.Match[str]) -> str:
    single, double = match.groups()
    return single if single is not None else double


def _after_space(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at
