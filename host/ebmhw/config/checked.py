"""Options that check their values when they are made, and mappings from which they are made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, TypeVar

from ebmhw.config.checks import Check, Refused
from ebmhw.config.nearest import proposal
from ebmhw.errors import ConfigError, shown

Options = TypeVar("Options", bound="Checked")


def by(check: Check) -> dict[str, Any]:
    """Return the metadata of a field that ``check`` checks."""
    return {"check": check}


def part(kind: type[Any], *, off: bool = False) -> dict[str, Any]:
    """Return the metadata of a field that holds options of their own; ``off`` lets None turn the part off."""
    return {"part": kind, "off": off}


@dataclass(frozen=True)
class Checked:
    """Options whose values are checked when they are made.

    Raises
    ------
    ConfigError : a value that cannot stand where it stands; the text names the key
    """

    def __post_init__(self) -> None:
        for one in fields(self):
            value = getattr(self, one.name)
            kind = one.metadata.get("part")
            if kind is None:
                try:
                    object.__setattr__(self, one.name, one.metadata["check"](value))
                except Refused as error:
                    raise ConfigError(f"{one.name} is {shown(value)}; {error}", context={"key": one.name}) from None
            elif not isinstance(value, kind) and not (value is None and one.metadata["off"]):
                accepted = f"{kind.__name__}, or None" if one.metadata["off"] else kind.__name__
                raise ConfigError(f"{one.name} is {shown(value)}; give {accepted}", context={"key": one.name})


def made(kind: type[Options], data: Any, place: str = "") -> Options:
    """Return the options that a mapping describes; ``place`` ("lora.") goes before the names of keys in messages."""
    if not isinstance(data, Mapping):
        what = place.rstrip(".") or "the configuration"
        raise ConfigError(
            f"{what} is {shown(data)}; give a mapping of {', '.join(one.name for one in fields(kind))}", context={"key": place.rstrip(".")}
        )
    known = {one.name: one for one in fields(kind)}
    given: dict[str, Any] = {}
    for name, value in data.items():
        if not isinstance(name, str) or name not in known:
            flagged = "; YAML reads no, yes, on and off as false and true" if isinstance(name, bool) else ""
            said = f"{place}{name}" if isinstance(name, str) and len(name) <= 80 else shown(name)
            raise ConfigError(f"the key {said} does not exist{flagged}; {proposal(name, known, place)}", context={"key": f"{place}{name}"[:80]})
        part = known[name].metadata.get("part")
        if part is not None and not isinstance(value, part) and not (value is None and known[name].metadata["off"]):
            value = made(part, value, f"{place}{name}.")
        given[name] = value
    try:
        return kind(**given)
    except ConfigError as error:
        raise ConfigError(f"{place}{error}", context={"key": f"{place}{error.context.get('key', '')}"}) from None


def told(options: Any) -> dict[str, Any]:
    """Return options as JSON and YAML can hold them."""
    found: dict[str, Any] = {}
    for one in fields(options):
        value = getattr(options, one.name)
        found[one.name] = told(value) if is_dataclass(value) else list(value) if isinstance(value, tuple) else value
    return found
