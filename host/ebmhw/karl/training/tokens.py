"""Tokens of an example: which of them the model is to learn, and what is left where there are too many."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, final

from ebmhw.errors import ConfigError

KEPT = 8
"""Tokens of a prompt that stay where the target alone is too long: what tells the model that it is its turn."""

Message = Mapping[str, str]
Span = tuple[int, int]
Spans = Callable[[str], Sequence[Span]]
"""Returns parts of an assistant's text, from character to character, ascending and apart."""


class Tokens(NamedTuple):
    """An example as a model reads it.

    Attributes
    ----------
    ids : of its tokens
    target : of each whether it is learnt or judged: the assistant's text, and the token that ends it
    group : of each the index of the marked part that it is of, -1 for none
    cut : tokens that were left out
    marked : texts of the marked parts, which groups count from 0
    """

    ids: tuple[int, ...]
    target: tuple[bool, ...]
    group: tuple[int, ...]
    cut: int = 0
    marked: tuple[str, ...] = ()


class Piece(NamedTuple):
    """A stretch of an example's text; ``content`` is what the assistant said in it, None for the others' part."""

    text: str
    content: str | None


@final
class Template:
    """How a model's tokenizer writes conversations.

    Parameters
    ----------
    tokenizer : of transformers, with a chat template
    name : of the model, for messages
    """

    def __init__(self, tokenizer: Any, name: str) -> None:
        self._tokenizer, self._name = tokenizer, name
        self.end: int | None = tokenizer.eos_token_id

    def render(self, messages: Sequence[Message], asking: bool) -> str:
        """Return messages as text, ``asking`` with what tells the model that it is its turn.

        Raises
        ------
        ConfigError : the tokenizer has no chat template, or it does not take these messages
        """
        try:
            return str(self._tokenizer.apply_chat_template([dict(one) for one in messages], tokenize=False, add_generation_prompt=asking))
        except Exception as error:  # jinja2 and transformers raise what they like
            raise ConfigError(
                f"model {self._name} cannot put messages into its chat template ({type(error).__name__}: {' '.join(str(error).split())[:200]}); "
                "give a model for chats",
                context={"key": "model"},
            ) from error

    def encode(self, text: str) -> tuple[list[int], list[Span]]:
        """Return the ids of a text's tokens, and from which character to which each goes."""
        found = self._tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
        return list(found["input_ids"]), [(int(first), int(last)) for first, last in found["offset_mapping"]]

    def pieces(self, messages: Sequence[Message]) -> list[Piece]:
        """Return a conversation in pieces, prompts and answers in turn; joined they are its text up to its last answer.

        Chat templates rarely mark what the assistant says (``{% generation %}``; that of SmolLM2 does not). An answer is what the conversation up
        to it has more than the one that asks for it; what the assistant says first of all answers nothing.

        Raises
        ------
        ConfigError : the template writes a conversation anew where it goes on, so that no part of it is the answer's
        """
        pieces: list[Piece] = []
        done = ""
        for place, message in enumerate(messages):
            # What opens a conversation answers nothing; templates do not ask for it.
            if message["role"] != "assistant" or not place:
                continue
            asked, answered = self.render(messages[:place], True), self.render(messages[: place + 1], False)
            if not (asked.startswith(done) and answered.startswith(asked)):
                raise ConfigError(
                    f"the chat template of {self._name} does not append an answer to what asked for it, so that its tokens cannot be told apart; "
                    "give a model whose template does",
                    context={"key": "model"},
                )
            pieces += [Piece(asked[len(done) :], None), Piece(answered[len(asked) :], message["content"])]
            done = answered
        return pieces

    def tokens(self, messages: Sequence[Message], spans: Spans | None = None) -> Tokens:
        """Return the tokens of a conversation up to its last answer; ``spans`` marks parts of answers.

        Each piece has tokens of its own, as when a model generates: no token is half prompt and half answer.
        """
        ids: list[int] = []
        target: list[bool] = []
        group: list[int] = []
        marked: list[str] = []
        for piece in self.pieces(messages):
            found, offsets = self.encode(piece.text)
            ids += found
            if piece.content is None:
                target += [False] * len(found)
                group += [-1] * len(found)
                continue
            target += learnt(found, self.end)
            parts = _placed(piece, spans(piece.content)) if spans is not None else []
            group += [-1 if at is None else len(marked) + at for at in grouped(offsets, parts)]
            marked += [piece.text[first:last] for first, last in parts]
        if target and target[0]:
            # No output is before the first token.
            target[0] = False
        return Tokens(tuple(ids), tuple(target), tuple(group), 0, tuple(marked))


def learnt(ids: Sequence[int], end: int | None) -> list[bool]:
    """Return which tokens of an answer's piece a model is to write: all up to the last ``end``, after which templates put what it never writes."""
    last = max((place for place, token in enumerate(ids) if token == end), default=len(ids) - 1)
    return [place <= last for place in range(len(ids))]


def grouped(offsets: Sequence[Span], parts: Sequence[Span]) -> list[int | None]:
    """Return of each token the part of the text that it shares a character with, None where there is none; linear in both."""
    found: list[int | None] = []
    at = 0
    for first, last in offsets:
        while at < len(parts) and parts[at][1] <= first:
            at += 1
        found.append(at if at < len(parts) and parts[at][0] < last and first < last else None)
    return found


def shortened(tokens: Tokens, limit: int) -> Tokens:
    """Return at most ``limit`` tokens: the prompt loses its start, all but `KEPT` of it, and only then the target its end."""
    over = len(tokens.ids) - limit
    if over <= 0:
        return tokens
    prompt = next((place for place, wanted in enumerate(tokens.target) if wanted), len(tokens.ids))
    first = min(over, max(0, prompt - KEPT))
    part = slice(first, first + limit)
    group = tokens.group[part]
    after = tokens.group[first + limit] if first + limit < len(tokens.ids) else -1
    # A marked part that goes on behind the end is none any more.
    return Tokens(tokens.ids[part], tokens.target[part], tuple(-1 if one == after else one for one in group), over, tokens.marked)


def _placed(piece: Piece, spans: Sequence[Span]) -> list[Span]:
    """Return spans of an answer as spans of its piece: templates put something around it, and may take blanks from its ends."""
    content = piece.content or ""
    start = piece.text.find(content)
    if start < 0:
        stripped = content.strip()
        start = piece.text.find(stripped) - content.find(stripped)
        if stripped not in piece.text:
            return []
    return [(start + first, start + last) for first, last in spans]
