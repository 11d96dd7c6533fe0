"""Source with its claims in the margin."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ebmhw.cli import claims
from ebmhw.verify.marking import visible

if TYPE_CHECKING:
    from ebmhw.verify.claim import Claim

LINE_LIMIT, CONTEXT_LINES = 80, 2
"""Source of more lines is shown around its claims only, with so many lines before and after."""


def marked_lines(code: str, found: Sequence[Claim]) -> str:
    """Return the source with line numbers, and in the margin the signs and numbers of the claims that begin on a line."""
    lines = code.splitlines() or [""]
    starts = [0]
    for line in code.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    marks: dict[int, list[int]] = {}
    for number, claim in enumerate(found[: claims.CLAIM_LIMIT]):
        place = max(0, bisect_right(starts, claim.span[0]) - 1)
        marks.setdefault(min(place, len(lines) - 1), []).append(number)
    labels = {line: _label([found[number].verdict for number in numbers], numbers) for line, numbers in marks.items()}
    width = max(map(len, labels.values()), default=0)
    near = {line + step for line in marks for step in range(-CONTEXT_LINES, CONTEXT_LINES + 1)}
    told, skipped = [], False
    for at, line in enumerate(lines):
        if len(lines) > LINE_LIMIT and at not in near:
            skipped = True
            continue
        if skipped:
            told.append("  ...")
        skipped = False
        told.append(f"{at + 1:>5} {labels.get(at, ''):<{width}} | {visible(line)}".rstrip())
    return "\n".join([*told, *(["  ..."] if skipped else [])])


def _label(verdicts: list[str], numbers: list[int]) -> str:
    """Return the worst sign of a line and the claims' numbers, the first four of them."""
    worst = min(verdicts, key=("VIOLATED", "UNKNOWN", "VERIFIED").index)
    more = "+" if len(numbers) > 4 else ""
    return {"VIOLATED": "✗", "UNKNOWN": "?", "VERIFIED": "✓"}[worst] + ",".join(str(number + 1) for number in numbers[:4]) + more
