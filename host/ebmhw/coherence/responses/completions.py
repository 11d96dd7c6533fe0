"""Completions (the older API): choices[i].logprobs with tokens, token_logprobs and top_logprobs, a mapping of texts to log-probabilities a token."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import Any, final

from ebmhw.coherence.bounds.interval import TOLERANCE
from ebmhw.coherence.responses.fields import logprob, member, pick, sequence, text
from ebmhw.coherence.responses.tokens import Alternative, ListedToken, listed
from ebmhw.errors import InvalidTrace, shown
from ebmhw.numbers import whole


@final
@dataclass(frozen=True)
class _Row:
    text: str
    logprob: float | None
    entries: tuple[Alternative, ...] | None
    place: str

    @property
    def is_least(self) -> bool:
        """Whether no token of its list is less likely, so that it may have been added to it; at a tie either may."""
        least = min((entry.logprob for entry in self.entries or ()), default=inf)
        return any(entry.text == self.text and entry.logprob <= least for entry in self.entries or ())


def read_completion(
    response: Any, choice: int = 0, *, requested: int | None = None, likeliest: bool = False, tolerance: float = TOLERANCE
) -> list[ListedToken]:
    """Return the tokens of a choice.

    The mapping has the token itself besides the likeliest ones where it is not among them. Tokens of one text (pieces of a character, say) fall
    together in it, and one is lost. So where it has fewer entries than ``requested``, or nobody says how many that were, what is listed is no
    bound for tokens that are not.

    Parameters
    ----------
    response : of ``client.completions.create``, parsed JSON or the client's object
    choice : index of the choice
    requested : how many likely tokens were asked for (``logprobs`` of the request); None makes the bounds wider
    likeliest, tolerance : as of `read_chat`

    Raises
    ------
    InvalidTrace
        where the response was made without log-probabilities or is of another form, naming the place.
    """
    place = f"choices[{choice}].logprobs"
    logprobs = member(pick(sequence(member(response, "choices"), "choices", "give a completion"), choice, "choices"), "logprobs")
    if logprobs is None:
        raise InvalidTrace(f"{place} is null; ask for logprobs=5, or as many as the server allows")
    texts = sequence(member(logprobs, "tokens"), f"{place}.tokens")
    own = sequence(member(logprobs, "token_logprobs"), f"{place}.token_logprobs")
    tops = member(logprobs, "top_logprobs")
    tops = [None] * len(texts) if tops is None else sequence(tops, f"{place}.top_logprobs")
    if not len(texts) == len(own) == len(tops):
        raise InvalidTrace(f"{place} has {len(texts)} tokens, {len(own)} token_logprobs and {len(tops)} top_logprobs; give the response as it came")
    rows = [
        _Row(
            text(texts[t], f"{place}.tokens[{t}]"),
            logprob(own[t], f"{place}.token_logprobs[{t}]", tolerance),
            _entries(tops[t], f"{place}.top_logprobs[{t}]", tolerance),
            f"{place}.top_logprobs[{t}]",
        )
        for t in range(len(texts))
    ]
    wanted = whole(requested)
    if requested is not None and (wanted is None or wanted < 0):
        raise InvalidTrace(f"requested is {shown(requested)}; give how many likely tokens were asked for, a whole number from 0 up")
    return [_token(row, wanted, likeliest) for row in rows]


def _token(row: _Row, wanted: int | None, likeliest: bool) -> ListedToken:
    if row.entries is None:
        return ListedToken(row.text, None if row.logprob == -inf else row.logprob, (), (), 0.0, None, row.place)
    token = listed(row.text, row.logprob, row.entries, row.place, likeliest=likeliest)
    lost = wanted is None or len(row.entries) < wanted + (row.is_least and not likeliest)
    return token._replace(most=0.0) if lost else token


def _entries(top: Any, place: str, tolerance: float) -> tuple[Alternative, ...] | None:
    """Return the entries of one token's mapping; none for null, and None where one of them is unknown."""
    if top is None:
        return ()
    if not isinstance(top, Mapping):
        raise InvalidTrace(f"{place} is {shown(top)}, not a mapping of texts to log-probabilities; give the response as it came")
    values = [(text(name, place), logprob(value, f"{place}[{shown(name)}]", tolerance)) for name, value in top.items()]
    known = tuple(Alternative(name, value) for name, value in values if value is not None)
    return known if len(known) == len(values) else None
