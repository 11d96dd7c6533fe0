"""Report: the claims of one response, with one verdict over all and a certificate on demand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, final

from ebmhw.verify.claim import Claim
from ebmhw.verify.examine import Failure
from ebmhw.verify.prover import Record
from ebmhw.verify.texts import Texts
from ebmhw.verify.verdict import UNKNOWN, VERIFIED, VIOLATED, Verdict, together


@final
@dataclass(frozen=True, eq=False)
class Report:
    """What a pipeline says of a response.

    Attributes
    ----------
    texts : what was checked
    domains : names of the domains that were asked, in order
    claims : of all domains, in order of their spans
    open_goals : what the question asks for and the response does not answer
    failures : domains that did not come to an end; what they would have said is missing here
    backend, seed : what searches ran on, if there were any
    records : witnesses and proofs by key
    seconds : wall-clock time of the check
    """

    texts: Texts
    domains: tuple[str, ...]
    claims: tuple[Claim, ...]
    open_goals: tuple[str, ...]
    failures: tuple[Failure, ...]
    backend: str | None
    seed: int
    records: Mapping[str, Record] = field(repr=False)
    seconds: float

    @cached_property
    def verdict(self) -> Verdict:
        """VIOLATED if a claim is; VERIFIED if claims were checked, all hold, the question is answered and no domain failed; else UNKNOWN."""
        return together((claim.verdict for claim in self.claims), complete=not (self.open_goals or self.failures))

    @property
    def verified(self) -> bool:
        """True only for VERIFIED."""
        return self.verdict == VERIFIED

    @property
    def violations(self) -> tuple[Claim, ...]:
        """The claims that are VIOLATED."""
        return tuple(claim for claim in self.claims if claim.verdict == VIOLATED)

    @property
    def degraded(self) -> bool:
        """True where a domain failed, so that something may have gone unchecked."""
        return bool(self.failures)

    @property
    def reason(self) -> str:
        """Why the verdict is what it is, in one sentence."""
        counts = {verdict: sum(claim.verdict == verdict for claim in self.claims) for verdict in (VERIFIED, VIOLATED, UNKNOWN)}
        if not self.claims:
            said = "nothing in the response could be checked"
        elif self.verdict == VIOLATED:
            said = f"{_counted(counts[VIOLATED], 'claim')} of {len(self.claims)} violated: {self.violations[0].reason}"
        elif counts[UNKNOWN]:
            undecided = next(claim for claim in self.claims if claim.verdict == UNKNOWN)
            said = f"{_counted(counts[UNKNOWN], 'claim')} of {len(self.claims)} undecided: {undecided.reason}"
        else:
            said = f"{_counted(len(self.claims), 'claim')} checked, {'it holds' if len(self.claims) == 1 else 'all hold'}"
        missing = [f"not answered: {goal}" for goal in self.open_goals] + [f"{failure.domain} failed: {failure.text}" for failure in self.failures]
        return "; ".join([said, *missing])

    @cached_property
    def certificate(self) -> dict[str, Any]:
        """The certificate of this report, JSON-able; see `ebmhw.verify.certificate`."""
        from ebmhw.verify.certificate import issue

        return issue(self)

    def to_json(self) -> dict[str, Any]:
        """Return verdict, reason and claims as JSON holds them, without texts and evidence."""
        return {
            "verdict": self.verdict,
            "reason": self.reason,
            "claims": [claim.to_json() for claim in self.claims],
            "open_goals": list(self.open_goals),
            "failures": [failure._asdict() for failure in self.failures],
            "domains": list(self.domains),
            "backend": self.backend,
            "seed": self.seed,
            "seconds": self.seconds,
        }

    def __repr__(self) -> str:
        return f"Report({self.verdict}: {self.reason})"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
