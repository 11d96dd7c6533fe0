"""Logic: arguments of all kinds in many wordings, each right, wrong or open by construction, with fixes that mend what is wrong."""

from __future__ import annotations

import pytest
from arguments import fixed, verdict

from ebmhw.verify.verdict import UNKNOWN, VERIFIED, VIOLATED

RIGHT, WRONG, OPEN = VERIFIED, VIOLATED, UNKNOWN

FURTHER = [
    ("If it rains, the ground will be wet. It rains.", "Therefore the ground is wet.", RIGHT),
    ("If it rains, the ground will be wet. It rains.", "Therefore the ground is not wet.", WRONG),
    ("If it rains, the ground will be wet. It rains.", "Therefore the ground will not be wet.", WRONG),
    ("If it is raining, then the street is wet. It is raining.", "The street is dry.", WRONG),
    ("If Sam studies, Sam will pass. Sam studies.", "Sam will not pass.", WRONG),
    ("If Sam studies, Sam will pass. Sam does not pass.", "Therefore Sam does not study.", OPEN),
    ("Tom is not rich. If Tom works, he will be rich. Tom works.", "Therefore Tom will be rich.", RIGHT),
    ("Tom is not rich. If Tom works, he will be rich. Tom works.", "Tom is not rich.", OPEN),
    ("All roses are flowers. This is a rose.", "This is not a flower.", OPEN),
    ("All A are B. All B are C.", "Therefore, all A are C.", RIGHT),
    ("All A are B. All B are C.", "Therefore, some A are not C.", WRONG),
    ("All A are B. X is an A.", "X is not a B.", WRONG),
    ("Every A is a B. Every B is a C.", "No A is a C.", WRONG),
    ("No A are B. All C are A.", "Therefore, no C are B.", RIGHT),
    ("No A are B. All C are A.", "Therefore, all C are B.", WRONG),
    ("Some A are B. All B are C.", "Therefore some A are C.", RIGHT),
    ("All mammals are warm-blooded. Whales are mammals.", "Therefore, whales are not warm-blooded.", WRONG),
    ("All mammals are warm-blooded. A whale is a mammal.", "So a whale is warm-blooded.", RIGHT),
    ("All birds have feathers. A robin is a bird.", "A robin does not have feathers.", OPEN),
    ("All birds have feathers. A robin is a bird.", "Therefore a robin does not have feathers.", WRONG),
    ("All birds have feathers. Robin is a bird.", "Robin has no feathers.", WRONG),
    ("Every planet orbits a star. Earth is a planet.", "Therefore, Earth does not orbit a star.", WRONG),
    ("No reptile has fur. A snake is a reptile.", "Therefore a snake has fur.", WRONG),
    ("Either the butler or the maid did it. The butler did not do it.", "Therefore the maid did it.", RIGHT),
    ("Either the butler or the maid is guilty. The butler is not guilty.", "Therefore the maid is innocent.", WRONG),
    ("If P then Q. P.", "Q.", RIGHT),
    ("If P then Q. P.", "Not Q.", WRONG),
    ("If P then Q. Not Q.", "So not P.", RIGHT),
    ("P or Q. Not P.", "Therefore not Q.", WRONG),
    ("P -> Q\nP", "~Q", WRONG),
    ("A implies B. B implies C.", "Therefore A implies C.", RIGHT),
    ("Alice is older than Bob. Bob is older than Carol. Is Carol older than Alice?", "Yes, Carol is older than Alice.", WRONG),
    ("Alice is older than Bob. Carol is younger than Bob. Who is the youngest?", "The youngest is Alice.", WRONG),
    ("Alice is older than Bob. Carol is younger than Bob. Who is the youngest?", "Carol is the youngest.", RIGHT),
    ("Alice is older than Bob. Carol is younger than Bob. Who is the youngest?", "Carol.", RIGHT),
    ("Alice is older than Bob. Carol is younger than Bob. Who's the oldest?", "Bob", WRONG),
    ("A weighs more than B. B weighs more than C.", "C weighs more than A.", WRONG),
    (
        "The red box is heavier than the blue box. The blue box is heavier than the green box. Which box is the heaviest?",
        "The green box is the heaviest.",
        WRONG,
    ),
    ("The red box is heavier than the blue box. The blue box is heavier than the green box. Which box is the heaviest?", "The red box.", RIGHT),
    ("The red box is heavier than the blue box. The blue box is heavier than the green box. Which box is the lightest?", "The red box", WRONG),
    ("Paris is north of Rome. Rome is north of Tunis.", "Tunis is north of Paris.", WRONG),
    ("Tom arrived before Ann. Ann arrived before Bob. Who arrived first?", "Tom", RIGHT),
    ("Tom arrived before Ann. Ann arrived before Bob. Who arrived first?", "Bob", WRONG),
    ("Tom arrived before Ann. Ann arrived before Bob. Who arrived last?", "Tom arrived last.", WRONG),
    ("Tom finished before Ann. Ann finished before Bob. Who came in last?", "Bob came in last.", RIGHT),
    ("", "Socrates is mortal and Socrates is not mortal.", WRONG),
    ("", "Socrates is a man and isn't a man.", WRONG),
    ("", "It is raining. It isn't raining.", WRONG),
    ("", "It's raining and it's not raining.", WRONG),
    ("", "The sky is blue and the sky isn't blue.", WRONG),
    ("", "All swans are white. Some swans are not white.", WRONG),
    ("", "All swans are white. Some swans are black. No black things are white.", OPEN),
    ("", "No swans are white. Some swans are white.", WRONG),
    ("", "Every swan is white. Not every swan is white.", WRONG),
    ("", "All swans are white. No swans are white.", WRONG),
    ("", "Nobody came. Tom came.", WRONG),
    ("", "Everybody passed. Tom did not pass.", WRONG),
    ("", "Everyone passed, but Tom did not pass.", WRONG),
    ("", "Nobody likes Tom. Ann likes Tom.", WRONG),
    ("", "The lights are on and the lights are off.", WRONG),
    ("", "The window is shut and open.", WRONG),
    ("", "Ann is alive and she is dead.", WRONG),
    ("", "x is even and x is odd.", WRONG),
    ("", "The number 7 is odd and even.", OPEN),
    ("", "Tom is a bachelor. Tom is married.", OPEN),
    ("", "p, and not p.", WRONG),
    ("", "P is true and P is false.", WRONG),
    ("", "This sentence is false.", OPEN),
    ("If it's sunny, we go to the park. It's sunny.", "We don't go to the park.", OPEN),
    ("If the light is red, cars stop. The light is red.", "Cars do not stop.", OPEN),
    ("If the light is red, the cars stop. The light is red.", "The cars do not stop.", WRONG),
    ("If today is Monday, then tomorrow is Tuesday. Today is Monday.", "Therefore tomorrow is not Tuesday.", OPEN),
    ("All dogs are mammals. Rex is a dog. Is Rex a mammal?", "No, Rex is not a mammal.", WRONG),
    ("All dogs are mammals. Rex is a dog. Is Rex a mammal?", "Rex is a mammal.", RIGHT),
    ("No cats are dogs. Tom is a cat. Is Tom a dog?", "Yes.", WRONG),
    ("No cats are dogs. Tom is a cat. Is Tom a dog?", "No, Tom is not a dog.", RIGHT),
    ("If Ann sings, Bob dances. Ann sings. Does Bob dance?", "No, Bob does not dance.", WRONG),
    ("If Ann sings, Bob dances. Bob does not dance. Does Ann sing?", "Yes, she does.", WRONG),
    ("Can all birds fly? All birds can fly.", "No.", WRONG),
]


@pytest.mark.parametrize("question, response, wanted", [*FURTHER])
def test_wordings(question: str, response: str, wanted: str) -> None:
    assert verdict(question, response) == wanted
    if wanted == WRONG:
        changed = fixed(question, response)
        assert changed != response
        assert verdict(question, changed) != VIOLATED
