"""Wordings of the held-out half about the subjects of its knowledge file, and about what no exact check decides. The same rule holds for them."""

from __future__ import annotations

from ebmhw.bench.verification.development import Wordings

UNDECIDABLE: tuple[tuple[str, str], ...] = (
    ("Will it rain tomorrow?", "There is a {n}% chance of rain."),
    ("How long is the drive?", "It takes roughly {n} minutes."),
    ("", "Maria scored {n} out of {m} points."),
    ("What time suits you?", "Any time on May {day} suits me."),
    ("", "The final score was {n}\u2013{m}."),
    ("", "Let $k = {n}$ and $j = {m}$."),
    ("How many guests are coming?", "**Answer:** {n}"),
    ("Which film is better?", "In my opinion, the first one is better than the other {n}."),
    ("", "October {day} falls on a Sunday."),
    ("", "A pack of {n} costs less than a pack of {m} in most shops."),
    ("Who founded the village of Oberwald?", "It was founded by a knight named Kuno."),
    ("", "If the bus is late, Tom walks {n} blocks."),
    ("How many stars are visible tonight?", "About {n} hundred, depending on the clouds."),
    ("", "Most of the {n} students passed the test."),
    ("", "The ratio of tea to milk is {n}:{m}."),
    ("What is the population of Unterfels?", "The population of Unterfels is {n}00."),
)

FACTS: Wordings = {
    "capital": (
        ("What city is {subject}'s capital?", "{subject}'s capital city is {value}."),
        ("Tell me the capital of {subject}.", "Sure! The capital of {subject} is **{value}**."),
        ("", "{value} serves as the capital of {subject}."),
        ("", "{value}, the capital of {subject}, is worth a visit."),
    ),
    "atomic number": (
        ("What is the atomic number of {subject}?", "{subject} has the atomic number {value}."),
        ("", "The atomic number of {subject} is {value}."),
    ),
    "painter": (
        ("Who painted {subject}?", "{subject} was painted by {value}."),
        ("", "The painter of {subject} is {value}."),
        ("Did {value} paint {subject}?", "Yes, {value} painted {subject}."),
    ),
    "founded in": (
        ("When was {subject} founded?", "**{value}**"),
        ("", "{subject} was founded in {value}."),
        ("In what year was {subject} founded?", "{subject} was founded in the year {value}."),
    ),
    "height": (
        ("How high is {subject}?", "{subject} is {value} high."),
        ("", "The height of {subject} is {value}."),
        ("What is the height of {subject}?", "It has a height of {value}."),
    ),
    "official language": (
        ("What is the official language of {subject}?", "{value}"),
        ("", "In {subject}, the official language is {value}."),
    ),
    "director": (
        ("Who directed {subject}?", "The director of {subject} is {value}."),
        ("", "{subject} was directed by {value}."),
    ),
}

KNOWLEDGE = """\
relations:
  painter: {phrases: ["{value} painted {subject}", "{subject} was painted by {value}"]}
  director: {phrases: ["{value} directed {subject}", "{subject} was directed by {value}"]}
  height: {phrases: ["{subject} is {value} high"]}
facts:
  - {subject: Portugal, relation: capital, value: Lisbon}
  - {subject: Chile, relation: capital, value: Santiago}
  - {subject: Vietnam, relation: capital, value: Hanoi}
  - {subject: Finland, relation: capital, value: Helsinki}
  - {subject: Greece, relation: capital, value: Athens}
  - {subject: Morocco, relation: capital, value: Rabat}
  - {subject: Carbon, relation: atomic number, value: 6}
  - {subject: Oxygen, relation: atomic number, value: 8}
  - {subject: Neon, relation: atomic number, value: 10}
  - {subject: Calcium, relation: atomic number, value: 20}
  - {subject: Guernica, relation: painter, value: Pablo Picasso}
  - {subject: Mona Lisa, relation: painter, value: Leonardo da Vinci}
  - {subject: The Scream, relation: painter, value: Edvard Munch}
  - {subject: Google, relation: founded in, value: 1998}
  - {subject: IKEA, relation: founded in, value: 1943}
  - {subject: Nintendo, relation: founded in, value: 1889}
  - {subject: Mount Everest, relation: height, value: 8849 m}
  - {subject: Mount Kilimanjaro, relation: height, value: 5895 m}
  - {subject: Mont Blanc, relation: height, value: 4806 m}
  - {subject: Brazil, relation: official language, value: Portuguese}
  - {subject: Austria, relation: official language, value: German}
  - {subject: Hungary, relation: official language, value: Hungarian}
  - {subject: Jaws, relation: director, value: Steven Spielberg}
  - {subject: Psycho, relation: director, value: Alfred Hitchcock}
  - {subject: Alien, relation: director, value: Ridley Scott}
"""
