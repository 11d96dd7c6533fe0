"""Lines of a chain's file: JSON objects, each with the hash of its content and of the line before it.

The hash is the SHA-256 of the object's JSON with sorted keys, without its content_hash, as of carl-core. ``previous_hash`` is part of what is
hashed: a line that was changed, left out, added or moved shows. Lines missing at the end, and a file written anew as a whole, show only
against a hash of the last line that is kept elsewhere, as nothing secret goes into them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, NoReturn

from ebmhw.errors import ValidationError
from ebmhw.verify.members import once

SCHEMA = "ebmhw.chain/1"
"""``schema`` of a header whose lines carry previous_hash."""

MAX_LINE = 16 * 2**20
"""Bytes of a line."""


def content_hash(body: Mapping[str, Any]) -> str:
    """Return the hash, 64 hexadecimal digits, of an object that has no content_hash."""
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def verify_step_content_hash(step_dict: Mapping[str, Any]) -> bool:
    """Tell whether the content_hash of a step's dict is that of its other members; False where it has none."""
    body = {name: value for name, value in step_dict.items() if name != "content_hash"}
    return step_dict.get("content_hash") == content_hash(body)


def line_of(told: Mapping[str, Any], previous: str | None = None) -> tuple[str, str]:
    """Return the line, newline included, of a header or step, and its hash; ``previous`` is the hash of the line before.

    Raises
    ------
    ValidationError
        beyond `MAX_LINE`.
    """
    body = {name: value for name, value in told.items() if name != "content_hash"}
    if previous is not None:
        body["previous_hash"] = previous
    digest = content_hash(body)
    line = json.dumps(body | {"content_hash": digest}, allow_nan=False) + "\n"
    if len(line) > MAX_LINE:
        raise ValidationError(f"a step takes {len(line)} bytes as a line; at most {MAX_LINE}, give less input, output or context")
    return line, digest


def parsed(text: str) -> Any:
    """Return the value of a line; ValueError for anything but JSON, with every member once, and for nesting that is too deep to read."""
    try:
        return json.loads(text, object_pairs_hook=once, parse_constant=_no_number)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")
