"""Evaluation: what a pipeline says of pairs whose truth is known, counted by kind."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields
from typing import Any, Protocol, final

from ebmhw.bench.verification.pairs import Pair


class Verifier(Protocol):
    """What is evaluated: a `VerifyRepairPipeline`, or anything whose reports have a verdict."""

    def verify(self, question: str, response: str) -> Any: ...


@final
@dataclass
class Counts:
    """How pairs of one kind fared.

    Attributes
    ----------
    caught : wrong and VIOLATED
    missed : wrong and UNKNOWN: nobody is misled, nothing is gained
    passed : wrong and VERIFIED, the worst of all
    verified : right and VERIFIED
    unknown : right and UNKNOWN
    flagged : right and VIOLATED, or undecidable and VIOLATED
    left_open : undecidable and UNKNOWN
    settled : undecidable and VERIFIED
    """

    caught: int = 0
    missed: int = 0
    passed: int = 0
    verified: int = 0
    unknown: int = 0
    flagged: int = 0
    left_open: int = 0
    settled: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(*(left + right for left, right in zip(astuple(self), astuple(other), strict=True)))

    @property
    def wrong(self) -> int:
        """Pairs that are wrong."""
        return self.caught + self.missed + self.passed

    @property
    def right(self) -> int:
        """Pairs that are right; those that cannot be decided are not among them unless they were flagged."""
        return self.verified + self.unknown + self.flagged


_OUTCOMES = {
    ("wrong", "VIOLATED"): "caught", ("wrong", "UNKNOWN"): "missed", ("wrong", "VERIFIED"): "passed",
    ("right", "VERIFIED"): "verified", ("right", "UNKNOWN"): "unknown", ("right", "VIOLATED"): "flagged",
    ("undecidable", "UNKNOWN"): "left_open", ("undecidable", "VERIFIED"): "settled", ("undecidable", "VIOLATED"): "flagged",
}  # fmt: skip


def outcome(verifier: Verifier, pair: Pair) -> str:
    """Return the name of the count that a pair adds to."""
    return _OUTCOMES[pair.truth, str(verifier.verify(pair.question, pair.response).verdict)]


def evaluate(verifier: Verifier, pairs: Iterable[Pair]) -> dict[str, Counts]:
    """Return the counts of each kind, in the order in which kinds first occur, and of "all"."""
    found: dict[str, Counts] = {}
    for pair in pairs:
        counts = found.setdefault(pair.kind, Counts())
        name = outcome(verifier, pair)
        setattr(counts, name, getattr(counts, name) + 1)
    found["all"] = sum(found.values(), Counts())
    return found


def table(counts: dict[str, Counts]) -> str:
    """Return the counts as an aligned table, a row for each kind."""
    names = [field.name for field in fields(Counts)]
    width = max(len("kind"), *(len(kind) for kind in counts))
    rows = [f"{'kind':<{width}}  " + "  ".join(f"{name.replace('_', ' '):>9}" for name in names)]
    rows.extend(f"{kind:<{width}}  " + "  ".join(f"{value:>9}" for value in astuple(row)) for kind, row in counts.items())
    return "\n".join(rows)
