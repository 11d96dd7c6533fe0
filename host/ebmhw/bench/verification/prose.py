"""Prose: instances of short stories, and of sums among numbers that say nothing."""

from __future__ import annotations

from random import Random

from ebmhw.bench.verification.instance import Instance, said
from ebmhw.bench.verification.logic import NAMES


def a_story(random: Random, truth: bool) -> Instance:
    a, b, c = random.randint(5, 60), random.randint(5, 60), random.randint(2, 9)
    total, slip = a + b, 0 if truth else random.choice((1, -1, 10, 2))
    name = random.choice(NAMES)
    return {
        "name": name,
        "a": a,
        "b": b,
        "c": c,
        "total": total + slip,
        "answer": (total + slip) * c,
        "other": random.choice([other for other in NAMES if other != name]),
    }


def a_shopping(random: Random, truth: bool) -> Instance:
    n, price, paid = random.randint(2, 12), random.randint(2, 15), 200
    cost = n * price
    slip = 0 if truth else random.choice((1, 10, -1))
    return {"name": random.choice(NAMES), "n": n, "price": price, "paid": paid, "cost": cost, "answer": paid - cost + slip}


def a_distraction(random: Random, truth: bool) -> Instance:
    a, b = random.randint(11, 99), random.randint(11, 99)
    low = random.randint(10, 80)
    return {"a": a, "b": b, "answer": said(random, truth, a + b), "low": low, "high": low + random.randint(5, 30), "major": random.randint(1, 9),
            "minor": random.randint(0, 20), "patch": random.randint(0, 9), "phone": f"555-{random.randint(1000, 9999)}", "wins": random.randint(2, 9),
            "losses": random.randint(2, 9), "year": random.randint(1990, 2020), "isbn": f"978-3-16-{random.randint(100000, 999999)}-0"}  # fmt: skip
