"""CoherenceCallback: the log of a training run with TRL, a line a step, with the measures of coherence; for any trainer of transformers."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, final

from transformers import TrainerCallback

from ebmhw.coherence.dynamics.contraction import ContractionProbe
from ebmhw.coherence.selection import select_traces
from ebmhw.coherence.training.log import Log
from ebmhw.coherence.training.measures import measures
from ebmhw.coherence.training.tap import Tap

WINDOW = 50
"""Steps over which the contraction of (phi, cloud quality) is fitted."""

_FIRST = ("step", "time", "loss", "learning_rate", "grad_norm", "kl", "reward", "reward_std")
"""Keys that every line has, null where TRL does not say."""


@final
class CoherenceCallback(TrainerCallback):  # type: ignore[misc]
    """Adds the measures of coherence to what a trainer logs, and writes each step to files.

    Parameters
    ----------
    tap : has the traces of the step
    log : gets a line a step
    traces : gets some traces a step, or None
    group : completions of one prompt
    keep : traces that are kept of a step
    seed : of which these are, besides the best, the worst and the median
    rate : returns the learning rate of the step where the trainer's scheduler does not know it, or None
    on_step : called with each line after it was written
    """

    def __init__(
        self,
        tap: Tap,
        log: Log,
        traces: Log | None = None,
        *,
        group: int | None = None,
        keep: int = 2,
        seed: int = 0,
        rate: Callable[[], float | None] | None = None,
        on_step: Callable[[dict[str, Any]], object] | None = None,
    ) -> None:
        self._tap, self._log, self._traces, self._keep, self._seed = tap, log, traces, keep, seed
        self._rate, self._on_step, self._group = rate, on_step, group
        self._points: deque[tuple[float | None, float | None]] = deque(maxlen=WINDOW)

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **known: Any) -> None:
        """Write the line of a step; what is logged at the end of a run, or by an evaluation, is none."""
        if logs is None or "reward" not in logs:
            return
        logs |= measures(self._tap.traces, self._tap.completion_ids, self._group)
        self._points.append((logs["coherence/phi_mean"], logs["coherence/cloud_quality"]))
        logs["coherence/contraction_q"] = self._contraction()
        if self._rate is not None:
            logs["learning_rate"] = self._rate()
        record = line(state.global_step, time.time(), logs)
        self._log.append(record)
        self._keep_traces(state.global_step)
        if self._on_step is not None:
            self._on_step(record)

    def state(self) -> dict[str, Any]:
        """Return what the next lines depend on, as JSON can hold it."""
        return {"points": [list(point) for point in self._points]}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a `state`."""
        self._points = deque(((phi, cloud) for phi, cloud in state["points"]), maxlen=WINDOW)

    def _contraction(self) -> float | None:
        """Return the factor by which a run's steps in (phi, cloud quality) become shorter, as fitted; None where too little is known."""
        probe = ContractionProbe(WINDOW)
        for phi, cloud in self._points:
            probe.record(phi, cloud)
        found = probe.report()
        return None if found is None else found.q_fit

    def _keep_traces(self, step: int) -> None:
        if self._traces is None or not self._keep:
            return
        places = {id(trace): i for i, trace in enumerate(self._tap.traces) if trace is not None}
        for trace in select_traces([trace for trace in self._tap.traces if trace is not None], self._keep, [self._seed, step]):
            place = places[id(trace)]
            told = trace.to_dict() | {"step": step, "sample_idx": place, "prompt": self._tap.prompts[place], "text": self._tap.texts[place]}
            self._traces.append(told)


def line(step: int, at: float, logs: Mapping[str, Any]) -> dict[str, Any]:
    """Return what log.jsonl holds of a step: the keys that every line has, then all others that the trainer logged but the epoch."""
    first = {"step": step, "time": at} | {name: logs.get(name) for name in _FIRST[2:]}
    return first | {name: value for name, value in logs.items() if name not in first and name != "epoch"}
