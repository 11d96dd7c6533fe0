"""training: supervised fine-tuning of a LoRA adapter on sessions, from one YAML file or from Python."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ebmhw.lazy import lazily

if TYPE_CHECKING:
    from ebmhw.karl.training.config import KarlConfig
    from ebmhw.karl.training.examples import Example, read_examples
    from ebmhw.karl.training.options import AdapterOptions, RateOptions
    from ebmhw.karl.training.report import KarlPlan, KarlResult, KarlStep
    from ebmhw.karl.training.run import plan, train

_HOMES = {
    "AdapterOptions": "options",
    "Example": "examples",
    "KarlConfig": "config",
    "KarlPlan": "report",
    "KarlResult": "report",
    "KarlStep": "report",
    "RateOptions": "options",
    "plan": "run",
    "read_examples": "examples",
    "train": "run",
}

__all__ = [
    "AdapterOptions",
    "Example",
    "KarlConfig",
    "KarlPlan",
    "KarlResult",
    "KarlStep",
    "RateOptions",
    "plan",
    "read_examples",
    "train",
]

__getattr__, __dir__ = lazily(__name__, _HOMES, __all__)
