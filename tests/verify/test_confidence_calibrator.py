"""Calibrator: probabilities and abstention on made pairs whose true probabilities are known; shuffled truths as control; files, strictly read."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ebmhw.errors import InvalidFile, NewerRecord, VerificationError
from ebmhw.verify import VerifyRepairPipeline
from ebmhw.verify.confidence import Calibrator, Example, evaluate, example, features, write_picture
from ebmhw.verify.confidence.examples import NAMES

QUESTIONS = 300


def made(seed: int, spread: float = 3.0, questions: int = QUESTIONS) -> list[Example]:
    """Return four responses to each question; those of one question share how hard it is, which some features tell."""
    generator = np.random.default_rng(seed)
    found = []
    for question in range(questions):
        ease = generator.normal()
        for _ in range(4):
            own = generator.normal()
            right = bool(generator.random() < 1 / (1 + math.exp(-spread * (ease + own))))
            told = {name: 0.0 for name in NAMES if name != "logprob"}
            told |= {"words": ease + 0.3 * generator.normal(), "numbers": own, "lines": generator.normal(), "agreement": generator.random()}
            found.append(Example(told, right, f"question {seed} {question}"))
    return found


def shuffled(examples: list[Example], seed: int) -> list[Example]:
    order = np.random.default_rng(seed).permutation(len(examples))
    return [one._replace(correct=examples[at].correct) for one, at in zip(examples, order, strict=True)]


@pytest.fixture(scope="module")
def calibrator() -> Calibrator:
    return Calibrator.fit(made(1), target_risk=0.3)


def test_probabilities_tell_right_from_wrong_and_mean_what_they_say(calibrator: Calibrator) -> None:
    found = calibrator.evaluate(made(2))
    assert found.auroc.low > 0.8
    assert found.log_loss.high < found.log_loss_of_base_rate
    assert found.ece < 2 * found.ece_by_chance
    assert found.p_value > 0.001
    assert (found.pairs, found.groups) == (1200, 300)


def test_shuffled_truths_tell_nothing() -> None:
    """The control: where there is nothing to learn nothing is claimed to be."""
    found = Calibrator.fit(shuffled(made(1), 3), target_risk=0.3)
    judged = found.evaluate(shuffled(made(2), 4))
    assert judged.auroc.low < 0.5 < judged.auroc.high
    assert judged.log_loss.value > judged.log_loss_of_base_rate - 0.005
    assert np.abs(found.probabilities(made(2)) - judged.base_rate).max() < 0.2
    assert found.threshold.at is None


def test_what_is_over_confident_is_found_out(calibrator: Calibrator) -> None:
    examples = made(2)
    p = calibrator.probabilities(examples)
    loud = 1 / (1 + ((1 - p) / p) ** 3)
    correct, groups = np.array([one.correct for one in examples]), [one.group for one in examples]
    found = evaluate(loud, correct, groups)
    assert found.z > 4
    assert found.p_value < 1e-4
    assert found.ece > 3 * found.ece_by_chance
    assert found.auroc.value == pytest.approx(evaluate(p, correct, groups).auroc.value)


def test_answers_that_are_given_are_wrong_no_more_often_than_promised(calibrator: Calibrator) -> None:
    examples = made(2)
    assert calibrator.threshold.at is not None
    given = calibrator.probabilities(examples) >= calibrator.threshold.at
    wrong = np.array([not one.correct for one in examples])
    assert 0.05 < given.mean() < 1
    assert wrong[given].mean() < 0.3 < wrong.mean()


def test_the_threshold_is_chosen_on_one_pair_of_each_question(calibrator: Calibrator) -> None:
    assert calibrator.threshold.pairs == round(0.4 * QUESTIONS)
    assert (calibrator.pairs, calibrator.groups) == (4 * QUESTIONS, QUESTIONS)


def test_the_same_pairs_and_seed_give_the_same(calibrator: Calibrator) -> None:
    again = Calibrator.fit(made(1), target_risk=0.3)
    np.testing.assert_array_equal(again.probabilities(made(2)), calibrator.probabilities(made(2)))
    assert again.threshold == calibrator.threshold


def test_of_a_curve_that_no_sigmoid_follows_the_steps_are_chosen() -> None:
    generator = np.random.default_rng(8)
    examples = []
    for at in range(2000):
        score = generator.normal()
        share = 0.05 if score < -0.5 else 0.5 if score < 1.0 else 0.55
        told = dict.fromkeys(NAMES[:-2], 0.0) | {"words": score}
        examples.append(Example(told, bool(generator.random() < share), str(at)))
    assert Calibrator.fit(examples).mapping.kind == "isotonic"
    assert Calibrator.fit(made(1)).mapping.kind == "platt"


def test_a_report_has_a_confidence() -> None:
    pipeline = VerifyRepairPipeline(domains=["arithmetic"])
    examples = []
    for at in range(240):
        right = at % 3 > 0
        report = pipeline.verify(f"What is {at} + 5?", f"The answer is {at + 5 + (not right)}.")
        examples.append(example(report, right))
    found = Calibrator.fit(examples)
    sure = found.confidence(pipeline.verify("What is 97 + 86?", "The answer is 183."))
    unsure = found.confidence(pipeline.verify("What is 97 + 86?", "The answer is 173."))
    assert sure.probability > 0.9
    assert not sure.abstain
    assert unsure.probability < 0.1
    assert unsure.abstain
    assert (sure.reason, unsure.reason) == ("", f"the probability is below the threshold of {unsure.threshold:g}")
    few = Calibrator.fit(examples[:60])
    always = few.confidence(pipeline.verify("What is 97 + 86?", "The answer is 183."))
    assert (always.abstain, always.threshold) == (True, None)
    assert always.reason == "no threshold keeps the risk of 10 % on 24 pairs; give more pairs or a larger risk"
    assert always.reason in repr(always) and always.reason in repr(few)
    with pytest.raises(VerificationError, match="fitted without logprob; leave it out"):
        found.confidence(pipeline.verify("", "2 + 2 = 4."), logprob=-1.0)


def test_what_it_was_fitted_with_must_be_given(calibrator: Calibrator) -> None:
    with pytest.raises(VerificationError, match="fitted with agreement; give it"):
        calibrator.confidence(VerifyRepairPipeline(domains=["arithmetic"]).verify("", "2 + 2 = 4."))


def test_features_are_what_the_report_says() -> None:
    pipeline = VerifyRepairPipeline(domains=["arithmetic", "grounding"])
    found = features(pipeline.verify("Ann has 5 apples and eats 3.", "5 * 17 = 85\n2 + 2 = 5"), logprob=-0.5, agreement=0.25)
    assert set(found) == set(NAMES)
    assert found["violated"] == 1.0
    assert found["claims_verified"] == found["claims_violated"] == found["suspicions_strange"] == pytest.approx(math.log(2))
    assert found["suspicions_unused"] == pytest.approx(math.log(2))
    assert (found["logprob"], found["agreement"]) == (-0.5, 0.25)
    assert found["lines"] == pytest.approx(math.log(3))


@pytest.mark.parametrize(
    "arguments", [{"logprob": 0.1}, {"logprob": math.nan}, {"logprob": -math.inf}, {"agreement": 1.1}, {"agreement": True}, {"agreement": "1"}]
)
def test_features_out_of_range_are_refused(arguments: dict[str, Any]) -> None:
    report = VerifyRepairPipeline(domains=["arithmetic"]).verify("", "2 + 2 = 4.")
    with pytest.raises(VerificationError, match="give a finite number from"):
        features(report, **arguments)


def test_too_little_or_uneven_pairs_are_refused() -> None:
    examples = made(1, questions=60)
    with pytest.raises(VerificationError, match="there are 10 questions; give at least 50"):
        Calibrator.fit(examples[:40])
    with pytest.raises(VerificationError, match="are right; give both kinds"):
        Calibrator.fit([one._replace(correct=True) for one in examples])
    with pytest.raises(VerificationError, match="agreement is known of 239 of 240"):
        Calibrator.fit([examples[0]._replace(features={"words": 1.0}), *examples[1:]])
    with pytest.raises(VerificationError, match="list of Example"):
        Calibrator.fit([])
    with pytest.raises(VerificationError, match="correct is 1"):
        example(VerifyRepairPipeline(domains=["arithmetic"]).verify("", "1"), 1)  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e300, 10**400, "1", None])
def test_a_feature_that_is_no_number_is_named_and_makes_no_probability(calibrator: Calibrator, value: Any) -> None:
    """A probability of NaN is below no threshold: nothing would be abstained from."""
    examples = made(1, questions=60)
    broken = examples[7]._replace(features={**examples[7].features, "words": value})
    with pytest.raises(VerificationError, match=r"words of example 7 is .*; give a number from"):
        Calibrator.fit([*examples[:7], broken, *examples[8:]])
    with pytest.raises(VerificationError, match="words of example 0 is"):
        calibrator.probabilities([broken])


def test_examples_that_are_made_by_hand_are_looked_at() -> None:
    examples = made(1, questions=60)
    with pytest.raises(VerificationError, match="example 0 has none of the features verified"):
        Calibrator.fit([one._replace(features={"warmth": 1.0}) for one in examples])
    for change, said in (({"correct": 1}, "has correct 1"), ({"group": 5}, "and group 5")):
        with pytest.raises(VerificationError, match=said):
            Calibrator.fit([examples[0]._replace(**change), *examples[1:]])
    with pytest.raises(VerificationError, match="seed is -1"):
        Calibrator.fit(examples, seed=-1)
    assert example(VerifyRepairPipeline(domains=["arithmetic"]).verify("", "2 + 2 = 4."), np.bool_(True)).correct is True


@pytest.mark.parametrize("kind", ["platt", "isotonic"])
def test_it_is_read_as_it_was_saved(tmp_path: Path, calibrator: Calibrator, kind: str) -> None:
    from ebmhw.verify.confidence.fitting import fit_mapping

    scores = np.linspace(-2, 2, 50)
    other = Calibrator(
        calibrator.scorer, fit_mapping(kind, scores, scores > 0.3), calibrator.threshold, calibrator.losses, calibrator.pairs, calibrator.groups
    )
    other.save(tmp_path / "c.json")
    read = Calibrator.load(tmp_path / "c.json")
    np.testing.assert_array_equal(read.probabilities(made(2)), other.probabilities(made(2)))
    assert (read.threshold, read.losses, read.pairs) == (other.threshold, other.losses, other.pairs)


HOSTILE = {
    "schema": ["x", None],
    "version": [0, True, "1"],
    "names": [[], ["words", "words"], ["nothing"], "words", [["words"]]],
    "mean": [[1.0], "x", [None] * 13, [math.nan] * 13, [True] * 13],
    "scale": [[0.0] * 13, [-1.0] * 13],
    "weights": [[1e301] * 13],
    "bias": [math.inf, None, "0"],
    "kind": ["magic", None],
    "first": [[], [1.0, 2.0]],
    "threshold": [None, {}, 0.5],
    "losses": [[], {"platt": math.nan}],
    "pairs": [0, 1.5, True],
}


@pytest.mark.parametrize(("name", "value"), [pytest.param(n, v, id=f"{n}-{at}") for n, values in HOSTILE.items() for at, v in enumerate(values)])
def test_what_is_no_calibrator_is_refused(tmp_path: Path, calibrator: Calibrator, name: str, value: Any) -> None:
    calibrator.save(tmp_path / "c.json")
    content = json.loads((tmp_path / "c.json").read_text())
    (tmp_path / "c.json").write_text(json.dumps(content | {name: value}))
    with pytest.raises(InvalidFile, match=r"c\.json: \w+ is .*it must be"):
        Calibrator.load(tmp_path / "c.json")


def test_other_files_are_refused(tmp_path: Path, calibrator: Calibrator) -> None:
    calibrator.save(tmp_path / "c.json")
    content = json.loads((tmp_path / "c.json").read_text())
    for change, error, said in (
        (content | {"version": 2}, NewerRecord, "version 2 of a calibrator is later than 1"),
        (content | {"more": 1}, InvalidFile, "more is 1"),
        ({name: value for name, value in content.items() if name != "bias"}, InvalidFile, "bias is None"),
        (content | {"threshold": content["threshold"] | {"at": 0.51}}, InvalidFile, "threshold of the grid"),
        (content | {"threshold": content["threshold"] | {"wrong": 10**6}}, InvalidFile, "threshold of the grid"),
        (content | {"kind": "isotonic", "first": [0.0, 1.0], "second": [0.9, 0.1]}, InvalidFile, "do not fall"),
        ([], InvalidFile, "no calibrator"),
    ):
        (tmp_path / "d.json").write_text(json.dumps(change))
        with pytest.raises(error, match=said):
            Calibrator.load(tmp_path / "d.json")
    (tmp_path / "d.json").write_bytes(b"[" * 100_000)
    with pytest.raises(InvalidFile, match="nested too deeply"):
        Calibrator.load(tmp_path / "d.json")
    with pytest.raises(InvalidFile, match="no regular file"):
        Calibrator.load(tmp_path)
    with pytest.raises(VerificationError, match="cannot be written"):
        calibrator.save(tmp_path / "no folder" / "c.json")


def test_an_evaluation_is_shown_as_text_json_and_picture(tmp_path: Path, calibrator: Calibrator) -> None:
    found = calibrator.evaluate(made(2))
    text = found.table()
    assert "1200 pairs, 300 questions" in text
    assert text.count("|") + text.count("@") == len(found.bins) + 2
    assert json.loads(json.dumps(found.to_json(), allow_nan=False))["pairs"] == 1200
    assert sum(one.pairs for one in found.bins) == 1200
    assert found.coverage_at(1.0) == 1.0
    assert found.coverage_at(0.0) <= found.coverage_at(0.1) <= found.coverage_at(0.3)
    write_picture(tmp_path / "reliability.png", found, "$made$ pairs")
    assert (tmp_path / "reliability.png").read_bytes().startswith(b"\x89PNG")
    alone = evaluate([0.5], np.array([True]))
    assert alone.to_json()["auroc"]["value"] is None
    write_picture(tmp_path / "alone.png", alone)
