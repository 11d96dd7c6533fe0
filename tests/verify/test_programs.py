"""Programs: random constraint programs judged by brute force over all arrangements, spoilt ones repaired, errors by line, hostile text."""

from __future__ import annotations

import itertools
import time
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ebmhw.backends import get_backend
from ebmhw.errors import ExtractionError
from ebmhw.verify.claim import Claim
from ebmhw.verify.deadline import Deadline
from ebmhw.verify.domain import Judgement
from ebmhw.verify.programs import ConstraintProgram, Programs
from ebmhw.verify.programs.alternatives import alternatives, same, turned
from ebmhw.verify.programs.choices import chosen
from ebmhw.verify.programs.expressions import Expression
from ebmhw.verify.programs.readings import Readings
from ebmhw.verify.programs.repair import repair
from ebmhw.verify.programs.words import ends_of, read_words
from ebmhw.verify.prover import LiveProver, ReplayProver
from ebmhw.verify.verdict import UNKNOWN, VERIFIED, VIOLATED

BACKEND = get_backend("cpu", threads=1)

BOOKS = """Domain:
1: leftmost
4: rightmost
Variables:
red_book [IN] [1, 2, 3, 4]
blue_book [IN] [1, 2, 3, 4]
green_book [IN] [1, 2, 3, 4]
gray_book [IN] [1, 2, 3, 4]
Constraints:
red_book < blue_book ::: The red book is to the left of the blue book.
green_book == 2 ::: The green book is the second from the left.
gray_book == 1 ::: The gray book is the leftmost.
AllDifferentConstraint([red_book, blue_book, green_book, gray_book]) ::: All books have different values.
Query:
A) red_book == 4 ::: The red book is the rightmost.
B) blue_book == 4 ::: The blue book is the rightmost.
C) green_book == 4 ::: The green book is the rightmost.
"""


def prover(seconds: float = 60) -> LiveProver:
    return LiveProver(lambda: BACKEND, 1, Deadline(seconds))


def judged(program: str, response: str, question: str = "") -> Judgement:
    domain, deadline, live = Programs(), Deadline(60), prover()
    known = [*domain.read(question, "question", deadline), *domain.read(program, "constraints", deadline)]
    said = domain.read(response, "response", deadline)
    judgement = domain.judge(known, said, live, deadline)
    assert domain.judge(known, said, ReplayProver(live.records, deadline), deadline) == judgement
    assert all(response[slice(*claim.span)] == claim.text for claim in judgement.claims)
    return judgement


def claim(program: str, response: str, question: str = "") -> Claim:
    return judged(program, response, question).claims[0]


@pytest.mark.parametrize(
    "response, verdict, fix",
    [
        ("B", VERIFIED, None),
        ("B) The blue book is the rightmost.", VERIFIED, None),
        ("The answer is (B).", VERIFIED, None),
        ("A cannot be, so the final answer is: **B**", VERIFIED, None),
        ("The blue book is the rightmost.", VERIFIED, None),
        ("First the gray one. Hence: The blue book is the rightmost.", UNKNOWN, None),
        ("(A)", VIOLATED, "B"),
        ("The answer is C because of the second line.", VIOLATED, "B"),
        ("The red book is the rightmost.", VIOLATED, "The blue book is the rightmost."),
        ("Answer: E", UNKNOWN, None),
    ],
)
def test_answers(response: str, verdict: str, fix: str | None) -> None:
    judgement = judged(BOOKS, response)
    if not judgement.claims:
        assert verdict == UNKNOWN and judgement.open_goals == ("which option holds",)
        return
    found = judgement.claims[0]
    assert (found.verdict, found.fix) == (verdict, fix)
    assert found.decisions or "no option E" in found.reason


def test_the_letters_of_the_question_count() -> None:
    question = "Which is right?\nA) The blue book is the rightmost.\nB) The green book is the rightmost.\nC) The red book is the rightmost.\n"
    assert claim(BOOKS, "The answer is A.", question).verdict == VERIFIED
    wrong = claim(BOOKS, "The answer is B.", question)
    assert (wrong.verdict, wrong.fix) == (VIOLATED, "A")
    # One misprint does not hide which option is meant; two do, and the program's own letters count.
    assert claim(BOOKS, "The answer is A.", question.replace("red", "read")).verdict == VERIFIED
    assert claim(BOOKS, "The answer is B.", question.replace("red", "read").replace("blue", "blew")).verdict == VERIFIED


def test_programs_that_say_nothing() -> None:
    clash = claim(BOOKS.replace("gray_book == 1", "gray_book == 2"), "B")
    assert clash.verdict == UNKNOWN
    assert clash.reason.startswith('the constraints cannot all hold: "green_book == 2"; "gray_book == 2"; "AllDifferentConstraint(')
    assert claim(BOOKS.replace("gray_book == 1", "gray_book != 2"), "B").reason == "no option follows from the constraints"
    several = claim(BOOKS.replace("C) green_book == 4", "C) green_book == 2"), "B")
    assert (several.verdict, several.reason) == (UNKNOWN, "the constraints make options B and C true at once")


def test_a_program_against_its_own_words_decides_nothing() -> None:
    text = BOOKS.replace("gray_book == 1 :::", "gray_book == 4 :::")
    assert ConstraintProgram.read(text).options_true(prover()) == ()
    text = text.replace("B) blue_book == 4", "B) blue_book == 3")
    assert ConstraintProgram.read(text).options_true(prover()) == ("B",)
    found = claim(text, "B")
    assert (found.verdict, found.fix) == (UNKNOWN, None)
    assert found.reason == 'the program contradicts its own words: "gray_book == 4" where they say "gray_book == 1"'


def test_a_program_reads_back() -> None:
    program = ConstraintProgram.read(BOOKS)
    again = ConstraintProgram.read(str(program))
    assert str(again) == str(program) and again.problem.model.n == 16


@pytest.mark.parametrize(
    "change, text",
    [
        (("red_book < blue_book", "red_book <"), r"line 10 of the constraint program: the end is not expected there in 'red_book <'; write it as in"),
        (("red_book < blue_book", "red_book @ 2"), r"line 10 of the constraint program: '@ 2' is not understood"),
        (("green_book == 2", "pink_book == 2"), r"line 11 .*'pink_book' is no variable; there are red_book, blue_book"),
        (("A) red_book", "red_book"), r"line 15 .*is no option; write it as in A\) book == 2"),
        (("B) blue_book", "A) blue_book"), r"line 16 .*option A is there twice"),
        (("red_book [IN] [1, 2, 3, 4]", "red_book [IN] [low, high]"), r"line 5 .*'low' is no value of red_book; give whole numbers"),
        (("red_book [IN] [1, 2, 3, 4]", "red_book in 1..4"), r"line 5 .*declares no variable; write it as in book \[IN\]"),
        (("red_book [IN] [1, 2, 3, 4]", "red_book [IN] [1, 1]"), r"line 5 .*give up to 32, each once"),
        (("green_book == 2", "1 == 2"), r"line 11 .*names no variable"),
        (("green_book == 2", "(" * 17 + "green_book == 2" + ")" * 17), r"line 11 .*nests deeper than 16"),
        (("green_book == 2", "green_book == 12345678"), r"line 11 "),
        ((BOOKS[: BOOKS.index("Constraints:")], ""), r"line 2 .*'red_book' is no variable"),
        ((BOOKS[BOOKS.index("Variables:") : BOOKS.index("Query:")], ""), r"line 5 .*'red_book' is no variable"),
        ((BOOKS[BOOKS.index("Query:") :], ""), r"has no options; give a section 'Query:'"),
        ((BOOKS, "Sorry, I cannot do that."), r"declares no variables; give a section 'Variables:'"),
        (("Query:", "Ask:"), r"line 14 of the constraint program: ':' is not understood"),
    ],
)
def test_errors_name_the_line(change: tuple[str, str], text: str) -> None:
    with pytest.raises(ExtractionError, match=text):
        ConstraintProgram.read(BOOKS.replace(*change))


@pytest.mark.parametrize(
    "text",
    [
        "(" * 500_000,
        "Constraints:\n" + "not " * 20_000 + "a",
        "Variables:\na [IN] [" + "1," * 40_000 + "]",
        "Variables:\n" + "\n".join(f"v{i} [IN] [1, 2]" for i in range(5000)),
        "Variables:\na [IN] [1, 2]\nConstraints:\n" + "a == 1\n" * 5000 + "Query:\nA) a == 1",
        "Variables:\na [IN] [1, 2]\nConstraints:\na == " + "9" * 900 + "\nQuery:\nA) a == 1",
        "Variables:\n" + " " * 90_000 + "x",
    ],
    ids=lambda text: f"{text[:20]!r}",
)
def test_hostile_programs_are_refused_soon(text: str) -> None:
    began = time.monotonic()
    with pytest.raises(ExtractionError):
        ConstraintProgram.read(text)
    assert time.monotonic() - began < 10


@pytest.mark.parametrize(
    "text", ["answer is " * 200_000, "A)" * 500_000, " " * 1_000_000 + "B", "answer" + " " * 500_000, "x" * 1_000_000, "*" * 300_000]
)
def test_hostile_answers_are_read_soon(text: str) -> None:
    began = time.monotonic()
    chosen(text)
    assert time.monotonic() - began < 10


# Random programs, judged by all arrangements.

NAMES = ("a", "b", "c", "d")


@st.composite
def expressions(draw: Any) -> str:
    one, other = draw(st.permutations(NAMES).map(lambda p: p[:2]))
    value, sign = draw(st.integers(1, 4)), draw(st.sampled_from(["==", "!=", "<", ">", "<=", ">="]))
    return str(
        draw(
            st.sampled_from(
                [
                    f"{one} {sign} {other}",
                    f"{one} {sign} {value}",
                    f"{one} == {other} + {value % 3 + 1}",
                    f"{one} == {other} - 1",
                    f"abs({one} - {other}) {sign} {value}",
                    f"{one} == {value} or {other} {sign} {value}",
                    f"not ({one} {sign} {other}) and {other} > 1",
                ]
            )
        )
    )


def python(expression: str, values: dict[str, int]) -> bool:
    """Evaluate with Python's own rules, which are those of the language."""
    return bool(eval(expression, {"abs": abs}, dict(values)))


ROWS = [dict(zip(NAMES, row, strict=True)) for row in itertools.permutations(range(1, 5))]


def text_of(constraints: list[str], options: list[str]) -> str:
    return "\n".join(
        [
            "Variables:",
            *(f"{name} [IN] [1, 2, 3, 4]" for name in NAMES),
            "Constraints:",
            *constraints,
            "AllDifferentConstraint([a, b, c, d])",
            "Query:",
            *(f"{letter}) {option}" for letter, option in zip("ABCD", options, strict=False)),
        ]
    )


@settings(max_examples=40)
@given(st.lists(expressions(), min_size=1, max_size=4), st.lists(expressions(), min_size=2, max_size=4), st.sampled_from("ABCD"))
def test_random_programs_agree_with_all_arrangements(constraints: list[str], options: list[str], letter: str) -> None:
    rows = [row for row in ROWS if all(python(constraint, row) for constraint in constraints)]
    true = [name for name, option in zip("ABCD", options, strict=False) if rows and all(python(option, row) for row in rows)]
    text = text_of(constraints, options)
    program = ConstraintProgram.read(text)
    found = program.classified(prover())
    assert found.kind == ("unsatisfiable" if not rows else "consistent" if len(true) == 1 else "ambiguous")
    assert list(program.options_true(prover())) == true
    verdict = claim(text, letter).verdict
    if len(true) != 1 or letter not in "ABCD"[: len(options)]:
        assert verdict == UNKNOWN
    elif letter == true[0]:
        assert verdict == VERIFIED
    else:
        refuted = not any(python(options["ABCD".index(letter)], row) for row in rows)
        assert verdict == (VIOLATED if refuted else UNKNOWN)


@settings(max_examples=60)
@given(expressions(), st.sampled_from(ROWS))
def test_expressions_agree_with_python(text: str, row: dict[str, int]) -> None:
    expression = Expression.read(text)
    assert expression.holds(row) == python(text, row)
    again = Expression.read(str(expression))
    assert again.holds(row) == python(text, row)


@settings(max_examples=30)
@given(expressions(), st.booleans())
def test_alternatives_mean_different_things_and_can_be_left_out(text: str, heard: bool) -> None:
    domains = dict.fromkeys(NAMES, (1, 2, 3, 4))
    expression = Expression.read(text)
    found = alternatives(expression, domains, Expression.read("a == 4") if heard else None, heard)
    assert found[0].expression == expression and not found[0].change
    assert found[-1].expression is None and all(other.change for other in found[1:])
    for one, other in itertools.combinations([item.expression for item in found if item.expression is not None], 2):
        assert not same(one, other, domains)
    assert same(turned(turned(expression)), expression, domains)


@settings(max_examples=15)
@given(st.lists(expressions(), min_size=1, max_size=2))
def test_the_least_energy_of_readings_is_that_of_the_cheapest(constraints: list[str]) -> None:
    names = ("a", "b", "c")
    kept = [text for text in constraints if "d" not in text.replace("and", "")]
    assume(kept)
    domains = dict.fromkeys(names, (1, 2, 3))
    lines = [alternatives(Expression.read(text), domains, None, False) for text in kept]
    lines = [line[:3] + line[-1:] if len(line) > 4 else line for line in lines]
    different = Expression.read("AllDifferentConstraint([a, b, c])")
    problem = Readings(domains, [*lines, alternatives(different, domains, None, False)])
    assume(problem.model.n <= 18)
    states = np.array(list(itertools.product((-1, 1), repeat=problem.model.n)), dtype=np.int8)
    energies = problem.model.energy(states)
    least = min(
        sum(
            min(item.cost for item in line if item.expression is None or (turned(item.expression) if way else item.expression).holds(values))
            for line in lines
        )
        + 4 * way
        for values in (dict(zip(names, row, strict=True)) for row in itertools.permutations((1, 2, 3)))
        for way in (False, True)
    )
    assert energies.min() == problem.unit * least
    for state in states[energies == energies.min()]:
        reading = problem.decode(state)
        assert reading is not None and not problem.violated(reading) and problem.cost(reading) == least
    for state, energy in zip(states[:: max(1, len(states) // 500)], energies[:: max(1, len(states) // 500)], strict=True):
        reading = problem.decode(state)
        if reading is not None and not problem.violated(reading):
            assert energy == problem.unit * problem.cost(reading)
            assert (problem.encode(reading) == state).all()
        else:
            assert energy > energies.min()
    # Without the cheapest choice the next one is the cheapest, and the cut is no cheaper to break than to keep.
    cheapest = problem.decode(states[energies.argmin()])
    assert cheapest is not None
    cut = Readings(problem.domains, problem.lines, [(tuple(frozenset((i,)) for i in cheapest.choice), frozenset((cheapest.reversed,)))])
    assert cut.model.n == problem.model.n
    readings = [problem.decode(state) for state in states[energies < energies.min() + 20 * problem.unit]]
    rest = [r for r in readings if r is not None and not problem.violated(r) and (r.choice, r.reversed) != (cheapest.choice, cheapest.reversed)]
    assert rest and all(not cut.violated(reading) for reading in rest) and cut.violated(cheapest) == ("cut 0",)
    assert cut.model.energy(states).min() == cut.unit * min(problem.cost(reading) for reading in rest)


# Words.

ENDS = [
    ({1: "leftmost", 5: "rightmost"}, "The {0} is the leftmost.", "{0} == 1"),
    ({1: "leftmost", 5: "rightmost"}, "The {0} is the second from the right.", "{0} == 4"),
    ({1: "rightmost", 5: "leftmost"}, "The {0} is the second from the right.", "{0} == 2"),
    ({1: "leftmost", 5: "rightmost"}, "The {0} is to the right of the {1}.", "{0} > {1}"),
    ({1: "oldest", 5: "newest"}, "The {0} is the third-newest.", "{0} == 3"),
    ({1: "oldest", 5: "newest"}, "The {0} is older than the {1}.", "{0} < {1}"),
    ({5: "oldest"}, "The {0} is newer than the {1}.", "{0} < {1}"),
    ({1: "cheapest", 5: "most expensive"}, "The {0} are less expensive than the {1}.", "{0} < {1}"),
    ({1: "cheapest", 5: "most expensive"}, "The {0} are the second-most expensive.", "{0} == 4"),
    ({1: "first", 5: "last"}, "{0} finished above {1}.", "{0} < {1}"),
    ({1: "first", 5: "last"}, "{0} finished third.", "{0} == 3"),
    ({1: "last", 5: "first"}, "{0} finished second.", "{0} == 4"),
    ({1: "first", 5: "last"}, "{0} finished second-to-last.", "{0} == 4"),
]


@pytest.mark.parametrize("labels, sentence, wanted", ENDS)
def test_ordering_sentences(labels: dict[int, str], sentence: str, wanted: str) -> None:
    names = ["blue_jay", "owl"]
    ends = ends_of(labels, [1, 2, 3, 4, 5])
    assert ends is not None
    found = read_words(sentence.format("blue jay", "owl"), names, ends)
    assert found is not None
    assert same(found, Expression.read(wanted.format(*names)), dict.fromkeys(names, (1, 2, 3, 4, 5)))


@pytest.mark.parametrize(
    "sentence", ["The owl is not the leftmost.", "The owl sings.", "The owl is old.", "Nothing.", "The owl is between them.", "owl " * 99]
)
def test_other_sentences_are_not_read(sentence: str) -> None:
    ends = ends_of({1: "leftmost", 5: "rightmost"}, [1, 2, 3, 4, 5])
    assert ends is not None and read_words(sentence, ["owl", "jay"], ends) is None
    assert ends_of({1: "leftmost", 5: "newest"}, [1, 5]) is None and ends_of({}, [1, 5]) is None


# Repair.


def test_a_consistent_program_is_kept_and_its_words_only_reported() -> None:
    text = BOOKS.replace("gray_book == 1 :::", "gray_book == 4 :::").replace("B) blue_book == 4", "B) blue_book == 3")
    found = repair(ConstraintProgram.read(text), prover(), Deadline(60))
    assert (found.outcome, found.option, found.rounds) == ("kept", "B", 0) and str(found.program) == str(ConstraintProgram.read(text))
    assert [(change.before, change.after) for change in found.contradicted] == [
        ("gray_book == 4", "gray_book == 1"),
        ("blue_book == 3", "blue_book == 4"),
    ]


def test_a_line_against_its_words_is_the_first_to_change() -> None:
    broken = BOOKS.replace("gray_book == 1 :::", "gray_book == 2 :::")
    found = repair(ConstraintProgram.read(broken), prover(), Deadline(60))
    assert (found.outcome, found.option) == ("repaired", "B")
    assert [(change.line, change.before, change.after) for change in found.changes] == [(12, "gray_book == 2", "gray_book == 1")]
    assert found.program.classified(prover()).true == ("B",)


def test_several_options_that_follow_are_a_guess() -> None:
    text = BOOKS.replace("C) green_book == 4 ::: The green book is the rightmost.", "C) green_book == 2 ::: Green is second.")
    found = repair(ConstraintProgram.read(text), prover(), Deadline(60))
    assert (found.outcome, found.option, found.rounds) == ("guess", "B", 0) and [other.option for other in found.others] == ["C"]
    # Its words say that an option is another one: then it is only that which changes.
    found = repair(ConstraintProgram.read(BOOKS.replace("C) green_book == 4", "C) green_book == 2")), prover(), Deadline(60))
    assert (found.outcome, found.option, [change.after for change in found.changes]) == ("repaired", "B", ["green_book == 4"])


def test_equally_cheap_repairs_are_a_guess() -> None:
    text = text_of(["a == 2", "b == 2", "c == 4", "d != c"], ["a == 2", "b == 2"])
    found = repair(ConstraintProgram.read(text), prover(), Deadline(60), words=False)
    assert found.outcome == "guess" and {candidate.option for candidate in found.others} | {found.option} == {"A", "B"}


@settings(max_examples=8)
@given(st.permutations(range(1, 5)), st.sampled_from([0, 1, 2, 3]), st.booleans())
def test_a_spoilt_puzzle_is_repaired_by_its_words(order: list[int], spoilt: int, words: bool) -> None:
    """The order is told by three neighbours and one place; one line is turned round or counted from the other end."""
    place = dict(zip(("owl", "jay", "hen", "kea"), order, strict=True))
    birds = sorted(place, key=lambda name: place[name])
    lines = [(f"{x} < {y}", f"The {x} is to the left of the {y}.") for x, y in itertools.pairwise(birds)]
    lines.append((f"{birds[1]} == 2", f"The {birds[1]} is the second from the left."))
    code, said = lines[spoilt]
    x, _, y = code.split()
    lines[spoilt] = (f"{y} < {x}" if spoilt < 3 else f"{x} == 3", said)
    options = [(f"{name} == 1", f"The {name} is the leftmost.") for name in place]
    text = "\n".join(
        ["Domain:", "1: leftmost", "4: rightmost", "Variables:", *(f"{name} [IN] [1, 2, 3, 4]" for name in place), "Constraints:"]
        + [f"{code} ::: {said}" for code, said in lines]
        + [f"AllDifferentConstraint([{', '.join(place)}])", "Query:"]
        + [f"{letter}) {code} ::: {said}" for letter, (code, said) in zip("ABCD", options, strict=True)]
    )
    found = repair(ConstraintProgram.read(text), prover(), Deadline(60), words=words)
    right = "ABCD"[list(place).index(birds[0])]
    if words and found.outcome != "kept":
        assert (found.outcome, found.option) == ("repaired", right)
    if found.outcome == "kept":
        assert found.contradicted and found.rounds == 0
    elif found.option is not None:
        assert found.program.classified(prover()).true == (found.option,)


def test_repair_ends_at_its_deadline() -> None:
    began = time.monotonic()
    text = text_of(["a < b", "b < c", "c < d", "d < a"], ["a == 9", "b == 9"])
    found = repair(ConstraintProgram.read(text), prover(2), Deadline(0.5), words=False)
    assert (found.outcome, found.option) == ("none", None) and time.monotonic() - began < 10
