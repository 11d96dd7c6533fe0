"""Hanging: a domain that a limit must end, for measuring how soon it does."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar, final

from ebmhw.verify import Claim, Deadline, Domain, Judgement, Prover, Source, Statement


@final
class Hanging(Domain):
    """Takes forever over a response that says so, within C, where Python's signal handlers are not called."""

    shares_words: ClassVar[bool] = True

    @property
    def name(self) -> str:
        """ "hanging"."""
        return "hanging"

    def read(self, text: str, source: Source, deadline: Deadline) -> list[Statement]:
        """Return nothing, after 2^60 steps where the text says "hang"."""
        if "hang" in text:
            re.match(r"(a+)+$", "a" * 60 + "b")
        return []

    def judge(self, question: Sequence[Statement], response: Sequence[Statement], prover: Prover, deadline: Deadline) -> Judgement:
        """Return nothing."""
        claims: tuple[Claim, ...] = ()
        return Judgement(claims)
