"""Records: one line of a log as the mapping that it holds, or the reason why it holds none."""

from __future__ import annotations

import json
from typing import Any

from ebmhw.coherence.observe.literal import mapping_of
from ebmhw.errors import shown

LITERAL_LIMIT = 1 << 16
"""Bytes of a line that is read in Python's notation."""


class Unreadable(ValueError):
    """A line holds no record; the text says why."""


def record_of(content: bytes) -> dict[str, Any] | None:
    """Return the record of a line, None for a blank one.

    A record is a JSON object, NaN and Infinity allowed, or a line that holds a mapping as Python prints it, which is how transformers tells
    its logs to the terminal.

    Raises
    ------
    Unreadable
        for anything else.
    """
    try:
        text = content.decode("utf-8-sig").strip()
    except UnicodeDecodeError as error:
        raise Unreadable(f"byte {error.start} is no UTF-8") from None
    if not text:
        return None
    if "\x00" in text:
        raise Unreadable("it holds NUL bytes")
    try:
        record = json.loads(text)
    except RecursionError:
        raise Unreadable("its JSON is nested too deeply") from None
    except json.JSONDecodeError as error:
        found = mapping_of(text) if len(content) <= LITERAL_LIMIT else None
        if found is None:
            raise Unreadable(f"it is no JSON: {error.msg} at character {error.pos}") from None
        return found
    except ValueError:
        raise Unreadable("a number has thousands of digits") from None
    if not isinstance(record, dict):
        raise Unreadable(f"it is {shown(record)}, no object")
    return record
