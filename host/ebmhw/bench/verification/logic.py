"""Logic: instances of deductions from premises that the question states."""

from __future__ import annotations

from random import Random

from ebmhw.bench.verification.instance import Instance

_EVENTS = (
    ("it rains", "it does not rain"), ("the alarm rings", "the alarm does not ring"), ("the light is on", "the light is not on"),
    ("the door is open", "the door is not open"), ("Ann sings", "Ann does not sing"), ("the dog barks", "the dog does not bark"),
    ("the shop is closed", "the shop is not closed"), ("the train is late", "the train is not late"), ("Bob is happy", "Bob is not happy"),
    ("the street is wet", "the street is not wet"), ("the engine runs", "the engine does not run"),
    ("the window is broken", "the window is not broken"),
)  # fmt: skip
_KINDS = (
    "cats", "mammals", "animals", "roses", "flowers", "plants", "poets", "artists", "dreamers", "squares", "polygons", "figures",
    "robots", "machines",
    "devices", "bloops", "razzies", "lazzies",
)  # fmt: skip
NAMES = ("Ann", "Bob", "Carla", "David", "Emma", "Frank", "Grace", "Henry", "Iris", "Jack", "Karen", "Leo")
_ORDERS = (("taller", "tallest", "shortest"), ("older", "oldest", "youngest"), ("faster", "fastest", "slowest"), ("heavier", "heaviest", "lightest"))


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]


def an_implication(random: Random, truth: bool) -> Instance:
    (p, not_p), (q, not_q) = random.sample(_EVENTS, 2)
    forward, back = (q, not_p) if truth else (not_q, p)
    return {
        "p": p,
        "q": q,
        "not_p": not_p,
        "not_q": not_q,
        "P": _capital(p),
        "Q": _capital(q),
        "not_P": _capital(not_p),
        "not_Q": _capital(not_q),
        "forward": forward,
        "back": back,
        "Forward": _capital(forward),
        "Back": _capital(back),
        "yes": "Yes" if truth else "No",
    }


def a_contradiction(random: Random, truth: bool) -> Instance:
    (p, not_p), (q, _) = random.sample(_EVENTS, 2)
    letter = random.choice("pqrs")
    return {
        "p": p,
        "not_p": not_p,
        "second": q if truth else not_p,
        "P": _capital(p),
        "Second": _capital(q if truth else not_p),
        "letter": letter,
        "joined": f"{letter} or not {letter}" if truth else f"{letter} and not {letter}",
        "latex": f"{letter} \\lor \\neg {letter}" if truth else f"{letter} \\land \\neg {letter}",
        "symbols": f"{letter} \u2228 \u00ac{letter}" if truth else f"{letter} \u2227 \u00ac{letter}",
    }


def a_syllogism(random: Random, truth: bool) -> Instance:
    a, b, c = random.sample(_KINDS, 3)
    return {
        "a": a,
        "b": b,
        "c": c,
        "A": _capital(a),
        "B": _capital(b),
        "C": _capital(c),
        "yes": "Yes" if truth else "No",
        "conclusion": f"all {a} are {c}" if truth else f"no {a} are {c}",
        "Conclusion": f"All {a} are {c}" if truth else f"No {a} are {c}",
    }


def an_order(random: Random, truth: bool) -> Instance:
    a, b, c = random.sample(NAMES, 3)
    word, most, least = random.choice(_ORDERS)
    return {
        "a": a,
        "b": b,
        "c": c,
        "word": word,
        "most": most,
        "least": least,
        "top": a if truth else random.choice((b, c)),
        "bottom": c if truth else random.choice((a, b)),
        "first": a if truth else c,
        "last": c if truth else a,
        "yes": "Yes" if truth else "No",
    }
