"""Chat completions: choices[i].logprobs.content[t], each with token, logprob and top_logprobs; as one response, or the chunks of a stream."""

from __future__ import annotations

from typing import Any

from ebmhw.coherence.bounds.interval import TOLERANCE
from ebmhw.coherence.responses.fields import logprob, member, pick, sequence, text
from ebmhw.coherence.responses.tokens import Alternative, ListedToken, listed
from ebmhw.errors import InvalidTrace

_ASK = "ask for logprobs=True and top_logprobs=20"


def read_chat(response: Any, choice: int = 0, *, likeliest: bool = False, tolerance: float = TOLERANCE) -> list[ListedToken]:
    """Return the tokens of a choice.

    Parameters
    ----------
    response : of ``client.chat.completions.create``, parsed JSON or the client's object; or the list of a stream's chunks
    choice : index of the choice
    likeliest : the server is known to list the likeliest tokens and no other, as OpenAI does; vLLM puts the token itself in the place of the last
    tolerance : how far a log-probability may be above 0, nats

    Raises
    ------
    InvalidTrace
        where the response was made without log-probabilities or is of another form, naming the place.
    """
    if isinstance(response, (list, tuple)):
        chunks = [content for i, chunk in enumerate(response) if (content := _content(chunk, choice, f"[{i}].", whole=False)) is not None]
        if response and not chunks:
            raise InvalidTrace(f"no chunk of the stream has log-probabilities for choice {choice}; {_ASK}")
        return [token for content, place in chunks for token in read_contents(content, place, likeliest=likeliest, tolerance=tolerance)]
    found = _content(response, choice, "", whole=True)
    assert found is not None  # whole ones are, or are refused
    return read_contents(*found, likeliest=likeliest, tolerance=tolerance)


def _content(response: Any, choice: int, before: str, *, whole: bool) -> tuple[Any, str] | None:
    choices = sequence(member(response, "choices"), f"{before}choices", "give a chat completion")
    if not whole:  # a chunk has some of the choices, each with its index, or none
        picked = next((one for one in choices if member(one, "index") == choice), None)
        if picked is None:
            return None
    else:
        picked = pick(choices, choice, "choices")
    place = f"{before}choices[{choice}].logprobs"
    logprobs = member(picked, "logprobs")
    content = None if logprobs is None else member(logprobs, "content")
    if content is None and logprobs is not None:
        content, name = member(logprobs, "refusal"), "refusal"
    else:
        name = "content"
    if content is None:
        if whole:
            raise InvalidTrace(f"{place} is null; {_ASK}")
        return None
    return content, f"{place}.{name}"


def read_contents(content: Any, place: str, *, likeliest: bool, tolerance: float) -> list[ListedToken]:
    """Return the tokens of a list of objects with token, logprob and top_logprobs."""
    return [_token(entry, f"{place}[{t}]", likeliest, tolerance) for t, entry in enumerate(sequence(content, place))]


def _token(entry: Any, place: str, likeliest: bool, tolerance: float) -> ListedToken:
    if member(entry, "token") is None:
        raise InvalidTrace(f"{place} has no token; give the response as it came")
    own_text = text(member(entry, "token"), f"{place}.token")
    own = logprob(member(entry, "logprob"), f"{place}.logprob", tolerance)
    alternatives = []
    top = member(entry, "top_logprobs")
    for i, one in enumerate(() if top is None else sequence(top, f"{place}.top_logprobs")):
        where = f"{place}.top_logprobs[{i}]"
        value = logprob(member(one, "logprob"), f"{where}.logprob", tolerance)
        if value is None:  # an entry of unknown probability may be the likeliest: what is listed bounds nothing
            return ListedToken(own_text, None if own == float("-inf") else own, (), (), 0.0, None, place)
        alternatives.append(Alternative(text(member(one, "token"), f"{where}.token"), value))
    return listed(own_text, own, alternatives, place, likeliest=likeliest)
