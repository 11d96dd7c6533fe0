"""The parts of a karl training run's configuration that have options of their own."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import final

from ebmhw.config import checks
from ebmhw.config.checked import Checked, by


@final
@dataclass(frozen=True)
class AdapterOptions(Checked):
    """The adapter that is trained.

    Attributes
    ----------
    rank, alpha, dropout : of LoRA
    targets : names of the modules that get one, or "all-linear" alone
    layers : how many of the model's last layers get one at most, or null for all
    """

    rank: int = field(default=8, metadata=by(checks.integer(1, 1024)))
    alpha: float = field(default=16.0, metadata=by(checks.real(0, 4096, above=True)))
    dropout: float = field(default=0.0, metadata=by(checks.real(0, 0.9)))
    targets: tuple[str, ...] = field(
        default=("q_proj", "k_proj", "v_proj", "o_proj"), metadata=by(checks.texts("names of modules, such as [q_proj, v_proj], or [all-linear]"))
    )
    layers: int | None = field(default=16, metadata=by(checks.optional(checks.integer(1, 10_000))))


@final
@dataclass(frozen=True)
class RateOptions(Checked):
    """The learning rate along the run, as a factor.

    Attributes
    ----------
    name : "constant", or "linear" or "cosine" down to 0 at the run's end
    warmup_steps : over which the factor rises from 0
    """

    name: str = field(default="constant", metadata=by(checks.one_of("constant", "linear", "cosine")))
    warmup_steps: int = field(default=0, metadata=by(checks.integer(0, 1_000_000)))
