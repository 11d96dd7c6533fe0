"""KarlConfig: all that a training run on sessions is made of, from a YAML file or from Python, every key checked."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, final

from ebmhw.config import checks
from ebmhw.config.checked import Checked, by, made, part, told
from ebmhw.errors import ConfigError, shown
from ebmhw.karl.training.options import AdapterOptions, RateOptions

FREE = ("output", "steps", "checkpoint_every", "keep", "threads", "time_limit", "valid")
"""Keys that may change when a run is resumed; the others made its numbers what they are."""


@final
@dataclass(frozen=True)
class KarlConfig(Checked):
    """A training run on sessions.

    Attributes
    ----------
    model : as of `ebmhw.coherence.capture.loading.load_causal_lm`: "smollm2", a folder, or a name of the hub
    output : folder of the log, checkpoints and the adapter
    data : folder of an export (`ebmhw karl export`): train.jsonl and perhaps valid.jsonl, as messages, completions or oversampled
    steps : updates
    seed : of the order of examples, dropout and the adapter's first weights
    batch : examples of a step
    max_tokens : of an example; of longer ones the prompt loses its start
    learning_rate, weight_decay, max_grad_norm : of AdamW. Of SmolLM2, 60 steps on 20 sessions of tau-bench left a held-out NLL of 0.48 nats a token
        with 1e-3, 0.68 with 3e-4 and 1.62 with 1e-4; without training it was 2.22. Larger models want less
    weights : whether the examples' weights count; false weighs all alike, those of weight 0 left out in either case
    coherence : share of an example's weight that the base model's coherence in reading its target has, 0 up to .99; see
        `ebmhw.karl.training.fusion.fused`
    schedule, lora : options of their own, see `RateOptions` and `AdapterOptions`
    checkpoint_every, keep : steps between checkpoints, and how many are kept
    valid : examples of valid.jsonl whose loss is measured at the end, with the adapter and without
    threads : of torch on a CPU, or null for its own choice
    device : "auto" (a GPU where there is one), "cpu" or "cuda"
    time_limit : seconds after which the run ends at a step's end, with a checkpoint, or null
    """

    model: str = field(default="smollm2", metadata=by(checks.text("'smollm2', the path of a folder, or a name of the hub")))
    output: str = field(default="run", metadata=by(checks.text("the path of a folder")))
    data: str = field(default="export", metadata=by(checks.text("the path of a folder with train.jsonl")))
    steps: int = field(default=200, metadata=by(checks.integer(1, 10_000_000)))
    seed: int = field(default=0, metadata=by(checks.integer(0, 2**32 - 1)))
    batch: int = field(default=1, metadata=by(checks.integer(1, 4096)))
    max_tokens: int = field(default=256, metadata=by(checks.integer(16, 1_000_000)))
    learning_rate: float = field(default=1e-3, metadata=by(checks.real(0, 1, above=True)))
    weight_decay: float = field(default=0.0, metadata=by(checks.real(0, 1)))
    max_grad_norm: float = field(default=1.0, metadata=by(checks.real(0, 1e6, above=True)))
    weights: bool = field(default=True, metadata=by(checks.flag))
    coherence: float = field(default=0.0, metadata=by(checks.real(0, 0.99)))
    schedule: RateOptions = field(default_factory=RateOptions, metadata=part(RateOptions))
    lora: AdapterOptions = field(default_factory=AdapterOptions, metadata=part(AdapterOptions))
    checkpoint_every: int = field(default=20, metadata=by(checks.integer(1, 10_000_000)))
    keep: int = field(default=2, metadata=by(checks.integer(1, 1000)))
    valid: int = field(default=16, metadata=by(checks.integer(0, 100_000)))
    threads: int | None = field(default=None, metadata=by(checks.optional(checks.integer(1, 1024))))
    device: str = field(default="auto", metadata=by(checks.one_of("auto", "cpu", "cuda")))
    time_limit: float | None = field(default=None, metadata=by(checks.optional(checks.real(0, 1e9, above=True))))

    @classmethod
    def from_dict(cls, data: Any, source: str | None = None) -> KarlConfig:
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
    def from_yaml(cls, path: str | os.PathLike[str]) -> KarlConfig:
        """Return the configuration of a YAML file.

        Raises
        ------
        ConfigError : the file cannot be read, or as of `from_dict`; the text starts with the path
        """
        from ebmhw.config.yaml_file import read_yaml

        return cls.from_dict(read_yaml(path), os.fspath(path))

    @classmethod
    def of(cls, config: KarlConfig | str | os.PathLike[str] | Mapping[str, Any]) -> KarlConfig:
        """Return a configuration, the YAML file of one, or a mapping, as a configuration."""
        if isinstance(config, KarlConfig):
            return config
        if isinstance(config, Mapping):
            return cls.from_dict(config)
        if isinstance(config, (str, os.PathLike)):
            return cls.from_yaml(config)
        raise ConfigError(f"{shown(config)} is no configuration; give a KarlConfig, the path of a YAML file, or a mapping")

    def to_dict(self) -> dict[str, Any]:
        """Return all keys as JSON and YAML can hold them; `from_dict` returns an equal configuration."""
        return told(self)

    def to_yaml(self) -> str:
        """Return the configuration as the text of a YAML file."""
        import yaml

        return str(yaml.safe_dump(self.to_dict(), sort_keys=False, allow_unicode=True))
