"""Token: a piece of a text."""

from __future__ import annotations

from typing import final


@final
class Token:
    """A piece of a text, as the grammar and the lark parser know it.

    Attributes
    ----------
    type : "NUM", "OP", "REL", "WORD", ...
    value : canonical
    start, end : characters of the text
    """

    __slots__ = ("end", "start", "type", "value")
    # What lark asks of the last token to place an error at the end of the input.
    start_pos = line = column = end_line = end_column = end_pos = 0

    def __init__(self, type: str, value: str, start: int, end: int) -> None:
        self.type, self.value, self.start, self.end = type, value, start, end

    def __repr__(self) -> str:
        return f"{self.type}({self.value!r})"
