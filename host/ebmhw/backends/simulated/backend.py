"""The simulated backend: the design's own Verilog, run cycle by cycle on the CPU."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import final

from ebmhw.backends.core import CoreBackend, core_capabilities
from ebmhw.backends.driver import IsingDriver
from ebmhw.backends.phi_driver import PhiDriver
from ebmhw.backends.request import whole_number
from ebmhw.backends.simulated.build import build_library
from ebmhw.backends.simulated.bus import SimulatedBus
from ebmhw.backends.simulated.toolchain import find_toolchain
from ebmhw.errors import BackendUnavailable, InvalidRun, shown


@final
class SimulatedBackend(CoreBackend):
    """Samples, and measures logits, with the hardware's own logic, some thousand times slower than hardware: to see that both do the same.

    The first run on a unit of a configuration compiles it, the Ising core in a minute or more, the phi unit in seconds; later ones, also of other
    processes, find it in the user's cache folder.

    Parameters
    ----------
    config : "kv260" for the units of the board, "small" for a core that runs faster but holds 64 spins only
    threads : units that run at once, each for a group of reads or rows; None takes the processors that this process may use

    Raises
    ------
    BackendUnavailable
        The Verilog, Verilator or a C++ compiler is missing; the text says how to get it.
    """

    def __init__(self, config: str = "kv260", threads: int | None = None) -> None:
        from ebmhw import rtl

        if not isinstance(config, str):
            raise InvalidRun(f"config is {shown(config)}; give the name of a core, such as 'kv260' or 'small'")
        available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        self.config, self.threads = config, whole_number(threads, "threads", 1, 1024, available)
        try:
            found = rtl.find(config)
        except BackendUnavailable as error:
            raise BackendUnavailable(f"backend 'simulated': {error}; get_backend('cpu') gives the same results") from None
        find_toolchain()
        self._rtl = found
        size = [int(found.sidecar.units["ising_core"].parameters[name]) for name in ("lanes", "slots", "spins_max", "beats_max")]
        super().__init__(core_capabilities(*size, phi=True))

    @property
    def name(self) -> str:
        return "simulated"

    def _connect(self) -> Sequence[IsingDriver]:
        return [IsingDriver(bus, self.name) for bus in self._buses("ising_core")]

    def _connect_phi(self) -> Sequence[PhiDriver]:
        return [PhiDriver(bus, self.name) for bus in self._buses("phi_unit")]

    def _buses(self, unit: str) -> list[SimulatedBus]:
        """Return a bus for each thread, to a unit of its own."""
        library = build_library(self._rtl.verilog, unit)
        return [SimulatedBus(library) for _ in range(self.threads)]
