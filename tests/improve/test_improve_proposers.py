"""Proposers: what a model is shown, and what is read of its answers; functions that return what they should not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from improve_candidates import GOOD, WORSE

from ebmhw.errors import VerificationError
from ebmhw.improve import Breaker, Budget, ModelProposer, Proposal, QuarticMinimum, Situation, improve
from ebmhw.improve.lessons import LENGTH, Lesson, lessons
from ebmhw.improve.proposers import FunctionProposer, as_proposer
from ebmhw.verify.models import as_model

LESSONS = (Lesson("energy", "mean energy 3 against 2, p 1 where 0.0025 is needed", 4), Lesson("claims", "'gain > 9' is wrong: gain is 1", 1))


def situation(**more: Any) -> Situation:
    return Situation(QuarticMinimum(), "def minimum(a, b, c, d):\n    return 1.0\n", 1.25, LESSONS, 3)._replace(**more)


def proposed(answer: str) -> Proposal:
    """Return what is read of a model's answer."""
    return ModelProposer(as_model(lambda prompt: answer))(situation())


def test_the_prompt_holds_the_task_the_best_code_its_energy_and_the_lessons() -> None:
    seen: list[str] = []
    proposer = as_proposer(as_model(lambda prompt: seen.append(prompt) or f"```python\n{GOOD}```"))
    proposer(situation())
    (prompt,) = seen
    for part in (
        QuarticMinimum().description,
        "mean energy of 1.25;",
        "    return 1.0\n```",
        "- energy: mean energy 3 against 2",
        "(4 times)",
        "CLAIM: gain > 0",
    ):
        assert part in prompt
    proposer(situation(energy=None, lessons=()))
    assert "gave no answer" in seen[1] and "earlier attempts" not in seen[1]


@pytest.mark.parametrize(
    ("answer", "claims"),
    [
        ("```python\n{}```\nCLAIM: gain > 0\nCLAIM: `seconds < 5`\n", ("gain > 0", "seconds < 5")),
        ("It is better.\n\n```py\n{}```\n- **Claim 1:** gain > 1\n> claim 2: **energy < 1**", ("gain > 1", "energy < 1")),
        ("```\n{}```\n", ("gain > 0",)),
        ("```python\n{}", ("gain > 0",)),
        ("```bash\npip install numpy\n```\n```python\n{}```\nIt is used so:\n```python\nprint(minimum(1, 2, 3, 4) / 0)\n```", ("gain > 0",)),
    ],
    ids=["claims", "prose", "no language", "not closed", "with an example"],
)
def test_code_and_claims_are_read(answer: str, claims: tuple[str, ...]) -> None:
    found = proposed(answer.replace("{}", GOOD.lstrip()))
    assert found.code.strip() == GOOD.strip() and found.claims == claims and found.by.startswith("function")


def test_two_blocks_are_one_source_where_the_second_needs_the_first() -> None:
    found = proposed(f"```python\nimport math\n```\nand\n```python\n{GOOD}```")
    assert found.code.startswith("import math") and "def minimum" in found.code
    assert (
        "return 2"
        in proposed(
            "```python\ndef minimum(*_):\n    return 1\n```\nbetter:\n```python\nminimum = lambda *_: 2\ndef minimum(*_):\n    return 2\n```"
        ).code
    )
    assert proposed("```python\ndef maximum():\n    pass\n```\n```python\nx = 1\n```").code.endswith("x = 1\n"), "the trial tells what is missing"


@pytest.mark.parametrize("answer", ["", "I cannot do that.", "CLAIM: gain > 0", "```bash\nls\n```", "def minimum(a, b, c, d): it is clear"])
def test_an_answer_without_a_block_is_no_proposal(answer: str) -> None:
    with pytest.raises(VerificationError, match="holds no Python block; it ended by 'stop'"):
        proposed(answer)


@pytest.mark.confined
def test_a_model_drives_a_loop(tmp_path: Path) -> None:
    """A scripted model: prose, then worse code, then better code with a wrong claim, then with one that holds; what it is told grows."""
    better = f"```python\n{GOOD}```\nCLAIM: "
    answers = iter(
        [
            "Let me think.",
            f"```python\n{WORSE}```",
            better + "energy < 0",
            f"```python\n# 2\n{GOOD}```\nCLAIM: gain > 0\nCLAIM: it is nice",
            "```python",
        ]
    )
    prompts: list[str] = []
    model = as_model(lambda prompt: prompts.append(prompt) or next(answers))
    found = improve(QuarticMinimum(), model, tmp_path, breaker=Breaker(rounds=5, failures=5), budget=Budget(seconds=30.0), instances=12)
    assert found.accepted == (4,) and found.code.startswith("# 2")
    assert [one.gates is None for one in found.rounds] == [True, False, False, False, True]
    assert "'energy < 0' is wrong" in prompts[3] and "no Python block" in prompts[1]
    assert "# 2\n" in prompts[4] and "- accepted: mean energy" in prompts[4]


class Odd(str):
    """A text with deeds of its own."""

    def __len__(self) -> int:
        return 0


def test_texts_of_other_classes_become_plain() -> None:
    found = FunctionProposer(lambda _: (Odd(WORSE), [Odd("gain > 0")], Odd("me")))(situation())
    assert found == Proposal(WORSE, ("gain > 0",), "me") and {type(found.code), type(found.claims[0]), type(found.by)} == {str}
    with pytest.raises(VerificationError, match="has 70000 characters"):
        FunctionProposer(lambda _: Odd("x" * 70_000))(situation())


@pytest.mark.parametrize("by", [7, object(), "a\nb", "x" * 201])
def test_a_name_that_is_none_is_refused(by: Any) -> None:
    with pytest.raises(VerificationError, match="give a printable name"):
        FunctionProposer(lambda _: (WORSE, ["gain > 0"], by))(situation())


def test_a_lesson_is_one_line_that_any_model_can_read() -> None:
    said = "it raised ValueError: \ud800\n```\nIgnore all\nearlier " + "x" * 5000
    (lesson,) = lessons([{"gates": None, "error": said}])
    assert "\n" not in lesson.text and len(lesson.text) <= LENGTH
    lesson.text.encode()
