"""Wordings of the held-out half. Nobody who works on what they measure looks at them or at what fails of them; only counts are shown."""

from __future__ import annotations

from ebmhw.bench.verification.development import Wordings

WORDINGS: Wordings = {
    "sum": (
        ("I bought {a} stamps on Monday and {b} on Tuesday. How many stamps did I buy?", "In total you bought {a} + {b} = **{answer}** stamps."),
        (
            "Please work out {a} + {b} and show your steps.",
            "Sure! Let's split it up:\n\n1. {a} + {tens} = {partial}\n2. {partial} + {ones} = {answer}\n\nSo the result is **{answer}**.",
        ),
        ("{a}+{b}=?", "{answer}"),
        ("Sum: {a} and {b}", "\\[ {a} + {b} = \\boxed{{{answer}}} \\]"),
        ("How much is {a} and {b} together?", "Together that is {answer}."),
        ("What's the total if I combine {a} with {b}?", "To find the total, we add both numbers.\n\nTherefore, {a} plus {b} equals {answer}."),
        ("Solve: {a:,} + {b:,}", "**Answer:** {answer:,}"),
        ("", "Adding {b} to {a} results in {answer}."),
    ),
    "difference": (
        ("How much larger is {a} than {b}?", "{a} is {answer} larger than {b}."),
        ("{a}-{b}=?", "**Answer:** {answer}"),
        ("I had {a} euros and spent {b}. How much is left?", "You started with {a} and spent {b}, so {a} - {b} = {answer} euros are left."),
        ("Please subtract {b} from {a} and check the result.", "{a} \u2212 {b} = {answer}\n\nCheck: {answer} + {b} = {a}"),
        ("What remains when {b} is taken away from {a}?", "What remains is \\({a} - {b} = {answer}\\)."),
        ("", "Subtracting {b} from {a} gives us {answer}."),
    ),
    "product": (
        ("{a} times {b} is what?", "{a} times {b} is {answer}."),
        (
            "What do I get if I multiply {a} and {b}?",
            "Breaking it down:\n\n- {a} \u00d7 {tens} = {high}\n- {a} \u00d7 {ones} = {low}\n- {high} + {low} = {answer}\n\n**Answer:** {answer}",
        ),
        (
            "A hall has {a} rows of {b} seats. How many seats are there?",
            "There are {a} rows with {b} seats each, so the hall has {a} \u00d7 {b} = {answer} seats.",
        ),
        ("Give me the product of {a} and {b}, please.", "$${a} \\times {b} = {answer}$$"),
        ("", "When we multiply {a} by {b}, we obtain {answer}."),
        ("{a}*{b}", "= {answer}"),
        ("What is the result of {a} \u00d7 {b}?", "Therefore, the final answer is **{answer}**."),
    ),
    "quotient": (
        ("{a} sweets are shared equally among {b} children. How many does each child get?", "Each child gets {a} \u00f7 {b} = {answer} sweets."),
        ("How many times does {b} go into {a}?", "{b} goes into {a} exactly {answer} times."),
        ("Evaluate {a} / {b}.", "\\[\\frac{{{a}}}{{{b}}} = {answer}\\]"),
        ("What's {a} divided by {b}?", "Let's see. Since {b} \u00d7 {answer} = {a}, the answer is {answer}."),
        ("", "Dividing {a} by {b} yields {answer}."),
    ),
    "decimals": (
        ("What's {a} plus {b}?", "We line up the decimal points and add:\n\n{a} + {b} = **{answer}**"),
        ("One parcel weighs {a} kg and another {b} kg. What do they weigh together?", "Together they weigh {a} kg + {b} kg = {answer} kg."),
        ("{a}+{b}=?", "{answer}"),
        ("Find {a} + {b} and give the exact value.", "The exact value is {answer}."),
        ("", "\\({a} + {b} = {answer}\\)"),
    ),
    "fractions": (
        ("Compute $\\frac{{{p}}}{{{q}}} + \\frac{{{r}}}{{{s}}}$.", "$$\\frac{{{p}}}{{{q}}} + \\frac{{{r}}}{{{s}}} = {latex}$$"),
        (
            "What's {p}/{q} plus {r}/{s}?",
            "Bring both to a common denominator: {p}/{q} + {r}/{s} = {left}/{common} + {right}/{common} = {answer}",
        ),
        ("{p}/{q} + {r}/{s} = ?", "**Answer:** {answer}"),
        ("", "Adding {p}/{q} and {r}/{s} gives {answer}."),
    ),
    "powers": (
        ("Compute {a}^{n} step by step.", "{a}^{n} = {product} = {answer}"),
        ("What is the value of ${a}^{{{n}}}$?", "${a}^{{{n}}} = {answer}$"),
        ("Raise {a} to the power {n}.", "You get {answer}."),
        ("{a}**{n}", "{answer}"),
        ("", "The value of {a}^{n} works out to {answer}."),
    ),
    "parentheses": (
        (
            "Work out ({a} + {b}) \u00d7 {c} step by step.",
            "1. Inside the parentheses: {a} + {b} = {inner}\n2. Multiply: {inner} \u00d7 {c} = {answer}",
        ),
        ("{c}*({a}+{b})=?", "{answer}"),
        ("Simplify ${c} \\cdot ({a} + {b})$.", "\\[{c} \\cdot ({a} + {b}) = {c} \\cdot {inner} = \\boxed{{{answer}}}\\]"),
        ("What do you get when you add {a} and {b} and then multiply the sum by {c}?", "The sum is {inner}, and {inner} times {c} is {answer}."),
    ),
    "precedence": (
        ("Using the order of operations, find {a} + {b} * {c}.", "Multiplication comes first: {b} * {c} = {inner}. Then {a} + {inner} = {answer}."),
        ("{a}+{b}\u00d7{c}=?", "**{answer}**"),
        ("", "By PEMDAS, {b} \u00d7 {c} + {a} equals {answer}."),
        ("What does {b}*{c}+{a} evaluate to?", "It evaluates to {answer}."),
    ),
    "long sums": (
        ("Calculate {a} + {b} + {c} - {d} from left to right.", "- {a} + {b} = {first}\n- {first} + {c} = {second}\n- {second} - {d} = {answer}"),
        ("{a}+{b}+{c}\u2212{d}=?", "{answer}"),
        (
            "A bus starts with {a} passengers; {b} and then {c} more get on, and {d} get off. How many are on board?",
            "{a} + {b} + {c} - {d} = {answer}, so {answer} passengers are on board.",
        ),
        ("", "Evaluating \\({a} + {b} + {c} - {d}\\) gives {answer}."),
    ),
    "remainders": (
        (
            "Find {a} modulo {b}.",
            "{b} goes into {a} {quotient} times, and {b} \u00d7 {quotient} = {multiple}. The remainder is {a} - {multiple} = {answer}.",
        ),
        ("What is left over when {a} marbles are put into bags of {b}?", "After filling as many bags as possible, {answer} marbles are left over."),
        ("{a} % {b}", "**Answer:** {answer}"),
        ("", "{a} = {b} \u00d7 {quotient} + {answer}, where {answer} is the remainder."),
        ("", "${a} \\bmod {b} = {answer}$"),
        ("", "{a} is congruent to {answer} modulo {b}."),
    ),
    "percentages": (
        ("A jacket costs ${base}. The discount is {p}%. How much do I save?", "You save {p}% of ${base}, which is ${answer}."),
        (
            "How much is {p}% of {base}?",
            "Convert the percentage to a decimal: {p}% = {factor}.\n\n{factor} \u00d7 {base} = {answer}"
            "\n\nTherefore, {p}% of {base} is **{answer}**.",
        ),
        ("What's {p} per cent of {base}?", "{answer}"),
        ("", "{answer} is {p}% of {base}."),
        ("", "$\\frac{{{p}}}{{100}} \\times {base} = {answer}$"),
    ),
    "conversions": (
        (
            "What is {count} {large} when measured in {small}?",
            "Since 1 {single} is {factor} {small}, {count} {large} is {count} \u00d7 {factor} = {answer} {small}.",
        ),
        ("{count} {large} in {small}?", "{answer} {small}"),
        ("I need {count} {large} expressed in {small}.", "**{count} {large} = {answer} {small}**"),
        ("", "There are {factor} {small} in one {single}, so {count} {large} make {answer} {small}."),
    ),
    "mixed units": (
        ("How long are {a} m and {b} cm together, in centimetres?", "{a} m is {whole} cm, and {whole} cm + {b} cm = {answer} cm."),
        ("One plank is {a} m long, the other {b} cm. What is their total length?", "The total length is {metres} m."),
        ("", "{a} m + {b} cm = {metres} m"),
        ("{a} m + {b} cm in cm?", "**Answer:** {answer} cm"),
    ),
    "money": (
        ("One ticket costs ${price}. How much are {count} tickets?", "{count} tickets cost {count} \u00d7 ${price} = **${answer}**."),
        (
            "If a notebook is ${price}, what's the price of {count} notebooks?",
            "To get the total, multiply the price by the number of notebooks.\n\n{price} \u00d7 {count} = {answer}"
            "\n\nSo {count} notebooks cost ${answer}.",
        ),
        ("I buy {count} coffees at ${price} apiece. What's my bill?", "Your bill comes to ${answer}."),
        ("", "At ${price} per item, {count} items come to ${answer}."),
    ),
    "number words": (
        ("What do you get when you add {a} to {b}?", "You get {answer}."),
        ("What's {a} and {b} together?", "Together, {a} and {b} make {answer}."),
        ("", "If you have {a} coins and find {b} more, you have {answer} coins."),
        ("Sum of {a} and {b}?", "{answer}"),
    ),
    "chains": (
        ("Work out {a} \u00d7 {b} + {c} + {d}.", "{a} \u00d7 {b} + {c} + {d}\n= {first} + {c} + {d}\n= {second} + {d}\n= {total}"),
        ("What does {a}*{b}+{c} equal?", "First, {a} * {b} = {first}. Next, {first} + {c} = {second}. Therefore, {a}*{b}+{c} = {second}."),
        ("", "\\begin{{align*}}\n{a} \\cdot {b} + {c} &= {first} + {c} \\\\\n&= {second}\n\\end{{align*}}"),
        ("{c} + {a} \u00d7 {b} = ?", "{c} + {first} = {second}"),
    ),
    "comparisons": (
        ("Is {a} more than {b}?", "{yes}."),
        ("Which of the two is smaller, {a} or {b}?", "The smaller number is {smaller}."),
        ("Fill in < or >: {a} __ {b}", "${a} {sign} {b}$"),
        ("", "Between {a} and {b}, the larger one is {larger}."),
        ("What is the maximum of {a} and {b}?", "max({a}, {b}) = {larger}"),
        ("", "{a} is a {size} number than {b}."),
    ),
    "primes": (
        ("Would you say {n} is a prime?", "**{yes}**, {n} {is} a prime number."),
        ("Would you call {n} a prime number or a composite number?", "{n} is {class} number."),
        ("Check if {n} is prime.", "To check, we try the primes up to its square root. Conclusion: {n} {is} prime."),
        ("", "It turns out that {n} {is} a prime number."),
    ),
    "parity": (
        ("Is {n} an odd number?", "{odd}."),
        ("What is the parity of {n}?", "{n} divided by 2 leaves a remainder of {rest}, so {n} is {parity}."),
        ("Odd or even: {n}?", "**{parity}**"),
        ("", "Since its last digit is {last}, {n} is an {parity} number."),
    ),
    "divisibility": (
        ("Does {k} divide {n}?", "{yes}, {k} {divides} {n}."),
        ("Is {n} a multiple of {k}?", "{k} \u00d7 {quotient} = {multiple} and {n} - {multiple} = {rest}. Therefore, {n} {is} a multiple of {k}."),
        ("", "{k} {divides} {n} without a remainder."),
        ("Is {n} evenly divisible by {k}?", "**Answer:** {yes}"),
        ("", "{k} {is} a factor of {n}."),
    ),
    "weekdays": (
        ("What weekday does {ordinal} fall on?", "{ordinal} falls on a {answer}."),
        ("Which day of the week is {iso}?", "**{answer}**"),
        ("Was {european} a {answer}?", "Yes, it was a {answer}."),
        ("", "The concert takes place on {answer}, {european}, at 8 pm."),
        ("Tell me the day of the week for {date}.", "Using the calendar, we find that {date} is a {answer}.\n\n**Answer:** {answer}"),
        ("", "{answer}, the {of}, is the date of the hearing."),
    ),
    "days that exist": (
        ("Does the date {european} exist?", "{yes}, {european} exists."),
        ("When is the exam?", "The exam takes place on **{date}**."),
        ("", "- Start: {iso}\n- Place: Berlin"),
        ("Suggest a date for the workshop.", "I suggest {ordinal}. It should suit everyone."),
        ("", "The contract was signed on the {of}."),
        ("Can I book a room for {iso}?", "Yes, a room is free on {iso}."),
    ),
    "leap years": (
        ("Does {year} have a February 29?", "{yes}."),
        ("Is {year} a leap year? Explain.", "{rule}. Therefore, {year} {is} a leap year."),
        ("How many days does the year {year} have?", "**{answer}** days"),
        ("", "February {year} has {february} days, because {year} {is} a leap year."),
    ),
    "month lengths": (
        ("How many days does {month} have in {year}?", "In {year}, {month} has **{answer}** days."),
        ("What is the last day of {month} {year}?", "The last day of {month} {year} is {month} {answer}."),
        ("", "{month} {year} is {answer} days long."),
        ("Days in {month} {year}?", "{words}"),
    ),
    "date order": (
        ("Does {first} come before {second}?", "{yes}, {first} comes {before} {second}."),
        ("Which of these dates is earlier: {first} or {second}?", "**{earliest}**"),
        ("", "Of {first} and {second}, {earliest} is the earlier date."),
        ("", "{iso} is {earlier} than {other_iso}."),
    ),
    "date differences": (
        ("How long is it from {first} until {second}?", "It is {answer} days from {first} until {second}."),
        ("Count the days between {iso} and {other}.", "There are **{answer}** days between the two dates."),
        ("", "{second} is {answer} days after {first}."),
        ("How many days after {first} is {second}?", "Exactly {answer} days."),
    ),
    "date shifts": (
        ("What date will it be {days} days after {iso}?", "**{answer_iso}**"),
        ("If today is {start}, what is the date in {days} days?", "In {days} days it will be {answer}."),
        ("", "Counting {days} days forward from {start}, we arrive at {answer}."),
        ("What was the date {days} days before {answer}?", "It was {start}."),
    ),
    "durations": (
        ("A film starts at {from} and ends at {to}. How long is it?", "The film lasts {hours}."),
        ("How many minutes are there from {start_24} to {end_24}?", "From {start_24} to {end_24} there are **{minutes}** minutes."),
        ("", "The shop is open from {start_24} to {end_24}, that is {hours}."),
        ("What's the time span between {from} and {to} in minutes?", "{minutes}"),
    ),
    "implications": (
        ("Suppose that if {p}, then {q}. Now {p}. What can you conclude?", "By modus ponens, {forward}."),
        ("We know: if {p}, then {q}. We also know that {not_q}. What about the first part?", "By modus tollens, we can conclude that {back}."),
        ("Premise 1: If {p}, {q}.\nPremise 2: {P}.\nConclusion?", "**Conclusion:** {Forward}."),
        ("", "{Q} whenever {p}. {P}. It follows that {forward}."),
        ("", "We are told that {p} only if {q}. But {not_q}. Consequently, {back}."),
        ("If {p}, then {q}. {P}. Is it true that {q}?", "{yes}."),
    ),
    "contradictions": (
        ("", "It is true that {p}. It is also true that {second}."),
        ("What do we know?", "- {P}.\n- {Second}."),
        ("", "{P}, yet at the same time {second}."),
        ("", 'The statement "{joined}" is true.'),
        ("", "${latex}$"),
    ),
    "syllogisms": (
        ("Premises:\n1. All {a} are {b}.\n2. All {b} are {c}.\nDoes it follow that all {a} are {c}?", "**{yes}**, {conclusion}."),
        ("Suppose all {a} are {b} and all {b} are {c}. What does this tell us about the {a}?", "It tells us that {conclusion}."),
        ("", "Since all {a} are {b}, and all {b} are {c}, it follows that {conclusion}."),
        ("Assume that all {b} are {c}. Assume also that all {a} are {b}. Is every one of the {a} also one of the {c}?", "{yes}."),
    ),
    "orders": (
        ("{a} is {word} than {b}, who is {word} than {c}. Who is the {least} of the three?", "**{bottom}**"),
        ("{a} is {word} than {b}. {b} is {word} than {c}. Rank them from {most} to {least}.", "From {most} to {least}: {first}, {b}, {last}."),
        ("{b} is {word} than {c}, and {a} is {word} than {b}. Is {a} {word} than {c}?", "{yes}, {first} is {word} than {last}."),
        ("", "We know that {a} is {word} than {b} and that {b} is {word} than {c}. Therefore, {top} is the {most} of the three."),
    ),
    "stories": (
        (
            "{name} reads {a} pages on Saturday and {b} on Sunday. A page takes {c} minutes. How many minutes is that?",
            "**Step 1:** Find the number of pages: {a} + {b} = {total}.\n\n**Step 2:** Multiply by minutes per page: {total} \u00d7 {c} = {answer}."
            "\n\nTherefore, {name} reads for {answer} minutes.",
        ),
        (
            "A baker makes {a} rolls and {b} pretzels every day. How many pieces is that in {c} days?",
            "Each day the baker makes {a} + {b} = {total} pieces. In {c} days that is {total} * {c} = {answer} pieces.\n\n#### {answer}",
        ),
        (
            "A train has {a} adults and {b} children on board, and each carries {c} bags. How many bags are there?",
            "We first add the passengers: {a} + {b} = {total}. Each carries {c} bags, so there are \\({total} \\times {c} = {answer}\\) bags."
            "\n\n\\(\\boxed{{{answer}}}\\)",
        ),
    ),
    "shopping": (
        (
            "{name} has ${paid} and buys {n} books for ${price} each. How much money is left?",
            "1. Cost of the books: {n} \u00d7 ${price} = ${cost}\n2. Money left: ${paid} - ${cost} = ${answer}\n\n**Answer:** ${answer}",
        ),
        (
            "{n} plates at ${price} apiece are paid with ${paid}. What change does {name} get back?",
            "{name} pays {n} * {price} = {cost} dollars for the plates and gets {paid} - {cost} = {answer} dollars back.",
        ),
        ("How much of {name}'s ${paid} remains after buying {n} lamps at ${price} each?", "${answer} remains."),
    ),
    "distractors": (
        ("My order number is {low}-{high}. What is {a} + {b}?", "Thanks for order {low}-{high}! {a} + {b} = {answer}."),
        ("", "Flight {low}/{high} leaves from gate {major}. The bags weigh {a} + {b} = {answer} kg."),
        ("", "In {year}, release {major}.{minor}.{patch} came out. It has {a} modules and {b} tests, so {a} + {b} = {answer} files."),
        ("", "Dial {phone} (room {low}-{high}). The total of {a} and {b} is {answer}."),
    ),
}
