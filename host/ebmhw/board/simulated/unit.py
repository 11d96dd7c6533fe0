"""SimulatedUnit: a verilated unit that a processor and a DMA engine share."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import final

from ebmhw.backends.bus import Beats
from ebmhw.backends.simulated import SimulatedBus
from ebmhw.contract.design import Unit
from ebmhw.contract.registers import Register

_PATIENCE_SECONDS = 200e-6
"""How long a running batch stands aside for a register access: a lock alone lets the one who has it take it again."""


@final
class SimulatedUnit:
    """A unit; its clock runs while registers are accessed and while a batch is under way.

    Parameters
    ----------
    unit : of the contract
    library : its Verilog, as `ebmhw.backends.simulated.build_library` made it

    Attributes
    ----------
    interrupts : whether its interrupt line is high
    faults : registers that read as another number, by name
    """

    def __init__(self, unit: Unit, library: Path) -> None:
        self.unit, self._library, self._bus = unit, library, SimulatedBus(library)
        self._lock = threading.Lock()
        self._waiting = 0
        self.interrupts = False
        self.faults: dict[str, int] = {}

    @contextmanager
    def _first(self) -> Iterator[None]:
        self._waiting += 1
        try:
            with self._lock:
                yield
        finally:
            self._waiting -= 1

    def read(self, register: Register) -> int:
        """Return a register."""
        with self._first():
            word = self._bus.read(register.offset)
        return self.faults.get(register.name, word)

    def write(self, register: Register, word: int) -> None:
        """Write a register."""
        with self._first():
            self._bus.write(register.offset, word)
            self._look()

    def begin(self, jobs: Beats, answer: Beats) -> None:
        """Put a batch to the streams."""
        with self._first():
            self._bus.begin(jobs, answer)

    def step(self, cycles: int, wanted: Callable[[], bool]) -> tuple[int, int, int] | None:
        """Let the batch go on as `SimulatedBus.step` does; None, at once, where it is no longer wanted."""
        while self._waiting:
            time.sleep(_PATIENCE_SECONDS)
        with self._lock:
            if not wanted():
                return None
            stepped = self._bus.step(cycles)
            self._look()
            return stepped

    def abandon(self) -> None:
        """Drop what is under way on the streams."""
        with self._first():
            self._bus.abandon()

    def load(self) -> None:
        """Start anew, as from a bitstream."""
        with self._first():
            self._bus.close()
            self._bus, self.interrupts = SimulatedBus(self._library), False

    def close(self) -> None:
        """Give the unit up."""
        with self._first():
            self._bus.close()

    def _look(self) -> None:
        # The line is a register's pending bits that another enables; the harness has no pin for it.
        registers = self.unit.registers
        enabled, pending = (self._bus.read(registers.register(f"interrupt_{name}").offset) for name in ("enable", "pending"))
        self.interrupts = bool(enabled & pending)
