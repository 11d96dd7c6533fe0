"""Pairs: a question and its answer, as a line of a JSON-lines file holds them."""

from __future__ import annotations

from typing import IO, Any, NamedTuple

from ebmhw.errors import InvalidFile, shown
from ebmhw.verify.batch.lines import Line
from ebmhw.verify.members import decoded

LINE_LIMIT = 2**28
"""Bytes of one line; texts have a limit of their own, and JSON writes a character in up to 6 bytes."""


class Pair(NamedTuple):
    """A question and its answer.

    Attributes
    ----------
    id : the user's name for it, text or a number, or None
    question : a text, which may be empty
    response : a text; None where a model is to answer
    constraints : a constraint program, or None
    """

    id: str | int | None
    question: str
    response: str | None
    constraints: str | None


def read_pair(stream: IO[bytes], line: Line, path: str, model_answers: bool) -> Pair:
    """Return the pair of a line: a JSON object with "question" and "response" (or "answer"), and "id" and "constraints" where it has them.

    Other keys are left alone. Where both "response" and "answer" are there, the first is checked. ``model_answers`` allows for neither.

    Raises
    ------
    InvalidFile
        where the line holds no pair; the text starts with ``path:line:``.
    """
    place = f"{path}:{line.number}"
    if line.end - line.start > LINE_LIMIT:
        raise InvalidFile(f"{place}: the line has {line.end - line.start} bytes; up to {LINE_LIMIT} can be checked: split it")
    stream.seek(line.start)
    data = decoded(stream.read(line.end - line.start), place)
    if not isinstance(data, dict):
        raise InvalidFile(f"{place}: the line is {_kind(data)}; give a JSON object with 'question' and 'response'")
    name = data.get("id")
    if name is not None and (isinstance(name, bool) or not isinstance(name, (str, int))):
        raise InvalidFile(f"{place}: 'id' is {_kind(name)}; give text or a whole number, or leave it out")
    response = _text(data, "response" if data.get("response") is not None else "answer", place)
    question, constraints = _text(data, "question", place), _text(data, "constraints", place)
    if question is None:
        raise InvalidFile(f"{place}: 'question' is missing; give its text, which may be empty")
    if response is None and not model_answers:
        raise InvalidFile(f"{place}: 'response' is missing ('answer' is taken for it); give its text, or a model that answers")
    return Pair(name, question, response, constraints)


def _text(data: dict[str, Any], key: str, place: str) -> str | None:
    value = data.get(key)
    if value is not None and not isinstance(value, str):
        raise InvalidFile(f"{place}: {shown(key)} is {_kind(value)}; give text")
    return value


def _kind(value: object) -> str:
    """Return what JSON calls a value, without the value, which may be long."""
    names = {bool: "true or false", int: "a number", float: "a number", str: "text", list: "a list", dict: "an object", type(None): "null"}
    return names[type(value)]
