"""The table at the end of ``make sim``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

_HEAD = ("bench", "simulator", "programs", "updates compared", "cycles", "seconds", "result")


def table(benches: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the lines of a table of benches, each the fields of a `sim.runner.BenchResult` and ``result``, with their total."""
    made = sorted(benches, key=lambda bench: (bench["bench"], bench["simulator"]))
    rows = [_HEAD]
    for bench in made:
        rows.append((bench["bench"], bench["simulator"], *_numbers([bench]), bench["result"]))
    failed = sum(bench["result"] != "passed" for bench in made)
    rows.append(("total", "", *_numbers(made), f"{failed} of {len(made)} failed" if failed else f"{len(made)} passed"))
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    lines = []
    for row in rows:
        # Words to the left, numbers to the right.
        cells = [cell.rjust(width) if 2 <= column <= 5 else cell.ljust(width) for column, (cell, width) in enumerate(zip(row, widths, strict=True))]
        lines.append("  ".join(cells).rstrip())
    return lines


def _numbers(benches: list[Mapping[str, Any]]) -> list[str]:
    whole = [f"{sum(bench[name] for bench in benches):,}" for name in ("programs", "updates", "cycles")]
    return [*whole, f"{sum(bench['seconds'] for bench in benches):.1f}"]
