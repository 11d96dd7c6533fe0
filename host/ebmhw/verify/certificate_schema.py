"""The form of a certificate, as JSON Schema."""

from __future__ import annotations

from typing import Any

FORMAT = "ebmhw-certificate-2"
"""Name and version of the form."""

_HASH = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
_TEXTS = {"type": "array", "items": {"type": "string"}}
_SPAN = {"type": "array", "items": {"type": "integer", "minimum": 0}, "minItems": 2, "maxItems": 2}
_CLAUSES = {"type": "array", "items": {"type": "array", "items": {"type": "integer"}}}
_VERDICT = {"enum": ["VERIFIED", "VIOLATED", "UNKNOWN"]}


def _object(**members: Any) -> dict[str, Any]:
    """Return the schema of an object with exactly these members."""
    return {"type": "object", "properties": members, "required": list(members), "additionalProperties": False}


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [schema, {"type": "null"}]}


_CLAIM = _object(
    domain={"type": "string"},
    kind={"type": "string"},
    span=_SPAN,
    text={"type": "string"},
    content={"type": "object"},
    verdict=_VERDICT,
    reason={"type": "string"},
    fix=_or_null({"type": "string"}),
    fix_span=_or_null(_SPAN),
    decisions={"type": "array", "items": _HASH},
)

_DECISION = _object(
    variables={"type": "integer", "minimum": 0},
    clauses=_CLAUSES,
    witness=_or_null({"type": "array", "items": {"type": "integer"}}),
    proof=_or_null(_CLAUSES),
    found_by={"type": "string"},
)

SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    **_object(
        format={"const": FORMAT},
        software=_object(ebmhw={"type": "string"}),
        question=_HASH,
        response=_HASH,
        knowledge=_or_null({"type": "string"}),
        constraints=_or_null({"type": "string"}),
        specification=_or_null({"type": "string"}),
        domains=_TEXTS,
        failures={"type": "array", "items": _object(domain={"type": "string"}, code={"type": "string"}, text={"type": "string"})},
        verdict=_VERDICT,
        claims={"type": "array", "items": _CLAIM},
        open_goals=_TEXTS,
        decisions={"type": "object", "propertyNames": _HASH, "additionalProperties": _DECISION},
        backend=_or_null({"type": "string"}),
        seed={"type": "integer", "minimum": 0},
        digest=_HASH,
    ),
}
