"""Round: one turn of the loop, as it is kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

from ebmhw.improve.claims import JudgedClaim
from ebmhw.improve.gates import Gates
from ebmhw.improve.lessons import cut
from ebmhw.improve.proposal import Proposal
from ebmhw.improve.trial import Trial

_WIDTH = 120
"""Characters of a reason on a terminal."""


@final
@dataclass(frozen=True)
class Round:
    """One proposal and what became of it.

    Attributes
    ----------
    number : from 1
    proposal : what was proposed; None where the proposer failed
    error : why it failed, or why nothing was run; None where it was
    candidate, incumbent : both trials, on the same held-out instances; None where nothing was run
    claims : what was claimed, judged
    gates : their answers; None where nothing was run
    """

    number: int
    proposal: Proposal | None
    error: str | None = None
    candidate: Trial | None = None
    incumbent: Trial | None = None
    claims: tuple[JudgedClaim, ...] = ()
    gates: Gates | None = None

    @property
    def accepted(self) -> bool:
        """True where all gates were passed: the candidate is the new incumbent."""
        return self.gates is not None and self.gates.passed

    @property
    def reason(self) -> str:
        """What became of it, in words."""
        if self.error is not None:
            return self.error
        assert self.gates is not None
        if self.accepted:
            return self.gates.answers[0].reason
        return "; ".join(f"{gate.name}: {gate.reason}" for gate in self.gates.failed)

    def __str__(self) -> str:
        """A line for a terminal, so that ``progress=print`` shows how a loop goes on."""
        if self.candidate is None:
            return f"round {self.number:3d}  not run   {cut(self.reason, _WIDTH)}"
        spent = f"{self.candidate.seconds:6.2f} s {self.candidate.peak_memory / 2**20:4.0f} MiB"
        return f"round {self.number:3d}  {'accepted' if self.accepted else 'refused '}  {spent}  {cut(self.reason, _WIDTH)}"

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON holds it."""
        return {
            "round": self.number,
            "accepted": self.accepted,
            "error": self.error,
            "proposal": None if self.proposal is None else {**self.proposal._asdict(), "digest": self.proposal.digest},
            "candidate": None if self.candidate is None else self.candidate.to_json(),
            "incumbent": None if self.incumbent is None else self.incumbent.to_json(),
            "claims": [claim._asdict() for claim in self.claims],
            "gates": None if self.gates is None else self.gates.to_json(),
        }
