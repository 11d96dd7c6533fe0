"""CoherenceSnapshot: the measures of one trace, without its arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, final

import numpy as np

from ebmhw.coherence.constants import SIGMA
from ebmhw.coherence.known import mean, plain, vector
from ebmhw.coherence.scales import SCALES_LIMIT
from ebmhw.errors import InvalidTrace, shown
from ebmhw.numbers import whole

if TYPE_CHECKING:
    from ebmhw.coherence.trace import CoherenceTrace

TRAJECTORY = 64
"""phi_trajectory has every max(1, T // 64)-th value."""


@final
@dataclass(frozen=True)
class CoherenceSnapshot:
    """The measures of a trace at a training step; None where nothing is known of one.

    Attributes
    ----------
    step, n_tokens : as of the trace
    phi_mean, phi_std, entropy_mean, entropy_std, surprisal_mean, surprisal_std : means and population standard deviations; nats but for phi
    phi_trajectory : phi at every max(1, T // 64)-th token
    n_defects, n_crystallizations, n_meltings, defect_density, discontinuity_score : the events
    cloud_quality_mean : mean of the chosen tokens' probabilities times phi
    scale_coherence : {j: steadiness on blocks of 2^j tokens}
    top_k_mass : mean probability of the k likeliest tokens together
    advantage_mean, advantage_above_sigma : mean of abs(A), and the share of tokens where it is above SIGMA; None without advantages
    """

    step: int
    n_tokens: int
    phi_mean: float | None
    phi_std: float | None
    phi_trajectory: list[float | None]
    n_defects: int
    n_crystallizations: int
    n_meltings: int
    defect_density: float
    discontinuity_score: float
    cloud_quality_mean: float | None
    scale_coherence: dict[int, float]
    entropy_mean: float | None
    entropy_std: float | None
    surprisal_mean: float | None
    surprisal_std: float | None
    top_k_mass: float | None
    advantage_mean: float | None = None
    advantage_above_sigma: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON can hold them."""
        told = asdict(self)
        told["scale_coherence"] = {str(j): value for j, value in self.scale_coherence.items()}
        return told

    @classmethod
    def from_dict(cls, d: Mapping[str, Any]) -> CoherenceSnapshot:
        """Return the snapshot that `to_dict` told."""
        if not isinstance(d, Mapping):
            raise InvalidTrace(f"a snapshot is {shown(d)}; give the mapping that to_dict() told")
        missing = [one.name for one in fields(cls) if one.name not in d and not one.name.startswith("advantage")]
        if missing:
            raise InvalidTrace(f"a snapshot lacks {', '.join(missing)}; give what to_dict() told")
        return cls(**{one.name: _TYPES[str(one.type)](d.get(one.name), one.name) for one in fields(cls)})


def _count(value: Any, name: str) -> int:
    number = whole(value)
    if number is None:
        raise InvalidTrace(f"{name} of a snapshot is {shown(value)}; give a whole number")
    return int(number)


def _number(value: Any, name: str) -> float:
    number = _number_or_none(value, name)
    if number is None:
        raise InvalidTrace(f"{name} of a snapshot is {shown(value)}; give a finite number")
    return number


def _number_or_none(value: Any, name: str) -> float | None:
    number = float(vector([value], f"{name} of a snapshot")[0])
    return None if number != number else number


def _numbers(value: Any, name: str) -> list[float | None]:
    return plain(vector(value, f"{name} of a snapshot"))


def _by_scale(value: Any, name: str) -> dict[int, float]:
    if not isinstance(value, Mapping) or not all(str(j) in _SCALES for j in value):
        raise InvalidTrace(f"{name} of a snapshot is {shown(value)}; give a mapping of scales 0 to {SCALES_LIMIT} to numbers")
    return {int(j): _number(coherence, f"{name}[{j}]") for j, coherence in value.items()}


_SCALES = frozenset(map(str, range(SCALES_LIMIT + 1)))
_TYPES: dict[str, Callable[[Any, str], Any]] = {
    "int": _count,
    "float": _number,
    "float | None": _number_or_none,
    "list[float | None]": _numbers,
    "dict[int, float]": _by_scale,
}


def snapshot_of(trace: CoherenceTrace, advantages: Any = None) -> CoherenceSnapshot:
    """Return the measures of a trace, and of advantages (T,) or (n,) of a trainer, in absolute value."""
    sizes = None if advantages is None else np.abs(vector(advantages, "advantages"))
    known = None if sizes is None else sizes[~np.isnan(sizes)]
    return CoherenceSnapshot(
        step=trace.step,
        n_tokens=trace.n_tokens,
        phi_mean=trace.phi_mean,
        phi_std=trace.phi_std,
        phi_trajectory=plain(trace.phi[:: max(1, trace.n_tokens // TRAJECTORY)]),
        n_defects=trace.n_defects,
        n_crystallizations=trace.n_crystallizations,
        n_meltings=trace.n_meltings,
        defect_density=trace.defect_density,
        discontinuity_score=trace.discontinuity_score,
        cloud_quality_mean=trace.cloud_quality,
        scale_coherence=trace.scale_coherence,
        entropy_mean=trace.entropy_mean,
        entropy_std=trace.entropy_std,
        surprisal_mean=trace.surprisal_mean,
        surprisal_std=trace.surprisal_std,
        top_k_mass=None if trace.top_k_mass is None else mean(trace.top_k_mass),
        advantage_mean=None if known is None else mean(known),
        advantage_above_sigma=None if known is None or not known.size else float((known > SIGMA).mean()),
    )
