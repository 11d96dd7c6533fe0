"""What a training run tells: a report each step, and the result."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

WINDOW = 10
"""Steps at the begin and at the end that a summary compares."""


class StepReport(NamedTuple):
    """A step that is done.

    Attributes
    ----------
    step, steps : which, of how many
    reward, phi : means over the step's completions, None where unknown
    stage : of the cascade, "task" or "coherence"; without one the phase of the completions
    seconds : of the step
    eta_s : until the last step, at the mean pace of those done by this process
    record : the line of log.jsonl
    """

    step: int
    steps: int
    reward: float | None
    phi: float | None
    stage: str | None
    seconds: float
    eta_s: float
    record: dict[str, Any]


class RunResult(NamedTuple):
    """A run that ended.

    Attributes
    ----------
    output, adapter, log, traces : its folder, and what is in it
    steps : updates done in all, also by processes that it was resumed from
    ended : "finished", "interrupted" or "time limit"; but for the first the run can be resumed, and there is no gate
    seconds : of this process's steps
    fired_at : step at which the cascade let coherence in, or None
    summary : {key of the log: (mean over the first steps, mean over the last)}, `WINDOW` steps or fewer
    gate : what gate.json holds, None where there is none
    """

    output: Path
    adapter: Path
    log: Path
    traces: Path
    steps: int
    ended: str
    seconds: float
    fired_at: int | None
    summary: dict[str, tuple[float | None, float | None]]
    gate: dict[str, Any] | None

    @property
    def passed(self) -> bool | None:
        """Whether the adapter passed the gate; None where it was not asked."""
        return None if self.gate is None else bool(self.gate["passed"])

    def to_dict(self) -> dict[str, Any]:
        """Return the result as JSON can hold it."""
        paths = {name: str(getattr(self, name)) for name in ("output", "adapter", "log", "traces")}
        return self._asdict() | paths | {"summary": {name: list(ends) for name, ends in self.summary.items()}}


def summarised(records: Iterable[Mapping[str, Any]], window: int = WINDOW) -> dict[str, tuple[float | None, float | None]]:
    """Return for each measure its mean over the first and the last ``window`` lines, None where nothing is known there; an odd middle is left out."""
    lines = list(records)
    count = max(1, min(window, len(lines) // 2))
    names = dict.fromkeys(name for line in lines for name, value in line.items() if _is_measure(name, value))
    return {name: (_mean(lines[:count], name), _mean(lines[-count:], name)) for name in names}


def _is_measure(name: str, value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and name not in ("step", "time", "cascade/fired_at")


def _mean(lines: list[Mapping[str, Any]], name: str) -> float | None:
    known = [line[name] for line in lines if _is_measure(name, line.get(name))]
    return sum(known) / len(known) if known else None
