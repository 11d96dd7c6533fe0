"""The simulated backend and what it is made of: Verilog, Verilator, a harness in C++, a bus."""

from ebmhw.backends.simulated.backend import SimulatedBackend
from ebmhw.backends.simulated.build import build_library
from ebmhw.backends.simulated.bus import SimulatedBus

__all__ = ["SimulatedBackend", "SimulatedBus", "build_library"]
