"""Logic: arguments in prose and symbols, right and wrong ones; prose that is none; hostile text."""

from __future__ import annotations

import time

import pytest
from arguments import BACKEND, LOGIC, fixed, judged, verdict

from ebmhw.verify.deadline import Deadline
from ebmhw.verify.prover import LiveProver
from ebmhw.verify.verdict import UNKNOWN, VERIFIED, VIOLATED


@pytest.mark.parametrize(
    "question, response, wanted",
    [
        ("", "p and not p", VIOLATED),
        ("", "p or not p", VERIFIED),
        ("", "p ∧ ¬p is a contradiction.", VERIFIED),
        ("", "(p -> q) -> (~q -> ~p) is a tautology.", VERIFIED),
        ("", "p -> q is a tautology.", VIOLATED),
        ("", "p -> q, p ⊢ q", VERIFIED),
        ("", "p -> q, q ⊢ p", VIOLATED),
        ("", "It is raining and it is not raining.", VIOLATED),
        ("p -> q. p.", "Therefore not q.", VIOLATED),
        ("p -> q. p.", "Therefore q.", VERIFIED),
        ("p -> q. q.", "Therefore p.", UNKNOWN),
        ("If it rains, the ground is wet. It rains.", "Therefore the ground is wet.", VERIFIED),
        ("If it rains, the ground is wet. It rains.", "The ground isn't wet.", VIOLATED),
        ("If it rains, the ground is wet. It rains.", "Therefore the ground is dry.", VIOLATED),
        ("If the power is out, the lights are off. The lights are on.", "Therefore the power is not out.", VERIFIED),
        ("If it rains, the ground is wet. The ground is not wet.", "So it does not rain.", VERIFIED),
        ("If it rains, the ground is wet. The ground is wet.", "Therefore, it rains.", UNKNOWN),
        ("The alarm rings only if the door is open. The alarm rings.", "Hence the door is not open.", VIOLATED),
        ("The light is on unless the switch is down. The switch is not down.", "Thus the light is on.", VERIFIED),
        ("Either Tom or Ann is guilty. Tom isn't guilty.", "Hence Ann is guilty.", VERIFIED),
        ("Either Tom or Ann is guilty. Tom isn't guilty.", "Ann is not guilty.", VIOLATED),
        ("Tom is neither tall nor old.", "Therefore Tom is old.", VIOLATED),
        ("If Tom studies, he passes. If he passes, his mother is glad. Tom studies.", "Tom does not pass.", VIOLATED),
        ("It is false that Tom is a thief.", "Tom is a thief.", VIOLATED),
        ("Tom is never late.", "Tom is late.", VIOLATED),
        ("", "All men are mortal. Socrates is a man. Therefore, Socrates is mortal.", VERIFIED),
        ("", "All men are mortal. Socrates is a man. Therefore, Socrates is not mortal.", VIOLATED),
        ("", "All men are mortal. Socrates is mortal. Therefore, Socrates is a man.", UNKNOWN),
        ("No reptiles have fur. All snakes are reptiles.", "Therefore some snakes have fur.", VIOLATED),
        ("No reptiles have fur. All snakes are reptiles.", "Therefore no snakes have fur.", VERIFIED),
        ("All cats are mammals. Some cats are black.", "So some mammals are black.", VERIFIED),
        ("Some cats are black. Tom is a cat.", "Therefore Tom is black.", UNKNOWN),
        ("Not all birds can fly.", "Therefore some birds cannot fly.", VERIFIED),
        ("Only members can vote. Tom can vote.", "Therefore Tom is not a member.", VIOLATED),
        ("Everyone is happy or sad. Tom is not happy.", "Therefore Tom is sad.", VERIFIED),
        ("Everyone is happy or sad. Tom is happy.", "Therefore Ann is happy.", UNKNOWN),
        ("If something is a cat, then it is an animal. Tom is a cat.", "Tom is not an animal.", VIOLATED),
        ("", "Since every dog barks and Rex is a dog, Rex barks.", VERIFIED),
        ("", "Rex barks because every dog barks and Rex is a dog.", VERIFIED),
        ("", "A > B and B > C and C > A", VIOLATED),
        ("", "Tom is taller than Ann. Ann is taller than Bob. So Bob is taller than Tom.", VIOLATED),
        ("", "X is older than Y. Y is older than Z. Z is older than X.", VIOLATED),
        ("X comes before Y. Y comes before Z.", "Thus X comes before Z.", VERIFIED),
        ("X comes before Y. Y comes before Z.", "Thus Z comes before X.", VIOLATED),
        ("Tom is taller than Ann. Ann is taller than Bob. Who is the tallest?", "Tom is the tallest.", VERIFIED),
        ("Tom is taller than Ann. Ann is taller than Bob. Who is the tallest?", "Ann is the tallest.", VIOLATED),
        ("Tom is taller than Ann but shorter than Bob.", "So Bob is taller than Ann.", VERIFIED),
        ("Tom is 3 cm taller than Ann. Ann is taller than Bob.", "Bob is taller than Tom.", VIOLATED),
        ("Tom is taller than Ann.", "Therefore Tom is 3 cm taller than Ann.", UNKNOWN),
        ("Tom is taller than Ann.", "Therefore Ann is 3 cm taller than Tom.", VIOLATED),
        ("Tom is 3 cm taller than Ann.", "Therefore Tom is taller than Ann.", VERIFIED),
        ("Ann is as tall as Tom. Tom is taller than Bob.", "Therefore Bob is taller than Ann.", VIOLATED),
        ("x = y. y = z.", "Therefore x != z.", VIOLATED),
        ("If it rains, the ground is wet. It rains. Is the ground wet?", "Yes.", VERIFIED),
        ("If it rains, the ground is wet. It rains. Is the ground wet?", "No.", VIOLATED),
        ("If it rains, the ground is wet. The ground is wet. Is it raining?", "Yes.", UNKNOWN),
        ("All men are mortal. Socrates is a man. Is Socrates mortal?", "The answer is yes.", VERIFIED),
        ("All roses are flowers. Some flowers fade quickly. Does it follow that some roses fade quickly?", "Yes, it does.", VIOLATED),
        ("All roses are flowers. Some flowers fade quickly. Does it follow that some roses fade quickly?", "No.", VERIFIED),
        # A term without members makes the traditional and the modern reading differ.
        ("All unicorns are white. Does it follow that some unicorns are white?", "Yes.", UNKNOWN),
        ("No fish are mammals. All whales are mammals. Are any whales fish?", "No.", VERIFIED),
        ("If any cat is out, the door is open. Tom is a cat. Tom is out.", "Therefore the door is open.", VERIFIED),
        ("If any cat is out, the door is open. The door is not open. Tom is a cat.", "Therefore Tom is out.", VIOLATED),
        ("A cat is black. Tom is a cat.", "Tom is not black.", UNKNOWN),
        # Bare plurals have exceptions.
        ("Birds can fly. Penguins are birds.", "Penguins cannot fly.", UNKNOWN),
        ("Birds can fly. Tweety is a bird.", "Therefore Tweety can fly.", VERIFIED),
    ],
)
def test_arguments(question: str, response: str, wanted: str) -> None:
    assert verdict(question, response) == wanted
    if wanted == VIOLATED and "⊢" not in response and "tautology" not in response:
        assert verdict(question, fixed(question, response)) != VIOLATED


@pytest.mark.parametrize(
    "question, response",
    [
        ("", "The capital of France is Paris. The Seine flows through it. It is large. The Louvre is old. It is not large."),
        ("Natalia sold 48 clips in April. How many did she sell in all?", "So, she sold 24 clips in May. Thus she sold 72 clips altogether."),
        ("", "At first the door was open. Later the door was not open."),
        ("", "Tom says that the shop is open. The shop is not open."),
        ("", "Suppose that p. Then q. But not q. So p and not p."),
        ("Which is true?\nA) Tom is tall.\nB) Tom is not tall.", "B) Tom is not tall."),
        ("Tom has 5 apples. How many apples does he have?", "Tom has 5 apples."),
        ("Ann is older than Tom, and Tom is older than Bob.", "Tom is older than Bob."),
        ("Corey is older than Jackson. Jackson has 5 cats.", "Corey is 2 years older than Jackson. If Jackson has 5 cats, Corey has 7."),
        ("", "Ann is twice as tall as Tom. Tom is as tall as Bob. Ann is taller than Bob."),
        ("", "Is it raining? It may be raining. Perhaps it is not raining."),
        ("", "A student is tall. A student is not tall."),
        ("", "Most birds fly. Some birds do not fly. Many birds sing."),
        ("", "Tom is not tall or old. Tom is old."),
        ("", "Pages 10 - 20 are missing, so 11 pages are missing."),
    ],
)
def test_prose_that_is_no_argument_is_not_flagged(question: str, response: str) -> None:
    assert verdict(question, response) == UNKNOWN


def test_a_clash_names_what_it_clashes_with() -> None:
    claims = judged("All men are mortal. The sky is blue. Socrates is a man.", "Socrates is not mortal.")
    assert [claim.reason for claim in claims] == ['clashes with "All men are mortal" and "Socrates is a man"']
    assert claims[0].fix == "Socrates is mortal" and claims[0].decisions


def test_a_contradictory_question_blames_no_answer() -> None:
    claims = judged("Tom is a cat. Tom is not a cat.", "Therefore Tom is a cat.")
    assert [claim.verdict for claim in claims] == [UNKNOWN]
    assert claims[0].reason == "what the question says cannot all be true"


def test_a_question_left_open_is_a_goal() -> None:
    deadline = Deadline(10)
    read = [LOGIC.read("If it rains, the ground is wet. It rains. Is the ground wet?", "question", deadline), []]
    judgement = LOGIC.judge(*read, LiveProver(lambda: BACKEND, 1, deadline), deadline)
    assert judgement.open_goals == ("whether Is the ground wet",)


# Hostile text.


@pytest.mark.parametrize(
    "text",
    [
        "(" * 100_000 + "p" + ")" * 100_000,
        "not " * 50_000 + "p",
        "~" * 100_000 + "p",
        "p -> " * 20_000 + "q",
        "if " * 50_000 + "p then q",
        "neither " * 20_000 + "nor " * 20_000,
        "p and " * 20_000 + "not p",
        "Tom is taller than Ann and " * 20_000,
        " ".join(f"T{i} is taller than T{i + 1}." for i in range(3000)),
        " ".join(f"If the x{i} is red, the x{i + 1} is red." for i in range(3000)) + " Therefore the x0 is red.",
        "," * 200_000 + "so p",
        "it is false that " * 10_000 + "p",
        " so" * 100_000,
        "\u202e\u0000\uff50 \uff41\uff4e\uff44 \uff4e\uff4f\uff54 \uff50" * 1000,
        "the answer is" + " " * 100_000 + "yes",
        "#" * 200_000,
        "is " * 3000 + ". " + "- " * 50_000,
    ],
    ids=lambda text: f"{text[:12]!r}",
)
def test_hostile_text_ends_soon_and_blames_nobody(text: str) -> None:
    deadline = Deadline(20)
    began = time.monotonic()
    prover = LiveProver(lambda: BACKEND, 1, deadline)
    judgement = LOGIC.judge(LOGIC.read("Is p true?", "question", deadline), LOGIC.read(text, "response", deadline), prover, deadline)
    assert VIOLATED not in {claim.verdict for claim in judgement.claims}
    assert time.monotonic() - began < 10


def test_ten_megabytes_are_read_up_to_the_limit() -> None:
    deadline = Deadline(20)
    began = time.monotonic()
    read = LOGIC.read("All men are mortal. " * 500_000, "response", deadline)
    assert read[-1].kind == "limit" and time.monotonic() - began < 10
    claims = LOGIC.judge([], read, LiveProver(lambda: BACKEND, 1, deadline), deadline).claims
    assert claims[-1].verdict == UNKNOWN and "400 sentences" in claims[-1].reason


def test_an_arithmetic_answer_has_nothing_for_logic() -> None:
    for text in ("15 + 27 = 42", "The answer is 173.", "She has 12 apples left.", ""):
        assert LOGIC.read(text, "response", Deadline()) == []
