"""The wrong and right answers that the field's shipped verifier was measured on: what it missed, and what it flagged though it was right."""

from __future__ import annotations

from ebmhw.bench.verification.pairs import Pair

_WRONG = (
    ("What is 97 + 86?", "The answer is 173"),
    ("What is 12 * 12?", "12*12=145"),
    ("", "7 x 8 = 54"),
    ("", "7 \u00d7 8 = 54"),
    ("", "48 \u00f7 6 = 9"),
    ("", "2.5 + 1.7 = 4.3"),
    ("", "50 \u2212 20 = 40"),
    ("", "20% of 150 is 35"),
    ("", "Fifteen plus twenty-seven is forty-three."),
    ("", "43 = 15 + 27"),
    ("", "(2 + 3) * 4 = 24"),
    ("", "2^10 = 1000"),
    ("", "1/2 + 1/3 = 2/5"),
    ("", "$15 + $27 = $43"),
    ("", "2 kg + 300 g = 2.5 kg"),
    ("", "15+27=42.5"),
    ("", "\uff11\uff15 + \uff12\uff17 = \uff14\uff13"),
    ("", "17 > 20"),
    ("", "17 mod 5 = 3"),
    ("", "48/2 = 26"),
    ("", "15 + 27 = 43"),
    ("", "97 - 86 = 12"),
    ("", "p and not p"),
    ("", "It is raining and it is not raining."),
    ("If it rains, the ground is wet. It rains. Is the ground wet?", "No, the ground is not wet."),
    ("", "All cats are animals. Tom is a cat. Therefore, Tom is not an animal."),
    ("", "All men are mortal. Socrates is a man. So Socrates is not mortal."),
    ("", "Ann is taller than Bob, Bob is taller than Carla, and Carla is taller than Ann."),
    ("", "The meeting is on February 30, 2023."),
    ("", "The deadline is Feb 30."),
)

_RIGHT = (
    ("", "2 + 3 + 4 = 9"),
    ("", "10 - 2 + 3 = 11"),
    ("", "2 * 3 + 4 = 10"),
    ("", "1,200 + 300 = 1,500"),
    ("", "Pages 10 - 20 = 11 pages"),
    ("What is 97 + 86?", "The answer is 183"),
    ("What is 12 * 12?", "12*12=144"),
    ("", "7 x 8 = 56"),
    ("", "7 \u00d7 8 = 56"),
    ("", "48 \u00f7 6 = 8"),
    ("", "2.5 + 1.7 = 4.2"),
    ("", "50 \u2212 20 = 30"),
    ("", "20% of 150 is 30"),
    ("", "Fifteen plus twenty-seven is forty-two."),
    ("", "42 = 15 + 27"),
    ("", "(2 + 3) * 4 = 20"),
    ("", "2^10 = 1024"),
    ("", "1/2 + 1/3 = 5/6"),
    ("", "$15 + $27 = $42"),
    ("", "2 kg + 300 g = 2.3 kg"),
    ("", "15+27=42"),
    ("", "\uff11\uff15 + \uff12\uff17 = \uff14\uff12"),
    ("", "20 > 17"),
    ("", "17 mod 5 = 2"),
    ("", "48/2 = 24"),
    ("", "p or not p"),
    ("If it rains, the ground is wet. It rains. Is the ground wet?", "Yes, the ground is wet."),
    ("", "All men are mortal. Socrates is a man. So Socrates is mortal."),
    ("", "Ann is taller than Bob, Bob is taller than Carla, and Ann is taller than Carla."),
    ("", "The meeting is on February 28, 2023."),
    ("", "The deadline is Feb 29, 2024."),
)

LISTED = tuple(
    [Pair("listed", question, response, "wrong") for question, response in _WRONG]
    + [Pair("listed", question, response, "right") for question, response in _RIGHT]
)
"""All of them but programs."""
