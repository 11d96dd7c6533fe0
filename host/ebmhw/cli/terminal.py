"""What commands print: tables, charts, JSON."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np

_EIGHTHS = " ▁▂▃▄▅▆▇█"


def table(rows: Sequence[Sequence[str]], header: Sequence[str] | None = None) -> str:
    """Return rows as aligned columns, the header underlined."""
    lines = [list(header), *map(list, rows)] if header else [list(row) for row in rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    text = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    if header:
        text.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(text)


def chart(values: Sequence[float], width: int = 64, height: int = 8) -> str:
    """Return values over their index as a bar chart of ``height`` lines, the largest and smallest value at its side; NaN is a gap."""
    points = np.asarray(values, dtype=np.float64)
    parts = [part[~np.isnan(part)] for part in np.array_split(points, min(width, points.size))]
    columns = [float(part.mean()) if part.size else None for part in parts]
    present = [value for value in columns if value is not None] or [0.0]
    low, high = min(present), max(present)
    span = (high - low) or 1.0
    levels = [0 if value is None else 1 + round((value - low) / span * (8 * height - 1)) for value in columns]
    lines = []
    for row in range(height - 1, -1, -1):
        bars = "".join(_EIGHTHS[min(8, max(0, level - 8 * row))] for level in levels)
        label = f"{high:.6g}" if row == height - 1 else f"{low:.6g}" if row == 0 else ""
        lines.append(f"{label:>12} |{bars}".rstrip())
    return "\n".join(lines)


def plain(value: Any) -> Any:
    """Return a value that JSON can hold: arrays as lists, NumPy numbers as numbers."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value.tolist() if isinstance(value, (np.ndarray, np.generic)) else value


def echo_json(value: Any) -> None:
    """Print a value as one JSON document; the members of a mapping a line each, however long."""
    simple = plain(value)
    if isinstance(simple, dict):
        members = (f"  {json.dumps(key)}: {json.dumps(item)}" for key, item in simple.items())
        click.echo("{\n" + ",\n".join(members) + "\n}")
    else:
        click.echo(json.dumps(simple, indent=2))


def check_writable(option: str, path: str | None) -> None:
    """Refuse an output path that cannot be written, before any work is done."""
    if path is None:
        return
    folder = Path(path).parent
    if not folder.is_dir() or not os.access(folder, os.W_OK) or Path(path).is_dir():
        raise click.UsageError(f"{option} {path} cannot be written: {folder} is not a folder where files can be made; give another path")
    if Path(path).exists() and not Path(path).is_file():
        # A file that is written whole takes the place of what is there: of /dev/null too, where root writes it.
        raise click.UsageError(f"{option} {path} cannot be written: a device or pipe stands there, which a file would replace; give another path")


def figure_class() -> Any:
    """Return matplotlib's figure class, or say how to get it before any work is done."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise click.UsageError("--plot needs matplotlib: pip install 'ebmhw[plots]'") from None
    return Figure


def duration(seconds: float) -> str:
    """Return a time in three digits: "3.07 ms", "1.47 s", "125 s"."""
    if seconds < 1:
        return f"{1000 * seconds:.3g} ms"
    return f"{seconds:.3g} s" if seconds < 100 else f"{seconds:.0f} s"
