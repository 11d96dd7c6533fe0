"""ListedToken: one token of a response with the alternatives listed beside it, and what they say of the entropy."""

from __future__ import annotations

from collections.abc import Iterable
from math import exp, inf
from typing import NamedTuple, final

import numpy as np

from ebmhw.coherence.bounds.interval import TOLERANCE, EntropyInterval
from ebmhw.coherence.bounds.trace import BoundedTrace
from ebmhw.coherence.constants import UNKNOWN_TOKEN
from ebmhw.errors import InvalidTrace

_SAME = 1e-3
"""Two log-probabilities of one text nearer than this are one entry's, which servers may have rounded in two ways."""


@final
class Alternative(NamedTuple):
    """An entry of a list of likely tokens; its log-probability in nats."""

    text: str
    logprob: float
    token_id: int | None = None


@final
class ListedToken(NamedTuple):
    """A token of a response.

    Attributes
    ----------
    text : as the response has it
    logprob : of the token, nats; None where unknown
    top : the likeliest tokens
    further : other tokens whose log-probabilities are known, among them this one where it is not in the top
    most : a log-probability that no token exceeds that is not listed
    token_id : None where unknown
    place : of the token in the response
    """

    text: str
    logprob: float | None
    top: tuple[Alternative, ...]
    further: tuple[Alternative, ...]
    most: float
    token_id: int | None
    place: str

    def entropy(self, vocab_size: int, tolerance: float = TOLERANCE) -> EntropyInterval | None:
        """Return what the entropy lies between; None where no log-probability is known."""
        if not self.top and not self.further:
            return None
        top, further = ([entry.logprob for entry in entries] for entries in (self.top, self.further))
        try:
            return EntropyInterval.of_top(top, vocab_size, further=further, most=self.most, tolerance=tolerance)
        except InvalidTrace as error:
            raise InvalidTrace(f"{self.place}: {error}") from None


def listed(
    text: str, logprob: float | None, entries: Iterable[Alternative], place: str, *, likeliest: bool, token_id: int | None = None
) -> ListedToken:
    """Return a token whose alternatives come without ranks.

    Where nothing says that they are the likeliest ones (``likeliest``), the token itself may have taken the place of one of them: servers add it
    to the list, and some cut the list to the number that was asked for. So where it is the least likely one in its list, no bound for other
    tokens is drawn from it. Entries of probability 0 ("very unlikely") bound nothing and are left out.
    """
    known = sorted((entry for entry in entries if entry.logprob > -inf), key=lambda entry: -entry.logprob)
    if logprob is None or logprob == -inf:  # "very unlikely", but the token was drawn: nothing is known of it
        return ListedToken(text, None, tuple(known), (), _least(known), token_id, place)
    own = [i for i, entry in enumerate(known) if entry.text == text and (entry.token_id is None or entry.token_id == token_id)]
    same = [i for i in own if abs(known[i].logprob - logprob) <= _SAME]
    if same:
        last = len(known) - 1
        if likeliest or (same[-1] != last and known[same[-1]].logprob > known[last].logprob):
            return ListedToken(text, logprob, tuple(known), (), _least(known), token_id, place)
        added = known.pop(same[-1])
        return ListedToken(text, logprob, tuple(known), (added,), _least(known), token_id, place)
    if own:  # two tokens of one text, or one with two numbers; which cannot be told, so the token itself is not counted
        others = [entry for i, entry in enumerate(known) if i not in own]
        return ListedToken(text, logprob, tuple(known), (), _least(others), token_id, place)
    if known and logprob > known[-1].logprob + _SAME:
        raise InvalidTrace(
            f"{place}: the token has log-probability {logprob:.6g} and is not listed, but {known[-1].logprob:.6g} is; give the response as it came"
        )
    return ListedToken(text, logprob, tuple(known), (Alternative(text, logprob, token_id),), max(_least(known), logprob), token_id, place)


def _least(known: list[Alternative]) -> float:
    return known[-1].logprob if known else 0.0


def trace_of(tokens: Iterable[ListedToken], vocab_size: int, tolerance: float = TOLERANCE) -> BoundedTrace:
    """Return the trace of tokens; those without any known log-probability become unknown."""
    kept = list(tokens)
    intervals = [token.entropy(vocab_size, tolerance) for token in kept]
    ids = None if all(token.token_id is None for token in kept) else np.array([UNKNOWN_TOKEN if t.token_id is None else t.token_id for t in kept])
    return BoundedTrace(
        np.array([np.nan if one is None else one.low for one in intervals]),
        np.array([np.nan if one is None else one.high for one in intervals]),
        np.array([np.nan if token.logprob is None else exp(token.logprob) for token in kept]),
        vocab_size,
        tuple(token.text for token in kept),
        ids,
    )
