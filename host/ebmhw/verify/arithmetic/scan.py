"""Scan: a text to tokens, by one pattern and in one pass."""

from __future__ import annotations

import re
from unicodedata import category

from ebmhw.verify.arithmetic.letters import HIDDEN, MARK, plain
from ebmhw.verify.arithmetic.numerals import VULGAR
from ebmhw.verify.arithmetic.token import Token
from ebmhw.verify.arithmetic.units import unit_named
from ebmhw.verify.arithmetic.wordnumbers import combined
from ebmhw.verify.arithmetic.words import table

_TOKEN = re.compile(
    r"""
    (?P<w>[^\W\d_\u00b2\u00b3\u00b9\u00bc-\u00be\u2070-\u2079\u2150-\u215e]+(?:['-][^\W\d_]+)*)
  | (?P<o>\d{4}-\d\d?-\d\d?(?!\d)|\d\d?/\d\d?/\d{4}(?!\d)|\d\d?:\d\d(?::\d\d)?(?![\d:]))
  | (?P<m>\d+[ ]\d+/\d+(?![\d/:]|[.,]\d))
  | (?P<v>(?:\d+[ ]?)?[\u00bc-\u00be\u2150-\u215e])
  | (?P<n>(?:\d{1,3}(?:(?:,\d{3})+|(?:\u00a0\d{3})+|(?:'\d{3})+|(?:[ ]\d{3})+)(?![\d])|\d+)(?:\.\d+)*(?:e[+-]?\d+(?![\w.]))?|\.\d+(?![\d.]))
  | (?P<s>\n|\u00b0[ ]?[cf](?![a-z])|\*\*
      |<<|>>|<=+>?|>=|===?|!=|=/=|[=-]>|//|~=|\\[a-z]+|\\.|`{3}|[\u2070\u00b9\u00b2\u00b3\u2074-\u2079\u207a]+|\#{2,}|\S)
    """,
    re.VERBOSE,
)
_BLANK = re.compile(r"\S*")
_SUPERSCRIPT = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
_WORDBRACE = re.compile(r"\s*\{\s*[^{}\n]{0,40}\}")
_UNITTAIL = re.compile(
    r"[ ]?(/|per(?=[ ]))[ ]?([a-z]+)(?![a-z(])(?:(?:\^|\*\*)?([23\u00b2\u00b3])(?![\d\w]))?|(?:\^|\*\*)?([23\u00b2\u00b3])(?![\d\w])"
)
_POWER = re.compile(r"\^(?:-?\d|\{[^{}\n]{0,10}\})")
_SQUARE = re.compile(
    r"[ ](?:meter|metre|foot|feet|inch|inche|yard|mile|kilometer|kilometre|centimeter|centimetre|millimeter|m|km|cm|mm|ft|yd)s?\b|[ ]in\b"
)

_SYMBOLS: dict[str, tuple[str, str]] = {
    "+": ("OP", "+"), "*": ("OP", "*"), "/": ("OP", "/"), "//": ("OP", "//"), "^": ("OP", "^"), "=": ("REL", "="), "==": ("REL", "="),
    "===": ("REL", "="), "~": ("REL", "~"), "~=": ("REL", "~"), "≠": ("REL", "!="), "!=": ("REL", "!="), "=/=": ("REL", "!="), "<": ("REL", "<"),
    ">": ("REL", ">"), "≤": ("REL", "<="), "<=": ("REL", "<="), "≥": ("REL", ">="), ">=": ("REL", ">="), "(": ("LPAR", "("), "[": ("LPAR", "["),
    "{": ("LPAR", "("), ")": ("RPAR", ")"), "]": ("RPAR", ")"), "}": ("RPAR", ")"), "√": ("FN", "sqrt"), "∛": ("FN", "cbrt"), "‰": ("POST", "‰"),
    "π": ("NUM", "pi"), "°": ("UNIT", "°"), "°c": ("UNIT", "°c"), "°f": ("UNIT", "°f"), "° c": ("UNIT", "°c"), "° f": ("UNIT", "°f"),
    "¢": ("UNIT", "¢"), "℃": ("UNIT", "°c"), "℉": ("UNIT", "°f"), "<<": ("OPEN", "<<"), ">>": ("CLOSE", ">>"), ".": ("STOP", "."),
    "?": ("STOP", "?"), "!": ("STOP", "!"), ";": ("STOP", ";"), ":": ("STOP", ":"), "\n": ("LINE", "\n"), ",": ("SEP", ","), "|": ("STOP", "|"),
    "=>": ("STOP", "#"), "->": ("STOP", "#"), "<=>": ("STOP", "#"), "…": ("STOP", "."), "—": ("STOP", ";"), "•": ("STOP", "\u2022"),
    "#": ("STOP", "#"), "∴": ("STOP", "."), "¿": ("STOP", "."),
}  # fmt: skip
_COMMANDS: dict[str, tuple[str, str] | None] = {
    r"\times": ("OP", "*"), r"\cdot": ("OP", "*"), r"\ast": ("OP", "*"), r"\div": ("OP", "/"), r"\frac": ("FRAC", "/"), r"\dfrac": ("FRAC", "/"),
    r"\tfrac": ("FRAC", "/"), r"\cfrac": ("FRAC", "/"), r"\sqrt": ("FN", "sqrt"), r"\left": None, r"\right": None, r"\,": None, r"\;": None,
    r"\!": None, r"\:": None, r"\ ": None, r"\quad": None, r"\qquad": None, r"\displaystyle": None, r"\$": None, r"\(": None, r"\)": None,
    r"\[": ("LINE", "\n"), r"\]": ("LINE", "\n"), r"\approx": ("REL", "~"), r"\simeq": ("REL", "~"), r"\neq": ("REL", "!="),
    r"\ne": ("REL", "!="), r"\le": ("REL", "<="), r"\leq": ("REL", "<="), r"\ge": ("REL", ">="), r"\geq": ("REL", ">="), r"\lt": ("REL", "<"),
    r"\gt": ("REL", ">"), r"\boxed": ("BOXED", "boxed"), r"\%": ("POST", "%"), r"\\": ("LINE", "\n"), r"\pi": ("NUM", "pi"),
    r"\bmod": ("OP", "mod"), r"\mod": ("OP", "mod"), r"\pmod": ("OP", "mod"), r"\begin": ("LINE", "\n"), r"\end": ("LINE", "\n"),
    r"\therefore": ("STOP", "."), r"\implies": ("STOP", "#"), r"\rightarrow": ("STOP", "#"), r"\to": ("STOP", "#"), r"\{": ("LPAR", "("),
    r"\}": ("RPAR", ")"), r"\equals": ("REL", "="), r"\*": ("OP", "*"), r"\-": ("OP", "-"), r"\_": None, r"\degree": ("UNIT", "°"),
    r"\circ": ("UNIT", "°"),
}  # fmt: skip
_CROSSES = frozenset("\u2715\u2716\u2717\u2718\u274c\u274e\U0001f6ab")
"""Signs that call what they stand at wrong."""

_TEXT = frozenset((r"\text", r"\mathrm", r"\mathbf", r"\textbf", r"\mbox", r"\operatorname"))
_IGNORED = frozenset(("&", "`", "_", '"', "'", HIDDEN, MARK, "\u00a0", " "))
_FORMULA = 300
"""Characters of a formula between dollar signs."""

_MAYBE_WORDS = frozenset(("a", "an", "in", "min", "second", "seconds"))


def tokens(text: str) -> list[Token]:
    """Return the tokens of a text in order."""
    return tokens_between(plain(text), 0, len(text))


def tokens_between(text: str, begin: int, behind: int) -> list[Token]:
    """Return the tokens of text[begin:behind], a text in `plain` letters.

    Blanks, emphasis and what is no word, number or sign of arithmetic leave none.
    """
    found: list[Token] = []
    append = found.append
    words, phrases = table()
    skip = 0
    worded = False
    ascii_only = text.isascii()
    latex = "\\" in text
    closing = -1
    for match in _TOKEN.finditer(text, begin, behind):
        start, end = match.span()
        if start < skip:
            continue
        kind = match.lastgroup
        if kind == "w":
            word = match[0]
            if word == "x":
                append(Token("X", "x", start, end))
                continue
            last = found[-1] if found else None
            if (
                last is not None
                and last.type in ("NUM", "WORDNUM")
                and start - last.end <= 1
                and (word not in _MAYBE_WORDS or _is_unit(text, start, end))
            ):
                unit, at = _unit(text, word, start, end)
                if unit is not None:
                    append(Token("UNIT", unit, start, at))
                    skip = at
                    continue
            if word in phrases:
                pattern, meanings = phrases[word]
                rest = pattern.match(text, end)
                if rest is not None:
                    type_, value = meanings[rest[1].replace("\n", " ").replace("  ", " ")]
                    skip = rest.end()
                    append(Token(type_, value, start, skip))
                    continue
            meaning = words.get(word)
            if meaning is not None:
                worded = worded or meaning[0] == "WORDNUM"
                append(Token(meaning[0], meaning[1], start, end))
            elif word in ("http", "https", "www"):
                blank = _BLANK.match(text, start)
                skip = end if blank is None else blank.end()
                append(Token("OPAQUE", word, start, skip))
            else:
                if "-" in word and not worded and word.partition("-")[0] in words:
                    worded = True
                append(Token("WORD", word, start, end))
        elif kind == "n":
            number = match[0]
            if number.count(".") > 1 or (not ascii_only and _disguised(text, start, end)):
                append(Token("OPAQUE", number, start, end))
                continue
            if number[0] == "." and start and text[start - 1].isdigit():
                append(Token("OPAQUE", number, start, end))
                continue
            if number.isdecimal():
                append(Token("NUM", number, start, end))
            else:
                loose = " " in number
                number = number.replace(",", "").replace("\u00a0", "").replace("'", "").replace(" ", "")
                if number[0] == ".":
                    number = "0" + number
                append(Token("LOOSE" if loose else "NUM", number, start, end))
        elif kind == "s":
            sign = match[0]
            symbol = _SYMBOLS.get(sign)
            if symbol is not None:
                append(Token(symbol[0], symbol[1], start, end))
            elif sign == "-":
                append(Token("DASH", "-", start, end))
            elif sign == "**":
                append(Token("STARS", "**", start, end))
            elif sign == "%":
                append(Token("PERCENT", "%", start, end))
            elif sign in "$€£¥₹":
                if start == closing:
                    continue
                if sign == "$" and latex:
                    other = text.find("$", end, min(behind, end + _FORMULA))
                    if other > 0 and text.find("\\", end, other) > 0:
                        closing = other
                        continue
                append(Token("CUR", sign, start, end))
            elif sign in _IGNORED:
                continue
            elif sign[0] == "\\":
                if sign in _TEXT:
                    brace = _WORDBRACE.match(text, end)
                    if brace is None:
                        continue
                    skip = brace.end()
                    power = _POWER.match(text, skip)
                    last = found[-1] if found else None
                    braced = unit_named(brace[0].strip(" {}")) if power is None and last is not None and last.type in ("NUM", "RPAR") else None
                    if power is not None:
                        skip = power.end()
                    if braced is not None:
                        append(Token("UNIT", braced.name, start, skip))
                elif sign in _COMMANDS:
                    command = _COMMANDS[sign]
                    if command is not None:
                        append(Token(command[0], command[1], start, end))
                else:
                    append(Token("OPAQUE", sign, start, end))
            elif sign == "```":
                append(Token("LINE", "\n", start, end))
            elif sign[0] in "⁰¹²³⁴⁵⁶⁷⁸⁹":
                append(Token("OP", "^", start, start))
                append(Token("NUM", sign.translate(_SUPERSCRIPT), start, end))
            elif sign[0] == "#":
                append(Token("HASHES", sign, start, end))
            elif category(sign[0]) == "So" and sign not in _CROSSES:
                # A picture before a sentence marks it as a bullet does.
                append(Token("STOP", "\u2022", start, end))
            else:
                append(Token("OPAQUE", sign, start, end))
        elif kind == "v":
            number = match[0]
            whole, part = number[:-1].strip(), VULGAR.get(number[-1])
            if part is None:
                append(Token("OPAQUE", number, start, end))
            else:
                append(Token("NUM", _mixed(whole or "0", part), start, end))
        elif kind == "m":
            whole, part = match[0].split(" ")
            above, below = part.split("/")
            if len(part) < 20 and len(whole) < 20 and 0 < int(above) < int(below):
                append(Token("NUM", _mixed(whole, part), start, end))
            else:
                append(Token("OPAQUE", match[0], start, end))
        else:
            append(Token("OPAQUE", match[0], start, end))
    return combined(found, text) if worded or "half" in text else found


def _disguised(text: str, start: int, end: int) -> bool:
    """Return whether a number is struck through, turned around, or goes on behind an invisible character."""
    before, after = text[max(0, start - 4) : start], text[end : end + 4]
    if after[:1] == MARK or before[-1:] == MARK:
        return True
    if after[:1] == HIDDEN and after.lstrip(HIDDEN)[:1].isdigit():
        return True
    return before[-1:] == HIDDEN and before.rstrip(HIDDEN)[-1:].isdigit()


def _mixed(whole: str, part: str) -> str:
    above, below = part.split("/")
    return f"{int(whole) * int(below) + int(above)}/{int(below)}"


def _is_unit(text: str, start: int, end: int) -> bool:
    """Return whether "in", "min", "second" behind a number is a unit: a sign, a stop or an end follows, not a word or number."""
    rest = text[end : end + 3].lstrip(" ")
    if text[start:end] in ("a", "an"):
        return False
    if text[start:end] == "in":
        return not rest or not (rest[0].isalnum() or rest[0] in "$(\n")
    return True


def _unit(text: str, word: str, start: int, end: int) -> tuple[str | None, int]:
    """Return the canonical unit at a word behind a number, and where it ends: "km", "km/h", "m^2", "square feet"."""
    if word in ("square", "cubic", "sq", "cu"):
        base = _SQUARE.match(text, end)
        if base is None:
            return None, end
        name = base[0].strip()
        unit = unit_named("inch" if name == "in" else name)
        return (None, end) if unit is None else (f"{unit.name}^{'2' if word[0] == 's' else '3'}", base.end())
    unit = unit_named("inch" if word == "in" else word)
    if unit is None:
        return None, end
    name = unit.name
    tail = _UNITTAIL.match(text, end)
    if tail is not None:
        if tail[2] is not None:
            below = unit_named(tail[2])
            if below is not None:
                power = "" if tail[3] is None else "^" + tail[3].translate(_SUPERSCRIPT)
                return f"{name}/{below.name}{power}", tail.end()
        elif tail[4] is not None and (end == tail.start()):
            power = tail[4].translate(_SUPERSCRIPT)
            if unit_named(f"{name}^{power}") is not None:
                return f"{name}^{power}", tail.end()
    return name, end
