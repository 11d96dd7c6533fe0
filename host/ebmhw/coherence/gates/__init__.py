"""Gates: when coherence joins the rewards of a run (the cascade), and whether an adapter passes at its end (the evaluation)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ebmhw.lazy import lazily

if TYPE_CHECKING:
    from ebmhw.coherence.gates.cascade import Cascade
    from ebmhw.coherence.gates.cascade_callback import CascadeCallback
    from ebmhw.coherence.gates.evaluation import evaluate_adapter
    from ebmhw.coherence.gates.report import Comparison, EvalGate, EvalReport, ExampleRecord, GateDecision
    from ebmhw.coherence.gates.rise import RiseDetector

_HOMES = {
    "Cascade": "cascade",
    "CascadeCallback": "cascade_callback",
    "Comparison": "report",
    "EvalGate": "report",
    "EvalReport": "report",
    "ExampleRecord": "report",
    "GateDecision": "report",
    "RiseDetector": "rise",
    "evaluate_adapter": "evaluation",
}

__all__ = [
    "Cascade",
    "CascadeCallback",
    "Comparison",
    "EvalGate",
    "EvalReport",
    "ExampleRecord",
    "GateDecision",
    "RiseDetector",
    "evaluate_adapter",
]

__getattr__, __dir__ = lazily(__name__, _HOMES, __all__)
