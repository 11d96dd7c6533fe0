"""Claim: a statement with its verdict."""

from __future__ import annotations

from typing import Any, NamedTuple

from ebmhw.verify.statement import Statement
from ebmhw.verify.verdict import Verdict


class Claim(NamedTuple):
    """A statement of a response, judged.

    Attributes
    ----------
    statement : what was said, and where
    verdict : VERIFIED, VIOLATED or UNKNOWN
    reason : why, in plain words
    fix : the text that would make it true in place of response[fix_span]; None where none is known
    fix_span : (start, end) in characters of the response; None where fix is
    decisions : keys of the searches and proofs that the verdict rests on (see `ebmhw.verify.prover`); () where it was computed
    """

    statement: Statement
    verdict: Verdict
    reason: str
    fix: str | None = None
    fix_span: tuple[int, int] | None = None
    decisions: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The words of the response."""
        return self.statement.text

    @property
    def span(self) -> tuple[int, int]:
        """Their (start, end) in characters of the response."""
        return self.statement.span

    @property
    def domain(self) -> str:
        """The domain that judged it."""
        return self.statement.domain

    @property
    def kind(self) -> str:
        """What it is within its domain, such as "equation"."""
        return self.statement.kind

    def to_json(self) -> dict[str, Any]:
        """Return all of it as JSON holds it."""
        return {
            "domain": self.domain,
            "kind": self.kind,
            "span": list(self.span),
            "text": self.text,
            "content": dict(self.statement.content),
            "verdict": self.verdict,
            "reason": self.reason,
            "fix": self.fix,
            "fix_span": None if self.fix_span is None else list(self.fix_span),
            "decisions": list(self.decisions),
        }
