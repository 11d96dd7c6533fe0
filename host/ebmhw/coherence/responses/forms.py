"""Responses of any known form, told apart by their members."""

from __future__ import annotations

from typing import Any

from ebmhw.coherence.bounds.interval import TOLERANCE
from ebmhw.coherence.bounds.trace import BoundedTrace
from ebmhw.coherence.responses.chat import read_chat
from ebmhw.coherence.responses.completions import read_completion
from ebmhw.coherence.responses.fields import member, pick, sequence
from ebmhw.coherence.responses.openai import read_response
from ebmhw.coherence.responses.tokens import ListedToken, trace_of
from ebmhw.coherence.responses.vllm import read_vllm
from ebmhw.errors import InvalidTrace, shown

_FORMS = "give a chat completion or its chunks, a completion, a response of OpenAI's Responses API, or a RequestOutput of vLLM"


def read_tokens(
    response: Any, choice: int = 0, *, likeliest: bool = False, requested: int | None = None, tolerance: float = TOLERANCE
) -> list[ListedToken]:
    """Return the tokens of a response of any form; parameters and errors as of `read_chat` and `read_completion`."""
    if isinstance(response, (list, tuple)):
        return read_chat(response, choice, likeliest=likeliest, tolerance=tolerance)
    if member(response, "choices") is not None:
        picked = pick(sequence(member(response, "choices"), "choices"), choice, "choices")
        if member(member(picked, "logprobs"), "tokens") is not None or member(picked, "text") is not None:
            return read_completion(response, choice, requested=requested, likeliest=likeliest, tolerance=tolerance)
        return read_chat(response, choice, likeliest=likeliest, tolerance=tolerance)
    if member(response, "outputs") is not None:
        return read_vllm(response, choice, tolerance=tolerance)
    if member(response, "output") is not None:
        return read_response(response, likeliest=likeliest, tolerance=tolerance)
    raise InvalidTrace(f"{shown(response)} is no response with log-probabilities; {_FORMS}")


def bounded_trace(
    response: Any,
    vocab_size: int,
    choice: int = 0,
    *,
    likeliest: bool = False,
    requested: int | None = None,
    tolerance: float = TOLERANCE,
) -> BoundedTrace:
    """Return what a response says of its tokens.

    Parameters
    ----------
    response : see `read_tokens`
    vocab_size : entries of the model's vocabulary, which no response tells
    choice, likeliest, requested, tolerance : as of `read_chat` and `read_completion`; tolerance is also how far each log-probability may be off

    Raises
    ------
    InvalidTrace
        for a response without log-probabilities, of another form, or with numbers that no distribution has, naming the place.
    """
    return trace_of(read_tokens(response, choice, likeliest=likeliest, requested=requested, tolerance=tolerance), vocab_size, tolerance)
