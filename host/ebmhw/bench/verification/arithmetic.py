"""Arithmetic: instances about numbers and quantities."""

from __future__ import annotations

from fractions import Fraction
from random import Random

from ebmhw.bench.verification.instance import Instance, said
from ebmhw.bench.verification.spelling import decimal, in_words


def _operands(random: Random) -> tuple[int, int]:
    top = random.choice((20, 100, 1000, 10000))
    return random.randint(2, top), random.randint(2, top)


def a_sum(random: Random, truth: bool) -> Instance:
    a, b = _operands(random)
    ones = b % 10
    return {"a": a, "b": b, "tens": b - ones, "ones": ones, "partial": a + b - ones, "answer": said(random, truth, a + b)}


def a_difference(random: Random, truth: bool) -> Instance:
    b, d = _operands(random)
    return {"a": b + d, "b": b, "answer": said(random, truth, d)}


def a_product(random: Random, truth: bool) -> Instance:
    a, b = random.randint(2, 40), random.randint(2, 99)
    ones = b % 10
    tens = b - ones
    return {"a": a, "b": b, "tens": tens, "ones": ones, "high": a * tens, "low": a * ones, "answer": said(random, truth, a * b)}


def a_quotient(random: Random, truth: bool) -> Instance:
    b, q = random.randint(2, 30), random.randint(2, 60)
    return {"a": b * q, "b": b, "answer": said(random, truth, q)}


def a_decimal(random: Random, truth: bool) -> Instance:
    a, b = Fraction(random.randint(11, 999), 10), Fraction(random.randint(101, 9999), 100)
    right = a + b
    wrong = right + random.choice((Fraction(1, 10), Fraction(-1, 10), Fraction(1), Fraction(1, 100)))
    return {"a": decimal(a), "b": decimal(b), "answer": decimal(right if truth else wrong)}


def a_fraction(random: Random, truth: bool) -> Instance:
    p, q, r, s = random.randint(1, 9), random.randint(2, 9), random.randint(1, 9), random.randint(2, 9)
    right = Fraction(p, q) + Fraction(r, s)
    wrong = Fraction(p + r, q + s)
    value = right if truth or wrong == right else wrong
    if not truth and wrong == right:
        value = right + 1
    broken = value.denominator > 1
    return {
        "p": p,
        "q": q,
        "r": r,
        "s": s,
        "common": q * s,
        "left": p * s,
        "right": r * q,
        "answer": f"{value.numerator}/{value.denominator}" if broken else str(value.numerator),
        "latex": f"\\frac{{{value.numerator}}}{{{value.denominator}}}" if broken else str(value.numerator),
    }


def a_power(random: Random, truth: bool) -> Instance:
    a, n = random.choice([(a, 2) for a in range(3, 40)] + [(a, 3) for a in range(2, 12)] + [(2, n) for n in range(4, 13)])
    raised = {2: "²", 3: "³"}.get(n, f"^{n}")
    return {"a": a, "n": n, "raised": raised, "product": " \u00d7 ".join([str(a)] * n), "answer": said(random, truth, a**n)}


def a_grouped(random: Random, truth: bool) -> Instance:
    a, b, c = random.randint(2, 30), random.randint(2, 30), random.randint(2, 12)
    return {"a": a, "b": b, "c": c, "inner": a + b, "answer": said(random, truth, (a + b) * c)}


def a_precedence(random: Random, truth: bool) -> Instance:
    a, b, c = random.randint(2, 30), random.randint(2, 12), random.randint(2, 12)
    right = a + b * c
    return {"a": a, "b": b, "c": c, "inner": b * c, "answer": right if truth else random.choice(((a + b) * c, right + 1, right - 1))}


def a_long_sum(random: Random, truth: bool) -> Instance:
    a, b, c, d = (random.randint(2, 99) for _ in range(4))
    second = a + b + c
    d = min(d, second - 1)
    return {"a": a, "b": b, "c": c, "d": d, "first": a + b, "second": second, "answer": said(random, truth, second - d)}


def a_remainder(random: Random, truth: bool) -> Instance:
    b = random.randint(3, 19)
    a = random.randint(b + 1, 400)
    right = a % b
    answer = right if truth else (right + random.randint(1, b - 1)) % b
    return {"a": a, "b": b, "quotient": a // b, "multiple": a - right, "answer": answer}


def a_percentage(random: Random, truth: bool) -> Instance:
    p, base = random.choice((5, 10, 15, 20, 25, 30, 40, 50, 60, 75, 80)), 20 * random.randint(2, 60)
    right = Fraction(p * base, 100)
    value = right if truth else right + random.choice((1, 2, 5, 10))
    return {"p": p, "base": base, "factor": decimal(Fraction(p, 100)), "answer": decimal(value)}


def a_conversion(random: Random, truth: bool) -> Instance:
    large, small, factor = random.choice(
        (("km", "m", 1000), ("m", "cm", 100), ("kg", "g", 1000), ("hours", "minutes", 60), ("minutes", "seconds", 60),
         ("liters", "milliliters", 1000),
         ("feet", "inches", 12), ("weeks", "days", 7), ("cm", "mm", 10), ("days", "hours", 24))
    )  # fmt: skip
    count = random.randint(2, 40)
    right = count * factor
    wrong = right + random.choice((factor, -1, 1)) if random.random() < 0.5 else count * (100 if factor == 1000 else 10 * factor)
    single = "foot" if large == "feet" else large.rstrip("s")
    return {"count": count, "large": large, "single": single, "small": small, "factor": factor, "answer": right if truth else wrong}


def a_mixed_length(random: Random, truth: bool) -> Instance:
    a, b = random.randint(1, 9), 5 * random.randint(2, 19)
    answer = said(random, truth, 100 * a + b)
    return {"a": a, "b": b, "whole": 100 * a, "answer": answer, "metres": decimal(Fraction(answer, 100))}


def a_price(random: Random, truth: bool) -> Instance:
    count, cents = random.randint(2, 30), 25 * random.randint(2, 80)
    right = count * cents
    value = right if truth else right + random.choice((100, -100, 50, 1000))
    return {"count": count, "price": f"{cents // 100}.{cents % 100:02d}", "answer": f"{value // 100}.{value % 100:02d}"}


def a_worded(random: Random, truth: bool) -> Instance:
    a, b = random.randint(2, 99), random.randint(2, 99)
    return {"a": in_words(a), "b": in_words(b), "A": in_words(a).capitalize(), "answer": in_words(said(random, truth, a + b))}


def a_chain(random: Random, truth: bool) -> Instance:
    a, b, c, d = (random.randint(2, 40) for _ in range(4))
    first, second = a * b, a * b + c
    value = second + d
    slip = 0 if truth else random.choice((1, -1, 10))
    return {
        "a": a,
        "b": b,
        "c": c,
        "d": d,
        "first": first,
        "second": second + slip,
        "answer": value + slip if truth else value,
        "total": second + slip + d,
    }


def a_comparison(random: Random, truth: bool) -> Instance:
    a, b = random.sample(range(2, 500), 2)
    greater = (a > b) == truth
    larger, smaller = (a, b) if greater else (b, a)
    return {
        "a": a,
        "b": b,
        "sign": ">" if greater else "<",
        "word": "greater" if greater else "less",
        "size": "bigger" if greater else "smaller",
        "larger": larger,
        "smaller": smaller,
        "yes": "Yes" if greater else "No",
    }


def _is_prime(number: int) -> bool:
    return number > 1 and all(number % k for k in range(2, int(number**0.5) + 1))


def a_prime(random: Random, truth: bool) -> Instance:
    n = random.choice([n for n in range(11, 200) if n % 2 and n % 5])
    prime = _is_prime(n) == truth
    return {
        "n": n,
        "article": "an" if str(n).startswith(("11", "18", "8")) else "a",
        "is": "is" if prime else "is not",
        "yes": "Yes" if prime else "No",
        "class": "a prime" if prime else "a composite",
    }


def a_parity(random: Random, truth: bool) -> Instance:
    n = random.randint(2, 999)
    even = (n % 2 == 0) == truth
    return {
        "n": n,
        "last": n % 10,
        "rest": n % 2,
        "parity": "even" if even else "odd",
        "yes": "Yes" if even else "No",
        "odd": "No" if even else "Yes",
        "is": "is" if even else "is not",
    }


def a_divisibility(random: Random, truth: bool) -> Instance:
    k = random.randint(3, 12)
    n = k * random.randint(3, 40) + random.choice((0, 0, 1, 2))
    divisible = (n % k == 0) == truth
    return {
        "n": n,
        "k": k,
        "quotient": n // k,
        "multiple": n - n % k,
        "rest": n % k,
        "is": "is" if divisible else "is not",
        "divides": "divides" if divisible else "does not divide",
        "yes": "Yes" if divisible else "No",
    }
