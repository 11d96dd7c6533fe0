"""LanguageModel: messages in, completions with their log-probabilities out."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, final

from ebmhw.errors import ModelError, VerificationError, shown
from ebmhw.numbers import whole
from ebmhw.verify.deadline import Deadline

Role = Literal["system", "user", "assistant"]
Finish = Literal["stop", "length", "time"]

ROLES = ("system", "user", "assistant")
MOST_COMPLETIONS = 1024
MOST_TOKENS = 1 << 20


class Message(NamedTuple):
    """One turn of a conversation."""

    role: Role
    content: str


class Completion(NamedTuple):
    """What a model wrote.

    Attributes
    ----------
    text : the words
    logprob : log-probability of all generated tokens together, nats, under the model's own distribution (temperature 1); None where
        the model does not tell
    tokens : how many tokens were generated, the one that ends the text counted; None where the model does not tell
    finish : "stop" where the model ended the text, "length" where max_tokens or the model's context did, "time" where the limit did
    """

    text: str
    logprob: float | None
    tokens: int | None
    finish: Finish


class LanguageModel(ABC):
    """Continues a conversation."""

    @property
    @abstractmethod
    def name(self) -> str:
        """What reports and certificates call it; holds no secret."""

    @final
    def generate(
        self,
        messages: Sequence[Message],
        *,
        n: int = 1,
        max_tokens: int = 256,
        temperature: float = 0.0,
        seed: int | None = None,
        time_limit: float | None = 60.0,
    ) -> list[Completion]:
        """Return n answers to a conversation; fewer, but at least one, where time was over or the model failed before all were there.

        Parameters
        ----------
        n : 1 to 1024
        max_tokens : of each answer, 1 to 2^20
        temperature : 0 always takes the likeliest token; above 0 up to 10, tokens are drawn with probabilities to the power 1 / temperature
        seed : a whole number of at least 0, of which the low 63 bits count; makes draws repeatable where the model can;
            None for other draws each time
        time_limit : seconds for all answers together; None for no limit

        Raises
        ------
        VerificationError : an argument is outside its range
        ModelError : the model did not answer as it should, or not in time
        """
        sampling = Sampling.of(n, max_tokens, temperature, seed, time_limit)
        return self._answers(conversation(messages), sampling)

    @abstractmethod
    def _answers(self, turns: tuple[Message, ...], sampling: Sampling) -> list[Completion]:
        """Return ``sampling.n`` answers to a checked conversation; `generate` says what about fewer, and which errors."""


@final
@dataclass(frozen=True)
class Sampling:
    """The checked arguments of `LanguageModel.generate`, its time running."""

    n: int
    max_tokens: int
    temperature: float
    seed: int | None
    deadline: Deadline

    @classmethod
    def of(cls, n: int, max_tokens: int, temperature: float, seed: int | None, time_limit: float | None) -> Sampling:
        """Return them, or raise VerificationError for the first that is outside its range."""
        number = _whole("n", n, 1, MOST_COMPLETIONS)
        tokens = _whole("max_tokens", max_tokens, 1, MOST_TOKENS)
        # 63 bits are what endpoints take.
        start = None if seed is None else _whole("seed", seed, 0, (1 << 65) - 1) % (1 << 63)
        if isinstance(temperature, bool) or not isinstance(temperature, (int, float)) or not 0 <= temperature <= 10:
            raise VerificationError(f"temperature is {shown(temperature)}; give 0 (always the likeliest token) to 10")
        return cls(number, tokens, float(temperature), start, Deadline(time_limit))


def _whole(name: str, value: object, least: int, most: int) -> int:
    number = whole(value)
    if number is None or not least <= number <= most:
        raise VerificationError(f"{name} of a language model is {shown(value)}; give a whole number from {least} to {most}")
    return number


def conversation(messages: Sequence[Message]) -> tuple[Message, ...]:
    """Return the messages checked: at least one, of known roles, the last not the assistant's."""
    found = tuple(Message(*message) for message in messages)
    if not found:
        raise VerificationError("there are no messages; give at least one, Message('user', ...)")
    for number, message in enumerate(found, 1):
        if message.role not in ROLES:
            raise VerificationError(f"message {number} has the role {shown(message.role)}; give one of {', '.join(ROLES)}")
        if not isinstance(message.content, str):
            raise VerificationError(f"message {number} holds {type(message.content).__name__}; give text")
    if found[-1].role == "assistant":
        raise VerificationError("the last message is the assistant's; end with the user's, which the model is to answer")
    return found


_SPEAKERS = {"system": "System", "user": "User", "assistant": "Assistant"}

PLAIN_STOP = "\nUser:"
"""Where the answer to `as_plain_text` ends: there the model starts to speak for the user."""


def as_plain_text(messages: Sequence[Message]) -> str:
    """Return a conversation for models that only continue a text; the text to come is the assistant's."""
    turns = [f"{_SPEAKERS[message.role]}: {message.content}" for message in messages]
    return "\n\n".join([*turns, "Assistant:"])


def plain_answer(text: str) -> str:
    """Return the answer within what continues `as_plain_text`."""
    return text.partition(PLAIN_STOP)[0].strip()


def check_unicode(text: str, who: str) -> None:
    """Raise ModelError for text that has no UTF-8 form (half a surrogate pair), which no hash could be taken of."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ModelError(f"{who} answered {shown(text[error.start])} at character {error.start}, half of a surrogate pair; that is no text") from None


def checked_logprob(value: object) -> float | None:
    """Return a log-probability, nats, or None for what cannot be one: not a number, not finite, above 0 by more than rounding."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value) or value > 1e-3:
        return None
    return min(float(value), 0.0)
