"""observe: training runs from their logs: what they say by one set of names, in which phase a run is, how healthy it is, how two differ.

See README.md beside this file for the names that are read and for every rule.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ebmhw.lazy import lazily

if TYPE_CHECKING:
    from ebmhw.coherence.observe.diff import diff_of
    from ebmhw.coherence.observe.exporter import Exporter
    from ebmhw.coherence.observe.health import health_of
    from ebmhw.coherence.observe.phase import phase_changes, phase_of
    from ebmhw.coherence.observe.prometheus import render
    from ebmhw.coherence.observe.reading import open_log, read_run
    from ebmhw.coherence.observe.run import Run

_HOMES = {
    "Exporter": "exporter",
    "Run": "run",
    "diff_of": "diff",
    "health_of": "health",
    "open_log": "reading",
    "phase_changes": "phase",
    "phase_of": "phase",
    "read_run": "reading",
    "render": "prometheus",
}

__all__ = ["Exporter", "Run", "diff_of", "health_of", "open_log", "phase_changes", "phase_of", "read_run", "render"]

__getattr__, __dir__ = lazily(__name__, _HOMES, __all__)
