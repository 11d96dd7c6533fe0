"""Claims about a trial: comparisons of measured figures, decided exactly, and sentences, checked by the pipeline against the same figures.

A comparison is made of figures' names, numbers, + - * /, parentheses and < <= > >= == !=, such as ``gain >= 0.05`` or
``seconds < 2 * incumbent_seconds``; percentages may be written (``gain >= 5 %``). It is parsed by Python's own grammar, never evaluated by it.
"""

from __future__ import annotations

import ast
import json
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

from ebmhw.errors import EbmhwError
from ebmhw.verify.verdict import UNKNOWN, VERIFIED, VIOLATED, Verdict

_LENGTH, _LARGEST = 300, 10**40
_PERCENT = re.compile(r"(?<![\w.])(\d+(?:\.\d+)?)\s*%")
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
    if len(text) <= _LENGTH:
        try:
            tree = ast.parse(text, mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return _read(claim, figures)
        if isinstance(tree, ast.Compare):
            return _compared(claim, tree, exact)
    return _read(claim, figures)


def _compared(claim: str, tree: ast.Compare, exact: Mapping[str, Fraction]) -> JudgedClaim:
    sides = [tree.left, *tree.comparators]
    names = sorted({node.id for side in sides for node in ast.walk(side) if isinstance(node, ast.Name)})
    try:
        values = [_value(side, exact) for side in sides]
        holds = all(_COMPARISONS[type(op)](left, right) for op, (left, right) in zip(tree.ops, pairwise(values), strict=True))
    except ZeroDivisionError:
        return JudgedClaim(claim, UNKNOWN, "it divides by zero")
    except (_Refused, KeyError):
        unknown = [name for name in names if name not in exact]
        why = f"{unknown[0]!r} is not measured" if unknown else "it is made of more than figures, numbers, + - * / and comparisons"
        return JudgedClaim(claim, UNKNOWN, f"{why}; measured are {', '.join(sorted(exact))}")
    if not names:
        # What holds of numbers alone says nothing about the candidate.
        return JudgedClaim(claim, UNKNOWN if holds else VIOLATED, "it speaks of no measured figure")
    return JudgedClaim(claim, VERIFIED if holds else VIOLATED, ", ".join(f"{name} is {float(exact[name]):.6g}" for name in names))


def _value(node: ast.expr, exact: Mapping[str, Fraction]) -> Fraction:
    if isinstance(node, ast.Name):
        return exact[node.id]
    if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)) and abs(node.value) < _LARGEST:
        # The digits as written: 0.1 is a tenth.
        return Fraction(repr(node.value)) if not isinstance(node.value, bool) else Fraction(node.value)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.UAdd)):
        value = _value(node.operand, exact)
        return -value if isinstance(node.op, ast.USub) else value
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATIONS:
        return _OPERATIONS[type(node.op)](_value(node.left, exact), _value(node.right, exact))
    raise _Refused


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
    return JudgedClaim(claim, report.verdict, report.reason)
