"""Verdicted: what became of one candidate of a stream."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, final

from ebmhw.verify.report import Report
from ebmhw.verify.verdict import UNKNOWN, VERIFIED, Verdict

Stopped = Literal["budget", "total budget", "not reached", "crashed", "error"]
"""Why a candidate has no report: its own budget was over; the total budget was, while it was checked or before; its check ended its process; it is no
text, or cannot be checked."""


@final
@dataclass(frozen=True)
class Verdicted:
    """What became of one candidate.

    Attributes
    ----------
    index : which of the candidates it is, from 0
    candidate : its text; "" for one that is no text
    report : the same as `VerifyRepairPipeline.verify` gives for it alone; None where its check did not come to an end
    seconds : of the check, worker's time where it ended, else until it was given up; 0 where it never began
    stopped : why there is no report; None where there is one
    why : that in words, naming the candidate; of a report with domains that failed within a budget, its reason in terms of that; else ""
    """

    index: int
    candidate: str
    report: Report | None
    seconds: float
    stopped: Stopped | None = None
    why: str = ""

    @property
    def verdict(self) -> Verdict:
        """Of its report; UNKNOWN without one."""
        return UNKNOWN if self.report is None else self.report.verdict

    @property
    def verified(self) -> bool:
        """True only for VERIFIED."""
        return self.verdict == VERIFIED

    @property
    def reason(self) -> str:
        """Why the verdict is what it is, in one sentence."""
        return self.report.reason if self.report is not None and not self.why else self.why

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON holds it."""
        return {
            "index": self.index,
            "verdict": self.verdict,
            "reason": self.reason,
            "seconds": self.seconds,
            "stopped": self.stopped,
            "report": None if self.report is None else self.report.to_json(),
        }
