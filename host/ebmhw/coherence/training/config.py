"""RunConfig: all that a training run is made of, from a YAML file or from Python, every key checked."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any, final

from ebmhw.coherence.training.options import CascadeOptions, CoherenceOptions, GateOptions, LoraOptions, ScheduleOptions
from ebmhw.config import checks
from ebmhw.config.checked import Checked, by, made, part, told
from ebmhw.errors import ConfigError


@final
@dataclass(frozen=True)
class RunConfig(Checked):
    """A training run.

    Attributes
    ----------
    model : as of `ebmhw.coherence.capture.loading.load_causal_lm`: "smollm2", a folder, or a name of the hub
    output : folder of logs, checkpoints and the adapter
    task : as of `ebmhw.coherence.tasks.task_of`
    steps : updates
    seed : of problems, sampling and the adapter's first weights
    batch, generations : prompts of a step, and completions of each
    accumulation : parts into which a step's completions are divided for the update, against lack of memory
    max_prompt_tokens, max_completion_tokens : longer prompts are an error, longer completions end there
    temperature, top_p : of sampling
    learning_rate, weight_decay, max_grad_norm : of AdamW
    beta : weight of the divergence from the model without adapter; 0 leaves it unmeasured
    rewards : {name: weight} of `ebmhw.coherence.training.rewards.REWARDS`; null for those of the task, and of coherence
    schedule, lora, coherence, cascade, gate : options of their own, see `ScheduleOptions`, `LoraOptions`, `CoherenceOptions` (static, phase_adaptive
        or eml), `CascadeOptions` and `GateOptions` of `ebmhw.coherence.training`; cascade: null lets coherence count from the start, gate: null
        leaves it out
    checkpoint_every, keep : steps between checkpoints, and how many are kept
    traces : traces of a step that are kept in traces.jsonl
    threads : of torch on a CPU, or null for its own choice
    device : "auto" (a GPU where there is one), "cpu" or "cuda"
    time_limit : seconds after which the run ends at a step's end, with a checkpoint, or null
    """

    model: str = field(default="smollm2", metadata=by(checks.text("'smollm2', the path of a folder, or a name of the hub")))
    output: str = field(default="run", metadata=by(checks.text("the path of a folder")))
    task: Any = field(default="arithmetic", metadata=by(checks.task))
    steps: int = field(default=60, metadata=by(checks.integer(1, 10_000_000)))
    seed: int = field(default=0, metadata=by(checks.integer(0, 2**32 - 1)))
    batch: int = field(default=4, metadata=by(checks.integer(1, 4096)))
    generations: int = field(default=4, metadata=by(checks.integer(2, 256)))
    accumulation: int = field(default=1, metadata=by(checks.integer(1, 4096)))
    max_prompt_tokens: int = field(default=256, metadata=by(checks.integer(1, 1_000_000)))
    max_completion_tokens: int = field(default=24, metadata=by(checks.integer(1, 1_000_000)))
    temperature: float = field(default=1.0, metadata=by(checks.real(0, 10, above=True)))
    top_p: float = field(default=1.0, metadata=by(checks.real(0, 1, above=True)))
    learning_rate: float = field(default=1e-4, metadata=by(checks.real(0, 1, above=True)))
    weight_decay: float = field(default=0.0, metadata=by(checks.real(0, 1)))
    max_grad_norm: float = field(default=1.0, metadata=by(checks.real(0, 1e6, above=True)))
    beta: float = field(default=0.0, metadata=by(checks.real(0, 10)))
    rewards: dict[str, float] | None = field(default=None, metadata=by(checks.optional(checks.weights)))
    schedule: ScheduleOptions = field(default_factory=ScheduleOptions, metadata=part(ScheduleOptions))
    lora: LoraOptions = field(default_factory=LoraOptions, metadata=part(LoraOptions))
    coherence: CoherenceOptions = field(default_factory=CoherenceOptions, metadata=part(CoherenceOptions))
    cascade: CascadeOptions | None = field(default_factory=CascadeOptions, metadata=part(CascadeOptions, off=True))
    gate: GateOptions | None = field(default_factory=GateOptions, metadata=part(GateOptions, off=True))
    checkpoint_every: int = field(default=10, metadata=by(checks.integer(1, 10_000_000)))
    keep: int = field(default=2, metadata=by(checks.integer(1, 1000)))
    traces: int = field(default=2, metadata=by(checks.integer(0, 1000)))
    threads: int | None = field(default=None, metadata=by(checks.optional(checks.integer(1, 1024))))
    device: str = field(default="auto", metadata=by(checks.one_of("auto", "cpu", "cuda")))
    time_limit: float | None = field(default=None, metadata=by(checks.optional(checks.real(0, 1e9, above=True))))

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.batch * self.generations % self.accumulation:
            raise ConfigError(
                f"accumulation is {self.accumulation}, which does not divide the {self.batch} x {self.generations} = "
                f"{self.batch * self.generations} completions of a step; give a divisor",
                context={"key": "accumulation"},
            )

    @classmethod
    def from_dict(cls, data: Any, source: str | None = None) -> RunConfig:
        """Return the configuration that a mapping describes; ``source`` names it in messages.

        Raises
        ------
        ConfigError : an unknown key, or a value that cannot stand there
        """
        try:
            return made(cls, data, "")
        except ConfigError as error:
            raise ConfigError(f"{source}: {error}", context=error.context) from None if source is not None else error

    @classmethod
    def from_yaml(cls, path: str | os.PathLike[str]) -> RunConfig:
        """Return the configuration of a YAML file.

        Raises
        ------
        ConfigError : the file cannot be read, or as of `from_dict`; the text starts with the path
        """
        from ebmhw.config.yaml_file import read_yaml

        return cls.from_dict(read_yaml(path), os.fspath(path))

    def to_dict(self) -> dict[str, Any]:
        """Return all keys as JSON and YAML can hold them; `from_dict` returns an equal configuration."""
        return told(self)

    def to_yaml(self) -> str:
        """Return the configuration as the text of a YAML file."""
        import yaml

        return str(yaml.safe_dump(self.to_dict(), sort_keys=False, allow_unicode=True))
