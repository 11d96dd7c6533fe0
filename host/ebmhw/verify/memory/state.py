"""State of a memory: counters and checks that two memories join without counting anything twice.

Counters are grow-only, one a source, and joined by their maximum (Shapiro, Preguiça, Baquero and Zawirski, "Conflict-free Replicated Data Types",
2011, G-Counter); checks are joined by union. The join is associative, commutative and idempotent: the order in which packs come does not matter, nor
does one that comes twice.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple, final

from ebmhw.verify.verdict import Verdict

CHECKS = 20_000
"""Checks that a memory holds; of more the latest stay. They take up to 14 MB."""

COUNTERS = 50_000
"""Counters that a memory holds, those of all sources together."""

MOST = 2**53 - 1
"""Largest count, and the latest second: what any reader of JSON holds exactly."""


NAME_LENGTH, NAMES = 200, 1000
"""Characters of a kind or a name, and names in one list."""

TEXT_LENGTH = 100_000
"""Characters of a text that is kept; of a longer one the beginning is."""


class Count(NamedTuple):
    """How often something was tried, and how often of these it caught a fault or worked.

    Attributes
    ----------
    tried, caught : whole numbers of at least 0, caught not above tried
    """

    tried: int = 0
    caught: int = 0


class Counted(NamedTuple):
    """What a counter counts, and who counted.

    Attributes
    ----------
    source : the memory that counted, 32 hexadecimal digits
    kind, name : as given to `SessionMemory.note`
    """

    source: str
    kind: str
    name: str


class Fix(NamedTuple):
    """A repair that worked.

    Attributes
    ----------
    method : "exact", "search" or "model"
    response : SHA-256 of the repaired response
    verdict : of it
    """

    method: str
    response: str
    verdict: Verdict


@final
@dataclass(frozen=True)
class Check:
    """What a pipeline said of a response once. It is no proof: check the text again, or the certificate that it names.

    Attributes
    ----------
    question, response : SHA-256 of the texts, as certificates have them
    shape : SHA-256 of the question with its numbers left out, case and blanks folded; questions of one shape differ in numbers only
    given : SHA-256 of knowledge, constraints and specification; None where there were none
    verdict : VERIFIED, VIOLATED or UNKNOWN
    domains : that were asked
    violated : (domain, kind) of the violated claims, each once, sorted
    failed : domains that did not come to an end
    certificate : digest of the report's certificate
    version : of ebmhw
    fix : the repair that worked; None where none was tried or did
    at : when, Unix seconds; of the same check the latest
    texts : (question, response) without what looks like a secret; None where only hashes are kept
    """

    question: str
    response: str
    shape: str
    given: str | None
    verdict: Verdict
    domains: tuple[str, ...]
    violated: tuple[tuple[str, str], ...]
    failed: tuple[str, ...]
    certificate: str
    version: str
    fix: Fix | None = None
    at: int = 0
    texts: tuple[str, str] | None = None

    @cached_property
    def key(self) -> str:
        """SHA-256 of all but the time and the texts: the same check has the same key wherever it was made."""
        content = {name: value for name, value in asdict(self).items() if name not in ("at", "texts")}
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode("utf-8", "surrogatepass")).hexdigest()

    def joined(self, other: Check) -> Check:
        """Return one check of two of the same key."""
        texts = max((one for one in (self.texts, other.texts) if one is not None), default=None)
        return replace(self, at=max(self.at, other.at), texts=texts)


@final
@dataclass(frozen=True)
class State:
    """All that a memory holds.

    Attributes
    ----------
    counters : by source, kind and name
    checks : by their keys, `CHECKS` at most
    """

    counters: Mapping[Counted, Count]
    checks: Mapping[str, Check]

    def joined(self, other: State) -> State:
        """Return what both hold together."""
        counters = dict(self.counters)
        for counted, count in other.counters.items():
            mine = counters.get(counted, Count())
            counters[counted] = Count(max(mine.tried, count.tried), max(mine.caught, count.caught))
        checks = dict(self.checks)
        for key, check in other.checks.items():
            checks[key] = checks[key].joined(check) if key in checks else check
        return State(counters, latest(checks.values()))

    @cached_property
    def totals(self) -> dict[tuple[str, str], Count]:
        """Return the counts of all sources together by (kind, name)."""
        found: dict[tuple[str, str], Count] = {}
        for (_, kind, name), count in self.counters.items():
            so_far = found.get((kind, name), Count())
            found[kind, name] = Count(so_far.tried + count.tried, so_far.caught + count.caught)
        return found


EMPTY = State({}, {})


def latest(checks: Iterable[Check]) -> dict[str, Check]:
    """Return the latest `CHECKS` of checks by key. The order is total, so that memories which join in any order keep the same."""
    found = {check.key: check for check in checks}
    if len(found) <= CHECKS:
        return found
    kept = sorted(found.values(), key=lambda check: (check.at, check.key), reverse=True)[:CHECKS]
    return {check.key: check for check in kept}


def to_json(state: State) -> dict[str, Any]:
    """Return a state as JSON holds it, in one order whatever its own."""
    counters = [{**counted._asdict(), **count._asdict()} for counted, count in sorted(state.counters.items())]
    checks = []
    for _, check in sorted(state.checks.items()):
        record = asdict(check)
        record["fix"] = None if check.fix is None else check.fix._asdict()
        checks.append(record)
    return {"counters": counters, "checks": checks}
