"""Property-based verification of code: properties, given or inferred from what is said of a function, tried by Hypothesis in the judge's process."""

from __future__ import annotations

from ebmhw.lazy import lazily

_HOMES = {
    "Asked": "asking",
    "Finding": "outcomes",
    "PACKAGES": "asking",
    "Property": "property",
    "STANDARD": "standard",
    "describe": "given",
    "findings": "outcomes",
    "inferred": "infer",
    "note": "ranking",
    "property_claims": "asking",
    "ranked": "ranking",
    "read_properties": "given",
}

__all__ = [
    "PACKAGES",
    "STANDARD",
    "Asked",
    "Finding",
    "Property",
    "describe",
    "findings",
    "inferred",
    "note",
    "property_claims",
    "ranked",
    "read_properties",
]

__getattr__, __dir__ = lazily(__name__, _HOMES, __all__, ("cues", "given", "infer", "prompt", "references", "standard", "strategies"))
