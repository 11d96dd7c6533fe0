"""The whole phi unit on a bench: its streams, its registers, and the model that says what it must answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, final

import cocotb
from cocotb.handle import SimHandleBase

from ebmhw.contract.design import unit
from ebmhw.contract.phi_formats import BINS
from hdl.phi_unit.config import LANES, PhiConfig
from sim.phi_jobs import Token, random_token
from sim.phi_model import PhiModel
from sim.unit_bench import UnitBench

COUNTERS: Final = ("beats", "jobs_done", "jobs_failed")
"""Counters that the model keeps too."""

CYCLE_COUNTERS: Final = ("cycles", "stall_input", "stall_finish", "stall_output")
"""Counters of time."""

PHI_UNIT: Final = unit("phi_unit")


def answers_of(beats: Sequence[int]) -> list[dict[str, Any]]:
    """Return the fields of the packets of an answer, ``sums`` as a list of 64 pairs of S and T."""
    answers: list[dict[str, Any]] = [values for _, values in PHI_UNIT.results.decode(b"".join(beat.to_bytes(8, "little") for beat in beats))]
    for values in answers:
        if "sums" in values:
            words = [values["sums"] >> 64 * at & (1 << 64) - 1 for at in range(2 * BINS)]
            values["sums"] = list(zip(words[::2], words[1::2], strict=True))
    return answers


@final
class PhiBench(UnitBench):
    """A phi unit, driven by packets; its model computes with NumPy.

    The parameters of the bench have the unit's configuration as ``config``.

    Parameters
    ----------
    dut : the top that cocotb hands to a test

    Attributes
    ----------
    config, model : the unit's size; what it is compared with
    """

    def __init__(self, dut: SimHandleBase) -> None:
        super().__init__(dut, PHI_UNIT)
        self.config: Final = PhiConfig(**self.bench.parameters["config"])
        self.model: PhiModel = PhiModel(self.config.entries_max)

    def token(self, **options: Any) -> Token:
        """Return a random token that the unit has room for; ``options`` as of `sim.phi_jobs.random_token`."""
        return random_token(self.random, self.config.entries_max, **options)

    async def check_tokens(self, tokens: Sequence[Token]) -> list[dict[str, Any]]:
        """Send tokens as one batch, compare their answers with those that are due, and return them, as of `answers_of`."""
        due = await self.check([token.packet(self.next_id()) for token in tokens])
        self.bench.count(programs=len(tokens))
        return answers_of(due)

    async def check_registers(self) -> None:
        # Events are registered on their way to the counters.
        await self.bench.wait(4)
        model = self.model
        found = {name: await (self.read(name) if name.startswith("jobs_") else self.counter(name)) for name in COUNTERS}
        assert found == model.counters, f"counters are {found}, not {model.counters}"
        times = {name: await self.counter(name) for name in CYCLE_COUNTERS}
        assert found["beats"] + times["stall_finish"] <= times["cycles"] <= self.bench.cycle, f"{times} after {self.bench.cycle} cycles, {found}"
        assert max(times.values()) == times["cycles"], f"{times}: more cycles of one kind than of all"
        error = await self.last_error()
        assert error == model.last_error, f"the last error is {error}, not {model.last_error}"
        status = await self.fields("status")
        assert status == {"state": self.states["idle"], "tokens": 0, "input_stalled": 0, "output_stalled": 0}, f"status is {status} at rest"

    def watch(self) -> Callable[[], Awaitable[None]]:
        """Begin to read registers all the time; return what ends it."""
        random, ended = self.bench.random_for("watch"), False

        async def run() -> None:
            before = 0
            while not ended:
                status = await self.fields("status")
                assert status["state"] in self.states.values() and status["tokens"] <= 2, f"status is {status}"
                cycles = await self.counter("cycles")
                assert cycles >= before, f"the counter of cycles went from {before} to {cycles}"
                before = cycles
                shape = await self.fields("shape")
                assert (shape["lanes"], shape["window"]) == (LANES, self.config.window), f"shape is {shape}"
                await self.bench.wait(random.randint(0, 200))

        task = cocotb.start_soon(run())

        async def end() -> None:
            # A read that is under way would answer the next one.
            nonlocal ended
            ended = True
            await task

        return end
