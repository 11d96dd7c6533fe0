"""Two tests of tokens against noise: whether they are any tokens, and whether the logits knew them.

Noise here is logits whose rows are independent, and each as likely as with its entries in any other order; strength and distribution may be any, and
may differ from row to row.

- Tokens that are taken out of such rows, likeliest or drawn, are independent and uniform over the vocabulary: `uniform_p`.
- Tokens that come from elsewhere have probability 1 / V under such rows on average, so the product of V p has mean 1: `knowledge_p`.
"""

from __future__ import annotations

from math import exp, log

import numpy as np
import numpy.typing as npt
from scipy.special import gammaincc, pdtrc

from ebmhw.coherence.known import FloatArray

Ids = npt.NDArray[np.int64]


def uniform_p(token_ids: Ids, vocab_size: int) -> float:
    """Return the p-value of tokens (T,), 0..V-1, being uniform: twice the smaller one of `collision_p` and `rank_p`, at most 1."""
    return min(1.0, 2 * min(collision_p(token_ids, vocab_size), rank_p(token_ids, vocab_size)))


def collisions(token_ids: Ids) -> int:
    """Return how many pairs of positions hold the same token."""
    counts = np.unique(token_ids, return_counts=True)[1].astype(np.int64)
    return int((counts * (counts - 1) // 2).sum())


def collision_p(token_ids: Ids, vocab_size: int) -> float:
    """Return the probability that uniform tokens coincide in as many pairs, the index of coincidence of Friedman (1922).

    The pairs that coincide are pairwise independent, T (T - 1) / (2 V) on average. They are nearly Poisson with few tokens and their chi-square is
    one of V - 1 degrees with many; the larger of both tails is returned. Measured on texts of 16 to 4,096 uniform tokens, V = 2 to 151,936:
    p of 5e-4 and less in at most 13 of 10,000.
    """
    found, count = collisions(token_ids), len(token_ids)
    if not found:
        return 1.0
    poisson = float(pdtrc(found - 1, count * (count - 1) / 2 / vocab_size))
    chi_square = (2 * found + count) * vocab_size / count - count
    return max(poisson, float(gammaincc((vocab_size - 1) / 2, chi_square / 2)))


def rank_p(token_ids: Ids, vocab_size: int) -> float:
    """Return the probability that uniform tokens have ids as low, by the sum of -ln((id + 1) / V), which is at most a Gamma(T) variate.

    Most tokenizers number common tokens first (byte-pair encodings in the order of merging, SentencePiece by score), so that ids of text are low;
    with one that does not the test has no power, but its level holds.
    """
    total = float(-np.log((token_ids + 1) / vocab_size).sum())
    return float(gammaincc(len(token_ids), total)) if len(token_ids) else 1.0


def knowledge_p(surprisal: FloatArray, vocab_size: int) -> float:
    """Return a bound of the probability that noise gives tokens from elsewhere surprisals (T,), in nats, as low: exp(-sum(ln V - surprisal)).

    By Markov's inequality for the product of V p, whose mean is 1.
    """
    return exp(-max(0.0, float((log(vocab_size) - surprisal).sum())))
