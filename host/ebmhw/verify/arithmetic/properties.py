"""Properties: prime, even, divisible by, and their like."""

from __future__ import annotations

from collections.abc import Sequence
from math import isqrt

from ebmhw.verify.arithmetic.evaluate import evaluate
from ebmhw.verify.arithmetic.limits import DividedByZero, Limit, Undefined
from ebmhw.verify.arithmetic.numerals import Number, shown
from ebmhw.verify.claim import Claim
from ebmhw.verify.statement import Statement
from ebmhw.verify.verdict import UNKNOWN, VERIFIED, VIOLATED

_BASES = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41)
_PROVED = 3_317_044_064_679_887_385_961_981
"""Below this, Miller-Rabin with the 13 first primes as bases is a proof (Sorenson and Webster, 2015)."""


def is_prime(value: int) -> bool:
    """Return whether a number below 3.3e24 is prime.

    Raises
    ------
    Limit
        for a larger one that no small prime divides.
    """
    if value < 2:
        return False
    for prime in _BASES:
        if value % prime == 0:
            return value == prime
    if value >= _PROVED:
        raise Limit("a number above 3.3e24 to be tested for primality")
    odd = value - 1
    twos = (odd & -odd).bit_length() - 1
    odd >>= twos
    for base in _BASES:
        power = pow(base, odd, value)
        if power in (1, value - 1):
            continue
        for _ in range(twos - 1):
            power = power * power % value
            if power == value - 1:
                break
        else:
            return False
    return True


def has_property(name: str, values: Sequence[Number]) -> tuple[bool, str]:
    """Return whether a number (and, for divisibility, a second) has a property, and why.

    Raises
    ------
    Limit
        where it is not decided.
    Undefined
        where the question has no meaning, such as divisibility by 0.
    """
    value = values[0]
    text = shown(value)
    if name in ("positive", "negative"):
        return (value > 0 if name == "positive" else value < 0), f"{text} is {'above' if value > 0 else 'below' if value < 0 else 'equal to'} 0"
    if type(value) is not int:
        return False, f"{text} is not a whole number"
    if name == "integer":
        return True, f"{text} is a whole number"
    if name in ("even", "odd"):
        even = value % 2 == 0
        return even == (name == "even"), f"{text} is {'even' if even else 'odd'}"
    if name in ("prime", "composite"):
        prime = is_prime(value)
        why = f"{text} is prime" if prime else f"{text} is not prime"
        if not prime and 3 < value < 10**8:
            least = next((factor for factor in _BASES if value % factor == 0), None) or _factor(value)
            why = f"{text} is {least} * {value // least}"
        return (prime if name == "prime" else not prime and value > 1), why
    if name in ("square", "cube"):
        if value < 0 and name == "square":
            return False, f"{text} is below 0"
        root = isqrt(value) if name == "square" else round_cube(abs(value))
        exact = root ** (2 if name == "square" else 3) == abs(value)
        sign = "" if exact else "not "
        return exact, f"{text} is {sign}the {name} of a whole number" + (f", {root}" if exact else "")
    other = values[1]
    if type(other) is not int:
        raise Undefined("divisibility is of whole numbers")
    whole, part = (value, other) if name != "factor" else (other, value)
    if part == 0:
        if whole == 0 and name != "divisible":
            return True, "0 is a multiple of 0"
        raise Undefined("nothing is divisible by 0")
    quotient, rest = divmod(whole, part)
    why = f"{shown(whole)} is {shown(part)} * {shown(quotient)}" + (f" + {shown(rest)}" if rest else "")
    return rest == 0, why


def round_cube(value: int) -> int:
    """Return the floor of the cube root of a number of at least 0."""
    low, high = 0, 1 << -(-value.bit_length() // 3)
    while low < high:
        middle = (low + high + 1) // 2
        if middle**3 <= value:
            low = middle
        else:
            high = middle - 1
    return low


def _factor(value: int) -> int:
    divisor = 43
    while divisor * divisor <= value:
        if value % divisor == 0:
            return divisor
        divisor += 2
    return value


def judged_property(statement: Statement) -> Claim:
    """Return the claim of a property, with "not" put in or taken out where it is wrong."""
    content = statement.content
    try:
        values = [evaluate(steps).number for steps in content["sides"]]
        holds, why = has_property(content["relations"][0], values)
    except Limit as limit:
        return Claim(statement, UNKNOWN, f"not decided: it holds {limit}")
    except (Undefined, DividedByZero) as undefined:
        return Claim(statement, UNKNOWN, f"not decided: {undefined}")
    negated = content.get("negated", False)
    if holds != negated:
        return Claim(statement, VERIFIED, why)
    if "doubt" in content:
        return Claim(statement, UNKNOWN, f"{why}, but {content['doubt']}")
    fix, span = _fix(statement, negated)
    return Claim(statement, VIOLATED, why, fix, span)


def _fix(statement: Statement, negated: bool) -> tuple[str | None, tuple[int, int] | None]:
    words = statement.content.get("words")
    if words is None:
        return None, None
    first, behind, word, _ = words
    start = statement.span[0]
    if negated:
        between = statement.text[behind:word]
        at = between.lower().find("not")
        if at < 0:
            return None, None
        return between[:at] + between[at + 3 :].lstrip(), (start + behind, start + word)
    return statement.text[first:behind] + " not", (start + first, start + behind)
