"""The numbers of CARL (carl-core 0.3.1), under the names that its users know."""

from __future__ import annotations

from numbers import Real
from typing import NamedTuple, final

from ebmhw.errors import InvalidTrace, shown
from ebmhw.numbers import whole

KAPPA = 64 / 3
"""Tokens per dimension of `T_STAR`."""

SIGMA = 3 / 16
"""The phi that an adapter has to reach on average, and the advantage that counts as one."""

DEFECT_THRESHOLD = 0.03
"""The change of phi between two tokens beyond which it is an event: a crystallization upwards, a melting downwards."""

KURAMOTO_R_GASEOUS_MAX = 0.30
"""Below this a run is gaseous."""

KURAMOTO_R_LIQUID_MAX = 0.70
"""Below this, and not gaseous, it is liquid, else crystalline."""

UNKNOWN_TOKEN = -100
"""A token id that stands for none, as in the labels of Hugging Face's trainers."""


_ROUNDING = 2.0**-40


@final
class Weights(NamedTuple):
    """Weights of the composite reward; they sum to 1."""

    multiscale: float
    cloud: float
    discontinuity: float


STATIC_WEIGHTS = Weights(0.5, 0.3, 0.2)
PHASE_WEIGHTS = {
    "gaseous": Weights(0.2, 0.3, 0.5),
    "liquid": Weights(0.4, 0.3, 0.3),
    "crystalline": Weights(0.6, 0.3, 0.1),
}
PHASE_WEIGHTS_GASEOUS, PHASE_WEIGHTS_LIQUID, PHASE_WEIGHTS_CRYSTALLINE = PHASE_WEIGHTS.values()


def T_STAR(d: int) -> int:
    """Return int(KAPPA d), the horizon in tokens of a model of width ``d``."""
    width = whole(d)
    if width is None or width < 0:
        raise InvalidTrace(f"T_STAR of {shown(d)}: give the width of a model, a whole number from 0 up")
    return 64 * width // 3  # exact for any width, where the product of floats overflows


def kuramoto_phase(r: float) -> str:
    """Return "gaseous", "liquid" or "crystalline" for a Kuramoto order parameter, 0 to 1."""
    if isinstance(r, bool) or not isinstance(r, Real) or not 0 <= r <= 1 + _ROUNDING:
        raise InvalidTrace(f"the Kuramoto order parameter is {shown(r)}; give a number from 0 to 1")
    if r < KURAMOTO_R_GASEOUS_MAX:
        return "gaseous"
    return "liquid" if r < KURAMOTO_R_LIQUID_MAX else "crystalline"
