"""The cases of the Ising core: their comparison finds a difference, and their graphs are what they say."""

from __future__ import annotations

import numpy as np
import pytest

from ebmhw import get_backend
from ebmhw.backends import Draws, SamplerBackend
from ebmhw.bench.hardware import READS, _regular, compared
from ebmhw.model import Model

PROGRAM = Model(6, [1.0] * 6, [((i, (i + 1) % 6), 3.0) for i in range(6)]).compile()


def test_equal_backends_compare_equal() -> None:
    assert compared((get_backend("golden"), get_backend("cpu")), PROGRAM, 8) == 2 * 8 * 6 * READS


@pytest.mark.parametrize("field", ["spins", "energy", "best_spins", "best_energy", "best_sweep", "flips", "kept", "random"])
def test_a_difference_is_named(field: str) -> None:
    class Odd(type(get_backend("cpu"))):  # type: ignore[misc]
        name = "odd"

        def _execute(self, request: object) -> Draws:
            draws = super()._execute(request)
            getattr(draws, field).flat[-1] ^= 2
            return draws

    odd: SamplerBackend = Odd()
    with pytest.raises(RuntimeError, match=f"{field} of backend 'odd' differs from that of 'cpu' .rule gibbs"):
        compared((get_backend("cpu"), odd), PROGRAM, 8)


def test_the_regular_graph_is_regular() -> None:
    program = _regular(None)
    assert program.n == 8192 and program.max_slots == 8
    (block,) = program.blocks
    assert set(np.bincount(block.spins.ravel()).tolist()) == {8}
