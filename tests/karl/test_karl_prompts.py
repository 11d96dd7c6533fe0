"""Prompts: what corrects, what asks for it again, what does neither; hostile ones; outcomes."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ebmhw.karl.prompts import CORRECTION, REDO, asks_for, outcome_of
from ebmhw.karl.trajectory import Outcome

CORRECTIONS = (
    "no, I meant the other file",
    "No, use the existing helper instead",
    "that's wrong",
    "That is not what I asked for.",
    "This is incorrect, the total should be 5",
    "you broke the build",
    "it still doesn't work",
    "still wrong file",
    "Wrong file.",
    "actually, I meant main.py",
    "I didn't ask for tests",
    "stop adding comments",
    "you forgot to update the docs",
    "No - not that one, the second",
    "it's still failing? no, it's still broken",
    "Not quite: the header must stay",
    "your fix didn't work",
    "Why did you delete the tests?",
    "hmm, that isn\u2019t right",
    "You're missing the point",
    "don't do that",
    "I said use tabs",
    "nope, that's not it",
    "wrong, it must be 12",
    "The output is wrong: it prints twice",
    "It still crashes on start",
    "Thanks. But that's wrong, the port is 80.",
    "That's wrong. Undo that.",
    "Nope, wrong table. It should read from orders_v2.",
    "you left out the error handling",
    "I wanted a list, not a dict",
    "wrong again, the id is a string",
    "You have broken the import",
    "the button still doesn't work",
    "Please stop rewriting my comments",
    "that breaks the login page",
)
REDOS = (
    "try again",
    "Please try again with python 3.10",
    "redo",
    "redo the second part",
    "undo that",
    "Undo the last change please",
    "revert",
    "revert that please",
    "Can you undo that?",
    "could you try that again?",
    "roll it back",
    "start over",
    "let's start from scratch",
    "do it again",
    "ok, revert your changes",
    "put it back",
    "/undo",
    "Thanks, but please redo it with numpy",
    "once more",
    "retry",
    "revert to the previous version",
    "roll back the migration you just added",
    "change it back to the old layout",
    "can we try again with fewer files?",
    "one more time please",
    "Can you try a different approach?",
)
NEITHER = (
    "",
    "no problem",
    "no worries, go on",
    "is this wrong?",
    "Is this the wrong approach?",
    "No, that's fine",
    "no, that's all, thanks",
    "add an undo button to the editor",
    "implement undo/redo support",
    "The server says 'try again' when the password is wrong",
    "users who try again get a 500 error",
    "fix the bug where the total is computed from the cart",
    "Add a retry policy to the client",
    "now write the docs",
    "great, now add tests",
    "What does git revert do?",
    "rename wrong_answers to errors",
    "No need to change the API",
    'the message "that\'s wrong" should be shown in red',
    "explain why the login page is slow",
    "Looks good, commit it",
    "Thanks!",
    "no",
    "No thanks",
    "yes",
    "how do I revert a commit?",
    "run the tests again",
    "document the revert command",
    "can you check whether this is right?",
    "why did you choose sqlite?",
    "handle the case in which the input is not correct",
    "fix: 'undo that' in the menu",
    "> that's wrong\nWho said so? Reply to him.",
    "tell me if that is wrong",
    "```\nthat's wrong\n```\nis what the log says",
    "no, don't worry about that",
    "don't forget to update the changelog",
    "do the same for the other module",
    "The issue says: login is broken on Safari. Fix it.",
    "Add a test for the case where the user tries again",
    "what does 'not what I asked' mean here",
    "No errors, great",
    "go back and forth between the two tabs",
    "<log>you broke it</log> summarise this log",
)


@pytest.mark.parametrize(("kind", "texts"), [(CORRECTION, CORRECTIONS), (REDO, REDOS), (None, NEITHER)])
def test_labelled_prompts_are_told_apart(kind: str | None, texts: tuple[str, ...]) -> None:
    assert [text for text in texts if asks_for(text) != kind] == []


@given(st.sampled_from(CORRECTIONS + REDOS + NEITHER), st.sampled_from(("", "  ", "\n\n")), st.booleans())
def test_case_blanks_and_what_is_pasted_below_change_nothing(text: str, blanks: str, upper: bool) -> None:
    given_text = blanks + (text.upper() if upper else text) + "\n\n```\n" + "Traceback: that's wrong, try again\n" * 20 + "```"
    assert asks_for(given_text) == asks_for(text)


@settings(max_examples=200)
@given(st.text(max_size=300))
def test_any_text_has_an_answer(text: str) -> None:
    assert asks_for(text) in (CORRECTION, REDO, None)


@pytest.mark.parametrize(
    "piece",
    [
        "no ",
        "`",
        "'a ",
        "<a>",
        "that is ",
        "you have just ",
        "ok ",
        "please ",
        "\n",
        ". ",
        "ok-",
        "can you ",
        "no, ",
        '"',
        ">",
        "```",
        "<ab>x",
        "try that ",
    ],
)
def test_a_thousandfold_length_takes_no_longer(piece: str) -> None:
    text = piece * (1_000_000 // len(piece))
    start = time.process_time()
    asks_for(text)
    # 3 ms are usual; what grows with the length, or its square, would take far longer.
    assert time.process_time() - start < 0.25


def test_outcomes_follow_later_prompts_and_the_last_build() -> None:
    assert outcome_of([], []) == Outcome()
    assert outcome_of(["that's wrong"], [True]) == Outcome(build=True)
    assert outcome_of(["fix it", "now write docs"], [True, False]) == Outcome(False, False, False, True)
    assert outcome_of(["fix it", "that's wrong"], []) == Outcome(True, False, None, False, corrections=1)
    assert outcome_of(["fix it", "try again", "no, I meant b", "good, now c", "that's wrong"], []) == Outcome(True, True, None, True, corrections=2)


@given(st.lists(st.sampled_from(CORRECTIONS + REDOS + NEITHER), max_size=6), st.lists(st.booleans(), max_size=3))
def test_outcomes_agree_with_their_definition(prompts: list[str], builds: list[bool]) -> None:
    outcome = outcome_of(prompts, builds)
    later = [asks_for(text) for text in prompts[1:]]
    assert outcome.build == (builds[-1] if builds else None)
    assert outcome.correction == (any(one == CORRECTION for one in later) if later else None)
    assert outcome.redo == (any(one == REDO for one in later) if later else None)
    assert outcome.continued == (any(one is None for one in later) if later else None)
    assert outcome.corrections == sum(one == CORRECTION for one in later)


@pytest.mark.parametrize(
    "prompt",
    ["Nein, falsch! Mach das rückgängig.", "no das ist falsch", "also bitte nochmal", "再试一次", "Oui, continue s'il te plaît", "weiter"],
)
def test_what_cannot_be_read_is_no_praise(prompt: str) -> None:
    assert outcome_of(["fix it", prompt], []) == Outcome()
    assert outcome_of(["fix it", prompt, "now the docs"], []) == Outcome(continued=True)
    assert outcome_of(["fix it", prompt, "that's wrong"], [])[:2] == (True, None)


@pytest.mark.parametrize("prompt", ["continue", "ok", "now the tests", "Thanks, LGTM", "1234"])
def test_what_can_be_read_and_is_no_complaint(prompt: str) -> None:
    assert outcome_of(["fix it", prompt], [])[:2] == (False, False)
