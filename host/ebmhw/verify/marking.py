"""Marking: a text cut where claims begin and end, and characters that would change how it looks written out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple


class Piece(NamedTuple):
    """A part of a text within which the same spans lie.

    Attributes
    ----------
    text : its characters, never none
    spans : indices of the spans that hold it, ascending; () for text between them
    """

    text: str
    spans: tuple[int, ...]


def marked(text: str, spans: Sequence[tuple[int, int]]) -> list[Piece]:
    """Return a text as pieces, which together are the text; spans may overlap, and what reaches beyond the text is cut off."""
    edges: dict[int, list[tuple[bool, int]]] = {}
    for i, (start, end) in enumerate(spans):
        start, end = max(0, start), min(end, len(text))
        if start < end:
            edges.setdefault(start, []).append((True, i))
            edges.setdefault(end, []).append((False, i))
    pieces, at = [], 0
    inside: set[int] = set()
    for edge in sorted({*edges, len(text)}):
        if edge > at:
            pieces.append(Piece(text[at:edge], tuple(sorted(inside))))
            at = edge
        for begins, i in edges.get(edge, ()):
            if begins:
                inside.add(i)
            else:
                inside.discard(i)
    return pieces


# Controls but for tab and line feed, lone surrogates, and what turns the direction of text around or breaks its lines unseen.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)


def visible(text: str) -> str:
    """Return a text as it may be shown: what a terminal or a browser would obey rather than show stands there by its number, such as <U+001B>."""
    text = text.replace("\r\n", "\n") if "\r" in text else text
    return _UNSEEN.sub(lambda match: f"<U+{ord(match.group()):04X}>", text)
