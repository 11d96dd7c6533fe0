"""The measures of a trace from the words of their definitions, in Python's floats and lists: shares nothing with the package."""

from __future__ import annotations

import cmath
import itertools
import math

KAPPA, SIGMA, THRESHOLD = 64 / 3, 3 / 16, 0.03

Known = list[float | None]


def row(logits: list[float]) -> tuple[float | None, float | None, list[float]]:
    """Phi, entropy in nats and probabilities of one row; unknown where nothing is finite."""
    finite = [x for x in logits if math.isfinite(x)]
    if not finite:
        return None, None, [0.0] * len(logits)
    top = max(finite)
    weights = [math.exp(x - top) if math.isfinite(x) else 0.0 for x in logits]
    total = math.fsum(weights)
    p = [w / total for w in weights]
    entropy = -math.fsum(q * math.log(q) for q in p if q > 0)
    return 1 - entropy / math.log(len(logits)), entropy, p


def mean(values: Known) -> float | None:
    known = [v for v in values if v is not None]
    return math.fsum(known) / len(known) if known else None


def std(values: Known) -> float | None:
    known = [v for v in values if v is not None]
    if not known:
        return None
    middle = math.fsum(known) / len(known)
    return math.sqrt(math.fsum((v - middle) ** 2 for v in known) / len(known))


def times(a: Known, b: Known) -> Known:
    return [None if x is None or y is None else x * y for x, y in zip(a, b, strict=True)]


def changes(phi: Known, before: float | None) -> list[tuple[float | None, float | None]]:
    """Pairs (earlier phi, change)."""
    series = ([before] if before is not None else []) + phi
    return [(a, None if a is None or b is None else b - a) for a, b in itertools.pairwise(series)]


def score(pairs: list[tuple[float | None, float | None]]) -> float:
    scores = []
    for earlier, change in pairs:
        if earlier is None or change is None:
            continue
        if change > THRESHOLD:
            scores.append(0.8 if earlier < 0.5 else 0.3)
        elif change < -THRESHOLD:
            scores.append(0.2 if earlier > 0.7 else 0.5)
    return math.fsum(scores) / len(scores) if scores else 0.5


def scales(phi: Known) -> dict[int, float]:
    found = {}
    j = 0
    while j <= 15 and 2**j <= len(phi):
        spreads = [std(phi[i * 2**j : (i + 1) * 2**j]) for i in range(len(phi) // 2**j)]
        steady = mean(spreads)
        if steady is not None:
            found[j] = min(1.0, max(0.0, 1 - steady))
        j += 1
    return found


def multiscale(found: dict[int, float]) -> float | None:
    total = math.fsum(2 ** (j / 2) for j in found)
    return math.fsum(2 ** (j / 2) * c for j, c in found.items()) / total if found else None


def kuramoto(phi: Known) -> float:
    known = [v for v in phi if v is not None]
    return abs(sum(cmath.exp(1j * math.pi * v) for v in known) / len(known)) if len(known) > 1 else 0.0
