"""CascadeCallback: a trainer of transformers tells a cascade its signal and its steps, logs its weight and keeps its state in checkpoints."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, final
from weakref import WeakValueDictionary

from transformers import TrainerCallback
from transformers.trainer_callback import ExportableState

from ebmhw.coherence.gates.cascade import Cascade
from ebmhw.coherence.gates.signals import crystallization_rate
from ebmhw.coherence.trace import CoherenceTrace
from ebmhw.errors import ConfigError, shown

_logger = logging.getLogger(__name__)

# The latest callback of each name.
_living: WeakValueDictionary[str, CascadeCallback] = WeakValueDictionary()


@final
class CascadeCallback(TrainerCallback, ExportableState):  # type: ignore[misc]
    """Feeds a cascade once a step, and logs cascade/stage (0 or 1), cascade/weight (of that step's rewards) and cascade/fired_at.

    With signal "reward" the value is the trainer's own log entry; where the trainer logs every k steps, that is their mean, and one observation.
    With signal "crystallization" it is made of the traces of all batches that were scored in the step, whatever the trainer logs; a step
    without new traces (completions used again) is no observation. Give it to the trainer before callbacks that write logs: transformers' own
    reporters (W&B, TensorBoard) come first in its list and do not see the entries, ``state.log_history`` has them.

    Checkpoints hold the cascade's state in trainer_state.json, from which ``train(resume_from_checkpoint=...)`` restores it; with several
    callbacks of this kind give each a name.

    Parameters
    ----------
    cascade : None is for transformers itself, which with restore_callback_states_from_checkpoint makes callbacks anew: the one that the living
        callback of that name has
    source : the log key of signal "reward", such as "rewards/task_reward/mean" ("reward", the default, is all rewards together, that of coherence
        among them once it counts); or of signal "crystallization" the reward function that has ``last_traces``
    name : of this callback, in checkpoints
    """

    def __init__(self, cascade: Cascade | None = None, source: Any = None, *, name: str = "cascade") -> None:
        if cascade is None:
            like = _living.get(name)
            if like is None:
                raise ConfigError(f"CascadeCallback {shown(name)} has no cascade; give CascadeCallback(cascade, source)")
            cascade, source = like.cascade, like.source
        source = "reward" if source is None and cascade.signal == "reward" else source
        if cascade.signal == "reward" and not isinstance(source, str):
            raise ConfigError(
                f"source of the cascade's signal 'reward' is {shown(source)}; give a key of the trainer's log, such as 'rewards/NAME/mean'"
            )
        if cascade.signal == "crystallization" and not hasattr(source, "last_traces"):
            raise ConfigError(f"source of the cascade's signal 'crystallization' is {shown(source)}; give the reward function, one with last_traces")
        self.cascade: Cascade = cascade
        self.source: Any = source
        self._name, self._weight = name, 0.0
        self._seen: list[Any] = list(source.last_traces) if cascade.signal == "crystallization" else []
        self._traces: list[CoherenceTrace | None] = []
        _living[name] = self

    # --- steps

    def on_train_begin(self, args: Any, state: Any, control: Any, **known: Any) -> None:
        """Restore the cascade where the run was resumed."""
        if not state.global_step:
            return
        saved = state.stateful_callbacks.get(type(self).__name__, [])
        mine = [one for one in (saved if isinstance(saved, list) else [saved]) if one.get("args", {}).get("name") == self._name]
        if mine:
            self.saved = mine[-1]["attributes"]["saved"]
        elif self.cascade.step < state.global_step:
            _logger.warning("the checkpoint of step %d holds no cascade %r; it begins anew", state.global_step, self._name)
            self.cascade.advance(state.global_step)

    def on_step_begin(self, args: Any, state: Any, control: Any, **known: Any) -> None:
        self.cascade.advance(state.global_step)
        self._weight = self.cascade.weight(state.global_step)

    def on_substep_end(self, args: Any, state: Any, control: Any, **known: Any) -> None:
        self._gather()

    def on_step_end(self, args: Any, state: Any, control: Any, **known: Any) -> None:
        if self.cascade.signal == "crystallization":
            self._gather()
            if self._traces:
                self.cascade.observe(state.global_step, crystallization_rate(self._traces))
            self._traces = []
        self.cascade.advance(state.global_step)

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **known: Any) -> None:
        """Take the signal from a training step's log, and add the cascade's entries to it."""
        if logs is None or "loss" not in logs:
            return
        if self.cascade.signal == "reward":
            if self.source not in logs:
                there = ", ".join(sorted(key for key in logs if "reward" in key)) or "none of rewards"
                raise ConfigError(f"the trainer's log has no {self.source!r}, the cascade's signal; its keys are {there}")
            self.cascade.observe(state.global_step, logs[self.source])
        weight = self._weight
        told = {"cascade/stage": int(weight > 0), "cascade/weight": weight, "cascade/fired_at": self.cascade.fired_at}
        logs.update(told)
        if state.log_history and state.log_history[-1].get("step") == state.global_step:
            state.log_history[-1].update(told)

    def _gather(self) -> None:
        """Take traces that were not there before; those seen are kept, so that no new one has the identity of one that is gone."""
        if self.cascade.signal != "crystallization":
            return
        latest = list(self.source.last_traces)
        if len(latest) != len(self._seen) or any(a is not b for a, b in zip(latest, self._seen, strict=True)):
            self._traces += latest
            self._seen = latest

    # --- checkpoints

    def state(self) -> dict[str, Any]:
        """Return what transformers writes into trainer_state.json."""
        return {"args": {"name": self._name}, "attributes": {"saved": self.saved}}

    @property
    def saved(self) -> dict[str, Any]:
        """The cascade's state; assigning one restores it."""
        return self.cascade.state()

    @saved.setter
    def saved(self, state: Mapping[str, Any]) -> None:
        self.cascade.restore(state)
