"""The parts of a training run's configuration that have options of their own."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import final

from ebmhw.coherence.constants import SIGMA
from ebmhw.config import checks
from ebmhw.config.checked import Checked, by


@final
@dataclass(frozen=True)
class LoraOptions(Checked):
    """The adapter that is trained.

    Attributes
    ----------
    rank, alpha, dropout : of LoRA
    targets : names of the modules that get one, or "all-linear" alone
    """

    rank: int = field(default=8, metadata=by(checks.integer(1, 1024)))
    alpha: float = field(default=16.0, metadata=by(checks.real(0, 4096, above=True)))
    dropout: float = field(default=0.0, metadata=by(checks.real(0, 0.9)))
    targets: tuple[str, ...] = field(
        default=("q_proj", "k_proj", "v_proj", "o_proj"), metadata=by(checks.texts("names of modules, such as [q_proj, v_proj], or [all-linear]"))
    )


@final
@dataclass(frozen=True)
class ScheduleOptions(Checked):
    """The learning rate along the run, as a factor.

    Attributes
    ----------
    name : "constant"; "linear" or "cosine" down to 0 at the run's end; "resonance": a cosine envelope times 1 + alpha (1 - R), R being the Kuramoto
        order of the step's completions
    warmup_steps : over which the factor rises from 0
    alpha : of "resonance"
    horizon_steps : of "resonance", where the envelope reaches 0; null for T_STAR of the model's width in tokens, over those of a step
    low, high : limits of "resonance"'s whole factor
    """

    name: str = field(default="constant", metadata=by(checks.one_of("constant", "linear", "cosine", "resonance")))
    warmup_steps: int = field(default=0, metadata=by(checks.integer(0, 1_000_000)))
    alpha: float = field(default=0.5, metadata=by(checks.real(0, 10)))
    horizon_steps: int | None = field(default=None, metadata=by(checks.optional(checks.integer(1, 100_000_000))))
    low: float = field(default=0.2, metadata=by(checks.real(0, 1)))
    high: float = field(default=1.5, metadata=by(checks.real(1, 10)))


@final
@dataclass(frozen=True)
class CoherenceOptions(Checked):
    """The reward of coherence.

    Attributes
    ----------
    reward : "static", "phase_adaptive" or "eml", as of `ebmhw.coherence.rewards.make_carl_reward`
    source : "capture" reads phi while the model generates; "forward" by one more forward pass
    top_k : likeliest tokens whose probability is noted, or null
    """

    reward: str = field(default="static", metadata=by(checks.one_of("static", "phase_adaptive", "eml")))
    source: str = field(default="capture", metadata=by(checks.one_of("capture", "forward")))
    top_k: int | None = field(default=None, metadata=by(checks.optional(checks.integer(1, 1000))))


@final
@dataclass(frozen=True)
class CascadeOptions(Checked):
    """When the reward of coherence joins those of the task; see `ebmhw.coherence.gates.cascade.Cascade`.

    Attributes
    ----------
    signal : what is watched: "reward", the mean of the run's first reward, or "crystallization"; either has to rise and stay up, which is seen at
        step `ebmhw.coherence.training.notices.FIRST_OPENING`, 60, at the earliest: in a run of 60 steps or fewer the reward never joins
    start : step at which it joins whatever the signal, or null
    warmup_steps : over which its weight rises to 1
    """

    signal: str = field(default="reward", metadata=by(checks.one_of("reward", "crystallization")))
    start: int | None = field(default=None, metadata=by(checks.optional(checks.integer(0, 100_000_000))))
    warmup_steps: int = field(default=10, metadata=by(checks.integer(0, 1_000_000)))


@final
@dataclass(frozen=True)
class GateOptions(Checked):
    """The gate that the adapter has to pass at the end; see `ebmhw.coherence.gates.report.EvalGate`.

    Attributes
    ----------
    metric_threshold : of the task's score on examples that were not trained on, 0 to 1
    phi_floor, discontinuity : limits of the means of phi and of the discontinuity score
    examples : how many are answered, each with max_completion_tokens at most
    base : whether the model without its adapter answers them too, for comparison
    """

    metric_threshold: float = field(default=0.5, metadata=by(checks.real(0, 1)))
    phi_floor: float = field(default=SIGMA, metadata=by(checks.real(0, 1)))
    discontinuity: tuple[float, float] = field(default=(0.3, 0.7), metadata=by(checks.interval(0, 1)))
    examples: int = field(default=32, metadata=by(checks.integer(10, 100_000)))
    base: bool = field(default=True, metadata=by(checks.flag))
