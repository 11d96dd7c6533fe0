"""A tiny random model for karl's tests, examples for it, and a configuration of a run with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from training_models import make_model

__all__ = ["conversation", "examples_of", "make_model", "run_of"]


def conversation(asked: str, answered: str, weight: float = 1.0) -> dict[str, Any]:
    """Return an example of one question and one answer."""
    return {"messages": [{"role": "user", "content": asked}, {"role": "assistant", "content": answered}], "weight": weight}


def examples_of(count: int = 7) -> list[dict[str, Any]]:
    """Return examples of different lengths and weights."""
    return [conversation(f"task {place} " + "x" * place, f"1. [ok] Read\n2. [ok] Tool{place}", 0.5 + place % 3) for place in range(count)]


def run_of(model: Path, output: Path, **changed: Any) -> dict[str, Any]:
    """Return the configuration of a run of 6 steps."""
    return {
        "model": str(model),
        "output": str(output),
        "steps": 6,
        "seed": 3,
        "batch": 2,
        "max_tokens": 96,
        "learning_rate": 0.01,
        "lora": {"rank": 2, "dropout": 0.1, "layers": 1},
        "schedule": {"name": "cosine", "warmup_steps": 1},
        "checkpoint_every": 2,
        "threads": 1,
        "device": "cpu",
        **changed,
    }
