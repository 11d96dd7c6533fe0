"""Tables as plain text."""

from __future__ import annotations

from collections.abc import Sequence


def figure(value: float | None) -> str:
    """Return a number to three digits behind the point, "-" for what is not known."""
    return "-" if value is None else f"{value:.3f}"


def aligned(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return rows below their head: the first column to the left, the others to the right."""
    widths = [max(len(line[place]) for line in (head, *rows)) for place in range(len(head))]
    lines = []
    for line in (head, *rows):
        cells = [line[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True))]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)
