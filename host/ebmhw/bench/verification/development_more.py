"""More wordings of the development half: longer ones, other verbs and other typography."""

from __future__ import annotations

from ebmhw.bench.verification.development import Wordings

WORDINGS: Wordings = {
    "sum": (
        ("Could you tell me what {a} plus {b} makes?", "{a} plus {b} makes {answer}."),
        ("Calculate {a}+{b}", "{a}+{b}={answer}"),
        ("", "If you add {a} and {b}, you get {answer}."),
        ("What do {a} and {b} add up to?", "The total is {answer}."),
        ("Find the sum of {a} and {b}.", "{answer}"),
        ("", "**{a} + {b} = {answer}**"),
    ),
    "difference": (
        ("Subtract {b} from {a}.", "{a} - {b} equals {answer}."),
        ("", "Taking {b} from {a} leaves {answer}."),
        ("Calculate {a} \u2013 {b}.", "{a} \u2013 {b} = {answer}"),
        ("", "The difference between {a} and {b} is {answer}."),
    ),
    "product": (
        ("Multiply {a} by {b}.", "{a} multiplied by {b} is {answer}."),
        ("", "The product of {a} and {b} is {answer}."),
        ("", "We know that {a} \u00b7 {b} = {answer}."),
        ("Work out {a} \u00d7 {b}.", "So the result is {answer}."),
    ),
    "quotient": (
        ("Divide {a} by {b}.", "{a} divided by {b} equals {answer}."),
        ("", "{a} over {b} is {answer}."),
        ("How much is {a} \u00f7 {b}?", "It is {answer}."),
    ),
    "decimals": (("Sum {a} and {b}.", "{a} plus {b} is {answer}."), ("", "{answer} = {a} + {b}")),
    "fractions": (("Add {p}/{q} to {r}/{s}.", "{p}/{q} plus {r}/{s} equals {answer}."), ("", "The sum of {p}/{q} and {r}/{s} is {answer}.")),
    "powers": (("What is {a} to the power of {n}?", "{a} to the power of {n} is {answer}."), ("", "{a} raised to the power {n} equals {answer}.")),
    "parentheses": (("Evaluate ({a}+{b})\u00d7{c}.", "({a}+{b})\u00d7{c} = {answer}"), ("", "{c}({a} + {b}) = {answer}")),
    "precedence": (("Evaluate: {a} + {b} \u00d7 {c}", "{a} + {b} \u00d7 {c} equals {answer}."), ("", "Result: {a}+{b}*{c}={answer}")),
    "long sums": (("Evaluate {a}+{b}+{c}-{d}.", "{a}+{b}+{c}-{d} equals {answer}"), ("", "{a} plus {b} plus {c} minus {d} is {answer}.")),
    "remainders": (
        ("What is the remainder when {a} is divided by {b}?", "The remainder when {a} is divided by {b} is {answer}."),
        ("", "{a} divided by {b} leaves a remainder of {answer}."),
    ),
    "percentages": (
        ("How much is {p} percent of {base}?", "{p} percent of {base} equals {answer}."),
        ("Find {p}% of {base}.", "{base} * {p}% = {answer}"),
    ),
    "conversions": (
        ("Convert {count} {large} to {small}.", "{count} {large} equals {answer} {small}."),
        ("", "{count} {large} are {answer} {small}."),
    ),
    "mixed units": (("", "Together, {b} cm and {a} m make {answer} cm."), ("Add {b} cm to {a} m.", "{b} cm + {a} m = {answer} cm")),
    "money": (
        ("", "{count} tickets at ${price} each cost ${answer}."),
        ("{count} pens cost ${price} each. What is the total?", "The total is ${price} \u00d7 {count} = ${answer}."),
    ),
    "number words": (("", "The sum of {a} and {b} is {answer}."), ("Add {a} and {b}.", "{A} and {b} make {answer}.")),
    "chains": (
        ("Simplify {a}\u00d7{b}+{c}.", "{a}\u00d7{b}+{c} = {first}+{c} = {second}"),
        ("", "({a} * {b}) + {c} + {d} = {first} + {c} + {d} = {second} + {d}"),
    ),
    "comparisons": (
        ("Compare {a} and {b}.", "{a} {sign} {b}."),
        ("", "The number {a} is {word} than the number {b}."),
        ("Which number is bigger, {a} or {b}?", "{larger}"),
    ),
    "primes": (("Tell me whether {n} is prime.", "{n} {is} prime."), ("", "The number {n} {is} a prime.")),
    "parity": (("Is the number {n} odd or even?", "It is {parity}."), ("", "The number {n} is {parity}.")),
    "divisibility": (("Can {n} be divided evenly by {k}?", "{yes}."), ("", "{n} {is} a multiple of {k}.")),
    "weekdays": (
        ("Which weekday was {european}?", "{european} was a {answer}."),
        ("On which day of the week did {date} fall?", "It fell on a {answer}."),
        ("", "The event on {date} ({answer}) went well."),
    ),
    "days that exist": (("Give a date.", "Let us say {date}."), ("", "She was born on {european}."), ("", "The invoice of {iso} is open.")),
    "leap years": (
        ("Was {year} a leap year?", "{yes}, {year} {is} a leap year."),
        ("", "The year {year} has {answer} days."),
        ("", "The year {year} {is} a leap year."),
    ),
    "month lengths": (("How long is {month} {year} in days?", "{month} {year} has {words} days."), ("", "In {year}, {month} had {answer} days.")),
    "date order": (("Which is earlier, {first} or {second}?", "{first} is {earlier} than {second}."), ("", "{first} came {before} {second}.")),
    "date differences": (
        ("How many days from {first} to {second}?", "{answer}"),
        ("", "The number of days between {first} and {second} is {answer}."),
    ),
    "date shifts": (("", "Adding {days} days to {start} gives {answer}."), ("What is the date {days} days after {start}?", "It is {answer}.")),
    "durations": (("How much time passes from {start} to {end}?", "{hours}"), ("", "There are {minutes} minutes between {from} and {to}.")),
    "implications": (
        ("Whenever {p}, {q}. {P}. Conclude.", "So {forward}."),
        ("{P} only if {q}. {not_Q}.", "Hence {back}."),
        ("If {p} then {q}. {not_Q}.", "Then {back}."),
    ),
    "contradictions": (("", "We have {p}. But also {second}."), ("", "Both statements hold: {p} and {second}."), ("", "({joined})")),
    "syllogisms": (
        ("Every one of the {a} is among the {b}. All {b} are {c}.", "All {b} are {c}, and {conclusion}."),
        ("All {a} are {b}. All {b} are {c}. What can we conclude?", "{Conclusion}."),
    ),
    "orders": (
        ("{b} is {word} than {c}. {a} is {word} than {b}. Who is the {least}?", "The {least} is {bottom}."),
        ("{a} is {word} than {b}, and {b} is {word} than {c}.", "So {first} is {word} than {last}."),
    ),
    "stories": (
        (
            "In the morning {name} picked {a} plums, in the afternoon {b}. {other} picked {c} times as many. How many?",
            "Altogether {name} picked {a} + {b} = {total} plums, so {other} picked {c} \u00d7 {total} = {answer}.",
        ),
        ("There are {a} boys and {b} girls, each with {c} pens.", "Step 1: {a}+{b}={total} children.\nStep 2: {total}*{c}={answer} pens."),
    ),
    "shopping": (("{n} mugs cost ${price} each; {name} has ${paid}.", "{n} x ${price} = ${cost}, which leaves ${paid} - ${cost} = ${answer}."),),
    "distractors": (
        ("", "See chapter {major}.{minor}, pp. {low}\u2013{high}: {a} + {b} = {answer}."),
        ("", "ISBN {isbn}. The score was {wins}:{losses}. Also, {a} + {b} is {answer}."),
        ("", "In the {year}-{year} season (Python {major}.{minor}), {a} + {b} = {answer}."),
    ),
}

UNDECIDABLE: tuple[tuple[str, str], ...] = (
    ("Is it warm?", "It is rather warm today."),
    ("", "y + {n} = {m}"),
    ("Recommend a book.", "Read any book with {n} pages."),
    ("", "The meeting is on June {day}."),
    ("", "The room holds {n} chairs."),
    ("What is the capital of Ruritania?", "Strelsau."),
    ("How old is she?", "She is {n}."),
    ("", "Some birds can fly."),
    ("", "Turn to pages {n}\u2013{m}."),
)

FACTS: dict[str, tuple[tuple[str, str], ...]] = {
    "capital": (
        ("Name the capital of {subject}.", "The capital city is {value}."),
        ("", "The capital of {subject} is called {value}."),
        ("Which city is the capital of {subject}?", "It is {value}."),
    ),
    "currency": (("What is the currency of {subject}?", "The currency of {subject} is the {value}."), ("", "{subject}'s currency is the {value}.")),
    "opened in": (("When did the {subject} open?", "The {subject} opened in {value}."), ("", "The {subject} was opened in {value}.")),
    "melting point": (("What is the melting point of {subject}?", "{value}"), ("", "{subject} has a melting point of {value}.")),
    "composer": (("Who composed {subject}?", "{subject} was composed by {value}."), ("", "{value} is the composer of {subject}.")),
}
