"""What a board said, fit to be shown: nothing of it is trusted."""

from __future__ import annotations

from typing import Any, Final

TEXT_LIMIT: Final = 1 << 18
"""Characters of a text that are kept."""

_DEPTH, _ITEMS = 12, 4096


def clean(value: Any, depth: int = _DEPTH) -> Any:
    """Return JSON data without what a terminal would obey: control characters of its texts are spaces or "?", long ones are cut, deep ones None."""
    if isinstance(value, str):
        return "".join(one if one.isprintable() else " " if one.isspace() else "?" for one in value[:TEXT_LIMIT])
    if depth == 0:
        return None
    if isinstance(value, dict):
        return {clean(key): clean(one, depth - 1) for key, one in list(value.items())[:_ITEMS]}
    if isinstance(value, list):
        return [clean(one, depth - 1) for one in value[:_ITEMS]]
    return value


def shortened(text: str, limit: int = 500) -> str:
    """Return the end of a text, clean and on one line."""
    line = " ".join(clean(text).split())
    return line if len(line) <= limit else "..." + line[-limit:]


def dots(version: list[int] | tuple[int, ...]) -> str:
    """Return the numbers of a version as one writes it."""
    return ".".join(map(str, version))


def bytes_shown(count: int) -> str:
    """Return a number of bytes as MiB."""
    return f"{count / (1 << 20):.1f} MiB"
