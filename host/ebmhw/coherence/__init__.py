"""coherence: how certain a model is, token by token; traces of it, rewards and gates made of them, training with these, and runs observed.

Names are resolved when they are first used: torch, transformers and TRL load only where they are needed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ebmhw.lazy import lazily

if TYPE_CHECKING:
    from ebmhw.coherence.bounds import BoundedTrace, EntropyInterval
    from ebmhw.coherence.capture import PhiCapture, load_causal_lm, score_completions
    from ebmhw.coherence.constants import DEFECT_THRESHOLD, KAPPA, SIGMA, T_STAR
    from ebmhw.coherence.dynamics import ContractionProbe, realizability_gap
    from ebmhw.coherence.gates import Cascade, EvalGate
    from ebmhw.coherence.layers import LayeredTrace
    from ebmhw.coherence.measure import compute_phi
    from ebmhw.coherence.order import dispersion_index, diversity, regime
    from ebmhw.coherence.probe import CoherenceProbe
    from ebmhw.coherence.responses import bounded_trace
    from ebmhw.coherence.selection import select_traces
    from ebmhw.coherence.snapshot import CoherenceSnapshot
    from ebmhw.coherence.trace import CoherenceTrace

_HOMES = {
    "BoundedTrace": "bounds",
    "Cascade": "gates",
    "CoherenceProbe": "probe",
    "CoherenceSnapshot": "snapshot",
    "CoherenceTrace": "trace",
    "ContractionProbe": "dynamics",
    "DEFECT_THRESHOLD": "constants",
    "EntropyInterval": "bounds",
    "EvalGate": "gates",
    "KAPPA": "constants",
    "LayeredTrace": "layers",
    "PhiCapture": "capture",
    "SIGMA": "constants",
    "T_STAR": "constants",
    "bounded_trace": "responses",
    "compute_phi": "measure",
    "dispersion_index": "order",
    "diversity": "order",
    "load_causal_lm": "capture",
    "realizability_gap": "dynamics",
    "regime": "order",
    "score_completions": "capture",
    "select_traces": "selection",
}

__all__ = [
    "DEFECT_THRESHOLD",
    "KAPPA",
    "SIGMA",
    "T_STAR",
    "BoundedTrace",
    "Cascade",
    "CoherenceProbe",
    "CoherenceSnapshot",
    "CoherenceTrace",
    "ContractionProbe",
    "EntropyInterval",
    "EvalGate",
    "LayeredTrace",
    "PhiCapture",
    "bounded_trace",
    "compute_phi",
    "dispersion_index",
    "diversity",
    "load_causal_lm",
    "realizability_gap",
    "regime",
    "score_completions",
    "select_traces",
]

__getattr__, __dir__ = lazily(__name__, _HOMES, __all__)
