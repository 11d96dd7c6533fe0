"""References: all of them, in the order in which they are looked for."""

from __future__ import annotations

from ebmhw.verify.code.properties.reference import Reference
from ebmhw.verify.code.properties.reference_lists import LISTS
from ebmhw.verify.code.properties.reference_numbers import NUMBERS
from ebmhw.verify.code.properties.reference_texts import TEXTS_

REFERENCES: tuple[Reference, ...] = (*NUMBERS, *LISTS, *TEXTS_)
"""Of those whose words fit, the one that takes most of them is asked."""
