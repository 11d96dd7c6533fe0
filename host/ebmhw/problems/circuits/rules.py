"""Rules between integers: sums, products and comparisons, each as constraints over the bits of its operands.

Carries that have bits of their own are ancillas; they follow from the operands. A name stands for a variable, an integer for itself.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import final

from ebmhw.problems.circuits.wires import Wire, Word, added_up, bit_of, tabled
from ebmhw.problems.penalties import Penalties

Operand = str | int

Hidden = Callable[[Callable[[Wire], bool]], Iterator[tuple[int, bool]]]
"""Given the truth of wires, yields each ancilla and its truth, in an order in which each follows from those before it."""


class Rule(ABC):
    """A relation between integers that are not negative."""

    @property
    @abstractmethod
    def operands(self) -> tuple[Operand, ...]:
        """Names and numbers that the rule is about."""

    @abstractmethod
    def holds(self, *values: int) -> bool:
        """Return whether the rule holds for values of its operands, by arithmetic."""

    @abstractmethod
    def constrain(self, penalties: Penalties, words: Mapping[Operand, Word], higher_order: bool) -> Hidden:
        """Add the rule's constraints; terms of more than two spins only if `higher_order`, and then fewer ancillas."""


@final
@dataclass(frozen=True)
class Sum(Rule):
    """total = a + b.

    With higher-order terms there are no ancillas: the carry into a bit is the parity of the three bits there, a product of three spins, so
    that carry out = majority(a, b, carry in) is four products of 4 to 6 spins. With pairs alone each inner carry has a bit, and a stage
    costs (a + b + carry in - sum - 2 carry out)^2.
    """

    total: Operand
    a: Operand
    b: Operand

    @property
    def operands(self) -> tuple[Operand, ...]:
        """Total, a, b."""
        return (self.total, self.a, self.b)

    def holds(self, *values: int) -> bool:
        """Return whether total = a + b."""
        return values[0] == values[1] + values[2]

    def constrain(self, penalties: Penalties, words: Mapping[Operand, Word], higher_order: bool) -> Hidden:
        """Add a stage for each bit of the longest operand."""
        total, a, b = (words[operand] for operand in self.operands)
        length = max(len(total), len(a), len(b))
        if higher_order:
            first = [bit_of(word, 0) for word in (a, b, total)]
            tabled(penalties, first, lambda *truths: sum(truths) % 2 == 0)
            for place in range(length):
                stage = [bit_of(word, i) for i in (place, place + 1) for word in (a, b, total)]
                tabled(penalties, stage, _carried)
            return lambda truth: iter(())
        inputs = max(len(a), len(b))
        carries: list[Wire] = [False]
        ancillas: list[tuple[int, tuple[Wire, Wire, Wire]]] = []
        for place in range(length):
            added = (bit_of(a, place), bit_of(b, place), carries[-1])
            carry: Wire = False
            if place + 1 < inputs and sum(wire is not False for wire in added) > 1:
                carry = penalties.bit()
                ancillas.append((carry, added))
            elif place + 1 == inputs:
                carry = bit_of(total, inputs)
            if place < inputs:
                added_up(penalties, [1, 1, 1, -1, -2], [(wire,) for wire in (*added, bit_of(total, place), carry)])
            elif place > inputs:
                added_up(penalties, [1], [(bit_of(total, place),)])
            carries.append(carry)

        def hidden(truth: Callable[[Wire], bool]) -> Iterator[tuple[int, bool]]:
            for bit, added in ancillas:
                yield bit, sum(map(truth, added)) > 1

        return hidden

    def __str__(self) -> str:
        return f"{self.total} = {self.a} + {self.b}"


def _carried(a: bool, b: bool, total: bool, next_a: bool, next_b: bool, next_total: bool) -> bool:
    return (a + b + (a ^ b ^ total) > 1) == next_a ^ next_b ^ next_total


@final
@dataclass(frozen=True)
class Product(Rule):
    """total = a x b, the products of bits added up column by column.

    Column k costs (sum of its products and carries - bit k of total - 2 carry - 4 carry ...)^2. With higher-order terms a product of two bits
    is part of that square, in terms of up to 4 spins; with pairs alone each has a bit of its own, len(a) x len(b) more.
    """

    total: Operand
    a: Operand
    b: Operand

    @property
    def operands(self) -> tuple[Operand, ...]:
        """Total, a, b."""
        return (self.total, self.a, self.b)

    def holds(self, *values: int) -> bool:
        """Return whether total = a b."""
        return values[0] == values[1] * values[2]

    def constrain(self, penalties: Penalties, words: Mapping[Operand, Word], higher_order: bool) -> Hidden:
        """Add a column for each place; the last one takes all bits of the total that are left."""
        total, a, b = (words[operand] for operand in self.operands)
        last = max(0, len(a) + len(b) - 2)
        columns: list[list[tuple[int, tuple[Wire, ...]]]] = [[] for _ in range(last + 1)]
        # Ancillas, the place of the first of them in a sum, and that sum.
        steps: list[tuple[tuple[int, ...], int, list[tuple[int, tuple[Wire, ...]]]]] = []
        for i, first in enumerate(a):
            for j, second in enumerate(b):
                if first is False or second is False:
                    continue
                product: tuple[Wire, ...] = (first, second)
                if not higher_order and not isinstance(first, bool) and not isinstance(second, bool) and first != second:
                    both = penalties.bit()
                    penalties.linear_between([1, 1, -2], [first, second, both], 0, 1)
                    steps.append(((both,), 0, [(1, product)]))
                    product = (both,)
                columns[i + j].append((1, product))
        for place, column in enumerate(columns):
            most = sum(weight for weight, _ in column)
            if place == last:
                outputs = [(1 << i - place, (bit_of(total, i),)) for i in range(place, max(len(total), place + 1))]
            else:
                carries = penalties.bits(max(0, most.bit_length() - 1))
                steps.append((carries, 1, list(column)))
                for i, carry in enumerate(carries, start=1):
                    reached = min(place + i, last)
                    columns[reached].append((1 << place + i - reached, (carry,)))
                outputs = [(1, (bit_of(total, place),)), *((2 << i, (carry,)) for i, carry in enumerate(carries))]
            added = [*column, *((-weight, wires) for weight, wires in outputs)]
            # What is beyond the largest sum is 0 by itself; it would only make coefficients large.
            beyond = [wires for weight, wires in added if -weight > most]
            for wires in beyond:
                added_up(penalties, [1], [wires])
            kept = [(weight, wires) for weight, wires in added if -weight <= most]
            added_up(penalties, [weight for weight, _ in kept], [wires for _, wires in kept])

        def hidden(truth: Callable[[Wire], bool]) -> Iterator[tuple[int, bool]]:
            for bits, lowest, column in steps:
                value = sum(weight for weight, wires in column if all(map(truth, wires)))
                for i, bit in enumerate(bits, start=lowest):
                    yield bit, bool(value >> i & 1)

        return hidden

    def __str__(self) -> str:
        return f"{self.total} = {self.a} x {self.b}"


@final
@dataclass(frozen=True)
class AtMost(Rule):
    """a <= b, or a < b if `less`: compared from the lowest bit on, with one ancilla between two places."""

    a: Operand
    b: Operand
    less: bool = False

    @property
    def operands(self) -> tuple[Operand, ...]:
        """Both sides."""
        return (self.a, self.b)

    def holds(self, *values: int) -> bool:
        """Return whether the first value is at most, or less than, the second."""
        return values[0] < values[1] if self.less else values[0] <= values[1]

    def constrain(self, penalties: Penalties, words: Mapping[Operand, Word], higher_order: bool) -> Hidden:
        """Add a stage for each place: more = a > b up to here (or equal, if less is demanded), each costing 1 where it is wrong.

        With pairs alone a stage costs C(d, 2) of d = a + (not b) + more before - 2 more after, its majority.
        """
        a, b = words[self.a], words[self.b]
        length = max(len(a), len(b), 1)
        more: Wire = self.less
        ancillas: list[tuple[int, tuple[Wire, Wire, Wire]]] = []
        for place in range(length):
            stage = (bit_of(a, place), bit_of(b, place), more)
            following: Wire = False
            if place + 1 < length:
                following = penalties.bit()
                ancillas.append((following, stage))
            if higher_order:
                tabled(penalties, (*stage, following), lambda x, y, before, after: (x + (not y) + before > 1) == after)
            else:
                _majority(penalties, stage, following)
            more = following

        def hidden(truth: Callable[[Wire], bool]) -> Iterator[tuple[int, bool]]:
            for bit, (first, second, before) in ancillas:
                yield bit, truth(first) + (not truth(second)) + truth(before) > 1

        return hidden

    def __str__(self) -> str:
        return f"{self.a} {'<' if self.less else '<='} {self.b}"


def _majority(penalties: Penalties, stage: tuple[Wire, Wire, Wire], following: Wire) -> None:
    """Demand following = majority(a, not b, before): 0 <= a + (not b) + before - 2 following <= 1."""
    coefficients: list[int] = []
    literals: list[int] = []
    known = 0
    for wire, weight in ((stage[0], 1), (not stage[1] if isinstance(stage[1], bool) else -stage[1], 1), (stage[2], 1), (following, -2)):
        if isinstance(wire, bool):
            known += weight * wire
        else:
            coefficients.append(weight)
            literals.append(wire)
    penalties.linear_between(coefficients, literals, -known, 1 - known)
