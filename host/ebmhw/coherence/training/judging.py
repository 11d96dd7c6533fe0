"""The gate at the end of a run, on the adapter as it was saved."""

from __future__ import annotations

from typing import Any

from ebmhw.coherence.gates.evaluation import compare, evaluate_adapter
from ebmhw.coherence.gates.report import EvalGate
from ebmhw.coherence.tasks import Task
from ebmhw.coherence.training.config import RunConfig
from ebmhw.coherence.training.folder import RunFolder
from ebmhw.coherence.training.trainer import device_of, hushed
from ebmhw.errors import ConfigError


def judged(config: RunConfig, task: Task, folder: RunFolder) -> dict[str, Any]:
    """Return the gate's decision on the adapter in a folder with the report that it rests on, and write them to gate.json.

    "comparison" is there where the model answered without the adapter too.
    """
    if config.gate is None:
        raise ConfigError("the configuration has no gate; give GateOptions")
    options: dict[str, Any] = {"examples": config.gate.examples, "seed": config.seed, "max_tokens": config.max_completion_tokens}
    device = None if device_of(config) == "cpu" else "cuda"
    comparison = None
    with hushed():
        if config.gate.base:
            report, comparison = compare(folder.adapter, task, base=config.model, device=device, **options)
        else:
            report = evaluate_adapter(folder.adapter, task, base=config.model, device=device, **options)
    decision = EvalGate(config.gate.metric_threshold, config.gate.phi_floor, config.gate.discontinuity).check(report)
    told = {**decision.to_dict(), "report": report.to_dict(), "comparison": None if comparison is None else comparison.to_dict()}
    folder.put_gate(told)
    return told
