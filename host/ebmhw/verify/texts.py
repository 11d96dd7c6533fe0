"""Texts: what is checked, and what it is checked by."""

from __future__ import annotations

from typing import NamedTuple


class Texts(NamedTuple):
    """What is checked, and what it is checked by.

    Attributes
    ----------
    question, response : as given
    knowledge : text of the user's knowledge file, or None
    constraints : a constraint program about question and answer, or None
    specification : what code in the response has to do, as `ebmhw.verify.code.Specification.to_json` writes it, or None
    """

    question: str
    response: str
    knowledge: str | None = None
    constraints: str | None = None
    specification: str | None = None
