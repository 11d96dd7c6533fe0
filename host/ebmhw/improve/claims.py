"""Claims about a trial: comparisons of measured figures, decided exactly, and sentences, checked by the pipeline against the same figures.

A comparison is made of figures' names, numbers, + - * /, parentheses and < <= > >= == !=, such as ``gain >= 0.05`` or
``seconds < 2 * incumbent_seconds``; percentages may be written (``gain >= 5 %``). It is parsed by Python's own grammar, never evaluated by it.
What would hold whatever was measured (``energy == energy``), and a sentence of which a part is read only, is not VERIFIED: skills quote what is.
"""

from __future__ import annotations

import ast
import json
import operator
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple, final

from ebmhw.errors import EbmhwError, shown
from ebmhw.improve.figures import made_up
from ebmhw.verify.verdict import UNKNOWN, VERIFIED, VIOLATED, Verdict

_LENGTH, _LARGEST = 300, 10**40
_PERCENT = re.compile(r"(?<![\w.])(\d+(?:\.\d+)?)\s*%")
_WORD = re.compile(r"\w+")
_JOINING = frozenset({"the", "a", "an", "and", "so", "therefore", "thus", "of"})
"""Words that may stand beside what is read of a sentence."""

_COMPARISONS: dict[type[ast.cmpop], Callable[[Fraction, Fraction], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_OPERATIONS: dict[type[ast.operator], Callable[[Fraction, Fraction], Fraction]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


class JudgedClaim(NamedTuple):
    """What was claimed, the verdict and why."""

    text: str
    verdict: Verdict
    reason: str


class _Refused(Exception):
    """What stands in a comparison is neither a figure, a number nor one of four operations."""


def judged(claims: Sequence[str], figures: Mapping[str, float]) -> tuple[JudgedClaim, ...]:
    """Return each claim with its verdict.

    Parameters
    ----------
    claims : as proposed
    figures : what was measured, by name; floats are taken for the exact numbers that they are
    """
    exact = {name: Fraction(value) for name, value in figures.items()}
    return tuple(_judged(claim, exact, figures) for claim in claims)


def _judged(claim: str, exact: Mapping[str, Fraction], figures: Mapping[str, float]) -> JudgedClaim:
    text = _PERCENT.sub(r"(\1/100)", claim.strip())
    # A comment is no part of a comparison, and would be quoted with it.
    if len(text) <= _LENGTH and "#" not in text:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", SyntaxWarning)
                warnings.simplefilter("ignore", DeprecationWarning)
                tree = ast.parse(text, mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return _read(claim, figures)
        if isinstance(tree, ast.Compare):
            return _compared(claim, _Comparison(tree, text), exact)
    return _read(claim, figures)


def _compared(claim: str, comparison: _Comparison, exact: Mapping[str, Fraction]) -> JudgedClaim:
    try:
        holds = comparison.holds(exact)
    except ZeroDivisionError:
        return JudgedClaim(claim, UNKNOWN, "it divides by zero")
    except (_Refused, KeyError):
        unknown = [name for name in comparison.names if name not in exact]
        why = f"{unknown[0]!r} is not measured" if unknown else "it is made of more than figures, numbers, + - * / and comparisons"
        return JudgedClaim(claim, UNKNOWN, f"{why}; measured are {', '.join(sorted(exact))}")
    if holds and not comparison.says_something():
        return JudgedClaim(claim, UNKNOWN, "it would hold whatever was measured")
    told = ", ".join(f"{name} is {_told(exact[name])}" for name in comparison.names)
    return JudgedClaim(claim, VERIFIED if holds else VIOLATED, told or "it does not hold")


def _told(value: Fraction) -> str:
    return f"{float(value):.6g}"


@final
class _Comparison:
    """A comparison, or a chain of them, decided in exact numbers.

    Parameters
    ----------
    tree, text : as parsed, and what it was parsed of
    """

    def __init__(self, tree: ast.Compare, text: str) -> None:
        self._sides, self._operations, self._text = [tree.left, *tree.comparators], tree.ops, text
        self.names = sorted({node.id for side in self._sides for node in ast.walk(side) if isinstance(node, ast.Name)})

    def holds(self, figures: Mapping[str, Fraction]) -> bool:
        """Return whether it holds; _Refused, KeyError and ZeroDivisionError where that cannot be said."""
        values = [self._value(side, figures) for side in self._sides]
        return all(_COMPARISONS[type(op)](left, right) for op, (left, right) in zip(self._operations, pairwise(values), strict=True))

    def says_something(self) -> bool:
        """Return whether there are figures of which it does not hold."""
        for figures in made_up():
            try:
                if not self.holds(figures):
                    return True
            except (KeyError, ZeroDivisionError):
                continue
        return False

    def _value(self, node: ast.expr, figures: Mapping[str, Fraction]) -> Fraction:
        if isinstance(node, ast.Name):
            return figures[node.id]
        if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)) and abs(node.value) < _LARGEST:
            return self._number(node, node.value)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.UAdd)):
            value = self._value(node.operand, figures)
            return -value if isinstance(node.op, ast.USub) else value
        if isinstance(node, ast.BinOp) and type(node.op) in _OPERATIONS:
            return _OPERATIONS[type(node.op)](self._value(node.left, figures), self._value(node.right, figures))
        raise _Refused

    def _number(self, node: ast.Constant, value: float) -> Fraction:
        """Return a number by its digits as written: 0.1 is a tenth, and what a float cannot hold is not rounded."""
        if isinstance(value, int):
            return Fraction(value)
        digits = (ast.get_source_segment(self._text, node) or "").replace("_", "")
        if abs(value) < 1 / _LARGEST and any(digit in "123456789" for digit in re.split("[eE]", digits)[0]):
            raise _Refused
        return Fraction(digits) if value else Fraction(0)


def _read(claim: str, figures: Mapping[str, float]) -> JudgedClaim:
    """Check a sentence by arithmetic, logic and the figures as facts: "The energy of the candidate is 12.5"."""
    from ebmhw.verify.facts import Knowledge
    from ebmhw.verify.pipeline import VerifyRepairPipeline

    facts = [
        {
            "subject": "the incumbent" if name.startswith("incumbent_") else "the candidate",
            "relation": name.removeprefix("incumbent_").replace("_", " "),
            "value": f"{value:.6g}",
        }
        for name, value in figures.items()
    ]
    knowledge = Knowledge.from_text(json.dumps({"facts": facts}))
    try:
        report = VerifyRepairPipeline(domains=["facts", "arithmetic", "logic"], knowledge=knowledge, time_limit=5.0).verify("", claim)
    except EbmhwError as error:
        return JudgedClaim(claim, UNKNOWN, str(error))
    if report.verified and not any(one.domain == "facts" for one in report.claims):
        return JudgedClaim(claim, UNKNOWN, "it speaks of no measured figure")
    if report.verified and (rest := _unread(claim, [one.statement.span for one in report.claims])):
        return JudgedClaim(claim, UNKNOWN, f"{shown(rest)} and what follows in it could not be read; claim only what is measured")
    return JudgedClaim(claim, report.verdict, report.reason)


def _unread(text: str, spans: Sequence[tuple[int, int]]) -> str | None:
    """Return the first word of a text outside of spans that does more than join them; None where there is none."""
    for match in _WORD.finditer(text):
        if match.group().lower() not in _JOINING and not any(start <= match.start() and match.end() <= end for start, end in spans):
            return match.group()
    return None
