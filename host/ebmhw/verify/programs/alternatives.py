"""Alternatives: what a constraint may have meant to say, each with the cost of changing it so.

The slips are those of writers who turn sentences into comparisons: a position counted from the other end, a comparison turned round, "right of"
written as "next to the right of", a position off by one, an equality for an inequality; and that the line should not be there at all. Costs order
them by how easily they happen; they are small integers so that energies are exact.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import NamedTuple

from ebmhw.verify.programs.expressions import Expression, Tree, comparison

MIRRORED, LOOSENED, TURNED, SHIFTED, NEGATED, DROPPED = 2, 2, 3, 4, 6, 6
"""Costs of a change. REVERSED is that of turning all comparisons of two variables round at once, as one does who mistakes which end is low."""

REVERSED = 4

END_MIRRORED = 4
"""Cost of counting the first or last position from the other end: ends have names of their own, so they are seldom confused."""

CONFIRMED = 2
"""A constraint that says what its words say costs so much more to change."""

KEPT_AGAINST_WORDS = 2
"""Cost of keeping a constraint that contradicts its own words; to take the words' reading then costs nothing."""


class Alternative(NamedTuple):
    """One reading of a line.

    Attributes
    ----------
    expression : None for none at all
    cost : of choosing it
    change : in words; "" for the line as it is written
    """

    expression: Expression | None
    cost: int
    change: str


_TURN = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}


def alternatives(expression: Expression, domains: Mapping[str, tuple[int, ...]], words: Expression | None, with_words: bool) -> list[Alternative]:
    """Return the readings of a constraint, each meaning something else, as it is written first.

    `words` is what its words say, None where they were not understood; `with_words` tells whether they count.
    """
    found = [Alternative(expression, 0, "")]
    if expression.tree[0] == "different":
        return found
    heard = words if with_words else None
    if heard is not None and not same(expression, heard, domains):
        found = [Alternative(expression, KEPT_AGAINST_WORDS, ""), Alternative(heard, 0, "read as its words say")]
    extra = CONFIRMED if heard is not None and len(found) == 1 else 0
    for other in [*_others(expression.tree, domains), Alternative(None, DROPPED, "left out")]:
        if other.expression is None or not any(known.expression is not None and same(other.expression, known.expression, domains) for known in found):
            found.append(other._replace(cost=other.cost + extra))
    return found


def is_comparison(expression: Expression) -> bool:
    """Tell whether an expression orders two variables, so that it can be turned round."""
    return _pair(expression.tree) is not None


def turned(expression: Expression) -> Expression:
    """Return a comparison of two variables turned round: ``a < b`` for ``a > b``, ``a == b - 1`` for ``a == b + 1``."""
    pair = _pair(expression.tree)
    if pair is None:
        return expression
    one, sign, other, step = pair
    return _compared(one, _TURN.get(sign, sign), other, -step)


def same(one: Expression, other: Expression, domains: Mapping[str, tuple[int, ...]]) -> bool:
    """Tell whether two expressions are true of the same values, by trying all of them; by their form where there are too many."""
    names = tuple(dict.fromkeys((*one.names, *other.names)))
    size = 1
    for name in names:
        size *= len(domains[name])
    if size > 4096:
        return one == other
    return all(
        one.holds(values) == other.holds(values)
        for values in (dict(zip(names, held, strict=True)) for held in product(*(domains[name] for name in names)))
    )


def _others(tree: Tree, domains: Mapping[str, tuple[int, ...]]) -> list[Alternative]:
    pair = _pair(tree)
    if pair is not None:
        one, sign, other, step = pair
        around = turned(Expression(tree))
        if sign in ("==", "!="):
            if step and sign == "==":
                return [
                    Alternative(_compared(one, ">" if step > 0 else "<", other, 0), LOOSENED, "the distance left out"),
                    Alternative(around, TURNED + 1, "turned round"),
                    Alternative(_compared(one, "<" if step > 0 else ">", other, 0), TURNED + LOOSENED, "turned round and the distance left out"),
                    Alternative(_compared(one, "!=", other, step), NEGATED, "negated"),
                ]
            contrary = "!=" if sign == "==" else "=="
            return [
                Alternative(_compared(one, contrary, other, step), NEGATED, "negated"),
                *(Alternative(_compared(one, sign, other, way), SHIFTED, "a distance put in") for way in (1, -1) if not step),
            ]
        return [
            Alternative(around, TURNED, "turned round"),
            Alternative(_compared(one, sign[0], other, step), SHIFTED, "made strict"),
        ]
    place = _place(tree)
    if place is not None:
        name, sign, value = place
        values = domains[name]
        mirrored = min(values) + max(values) - value
        cost = END_MIRRORED if value in (min(values), max(values)) else MIRRORED
        found = [Alternative(_fixed(name, sign, mirrored), cost, "counted from the other end")]
        found += [Alternative(_fixed(name, sign, value + way), SHIFTED, "moved by one") for way in (1, -1)]
        if sign in ("==", "!="):
            found.append(Alternative(_fixed(name, "!=" if sign == "==" else "==", value), NEGATED, "negated"))
        else:
            found.append(Alternative(_fixed(name, _TURN[sign], value), TURNED, "turned round"))
        return [other for other in found if other.expression is not None and other.expression.tree[2][1] in values]
    return [Alternative(Expression(("not", tree)), NEGATED, "negated")]


def _pair(tree: Tree) -> tuple[str, str, str, int] | None:
    """Return (a, sign, b, step) of ``a sign b + step``, None for other forms."""
    if tree[0] not in ("==", "!=", *_TURN):
        return None
    one, other = _shifted(tree[1]), _shifted(tree[2])
    if one is None or other is None or one[0] is None or other[0] is None or one[0] == other[0]:
        return None
    return one[0], str(tree[0]), other[0], other[1] - one[1]


def _place(tree: Tree) -> tuple[str, str, int] | None:
    """Return (name, sign, value) of ``name sign value``, None for other forms."""
    if tree[0] not in ("==", "!=", *_TURN):
        return None
    one, other = _shifted(tree[1]), _shifted(tree[2])
    if one is None or other is None or (one[0] is None) == (other[0] is None):
        return None
    if one[0] is None:
        one, other = other, one
        return str(one[0]), str(_TURN.get(tree[0], tree[0])), other[1] - one[1]
    return str(one[0]), str(tree[0]), other[1] - one[1]


def _shifted(tree: Tree) -> tuple[str | None, int] | None:
    """Return (name or None, number) of a sum of at most one name and numbers, None for other sums."""
    if tree[0] == "value":
        return None, int(tree[1])
    if tree[0] == "name":
        return str(tree[1]), 0
    if tree[0] not in ("add", "subtract"):
        return None
    one, other = _shifted(tree[1]), _shifted(tree[2])
    if one is None or other is None or (one[0] is not None and other[0] is not None) or (tree[0] == "subtract" and other[0] is not None):
        return None
    return (other[0] if one[0] is None else one[0]), one[1] + other[1] if tree[0] == "add" else one[1] - other[1]


def _compared(one: str, sign: str, other: str, step: int) -> Expression:
    right: Tree = ("name", other)
    if step:
        right = ("add" if step > 0 else "subtract", right, ("value", abs(step)))
    return comparison(("name", one), sign, right)


def _fixed(name: str, sign: str, value: int) -> Expression:
    return comparison(("name", name), sign, ("value", value))
