"""Evaluate: the exact value of an expression in postfix steps, within limits, in the reading that is asked for."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Literal, NamedTuple

from ebmhw.verify.arithmetic.limits import BITS_LIMIT, DividedByZero, Limit, Undefined
from ebmhw.verify.arithmetic.numerals import Number, magnitude, simple, value_of

Reading = Literal["exact", "bare", "relative"]
"""exact: as written; bare: percent signs and dozens count for nothing (20 / 50 * 100 = 40%); relative: 100 + 10% is 110."""

_ROOT_DIGITS = 60
"""Decimal digits of a root that is irrational."""


class Value(NamedTuple):
    """A number.

    Attributes
    ----------
    number : exact, or within 10^-50 of it where not exact
    exact : False behind an irrational root or pi
    """

    number: Number
    exact: bool = True


def is_number(step: str) -> bool:
    """Return whether a postfix step is a number."""
    return step[0].isdigit() or step == "pi"


def leaves(steps: Sequence[str]) -> list[str]:
    """Return the numbers of an expression in order."""
    return [step for step in steps if step[0].isdigit() or step == "pi"]


def evaluate(steps: Sequence[str], reading: Reading = "exact", instead: Sequence[Number | None] = ()) -> Value:
    """Return the value of an expression; units count for nothing (see `quantity`). ``instead`` holds values for numbers by their place, or None.

    Raises
    ------
    Limit
        where a number would pass a limit.
    DividedByZero
        for 1 / 0 and its like.
    Undefined
        where there is no value otherwise, such as the root of -4.
    """
    if len(steps) == 1 and not instead:
        return Value(value_of(steps[0]), steps[0] != "pi")
    stack: list[Number] = []
    exact = True
    percents: set[int] = set()  # depths of the stack that hold a percentage
    place = 0
    for step in steps:
        if step[0].isdigit() or step == "pi":
            new = instead[place] if place < len(instead) else None
            stack.append(value_of(step) if new is None else new)
            exact = exact and step != "pi"
            place += 1
            percents.discard(len(stack))
            continue
        binary = _BINARY.get(step)
        if binary is not None:
            right = stack.pop()
            left = stack[-1]
            if len(stack) + 1 in percents:
                percents.discard(len(stack) + 1)
                if (reading == "relative" and step in "+-" and len(stack) not in percents) or step in ("increase", "decrease"):
                    right = left * right
            if step in ("more", "less") and len(stack) in percents:
                left = left * right
            percents.discard(len(stack))
            if step == "^":
                new_value, still = _power(left, right)
                stack[-1] = new_value
                exact = exact and still
            else:
                stack[-1] = binary(left, right)
        elif step[0] == "u" and step[1] == ":":
            continue
        elif step == "%" or step == "‰":
            if reading != "bare":
                stack[-1] = _divide(stack[-1], 100 if step == "%" else 1000)
                percents.add(len(stack))
        elif step == "dozen":
            if reading != "bare":
                stack[-1] = stack[-1] * 12
        elif step == "neg":
            stack[-1] = -stack[-1]
        elif step in _UNARY:
            stack[-1] = _UNARY[step](stack[-1])
        elif step in ("sqrt", "cbrt"):
            stack[-1], still = _root(stack[-1], 2 if step == "sqrt" else 3)
            exact = exact and still
        else:
            name, _, count = step.partition(":")
            arguments = stack[-int(count) :]
            del stack[-int(count) :]
            stack.append(_LISTS[name](arguments))
        top = stack[-1]
        if top.numerator.bit_length() > BITS_LIMIT or top.denominator.bit_length() > BITS_LIMIT:
            raise Limit(f"a number of more than {BITS_LIMIT * 30103 // 100000:,} digits")
    return Value(simple(stack[-1]), exact)


def _divide(left: Number, right: Number) -> Number:
    if right == 0:
        raise DividedByZero("it divides by zero")
    if type(left) is int and type(right) is int:
        whole, rest = divmod(left, right)
        return whole if rest == 0 else Fraction(left, right)
    return simple(Fraction(left) / right)


def _floor(left: Number, right: Number) -> Number:
    if right == 0:
        raise DividedByZero("it divides by zero")
    return left // right


def _modulo(left: Number, right: Number) -> Number:
    if right == 0:
        raise DividedByZero("it divides by zero")
    return simple(left % right)


def _power(base: Number, exponent: Number) -> tuple[Number, bool]:
    base, exponent = simple(base), simple(exponent)
    if type(exponent) is not int:
        if exponent.denominator > 64 or abs(exponent.numerator) > 64:
            raise Limit("a fractional power with numerator or denominator above 64")
        if base < 0:
            raise Undefined("it takes a root of a negative number")
        root, exact = _root(base, exponent.denominator)
        return _power(root, exponent.numerator)[0], exact
    if base == 0 and exponent < 0:
        raise DividedByZero("it divides by zero")
    size = max(base.numerator.bit_length(), base.denominator.bit_length())
    # Estimated before it is computed: 9^9^9 has 369 million digits.
    if base not in (0, 1, -1) and size * abs(exponent) > BITS_LIMIT + size:
        raise Limit(f"a power of more than {BITS_LIMIT * 30103 // 100000:,} digits")
    if base in (0, 1, -1):
        return (1 if not exponent else base * base if exponent % 2 == 0 else base), True
    return simple(Fraction(base) ** exponent), True


def _root(value: Number, degree: int) -> tuple[Number, bool]:
    """Return the root and whether it is exact; else to 60 digits behind the point."""
    if value < 0:
        if degree % 2 == 0:
            raise Undefined("it takes a root of a negative number")
        root, exact = _root(-value, degree)
        return -root, exact
    above, below = _whole_root(value.numerator, degree), _whole_root(value.denominator, degree)
    if above**degree == value.numerator and below**degree == value.denominator:
        return simple(Fraction(above, below)), True
    scale = 10**_ROOT_DIGITS
    return Fraction(_whole_root(value.numerator * scale**degree // value.denominator, degree), scale), False


def _whole_root(value: int, degree: int) -> int:
    if degree == 2:
        return math.isqrt(value)
    if value < 2 or degree == 1:
        return value
    guess = 1 << -(-value.bit_length() // degree)
    while True:  # Newton's method from above falls until it has the floor of the root
        lower = ((degree - 1) * guess + value // guess ** (degree - 1)) // degree
        if lower >= guess:
            return guess
        guess = lower


def _factorial(value: Number) -> Number:
    value = simple(value)
    if type(value) is not int or value < 0:
        raise Undefined("it takes the factorial of what is no whole number")
    if value > 1000:
        raise Limit("a factorial above 1,000!")
    return math.factorial(value)


def _whole(arguments: list[Number], name: str) -> list[int]:
    whole = [simple(argument) for argument in arguments]
    if not all(type(argument) is int for argument in whole):
        raise Undefined(f"it takes the {name} of what is no whole number")
    return [abs(int(argument)) for argument in whole]


def _sum(arguments: list[Number]) -> Number:
    return sum(arguments)


def _product(arguments: list[Number]) -> Number:
    result: Number = 1
    for argument in arguments:
        if result.numerator.bit_length() > BITS_LIMIT:
            raise Limit(f"a number of more than {BITS_LIMIT * 30103 // 100000:,} digits")
        result = result * argument
    return result


def _median(arguments: list[Number]) -> Number:
    ordered = sorted(arguments)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else Fraction(ordered[middle - 1] + ordered[middle]) / 2


def _difference(arguments: list[Number]) -> Number:
    if len(arguments) != 2:
        raise Undefined("it takes the difference of other than two numbers")
    return magnitude(arguments[0] - arguments[1])


def _quotient(arguments: list[Number]) -> Number:
    if len(arguments) != 2:
        raise Undefined("it takes the quotient of other than two numbers")
    return _divide(arguments[0], arguments[1])


def _lcm(arguments: list[Number]) -> Number:
    result = 1
    for argument in _whole(arguments, "least common multiple"):
        if result.bit_length() > BITS_LIMIT:
            raise Limit(f"a number of more than {BITS_LIMIT * 30103 // 100000:,} digits")
        result = math.lcm(result, argument)
    return result


_BINARY: dict[str, Callable[[Number, Number], Number]] = {
    "+": lambda left, right: left + right,
    "-": lambda left, right: left - right,
    "*": lambda left, right: left * right,
    "of": lambda left, right: left * right,
    "off": lambda left, right: right - left * right,
    "/": _divide,
    "//": _floor,
    "mod": _modulo,
    "rsub": lambda left, right: right - left,
    "increase": lambda left, right: left + right,
    "decrease": lambda left, right: left - right,
    "more": lambda left, right: right + left,
    "less": lambda left, right: right - left,
    "^": lambda left, right: left,
    "rem": lambda left, right: left,
}
_UNARY: dict[str, Callable[[Number], Number]] = {
    "squared": lambda value: value * value,
    "square": lambda value: value * value,
    "cubed": lambda value: value * value * value,
    "cube": lambda value: value * value * value,
    "factorial": _factorial,
    "abs": magnitude,
    "double": lambda value: 2 * value,
    "triple": lambda value: 3 * value,
    "half": lambda value: _divide(value, 2),
    "third": lambda value: _divide(value, 3),
    "quarter": lambda value: _divide(value, 4),
    "fifth": lambda value: _divide(value, 5),
    "tenth": lambda value: _divide(value, 10),
}
_LISTS: dict[str, Callable[[list[Number]], Number]] = {
    "sum": _sum,
    "product": _product,
    "difference": _difference,
    "quotient": _quotient,
    "mean": lambda arguments: simple(Fraction(sum(arguments)) / len(arguments)),
    "median": _median,
    "gcd": lambda arguments: math.gcd(*_whole(arguments, "greatest common divisor")),
    "lcm": _lcm,
    "max": max,
    "min": min,
}
