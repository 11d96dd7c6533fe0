"""Scores of competing outputs, judged by the order that their documentation promises and by the choice of `majority`."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebmhw.errors import VerificationError
from ebmhw.verify import Claim, Report, Statement, VerifyRepairPipeline
from ebmhw.verify.models.language_model import Completion
from ebmhw.verify.scoring import Scores, ranked, score_outputs
from ebmhw.verify.selection import majority
from ebmhw.verify.texts import Texts
from ebmhw.verify.verdict import UNKNOWN, VERIFIED, VIOLATED

QUESTION = "What is 97 + 86?"
PIPELINE = VerifyRepairPipeline(domains=["arithmetic"])


def report(text: str, verdicts: list[Any]) -> Report:
    claims = tuple(Claim(Statement("toy", "claim", "response", (at, at + 1), "x", {}), verdict, "because") for at, verdict in enumerate(verdicts))
    return Report(Texts("", text), ("toy",), claims, (), (), None, 0, {}, 0.0)


outputs = st.lists(
    st.tuples(
        st.sampled_from(["It is 1.", "It is 2.", "1", "", "I do not know"]),
        st.lists(st.sampled_from([VERIFIED, VIOLATED, UNKNOWN]), max_size=4),
        st.none() | st.floats(-20, 0),
    ),
    min_size=1,
    max_size=6,
)


def of(found: list[Any]) -> Scores:
    return ranked("", [report(text, verdicts) for text, verdicts, _ in found], [logprob for _, _, logprob in found])


@given(outputs)
def test_energies_order_the_outputs_and_no_share_outweighs_a_verdict(found: list[Any]) -> None:
    scores = of(found)
    energies = [score.energy for score in scores.ranked]
    assert energies == sorted(energies)
    assert sorted(score.index for score in scores.ranked) == list(range(len(found)))
    for score in scores.ranked:
        least = {VERIFIED: 0, VIOLATED: 3}.get(score.verdict, 1 if VERIFIED in found[score.index][1] else 2)
        assert least <= score.energy < least + 1
        assert score.rank == 1 + sum(energy < score.energy for energy in energies)
    assert set(scores.tied) == ({score.index for score in scores.ranked if score.rank == 1} if energies.count(energies[0]) > 1 else set())
    expected = VERIFIED if scores.best.verdict == VERIFIED else VIOLATED if all(score.verdict == VIOLATED for score in scores.ranked) else UNKNOWN
    assert scores.verdict == expected


@given(outputs)
def test_between_verified_outputs_the_choice_is_that_of_majority(found: list[Any]) -> None:
    scores = of(found)
    if scores.best.verdict != VERIFIED:
        return
    completions = [Completion(text, logprob, 1, "stop") for text, _, logprob in found]
    reports = [report(text, verdicts) for text, verdicts, _ in found]
    chosen = majority(completions, reports)
    same = next(score for score in scores.ranked if score.index == chosen)
    # exp() of close or very low log-probabilities is one float, which the order of majority still tells apart.
    assert same.energy == pytest.approx(scores.best.energy, abs=1e-9)


@given(outputs, st.integers(0, 5), st.integers(0, 3))
def test_a_claim_that_turns_out_wrong_never_helps(found: list[Any], at: int, place: int) -> None:
    at %= len(found)
    text, verdicts, logprob = found[at]
    if place >= len(verdicts):
        return
    worse = [*found]
    worse[at] = (text, [*verdicts[:place], VIOLATED, *verdicts[place + 1 :]], logprob)
    before, after = ({score.index: score for score in of(one).ranked}[at] for one in (found, worse))
    assert math.floor(after.energy) >= math.floor(before.energy)


def test_what_was_not_checked_never_beats_what_was_verified() -> None:
    scores = score_outputs(QUESTION, ["I do not know.", "97 + 86 = 173", "97 + 86 = 183"], PIPELINE, [-0.001, -0.001, -9.0])
    assert [(score.index, score.verdict) for score in scores.ranked] == [(2, VERIFIED), (0, UNKNOWN), (1, VIOLATED)]
    assert [score.rank for score in scores.ranked] == [1, 2, 3]


def test_agreement_then_log_probability_decide_between_equals() -> None:
    responses = ["I take (A)", "It must be (B)", "(B)", "Surely (B)"]
    scores = score_outputs("Which colour is it?", responses, PIPELINE, [-0.1, -0.5, -0.3, None])
    assert [score.index for score in scores.ranked] == [2, 1, 3, 0]
    assert [score.agreement for score in scores.ranked] == [0.75, 0.75, 0.75, 0.25]
    assert not scores.tied


def test_ties_are_told_and_the_first_is_taken() -> None:
    scores = score_outputs(QUESTION, ["97 + 86 = 183", "97 + 86 = 183"], PIPELINE)
    assert (scores.best.index, scores.tied, [score.rank for score in scores.ranked]) == (0, (0, 1), [1, 1])


def test_names_of_the_answer_are_those_that_clients_know() -> None:
    told = score_outputs(QUESTION, ["97 + 86 = 173", "97 + 86 = 183"], PIPELINE).to_json()
    assert (told["winner_index"], told["winner_response"], told["n_agents"]) == (1, "97 + 86 = 183", 2)
    assert told["winner_energy"] == told["all_scores"][0]["energy"] < told["all_scores"][1]["energy"]


def test_no_time_means_undecided_and_no_error() -> None:
    assert score_outputs(QUESTION, ["97 + 86 = 183"] * 3, PIPELINE, time_limit=0.0).verdict == UNKNOWN


@pytest.mark.parametrize(
    ("responses", "logprobs", "said"),
    [
        ([], None, "at least one text"),
        ("text", None, "at least one text"),
        (["a"], [], "1 responses and 0 log-probabilities"),
        (["a"], [0.5], "nats from -1e[+]09 to 0"),
        (["a"], [math.nan], "is nan; give nats"),
        (["a"], [-math.inf], "is -inf; give nats"),
        (["a"], [-(10**400)], "give nats"),
        (["a"], [True], "is True; give nats"),
        (["a"], ["-1"], "is '-1'; give nats"),
    ],
)
def test_what_cannot_be_scored_is_refused(responses: Any, logprobs: Any, said: str) -> None:
    with pytest.raises(VerificationError, match=said):
        score_outputs(QUESTION, responses, PIPELINE, logprobs)


@pytest.mark.parametrize("text", ["I don't know", "I don\N{RIGHT SINGLE QUOTATION MARK}t know."])
def test_an_answer_keeps_its_apostrophes(text: str) -> None:
    assert score_outputs(QUESTION, [text], PIPELINE).best.answer == "i don't know"
