"""Arguments of a call: checked against the schema of its tool before any work is done."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ebmhw.errors import shown
from ebmhw.serve.refusal import Refusal
from ebmhw.serve.schemas import ToolSpec


def checker(tool: ToolSpec) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    """Return the function that checks arguments of a tool and fills in what may be left out; it raises Refusal."""
    from jsonschema import Draft202012Validator

    validator = Draft202012Validator(tool.arguments)
    whole = [name for name, member in tool.arguments["properties"].items() if "integer" in member.get("type", ())]
    defaults = {name: member["default"] for name, member in tool.arguments["properties"].items() if "default" in member}

    def check(arguments: Mapping[str, Any]) -> dict[str, Any]:
        error = next(iter(validator.iter_errors(arguments)), None)
        if error is not None:
            raise _refusal(tool, error)
        endless = next(_endless(arguments, ""), None)
        if endless is not None:
            raise Refusal("invalid-arguments", f"{tool.name}: {endless} is no finite number", "send numbers of up to 308 digits", argument=endless)
        given = {name: value for name, value in arguments.items() if value is not None}
        # JSON Schema takes 1.0 for an integer.
        return {**defaults, **given, **{name: int(given[name]) for name in whole if name in given}}

    return check


def check_size(name: str, value: Any, limit: int) -> None:
    """Refuse values that as JSON have more characters than a text may have."""
    size = len(json.dumps(value))
    if size > limit:
        raise Refusal("too-large", f"{name} has {size} characters as JSON; up to {limit} are taken", "send less", limit=limit)


def _endless(value: Any, place: str) -> Iterator[str]:
    """Yield the places of numbers that JSON cannot write: 1e999, and NaN, which some write all the same."""
    if isinstance(value, float) and not math.isfinite(value):
        yield place
    elif isinstance(value, Mapping):
        for name, item in value.items():
            yield from _endless(item, f"{place}.{shown(name)[1:-1]}".lstrip("."))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _endless(item, f"{place}[{index}]")


def _refusal(tool: ToolSpec, error: Any) -> Refusal:
    place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.absolute_path).lstrip(".")
    # Of several forms the one that it has the type of, where it went furthest.
    nearer = [one for one in error.context or () if one.validator != "type" or one.relative_path]
    if error.validator == "anyOf" and nearer:
        return _refusal(tool, max(nearer, key=lambda one: len(one.relative_path)))
    rule, wanted, value = error.validator, error.validator_value, error.instance
    if rule in ("maxLength", "maxItems"):
        unit = "characters" if rule == "maxLength" else "items"
        return Refusal(
            "too-large", f"{place} has {len(value)} {unit}; up to {wanted} are taken", "send less, or split it", argument=place, limit=wanted
        )
    if rule == "required":
        missing = [name for name in wanted if name not in value]
        text = f"{place or 'the call'} lacks {', '.join(missing)}"
    elif rule == "additionalProperties":
        known = error.schema["properties"]
        strange = [name for name in value if name not in known]
        text = f"{place or 'the call'} has {', '.join(shown(name) for name in strange[:5])}; there are {', '.join(known) or 'no arguments'}"
    elif rule == "type":
        kinds = " or ".join(wanted) if isinstance(wanted, list) else wanted
        text = f"{place or 'arguments'} is {shown(value)}; give a value of type {kinds}"
    elif rule == "enum":
        text = f"{place} is {shown(value)}; give one of {', '.join(json.dumps(choice) for choice in wanted)}"
    else:
        text = f"{place} is {shown(value)}, which does not meet {rule} {shown(wanted)}"
    return Refusal("invalid-arguments", f"{tool.name}: {text}", "call it as its input schema in tools/list says", argument=place)
