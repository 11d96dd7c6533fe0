"""StepLog: the log of a karl training run, a line a step."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, final

from transformers import TrainerCallback

from ebmhw.coherence.training.log import Log

_FIRST = ("loss", "learning_rate", "grad_norm", "nll")
_OTHER = ("target_tokens", "weight")


@final
class StepLog(TrainerCallback):  # type: ignore[misc]
    """Writes each step to a file that `ebmhw observe` reads.

    Parameters
    ----------
    log : gets a line a step
    rate : returns the learning rate of the step, which the trainer's scheduler does not know
    on_step : called with each line after it was written
    """

    def __init__(self, log: Log, rate: Callable[[], float | None], on_step: Callable[[dict[str, Any]], object]) -> None:
        self._log, self._rate, self._on_step = log, rate, on_step
        self._begun = 0.0

    def on_step_begin(self, args: Any, state: Any, control: Any, **known: Any) -> None:
        self._begun = time.monotonic()

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **known: Any) -> None:
        """Write the line of a step; what is logged at the end of a run is none."""
        if logs is None or "loss" not in logs:
            return
        record: dict[str, Any] = {"step": state.global_step, "time": time.time()}
        record |= {name: logs.get(name) for name in _FIRST} | {"learning_rate": self._rate(), "step_time": time.monotonic() - self._begun}
        record |= {name: logs.get(name) for name in _OTHER}
        self._log.append(record)
        self._on_step(record)
