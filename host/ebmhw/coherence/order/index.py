"""The dispersion index: 0 for noise of any strength, for certainty that never changes and for repetition; high where tokens follow from logits.

Why phi alone cannot do it: permute the entries of each row of a real model's logits, each row its own way, and the tokens along with them. Phi,
entropy and surprisal stay what they were, bit by bit, and so does everything made of them (Kuramoto's R, the composite reward), but what is left is
noise. Only the tokens tell. So the index is

    order * min(gain, spread, distinct)

    order     how surely the tokens are no noise's, by two exact tests (`ebmhw.coherence.order.uniformity`); 0 for p of 5e-4 and more,
              1 from 1e-6 down
    gain      1 - mean surprisal / ln V: what the logits knew of the tokens. 0 for uniform logits
    spread    how much certainty varies: the variance of the entropy over its mean (the index of dispersion), over .4615 nats, its value for
              strong noise (`FROZEN`); at most 1. 0 where every token has the same entropy
    distinct  the share of runs of four tokens that are new. 0 where one token is repeated, small in loops

and the least of them says what is missing. False alarms: noise (independent rows, no entry favoured) has an index above 0 with probability below
1e-3, at any length, vocabulary, strength and distribution, by construction of the tests.

Peaked logits (the same margin in every row) and collapsed ones (the same distribution, the same token or the same few tokens over and over) have an
index near 0 like noise: it asks whether there is something to tell, not whether the model is sure. `ebmhw.coherence.order.regimes` tells them apart.

Limits. It needs the tokens and 16 of them; some 64 where the tokenizer does not number common tokens first. It does not see meaning: rows that
favour common tokens regardless of what came before, each row at a temperature of its own, pass for a model's. A mask that leaves few tokens of a
large vocabulary looks like knowledge. High temperatures lower it with the gain, down to noise.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log, pi
from typing import Any, final

import numpy as np

from ebmhw.coherence.checks import whole_numbers
from ebmhw.coherence.constants import UNKNOWN_TOKEN
from ebmhw.coherence.known import FloatArray, vector
from ebmhw.coherence.order.ngrams import distinct
from ebmhw.coherence.order.uniformity import Ids, knowledge_p, uniform_p
from ebmhw.coherence.trace import CoherenceTrace
from ebmhw.errors import InvalidTrace, shown
from ebmhw.numbers import whole

MIN_TOKENS = 16
"""With fewer known tokens nothing is said."""

FALSE_ALARM, SURE = 5e-4, 1e-6
"""p-values from which down there is order at all, and full order."""

FROZEN = 0.7591797394709622 / (pi**2 / 6)
"""Variance over mean of the entropy, in nats, of independent logits of one distribution so strong that two entries at most count.

Their two largest entries differ by g, uniform near 0; the entropy is that of a coin of probability 1 / (1 + e^g), h(g), and the ratio is the integral
of h^2 over that of h. Measured: normal, Laplace and Student (3) noise .44 to .51 nats, at V = 1,000 to 151,936, where phi is above .9.
"""


@final
@dataclass(frozen=True)
class Dispersion:
    """What the tokens and entropies of a trace say of noise.

    Attributes
    ----------
    n_tokens : tokens of which id, entropy and probability are known
    phi : mean over them
    order, gain, spread, distinct : the parts of the index, 0 to 1
    p_uniform, p_knowledge : the tests' p-values, of which the larger one makes `order`
    """

    n_tokens: int
    phi: float
    order: float
    gain: float
    spread: float
    distinct: float
    p_uniform: float
    p_knowledge: float

    @property
    def index(self) -> float:
        """order * min(gain, spread, distinct), 0 to 1."""
        return self.order * min(self.gain, self.spread, self.distinct)

    @property
    def weakest(self) -> str:
        """The part that keeps the index from being higher: "order" below 1, else the least of the others."""
        return "order" if self.order < 1 else min(("gain", "spread", "distinct"), key=lambda name: float(getattr(self, name)))


def dispersion_index(trace: CoherenceTrace) -> float | None:
    """Return the dispersion index of a trace, 0 (noise, monotony, repetition) to 1; None with fewer than 16 tokens of which all is known."""
    found = dispersion(trace)
    return None if found is None else found.index


def dispersion(trace: CoherenceTrace) -> Dispersion | None:
    """Return the dispersion index of a trace in its parts; None with fewer than 16 tokens of which id, entropy and probability are known."""
    if not isinstance(trace, CoherenceTrace):
        raise InvalidTrace(f"a dispersion index is asked of {shown(trace)}; give one CoherenceTrace, or call it for each of several")
    if trace.token_ids is None:
        return None
    return dispersion_of(trace.entropy, trace.selected_prob, trace.token_ids, trace.vocab_size)


def dispersion_of(entropy: Any, selected_prob: Any, token_ids: Any, vocab_size: int) -> Dispersion | None:
    """Return the same of arrays (T,): entropies in nats, probabilities of the chosen tokens, and their ids, 0..V-1 or -100 where unknown."""
    size = whole(vocab_size)
    if size is None or size < 2:
        raise InvalidTrace(f"vocab_size is {shown(vocab_size)}; a dispersion index needs a vocabulary of 2 or more")
    nats, chosen, ids = vector(entropy, "entropy"), vector(selected_prob, "selected_prob"), _tokens(token_ids, size)
    if not len(nats) == len(chosen) == len(ids):
        raise InvalidTrace(f"entropy, selected_prob and token_ids have {len(nats)}, {len(chosen)} and {len(ids)} values; give one a token each")
    known = (ids >= 0) & ~np.isnan(nats) & ~np.isnan(chosen)
    new = distinct(np.where(known, ids, UNKNOWN_TOKEN), size)
    if known.sum() < MIN_TOKENS or new is None:
        return None
    nats, ids, most = nats[known], ids[known], log(size)
    surprisal = -np.log(np.maximum(chosen[known], 5e-324))
    by_chance, by_luck = uniform_p(ids, size), knowledge_p(surprisal, size)
    return Dispersion(
        n_tokens=len(ids),
        phi=_share(1 - float(nats.mean()) / most),
        order=_order(max(by_chance, by_luck)),
        gain=_share(1 - float(surprisal.mean()) / most),
        spread=_share(index_of_dispersion(nats) / FROZEN),
        distinct=new,
        p_uniform=by_chance,
        p_knowledge=by_luck,
    )


def index_of_dispersion(entropy: FloatArray) -> float:
    """Return the variance of entropies (T,) over their mean, in nats; 0 where all are 0 or none is there.

    Of logits that are independent normal, Laplace or uniform noise of one strength it is .6 at most. It is no test of noise: noise with heavy
    tails, or of another strength in every row, reaches any value.
    """
    mean = float(entropy.mean()) if entropy.size else 0.0
    return float(entropy.var()) / mean if mean > 0 else 0.0


def _order(p: float) -> float:
    return 1.0 if p <= SURE else _share(log(FALSE_ALARM / p) / log(FALSE_ALARM / SURE))


def _share(value: float) -> float:
    return min(1.0, max(0.0, value))


def _tokens(token_ids: Any, size: int) -> Ids:
    array = whole_numbers(token_ids)
    if array is None:
        raise InvalidTrace(f"token_ids are {shown(token_ids)}; give whole numbers (T,), {UNKNOWN_TOKEN} where one is unknown")
    ids: Ids = array.astype(np.int64)
    bad = np.flatnonzero((ids >= size) | ((ids < 0) & (ids != UNKNOWN_TOKEN)))
    if bad.size:
        raise InvalidTrace(f"token_ids[{int(bad[0])}] is {int(ids[bad[0]])}; give 0 to {size - 1}, or {UNKNOWN_TOKEN} where one is unknown")
    return ids
