"""Schema: under which names the figures of a training step are kept here, and under which names logs have them."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

ALIASES: dict[str, tuple[str, ...]] = {
    "time": ("time", "timestamp"),
    "phi": ("coherence/phi_mean", "trace/phi_mean", "crystal/phi_mean", "phi_mean", "phi"),
    "phi_std": ("coherence/phi_std", "trace/phi_std", "crystal/phi_std", "phi_std"),
    "entropy": ("coherence/entropy_mean", "trace/entropy_mean", "crystal/entropy_mean", "entropy_mean", "entropy"),
    "surprisal": ("coherence/surprisal_mean", "trace/surprisal_mean", "surprisal_mean"),
    "reward": ("reward", "reward_mean", "mean_reward"),
    "reward_std": ("reward_std",),
    "zero_std": ("frac_reward_zero_std",),
    "loss": ("loss", "train_loss"),
    "learning_rate": ("learning_rate",),
    "grad_norm": ("grad_norm",),
    "kl": ("kl",),
    "completion_length": ("completions/mean_length", "completion_length", "mean_length"),
    "clipped": ("completions/clipped_ratio",),
    "step_time": ("step_time",),
    "cloud_quality": ("coherence/cloud_quality", "trace/cloud_quality", "crystal/cloud_quality", "cloud_quality", "cloud_quality_mean"),
    "multiscale": ("coherence/multiscale", "trace/multiscale", "multiscale_coherence"),
    "discontinuity": ("coherence/discontinuity_score", "trace/discontinuity_score", "discontinuity_score"),
    "carl_reward": ("coherence/carl_reward", "trace/carl_reward", "carl_reward"),
    "dispersion": ("coherence/dispersion", "dispersion"),
    "diversity": ("coherence/diversity", "diversity"),
    "crystallizations": ("coherence/crystallizations", "crystallizations"),
    "meltings": ("coherence/meltings", "meltings"),
    "defect_density": ("coherence/defect_density", "trace/defect_density", "crystal/defect_density", "defect_density"),
    "kuramoto_R": ("coherence/kuramoto_R", "witness/R", "kuramoto_R", "kuramoto_r"),
    "contraction_q": ("coherence/contraction_q", "contraction_q", "q_hat"),
    "n_unknown": ("coherence/n_unknown", "n_unknown"),
    "n_tokens": ("n_tokens",),
    "cascade_stage": ("cascade/stage",),
    "cascade_weight": ("cascade/weight",),
    "cascade_fired_at": ("cascade/fired_at",),
    "gate_passed": ("gate/passed",),
}
"""Our name of a series: the keys that are taken for it, the first that a record has; crystallizations and meltings are per 100 tokens."""

_SHARE, _COUNT = (0.0, 1.0), (0.0, math.inf)

RANGES: dict[str, tuple[float, float]] = {
    **dict.fromkeys(("phi", "phi_std", "cloud_quality", "multiscale", "discontinuity", "dispersion", "diversity", "kuramoto_R"), _SHARE),
    **dict.fromkeys(("zero_std", "clipped", "cascade_weight", "gate_passed"), _SHARE),
    **dict.fromkeys(("entropy", "surprisal", "reward_std", "grad_norm", "completion_length", "step_time"), _COUNT),
    **dict.fromkeys(("crystallizations", "meltings", "defect_density", "contraction_q", "n_unknown", "n_tokens"), _COUNT),
}
"""What the values of a series can be, from and to; what is beyond by more than `SLACK` is no value of it. Of the others any number can be."""

SLACK = 2.0**-10
"""How far a value may be beyond its range: float16's rounding of numbers near 1."""

STEP_KEYS = ("step", "global_step", "train/global_step")
"""Keys that hold the number of the training step."""

SUMMARY_KEYS = ("train_runtime",)
"""A record with one of these sums a whole run up, as the last line of transformers does: it belongs to no step."""

TEXT_KEYS = {"gate_passed"}
"""Series whose true and false count as 1 and 0."""

NAME_LIMIT = 120
"""Characters of a reward function's name; longer ones are not kept."""

_REWARD = re.compile(r"rewards/([^\x00-\x1f]{1,120})/mean\Z|rewards/([^\x00-\x1f/]{1,120})\Z|reward_([^\x00-\x1f/]{1,120})\Z")
_EVALUATION = "eval_"
_KEY_LIMIT = NAME_LIMIT + len("eval_rewards//mean")


def series_of(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return {our name: value as it stands there} of what a record holds.

    "reward/NAME" is the mean of one reward function (TRL's ``rewards/NAME/mean``, the peer's ``reward_NAME``), "eval/NAME" what an evaluation
    logged (``eval_KEY``). Keys of no series are left out.
    """
    found: dict[str, Any] = {}
    best: dict[str, int] = {}
    for key, value in record.items():
        # Keys that are too long for any name are not worth remembering.
        home = _home(key) if isinstance(key, str) and len(key) <= _KEY_LIMIT else None
        if home is None:
            continue
        name, rank = home
        if name not in found or rank < best[name]:
            found[name], best[name] = value, rank
    return found


def within(name: str, value: float) -> bool:
    """Tell whether a series can have a value; of "eval/NAME" that of NAME."""
    low, high = RANGES.get(name.removeprefix("eval/"), (-math.inf, math.inf))
    return low - SLACK <= value <= high + SLACK


@lru_cache(maxsize=4096)  # logs repeat their keys line by line
def _home(key: str) -> tuple[str, int] | None:
    """Return the series that a key belongs to and its rank among the keys of that series, None for none."""
    if key in _BY_KEY:
        return _BY_KEY[key]
    if key.startswith(_EVALUATION):
        inner = _home(key[len(_EVALUATION) :]) if not key.startswith(_EVALUATION * 2) else None
        return (f"eval/{inner[0]}", inner[1]) if inner else None
    match = _REWARD.match(key)
    if match is None:
        return None
    name = next(group for group in match.groups() if group is not None)
    return f"reward/{name}", match.lastindex or 0


_BY_KEY = {key: (name, rank) for name, keys in ALIASES.items() for rank, key in enumerate(keys)}
