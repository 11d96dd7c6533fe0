"""Requirements of packages, as their metadata says them, and whether what is installed fulfils them."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

_REQUIREMENT = re.compile(r"\s*(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)\s*(\[[^\]]*\])?\s*\(?(?P<limits>[^;()\[\]]*)\)?\s*(;(?P<marker>.*))?")
_LIMIT = re.compile(r"\s*(?P<sign>>=|<=|==|!=|~=|>|<)\s*(?P<version>[0-9A-Za-z.+!*-]+)\s*")
_SIGNS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
    "~=": operator.ge,
    ">": operator.gt,
    "<": operator.lt,
}
_PARTS: Final = 4


def name_of(requirement: str) -> str:
    """Return the name that a requirement begins with; ValueError where it is none."""
    match = _REQUIREMENT.fullmatch(requirement)
    if match is None:
        raise ValueError(f"{requirement!r} is no requirement")
    return match["name"]


def always(requirements: Iterable[str]) -> list[str]:
    """Return the requirements that are no extra's, without spaces."""
    found = []
    for one in requirements:
        text, _, marker = one.partition(";")
        if not re.search(r"\bextra\b", marker):
            found.append("".join(text.split()))
    return found


def lacking(requirements: Iterable[str], versions: Mapping[str, str | None]) -> list[str]:
    """Return the requirements that installed versions do not fulfil, by the numbers of their versions; ValueError where one is no requirement."""
    return [one for one in requirements if not _fulfilled(one, versions.get(name_of(one)))]


def numbers(version: str) -> tuple[int, ...]:
    """Return the numbers of a version's release, at most four, padded with zeros."""
    found = [int(one) for one in re.findall(r"\d+", re.split(r"[+a-z-]", version)[0])[:_PARTS]]
    return tuple(found + [0] * (_PARTS - len(found)))


def _fulfilled(requirement: str, version: str | None) -> bool:
    if version is None:
        return False
    match = _REQUIREMENT.fullmatch(requirement)
    limits = [] if match is None or not match["limits"].strip() else match["limits"].split(",")
    for text in limits:
        limit = _LIMIT.fullmatch(text)
        if limit is None:
            raise ValueError(f"{requirement!r} is no requirement")
        due, there = numbers(limit["version"].replace(".*", "")), numbers(version)
        if limit["version"].endswith(".*"):
            length = limit["version"].count(".")
            due, there = due[:length], there[:length]
        if not _SIGNS[limit["sign"]](there, due):
            return False
    return True
