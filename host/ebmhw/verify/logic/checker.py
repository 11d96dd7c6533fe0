"""Logic: the domain of arguments. Statements of the question are premises, those of the response are what is judged."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import final

from ebmhw.verify.claim import Claim
from ebmhw.verify.deadline import Deadline
from ebmhw.verify.domain import Edit, Judgement, SearchingDomain
from ebmhw.verify.logic.judging import judged
from ebmhw.verify.logic.repair import smallest_change
from ebmhw.verify.logic.sentences import read_sentences
from ebmhw.verify.prover import LiveProver, Prover
from ebmhw.verify.statement import Source, Statement

_CUES = frozenset(
    b"""
    if not never all every no none nobody nothing some either neither nor unless implies iff than before above below behind yes true false
    follows entails everyone everything tallest oldest youngest shortest isn't aren't doesn't don't wasn't can't cannot won't xor tautology
    contradiction satisfiable
    """.split()
)
"""Words of an argument; "so" and "therefore" are not among them, since answers of sums have them too."""
_SIGNS = re.compile(r"[∧\u2228¬→⇒↔⇔⊕⊢⊨∴≡⊃~&|≠≥≤<>]")
_DIGIT = re.compile(r"\d")
_LETTERS = bytes(code | 32 if chr(code).isalpha() else code if code == 39 else 32 for code in range(128)) + b" " * 128
"""ASCII letters to small ones, apostrophes to themselves, all else to spaces: bytes are cut into words twice as fast as a str is."""

_SHORT = 400
"""Characters up to which a text is first looked through for a cue; a longer one is read in any case."""


@final
class Logic(SearchingDomain):
    """Reads arguments in prose and symbols and decides, by search and proof, what follows and what clashes."""

    @property
    def name(self) -> str:
        """The word "logic"."""
        return "logic"

    def read(self, text: str, source: Source, deadline: Deadline) -> list[Statement]:
        """Return the statements of a text; a constraint program has none for this domain."""
        if source == "constraints" or not text or (len(text) <= _SHORT and _nothing_in(text)):
            return []
        return [
            Statement("logic", found.kind, source, found.span, text[found.span[0] : found.span[1]], found.content)
            for found in read_sentences(text, source == "question", deadline)
        ]

    def judge(self, question: Sequence[Statement], response: Sequence[Statement], prover: Prover, deadline: Deadline) -> Judgement:
        """Return a claim for each statement of the response that other statements bear on, and for each conclusion and formula."""
        if not any(statement.kind not in ("unread", "question") for statement in (*question, *response)):
            return Judgement()
        claims, goals = judged(question, response, prover, deadline)
        return Judgement(tuple(sorted(claims, key=_start)), tuple(goals))

    def smallest_change(self, question: Sequence[Statement], response: Sequence[Statement], prover: LiveProver, deadline: Deadline) -> Sequence[Edit]:
        """Return the edits that negate the fewest statements of the response, conclusions first, so that all agree."""
        return smallest_change(question, response, prover, deadline)


def _start(claim: Claim) -> tuple[int, int]:
    return claim.span


def _nothing_in(text: str) -> bool:
    """Tell whether a short text has a digit and no word or sign of an argument: the arithmetic answers that come by the thousand."""
    if _DIGIT.search(text) is None or _SIGNS.search(text) is not None:
        return False
    return _CUES.isdisjoint(text.encode("ascii", "replace").translate(_LETTERS).split())
