"""Wordings of the development half: a question and a response for each kind, filled with the fields of an instance."""

from __future__ import annotations

Wordings = dict[str, tuple[tuple[str, str], ...]]

WORDINGS: Wordings = {
    "sum": (
        ("What is {a} + {b}?", "{a} + {b} = {answer}"),
        ("What is {a} + {b}?", "The answer is {answer}."),
        ("What is {a} plus {b}?", "{answer}"),
        ("Add {a} and {b}.", "{answer} = {a} + {b}"),
        ("", "The sum of {a} and {b} is {answer}."),
        ("Compute {a:,} + {b:,}.", "{a:,} + {b:,} = {answer:,}"),
    ),
    "difference": (
        ("What is {a} - {b}?", "{a} - {b} = {answer}"),
        ("What is {a} minus {b}?", "The answer is {answer}."),
        ("", "{a} \u2212 {b} = {answer}"),
        ("", "{a} minus {b} is {answer}."),
    ),
    "product": (
        ("What is {a} * {b}?", "{a} * {b} = {answer}"),
        ("What is {a} times {b}?", "The answer is {answer}."),
        ("", "{a} \u00d7 {b} = {answer}"),
        ("", "{a}*{b}={answer}"),
        ("What is {a} x {b}?", "{a} x {b} = {answer}"),
    ),
    "quotient": (
        ("What is {a} / {b}?", "{a} / {b} = {answer}"),
        ("", "{a} \u00f7 {b} = {answer}"),
        ("What is {a} divided by {b}?", "The answer is {answer}."),
        ("", "{a} divided by {b} is {answer}."),
    ),
    "decimals": (
        ("What is {a} + {b}?", "{a} + {b} = {answer}"),
        ("What is {a} + {b}?", "The answer is {answer}."),
        ("", "Adding them, {a} + {b} = {answer}."),
    ),
    "fractions": (("What is {p}/{q} + {r}/{s}?", "{p}/{q} + {r}/{s} = {answer}"), ("What is {p}/{q} + {r}/{s}?", "The answer is {answer}.")),
    "powers": (("What is {a}^{n}?", "{a}^{n} = {answer}"), ("", "{a}{raised} = {answer}"), ("", "{a}**{n} = {answer}")),
    "parentheses": (("What is ({a} + {b}) * {c}?", "({a} + {b}) * {c} = {answer}"), ("What is ({a} + {b}) * {c}?", "The answer is {answer}.")),
    "precedence": (
        ("What is {a} + {b} * {c}?", "{a} + {b} * {c} = {answer}"),
        ("", "{b} * {c} + {a} = {answer}"),
        ("What is {a} + {b} * {c}?", "{answer}"),
    ),
    "long sums": (("", "{a} + {b} + {c} - {d} = {answer}"), ("What is {a} + {b} + {c} - {d}?", "The answer is {answer}.")),
    "remainders": (("What is {a} mod {b}?", "{a} mod {b} = {answer}"), ("", "{a} % {b} = {answer}"), ("What is {a} mod {b}?", "{answer}")),
    "percentages": (
        ("What is {p}% of {base}?", "{p}% of {base} is {answer}."),
        ("What is {p}% of {base}?", "The answer is {answer}."),
        ("", "{p}% of {base} = {answer}"),
    ),
    "conversions": (
        ("How many {small} are in {count} {large}?", "{count} {large} = {answer} {small}"),
        ("", "{count} {large} is {answer} {small}."),
        ("How many {small} are in {count} {large}?", "There are {answer} {small} in {count} {large}."),
    ),
    "mixed units": (("", "{a} m + {b} cm = {answer} cm"), ("What is {a} m + {b} cm?", "{a} m + {b} cm = {answer} cm.")),
    "money": (("", "{count} * ${price} = ${answer}"), ("What do {count} books at ${price} each cost?", "They cost {count} x ${price} = ${answer}.")),
    "number words": (("", "{A} plus {b} is {answer}."), ("What is {a} plus {b}?", "{A} plus {b} equals {answer}.")),
    "chains": (("", "{a} * {b} + {c} = {first} + {c} = {second}"), ("What is {a} * {b} + {c}?", "{a} * {b} + {c} = {first} + {c} = {second}.")),
    "comparisons": (("", "{a} {sign} {b}"), ("", "{a} is {word} than {b}."), ("Which is larger, {a} or {b}?", "{a} is {word} than {b}.")),
    "primes": (("Is {n} prime?", "{yes}."), ("", "{n} {is} a prime number."), ("Is {n} a prime number?", "{yes}, {n} {is} prime.")),
    "parity": (("", "{n} is {parity}."), ("Is {n} even?", "{yes}."), ("Is {n} even or odd?", "{n} is an {parity} number.")),
    "divisibility": (
        ("", "{n} {is} divisible by {k}."),
        ("Is {n} divisible by {k}?", "{yes}."),
        ("Is {n} divisible by {k}?", "{yes}, {n} {is} divisible by {k}."),
    ),
    "weekdays": (
        ("What day of the week was {date}?", "{date} was a {answer}."),
        ("What day of the week was {date}?", "{answer}."),
        ("", "The treaty was signed on {answer}, {date}."),
        ("What day of the week was {european}?", "It was a {answer}."),
        ("", "{iso} was a {answer}."),
    ),
    "days that exist": (
        ("", "The report is due on {date}."),
        ("Is {date} a valid date?", "{yes}."),
        ("When do we meet?", "We meet on {european}."),
        ("", "Deadline: {iso}"),
    ),
    "leap years": (
        ("Is {year} a leap year?", "{yes}."),
        ("", "{year} {is} a leap year."),
        ("How many days are in {year}?", "{year} has {answer} days."),
    ),
    "month lengths": (
        ("How many days are in {month} {year}?", "{month} {year} has {answer} days."),
        ("How many days are in {month} {year}?", "{answer}"),
        ("", "There are {words} days in {month} {year}."),
    ),
    "date order": (("", "{first} is {before} {second}."), ("Is {first} before {second}?", "{yes}."), ("", "{year} comes {before} {other}.")),
    "date differences": (
        ("How many days are there between {first} and {second}?", "There are {answer} days between {first} and {second}."),
        ("How many days are between {first} and {second}?", "{answer} days"),
        ("", "From {iso} to {other} is {answer} days."),
    ),
    "date shifts": (
        ("What date is {days} days after {start}?", "{days} days after {start} is {answer}."),
        ("What date is {days} days after {start}?", "{answer}"),
        ("", "{days} days after {iso} is {answer_iso}."),
    ),
    "durations": (("", "From {start} to {end} is {hours}."), ("How long is it from {from} to {to}?", "From {from} to {to} is {minutes} minutes.")),
    "implications": (
        ("If {p}, then {q}. {P}. What follows?", "Therefore, {forward}."),
        ("If {p}, {q}. {not_Q}. What follows?", "{Back}."),
        ("", "If {p}, then {q}. {P}. Therefore, {forward}."),
    ),
    "contradictions": (("", "{P}, and {second}."), ("", "{joined}"), ("", "{P}. {Second}."), ("", "{symbols}")),
    "syllogisms": (
        ("All {a} are {b}. All {b} are {c}. Are all {a} {c}?", "{yes}, {conclusion}."),
        ("", "All {a} are {b}. All {b} are {c}. Therefore, {conclusion}."),
        ("All {a} are {b}. All {b} are {c}. Are all {a} {c}?", "{yes}."),
    ),
    "orders": (
        ("{a} is {word} than {b}. {b} is {word} than {c}. Who is the {most}?", "{top} is the {most}."),
        ("{a} is {word} than {b}. {b} is {word} than {c}. Who is the {most}?", "{top}"),
        ("", "{a} is {word} than {b}, {b} is {word} than {c}, and {first} is {word} than {last}."),
    ),
    "stories": (
        (
            "{name} has {a} apples and buys {b} more. Each costs ${c}. What are they worth?",
            "{name} has {a} + {b} = {total} apples. They are worth {total} * {c} = {answer} dollars.",
        ),
        (
            "A farm has {a} cows and {b} sheep. Each eats {c} kg a day. How much is that?",
            "There are {a} + {b} = {total} animals. They eat {total} x {c} = {answer} kg a day. The answer is {answer}.",
        ),
    ),
    "shopping": (
        (
            "{name} buys {n} shirts at ${price} each and pays with ${paid}. What is the change?",
            "The shirts cost {n} * {price} = {cost} dollars. The change is {paid} - {cost} = {answer} dollars.",
        ),
    ),
    "distractors": (
        ("What is {a} + {b}? See pages {low}-{high}.", "As pages {low}-{high} say, {a} + {b} = {answer}."),
        ("Call {phone}.", "Call {phone} and ask for version {major}.{minor}.{patch}; {a} + {b} = {answer}."),
        ("", "The team won {wins}-{losses} in {year}. By the way, {a} + {b} = {answer}."),
    ),
}

UNDECIDABLE: tuple[tuple[str, str], ...] = (
    ("What is the best color?", "The best color is blue."),
    ("Who will win?", "I think the home team will win."),
    ("What is x?", "x = {n}"),
    ("Write a poem.", "The sea is wide, the sky is far."),
    ("How many people live there?", "About {n} people live there."),
    ("", "March {day} was a Monday."),
    ("", "He paid {n} dollars."),
    ("", "See pages {n} - {m}."),
    ("", "The capital of Atlantis is Poseidonis."),
    ("What is the meaning of life?", "It is {n}."),
)

FACTS: dict[str, tuple[tuple[str, str], ...]] = {
    "capital": (
        ("What is the capital of {subject}?", "The capital of {subject} is {value}."),
        ("What is the capital of {subject}?", "{value}."),
        ("", "{value} is the capital of {subject}."),
        ("Is {value} the capital of {subject}?", "Yes."),
        ("", "{subject}'s capital is {value}."),
    ),
    "chemical symbol": (
        ("What is the chemical symbol of {subject}?", "The chemical symbol of {subject} is {value}."),
        ("", "{subject}'s chemical symbol is {value}."),
    ),
    "built in": (
        ("When was the {subject} built?", "The {subject} was built in {value}."),
        ("", "The {subject} was built in {value}."),
        ("Was the {subject} built in {value}?", "Yes."),
    ),
    "boiling point": (
        ("At what temperature does {subject} boil?", "{value}"),
        ("", "The boiling point of {subject} is {value}."),
        ("", "{subject} boils at {value}."),
    ),
    "author": (
        ("Who is the author of {subject}?", "{value}"),
        ("", "The author of {subject} is {value}."),
        ("", "{subject} was written by {value}."),
    ),
}

KNOWLEDGE = """\
relations:
  boiling point: {phrases: ["{subject} boils at {value}"]}
  author: {phrases: ["{value} wrote {subject}", "{subject} was written by {value}"]}
  composer: {phrases: ["{value} composed {subject}", "{subject} was composed by {value}"]}
facts:
  - {subject: France, relation: capital, value: Paris}
  - {subject: Italy, relation: capital, value: Rome}
  - {subject: Japan, relation: capital, value: Tokyo}
  - {subject: Canada, relation: capital, value: Ottawa}
  - {subject: Egypt, relation: capital, value: Cairo}
  - {subject: Kenya, relation: capital, value: Nairobi}
  - {subject: Gold, relation: chemical symbol, value: Au}
  - {subject: Iron, relation: chemical symbol, value: Fe}
  - {subject: Sodium, relation: chemical symbol, value: Na}
  - {subject: Eiffel Tower, relation: built in, value: 1889}
  - {subject: Brooklyn Bridge, relation: built in, value: 1883}
  - {subject: Hoover Dam, relation: built in, value: 1936}
  - {subject: Water, relation: boiling point, value: 100 °C}
  - {subject: Ethanol, relation: boiling point, value: 78 °C}
  - {subject: Mercury, relation: boiling point, value: 357 °C}
  - {subject: Hamlet, relation: author, value: William Shakespeare}
  - {subject: Emma, relation: author, value: Jane Austen}
  - {subject: Ulysses, relation: author, value: James Joyce}
  - {subject: Spain, relation: capital, value: Madrid}
  - {subject: Norway, relation: capital, value: Oslo}
  - {subject: Peru, relation: capital, value: Lima}
  - {subject: Ghana, relation: capital, value: Accra}
  - {subject: Thailand, relation: capital, value: Bangkok}
  - {subject: Poland, relation: currency, value: zloty}
  - {subject: Japan, relation: currency, value: yen}
  - {subject: India, relation: currency, value: rupee}
  - {subject: Sydney Opera House, relation: opened in, value: 1973}
  - {subject: Suez Canal, relation: opened in, value: 1869}
  - {subject: Tower Bridge, relation: opened in, value: 1894}
  - {subject: Lead, relation: melting point, value: 327 °C}
  - {subject: Silver, relation: melting point, value: 962 °C}
  - {subject: Copper, relation: melting point, value: 1085 °C}
  - {subject: Carmen, relation: composer, value: Georges Bizet}
  - {subject: Fidelio, relation: composer, value: Ludwig van Beethoven}
  - {subject: Tosca, relation: composer, value: Giacomo Puccini}
"""
