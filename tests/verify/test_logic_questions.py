"""Logic: questions, contradictions, sums, connectives and orders in many wordings, with fixes that mend what is wrong."""

from __future__ import annotations

import pytest
from arguments import expect, fixed, judged

from ebmhw.verify.verdict import UNKNOWN, VERIFIED, VIOLATED

RIGHT, WRONG, OPEN = VERIFIED, VIOLATED, UNKNOWN

SOCRATES = "All men are mortal. Socrates is a man."
HEIGHTS = "Tom is taller than Ann. Ann is taller than Bob."

QUESTIONS = [
    (f"{HEIGHTS} Is Tom taller than Bob?", "Yes", RIGHT),
    (f"{HEIGHTS} Is Tom taller than Bob?", "Yes, Tom is taller than Bob.", RIGHT),
    (f"{HEIGHTS} Is Tom taller than Bob?", "No, Tom is not taller than Bob.", WRONG),
    (f"{HEIGHTS} Is Bob taller than Tom?", "Yes.", WRONG),
    (f"{HEIGHTS} Is Bob taller than Tom?", "No, he is not.", RIGHT),
    (f"{HEIGHTS} Who is the tallest?", "Tom", RIGHT),
    (f"{HEIGHTS} Who is the tallest?", "Tom.", RIGHT),
    (f"{HEIGHTS} Who is the tallest?", "Ann", WRONG),
    (f"{HEIGHTS} Who is the tallest?", "Ann is.", WRONG),
    (f"{HEIGHTS} Who is tallest?", "Bob is the tallest.", WRONG),
    (f"{HEIGHTS} Who is the tallest of the three?", "The answer is Bob.", WRONG),
    (f"{HEIGHTS} Who is the tallest of the three?", "The tallest is Tom.", RIGHT),
    (f"{HEIGHTS} Who is the tallest person?", "It is Ann.", WRONG),
    (f"{HEIGHTS} Who is the shortest?", "Bob", RIGHT),
    (f"{HEIGHTS} Who is the shortest?", "Tom", WRONG),
    (f"{HEIGHTS} Who is taller, Tom or Bob?", "Tom", RIGHT),
    (f"{HEIGHTS} Who is taller, Tom or Bob?", "Bob is.", WRONG),
    (f"{HEIGHTS} Who is the tallest?", "Carl", OPEN),
    (f"{HEIGHTS} Who is the oldest?", "Ann", OPEN),
    ("Tom is taller than Ann. Tom is taller than Bob. Who is the shortest?", "Ann", OPEN),
    ("Tom is taller than Ann. Eve towers above them all. Who is the tallest?", "Tom", OPEN),
    (f"{SOCRATES} What follows?", "Socrates is mortal.", RIGHT),
    (f"{SOCRATES} What follows?", "Socrates is not mortal.", WRONG),
    (f"{SOCRATES} What can we conclude?", "We can conclude that Socrates isn't mortal.", WRONG),
    (f"{SOCRATES} Is Socrates mortal?", "Yes, he is.", RIGHT),
    (f"{SOCRATES} Is Socrates mortal?", "No, Socrates is not mortal.", WRONG),
    ("All bloops are razzies. All razzies are lazzies. Are all bloops lazzies?", "Yes, all bloops are lazzies.", RIGHT),
    ("All bloops are razzies. All razzies are lazzies. Are all bloops lazzies?", "No.", WRONG),
    ("All cats are mammals. No mammals are birds. Are any cats birds?", "Yes.", WRONG),
    ("All cats are mammals. No mammals are birds. Are all cats birds?", "No.", RIGHT),
    ("All cats are mammals. No mammals are birds. Are all cats birds?", "Yes.", WRONG),
    ("If it rains the ground gets wet. It rains. Does the ground get wet?", "No.", WRONG),
    ("If it rains the ground gets wet. It rains. Does the ground get wet?", "Yes.", RIGHT),
    ("If Tom studied, he passed. Tom studied. Did Tom pass?", "No.", WRONG),
    ("If Tom studied, he passed. Tom studied. Did Tom pass?", "Yes, Tom passed.", RIGHT),
]

CONTRADICTIONS = [
    ("", "The door is open and closed at the same time.", WRONG),
    ("", "The door is both open and closed.", WRONG),
    ("", "The light is on and off simultaneously.", WRONG),
    ("", "The cat is dead and alive.", WRONG),
    ("", "The number is even and odd.", WRONG),
    ("", "The number n is even. The number n is odd.", WRONG),
    ("", "The statement is true and false.", WRONG),
    ("", "Ann is present. Ann is absent.", WRONG),
    ("", "Tom is married and unmarried.", WRONG),
    ("", "Tom is both tall and not tall.", WRONG),
    ("", "Tom is tall and not tall.", WRONG),
    ("", "Tom is both a doctor and not a doctor.", WRONG),
    ("", "It is raining and not raining.", WRONG),
    ("", "It is both raining and not raining.", WRONG),
    ("", "Tom is taller than Ann and Ann is taller than Tom.", WRONG),
    ("", "Tom is taller than himself.", WRONG),
    ("", "Tom is taller than Tom.", WRONG),
    ("", "The box is empty but the box is not empty.", WRONG),
    ("", "The ball is red and blue.", OPEN),
    ("", "Tom is old and young at heart.", OPEN),
    ("", "The door is open or closed.", RIGHT),
    ("", "The number is even or odd.", RIGHT),
    ("", "The door is open. Tom closes the door. The door is closed.", OPEN),
    ("The door is open. Tom closes it. Is the door open?", "The door is closed.", OPEN),
    ("The light is off. Ann flips the switch.", "The light is on.", OPEN),
    ("", "The door is open on Monday and closed on Sunday.", OPEN),
    ("", "The shop is open and the bar is closed.", OPEN),
    ("", "He is tall. She is not tall.", OPEN),
    ("", "Tom was tall. Tom is not tall.", OPEN),
]

MIXED = [
    (HEIGHTS, "So Bob is taller than Tom, and 2 + 2 = 5.", WRONG),
    (HEIGHTS, "So Tom is taller than Bob, and 2 + 2 = 4.", RIGHT),
    (HEIGHTS, "2 + 2 = 4, and Bob is taller than Tom.", WRONG),
    (HEIGHTS, "Since 2 + 2 = 4, Bob is not as tall as Tom.", RIGHT),
    (SOCRATES, "3 * 4 = 12 and Socrates is not mortal.", WRONG),
    (SOCRATES, "If 2 + 2 = 5, and Socrates is not mortal, pigs fly.", OPEN),
    ("", "If 2 + 2 = 5 or p and not p, then q.", OPEN),
    ("", "Ann has 2 + 3 = 5 apples and Tom has 4 pears.", OPEN),
]

CONNECTIVES = [
    ("The door is open or the window is open. The door is not open.", "Therefore the window is not open.", WRONG),
    ("The door is open or the window is open. The door is not open.", "Therefore the window is open.", RIGHT),
    ("Either it rains or it snows. It does not rain.", "So it snows.", RIGHT),
    ("Either it rains or it snows. It does not rain.", "So it does not snow.", WRONG),
    ("Tom will come if Ann comes. Ann comes.", "Therefore Tom will not come.", WRONG),
    ("Provided that it rains, the ground gets wet. It rains.", "The ground does not get wet.", WRONG),
    ("It rains only if there are clouds. It rains.", "So there are clouds.", RIGHT),
    ("A number is even if and only if it is divisible by two. N is even.", "So N is divisible by two.", OPEN),
    ("If A then B. If B then C. A.", "Therefore not C.", WRONG),
    ("If A then B. If B then C. A.", "Therefore C.", RIGHT),
    ("If P, then Q. Not Q.", "Therefore, P.", WRONG),
    ("P implies Q. P is true.", "Q is false.", WRONG),
    ("P implies Q. P is true.", "Therefore Q is true.", RIGHT),
    ("Unless it rains, the game is on. It does not rain.", "The game is off.", WRONG),
    ("Being a cat implies being an animal. Tom is a cat.", "Tom is not an animal.", OPEN),
]

ORDERS = [
    ("", "X comes before Y, Y comes before Z, and Z comes before X.", WRONG),
    ("", "Tom is older than Ann, who is older than Bob. So Bob is older than Tom.", WRONG),
    ("", "Tom is older than Ann, who is older than Bob. So Tom is older than Bob.", RIGHT),
    ("The cat is bigger than the mouse. The dog is bigger than the cat.", "Therefore the mouse is bigger than the dog.", WRONG),
    ("Tom runs faster than Ann. Ann runs faster than Bob.", "So Bob runs faster than Tom.", WRONG),
    ("Tom runs faster than Ann. Ann runs faster than Bob.", "So Tom runs faster than Bob.", RIGHT),
    ("Tom has more marbles than Ann. Ann has more marbles than Bob.", "Bob has more marbles than Tom.", WRONG),
    ("Tom finished before Ann. Ann finished before Bob.", "Bob finished before Tom.", WRONG),
    ("A is greater than B. B is greater than C.", "C is greater than A.", WRONG),
    ("A is greater than B, and B is greater than C.", "By transitivity, A is greater than C.", RIGHT),
    ("Tom is the tallest. Ann is taller than Bob.", "Bob is taller than Tom.", WRONG),
    ("Tom is at least as tall as Ann.", "Ann is taller than Tom.", WRONG),
]


@pytest.mark.parametrize("question, response, wanted", [*QUESTIONS, *CONTRADICTIONS, *MIXED, *CONNECTIVES, *ORDERS])
def test_wordings(question: str, response: str, wanted: str) -> None:
    expect(question, response, wanted)


def test_a_name_that_answers_is_corrected() -> None:
    assert fixed(f"{HEIGHTS} Who is the tallest?", "It is Bob.") == "It is Tom."


def test_a_clause_beside_a_sum_keeps_its_own_words() -> None:
    texts = [claim.text for claim in judged(HEIGHTS, "So Bob is taller than Tom, and 2 + 2 = 5.")]
    assert texts == ["Bob is taller than Tom"]
