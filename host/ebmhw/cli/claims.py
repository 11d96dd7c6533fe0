"""What is printed of claims: the text with them marked in it, and a table of them."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
from collections.abc import Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING

import click

from ebmhw.cli import terminal
from ebmhw.verify.marking import marked, visible
from ebmhw.verify.verdict import UNKNOWN, VERIFIED, VIOLATED, Verdict

if TYPE_CHECKING:
    from ebmhw.verify.claim import Claim
    from ebmhw.verify.report import Report

TEXT_LIMIT, CLAIM_LIMIT = 20_000, 100
"""Characters of a text, and claims, that are printed; --json has all."""

_CELL_LIMIT = 600
_SIGNS = {VERIFIED: "✓", VIOLATED: "✗", UNKNOWN: "?"}
_COLOURS = {VERIFIED: "green", VIOLATED: "red", UNKNOWN: "yellow"}
_RANK = (VIOLATED, UNKNOWN, VERIFIED)


def coloured() -> bool:
    """Tell whether standard output shows colours and is to."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def verdict_word(verdict: Verdict) -> str:
    """Return a verdict with its sign, in its colour where there are colours."""
    text = f"{_SIGNS[verdict]} {verdict}"
    return click.style(text, fg=_COLOURS[verdict], bold=True) if coloured() else text


def marked_text(text: str, claims: Sequence[Claim]) -> str:
    """Return a text with each claim in brackets, its sign and number first: [✗1 2 + 2 = 5]; where there are colours, coloured too."""
    colours = coloured()
    shown = claims[:CLAIM_LIMIT]
    parts: list[str] = []
    last: tuple[int, ...] = ()
    for piece in [*marked(text[:TEXT_LIMIT], [claim.span for claim in shown]), None]:
        spans = () if piece is None else piece.spans
        parts += ["]" for i in last if i not in spans]
        parts += [f"[{_SIGNS[shown[i].verdict]}{i + 1} " for i in spans if i not in last]
        if piece is not None:
            words = visible(piece.text)
            if colours and spans:
                worst = min((shown[i].verdict for i in spans), key=_RANK.index)
                words = click.style(words, fg=_COLOURS[worst], underline=True)
            parts.append(words)
        last = spans
    if len(text) > TEXT_LIMIT:
        parts.append(f"\n... {len(text) - TEXT_LIMIT} more characters; --json has all")
    return "".join(parts)


def table(claims: Sequence[Claim], kinds: bool = False) -> str:
    """Return a table of claims as wide as the terminal: number, verdict, words (or, of code, their kinds), reason, fix."""
    space = max(60, shutil.get_terminal_size((120, 24)).columns) - 20
    fixes = any(claim.fix is not None for claim in claims)
    words, fix = 10 if kinds else max(16, space * 3 // 10), max(10, space // 6) if fixes else 0
    widths = (4, 10, words, max(20, space - words - fix), fix)
    header = ("#", "verdict", "kind" if kinds else "claim", "reason", *(("fix",) if fixes else ()))
    rows = []
    for number, claim in enumerate(claims[:CLAIM_LIMIT], 1):
        cells = [
            str(number),
            f"{_SIGNS[claim.verdict]} {claim.verdict}",
            claim.kind if kinds else claim.text,
            claim.reason,
            *((claim.fix or "",) if fixes else ()),
        ]
        wrapped = [_wrapped(cell, width) for cell, width in zip(cells, widths, strict=False)]
        rows += [list(row) for row in zip_longest(*wrapped, fillvalue="")]
    text = terminal.table(rows, header)
    if len(claims) > CLAIM_LIMIT:
        text += f"\n... {len(claims) - CLAIM_LIMIT} more claims; --json has all"
    return text


def summary(report: Report) -> str:
    """Return the verdict of a report and why, with what was not answered and what failed."""
    return f"{verdict_word(report.verdict)}  {visible(report.reason)}"


def _wrapped(cell: str, width: int) -> list[str]:
    text = visible(cell).replace("\n", " ").replace("\t", " ")
    if len(text) > _CELL_LIMIT:
        text = text[: _CELL_LIMIT - 3] + "..."
    return textwrap.wrap(text, width, break_on_hyphens=False) or [""]
