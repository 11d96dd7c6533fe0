"""TokenTexts: what each token adds to a text, token by token."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, final

_LONGEST = 8
"""Tokens that one character may take: four bytes, and what a tokenizer puts before them; what takes more is no UTF-8."""

_HALF = "\ufffd"


@final
class TokenTexts:
    """Decodes the tokens of one text one after the other.

    A token alone decodes to something else than within a text (SentencePiece leaves its leading blank out), and a character may take several
    tokens; the first of them add "", the last one the character.

    Parameters
    ----------
    tokenizer : of transformers
    """

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._ids: list[int] = []
        # Tokens that are decoded for context, and of all those how many have given their text.
        self._told = 0

    def add(self, token: int) -> str:
        """Return the text that one more token adds."""
        self._ids.append(token)
        before, now = self._decoded(self._ids[: self._told]), self._decoded(self._ids)
        if now.endswith(_HALF) and len(self._ids) - self._told < _LONGEST:
            return ""
        self._ids, self._told = self._ids[self._told :], len(self._ids) - self._told
        return now[len(before) :] if now.startswith(before) else self._decoded(self._ids)

    def rest(self) -> str:
        """Return what the tokens that have not given their text come to, at the end of a text."""
        before, now = self._decoded(self._ids[: self._told]), self._decoded(self._ids)
        return now[len(before) :]

    def _decoded(self, ids: list[int]) -> str:
        text: str = self._tokenizer.decode(ids, skip_special_tokens=False, clean_up_tokenization_spaces=False) if ids else ""
        return text


def token_texts(tokenizer: Any, token_ids: Iterable[int]) -> list[str]:
    """Return what each token of a text adds to it, "" for all but the last of those that make one character; together they are the text."""
    texts = TokenTexts(tokenizer)
    found = [texts.add(token) for token in token_ids]
    if found:
        found[-1] += texts.rest() if not found[-1] else ""
    return found
