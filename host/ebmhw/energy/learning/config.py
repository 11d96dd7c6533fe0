"""LearningConfig: how couplings are learned, checked when it is made."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, fields
from typing import Any, final

import numpy as np

from ebmhw.contract.formats import BIAS_BITS, COUPLING_BITS, READ_LIMIT, SEED_BITS
from ebmhw.errors import ConfigError, shown
from ebmhw.numbers import whole

METHODS = ("cd", "pcd")


@final
@dataclass(frozen=True)
class LearningConfig:
    """How parameters are learned; together with the data it makes every bit of them.

    Attributes
    ----------
    method : "cd" begins the negative phase at the data of each step, "pcd" carries on chains of its own (Tieleman 2008)
    k : sweeps of the negative phase
    steps : updates in all
    batch : rows of data in an update; the rest of an epoch that fills no batch is left out, other rows each time
    chains : chains of the negative phase of "pcd"
    learning_rate, final_learning_rate : of the first and the last update, falling by equal amounts between; None leaves it as it is
    momentum : share of the last change that is made again, 0 to below 1
    weight_decay : share of each coupling (not of biases) taken off at each update, before the learning rate
    weight_limit : parameters are clipped to +- this after each update
    averaged_steps : the result is the mean of the parameters over this many last updates; 0 takes the last (Polyak, Juditsky 1992)
    positive_sweeps : sweeps over hidden spins given the data; 1 is exact where no two of them share a term
    coupling_bits : of the programs that are sampled
    seed : 0 .. 2^64 - 1, of batches and of both phases' random streams

    Raises
    ------
    ConfigError
        for a value that is not allowed, naming it.
    """

    method: str = "cd"
    k: int = 1
    steps: int = 1000
    batch: int = 100
    chains: int = 100
    learning_rate: float = 0.05
    final_learning_rate: float | None = None
    momentum: float = 0.0
    weight_decay: float = 0.0
    weight_limit: float = 8.0
    averaged_steps: int = 0
    positive_sweeps: int = 1
    coupling_bits: int = COUPLING_BITS
    seed: int = 0

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise ConfigError(f"method is {shown(self.method)}; give one of {', '.join(map(repr, METHODS))}")
        for name, low, high in (
            ("k", 1, 2**31 - 1),
            ("steps", 1, 2**62),
            ("batch", 1, READ_LIMIT),
            ("chains", 1, READ_LIMIT),
            ("averaged_steps", 0, 2**62),
            ("positive_sweeps", 1, 2**31 - 1),
            ("coupling_bits", 2, BIAS_BITS),
            ("seed", 0, 2**SEED_BITS - 1),
        ):
            number = whole(getattr(self, name))
            if number is None or not low <= number <= high:
                raise ConfigError(f"{name} is {shown(getattr(self, name))}; give a whole number from {low} to {high}")
            object.__setattr__(self, name, number)
        self._number("learning_rate", 0.0, math.inf, above=True)
        if self.final_learning_rate is not None:
            self._number("final_learning_rate", 0.0, math.inf)
        self._number("momentum", 0.0, 1.0, below=True)
        self._number("weight_decay", 0.0, math.inf)
        self._number("weight_limit", 0.0, math.inf, above=True)
        if self.averaged_steps > self.steps:
            raise ConfigError(f"averaged_steps is {self.averaged_steps} of {self.steps} steps; give at most as many")

    def _number(self, name: str, low: float, high: float, above: bool = False, below: bool = False) -> None:
        given = getattr(self, name)
        try:
            number = math.nan if isinstance(given, (bool, str, bytes, np.bool_)) else float(given)
        except (TypeError, ValueError, OverflowError):
            number = math.nan
        if not (math.isfinite(number) and low <= number <= high and not (above and number == low) and not (below and number == high)):
            limit = f"{'above' if above else 'at least'} {low:g}" + ("" if high == math.inf else f" and {'below' if below else 'at most'} {high:g}")
            raise ConfigError(f"{name} is {shown(given)}; give a finite number {limit}")
        object.__setattr__(self, name, number)

    def rate(self, step: int) -> float:
        """Return the learning rate of update ``step``, the first being 0."""
        if self.final_learning_rate is None or self.steps == 1:
            return self.learning_rate
        return self.learning_rate + (self.final_learning_rate - self.learning_rate) * (step / (self.steps - 1))

    def to_json(self) -> str:
        """Return it as JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> LearningConfig:
        """Return what `to_json` wrote; ConfigError for anything else."""
        try:
            values: Any = json.loads(text)
        except (TypeError, ValueError):
            raise ConfigError(f"a learning configuration is JSON, not {shown(text)}") from None
        known = {field.name for field in fields(cls)}
        if not isinstance(values, dict) or not set(values) <= known:
            wrong = sorted(set(values) - known)[0] if isinstance(values, dict) else values
            raise ConfigError(f"a learning configuration holds {shown(wrong)}; its keys are {', '.join(sorted(known))}")
        return cls(**values)
