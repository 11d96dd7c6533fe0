"""Logs of training runs for the tests of observe."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ebmhw.coherence.observe.run import Run


def write_log(path: Path, records: Iterable[Mapping[str, Any]]) -> Path:
    """Write records as JSON lines, NaN as Python writes it."""
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def run_of(**series: Iterable[float | None]) -> Run:
    """Return a run with these series over the steps 0, 1, ...; underscores twice stand for a slash."""
    run = Run("run")
    columns = {name.replace("__", "/"): list(values) for name, values in series.items()}
    for step in range(max(map(len, columns.values()))):
        run.add({"step": step, **{name: values[step] for name, values in columns.items() if step < len(values)}})
    return run
