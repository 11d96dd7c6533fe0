"""CARL's numbers, under the names that its users know."""

from __future__ import annotations

from typing import Any

import pytest

from ebmhw import coherence
from ebmhw.coherence import DEFECT_THRESHOLD, KAPPA, SIGMA, T_STAR, constants
from ebmhw.coherence.constants import PHASE_WEIGHTS, STATIC_WEIGHTS, kuramoto_phase
from ebmhw.errors import InvalidTrace


def test_the_numbers_are_those_of_the_readme() -> None:
    assert (KAPPA, SIGMA, DEFECT_THRESHOLD) == (64 / 3, 3 / 16, 0.03)
    assert abs(SIGMA * KAPPA - 4) < 1e-15
    assert STATIC_WEIGHTS == (0.5, 0.3, 0.2)
    assert PHASE_WEIGHTS == {"gaseous": (0.2, 0.3, 0.5), "liquid": (0.4, 0.3, 0.3), "crystalline": (0.6, 0.3, 0.1)}
    assert all(sum(weights) == pytest.approx(1) for weights in (STATIC_WEIGHTS, *PHASE_WEIGHTS.values()))
    assert PHASE_WEIGHTS["liquid"] is constants.PHASE_WEIGHTS_LIQUID


def test_t_star_is_kappa_d_cut_to_an_integer() -> None:
    assert T_STAR(768) == 16_384
    assert all(T_STAR(d) == int(KAPPA * d) for d in range(20_000))
    assert T_STAR(3 * 10**400) == 64 * 10**400  # where the product of floats overflows
    for wrong in (-1, 1.5, "768", None, True):
        with pytest.raises(InvalidTrace, match="give the width of a model"):
            T_STAR(wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("r", "phase"), [(0, "gaseous"), (0.2999, "gaseous"), (0.3, "liquid"), (0.6999, "liquid"), (0.7, "crystalline"), (1, "crystalline")]
)
def test_phases(r: float, phase: str) -> None:
    assert kuramoto_phase(r) == phase


@pytest.mark.parametrize("r", [float("nan"), -0.1, 1.1, None, "0.5", True, 10**400])
def test_what_is_no_order_parameter_has_no_phase(r: Any) -> None:
    with pytest.raises(InvalidTrace, match="give a number from 0 to 1"):
        kuramoto_phase(r)


def test_every_public_name_resolves() -> None:
    for name in coherence.__all__:
        assert getattr(coherence, name) is not None
