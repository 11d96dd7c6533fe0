"""coherence: how certain a model is, token by token; traces of it, rewards and gates made of them, training with these, and runs observed.

Names are resolved when they are first used: torch, transformers and TRL load only where they are needed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ebmhw.lazy import lazily

if TYPE_CHECKING:
    from ebmhw.coherence.constants import DEFECT_THRESHOLD, KAPPA, SIGMA, T_STAR
    from ebmhw.coherence.layers import LayeredTrace
    from ebmhw.coherence.measure import compute_phi
    from ebmhw.coherence.probe import CoherenceProbe
    from ebmhw.coherence.selection import select_traces
    from ebmhw.coherence.snapshot import CoherenceSnapshot
    from ebmhw.coherence.trace import CoherenceTrace

_HOMES = {
    "CoherenceProbe": "probe",
    "CoherenceSnapshot": "snapshot",
    "CoherenceTrace": "trace",
    "DEFECT_THRESHOLD": "constants",
    "KAPPA": "constants",
    "LayeredTrace": "layers",
    "SIGMA": "constants",
    "T_STAR": "constants",
    "compute_phi": "measure",
    "select_traces": "selection",
}

__all__ = [
    "DEFECT_THRESHOLD",
    "KAPPA",
    "SIGMA",
    "T_STAR",
    "CoherenceProbe",
    "CoherenceSnapshot",
    "CoherenceTrace",
    "LayeredTrace",
    "compute_phi",
    "select_traces",
]

__getattr__, __dir__ = lazily(__name__, _HOMES, __all__)
