"""Messages between processes: trees as the bytes of JSON, within limits.

This module runs inside the sandbox as well: it needs the standard library and its neighbours only.
"""

from __future__ import annotations

import json
from typing import Any, NoReturn

from ebmhw.verify.code.kinds import MAX_BYTES, Refused


def written(tree: Any) -> bytes:
    """Return a tree as JSON. Refused where it is too long."""
    raw = json.dumps(tree, separators=(",", ":"), allow_nan=False).encode()
    if len(raw) > MAX_BYTES:
        raise Refused(f"the value takes {len(raw)} bytes as JSON, more than {MAX_BYTES}")
    return raw


def _short_int(text: str) -> int:
    if len(text) > 17:
        raise Refused("an integer beyond 2^53 is not written in hexadecimal")
    return int(text)


def _short_float(text: str) -> float:
    if len(text) > 32:
        raise Refused("a float is not written as repr() does")
    return float(text)


def _no_constant(text: str) -> NoReturn:
    raise Refused(f"{text} is no JSON")


def parsed(raw: bytes) -> Any:
    """Return the tree of JSON that another process wrote. Refused for what is none."""
    if len(raw) > MAX_BYTES:
        raise Refused(f"a message has {len(raw)} bytes, more than {MAX_BYTES}")
    try:
        return json.loads(raw, parse_int=_short_int, parse_float=_short_float, parse_constant=_no_constant)
    except Refused:
        raise
    except (ValueError, RecursionError) as error:
        raise Refused(f"a message is no JSON: {type(error).__name__}") from None
