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


def reported(record: Mapping[str, Any], steps: int, seconds: float, left: float) -> StepReport:
    """Return the report of a step, by its line of log.jsonl."""
    from ebmhw.coherence.training.measures import phase_of

    gated = record.get("cascade/stage")
    return StepReport(
        step=record["step"],
        steps=steps,
        reward=record.get("reward"),
        phi=record.get("coherence/phi_mean"),
        stage=phase_of(dict(record)) if gated is None else ("coherence" if gated else "task"),
        seconds=seconds,
        eta_s=left,
        record=dict(record),
    )


class RunResult(NamedTuple):
    """A run that ended.

    Attributes
    ----------
    output, adapter, log, traces : its folder, and what is in it
    steps : updates done in all, also by processes that it was resumed from
    ended : "finished", "interrupted" or "time limit"; but for the first the run can be resumed, and there is no gate
    seconds : of this process's steps
    fired_at : step at which the cascade let coherence in, or None
    summary : {key of the log: (mean over the first steps, mean over the last)}, ``window`` steps each
    gate : what gate.json holds, None where there is none
    asked_steps : updates that were asked for
    window : steps at each end that the summary compares, `WINDOW` or fewer
    cascade : "closed" where it never opened, "open" where it did (see fired_at); "off" without one, or without a reward of coherence
    notices : what could not happen in this run, a sentence each
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
    asked_steps: int = 0
    window: int = 0
    cascade: str = "off"
    notices: tuple[str, ...] = ()

    @property
    def passed(self) -> bool | None:
        """Whether the adapter passed the gate; None where it was not asked."""
        return None if self.gate is None else bool(self.gate["passed"])

    def to_dict(self) -> dict[str, Any]:
        """Return the result as JSON can hold it."""
        paths = {name: str(getattr(self, name)) for name in ("output", "adapter", "log", "traces")}
        summary = {name: list(ends) for name, ends in self.summary.items()}
        return self._asdict() | paths | {"summary": summary, "notices": list(self.notices)}


def summarised(records: Iterable[Mapping[str, Any]], window: int = WINDOW) -> dict[str, tuple[float | None, float | None]]:
    """Return for each measure its mean over the first and the last ``window`` lines, None where nothing is known there; an odd middle is left out."""
    lines = list(records)
    count = window_of(len(lines), window)
    names = dict.fromkeys(name for line in lines for name, value in line.items() if _is_measure(name, value))
    return {name: (_mean(lines[:count], name), _mean(lines[-count:], name)) for name in names}


def window_of(lines: int, window: int = WINDOW) -> int:
    """Return how many of that many lines a summary compares at each end: ``window``, or half of them, 1 at least."""
    return max(1, min(window, lines // 2))


def _is_measure(name: str, value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and name not in ("step", "time", "cascade/fired_at")


def _mean(lines: list[Mapping[str, Any]], name: str) -> float | None:
    known = [line[name] for line in lines if _is_measure(name, line.get(name))]
    return sum(known) / len(known) if known else None
