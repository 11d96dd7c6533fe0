"""Session: a run's model, data, rewards and callbacks, put together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, final

import torch

from ebmhw.coherence.capture.loading import load_causal_lm
from ebmhw.coherence.capture.recorder import PhiCapture
from ebmhw.coherence.known import mean_of
from ebmhw.coherence.rewards import ForwardTraces
from ebmhw.coherence.tasks import Task, task_of
from ebmhw.coherence.tasks.task import Reward
from ebmhw.coherence.training.callbacks import CoherenceCallback
from ebmhw.coherence.training.config import RunConfig
from ebmhw.coherence.training.control import RunControl
from ebmhw.coherence.training.folder import Checkpoint, RunFolder
from ebmhw.coherence.training.measures import kuramoto
from ebmhw.coherence.training.report import StepReport, reported
from ebmhw.coherence.training.rewards import CARL, rewards_of
from ebmhw.coherence.training.schedule import factor, horizon_steps
from ebmhw.coherence.training.tap import Tap
from ebmhw.coherence.training.trainer import check_lengths, dataset_of, device_of, hushed, lora_of, save_adapter, trainer_of
from ebmhw.errors import ConfigError
from ebmhw.stopping import Stop


@final
class Session:
    """One process's part of a run; nothing is written before `run`.

    Attributes
    ----------
    loaded, task, examples, rewards : what is trained, on what, for what
    device : "cpu" or "cuda"
    longest_prompt : tokens
    horizon : of the schedule "resonance", steps
    """

    def __init__(
        self,
        config: RunConfig,
        task: Task | None,
        rewards: Sequence[tuple[Reward, float]],
        folder: RunFolder,
        stop: Stop,
        progress: Callable[[StepReport], object] | None,
    ) -> None:
        self.config, self._folder = config, folder
        self.device = device_of(config)
        if config.threads is not None and self.device == "cpu":
            torch.set_num_threads(config.threads)
        self.task = task if task is not None else task_of(config.task)
        self.examples = self.task.examples("train", config.steps * config.batch, config.seed)
        if config.gate is not None:
            self.task.examples("eval", config.gate.examples, config.seed)
        with hushed():
            self._data = dataset_of(self.examples)
            self.loaded = load_causal_lm(config.model, device=self.device, trainable=True)
        self._lora = lora_of(config, self.loaded.model)
        self.longest_prompt = check_lengths(config, self.loaded.tokenizer, self.examples)
        self.horizon = horizon_steps(
            config.schedule, int(self.loaded.model.config.hidden_size), config.batch * config.generations * config.max_completion_tokens
        )
        self._capture = PhiCapture(top_k=config.coherence.top_k) if config.coherence.source == "capture" else None
        self._tap = Tap(self._capture if self._capture is not None else ForwardTraces(self.loaded.model, self.loaded.tokenizer))
        self._cascade = _cascade(config)
        self.rewards = [*rewards_of(self.task, config.rewards, config.coherence, self._tap), *rewards]
        self._progress = progress
        self._control = RunControl(config, folder, stop, self._rate, self._state, self._told)
        self._log = CoherenceCallback(
            self._tap,
            folder.log,
            folder.traces,
            group=config.generations,
            keep=config.traces,
            seed=config.seed,
            rate=self._control.rate,
            on_step=self._control.tell,
        )

    @property
    def reward_names(self) -> tuple[str, ...]:
        """What the rewards are called in the log."""
        return tuple(_name(reward) for reward, _ in self.rewards)

    @property
    def step(self) -> int:
        """The update that is being done, or was done last."""
        return self._control.step

    @property
    def ended(self) -> str:
        """How the run ended: "finished", or why it was stopped."""
        return self._control.ended

    @property
    def seconds(self) -> float:
        """Of all steps of this process."""
        return self._control.seconds

    @property
    def fired_at(self) -> int | None:
        """Step at which the cascade let coherence in, None where it has not."""
        return None if self._cascade is None else self._cascade.fired_at

    def run(self, checkpoint: Checkpoint | None) -> None:
        """Train from a checkpoint, or from the start, and save the adapter."""
        if checkpoint is not None:
            self._restore(checkpoint)
        with hushed():
            trainer = trainer_of(self.config, self.loaded, self._lora, self._data, self._gated(), self._callbacks())
            if self._capture is not None:
                self._capture.attach(trainer.model)
            try:
                if checkpoint is None or checkpoint.step < self.config.steps:
                    trainer.train(resume_from_checkpoint=None if checkpoint is None else str(checkpoint.path))
                else:
                    trainer._load_from_checkpoint(str(checkpoint.path))
            finally:
                if self._capture is not None:
                    self._capture.detach()
            self._folder.put_adapter(lambda folder: save_adapter(trainer, self.config.model, folder))

    def _rate(self, step: int) -> float:
        order = mean_of([kuramoto(trace) for trace in self._tap.traces if trace is not None])
        return self.config.learning_rate * factor(self.config.schedule, step, self.config.steps, self.horizon, order)

    def _told(self, record: Mapping[str, Any], seconds: float, left: float) -> None:
        if self._progress is not None:
            self._progress(reported(record, self.config.steps, seconds, left))

    def _gated(self) -> list[tuple[Reward, float]]:
        """Return the rewards as the trainer gets them: the first notes completions, that of coherence waits for the cascade."""
        found = [
            (self._cascade.wrap(reward) if self._cascade is not None and _name(reward) == CARL else self._tap.giving(reward), weight)
            for reward, weight in self.rewards
        ]
        return [(self._tap.first(found[0][0]), found[0][1]), *found[1:]]

    def _callbacks(self) -> list[Any]:
        if self._cascade is None:
            return [self._log, self._control]
        from ebmhw.coherence.gates.cascade_callback import CascadeCallback

        first = _name(self.rewards[0][0])
        signal = self._tap if self._cascade.signal == "crystallization" else "reward" if first == CARL else f"rewards/{first}/mean"
        return [CascadeCallback(self._cascade, signal), self._log, self._control]

    def _stateful(self) -> dict[str, Any]:
        """Return the parts whose state a checkpoint has to hold."""
        found = {"log": self._log, "cascade": self._cascade}
        found |= {_name(reward): reward for reward, _ in self.rewards if hasattr(reward, "state") and hasattr(reward, "restore")}
        return {name: part for name, part in found.items() if part is not None}

    def _state(self) -> dict[str, Any]:
        return {name: part.state() for name, part in self._stateful().items()}

    def _restore(self, checkpoint: Checkpoint) -> None:
        self._control.step = checkpoint.step
        for name, part in self._stateful().items():
            if name not in checkpoint.state:
                raise ConfigError(f"the checkpoint {checkpoint.path} holds no state of {name}; it is another version's: start anew with --overwrite")
            part.restore(checkpoint.state[name])


def _cascade(config: RunConfig) -> Any:
    if config.cascade is None:
        return None
    from ebmhw.coherence.gates.cascade import Cascade

    return Cascade(**vars(config.cascade))


def _name(reward: Reward) -> str:
    return str(getattr(reward, "__name__", type(reward).__name__))
