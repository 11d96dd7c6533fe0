"""OpenAI's Responses API: output[i].content[j].logprobs[t] of messages, asked for by include=["message.output_text.logprobs"]."""

from __future__ import annotations

from typing import Any

from ebmhw.coherence.bounds.interval import TOLERANCE
from ebmhw.coherence.responses.chat import read_contents
from ebmhw.coherence.responses.fields import member, sequence
from ebmhw.coherence.responses.tokens import ListedToken
from ebmhw.errors import InvalidTrace


def read_response(response: Any, *, likeliest: bool = False, tolerance: float = TOLERANCE) -> list[ListedToken]:
    """Return the tokens of all texts of a response's messages, one after the other; parameters and errors as of `read_chat`."""
    tokens: list[ListedToken] = []
    texts = 0
    for i, item in enumerate(sequence(member(response, "output"), "output", "give a response of client.responses.create")):
        if member(item, "type") != "message":
            continue
        for j, part in enumerate(sequence(member(item, "content"), f"output[{i}].content")):
            if member(part, "type") != "output_text":
                continue
            texts += 1
            place = f"output[{i}].content[{j}].logprobs"
            logprobs = member(part, "logprobs")
            if not logprobs and member(part, "text"):  # the API gives an empty list where nobody asked
                raise InvalidTrace(f'{place} is empty; ask for include=["message.output_text.logprobs"] and top_logprobs=20')
            tokens += read_contents(logprobs or [], place, likeliest=likeliest, tolerance=tolerance)
    if not texts:
        raise InvalidTrace("output has no message with a text; give a response that has one")
    return tokens
