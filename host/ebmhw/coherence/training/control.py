"""RunControl: what a run does besides learning: the learning rate, the stop, checkpoints that are whole, and numbers that are numbers."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol, final

from transformers import TrainerCallback

from ebmhw.coherence.training.folder import RunFolder
from ebmhw.errors import TrainingError, shown
from ebmhw.stopping import Stop

Told = Callable[[Mapping[str, Any], float, float], object]
"""Called with a step's line, the seconds that it took, and those until the last step, at the mean pace of this process."""


class Paced(Protocol):
    """The keys of a configuration that steer a run."""

    @property
    def steps(self) -> int:
        """Updates."""

    @property
    def checkpoint_every(self) -> int:
        """Steps between checkpoints."""

    @property
    def keep(self) -> int:
        """Checkpoints that are kept."""


@final
class RunControl(TrainerCallback):  # type: ignore[misc]
    """Steers one call of trainer.train().

    Parameters
    ----------
    rates : returns the learning rate of an update, counted from 0
    state : returns what a checkpoint has to hold of our own parts
    told : called after each step, or None

    Attributes
    ----------
    step : the update that is being done, or was done last
    ended : "finished", or why the run was stopped
    seconds : of all steps so far
    """

    def __init__(
        self,
        config: Paced,
        folder: RunFolder,
        stop: Stop,
        rates: Callable[[int], float],
        state: Callable[[], dict[str, Any]],
        told: Told | None,
    ) -> None:
        self._config, self._folder, self._stop, self._rates = config, folder, stop, rates
        self._state, self._told = state, told
        self._begun, self._done = 0.0, 0
        self._rate: float | None = None
        self.step, self.ended, self.seconds = 0, "finished", 0.0

    def rate(self) -> float | None:
        """Return the learning rate of the latest update, None before the first."""
        return self._rate

    def on_step_begin(self, args: Any, state: Any, control: Any, **known: Any) -> None:
        self.step, self._begun = state.global_step + 1, time.monotonic()

    def on_pre_optimizer_step(self, args: Any, state: Any, control: Any, optimizer: Any = None, **known: Any) -> None:
        """Set the learning rate; the trainer's own scheduler is constant, and sets it back after the update."""
        self._rate = self._rates(state.global_step)
        for group in optimizer.param_groups:
            group["lr"] = self._rate

    def on_step_end(self, args: Any, state: Any, control: Any, **known: Any) -> Any:
        self._done += 1
        spent = time.monotonic() - self._begun
        self.seconds += spent
        reason = self._stop.reason(spent)
        last = state.global_step >= self._config.steps
        if reason is not None and not last:
            self.ended, control.should_training_stop = reason, True
        if reason is not None or last or state.global_step % self._config.checkpoint_every == 0:
            control.should_save = True
        return control

    def on_save(self, args: Any, state: Any, control: Any, **known: Any) -> None:
        self._folder.seal(state.global_step, self._state(), self._config.keep)

    def tell(self, record: Mapping[str, Any]) -> None:
        """Report a step whose line was written; a loss that is no number ends the run, for the weights are none either.

        Raises
        ------
        TrainingError : loss, the gradient's norm or the reward is NaN or infinite (of an infinite reward TRL makes advantages of 0)
        """
        for name in ("loss", "grad_norm", "reward"):
            value = record.get(name)
            if isinstance(value, float) and not math.isfinite(value):
                remedy = "give rewards that are finite" if name == "reward" else "use a lower learning_rate"
                raise TrainingError(f"{name} is {shown(value)}; {remedy}")
        if self._told is not None:
            left = (self._config.steps - record["step"]) * self.seconds / max(self._done, 1)
            self._told(record, time.monotonic() - self._begun, left)
