"""Statement: what the grammar of a domain read at one place of a text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

Source = Literal["question", "response", "constraints"]
"""The texts of one check: what was asked, what was answered, and constraints that a model or a user wrote about both."""


class Statement(NamedTuple):
    """One sentence, equation or other piece of text, parsed and not yet judged.

    Attributes
    ----------
    domain : name of the domain that read it
    kind : what it is within its domain, such as "equation", "answer", "goal"
    source : the text that holds it
    span : (start, end) in characters of that text
    text : the characters of the span
    content : what the grammar read, JSON-able and canonical: equal statements have equal contents; no floats, integers that may pass 2^53 as strings
    """

    domain: str
    kind: str
    source: Source
    span: tuple[int, int]
    text: str
    content: Mapping[str, Any]
