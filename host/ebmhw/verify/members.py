"""Members of JSON objects, each named once: of two of one name a reader sees only the last."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, final

from ebmhw.errors import shown


@final
class NamedTwice(ValueError):
    """An object names a member twice; the text says which."""


def once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """Return the members of an object, as the object_pairs_hook of json.loads; NamedTwice where one is there twice."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise NamedTwice(f"member {shown(name)} is there twice in one object; give it once")
        found[name] = value
    return found
