"""The whole core on a bench: its streams, its registers, and the model that says what it must answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import cache
from typing import Final, final

import cocotb
from cocotb.handle import SimHandleBase

from ebmhw.contract.design import unit
from hdl.ising_core.config import IsingConfig
from sim.core_model import CoreModel
from sim.one_shape import OneShapeDriver
from sim.unit_bench import UnitBench

# One for all tests of a simulation, which compiles once.
_compiled = cache(OneShapeDriver)

COUNTERS: Final = ("beats", "updates", "sweeps", "jobs_done", "jobs_failed")
"""Counters that the model keeps too."""

CYCLE_COUNTERS: Final = ("cycles", "sweep_cycles", "stall_hazard", "stall_output", "stall_fetch")
"""Counters of time."""


@final
class CoreBench(UnitBench):
    """A core, driven by packets.

    The parameters of the bench have the core's configuration as ``config``.

    Parameters
    ----------
    dut : the top that cocotb hands to a test
    arrays : what the model computes with, of `CoreModel`; JAX, compiled once for all programs, where it is left out

    Attributes
    ----------
    config, model : the core's size; what it is compared with
    """

    def __init__(self, dut: SimHandleBase, arrays: str | None = None) -> None:
        super().__init__(dut, unit("ising_core"))
        config = self.config = IsingConfig(**self.bench.parameters["config"])
        self.model: CoreModel = CoreModel(
            config.lanes,
            config.slots,
            config.spins_max,
            config.beats_max,
            config.schedule_max,
            config.sweep_bits,
            arrays or _compiled(config.spins_max),
        )
        self._counted = 0

    async def restart(self) -> None:
        await super().restart()
        self._counted = 0

    def count(self, programs: int) -> None:
        """Tell the table how many programs were compared, and of the updates those that the model made since."""
        updates, before = self.model.counters["updates"], self._counted
        self.bench.count(programs=programs, updates=updates - before)
        self._counted = updates

    async def check_registers(self) -> None:
        # Events are registered on their way to the counters.
        await self.bench.wait(4)
        model = self.model
        found = {name: await (self.read(name) if name.startswith("jobs_") else self.counter(name)) for name in COUNTERS}
        assert found == model.counters, f"counters are {found}, not {model.counters}"
        cycles = {name: await self.counter(name) for name in CYCLE_COUNTERS}
        parts = found["beats"] + cycles["stall_hazard"] + cycles["stall_output"] + cycles["stall_fetch"]
        assert cycles["sweep_cycles"] == parts, f"{cycles['sweep_cycles']} sweep cycles are not the {parts} of {found} and {cycles}"
        assert cycles["sweep_cycles"] <= cycles["cycles"] <= self.bench.cycle, f"{cycles} after {self.bench.cycle} cycles"
        error = await self.last_error()
        assert error == model.last_error, f"the last error is {error}, not {model.last_error}"
        status = await self.fields("status")
        loaded = model.problem is not None
        assert status == {"state": self.states["idle"], "loaded": loaded, "input_stalled": 0, "output_stalled": 0}, f"status is {status} at rest"
        program_id = await self.read("program_id")
        assert program_id == (model.problem.program_id if model.problem is not None else 0), f"program_id is {program_id:#x}"

    async def clear_counters(self) -> None:
        await super().clear_counters()
        self._counted = 0

    def watch(self) -> Callable[[], Awaitable[None]]:
        """Begin to read registers all the time; return what ends it."""
        random, ended = self.bench.random_for("watch"), False

        async def run() -> None:
            before = 0
            while not ended:
                state = (await self.fields("status"))["state"]
                assert state in self.states.values(), f"status shows state {state}"
                cycles = await self.counter("cycles")
                assert cycles >= before, f"the counter of cycles went from {before} to {cycles}"
                before = cycles
                shape = await self.fields("shape")
                assert (shape["lanes"], shape["slots"]) == (self.config.lanes, self.config.slots), f"shape is {shape}"
                await self.bench.wait(random.randint(0, 200))

        task = cocotb.start_soon(run())

        async def end() -> None:
            # A read that is under way would answer the next one.
            nonlocal ended
            ended = True
            await task

        return end
