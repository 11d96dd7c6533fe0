"""The pipeline of a row: which cycle does what, counted from the one in which its last beat is issued."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from hdl.common.xoshiro import Xoshiro128pp
from hdl.ising_core.config import IsingConfig
from hdl.ising_core.decision import Decision


@final
@dataclass(frozen=True)
class Stages:
    """Cycle of each step after a beat's issue (cycle 0, in which its spins are addressed).

    Attributes
    ----------
    product : spins of the beat are there; products of chains begin
    add : couplings are masked and summed
    field : the beat's sum is added to the row's field
    beta : the temperature is needed
    draw : the random stream is advanced
    decide : the new spin is chosen
    write : it is written, and the accumulators take its energy
    settle : a sweep's energy is compared with the best; best states are merged
    """

    product: int
    add: int
    field: int
    beta: int
    draw: int
    decide: int
    write: int
    settle: int

    @classmethod
    def of(cls, config: IsingConfig) -> Stages:
        """Return the pipeline of a core."""
        product = config.spin_latency
        add = product + 2
        field = add + 2
        decide_from = field + 1
        decide = decide_from + Decision.WEAK_AT
        return cls(
            product=product,
            add=add,
            field=field,
            beta=decide_from + Decision.BETA_AT,
            draw=decide_from + Decision.DRAW_AT - Xoshiro128pp.latency,
            decide=decide,
            write=decide + 1,
            settle=decide + 2,
        )

    @property
    def latency(self) -> int:
        """Cycles from a row's last beat to the first one that may read its spin."""
        return self.write + 1

    @property
    def length(self) -> int:
        """Cycles after which a row has left no trace to come."""
        return self.settle + 2
