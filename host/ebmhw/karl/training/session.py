"""KarlSession: a run's model, examples and callbacks, put together."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, final

import torch

from ebmhw.coherence.capture.loading import load_causal_lm
from ebmhw.coherence.training.control import RunControl
from ebmhw.coherence.training.folder import Checkpoint, RunFolder
from ebmhw.coherence.training.options import ScheduleOptions
from ebmhw.coherence.training.schedule import factor
from ebmhw.coherence.training.trainer import device_of, hushed, save_adapter
from ebmhw.errors import ConfigError
from ebmhw.files import write_whole
from ebmhw.karl.evaluation.forward import mean_nll
from ebmhw.karl.training.config import KarlConfig
from ebmhw.karl.training.examples import Example, digest
from ebmhw.karl.training.fusion import fused, normalised
from ebmhw.karl.training.report import KarlStep
from ebmhw.karl.training.steps import StepLog
from ebmhw.karl.training.tokens import Template, Tokens, shortened
from ebmhw.karl.training.trainer import dataset_of, lora_of, trainer_of
from ebmhw.stopping import Stop

COHERENCE = "coherence.json"
"""File in a run's folder with the coherence of its examples."""


@final
class KarlSession:
    """One process's part of a run; nothing is written before `run`.

    Attributes
    ----------
    loaded, device : what is trained, and where
    rows, weights : the examples as tokens, and what they weigh, without those that are left out
    valid : tokens of the examples whose loss is measured at the end
    left_out : examples that are not trained on
    valid_nll : means without the adapter and with it, None before the end
    """

    def __init__(
        self,
        config: KarlConfig,
        examples: Sequence[Example],
        valid: Sequence[Example],
        folder: RunFolder,
        stop: Stop,
        progress: Callable[[KarlStep], object] | None,
    ) -> None:
        self.config, self._folder, self._progress = config, folder, progress
        self.device = device_of(config)
        if config.threads is not None and self.device == "cpu":
            torch.set_num_threads(config.threads)
        with hushed():
            self.loaded = load_causal_lm(config.model, device=self.device, trainable=True)
        self._lora = lora_of(config, self.loaded.model)
        template = Template(self.loaded.tokenizer, config.model)
        read = [(shortened(template.tokens(one.messages), config.max_tokens), one.weight) for one in examples if one.weight > 0]
        kept = [(row, weight) for row, weight in read if any(row.target)]
        if not kept:
            raise ConfigError(
                f"none of the {len(examples)} examples in {config.data} has a weight above 0 and a token to learn; export more sessions, or with "
                "other weights",
                context={"key": "data"},
            )
        self.rows: list[Tokens] = [row for row, _ in kept]
        self.weights = [weight if config.weights else 1.0 for _, weight in kept]
        self.left_out = len(examples) - len(kept)
        self.valid = [shortened(template.tokens(one.messages), config.max_tokens) for one in valid[: config.valid]]
        self.valid_nll: tuple[float | None, float | None] = (None, None)
        self._digest = digest([[row.ids, row.target, weight] for row, weight in zip(self.rows, self.weights, strict=True)])
        self._control = RunControl(config, folder, stop, self._rate, lambda: {"data": self._digest}, self._told)
        self._log = StepLog(folder.log, self._control.rate, self._control.tell)

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
    def parameters(self) -> int:
        """How many numbers are trained; asking changes the model, as `run` does."""
        import peft

        with hushed():
            return sum(one.numel() for one in peft.get_peft_model(self.loaded.model, self._lora).parameters() if one.requires_grad)

    def check(self, checkpoint: Checkpoint | None) -> None:
        """Raise ConfigError where the examples are not those of the checkpoint's run."""
        if checkpoint is not None and checkpoint.state.get("data") != self._digest:
            raise ConfigError(
                f"the examples in {self.config.data} are not those of the run in {self._folder.path}; give the same ones, or start anew with "
                "--overwrite (overwrite=True)",
                context={"key": "data"},
            )

    def run(self, checkpoint: Checkpoint | None) -> None:
        """Train from a checkpoint, or from the start, save the adapter, and measure what it does to the loss."""
        if checkpoint is not None:
            self._control.step = checkpoint.step
        weights = self._weights()
        with hushed():
            trainer = trainer_of(self.config, self.loaded, self._lora, dataset_of(self.rows, weights), [self._log, self._control])
            if checkpoint is None or checkpoint.step < self.config.steps:
                trainer.train(resume_from_checkpoint=None if checkpoint is None else str(checkpoint.path))
            else:
                trainer._load_from_checkpoint(str(checkpoint.path))
            self._folder.put_adapter(lambda folder: save_adapter(trainer, self.config.model, folder))
        if self.ended == "finished" and self.valid:
            model = trainer.accelerator.unwrap_model(trainer.model)
            with model.disable_adapter():
                before = mean_nll(model, self.valid)
            self.valid_nll = before, mean_nll(model, self.valid)

    def _weights(self) -> Sequence[float]:
        if not self.config.coherence:
            return [float(one) for one in normalised(self.weights)]
        return [float(one) for one in fused(self.weights, self._coherence(), self.config.coherence)]

    def _coherence(self) -> list[float | None]:
        """Return the coherence of the model, as it is before training, in reading each target; measured once, and kept in the run's folder."""
        path = self._folder.path / COHERENCE
        if path.is_file():
            try:
                found = json.loads(path.read_bytes())
            except (ValueError, RecursionError):
                found = None
            if isinstance(found, dict) and found.get("data") == self._digest:
                return list(found["coherence"])
        from ebmhw.coherence.capture.scoring import score_completions

        prompts, targets = [], []
        for row in self.rows:
            # One stretch: what precedes the last answer is its prompt.
            last = len(row.ids) - 1 - row.target[::-1].index(True)
            first = next((place for place in range(last, -1, -1) if not row.target[place]), -1) + 1
            prompts.append(list(row.ids[:first]))
            targets.append(list(row.ids[first : last + 1]))
        values = [trace.carl_reward() for trace in score_completions(self.loaded.model, prompts, targets, batch=1)]
        text = json.dumps({"data": self._digest, "coherence": values}, allow_nan=False)
        write_whole(path, lambda stream: stream.write(text.encode()))
        return values

    def _rate(self, step: int) -> float:
        options = ScheduleOptions(name=self.config.schedule.name, warmup_steps=self.config.schedule.warmup_steps)
        return self.config.learning_rate * factor(options, step, self.config.steps, 0)

    def _told(self, record: Mapping[str, Any], seconds: float, left: float) -> None:
        if self._progress is not None:
            self._progress(KarlStep(record["step"], self.config.steps, record["loss"], record["nll"], seconds, left, dict(record)))
