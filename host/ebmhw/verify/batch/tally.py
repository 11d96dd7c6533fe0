"""Tally: how many answers and claims came to which verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, final

from ebmhw.verify.verdict import UNKNOWN, VERIFIED, VIOLATED

VERDICTS = (VERIFIED, VIOLATED, UNKNOWN)


class Counts(NamedTuple):
    """What a tally counts of one record; small, because it comes with each record from its worker.

    Attributes
    ----------
    verdict, final_verdict : of the response as given, and of the final answer
    repaired : True where a repair changed the response and it is not violated any more
    claims : (domain, kind, verdict) of each claim of the response as given
    error : code, or None
    failures : (domain, code) of each domain that did not come to an end
    """

    verdict: str
    final_verdict: str
    repaired: bool
    claims: tuple[tuple[str, str, str], ...]
    error: str | None
    failures: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Counts:
        """Return the counts of a record."""
        return cls(
            record["verdict"],
            record["final_verdict"],
            bool(record["repair"] and record["repair"]["repaired"]),
            tuple([(claim["domain"], claim["kind"], claim["verdict"]) for claim in record["claims"]]),
            None if record["error"] is None else record["error"]["code"],
            tuple([(failure["domain"], failure["code"]) for failure in record["failures"]]),
        )


@final
@dataclass
class Tally:
    """Counts over the records of a batch.

    Attributes
    ----------
    records : how many there are
    verdicts : of the responses as given, by verdict; a record with an error is UNKNOWN
    final_verdicts : of the final answers; the same where nothing was repaired
    repaired : answers that a repair changed and that are not violated any more
    claims : of the responses as given, by (domain, kind, verdict)
    errors : records with an error, by its code
    degraded : records where a domain did not come to an end, by (domain, code)
    """

    records: int = 0
    verdicts: Counter[str] = field(default_factory=Counter)
    final_verdicts: Counter[str] = field(default_factory=Counter)
    repaired: int = 0
    claims: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    degraded: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, counts: Counts) -> None:
        """Count a record of a batch."""
        self.records += 1
        self.verdicts[counts.verdict] += 1
        self.final_verdicts[counts.final_verdict] += 1
        self.repaired += counts.repaired
        self.claims.update(counts.claims)
        self.degraded.update(counts.failures)
        if counts.error is not None:
            self.errors[counts.error] += 1

    @property
    def kinds(self) -> dict[tuple[str, str], dict[str, int]]:
        """Claims by (domain, kind), sorted, each by verdict."""
        names = sorted({(domain, kind) for domain, kind, _ in self.claims})
        return {(domain, kind): {verdict: self.claims[domain, kind, verdict] for verdict in VERDICTS} for domain, kind in names}

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON holds it."""
        return {
            "records": self.records,
            "verdicts": {verdict: self.verdicts[verdict] for verdict in VERDICTS},
            "final_verdicts": {verdict: self.final_verdicts[verdict] for verdict in VERDICTS},
            "repaired": self.repaired,
            "claims": sum(self.claims.values()),
            "kinds": [{"domain": domain, "kind": kind, **counts} for (domain, kind), counts in self.kinds.items()],
            "errors": dict(sorted(self.errors.items())),
            "degraded": [{"domain": domain, "code": code, "records": count} for (domain, code), count in sorted(self.degraded.items())],
        }
