"""Embedding of texts without a model: hashed n-grams, the same on every machine."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from zlib import crc32

import numpy as np
import numpy.typing as npt

DIMENSIONS = 256
_GRAM = 4
_WORD_WEIGHT = 2.0
"""Words tell more of what a text is about than the grams of letters, of which there are more."""

_WORD = re.compile(r"\w{1,64}")


def hashed(texts: Sequence[str], dimensions: int = DIMENSIONS) -> npt.NDArray[np.float64]:
    """Return unit vectors of texts: signed feature hashing (Weinberger et al., 2009) of words, their pairs, and their grams of 4 letters.

    Each n-gram that occurs n times adds sqrt(n), with the sign and at the place that its CRC-32 says.

    Parameters
    ----------
    texts : n texts; case is ignored
    dimensions : d, 1 or more

    Returns
    -------
    (n, d), rows of length 1; 0 for texts without any word
    """
    found = np.zeros((len(texts), dimensions))
    for row, text in enumerate(texts):
        words = _WORD.findall(text.lower())
        grams: Counter[str] = Counter(f"w {word}" for word in words)
        grams.update(f"p {first} {second}" for first, second in pairwise(words))
        grams.update(f"g {padded[place : place + _GRAM]}" for padded in (f"_{word}_" for word in words) for place in range(len(padded) - _GRAM + 1))
        if not grams:
            continue
        codes = np.array([crc32(gram.encode("utf-8", "replace")) for gram in grams], dtype=np.uint64)
        # CRC is linear: grams that differ alike would fall alike. A multiplication (Knuth) breaks that up.
        mixed = (codes * np.uint64(2654435761)) & np.uint64(0xFFFFFFFF)
        places = (mixed >> np.uint64(8)) % np.uint64(dimensions)
        signs = np.where(mixed & np.uint64(1 << 7), 1.0, -1.0)
        weights = np.sqrt([count * (1.0 if gram[0] == "g" else _WORD_WEIGHT) for gram, count in grams.items()])
        np.add.at(found[row], places.astype(np.int64), signs * weights)
    lengths = np.linalg.norm(found, axis=1, keepdims=True)
    vectors: npt.NDArray[np.float64] = found / np.where(lengths > 0, lengths, 1.0)
    return vectors
