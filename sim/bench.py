"""What every cocotb bench has: a clock, a reset, random numbers that repeat, parameters, and counts of what it did."""

from __future__ import annotations

import json
import os
import random
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, Final, final

import cocotb
from cocotb.clock import Clock
from cocotb.handle import LogicArrayObject, SimHandleBase
from cocotb.simtime import get_sim_time
from cocotb.triggers import ClockCycles

from sim.settings import CLOCK_NS, SETTINGS


class Driver(ABC):
    """Something that drives or watches ports from one clock edge to the next and has to be stopped for a reset."""

    @abstractmethod
    def start(self) -> None:
        """Begin, with nothing left over from before."""

    @abstractmethod
    def stop(self) -> None:
        """Put outputs to rest and forget what was under way."""


@final
class Bench:
    """A design under test with its clock and reset.

    Parameters
    ----------
    dut : the top that cocotb hands to a test

    Attributes
    ----------
    dut : the same
    parameters : what the pytest side passed to `sim.runner.run_bench`
    random : a stream of random numbers for the test itself
    """

    def __init__(self, dut: SimHandleBase) -> None:
        self.dut: Any = dut
        self._settings: Final[dict[str, Any]] = json.loads(Path(os.environ[SETTINGS]).read_text(encoding="utf-8"))
        self.parameters: Final[dict[str, Any]] = self._settings["parameters"]
        self.random: Final = self.random_for("test")
        self._drivers: list[Driver] = []
        self._running = False

    def random_for(self, name: str) -> random.Random:
        """Return random numbers that depend on the run's seed and ``name`` alone."""
        return random.Random(f"{cocotb.RANDOM_SEED} {name}")

    def port(self, *path: str) -> LogicArrayObject:
        """Return the handle of a port, ``port("s_axi", "awvalid")``."""
        return getattr(self.dut, "_".join(path))

    def has(self, *path: str) -> bool:
        """Return whether the design has a port of this name."""
        return "_".join(path) in self._settings["inputs"] + self._settings["outputs"]

    def attach(self, driver: Driver) -> None:
        """Let a driver start and stop with the resets of this bench."""
        self._drivers.append(driver)
        if self._running:
            driver.start()

    async def start(self) -> None:
        """Start the clock, with every input at 0, and reset the design."""
        for name in self._settings["inputs"]:
            if name != "clk":
                self.port(name).value = 0
        Clock(self.dut.clk, CLOCK_NS, unit="ns").start()
        await self.reset()

    async def reset(self, cycles: int = 2) -> None:
        """Hold the reset for some cycles; drivers drop what they have under way and start afresh after it."""
        for driver in self._drivers:
            driver.stop()
        self.dut.rst.value = 1
        await self.wait(cycles)
        self.dut.rst.value = 0
        self._running = True
        for driver in self._drivers:
            driver.start()

    async def wait(self, cycles: int = 1) -> None:
        """Wait for so many clock edges."""
        if cycles:
            await ClockCycles(self.dut.clk, cycles)

    @property
    def cycle(self) -> int:
        """Clock cycles since the simulation began."""
        return int(get_sim_time("ns")) // CLOCK_NS

    def count(self, *, programs: int = 0, updates: int = 0) -> None:
        """Add to what the table at the end of ``make sim`` says that this bench compared."""
        with Path(self._settings["counts"]).open("a", encoding="utf-8") as file:
            file.write(json.dumps({"programs": programs, "updates": updates}) + "\n")
