"""Ledger: what a response computed so far: numbers that were wrong, numbers that were rounded, and what it came to."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import final

from ebmhw.verify.arithmetic.evaluate import leaves
from ebmhw.verify.arithmetic.limits import Limit
from ebmhw.verify.arithmetic.numerals import Number, magnitude, simple, value_of

_ENTRIES = 1000
"""Numbers remembered of one response."""


@final
class Ledger:
    """What later statements may rest on.

    Attributes
    ----------
    given : numbers of the question: they stand for themselves even where a result has the same value
    last : (value, whether it holds) of the last equation, None before the first
    """

    __slots__ = ("_noted", "_rounded", "_wrong", "given", "last")

    def __init__(self, given: frozenset[str]) -> None:
        self.given = given
        self.last: tuple[Number, bool] | None = None
        self._wrong: dict[Number, Number] = {}
        self._noted: list[Number] = []
        self._rounded: dict[Number, Number] = {}

    def corrected(self, steps: Sequence[str]) -> tuple[Number | None, ...]:
        """Return, for each number of an expression, what it should be where an earlier statement got it wrong, else None; () where none was."""
        if not self._wrong:
            return ()
        found = tuple(self._of(self._wrong, leaf) for leaf in leaves(steps))
        return found if any(value is not None for value in found) else ()

    def unrounded(self, steps: Sequence[str]) -> tuple[Number | None, ...]:
        """Return, for each number of an expression, the value that it was rounded from, else None; () where none was."""
        if not self._rounded:
            return ()
        found = tuple(self._of(self._rounded, leaf) for leaf in leaves(steps))
        return found if any(value is not None for value in found) else ()

    def _of(self, table: dict[Number, Number], leaf: str) -> Number | None:
        if leaf in self.given:
            return None
        try:
            return table.get(value_of(leaf))
        except Limit:
            return None

    def correction(self, value: Number) -> Number | None:
        """Return what a number should be, or None where nothing says that it is wrong."""
        return self._wrong.get(simple(value))

    def begin(self) -> None:
        """Begin a statement, whose notes can be withdrawn."""
        self._noted.clear()

    def wrong(self, written: Number, right: Number) -> None:
        """Note that a result was written wrongly."""
        if len(self._wrong) < _ENTRIES:
            number = simple(written)
            if number not in self._wrong:
                self._noted.append(number)
            self._wrong[number] = right

    def withdraw(self) -> None:
        """Forget what was noted as wrong since `begin`: what is only doubtful makes nothing else wrong."""
        for number in self._noted:
            self._wrong.pop(number, None)
        self._noted.clear()

    def rounded(self, written: Number, exact: Number) -> None:
        """Note that a result was rounded."""
        if len(self._rounded) < _ENTRIES and magnitude(exact) < 10**40:
            self._rounded[simple(written)] = simple(Fraction(exact).limit_denominator(10**60)) if exact.denominator > 10**60 else exact

    def holds(self, written: Number) -> None:
        """Note that a result was written rightly, whatever was wrong before."""
        if self._wrong:
            self._wrong.pop(simple(written), None)
