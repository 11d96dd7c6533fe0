"""Limits: what an expression may ask of a computation; beyond it a claim is UNKNOWN, with the limit named."""

from __future__ import annotations

from typing import final

DIGITS_LIMIT = 1000
"""Digits of a number as written, and its decimal exponent."""

BITS_LIMIT = 16_000
"""Bits of any number on the way to a result: about 4,800 digits; estimated before a power is computed."""

DEPTH_LIMIT = 64
"""Parentheses within each other."""

TOKENS_LIMIT = 2000
"""Numbers, signs and words of one statement."""

PIECE = 1 << 16
"""Characters read at once; a piece ends behind a line or a sentence."""

LINE_LIMIT = 1 << 17
"""Characters of a sentence in one line."""

QUESTION_LIMIT = 1 << 20
"""Characters of a question; what is asked behind them counts as not read."""

STATEMENTS_LIMIT = 20_000
"""Statements of one text."""


@final
class Limit(Exception):
    """A computation would pass a limit; the text names it."""


@final
class Undefined(Exception):
    """An expression has no value here; the text says why."""


@final
class DividedByZero(Exception):
    """An expression divides by zero: it has no value anywhere."""
