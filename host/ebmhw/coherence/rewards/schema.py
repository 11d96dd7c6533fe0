"""The part of JSON Schema that tools describe their arguments with; what is beyond it is refused, not passed over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ebmhw.errors import ValidationError, shown
from ebmhw.numbers import whole

DEPTH_LIMIT = 32
"""Schemas within each other."""

_TYPES = ("object", "array", "string", "integer", "number", "boolean", "null")
_NOTES = ("title", "description", "default", "examples", "format", "$schema", "$id", "$comment", "deprecated", "strict", "return")
_COUNTS = ("minLength", "maxLength", "minItems", "maxItems")
_BOUNDS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
_JUDGED = ("type", "nullable", "enum", "const", "properties", "required", "additionalProperties", "items", "anyOf", *_COUNTS, *_BOUNDS)

Schema = Mapping[str, Any]


def checked_schema(schema: Any, what: str, depth: int = 0) -> Schema:
    """Return a schema without its annotations, and without keys whose value is None: Arrow gives each row the keys of all others.

    Raises
    ------
    ValidationError
        for anything that `fits` cannot judge by, naming ``what`` and the keyword.
    """
    if depth > DEPTH_LIMIT:
        raise ValidationError(f"{what} nests schemas more than {DEPTH_LIMIT} deep; give a flatter one")
    if schema is True:
        return {}
    if schema is False:
        return {"anyOf": []}
    if not isinstance(schema, Mapping):
        raise ValidationError(f"{what} is {shown(schema)}; give a JSON schema, a dict")
    kept: dict[str, Any] = {}
    for key, value in schema.items():
        if value is None:
            continue
        if key in _JUDGED:
            kept[key] = _checked(key, value, f"{what}: {key}", depth)
        elif key not in _NOTES:
            raise ValidationError(f"{what} uses the keyword {shown(key)}; arguments are judged by {', '.join(_JUDGED)}: describe them with these")
    return kept


def fits(value: Any, schema: Schema) -> bool:
    """Tell whether a JSON value is what a schema of `checked_schema` describes.

    As in JSON Schema, 1.0 is an integer and true is none, and what a schema does not mention may be there. "nullable" (OpenAPI, and what
    transformers writes) allows null, and so does "type": "null"; a "const" of null says nothing.
    """
    if value is None and schema.get("nullable"):
        return True
    if "type" in schema and not any(_is(value, name) for name in schema["type"]):
        return False
    if "const" in schema and not _same(value, schema["const"]):
        return False
    if "enum" in schema and not any(_same(value, allowed) for allowed in schema["enum"]):
        return False
    if "anyOf" in schema and not any(fits(value, one) for one in schema["anyOf"]):
        return False
    if isinstance(value, str):
        return _counted(len(value), schema, "Length")
    if isinstance(value, Mapping):
        return _object_fits(value, schema)
    if isinstance(value, (list, tuple)):
        return _counted(len(value), schema, "Items") and all(fits(entry, schema["items"]) for entry in value if "items" in schema)
    return not _is(value, "number") or _within(value, schema)


def _object_fits(value: Mapping[str, Any], schema: Schema) -> bool:
    if not all(name in value for name in schema.get("required", ())):
        return False
    properties = schema.get("properties", {})
    others = schema.get("additionalProperties", {})
    return all(fits(entry, properties.get(name, others)) for name, entry in value.items())


def _counted(count: int, schema: Schema, what: str) -> bool:
    return bool(schema.get(f"min{what}", 0) <= count <= schema.get(f"max{what}", count))


def _within(value: Any, schema: Schema) -> bool:
    return (
        ("minimum" not in schema or value >= schema["minimum"])
        and ("maximum" not in schema or value <= schema["maximum"])
        and ("exclusiveMinimum" not in schema or value > schema["exclusiveMinimum"])
        and ("exclusiveMaximum" not in schema or value < schema["exclusiveMaximum"])
    )


def _is(value: Any, name: str) -> bool:
    if name == "object":
        return isinstance(value, Mapping)
    if name == "array":
        return isinstance(value, (list, tuple))
    if name == "string":
        return isinstance(value, str)
    if name == "boolean":
        return isinstance(value, bool)
    if name == "null":
        return value is None
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return number and (name == "number" or isinstance(value, int) or float(value).is_integer())


def _same(value: Any, other: Any) -> bool:
    return bool(value == other) and isinstance(value, bool) == isinstance(other, bool)


def _checked(key: str, value: Any, what: str, depth: int) -> Any:
    if key == "type":
        return _names(value, what, _TYPES)
    if key == "required":
        return _names(value, what)
    if key == "properties":
        if not isinstance(value, Mapping):
            raise ValidationError(f"{what} is {shown(value)}; give a dict of schemas by name")
        return {name: checked_schema(one, f"{what} {shown(name)}", depth + 1) for name, one in value.items() if one is not None}
    if key in ("additionalProperties", "items"):
        return checked_schema(value, what, depth + 1)
    if key == "anyOf":
        if not isinstance(value, (list, tuple)) or not value:
            raise ValidationError(f"{what} is {shown(value)}; give a list of schemas")
        return [checked_schema(one, what, depth + 1) for one in value]
    if key == "enum":
        if not isinstance(value, (list, tuple)) or not all(map(_plain, value)):
            raise ValidationError(f"{what} is {shown(value)}; give a list of texts, numbers, true, false or null")
        return list(value)
    if key == "const" and _plain(value):
        return value
    if key == "nullable" and isinstance(value, bool):
        return value
    if (key in _COUNTS and (whole(value) or 0) >= 0 and whole(value) is not None) or (key in _BOUNDS and _is(value, "number")):
        return value
    raise ValidationError(f"{what} is {shown(value)}, which no such limit can be")


def _names(value: Any, what: str, allowed: tuple[str, ...] = ()) -> list[str]:
    names = [value] if isinstance(value, str) and allowed else value
    if not isinstance(names, (list, tuple)) or not all(isinstance(name, str) and (name in allowed or not allowed) for name in names):
        raise ValidationError(f"{what} is {shown(value)}; give {'one or a list of ' + ', '.join(allowed) if allowed else 'a list of names'}")
    return list(names)


def _plain(value: Any) -> bool:
    return value is None or isinstance(value, (str, int, float))
