"""Domain: a kind of claim, with the grammar that reads it and the rules that judge it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from ebmhw.verify.claim import Claim
from ebmhw.verify.deadline import Deadline
from ebmhw.verify.prover import LiveProver, Prover
from ebmhw.verify.statement import Source, Statement


class Judgement(NamedTuple):
    """What a domain says of a response.

    Attributes
    ----------
    claims : one for each of its statements that can be true or false, in order of their spans
    open_goals : in plain words, what the question asks for and the response does not answer
    """

    claims: tuple[Claim, ...] = ()
    open_goals: tuple[str, ...] = ()


class Domain(ABC):
    """Reads statements of one kind and judges them; both are pure, so that a certificate can be replayed.

    Attributes
    ----------
    shares_words : True for a domain that says something further about words that another one judges; else words are judged once
    """

    shares_words: ClassVar[bool] = False

    @property
    @abstractmethod
    def name(self) -> str:
        """The name that `VerifyRepairPipeline(domains=...)` and certificates know it by."""

    @abstractmethod
    def read(self, text: str, source: Source, deadline: Deadline) -> list[Statement]:
        """Return the statements of a text, in order of their spans, in time linear in its length."""

    @abstractmethod
    def judge(self, question: Sequence[Statement], response: Sequence[Statement], prover: Prover, deadline: Deadline) -> Judgement:
        """Return a claim for each statement of the response that can be true or false; the prover's answers are its only other input."""


class Edit(NamedTuple):
    """A replacement in a response.

    Attributes
    ----------
    span : (start, end) in characters of the response
    text : what stands there instead
    """

    span: tuple[int, int]
    text: str


class SearchingDomain(Domain):
    """A domain that looks for the smallest change of a response where no single claim carries its own fix."""

    @abstractmethod
    def smallest_change(self, question: Sequence[Statement], response: Sequence[Statement], prover: LiveProver, deadline: Deadline) -> Sequence[Edit]:
        """Return the fewest replacements after which the response agrees with the question and itself; () where none was found."""
