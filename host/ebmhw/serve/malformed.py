"""What is wrong with a line that is no message of JSON-RPC 2.0."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from mcp_types import INVALID_REQUEST, PARSE_ERROR

DEEPEST = 190
"""Lists and objects within each other that the library's validator takes in any case; its own limit is a little above."""


def what_is_wrong(line: bytes) -> tuple[int, str, int | str | None]:
    """Return the code of JSON-RPC for a line that is no message, what to say, and the id that it gives itself, if any."""
    try:
        value: Any = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        return PARSE_ERROR, f"byte {error.start} of the message is no UTF-8; send JSON in UTF-8", None
    except RecursionError:
        return PARSE_ERROR, "the message is nested too deeply; send flatter JSON", None
    except json.JSONDecodeError as error:
        return PARSE_ERROR, f"the message is no JSON: {str(error)[:200]}; send one object of JSON-RPC 2.0 a line", None
    except ValueError:  # of int()
        return PARSE_ERROR, "a number of the message has more than 4300 digits; send it as a text, or a smaller one", None
    if isinstance(value, list):
        return INVALID_REQUEST, "the message is a list; batches are no part of this protocol: send one object a line", None
    if not isinstance(value, dict):
        return INVALID_REQUEST, f"the message is a JSON {type(value).__name__}; send one object of JSON-RPC 2.0 a line", None
    number = value.get("id")
    known = number if isinstance(number, str) or type(number) is int else None
    if value.get("jsonrpc") != "2.0":
        return INVALID_REQUEST, 'the member "jsonrpc" is not "2.0"; send JSON-RPC 2.0', known
    if "id" in value and known is None:
        return INVALID_REQUEST, 'the member "id" is neither a text nor a whole number; send one of these', None
    if _depth(value) > DEEPEST:
        return INVALID_REQUEST, f"the message is nested more than {DEEPEST} deep; send flatter JSON", known
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return INVALID_REQUEST, "a text of the message holds half of a surrogate pair, which no UTF-8 has; send whole characters", known
    return INVALID_REQUEST, "the message is no request, notification or response of JSON-RPC 2.0; check its members id, method and params", known


def _depth(value: Any) -> int:
    """Return how many lists and objects stand within each other."""
    deepest, left = 0, [(value, 1)]
    while left:
        item, depth = left.pop()
        if isinstance(item, (list, Mapping)):
            deepest = max(deepest, depth)
            left += [(inner, depth + 1) for inner in (item.values() if isinstance(item, Mapping) else item)]
    return deepest
