"""Beside: what `ebmhw train` leaves beside its log: the decision of the evaluation gate, and how many steps were planned."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TypeAlias, final

from ebmhw.coherence.observe.lines import LINE_LIMIT
from ebmhw.coherence.observe.records import Unreadable, record_of
from ebmhw.coherence.observe.run import Run
from ebmhw.coherence.observe.values import step_of
from ebmhw.errors import ConfigError

LOG = "log.jsonl"
"""The log of `ebmhw train`."""

GATE = "gate.json"
"""What the evaluation gate decided, in the folder of a run of `ebmhw train`."""

CONFIG = "config.yaml"
"""The configuration of a run of `ebmhw train`, in its folder."""

REASONS = 8
"""Reasons of the gate that are kept."""

_REASON_LIMIT = 300


_Seen: TypeAlias = "tuple[int, int] | None"


@final
class Beside:
    """Takes into a run the decision of the gate, if not older than the log, and how many steps were planned; beside a log of `ebmhw train` only."""

    def __init__(self, log: Path, run: Run) -> None:
        self._log, self._run = log, run
        self._config: _Seen = None
        self._gate: tuple[_Seen, int | None] = None, None

    def take(self) -> bool:
        """Take what is new, and tell whether there was a decision."""
        if self._log.name != LOG or self._run.last_step is None:
            return False
        config = self._log.parent / CONFIG
        seen = _seen(config)
        if seen is not None and seen != self._config:
            _take_config(config, self._run)
        self._config = seen
        gate = _seen(self._log.parent / GATE), self._run.last_step
        if gate[0] is None or gate == self._gate:
            return False
        self._gate = gate
        return _take_gate(self._log, self._run, self._run.last_step)


def _seen(file: Path) -> _Seen:
    """Return time of change and size of a file, None where there is none."""
    try:
        stat = os.stat(file)
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_size


def _take_gate(log: Path, run: Run, step: int) -> bool:
    file = log.parent / GATE
    try:
        stat = os.stat(file)
        if stat.st_size > LINE_LIMIT or stat.st_mtime_ns < os.stat(log).st_mtime_ns:
            return False
        decision = record_of(file.read_bytes().replace(b"\n", b" ")) or {}
    except FileNotFoundError:
        return False
    except (OSError, Unreadable) as error:
        run.problems.add("broken", str(file), str(error))
        return False
    passed, reasons = decision.get("passed"), decision.get("reasons")
    if not isinstance(passed, bool):
        return False
    run.gate_reasons = tuple(str(reason)[:_REASON_LIMIT] for reason in reasons[:REASONS]) if isinstance(reasons, list) else ()
    return run.add({"step": step, "gate/passed": passed}, str(file))


def _take_config(file: Path, run: Run) -> None:
    from ebmhw.config.yaml_file import read_yaml

    try:
        config = read_yaml(file)
    except ConfigError as error:
        run.problems.add("broken", str(file), str(error).removeprefix(f"{file}:").strip())
        return
    run.planned_steps = step_of(config.get("steps")) if isinstance(config, dict) else None
