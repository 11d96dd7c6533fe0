"""Circuit: integers under rules as invertible logic; fix any of them, and the others follow, forwards and backwards."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping
from functools import cached_property
from typing import Any, final

import numpy as np
import numpy.typing as npt

from ebmhw.errors import InvalidModel, shown
from ebmhw.numbers import whole
from ebmhw.problems.circuits.rules import AtMost, Hidden, Operand, Product, Rule, Sum
from ebmhw.problems.circuits.wires import Wire, Word, constant
from ebmhw.problems.penalties import Penalties
from ebmhw.problems.problem import ConstraintProblem, integer

WIDTH_LIMIT = 64
"""Bits of one integer."""

Values = dict[str, int]


@final
class Circuit(ConstraintProblem[Values]):
    """Integers of given widths that keep rules; the states of energy 0 are exactly the values that keep them all.

    Parameters
    ----------
    widths : bits of each integer, 1 to 64, by its name; an integer is 0 .. 2^bits - 1
    rules : `Sum`, `Product` and `AtMost` of names and of numbers from 0 on
    higher_order : terms of more than two spins, and with them fewer ancillas

    Attributes
    ----------
    words : the bits of each integer, the lowest first; bit i is spin i - 1

    Raises
    ------
    InvalidModel
        for a width or a number out of range, a rule about a name that is none.
    """

    kind = "circuit"

    def __init__(self, widths: Mapping[str, int], rules: Iterable[Rule], higher_order: bool = True) -> None:
        self.widths = {str(name): integer(width, f"the width of {shown(name)}", 1, WIDTH_LIMIT) for name, width in widths.items()}
        self.rules = tuple(rules)
        self.higher_order = bool(higher_order)
        first = 1
        self.words: dict[str, tuple[int, ...]] = {}
        for name, width in self.widths.items():
            self.words[name] = tuple(range(first, first + width))
            first += width
        for rule in self.rules:
            if not isinstance(rule, Rule):
                raise InvalidModel(f"{shown(rule)} is no rule; give Sum, Product or AtMost")
            for operand in rule.operands:
                self._checked_operand(operand, rule)

    def _checked_operand(self, operand: Operand, rule: Rule) -> None:
        if isinstance(operand, str):
            if operand not in self.widths:
                raise InvalidModel(f"rule {rule} names {shown(operand)}; the integers are {', '.join(self.widths)}")
        elif whole(operand) is None or not 0 <= operand < 2 ** (2 * WIDTH_LIMIT):
            raise InvalidModel(
                f"rule {type(rule).__name__} holds {shown(operand)}; give a name, or an integer from 0 of up to {2 * WIDTH_LIMIT} bits"
            )

    @cached_property
    def _built(self) -> tuple[Penalties, list[Hidden]]:
        penalties = Penalties()
        penalties.bits(sum(self.widths.values()))
        hidden = []
        for rule in self.rules:
            words: dict[Operand, Word] = {x: self.words[x] if isinstance(x, str) else constant(int(x)) for x in rule.operands}
            hidden.append(rule.constrain(penalties, words, self.higher_order))
        return penalties, hidden

    def _penalties(self) -> Penalties:
        return self._built[0]

    def decode(self, spins: npt.ArrayLike) -> Values:
        """Return the integers that one state (n,) spells; its ancillas say nothing about them."""
        truths = self._truths(spins).tolist()
        return {name: sum(truths[bit - 1] << i for i, bit in enumerate(word)) for name, word in self.words.items()}

    def encode(self, solution: Mapping[str, int]) -> npt.NDArray[np.int8]:
        """Return the state of integers; carries are those of the arithmetic, of least energy wherever the rules hold."""
        if set(solution) != set(self.words):
            raise InvalidModel(f"values are given for {shown(list(solution))}; give one for each of {', '.join(self.words)}")
        truths = {bit: spin > 0 for bit, spin in self._bits(solution).items()}

        def truth(wire: Wire) -> bool:
            return wire if isinstance(wire, bool) else truths[abs(wire)] == (wire > 0)

        for hidden in self._built[1]:
            for bit, value in hidden(truth):
                truths[bit] = value
        return self.penalties.completed(bit for bit, value in truths.items() if value)

    def clamps(self, values: Mapping[str, int]) -> dict[int, int]:
        """Return {spin: -1 or +1} that hold some integers at their values in a search: inputs to run forwards, outputs to run backwards."""
        return {bit - 1: spin for bit, spin in self._bits(values).items()}

    def _bits(self, values: Mapping[str, int]) -> dict[int, int]:
        found: dict[int, int] = {}
        for name, value in values.items():
            if name not in self.words:
                raise InvalidModel(f"a value is given for {shown(name)}; the integers are {', '.join(self.words)}")
            number = integer(value, name, 0, 2 ** self.widths[name] - 1)
            found |= {bit: 1 if number >> i & 1 else -1 for i, bit in enumerate(self.words[name])}
        return found

    def violated(self, solution: Mapping[str, int]) -> tuple[str, ...]:
        """Return the rules that integers break, by arithmetic."""
        return tuple(str(rule) for rule in self.rules if not rule.holds(*(solution[x] if isinstance(x, str) else int(x) for x in rule.operands)))

    def values(self, spins: npt.ArrayLike) -> dict[Hashable, Any]:
        """Return the integers of one state (n,) by name."""
        found: dict[Hashable, Any] = {}
        found.update(self.decode(spins))
        return found

    def __repr__(self) -> str:
        return f"Circuit({', '.join(map(str, self.rules))}; {sum(self.widths.values())} bits)"


def adder(width: int, higher_order: bool = True) -> Circuit:
    """Return sum = a + b of two integers of `width` bits, 1 to 63; the sum has one bit more."""
    width = integer(width, "the width of an adder", 1, WIDTH_LIMIT - 1)
    return Circuit({"a": width, "b": width, "sum": width + 1}, [Sum("sum", "a", "b")], higher_order)


def multiplier(width: int, other: int | None = None, higher_order: bool = True) -> Circuit:
    """Return product = a x b of integers of `width` and `other` bits (as many if None), 1 to 32 each."""
    width = integer(width, "the width of a multiplier", 1, WIDTH_LIMIT // 2)
    other = width if other is None else integer(other, "the width of a multiplier", 1, WIDTH_LIMIT // 2)
    return Circuit({"a": width, "b": other, "product": width + other}, [Product("product", "a", "b")], higher_order)


def factoring(number: int, widths: tuple[int, int] | None = None, higher_order: bool = True) -> Circuit:
    """Return number = a x b with 2 <= a <= b: a solution factors an integer of 4 .. 2^64 - 1, and none exists exactly where it is prime.

    `widths` are the bits of a and b where more is known of them, else those of the square root and of half the number.
    """
    number = integer(number, "a number to be factored", 4, 2**WIDTH_LIMIT - 1)
    smaller, larger = widths if widths is not None else (math.isqrt(number).bit_length(), (number // 2).bit_length())
    return Circuit({"a": smaller, "b": larger}, [Product(number, "a", "b"), AtMost(2, "a"), AtMost("a", "b")], higher_order)
