"""Facts: random knowledge and sentences about it, the open world, values, files that cannot be read, hostile text."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import ebmhw
from ebmhw.errors import ExtractionError
from ebmhw.verify.deadline import Deadline
from ebmhw.verify.domain import Edit, Judgement
from ebmhw.verify.facts import Facts, Knowledge
from ebmhw.verify.prover import ReplayProver
from ebmhw.verify.repair import edited
from ebmhw.verify.verdict import UNKNOWN, VERIFIED, VIOLATED, together

KNOWLEDGE = """\
aliases:
  United States: [USA, US, United States of America]
relations:
  boiling point: {phrases: ["{subject} boils at {value}"], tolerance: 0.5 °C}
  moons: {closed: true}
  number of moons: {phrases: ["{subject} has {value} moons"]}
  author: {phrases: ["{value} wrote {subject}", "{subject} was written by {value}"]}
facts:
  - {subject: France, relation: capital, value: Paris}
  - {subject: Germany, relation: capital, value: Berlin}
  - {subject: United States, relation: capital, value: "Washington, D.C."}
  - {subject: Côte d'Ivoire, relation: capital, value: Yamoussoukro}
  - {subject: water, relation: boiling point, value: 100 °C}
  - {subject: Eiffel Tower, relation: located in, value: Paris}
  - {subject: Paris, relation: located in, value: France}
  - {subject: Lyon, relation: located in, value: France}
  - {subject: France, relation: located in, value: Europe}
  - {subject: Eiffel Tower, relation: built in, value: 1889}
  - {subject: Eiffel Tower, relation: height, value: 330 m}
  - {subject: Mars, relation: moons, value: [Phobos, Deimos]}
  - {subject: Jupiter, relation: number of moons, value: 95}
  - {subject: Hamlet, relation: author, value: William Shakespeare}
  - {subject: Albert Einstein, relation: born on, value: "March 14, 1879", aliases: [Einstein]}
  - {subject: France, relation: population, value: "68,373,433"}
  - {subject: Brazil, relation: official languages, value: [Portuguese]}
  - {subject: sky, relation: color, value: blue}
  - {subject: grass, relation: color, value: green}
"""
FACTS = Facts(KNOWLEDGE)


def judgement(question: str, response: str, facts: Facts = FACTS) -> Judgement:
    deadline = Deadline(60)
    read = facts.read(question, "question", deadline), facts.read(response, "response", deadline)
    # No search is recorded, so any would fail.
    found = facts.judge(*read, ReplayProver({}, deadline), deadline)
    for claim in found.claims:
        assert response[slice(*claim.span)] == claim.text
        assert (claim.fix is None) == (claim.fix_span is None)
    return found


def verdict(response: str, question: str = "", facts: Facts = FACTS) -> str:
    return together(claim.verdict for claim in judgement(question, response, facts).claims)


def fixed(response: str, question: str = "", facts: Facts = FACTS) -> str:
    found = judgement(question, response, facts).claims
    return edited(response, [Edit(claim.fix_span, claim.fix) for claim in found if claim.fix_span is not None and claim.fix is not None])


@pytest.mark.parametrize(
    ("question", "response", "expected"),
    [
        ("", "The capital of France is Lyon.", "The capital of France is Paris."),
        ("", "France's capital is Lyon, a nice city.", "France's capital is Paris, a nice city."),
        ("", "Lyon is the capital of France.", "Paris is the capital of France."),
        ("", "THE CAPITAL OF FRANCE IS LYON.", "THE CAPITAL OF FRANCE IS PARIS."),
        ("", "The capital of France isn't Paris.", "The capital of France is Paris."),
        ("", "The capital of Cote d\u2019Ivoire is Abidjan.", "The capital of Cote d\u2019Ivoire is Yamoussoukro."),
        ("", "Water boils at 90 °C.", "Water boils at 100 °C."),
        ("", "The Eiffel Tower was built in 1887 by Gustave Eiffel.", "The Eiffel Tower was built in 1889 by Gustave Eiffel."),
        ("", "The Eiffel Tower is located in Lyon.", "The Eiffel Tower is located in Paris."),
        ("", "Jupiter has 80 moons.", "Jupiter has 95 moons."),
        ("", "Christopher Marlowe wrote Hamlet.", "William Shakespeare wrote Hamlet."),
        ("", "Einstein was born on March 15, 1879.", "Einstein was born on March 14, 1879."),
        ("", "The color of the sky is green.", "The color of the sky is blue."),
        ("", "Paris is the capital of the USA.", "Washington, D.C. is the capital of the USA."),
        ("What is the capital of France?", "Lyon.", "Paris."),
        ("What is the capital of France?", "The answer is **Lyon**.", "The answer is **Paris**."),
        ("What is the capital of France?", "It is Lyon.", "It is Paris."),
        ("Is Lyon the capital of France?", "Yes.", "No."),
        ("Was the Eiffel Tower built in 1890?", "Yes, it was.", "No, it was."),
        ("At what temperature does water boil?", "90 °C", "100 °C"),
        ("When was the Eiffel Tower built?", "In 1890.", "In 1889."),
        ("How many moons does Jupiter have?", "It has 80 moons.", "It has 95 moons."),
        ("Who wrote Hamlet?", "Christopher Marlowe", "William Shakespeare"),
        ("True or false: The capital of France is Lyon.", "True", "False"),
        ("Name the capital of France.", "Lyon", "Paris"),
        ("Name the capital of France.", "The capital city is Lyon.", "The capital city is Paris."),
        ("Tell me the capital of France.", "It is Lyon.", "It is Paris."),
        ("What is the capital of France?", "berlin", "Paris"),
        ("", "the color of the sky is green", "the color of the sky is blue"),
    ],
)
def test_wrong_answers_are_caught_and_fixed(question: str, response: str, expected: str) -> None:
    assert verdict(response, question) == VIOLATED
    assert fixed(response, question) == expected
    assert verdict(expected, question) == VERIFIED


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        ("The capital of France is Paris, of course.", VERIFIED),
        ("The capital of France is not Lyon.", VERIFIED),
        ("Water boils at 212 °F.", VERIFIED),
        ("Water boils at 100.4 °C.", VERIFIED),
        ("The Eiffel Tower is located in France.", VERIFIED),
        ("The Eiffel Tower is located in Europe.", VERIFIED),
        ("The moons of Mars are Phobos and Deimos.", VERIFIED),
        ("Mars has two moons.", VERIFIED),
        ("Phobos is a moon of Mars.", VERIFIED),
        ("Einstein was born on 14 March 1879 in Ulm.", VERIFIED),
        ("The Eiffel Tower is located in Spain.", UNKNOWN),
        ("The height of the Eiffel Tower is 1,083 feet.", UNKNOWN),
        ("The height of the Eiffel Tower is about 320 m.", UNKNOWN),
        ("The population of France is 68 million.", UNKNOWN),
        ("The capital of the United States is Washington.", UNKNOWN),
        ("The official languages of Brazil are Spanish.", UNKNOWN),
        ("The capital of France was Lyon.", UNKNOWN),
        ("Water boils at 90 °C at high altitude.", UNKNOWN),
        ("The capital of France is a beautiful city.", UNKNOWN),
        ("The capital of France is located on the Seine.", UNKNOWN),
        ("If the capital of France is Lyon, we are lost.", UNKNOWN),
        ("Unlike Germany, the capital of France, Paris, is large.", UNKNOWN),
        ("The capital of Spain is Madrid.", UNKNOWN),
        ("The mayor of the capital of France is Anne.", UNKNOWN),
        ("The wine from France's capital is Bordeaux.", UNKNOWN),
        ("The capital of France is Lutetia in that novel.", UNKNOWN),
        ("The capital of France is called the City of Light.", UNKNOWN),
        ("the capital of france is beautiful", UNKNOWN),
        ("the capital of france is paris", VERIFIED),
        ("The moons of Mars are phobos and deimos.", VERIFIED),
    ],
)
def test_what_the_file_does_not_say_is_not_flagged(response: str, expected: str) -> None:
    assert verdict(response) == expected


def test_closed_lists() -> None:
    assert verdict("Titan is a moon of Mars.") == VIOLATED
    assert verdict("The moons of Mars are Phobos and Titan.") == VIOLATED
    assert verdict("Mars has 3 moons.") == VIOLATED
    assert fixed("Mars has 3 moons.") == "Mars has 2 moons."


def test_a_question_about_something_else_is_no_goal() -> None:
    assert verdict("2,100,000", "What is the population of the capital of France?") == UNKNOWN
    assert judgement("What is the capital of France?", "I like cheese and wine a lot.").open_goals == ("What is the capital of France",)
    assert judgement("What is the capital of Spain?", "Lyon.").claims == ()


def test_the_readme_holds() -> None:
    """The knowledge file and the table of the README say what Facts says."""
    text = (Path(ebmhw.__file__).parent / "verify/facts/README.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    facts = Facts(example)
    rows = re.findall(r"^\| \"(.*)\" \| (VERIFIED|VIOLATED|UNKNOWN)", text, re.MULTILINE)
    assert len(rows) >= 8 and {row[1] for row in rows} == {VERIFIED, VIOLATED, UNKNOWN}
    assert [(response, verdict(response, facts=facts)) for response, _ in rows] == rows
    assert Facts(json.dumps(yaml.safe_load(example))).knowledge.fact(("france",), "capital") is not None


names = st.lists(st.from_regex(r"[A-Z][a-z]{3,8}", fullmatch=True), min_size=2, max_size=8, unique=True)


@given(names, st.data())
def test_random_knowledge(words: list[str], data: st.DataObject) -> None:
    half = len(words) // 2
    subjects, values = words[:half], words[half : 2 * half]
    assume(all(first.lower() not in ("what", "which", "that", "this", "with", "answer") for first in words))
    text = json.dumps([{"subject": subject, "relation": "patron", "value": value} for subject, value in zip(subjects, values, strict=True)])
    facts = Facts(text)
    at, said = data.draw(st.integers(0, half - 1)), data.draw(st.integers(0, half - 1))
    form = data.draw(st.sampled_from(("The patron of {s} is {v}.", "{s}'s patron is {v}.", "{v} is the patron of {s}.", "So {v} is {s}'s patron.")))
    response = form.format(s=subjects[at], v=values[said])
    found = verdict(response, facts=facts)
    if at == said:
        assert found == VERIFIED
    else:
        # Names that differ by a letter or two may be one name.
        assert found in (VIOLATED, UNKNOWN)
        if found == VIOLATED:
            assert fixed(response, facts=facts) == form.format(s=subjects[at], v=values[at])
    assert (verdict("Yes.", f"Is {values[said]} the patron of {subjects[at]}?", facts) == VERIFIED) == (at == said)
    assert (verdict(values[said], f"What is the patron of {subjects[at]}?", facts) == VERIFIED) == (at == said)


@given(st.integers(1, 10**6), st.integers(-3, 3), st.sampled_from(("", " m", " kg", " people")))
def test_random_numbers(number: int, error: int, unit: str) -> None:
    assume(number + error > 0)
    facts = Facts(f"- {{subject: Thing, relation: size, value: {number}{unit}}}\n")
    found = verdict(f"The size of the thing is {number + error:,}{unit}.", facts=facts)
    rounded = number >= 1000 and (number + error) % 1000 == 0
    assert found == (VERIFIED if error == 0 else UNKNOWN if rounded else VIOLATED)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
        max_leaves=8,
    )
)
def test_any_tree_is_read_or_refused_by_line(tree: object) -> None:
    for text in (json.dumps(tree), json.dumps({"facts": tree}), yaml.safe_dump([{"subject": tree, "relation": "r", "value": "v"}])):
        try:
            Knowledge.from_text(text)
        except ExtractionError as error:
            assert str(error).startswith("knowledge:")
            assert str(error).split(":")[1].isdigit()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "knowledge:1: the file is empty"),
        ("facts:\n  - {subject: France, relation: capital}\n", "knowledge:2: value of 'France', 'capital' is missing"),
        ("- {subject: France, relation: capital, value: Paris, colour: blue}", "knowledge:1: a fact has no key 'colour'"),
        ("- {subject: A1, relation: r, value: x}\n- {subject: a1, relation: r, value: y}", "knowledge:2: 'a1' has a second entry for 'r'"),
        ("- {subject: [A], relation: r, value: x}", "knowledge:1: subject is 'a list'"),
        ("a: &x [1]\nfacts: *x", "knowledge:1: anchors and aliases"),
        ("[" * 100 + "]" * 100, "knowledge:1: nested more than"),
        ("facts: [", "knowledge:2: not readable as YAML or JSON"),
        (
            'relations:\n  r: {phrases: ["{subject} is"]}\nfacts: [{subject: A, relation: r, value: x}]',
            "knowledge:2: phrase '{subject} is' does not hold",
        ),
        ("relations:\n  r: {closed: maybe}\nfacts: [{subject: A, relation: r, value: x}]", "knowledge:2: closed is 'maybe'; give true or false"),
        ("- {subject: A, relation: r, value: x, tolerance: much}", "knowledge:1: tolerance is 'much'"),
        ("aliases: {A: [X], B: [X]}\nfacts: [{subject: A, relation: r, value: x}]", "knowledge:1: 'X' is another name of both"),
    ],
)
def test_errors_name_the_line(text: str, message: str) -> None:
    with pytest.raises(ExtractionError) as caught:
        Knowledge.from_text(text)
    assert str(caught.value).startswith(message)


def test_files(tmp_path: Path) -> None:
    path = tmp_path / "facts.yaml"
    path.write_text(KNOWLEDGE, encoding="utf-8")
    read = Knowledge.read(path)
    assert read.digest == Knowledge.from_text(KNOWLEDGE).digest and len(read.digest) == 64
    assert read.digest != Knowledge.from_text(KNOWLEDGE + "\n").digest
    with pytest.raises(ExtractionError, match="cannot be read"):
        Knowledge.read(tmp_path / "none.yaml")
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ExtractionError, match="not UTF-8"):
        Knowledge.read(tmp_path / "bytes")


@given(st.text(alphabet="France'scapital isPLyon.?,\n0189 °C(moonMars)", max_size=200))
@settings(max_examples=200)
def test_any_text_is_read(text: str) -> None:
    judgement(text, text)


@pytest.mark.parametrize(
    "piece", ["France's ", "The capital of France is ", "Mars has ", "Lyon, ", "A", "Eiffel Tower, built in 1889, ", "((", "is not "]
)
def test_long_repetitions_end(piece: str) -> None:
    """Quadratic time would be minutes here; the deadline, asked between pieces, turns that into an error."""
    FACTS.read(piece * (100_000 // len(piece)), "response", Deadline(60))


@pytest.mark.parametrize("opening", ["Sure!", "Great question!", "Of course.", "Okay,", "Bonjour!"])
def test_words_that_open_an_answer_are_none(opening: str) -> None:
    question = "Tell me the capital of France."
    assert [claim.verdict for claim in judgement(question, f"{opening} The capital of France is Paris.").claims] == [VERIFIED]
    assert [claim.verdict for claim in judgement(question, f"{opening} The capital of France is **Lyon**.").claims] == [VIOLATED]
    if opening != "Bonjour!":
        assert judgement(question, opening).claims == ()
