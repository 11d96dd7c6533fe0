"""Families of generated logits, each as traces: uniform, noise of many kinds, peaked, collapsed, and one that fools the index."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, final

import numpy as np
import numpy.typing as npt

import ebmhw
from ebmhw.coherence.trace import CoherenceTrace

VOCABULARY = 32_000
TOKENS = 64
"""Of every trace in the tables."""

GROUP = 8
"""Completions of a group whose diversity is measured."""

KINDS = ("uniform", "noise", "peaked", "collapsed", "model")

_BLOCK_ENTRIES = 1 << 22

Rng = np.random.Generator
FloatArray = npt.NDArray[np.floating[Any]]
Ids = npt.NDArray[np.int64]
Rows = Callable[[Rng, Ids, Ids, int], FloatArray]
"""Logits (n, V) of rows: generator, numbers of the rows within their trace (n,), tokens that may be given to them (n,), V."""


@final
class Family(NamedTuple):
    """Traces of one origin.

    Attributes
    ----------
    name : of the row in the table
    kind : what it is, one of `KINDS`, or "limit" where the index is known to be fooled
    traces : the traces, of `TOKENS` tokens each
    """

    name: str
    kind: str
    traces: list[CoherenceTrace]


@final
class Source(NamedTuple):
    """How a family is generated: ``tokens`` are "drawn" from the logits, or "text", ids of Zipf frequencies that are there before."""

    name: str
    kind: str
    rows: Rows
    tokens: str = "drawn"
    vocabulary: int = VOCABULARY


def _normal(scale: float) -> Rows:
    return lambda rng, at, ids, size: rng.standard_normal((len(at), size), dtype=np.float32) * np.float32(scale)


def _laplace(scale: float) -> Rows:
    return lambda rng, at, ids, size: rng.laplace(0, scale, (len(at), size))


def _student(scale: float) -> Rows:
    return lambda rng, at, ids, size: rng.standard_t(3, (len(at), size)) * scale


def _any_strength(rng: Rng, at: Ids, ids: Ids, size: int) -> FloatArray:
    return rng.standard_normal((len(at), size), dtype=np.float32) * np.exp(rng.uniform(np.log(0.5), np.log(20), (len(at), 1))).astype(np.float32)


def _peak(margin: float, noise: float, given: bool) -> Rows:
    def rows(rng: Rng, at: Ids, ids: Ids, size: int) -> FloatArray:
        logits = _normal(noise)(rng, at, ids, size)
        logits[np.arange(len(at)), ids if given else rng.integers(0, size, len(at))] += margin
        return logits

    return rows


def _one_row(rng: Rng, at: Ids, ids: Ids, size: int) -> FloatArray:
    # A row for each trace: the generator's next number is the same for all rows of a block, and blocks begin with a trace.
    logits = np.empty((len(at), size), dtype=np.float32)
    for number in range(len(at)):
        logits[number] = rng.standard_normal(size, dtype=np.float32) * 3 if at[number] == 0 else logits[number - 1]
    return logits


def _loop(rng: Rng, at: Ids, ids: Ids, size: int) -> FloatArray:
    """Eight tokens over and over, with margins as a model in a loop has them: large, and never the same."""
    logits = rng.standard_normal((len(at), size), dtype=np.float32)
    first = np.flatnonzero(at == 0)
    logits[np.arange(len(at)), ids[first[np.searchsorted(first, np.arange(len(at)), side="right") - 1] + at % 8]] += rng.normal(18, 3, len(at))
    return logits


def _common(rng: Rng, at: Ids, ids: Ids, size: int) -> FloatArray:
    logits: FloatArray = -np.log(np.arange(1.0, size + 1)) * rng.uniform(0.8, 3, (len(at), 1))
    return logits


SOURCES = (
    Source("uniform", "uniform", _normal(0.0)),
    Source("uniform, on text", "uniform", _normal(0.0), "text"),
    Source("normal 1", "noise", _normal(1)),
    Source("normal 3", "noise", _normal(3)),
    Source("normal 6", "noise", _normal(6)),
    Source("normal 20", "noise", _normal(20)),
    Source("normal 6, V = 1,000", "noise", _normal(6), vocabulary=1000),
    Source("normal 6, V = 151,936", "noise", _normal(6), vocabulary=151_936),
    Source("normal .5 to 20 by row", "noise", _any_strength),
    Source("Laplace 1", "noise", _laplace(1)),
    Source("Laplace 3", "noise", _laplace(3)),
    Source("Student t3", "noise", _student(0.3)),
    Source("normal 3, margin 15", "noise", _peak(15, 3, given=False)),
    Source("normal 3, on text", "noise", _normal(3), "text"),
    Source("normal 20, on text", "noise", _normal(20), "text"),
    Source("peaked", "peaked", _peak(20, 0, given=False)),
    Source("peaked, on text", "peaked", _peak(20, 0, given=True), "text"),
    Source("one distribution", "collapsed", _one_row),
    Source("loop of 8 tokens", "collapsed", _loop),
    Source("common tokens, any T", "limit", _common),
)


def generated(source: Source, count: int, seed: int, tokens: int = TOKENS, vocabulary: int | None = None) -> Family:
    """Return ``count`` traces of a family, with another vocabulary than its own where one is given; the same seed gives the same ones."""
    vocabulary = source.vocabulary if vocabulary is None else vocabulary
    rng = np.random.default_rng([seed, vocabulary, tokens, *source.name.encode()])
    backend = ebmhw.get_backend("cpu", threads=1)
    step = max(1, _BLOCK_ENTRIES // (vocabulary * tokens))
    traces: list[CoherenceTrace] = []
    for start in range(0, count, step):
        length = min(step, count - start)
        ids = zipf(rng, length * tokens, vocabulary)
        logits = source.rows(rng, np.tile(np.arange(tokens), length), ids, vocabulary).astype(np.float32, copy=False)
        if source.tokens == "drawn":
            ids = drawn(rng, logits)
        records = backend.phi(logits, chosen=ids)
        for first in range(0, length * tokens, tokens):
            part = slice(first, first + tokens)
            traces.append(CoherenceTrace.from_records(records[part], vocabulary, token_ids=ids[part]))
    return Family(source.name, source.kind, traces)


def zipf(rng: Rng, count: int, vocabulary: int) -> Ids:
    """Return ids (count,) such that id + 1 has a probability that falls with its inverse, as ids of a text's tokens have."""
    ids: Ids = (np.exp(rng.random(count) * np.log(vocabulary + 1)) - 1).astype(np.int64)
    return np.minimum(ids, vocabulary - 1)


def drawn(rng: Rng, logits: FloatArray) -> Ids:
    """Return a token for each row of logits (n, V), drawn from its distribution."""
    ids = np.empty(len(logits), dtype=np.int64)
    for number, row in enumerate(logits):
        # exp in float32 is fast, but its sums are not exact: 32,000 entries of one size would round.
        weights = np.exp(row - row.max()).cumsum(dtype=np.float64)
        ids[number] = weights.searchsorted(rng.random() * weights[-1], side="right")
    return ids.clip(0, logits.shape[1] - 1)


def permuted(family: Family, seed: int) -> Family:
    """Return the traces as they are when the vocabulary of every row is permuted at random: any token, everything else as before."""
    rng = np.random.default_rng([seed, *family.name.encode()])
    traces = [
        CoherenceTrace.of_fields(
            trace.phi, trace.entropy, trace.selected_prob, trace.vocab_size, token_ids=rng.integers(0, trace.vocab_size, trace.n_tokens)
        )
        for trace in family.traces
    ]
    return Family(f"{family.name}, permuted", "noise", traces)


def windows(traces: list[CoherenceTrace], tokens: int = TOKENS) -> list[CoherenceTrace]:
    """Return the traces cut into such of ``tokens`` tokens; what is left at the end of each is dropped."""
    return [_cut(trace, start, tokens) for trace in traces for start in range(0, trace.n_tokens - tokens + 1, tokens)]


def _cut(trace: CoherenceTrace, start: int, tokens: int) -> CoherenceTrace:
    part = slice(start, start + tokens)
    ids = None if trace.token_ids is None else trace.token_ids[part]
    return CoherenceTrace.of_fields(trace.phi[part], trace.entropy[part], trace.selected_prob[part], trace.vocab_size, token_ids=ids)
