"""Deterministic greedy colouring of the spins that share a term, so that a colour's rows do not depend on each other.

Jones and Plassmann's parallel form of greedy colouring (SIAM J. Sci. Comput. 14, 1993): every spin waits for its neighbours
of higher priority, then takes the smallest colour free among them. The result is that of sequential greedy colouring in
priority order, but each round is a handful of array operations, so a million spins take seconds without native code.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ebmhw.streams import fmix32

IndexArray = npt.NDArray[np.int32]

_WORD = 64


def conflict_graph(n: int, term_spins: Sequence[IndexArray]) -> tuple[IndexArray, IndexArray]:
    """Return (indptr (n + 1,), neighbours) of the graph that joins spins sharing a term; ``term_spins`` are (m, k) arrays."""
    from scipy.sparse import coo_array

    left, right = [], []
    for spins in term_spins:
        for a in range(spins.shape[1]):
            for b in range(spins.shape[1]):
                if a != b:
                    left.append(spins[:, a])
                    right.append(spins[:, b])
    if not left:
        return np.zeros(n + 1, dtype=np.int32), np.zeros(0, dtype=np.int32)
    rows, columns = np.concatenate(left), np.concatenate(right)
    graph = coo_array((np.ones(rows.size, dtype=np.int8), (rows, columns)), shape=(n, n)).tocsr()
    return graph.indptr, graph.indices


def colour(n: int, indptr: IndexArray, neighbours: IndexArray) -> IndexArray:
    """Return a colour 0, 1, ... for each spin, int32 (n,), no two neighbours alike.

    Priority: more neighbours first, then by a hash of the index, then by the index. The hash keeps the chains of waiting spins
    short (14 rounds for a square lattice of a million spins; in index order it would be two thousand).
    """
    degree = np.diff(indptr)
    rank = np.empty(n, dtype=np.int32)
    rank[np.lexsort((np.arange(n), fmix32(np.arange(n, dtype=np.uint32)), -degree))] = np.arange(n, dtype=np.int32)
    owner = np.repeat(np.arange(n, dtype=np.int32), degree)
    later = rank[neighbours] > rank[owner]
    waiting = np.bincount(neighbours[later], minlength=n)
    colours = np.full(n, -1, dtype=np.int32)
    words = 1
    frontier = np.flatnonzero(waiting == 0).astype(np.int32)
    while frontier.size:
        slots, starts = _ranges(indptr, frontier)
        around = neighbours[slots]
        chosen, words = _smallest_free(colours[around], starts, frontier.size, words)
        colours[frontier] = chosen
        released = around[later[slots]]
        if released.size > n // 8:
            counts = np.bincount(released, minlength=n)
            waiting -= counts
            touched = np.flatnonzero(counts).astype(np.int32)
        else:
            touched, counts = np.unique(released, return_counts=True)
            waiting[touched] -= counts
        frontier = touched[waiting[touched] == 0]
    return colours


def _ranges(indptr: IndexArray, spins: IndexArray) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the positions of all neighbour entries of ``spins``, one after the other, and where each spin's begin."""
    first = indptr[spins].astype(np.int64)
    sizes = indptr[spins + 1] - first
    starts = np.concatenate([[0], np.cumsum(sizes)])
    return np.arange(starts[-1]) + np.repeat(first - starts[:-1], sizes), starts


def _smallest_free(around: IndexArray, starts: npt.NDArray[np.int64], count: int, words: int) -> tuple[IndexArray, int]:
    """Return the smallest colour not among each spin's neighbours (-1 is none), and how many 64-colour words may be in use."""
    chosen = np.full(count, -1, dtype=np.int32)
    filled = np.flatnonzero(np.diff(starts))
    for word in range(words + 1):
        open_ = chosen == -1
        if not open_.any():
            break
        shifted = around - word * _WORD
        inside = (shifted >= 0) & (shifted < _WORD)
        bits = np.where(inside, np.uint64(1) << np.where(inside, shifted, 0).astype(np.uint64), np.uint64(0))
        taken = np.zeros(count, dtype=np.uint64)
        if filled.size:
            taken[filled] = np.bitwise_or.reduceat(bits, starts[filled])
        lowest = ~taken & (taken + np.uint64(1))
        found = open_ & (lowest != 0)
        # A power of two is exact in float64, so its exponent is the index of the bit.
        chosen[found] = np.frexp(lowest[found].astype(np.float64))[1] - 1 + word * _WORD
    return chosen, max(words, int(chosen.max(initial=0)) // _WORD + 1)
