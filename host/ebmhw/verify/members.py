"""JSON with members that are each named once: of two of one name a reader sees only the last."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, final

from ebmhw.errors import InvalidFile, shown


@final
class NamedTwice(ValueError):
    """An object names a member twice; the text says which."""


def once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """Return the members of an object, as the object_pairs_hook of json.loads; NamedTwice where one is there twice."""
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise NamedTwice(f"member {shown(name)} is there twice in one object; give it once")
            seen.add(name)
    return found


def decoded(raw: bytes, place: str) -> Any:
    """Return what a line of JSON in UTF-8 says; InvalidFile, whose text starts with ``place``, for what is none or cannot be read."""
    try:
        # A byte order mark is no part of the text, and JSON has no place for it.
        return json.loads(raw.decode("utf-8-sig"), object_pairs_hook=once)
    except NamedTwice as error:
        raise InvalidFile(f"{place}: {error}") from None
    except UnicodeDecodeError as error:
        raise InvalidFile(f"{place}: byte {error.start} of the line is no UTF-8; write the file in UTF-8") from None
    except json.JSONDecodeError as error:
        raise InvalidFile(f"{place}: this is no JSON: {error.msg} at character {error.pos}; give one JSON object a line") from None
    except ValueError:
        raise InvalidFile(f"{place}: a number has thousands of digits, more than is read; give it as text") from None
    except RecursionError:
        raise InvalidFile(f"{place}: the JSON is nested too deeply to be read; give a flat object") from None
