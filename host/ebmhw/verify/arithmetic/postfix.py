"""Postfix: a flat row of numbers and operators to steps of a stack machine, by precedence (Dijkstra's shunting yard); no recursion."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    pass


class Part(NamedTuple):
    """An expression.

    Attributes
    ----------
    steps : in postfix order: numbers ("15", "2.50", "3/4", "pi"), operators ("+", "neg", "of"), functions ("sqrt", "sum:3"), units ("u:km")
    numbers : where each number stands, (start, end) in characters of the text, in order of the steps
    start, end : where the whole stands
    """

    steps: list[str]
    numbers: list[tuple[int, int]]
    start: int
    end: int


_PRECEDENCE = {
    "rem": 0, "+": 1, "-": 1, "rsub": 1, "more": 1, "less": 1, "increase": 1, "decrease": 1, "*": 2, "/": 2, "//": 2, "mod": 2, "of": 2, "off": 2,
    "neg": 3, "u": 4, "^": 5,
}  # fmt: skip
_PREFIX = 3


def postfix(row: list[Any]) -> Part:
    """Return the expression of tokens and finished parts that alternate as the grammar says.

    Operators of one precedence group from the left, "^" from the right; a sign and a function bind less than a power, and a unit less than a
    power too: -3^2 is -9, 10^3 km is 1,000 km.
    """
    steps: list[str] = []
    numbers: list[tuple[int, int]] = []
    waiting: list[tuple[str, int]] = []
    for piece in row:
        if type(piece) is Part:
            steps.extend(piece.steps)
            numbers.extend(piece.numbers)
            continue
        kind = piece.type
        if kind == "NUM":
            steps.append(piece.value)
            numbers.append((piece.start, piece.end))
        elif kind == "OP":
            level = _PRECEDENCE[piece.value]
            # Right to left for powers alone.
            while waiting and (waiting[-1][1] > level or (waiting[-1][1] == level and level != 5)):
                steps.append(waiting.pop()[0])
            waiting.append((piece.value, level))
        elif kind == "POST":
            steps.append(piece.value)
        elif kind == "UNIT":
            while waiting and waiting[-1][1] >= 5:
                steps.append(waiting.pop()[0])
            steps.append("u:" + piece.value)
        elif piece.value != "+":
            waiting.append(("neg" if piece.value == "-" else piece.value, _PREFIX))
    while waiting:
        steps.append(waiting.pop()[0])
    first, last = row[0], row[-1]
    return Part(steps, numbers, first.start, last.end)
