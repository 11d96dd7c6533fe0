"""Seeds of benches that are quick: one in ``make sim``, more in ``make sim-all``."""

from __future__ import annotations

from typing import Any, Final

import pytest

SEEDS: Final[list[Any]] = [1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 9))]
"""For ``pytest.mark.parametrize``."""
