"""Letters: one spelling for the many signs that stand for the same digit, dash, space or operator; positions stay."""

from __future__ import annotations

import unicodedata

GROUP = "\u00a0"
"""The space that groups digits: what narrow and non-breaking spaces become."""

HIDDEN = "\u200b"
"""What every invisible character becomes; digits on both sides of one make no number that is read."""

MARK = "\u0338"
"""What characters that strike through, combine or turn the direction become; a number that touches one is not read."""

_SAME = {
    "-": "\u2212\u2010\u2011\u2012\u2013\u2015\ufe63\uff0d\u207b",
    "*": "\u00d7\u00b7\u22c5\u2217\u2715\u2716\u2a2f\u2a09\u2062\u30fb",
    "/": "\u00f7\u2044\u2215\u2797",
    "+": "\u2795\ufb29",
    "'": "\u2019\u2018\u02bc",
    '"': "\u201c\u201d",
    "~": "\u2248\u2243\u2245\u223c\u2252\u2253",
    "\u2260": "\u2260",
    "\u2264": "\u2a7d\u2266",
    "\u2265": "\u2a7e\u2267",
    GROUP: "\u2009\u202f\u2007\u2008\u2006\u2005",
    " ": "\t\r\x0b\x0c\u3000\u2002\u2003\u2004\u200a",
    "\n": "\u2028\u2029\x85",
    "#": "\u2192\u21d2\u27f9\u2794\u279c\u21a6",
}


def _table() -> dict[int, str]:
    table = {ord(letter): letter.lower() for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}
    for sign, others in _SAME.items():
        table.update({ord(other): sign for other in others})
    for code in range(0xFF01, 0xFF5F):  # full-width forms of ASCII
        table.setdefault(code, chr(code - 0xFEE0).lower())
    for code in (
        *range(0x200B, 0x2010),
        *range(0x202A, 0x202F),
        *range(0x2060, 0x2062),
        *range(0x2063, 0x2070),
        0xFEFF,
        0x00AD,
        *range(0xFE00, 0xFE10),
    ):
        table[code] = HIDDEN
    for block in ((0x0300, 0x0370), (0x1AB0, 0x1B00), (0x1DC0, 0x1E00), (0x20D0, 0x2100), (0xFE20, 0xFE30)):
        for code in range(*block):
            table[code] = MARK
    table[0x202D] = table[0x202E] = MARK
    # Digits of other scripts have the same values; the two that mix with Latin text most are Arabic-Indic ones.
    for first in (0x0660, 0x06F0, 0x0966, 0x09E6, 0xFF10, 0x1D7CE, 0x1D7D8, 0x1D7E2, 0x1D7EC, 0x1D7F6):
        for code in range(first, first + 10):
            table[code] = str(unicodedata.digit(chr(code)))
    return table


_TABLE = _table()


def plain(text: str) -> str:
    """Return the text in small letters and plain signs, character for character: result[i] stands for text[i]."""
    return text.lower() if text.isascii() else text.translate(_TABLE)
