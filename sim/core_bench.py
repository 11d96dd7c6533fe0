"""The whole core on a bench: its streams, its registers, and the model that says what it must answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from functools import cache
from random import Random
from typing import Any, Final, TypeVar, final

import cocotb
import numpy as np
from cocotb.handle import SimHandleBase
from cocotb.triggers import SimTimeoutError, with_timeout

from ebmhw.contract.ising_core import ERRORS, REGISTERS, RESULTS, STATES
from ebmhw.contract.packets import MAGIC
from hdl.ising_core.config import IsingConfig
from sim.axi import LITE_CHANNELS, AxiLiteManager, AxiStreamSink, AxiStreamSource, Pauses, bursts, sometimes
from sim.bench import Bench
from sim.core_model import CoreModel
from sim.jobs import beats_of
from sim.one_shape import OneShapeDriver
from sim.settings import CLOCK_NS

T = TypeVar("T")

PATIENCE: Final = 200_000
"""Cycles within which an answer must have come."""

# One for all tests of a simulation, which compiles once.
_compiled = cache(OneShapeDriver)

COUNTERS: Final = ("beats", "updates", "sweeps", "jobs_done", "jobs_failed")
"""Counters that the model keeps too."""

CYCLE_COUNTERS: Final = ("cycles", "sweep_cycles", "stall_hazard", "stall_output", "stall_fetch")
"""Counters of time."""

STATE_NAMES: Final = {code: name for name, code in STATES.items()}


def some_pauses(random: Random) -> Pauses | None:
    """Return one of many ways to hold back, or none; what it does in a cycle takes nothing from ``random``."""
    random = Random(random.getrandbits(64))
    return random.choice([None, sometimes(random, 0.1), sometimes(random, 0.6), bursts(random, 12)])


@final
class CoreBench:
    """A core, driven by packets.

    The parameters of the bench have the core's configuration as ``config``.

    Parameters
    ----------
    dut : the top that cocotb hands to a test
    arrays : what the model computes with, of `CoreModel`; JAX, compiled once for all programs, where it is left out

    Attributes
    ----------
    bench, config, model : clock and reset; the core's size; what the core is compared with
    jobs, results, registers : its streams and its registers
    random : random numbers of the test
    job_id : number of the last packet made by `next_id`
    """

    def __init__(self, dut: SimHandleBase, arrays: str | None = None) -> None:
        self.bench: Final = Bench(dut)
        self.random: Final = self.bench.random
        self.config: Final = IsingConfig(**self.bench.parameters["config"])
        self.jobs: Final = AxiStreamSource(self.bench)
        self.results: Final = AxiStreamSink(self.bench)
        self.registers: Final = AxiLiteManager(self.bench)
        config = self.config
        self.model: Final = CoreModel(
            config.lanes,
            config.slots,
            config.spins_max,
            config.beats_max,
            config.schedule_max,
            config.sweep_bits,
            arrays or _compiled(config.spins_max),
        )
        self.job_id = 0
        self._counted = (0, 0)

    async def start(self) -> None:
        """Start the clock and reset the core."""
        await self.bench.start()

    async def restart(self) -> None:
        """Reset the whole design, registers included, whatever it does."""
        await self.bench.reset()
        self.model.reset()
        self.model.clear_counters()
        self._counted = (0, 0)

    def pause(self, random: Random, registers: bool = True) -> None:
        """Hold back on both streams, and on the registers' channels too, as ``random`` has it; what is drawn from it does not depend on time."""
        own = Random(random.getrandbits(64))
        for channel in (self.jobs.channel, self.results.channel):
            channel.pauses = some_pauses(random)
        if not registers:
            return
        for name in LITE_CHANNELS:
            getattr(self.registers, name).pauses = some_pauses(random)
        self.registers.lead = own.choice([None, lambda: own.randint(-5, 5)])

    def hurry(self) -> None:
        """Hold back nowhere."""
        for channel in (self.jobs.channel, self.results.channel, *(getattr(self.registers, name) for name in LITE_CHANNELS)):
            channel.pauses = None
        self.registers.lead = None

    def next_id(self) -> int:
        """Return a number for the next packet, all bits of it in use."""
        self.job_id = (self.job_id + 0x1000_0001) & 0xFFFF_FFFF
        return self.job_id

    # --- packets

    def send(self, packets: Sequence[bytes]) -> list[int]:
        """Queue a batch and return the answer that is due, beat by beat."""
        batch = beats_of(packets)
        due = self.model.answer(np.array(batch, dtype=np.uint64)).tolist()
        self.jobs.send(batch)
        return due

    async def check(self, packets: Sequence[bytes]) -> list[int]:
        """Send a batch, compare its answer with the one that is due, and return it."""
        due = self.send(packets)
        await self.compare(due)
        return due

    async def compare(self, due: Sequence[int]) -> None:
        """Take the answer to a batch and compare all of it with the one that is due."""
        found = await self.in_time(self.results.take_packet())
        assert found == list(due), difference(found, due)
        assert self.results.channel.waiting == 0, "beats follow the end of the batch"

    async def in_time(self, answer: Coroutine[Any, Any, T]) -> T:
        """Await something, but not for ever."""
        try:
            # It ends between two clock edges: a transfer that began at one would be lost.
            return await with_timeout(answer, PATIENCE * CLOCK_NS + CLOCK_NS // 2, "ns")
        except SimTimeoutError:
            status = await self.fields("status")
            raise AssertionError(f"the core does not answer within {PATIENCE} cycles: status is {status}") from None

    def count(self, programs: int) -> None:
        """Tell the table how many programs were compared, and of the updates those that the model made since."""
        updates, before = self.model.counters["updates"], self._counted[1]
        self.bench.count(programs=programs, updates=updates - before)
        self._counted = (0, updates)

    # --- registers

    async def read(self, name: str) -> int:
        """Read a register as a whole."""
        answer = await self.registers.read(REGISTERS.register(name).offset)
        assert answer.response == 0, f"reading {name} was answered {answer.response}"
        return answer.word

    async def fields(self, name: str) -> dict[str, int]:
        """Read the fields of a register; bits that no field owns must be 0."""
        return REGISTERS.register(name).unpack(await self.read(name))

    async def write(self, name: str, **values: int) -> None:
        """Write a register."""
        register = REGISTERS.register(name)
        response = await self.registers.write(register.offset, register.pack(**values))
        assert response == 0, f"writing {name} was answered {response}"

    async def counter(self, name: str) -> int:
        """Read a counter of 64 bits."""
        low = await self.read(f"{name}_low")
        return low | await self.read(f"{name}_high") << 32

    async def check_registers(self) -> None:
        """Compare counters, the last error and what is loaded with the model's, after everything has been answered."""
        # Events are registered on their way to the counters.
        await self.bench.wait(4)
        model = self.model
        found = {name: await (self.read(name) if name.startswith("jobs_") else self.counter(name)) for name in COUNTERS}
        assert found == model.counters, f"counters are {found}, not {model.counters}"
        cycles = {name: await self.counter(name) for name in CYCLE_COUNTERS}
        parts = found["beats"] + cycles["stall_hazard"] + cycles["stall_output"] + cycles["stall_fetch"]
        assert cycles["sweep_cycles"] == parts, f"{cycles['sweep_cycles']} sweep cycles are not the {parts} of {found} and {cycles}"
        assert cycles["sweep_cycles"] <= cycles["cycles"] <= self.bench.cycle, f"{cycles} after {self.bench.cycle} cycles"
        error = tuple([(await self.fields("last_error"))["code"], await self.read("last_error_job"), await self.read("last_error_beat")])
        assert error == model.last_error, f"the last error is {error}, not {model.last_error}"
        status = await self.fields("status")
        loaded = model.problem is not None
        assert status == {"state": STATES["idle"], "loaded": loaded, "input_stalled": 0, "output_stalled": 0}, f"status is {status} at rest"
        program_id = await self.read("program_id")
        assert program_id == (model.problem.program_id if model.problem is not None else 0), f"program_id is {program_id:#x}"

    async def clear_counters(self) -> None:
        """Set all counters to 0."""
        await self.write("control", clear_counters=1)
        self.model.clear_counters()
        self._counted = (0, 0)

    async def reset(self) -> None:
        """Reset the core by its register, as the driver does: nothing is sent or taken meanwhile."""
        self.jobs.channel.stop()
        self.results.channel.stop()
        await self.write("control", reset=1)
        await self.bench.wait(1)
        self.jobs.channel.start()
        self.results.channel.start()
        self.model.reset()

    async def until(self, state: str, longest: int = 20_000) -> None:
        """Wait until the core is in a state, as its register shows it."""
        began = self.bench.cycle
        while (await self.fields("status"))["state"] != STATES[state]:
            assert self.bench.cycle < began + longest, f"the core was not {state} within {longest} cycles"

    def watch(self) -> Callable[[], Awaitable[None]]:
        """Begin to read registers all the time; return what ends it."""
        random, ended = self.bench.random_for("watch"), False

        async def run() -> None:
            before = 0
            while not ended:
                state = (await self.fields("status"))["state"]
                assert state in STATE_NAMES, f"status shows state {state}"
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


def difference(found: Sequence[int], due: Sequence[int]) -> str:
    """Return where an answer departs from the one that is due: in which packet, in which of its beats."""
    at = next((at for at, (one, other) in enumerate(zip(found, due, strict=False)) if one != other), min(len(found), len(due)))
    begin = 0
    while begin < len(due) and begin + (due[begin] >> 33) <= at:
        begin += due[begin] >> 33
    shown = [f"{beats[at]:#018x}" if at < len(beats) else "nothing" for beats in (found, due)]
    texts = [_packet(beats[begin:]) for beats in (found, due)]
    return (
        f"beat {at} of the answer, beat {at - begin} of its packet, is {shown[0]}, {shown[1]} is due; "
        f"in all {len(found)} beats came, {len(due)} are due; that packet is {texts[0]}, and should be {texts[1]}"
    )


def _packet(beats: Sequence[int]) -> str:
    """Return what the packet is that beats begin with."""
    layout = next(
        (layout for layout in RESULTS.layouts if beats and beats[0] & 0xFFFF_FFFF == MAGIC | layout.code << 16 | layout.version << 24), None
    )
    if layout is None:
        return f"no packet ({beats[0]:#018x})" if beats else "not there"
    if layout.name != "error" or len(beats) < 3:
        return f"'{layout.name}' of {beats[0] >> 33} beats"
    values = layout.decode(b"".join(beat.to_bytes(8, "little") for beat in beats[:3]))
    name = next((name for name, code in ERRORS.items() if code == values["error"]), values["error"])
    return f"the error '{name}' in beat {values['beat']} of job {values['job_id']:#x}"
