"""What `sim.runner` and the benches inside the simulator agree on."""

from __future__ import annotations

from typing import Final

CLOCK_NS: Final = 4
"""Period of the clock of every bench; cycles are counted from simulated time."""

SETTINGS: Final = "EBMHW_BENCH"
"""Environment variable with the path of a JSON file: the bench's parameters, its inputs and outputs, and where its counts go."""
