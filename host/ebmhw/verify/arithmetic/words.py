"""Words: what English words and phrases stand for in arithmetic."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple


def _split(words: str) -> list[str]:
    return words.split()


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


ONES = {
    word: value
    for value, word in enumerate(
        _split("zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen")
    )
}
TENS = {word: 10 * value for value, word in enumerate(_split("twenty thirty forty fifty sixty seventy eighty ninety"), 2)} | {"fourty": 40}
SCALES = {"dozen": 12, "hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9, "trillion": 10**12}
PARTS = {
    "half": 2, "halves": 2, "third": 3, "thirds": 3, "quarter": 4, "quarters": 4, "fourth": 4, "fourths": 4, "fifth": 5, "fifths": 5, "sixth": 6,
    "sixths": 6, "seventh": 7, "sevenths": 7, "eighth": 8, "eighths": 8, "ninth": 9, "ninths": 9, "tenth": 10, "tenths": 10, "hundredth": 100,
    "hundredths": 100, "twelfth": 12, "twelfths": 12, "twentieth": 20, "twentieths": 20,
}  # fmt: skip

# Types of tokens; phrases of several words hold one space between them.
_PHRASES: dict[tuple[str, str], str] = {
    ("OP", "+"): "plus|added to|increased by the amount",
    ("OP", "-"): "minus",
    ("OP", "*"): "times|multiplied by",
    ("OP", "/"): "divided by|over",
    ("OP", "mod"): "mod|modulo|modulus",
    ("OP", "^"): "to the power of|to the power|raised to the power of|raised to the power|raised to|to the exponent",
    ("OP", "rsub"): "subtracted from",
    ("OP", "increase"): "increased by",
    ("OP", "decrease"): "decreased by|reduced by|discounted by",
    ("MORE", "more"): "more than|greater than|larger than|bigger than|higher than",
    ("MORE", "less"): "less than|fewer than|smaller than|lower than",
    ("CMP", ">"): "exceeds",
    ("CMP", ">="): "greater than or equal to|more than or equal to|at least|no less than|not less than|no fewer than",
    ("CMP", "<="): "less than or equal to|fewer than or equal to|at most|no more than|not more than|no greater than",
    ("CMP", "="): "equal to|the same as|exactly equal to|equivalent to|identical to",
    ("CMP", "!="): "not equal to|different from|unequal to",
    ("IS", "is"): "is|are|was|were|be|would be|will be|comes to|comes out to|equates to|amounts to|works out to|works out to be|totals",
    ("IS", "sums"): "adds up to|add up to|sums to|sum to|sums up to|sum up to|total up to",
    ("IS", "makes"): "makes|make",
    ("IS", "gives"): "gives|give|yields|yield|becomes|leaves|leave|gives us|gives you|give us|give you|results in",
    ("CMP", "eq"): "equals|equal",
    ("POST", "%"): "percent|per cent|pct",
    ("POST", "squared"): "squared",
    ("POST", "cubed"): "cubed",
    ("POST", "factorial"): "factorial",
    ("FN", "sqrt"): "square root of|sqrt|sqrt of|root of|square root",
    ("FN", "cbrt"): "cube root of|cbrt|cube root",
    ("FN", "factorial"): "factorial of",
    ("FN", "square"): "square of",
    ("FN", "cube"): "cube of",
    ("FN", "abs"): "absolute value of|abs",
    ("FN", "double"): "double|twice|double of",
    ("FN", "triple"): "triple|thrice|three times",
    ("FN", "half"): "half of|one half of|half",
    ("FN", "third"): "a third of|one third of|one-third of",
    ("FN", "quarter"): "a quarter of|one quarter of|one-quarter of|a fourth of|one fourth of|one-fourth of",
    ("FN", "fifth"): "a fifth of|one fifth of|one-fifth of",
    ("FN", "tenth"): "a tenth of|one tenth of|one-tenth of",
    ("LFN", "sum"): "sum of|total of",
    ("LFN", "product"): "product of|product between",
    ("LFN", "difference"): "difference between|difference of",
    ("LFN", "quotient"): "quotient of|ratio of",
    ("LFN", "mean"): "average of|mean of|arithmetic mean of",
    ("LFN", "median"): "median of",
    ("LFN", "gcd"): "gcd of|gcf of|hcf of|gcd|gcf|hcf|greatest common divisor of|greatest common factor of|highest common factor of",
    ("LFN", "lcm"): "lcm of|lcm|least common multiple of|lowest common multiple of",
    ("LFN", "max"): "maximum of|max of|largest of|max",
    ("LFN", "min"): "minimum of|min of|smallest of|min",
    ("PROP", "prime"): "prime|prime number",
    ("PROP", "composite"): "composite|composite number",
    ("PROP", "even"): "even|even number",
    ("PROP", "odd"): "odd|odd number",
    ("PROP", "square"): "perfect square|square number",
    ("PROP", "cube"): "perfect cube",
    ("PROP", "integer"): "whole number|integer",
    ("PROP", "positive"): "positive|positive number",
    ("PROP", "negative"): "negative|negative number",
    ("PROPBY", "divisible"): "divisible by|evenly divisible by",
    ("PROPBY", "multiple"): "multiple of",
    ("PROPBY", "factor"): "factor of|divisor of",
    ("DIVIDES", "divides"): "divides",
    ("NOT", "not"): "not|never",
    ("ABOUT", "about"): "about|approximately|roughly|around|nearly|almost|approx|approx.|close to|approximately equal to|rounded to",
    ("AND", "and"): "and",
    ("OF", "of"): "of|of the|of all|of all the|of her|of his|of their|of its|of these|of those|of a|of that|of this",
    ("REM", "rem"): "remainder|with a remainder of|with remainder|with a remainder|and a remainder of|remainder of|remaining",
    ("SKIP", ""): "a total of|an|the|exactly|only|just|simply|also|therefore|thus|number|numbers|a|now|then|in fact",
    ("ANSWER", "answer"): "answer|final answer|correct answer",
    ("RESULT", "result"): "result|final result|value|output|solution",
    ("RESULT", "sum"): "sum",
    ("RESULT", "product"): "product",
    ("RESULT", "difference"): "difference",
    ("RESULT", "quotient"): "quotient",
    ("RESULT", "mean"): "average|mean",
    ("RESULT", "total"): "total",
    ("IT", "it"): "it is|it's|that is|that's|this is|it equals|this equals|that equals|you get|we get|i get|we have|that makes|that gives|this gives"
    + "|it would be|that would be|it comes to|which is|which equals|they are|there are|it has|that leaves|gives us|they make",
    (
        "ASK",
        "value",
    ): "what is|what's|whats|calculate|compute|evaluate|how much is|work out|determine|find|simplify|what are|solve|how many is|what does"
    + "|what do you get when you compute|what number is|what would be|figure out|tell me|give me|what will be|add up|what",
    ("ASK", "convert"): "convert|express|how many",
    ("ASK", "add"): "add",
    ("ASK", "subtract"): "subtract",
    ("ASK", "multiply"): "multiply",
    ("ASK", "divide"): "divide",
    ("ASKIS", "is"): "is it true that|true or false|is it correct that|check whether|check if|does|do|verify that|is the statement",
    ("VALUEOF", ""): "value of|result of|answer of|result when",
    ("VALUEOF", "answer"): "answer to",
    ("YES", "yes"): "yes|true|correct|yep|yeah",
    ("NO", "no"): "no|nope",
    ("NO", "wrong"): "false|incorrect",
    ("IN", "in"): "in|into|to|expressed in|converted to|converted into",
    ("PER", "per"): "per|an hour|each",
    (
        "WRONG",
        "",
    ): "replace|original|corrected|old|nobody|options|choices"
    + "|assert|suppose|assume|imagine|pretend|claims|claimed|instead of|people think|many think|some think|might think"
    + "|may think|could think|might guess|might say|might expect|tempting|tempted|people believe|wrote|you said|your calculation|your claim"
    + "|your statement|your equation|your work|accept that|believe that|slogan|confuse|contradiction|contradicts|absurd|cannot|can't|couldn't"
    + "|is off|odds|clock|o'clock|javascript|concatenation|concatenated",
    (
        "WRONG",
        "wrong",
    ): "not true that|false that|does not hold|do not hold|doesn't hold|isn't true|is not true|not the case|isn't right|is not right"
    + "|isn't correct|is not correct|wrong|mistake|mistakes|wrongly|erroneous|error|incorrectly|untrue|mistakenly"
    + "|typo|myth|fallacy|misconception|impossible",
    ("WRONG", "version"): "python|version|versions|release|newer",
    (
        "SYSTEM",
        "",
    ): "binary|hexadecimal|octal|hex|boolean|xor|gf|modular arithmetic|modulo arithmetic|clock arithmetic|base two|base three|base five"
    + "|base eight|base sixteen|in base|"
    + "|".join(f"base {base}" for base in (*range(2, 10), 11, 12, 16, 20, 60)),
    ("IF", "if"): "if|whether|unless",
    (
        "WAIT",
        "",
    ): "wait|actually|correction|oops|sorry|rather|let me re-check|let me recheck|let me recalculate|let me recompute|let me correct|hold on",
    ("SCALE", ""): "represents|represent|corresponds",
    ("SYSTEM", "scale"): "scale|map",
    ("NUM", "pi"): "pi",
}

NUMBERS = frozenset({*ONES, *TENS, *SCALES})
"""Words that numbers are made of."""

LABELS = _set(
    "step day week month year room question problem part equation chapter page pages figure table option no case team group player bus line "
    "section item exercise example round grade level class version unit task trial test game ages age aged years point points rule row "
    "column box phase stage set quarter apartment flat floor gate route highway channel episode season volume act scene verse size model"
)
"""Nouns whose number is a name: "Week 2 = 3 + 4" does not say that 2 is 7."""

RANGES = _set("page pages chapter chapters age ages year years verse verses line lines days from between rows items grades floors numbers rooms")
"""Nouns before a range: "Pages 10 - 20" is no subtraction."""

VERBS = {
    "add": "add", "adding": "add", "subtract": "subtract", "subtracting": "subtract", "take": "take", "taking": "take", "multiply": "multiply",
    "multiplying": "multiply", "divide": "divide", "dividing": "divide", "make": "make", "makes": "make", "adds": "make", "sums": "make",
    "sum": "list", "difference": "list", "product": "list", "average": "list", "mean": "list", "total": "make", "remainder": "rest",
    "exceeds": "exceed", "each": "each", "apiece": "each", "percent": "share",
}  # fmt: skip
"""Words that may tell a sum as an action, and how."""

ASKED = _set(
    "to this your problem question should must equation expression of have classic math maths mathematical arithmetic simple basic riddle puzzle "
    "calculation multiplication addition subtraction division that given original above task exercise"
)
"""Words between "answer" and "is"."""

TURNS = _set("but however instead rechecking recheck")
"""Words behind which a text may take back what stands before them."""

LEADS = _set(
    "so thus therefore hence then that because since as and but see know is are number integer numbers yes no indeed means now also have get "
    "gives says note notice conclude finally clearly obviously we our first second third next here why answer equation sum calculation "
    "calculate calculation: compute computing adding subtracting multiplying dividing which shows show or fact either both well ok okay sure"
)
"""Words that may stand before a bare number that something is said of; after others it may be a part of something else."""

HALVES = _set("of by times per over from than as between minus plus with without at to x every")
"""Words before an expression that may make it a part of a larger one."""


BREAKS = _set(
    "because since so nor then therefore thus hence which that who whose when while where if but or he she they it we you i there this these "
    "those ago until before after although though however meaning making leaving giving gets gave has have had will would can could should "
    "must does did do however instead rechecking recheck "
    "buys bought sells sold costs cost earns earned makes pays paid spends spent takes took needs needed eats ate"
)
"""Words that end a quantity: what follows is another clause."""

PREPOSITIONS = _set("for of in on at from with by to as per into out over every")
"""Words that tie the next number to the last: "4 liters for the two girls + 6 liters"."""

COMPARATIVES = _set(
    "less fewer lower short below under more older younger cheaper longer shorter behind loss apart higher taller heavier lighter faster "
    "slower later earlier smaller larger bigger difference deficit decrease drop discount debt"
)
"""Words behind a difference that say its direction, so that its sign is left out: "160 - 240 = 80 less"."""


class Table(NamedTuple):
    """Words and phrases.

    Attributes
    ----------
    words : what a word alone stands for, (type, value)
    phrases : by first word, a pattern of the rests of phrases and what each whole phrase stands for
    """

    words: dict[str, tuple[str, str]]
    phrases: dict[str, tuple[re.Pattern[str], dict[str, tuple[str, str]]]]


@lru_cache(maxsize=1)
def table() -> Table:
    """Return all words and phrases; longer phrases win."""
    words: dict[str, tuple[str, str]] = {}
    rests: dict[str, dict[str, tuple[str, str]]] = {}
    for meaning, spellings in _PHRASES.items():
        for spelling in spellings.split("|"):
            first, space, rest = spelling.partition(" ")
            if space:
                rests.setdefault(first, {})[rest] = meaning
            else:
                words[first] = meaning
    for word in NUMBERS:
        words[word] = ("WORDNUM", word)
    phrases = {}
    for first, found in rests.items():
        ordered = sorted(found, key=len, reverse=True)
        pattern = "|".join(re.escape(rest).replace(r"\ ", r"[ \n]{1,2}") for rest in ordered)
        phrases[first] = (re.compile(rf"[ \n]{{1,2}}({pattern})(?![\w-])"), found)
    return Table(words, phrases)
