"""How different the completions of a group are: 0 where all are the same (mode collapse), 1 where no two share a token.

The distance of two completions is 1 less the mean, over runs of 1, 2, 3 and 4 tokens, of the Dice coefficient of their sets of runs, 2 |A and B| /
(|A| + |B|); its mean over all pairs is Rao's quadratic entropy (1982) without the pairs of a completion with itself, so that it does not depend on
the size of the group. Texts of one language share common words: different answers of a model to one prompt have about .7 to .95, not 1.

Noise is as different as can be. `ordered_diversity` lets a pair count only as far as both completions are neither noise nor a loop.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from ebmhw.coherence.checks import whole_numbers
from ebmhw.coherence.known import FloatArray
from ebmhw.coherence.order.index import dispersion
from ebmhw.coherence.order.ngrams import ORDER
from ebmhw.coherence.trace import CoherenceTrace
from ebmhw.errors import InvalidTrace, shown

Ids = npt.NDArray[np.int64]

_END = -1


def diversity(completions: Sequence[CoherenceTrace | Sequence[int] | Ids]) -> float | None:
    """Return the mean distance of two completions of a group, 0 to 1; None with fewer than two that have a known token.

    Parameters
    ----------
    completions : token ids (T,) of each, unknown ones (-100) left out, or traces, of which those without ids count as unknown
    """
    known = [value for value in novelties(completions) if value is not None]
    return sum(known) / len(known) if known else None


def novelties(completions: Sequence[CoherenceTrace | Sequence[int] | Ids]) -> list[float | None]:
    """Return how far each completion is from the others on average, 0 to 1: a reward for being different; their mean is `diversity`.

    None for a completion without a known token, and for all where fewer than two have one.
    """
    return _means(completions, None)


def ordered_diversity(traces: Sequence[CoherenceTrace]) -> float | None:
    """Return the mean distance of two completions, where each pair counts as far as both are ordered: 0 for noise and copies, little for loops.

    A pair's weight is the smaller one of its completions' order * min(spread, distinct), see `ebmhw.coherence.order.index`. Traces whose dispersion
    is unknown are left out; None where fewer than two remain.
    """
    kept: list[CoherenceTrace] = []
    weights: list[float] = []
    for trace in _listed(traces):
        found = dispersion(trace)
        if found is not None:
            kept.append(trace)
            weights.append(found.order * min(found.spread, found.distinct))
    known = [value for value in _means(kept, np.array(weights)) if value is not None]
    return sum(known) / len(known) if known else None


def _means(completions: Sequence[CoherenceTrace | Sequence[int] | Ids], weights: FloatArray | None) -> list[float | None]:
    texts = [_tokens(one) for one in _listed(completions)]
    there = [at for at, text in enumerate(texts) if len(text)]
    found: list[float | None] = [None] * len(texts)
    if len(there) > 1:
        distances = pair_distances([texts[at] for at in there])
        if weights is not None:
            distances *= np.minimum.outer(weights, weights)
        for at, value in zip(there, (distances.sum(axis=1) / (len(there) - 1)).tolist(), strict=True):
            found[at] = value
    return found


def pair_distances(texts: Sequence[Ids]) -> FloatArray:
    """Return the distances of token ids (T,), none empty, as a matrix (n, n): 0 for the same, 1 for such as share no token."""
    similar = np.zeros((len(texts), len(texts)))
    owners = np.repeat(np.arange(len(texts)), [len(text) for text in texts])
    # A run may reach beyond the end, so that a text has as many runs of any order as tokens, however short it is.
    padded = [np.concatenate([text, np.full(ORDER - 1, _END)]) for text in texts]
    longest = np.concatenate([np.lib.stride_tricks.sliding_window_view(text, ORDER) for text in padded])
    numbers = np.zeros(len(longest), dtype=np.int64)
    for column in longest.T:
        # A run is the number of the one that is shorter by a token, and its last token.
        numbers = np.unique(np.stack([numbers, column], axis=1), axis=0, return_inverse=True)[1].reshape(-1)
        pairs = np.unique(np.stack([owners, numbers], axis=1), axis=0)
        runs = csr_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(len(texts), int(numbers.max()) + 1))
        sizes = np.asarray(runs.sum(axis=1)).reshape(-1)
        similar += 2 * (runs @ runs.T).toarray() / np.add.outer(sizes, sizes)
    distances: FloatArray = np.clip(1 - similar / ORDER, 0.0, 1.0)
    np.fill_diagonal(distances, 0.0)
    return distances


def _listed(completions: Any) -> list[Any]:
    try:
        return list(completions)
    except TypeError:
        raise InvalidTrace(f"a diversity is asked of {shown(completions)}; give a list of completions, token ids or a trace each") from None


def _tokens(completion: CoherenceTrace | Sequence[int] | Ids) -> Ids:
    given: Any = completion.token_ids if isinstance(completion, CoherenceTrace) else completion
    if given is None:
        return np.empty(0, dtype=np.int64)
    array = whole_numbers(given)
    if array is None:
        raise InvalidTrace(f"a completion is {shown(completion)}; give its token ids, whole numbers (T,), or a trace")
    ids: Ids = array.astype(np.int64)
    return ids[ids >= 0]
