"""Word numbers: "two hundred and five", "twenty-seven", "three quarters", "two and a half" as one number each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ebmhw.verify.arithmetic.words import ONES, PARTS, SCALES, TENS

if TYPE_CHECKING:
    from ebmhw.verify.arithmetic.token import Token

_WORDS_LIMIT = 40
"""Words of one number."""


def combined(tokens: list[Token], text: str) -> list[Token]:
    """Return the tokens with each run of number words as one NUM; number words that make none are plain words."""
    result: list[Token] = []
    at, count = 0, len(tokens)
    while at < count:
        token = tokens[at]
        if token.type == "WORDNUM" or (token.type == "WORD" and "-" in token.value):
            leaf, after = _number(tokens, at, text)
            if leaf is not None and tokens[after - 1].value == "dozen" and (after > at + 1 or (result and result[-1].type == "NUM")):
                if after > at + 1:
                    result.append(_num(token, _number(tokens[: after - 1], at, text)[0] or "1", token.start, tokens[after - 2].end))
                last = tokens[after - 1]
                result.append(type(last)("POST", "dozen", last.start, last.end))
                at = after
                continue
            if token.value in SCALES and after == at + 1 and result and result[-1].type == "NUM" and token.start - result[-1].end <= 1:
                last = result[-1]
                scaled = _scaled(last.value, SCALES[token.value])
                if scaled is not None:
                    result[-1] = _num(last, scaled, last.start, token.end)
                    at = after
                    continue
            if leaf is not None:
                end = tokens[after - 1].end
                result.append(_num(token, leaf, token.start, end))
                at = after
                continue
            if token.type == "WORDNUM":
                token = _retyped(token, "WORD")
        elif token.type == "AND" and result and result[-1].type == "NUM" and at + 1 < count:
            more, after = _and_part(tokens, at)
            if more is not None and "/" not in result[-1].value and result[-1].value.isdecimal():
                above, below = more
                last = result[-1]
                result[-1] = _num(last, f"{int(last.value) * below + above}/{below}", last.start, tokens[after - 1].end)
                at = after
                continue
        result.append(token)
        at += 1
    return result


def _scaled(leaf: str, scale: int) -> str | None:
    """Return "3 million" or "2.5 million" as one number; None for what is no plain decimal."""
    whole, point, places = leaf.partition(".")
    if len(leaf) > 30 or not whole.isdecimal() or (point and not places.isdecimal()):
        return None
    value = int(whole + places) * scale
    return str(value // 10 ** len(places)) if value % 10 ** len(places) == 0 else None


def _num(like: Token, leaf: str, start: int, end: int) -> Token:
    return type(like)("NUM", leaf, start, end)


def _retyped(token: Token, kind: str) -> Token:
    return type(token)(kind, token.value, token.start, token.end)


def _and_part(tokens: list[Token], at: int) -> tuple[tuple[int, int] | None, int]:
    """Return the fraction of "and a half", "and three quarters" at an AND, and where it ends."""
    following = tokens[at + 1]
    if following.type == "SKIP" and following.value == "" and at + 2 < len(tokens):
        part = tokens[at + 2]
        if part.type == "FN" and part.value in ("half", "quarter", "third") and part.end - part.start <= 7:
            return (1, {"half": 2, "quarter": 4, "third": 3}[part.value]), at + 3
        if part.type == "WORD" and part.value in PARTS:
            return (1, PARTS[part.value]), at + 3
    return None, at


def _number(tokens: list[Token], at: int, text: str) -> tuple[str | None, int]:
    """Return the canonical leaf of the number words from a token on, and the index behind them; (None, at + 1) where they make none."""
    total = current = 0
    least = 10**15  # the smallest scale so far: thousands come before hundreds
    floor = 10**15  # the place of the last word within a group of three digits: twenty seven, not seven twenty
    seen = False
    index = at
    while index < len(tokens) and index - at < _WORDS_LIMIT:
        token = tokens[index]
        if index > at and text[tokens[index - 1].end : token.start].strip(" \n-"):
            break
        if token.type == "AND":
            if not seen or floor < 100 or index + 1 >= len(tokens) or tokens[index + 1].type not in ("WORDNUM", "WORD"):
                break
            following = tokens[index + 1].value.partition("-")[0]
            if following not in ONES and following not in TENS:
                break
            index += 1
            continue
        if (
            token.type == "FN" and token.value == "half" and token.end - token.start == 4 and seen and index - at == 1 and total == 0 and current < 20
            and (index + 1 == len(tokens) or tokens[index + 1].type not in ("NUM", "WORDNUM", "LPAR", "OF"))
        ):  # fmt: skip
            return f"{current}/2", index + 1
        pieces = [token.value] if token.type == "WORDNUM" else token.value.split("-") if token.type == "WORD" else []
        if not pieces or len(pieces) > 4:
            break
        if len(pieces) == 2 and pieces[0] in ONES and pieces[1] in PARTS and not seen:
            return f"{ONES[pieces[0]]}/{PARTS[pieces[1]]}", index + 1
        if token.type == "WORD" and len(pieces) == 1 and pieces[0] in PARTS and seen and index - at == 1 and total == 0 and current < 20:
            return f"{current}/{PARTS[pieces[0]]}", index + 1
        step = _accepted(pieces, total, current, least, floor)
        if step is None:
            break
        total, current, least, floor = step
        seen = True
        index += 1
    if not seen:
        return None, at + 1
    while tokens[index - 1].type == "AND":
        index -= 1
    return str(total + current), index


def _accepted(pieces: list[str], total: int, current: int, least: int, floor: int) -> tuple[int, int, int, int] | None:
    """Return (total, current, least, floor) after number words, or None where they do not go on from there."""
    for piece in pieces:
        if piece in ONES:
            value = ONES[piece]
            if floor <= (9 if value < 10 else 99) or (floor == 10 and not 0 < value < 10):
                return None
            current, floor = current + value, 1
        elif piece in TENS:
            if floor < 100:
                return None
            current, floor = current + TENS[piece], 10
        elif piece == "dozen":
            if total or current > 99:
                return None
            total, current, least, floor = 12 * (current or 1), 0, 0, 0
        elif piece == "hundred":
            if not current < 100 or floor == 100:
                return None
            current, floor = (current or 1) * 100, 100
        elif piece in SCALES:
            scale = SCALES[piece]
            if scale >= least:
                return None
            total, current, least, floor = total + (current or 1) * scale, 0, scale, 1000
        else:
            return None
    return total, current, least, floor


_WORDS = {value: word for word, value in (*ONES.items(), *TENS.items()) if word != "fourty"}


def in_words(value: int) -> str | None:
    """Return a whole number from 0 to 999,999 in words; None for others."""
    if not 0 <= value < 1_000_000:
        return None
    thousands, rest = divmod(value, 1000)
    if thousands and not rest:
        return f"{_below_thousand(thousands)} thousand"
    if thousands:
        return f"{_below_thousand(thousands)} thousand{'' if rest >= 100 else ' and'} {_below_thousand(rest)}"
    return _below_thousand(rest)


def _below_thousand(value: int) -> str:
    hundreds, rest = divmod(value, 100)
    tens, ones = divmod(rest, 10)
    small = _WORDS[rest] if rest in _WORDS else f"{_WORDS[10 * tens]}-{_WORDS[ones]}"
    if not hundreds:
        return small
    return f"{_WORDS[hundreds]} hundred" + (f" and {small}" if rest else "")
