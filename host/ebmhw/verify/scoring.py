"""Scores: which of several agents' outputs to one question to take, and by how much it is better than the others."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

from ebmhw.errors import VerificationError, shown
from ebmhw.verify.deadline import Deadline
from ebmhw.verify.selection import final_answer
from ebmhw.verify.verdict import UNKNOWN, VERIFIED, VIOLATED, Verdict

if TYPE_CHECKING:
    from ebmhw.verify.pipeline import VerifyRepairPipeline
    from ebmhw.verify.report import Report

VERIFIED_ENERGY, PARTLY_ENERGY, UNCHECKED_ENERGY, VIOLATED_ENERGY = 0.0, 1.0, 2.0, 3.0
"""Least energies: every claim holds, some claim holds and none is violated, no claim holds and none is violated, some claim is violated."""

MOST_NATS = 1e9
"""By which a log-probability may lie below 0; -inf is one that no model gives, and that JSON cannot write."""

VIOLATED_WEIGHT, UNKNOWN_WEIGHT, DISAGREEMENT_WEIGHT = 0.5, 0.2, 0.2
"""Of shares from 0 to 1; with the log-probability's weight, below half of one vote's, they stay below 1, so that no share outweighs a verdict."""


@final
@dataclass(frozen=True, eq=False)
class OutputScore:
    """What is known of one output.

    Attributes
    ----------
    index : its place among the outputs
    report : the check of it
    answer : what it answers in the end, in one spelling (`ebmhw.verify.selection.final_answer`); None for an empty text and for code
    agreement : share, 0 to 1, of the outputs of the best verdict that is there whose final answer is its own
    logprob : mean log-probability a token, nats; None where not known
    energy : lower is better; see `score_outputs`
    rank : 1 for the best; equal energies have equal ranks
    """

    index: int
    report: Report
    answer: str | None
    agreement: float
    logprob: float | None
    energy: float
    rank: int

    @property
    def verdict(self) -> Verdict:
        """Of its report."""
        return self.report.verdict

    @property
    def tests(self) -> tuple[int, int]:
        """How many claims of running its code hold, and how many there are."""
        runs = [claim.verdict for claim in self.report.claims if claim.domain == "execution"]
        return runs.count(VERIFIED), len(runs)

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON holds it, claims counted."""
        violated, unknown = shares(self.report)
        passed, run = self.tests
        return {
            "agent_index": self.index,
            "rank": self.rank,
            "energy": self.energy,
            "own_energy": energy_of(self.report),
            "verdict": self.verdict,
            "reason": self.report.reason,
            "response": self.report.texts.response,
            "claims": len(self.report.claims),
            "violated_share": violated,
            "unknown_share": unknown,
            "answer": self.answer,
            "agreement": self.agreement,
            "logprob": self.logprob,
            "tests_passed": passed,
            "tests_run": run,
        }


@final
@dataclass(frozen=True, eq=False)
class Scores:
    """Outputs in order of their energy, the best first; of equals the one given first.

    Attributes
    ----------
    question : what all of them answer
    ranked : at least one
    """

    question: str
    ranked: tuple[OutputScore, ...]

    @property
    def best(self) -> OutputScore:
        """The output of least energy; the first of those where several have it (see ``tied``)."""
        return self.ranked[0]

    @property
    def tied(self) -> tuple[int, ...]:
        """Indices of all outputs that have the least energy, where there are several; else ()."""
        same = [score.index for score in self.ranked if score.rank == 1]
        return tuple(same) if len(same) > 1 else ()

    @property
    def verdict(self) -> Verdict:
        """VERIFIED where the best is, VIOLATED where all are, else UNKNOWN."""
        if self.best.verdict == VERIFIED:
            return VERIFIED
        return VIOLATED if all(score.verdict == VIOLATED for score in self.ranked) else UNKNOWN

    def to_json(self) -> dict[str, Any]:
        """Return all of it as JSON holds it, in names that clients of Carnot's arbiter know."""
        return {
            "verdict": self.verdict,
            "n_agents": len(self.ranked),
            "winner_index": self.best.index,
            "winner_response": self.best.report.texts.response,
            "winner_energy": self.best.energy,
            "tied": list(self.tied),
            "all_scores": [score.to_json() for score in self.ranked],
        }


def score_outputs(
    question: str,
    responses: Sequence[str],
    pipeline: VerifyRepairPipeline | None = None,
    logprobs: Sequence[float | None] | None = None,
    specification: Any = None,
    *,
    time_limit: float | None = None,
) -> Scores:
    """Return outputs to one question ranked by their energy, the lowest first.

    The energy is the sum of

    - by the verdict: 0 VERIFIED; 1 UNKNOWN with a claim that holds; 2 UNKNOWN with none; 3 VIOLATED,
    - 0.5 x the share of its claims, of code of its runs, that are VIOLATED, 0.2 x the share of claims that are UNKNOWN (1 where there is none),
    - 0.2 x (1 - the share of those outputs that have the best verdict there is whose final answer is its own; programs have none),
    - 0.1 / (number of those outputs) x (1 - exp(its mean log-probability)), 1 for the bracket where that is not known.

    The sums after the verdict are below 1: nothing unchecked beats what is verified, and a log-probability never beats a vote. So between VERIFIED
    outputs the choice is that of `ebmhw.verify.selection.majority`.

    Parameters
    ----------
    question, responses : texts; at least one response
    pipeline : checks them; None for one of every exact domain
    logprobs : of each response, mean a token, nats, from -1e9 to 0; None, or None for one, where not known
    specification : what they have to do where they are code, an `ebmhw.verify.code.Specification` or its text
    time_limit : wall-clock seconds of all checks together, shared out among them; what is not done by then is UNKNOWN

    Raises
    ------
    VerificationError
        for no responses, and for log-probabilities that are none.
    """
    known = _logprobs(responses, logprobs)
    if pipeline is None:
        from ebmhw.verify.pipeline import VerifyRepairPipeline

        pipeline = VerifyRepairPipeline()
    deadline = Deadline(time_limit)
    reports: list[Report] = []
    for number, response in enumerate(responses):
        part = None if time_limit is None else deadline.share(len(responses) - number).left
        reports.append(pipeline.verify(question, response, specification=specification, time_limit=part))
    return ranked(question, reports, known)


def ranked(question: str, reports: Sequence[Report], logprobs: Sequence[float | None]) -> Scores:
    """Return the scores of outputs that are checked already; see `score_outputs`."""
    top = next(verdict for verdict in (VERIFIED, UNKNOWN, VIOLATED) if any(report.verdict == verdict for report in reports))
    # The last number of a program is no answer.
    answers = [None if _of_code(report) else final_answer(report.texts.response) for report in reports]
    voting = [answer for answer, report in zip(answers, reports, strict=True) if report.verdict == top]
    votes = Counter(answer for answer in voting if answer is not None)
    found = []
    for report, answer, logprob in zip(reports, answers, logprobs, strict=True):
        agreement = votes[answer] / len(voting) if answer is not None else 0.0
        unlikely = 1.0 if logprob is None else -math.expm1(logprob)
        energy = energy_of(report) + DISAGREEMENT_WEIGHT * (1 - agreement) + DISAGREEMENT_WEIGHT / (2 * len(voting)) * unlikely
        found.append((energy, answer, agreement, logprob))
    order = sorted(range(len(reports)), key=lambda at: (found[at][0], at))
    scores: list[OutputScore] = []
    for place, at in enumerate(order):
        energy, answer, agreement, logprob = found[at]
        rank = scores[-1].rank if scores and scores[-1].energy == energy else place + 1
        scores.append(OutputScore(at, reports[at], answer, agreement, logprob, energy, rank))
    return Scores(question, tuple(scores))


def energy_of(report: Report) -> float:
    """Return the part of the energy that one report gives by itself: its verdict, and the shares of its claims."""
    violated, unknown = shares(report)
    return _level(report) + VIOLATED_WEIGHT * violated + UNKNOWN_WEIGHT * unknown


def shares(report: Report) -> tuple[float, float]:
    """Return the share of a report's claims that are VIOLATED, and that are UNKNOWN; (0, 1) where there is no claim.

    Where code was asked for, the first is the share of its runs that failed, as `ebmhw.verify.code.choosing` counts them; 1 where none was run.
    """
    count = len(report.claims)
    unknown = sum(claim.verdict == UNKNOWN for claim in report.claims) / count if count else 1.0
    if _of_code(report):
        from ebmhw.verify.code.choosing import failed_share

        return failed_share(report), unknown if count else 0.0
    return (len(report.violations) / count if count else 0.0), unknown


def _of_code(report: Report) -> bool:
    return report.texts.specification is not None


def _level(report: Report) -> float:
    if report.verdict == VERIFIED:
        return VERIFIED_ENERGY
    if report.verdict == VIOLATED:
        return VIOLATED_ENERGY
    return PARTLY_ENERGY if any(claim.verdict == VERIFIED for claim in report.claims) else UNCHECKED_ENERGY


def _logprobs(responses: Sequence[str], logprobs: Sequence[float | None] | None) -> list[float | None]:
    if isinstance(responses, str) or not responses:
        raise VerificationError(f"responses is {shown(responses)}; give a list of at least one text")
    if logprobs is None:
        return [None] * len(responses)
    if len(logprobs) != len(responses):
        raise VerificationError(f"there are {len(responses)} responses and {len(logprobs)} log-probabilities; give one each, None where not known")
    for index, value in enumerate(logprobs):
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not -MOST_NATS <= value <= 0:
            raise VerificationError(
                f"the log-probability of response {index} is {shown(value)}; give nats from -{MOST_NATS:g} to 0, or None where not known"
            )
    return [None if value is None else float(value) for value in logprobs]
