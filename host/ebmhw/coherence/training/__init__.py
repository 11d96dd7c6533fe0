"""training: reinforcement learning (GRPO) of a LoRA adapter with rewards of coherence, from one YAML file or from Python."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ebmhw.lazy import lazily

if TYPE_CHECKING:
    from ebmhw.coherence.training.config import RunConfig
    from ebmhw.coherence.training.options import CascadeOptions, CoherenceOptions, GateOptions, LoraOptions, ScheduleOptions
    from ebmhw.coherence.training.report import RunResult, StepReport
    from ebmhw.coherence.training.run import RunNotice, train

_HOMES = {
    "CascadeOptions": "options",
    "CoherenceOptions": "options",
    "GateOptions": "options",
    "LoraOptions": "options",
    "RunConfig": "config",
    "RunNotice": "run",
    "RunResult": "report",
    "ScheduleOptions": "options",
    "StepReport": "report",
    "train": "run",
}

__all__ = [
    "CascadeOptions",
    "CoherenceOptions",
    "GateOptions",
    "LoraOptions",
    "RunConfig",
    "RunNotice",
    "RunResult",
    "ScheduleOptions",
    "StepReport",
    "train",
]

__getattr__, __dir__ = lazily(__name__, _HOMES, __all__)
