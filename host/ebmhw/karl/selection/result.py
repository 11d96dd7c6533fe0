"""Selection: which sessions were chosen, and how well; Comparison: several of them as a table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar, final

import numpy as np
import numpy.typing as npt

from ebmhw.karl.baselines.tables import aligned

Item = TypeVar("Item")


@final
@dataclass(frozen=True, eq=False)
class Selection:
    """A choice of sessions.

    Attributes
    ----------
    indices : int64 (k,), ascending places in what was given, each once
    weights : float64 (k,), what each counts in training, of mean 1; see `ebmhw.karl.selection.selecting.select`
    method : as it was asked for
    objective : advantages of the chosen less the weighed similarities of their pairs, the same for every method
    coverage : share of all sessions, 0 to 1, that are chosen or as similar to a chosen one as ``neighbour`` asks
    domains : share of all domains that the choice has a session of
    effective_size : (sum w)^2 / sum w^2 of the weights, 1 to k
    seconds : that the choice took, preparation (similarities, advantages) not included
    exact : True only where it is proved that no allowed choice has a higher objective
    info : what else the method has to say
    """

    indices: npt.NDArray[np.int64]
    weights: npt.NDArray[np.float64]
    method: str
    objective: float
    coverage: float
    domains: float
    effective_size: float
    seconds: float
    exact: bool = False
    info: dict[str, Any] = field(default_factory=dict)

    def of(self, items: Sequence[Item]) -> list[Item]:
        """Return the chosen ones of a sequence in the order of what was given to `select`."""
        return [items[i] for i in self.indices.tolist()]

    def __len__(self) -> int:
        return int(self.indices.size)

    def __repr__(self) -> str:
        return (
            f"Selection({self.method}, {len(self)} sessions, objective {self.objective:.6g}, coverage {self.coverage:.3f}, "
            f"effective size {self.effective_size:.1f}, {'exact, ' if self.exact else ''}{self.seconds:.3f} s)"
        )


@final
class Comparison(list[Selection]):
    """Selections by several methods on one input; printed, a table."""

    def __init__(self, selections: Iterable[Selection]) -> None:
        super().__init__(selections)

    def __str__(self) -> str:
        head = ("method", "sessions", "objective", "coverage", "domains", "effective", "redundancy", "seconds", "exact")
        rows = [
            (
                one.method,
                str(len(one)),
                f"{one.objective:.4f}",
                f"{one.coverage:.3f}",
                f"{one.domains:.3f}",
                f"{one.effective_size:.1f}",
                "" if one.info["redundancy"] is None else f"{one.info['redundancy']:.4f}",
                f"{one.seconds:.3f}",
                "yes" if one.exact else "",
            )
            for one in self
        ]
        return aligned(head, rows)
