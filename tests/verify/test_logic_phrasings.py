"""Logic: verbs, quantifiers and conclusions in many wordings, each right, wrong or open by construction, with fixes that mend what is wrong."""

from __future__ import annotations

import pytest
from arguments import fixed, verdict

from ebmhw.verify.verdict import UNKNOWN, VERIFIED, VIOLATED

RIGHT, WRONG, OPEN = VERIFIED, VIOLATED, UNKNOWN

RAIN = "If it rains, the ground gets wet. It rains."
SOCRATES = "All men are mortal. Socrates is a man."

VERBS = [
    (RAIN, "The ground gets wet.", RIGHT),
    (RAIN, "The ground does not get wet.", WRONG),
    (RAIN, "The ground doesn't get wet.", WRONG),
    (RAIN, "So the ground does get wet.", RIGHT),
    ("If it rains the ground gets wet. It rains.", "The ground does not get wet.", WRONG),
    ("If it rains the ground gets wet. It rains.", "Therefore the ground gets wet.", RIGHT),
    ("If it rains then the ground gets wet. The ground does not get wet.", "It does not rain.", RIGHT),
    ("If it rains then the ground gets wet. The ground does not get wet.", "Therefore it rains.", WRONG),
    ("", "He runs. He does not run.", OPEN),
    ("", "Tom runs and Tom does not run.", WRONG),
    ("", "Tom ran. Tom did not run.", WRONG),
    ("", "Tom didn't go. Tom went.", WRONG),
    ("", "Tom ate the cake and Tom did not eat the cake.", WRONG),
    ("", "The cat drinks milk. The cat doesn't drink milk.", WRONG),
    ("If Tom studies, he passes the test. Tom studies.", "Tom does not pass the test.", WRONG),
    ("If Tom studied, he passed the test. Tom studied.", "Tom did not pass the test.", WRONG),
    ("If Tom studied, he passed the test. Tom did not pass the test.", "So Tom did not study.", RIGHT),
    ("If Ann won, Tom lost. Ann won.", "Hence Tom lost.", RIGHT),
    ("If Ann won, Tom lost. Ann won.", "Hence Tom did not lose.", WRONG),
    ("If the alarm rings, the dog barks. The dog does not bark.", "The alarm rings.", WRONG),
    ("If the alarm rings, the dog barks. The dog does not bark.", "Therefore the alarm does not ring.", RIGHT),
    ("When it rains, the ground gets wet. It rains.", "So the ground does not get wet.", WRONG),
    ("Whenever Tom sings, Ann leaves. Tom sings.", "Therefore Ann does not leave.", WRONG),
    ("If the battery is dead, the car won't start. The battery is dead.", "Therefore the car will start.", WRONG),
    ("If the battery is dead, the car won't start. The battery is dead.", "Therefore the car will not start.", RIGHT),
    ("If you heat ice, it melts. You heat ice.", "The ice does not melt.", OPEN),
    ("Tom ran.", "Tom does not run.", OPEN),
    ("Tom runs.", "Tom did not run.", OPEN),
    ("Ann never lies.", "Ann lies.", WRONG),
    ("Tom has a dog.", "Tom does not have a dog.", WRONG),
    ("Tom has no dog.", "Tom has a dog.", WRONG),
    ("Tom likes cheese.", "Tom doesn't like cheese.", WRONG),
]

UNIVERSALS = [
    ("", "Cats are animals. Tom is a cat. So Tom is not an animal.", WRONG),
    ("", "Cats are animals. Tom is a cat. So Tom is an animal.", RIGHT),
    ("Cats are animals. Tom is a cat.", "Tom is not an animal.", WRONG),
    ("", "Men are mortal. Socrates is a man. Therefore Socrates is not mortal.", WRONG),
    ("", "Dogs bark. Rex is a dog. Therefore Rex barks.", RIGHT),
    ("", "Dogs bark. Rex is a dog. Therefore Rex does not bark.", WRONG),
    ("Birds can fly. Penguins are birds. Penguins cannot fly. Tux is a penguin.", "Therefore Tux cannot fly.", OPEN),
    ("", "Birds can fly. Penguins are birds. Penguins cannot fly. Tux is a penguin. Therefore Tux cannot fly.", OPEN),
    ("Birds can fly. Tux is a bird.", "Tux cannot fly.", OPEN),
    ("Every dog is an animal. Rex is a dog.", "Rex is not an animal.", WRONG),
    ("Each student passed. Tom is a student.", "Tom did not pass.", WRONG),
    ("Any square is a rectangle. S is a square.", "Therefore S is a rectangle.", RIGHT),
    ("Any square is a rectangle. S is a square.", "Therefore S is not a rectangle.", WRONG),
    ("All fruit is food. This apple is fruit.", "Therefore this apple is not food.", OPEN),
    ("All fruit is food. An apple is fruit.", "So an apple is food.", RIGHT),
    ("All fruit is food. The apple is fruit.", "The apple is not food.", WRONG),
    ("All metal conducts electricity. Copper is metal.", "So copper conducts electricity.", OPEN),
    ("All metals conduct electricity. Copper is a metal.", "So copper does not conduct electricity.", WRONG),
    ("All metals conduct electricity. Copper is a metal.", "So copper conducts electricity.", RIGHT),
    ("No fish are mammals. Whales are mammals.", "Therefore no whales are fish.", RIGHT),
    ("There is no cat that is a dog. Tom is a cat.", "Tom is a dog.", WRONG),
    ("There are no cats that are dogs. Tom is a cat.", "Therefore Tom is not a dog.", RIGHT),
    ("None of the cats are dogs. Tom is a cat.", "Tom is a dog.", WRONG),
    ("None of the students is late. Ann is a student.", "Ann is late.", WRONG),
    ("All of the cats are black. Tom is a cat.", "Tom is not black.", WRONG),
    ("Every one of the cats is black. Tom is a cat.", "Tom is not black.", WRONG),
    ("Some of the cats are black. Tom is a cat.", "Tom is not black.", OPEN),
    ("Anyone who is a doctor is rich. Tom is a doctor.", "Tom is not rich.", WRONG),
    ("Everyone who studies passes. Tom studies.", "Tom does not pass.", WRONG),
    ("Everyone who studies passes. Tom studies.", "Therefore Tom passes.", RIGHT),
    ("Everyone who studies passes. Tom passes.", "Therefore Tom studies.", OPEN),
    ("Nobody who smokes is healthy. Tom smokes.", "Tom is healthy.", WRONG),
    ("All students who study pass. Ann is a student. Ann studies.", "Ann does not pass.", WRONG),
    ("All students who study pass. Ann is a student.", "Ann does not pass.", OPEN),
    ("Nothing is both a cat and a dog. Tom is a cat.", "Tom is a dog.", WRONG),
    ("All cats are mammals. All mammals are animals.", "Therefore no cats are animals.", WRONG),
    ("All cats are mammals. All mammals are animals.", "Therefore all cats are animals.", RIGHT),
    ("All cats are mammals. No mammals are birds.", "Therefore all cats are birds.", WRONG),
    ("All cats are mammals. No mammals are birds.", "Therefore some cats are birds.", WRONG),
    ("All cats are mammals. All dogs are mammals.", "Therefore all cats are dogs.", OPEN),
    ("All unicorns are white.", "There are no unicorns.", OPEN),
    ("There are no unicorns.", "All unicorns are white.", RIGHT),
    ("A dog is an animal. Rex is a dog.", "Therefore Rex is an animal.", RIGHT),
]

CONCLUSIONS = [
    (SOCRATES, "It follows that Socrates is mortal.", RIGHT),
    (SOCRATES, "It follows that Socrates is not mortal.", WRONG),
    (SOCRATES, "Therefore, it follows that Socrates is not mortal.", WRONG),
    (SOCRATES, "We can conclude that Socrates is not mortal.", WRONG),
    (SOCRATES, "So we can conclude that Socrates is mortal.", RIGHT),
    (SOCRATES, "From this, we can deduce that Socrates is not mortal.", WRONG),
    (SOCRATES, "It can be concluded that Socrates is not mortal.", WRONG),
    (SOCRATES, "Thus, Socrates is not mortal.", WRONG),
    (SOCRATES, "Hence Socrates is not mortal.", WRONG),
    (SOCRATES, "Hence, Socrates is mortal.", RIGHT),
    (SOCRATES, "Therefore Socrates must be mortal.", RIGHT),
    (SOCRATES, "Therefore Socrates must not be mortal.", WRONG),
    (SOCRATES, "Therefore Socrates cannot be mortal.", WRONG),
    (SOCRATES, "So Socrates can't be mortal.", WRONG),
    (SOCRATES, "Socrates is a man, which means that Socrates is not mortal.", WRONG),
    (SOCRATES, "Socrates is a man, which means Socrates is mortal.", RIGHT),
    (SOCRATES, "Socrates is a man, meaning that Socrates is not mortal.", WRONG),
    (SOCRATES, "This shows that Socrates is not mortal.", WRONG),
    (SOCRATES, "This proves that Socrates is mortal.", RIGHT),
    (SOCRATES, "By modus ponens, Socrates is not mortal.", WRONG),
    (SOCRATES, "Ergo, Socrates is not mortal.", WRONG),
    (SOCRATES, "The conclusion is that Socrates is not mortal.", WRONG),
    (SOCRATES, "**Conclusion:** Socrates is not mortal.", WRONG),
    (SOCRATES, "- Socrates is a man.\n- Therefore, Socrates is **not** mortal.", WRONG),
    (SOCRATES, "* Socrates is mortal.", RIGHT),
    (SOCRATES, "Since all men are mortal and Socrates is a man, Socrates is not mortal.", WRONG),
    (SOCRATES, "Because all men are mortal, and Socrates is a man, Socrates is mortal.", RIGHT),
    (SOCRATES, "Because Socrates is a man, it follows that Socrates is not mortal.", WRONG),
    (SOCRATES, "Since Socrates is a man, he must be mortal.", RIGHT),
    (SOCRATES, "Since Socrates is a man, he is not mortal.", WRONG),
    ("1. All men are mortal. 2. Socrates is a man.", "Conclusion: Socrates is mortal.", RIGHT),
    ("", "1. All men are mortal. 2. Socrates is a man. Conclusion: Socrates is not mortal.", WRONG),
    ("", "1. All men are mortal. 2. Socrates is a man. 3. Therefore Socrates is mortal.", RIGHT),
    ("", "(1) All men are mortal. (2) Socrates is a man. (3) Therefore Socrates is not mortal.", WRONG),
    ("", "Premise 1: All men are mortal.\nPremise 2: Socrates is a man.\nConclusion: Socrates is not mortal.", WRONG),
    ("", "Major premise: All men are mortal.\nMinor premise: Socrates is a man.\nConclusion: Socrates is mortal.", RIGHT),
    ("", "P1. All men are mortal.\nP2. Socrates is a man.\nC. Socrates is not mortal.", WRONG),
    ("", "All men are mortal, and Socrates is a man, so Socrates is not mortal.", WRONG),
    ("", "All men are mortal; Socrates is a man; therefore, Socrates is mortal.", RIGHT),
    ("All students must be quiet. Tom is a student.", "Tom is not quiet.", OPEN),
    ("All students must be quiet. Tom is a student.", "Therefore Tom must be quiet.", RIGHT),
    ("All students must be quiet. Tom is a student.", "Therefore Tom must not be quiet.", WRONG),
]


@pytest.mark.parametrize("question, response, wanted", [*VERBS, *UNIVERSALS, *CONCLUSIONS])
def test_wordings(question: str, response: str, wanted: str) -> None:
    assert verdict(question, response) == wanted
    if wanted == WRONG:
        changed = fixed(question, response)
        assert changed != response
        assert verdict(question, changed) != VIOLATED
