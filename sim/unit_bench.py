"""A whole unit on a bench, whichever it is: its streams, its registers, and the model that says what it must answer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from random import Random
from typing import Any, Final, TypeVar

import numpy as np
from cocotb.handle import SimHandleBase
from cocotb.triggers import SimTimeoutError, with_timeout

from ebmhw.contract.design import Unit
from ebmhw.contract.packets import MAGIC
from ebmhw.contract.render import contract_digest
from sim.axi import LITE_CHANNELS, AxiLiteManager, AxiStreamSink, AxiStreamSource, Pauses, bursts, sometimes
from sim.bench import Bench
from sim.model_bus import UnitModel
from sim.settings import CLOCK_NS

T = TypeVar("T")

PATIENCE: Final = 200_000
"""Cycles within which an answer must have come, and `BEAT_PATIENCE` more for each beat of the jobs."""

BEAT_PATIENCE: Final = 4


def some_pauses(random: Random) -> Pauses | None:
    """Return one of many ways to hold back, or none; what it does in a cycle takes nothing from ``random``."""
    random = Random(random.getrandbits(64))
    return random.choice([None, sometimes(random, 0.1), sometimes(random, 0.6), bursts(random, 12)])


class UnitBench(ABC):
    """A unit, driven by packets.

    Parameters
    ----------
    dut : the top that cocotb hands to a test
    unit : what the contract says of it

    Attributes
    ----------
    bench, unit : clock and reset; as given
    model : what it is compared with, set by the classes below this one, which know its size from the bench's parameters
    jobs, results, registers : its streams and its registers
    random : random numbers of the test
    states, errors : codes by name, of register ``status`` and of errors
    job_id : number of the last packet made by `next_id`
    """

    model: UnitModel

    def __init__(self, dut: SimHandleBase, unit: Unit) -> None:
        self.bench: Final = Bench(dut)
        self.unit: Final = unit
        self.random: Final = self.bench.random
        self.jobs: Final = AxiStreamSource(self.bench)
        self.results: Final = AxiStreamSink(self.bench)
        self.registers: Final = AxiLiteManager(self.bench)
        self.states: Final = _codes(unit, "status", "state")
        self.errors: Final = _codes(unit, "last_error", "code")
        self.job_id = 0
        self._sent = 0

    async def start(self) -> None:
        """Start the clock and reset the unit."""
        await self.bench.start()

    async def restart(self) -> None:
        """Reset the whole design, registers included, whatever it does."""
        await self.bench.reset()
        self.model.reset()
        self.model.clear_counters()

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

    def beats_of(self, packets: Sequence[bytes]) -> list[int]:
        """Return packets as beats of the job stream."""
        whole, width = b"".join(packets), self.unit.job_bits // 8
        return [int.from_bytes(whole[at : at + width], "little") for at in range(0, len(whole), width)]

    def due(self, packets: Sequence[bytes]) -> list[int]:
        """Return the answer to a batch, beat by beat, as the model has it."""
        return self.model.answer(np.frombuffer(b"".join(packets), dtype="<u8").astype(np.uint64)).tolist()

    def send(self, packets: Sequence[bytes]) -> list[int]:
        """Queue a batch and return the answer that is due."""
        due, beats = self.due(packets), self.beats_of(packets)
        self._sent += len(beats)
        self.jobs.send(beats)
        return due

    async def check(self, packets: Sequence[bytes]) -> list[int]:
        """Send a batch, compare its answer with the one that is due, and return it."""
        due = self.send(packets)
        await self.compare(due)
        return due

    async def compare(self, due: Sequence[int]) -> None:
        """Take the answer to a batch and compare all of it with the one that is due."""
        found = await self.in_time(self.results.take_packet())
        assert found == list(due), self.difference(found, due)
        assert self.results.channel.waiting == 0, "beats follow the end of the batch"

    async def expect(self, due: Sequence[int], last: bool) -> None:
        """Take so many beats and compare them; ``last`` says whether the batch's end comes with the last of them."""
        for at, beat in enumerate(due):
            found = await self.in_time(self.results.take_beat())
            assert (found.data, found.last) == (beat, last and at == len(due) - 1), f"beat {at} is {found}, {beat:#018x} is due"

    async def in_time(self, answer: Coroutine[Any, Any, T]) -> T:
        """Await something, but not for ever."""
        patience = PATIENCE + BEAT_PATIENCE * self._sent
        try:
            # It ends between two clock edges: a transfer that began at one would be lost.
            return await with_timeout(answer, patience * CLOCK_NS + CLOCK_NS // 2, "ns")
        except SimTimeoutError:
            status = await self.fields("status")
            raise AssertionError(f"the unit does not answer within {patience} cycles: status is {status}") from None

    def difference(self, found: Sequence[int], due: Sequence[int]) -> str:
        """Return where an answer departs from the one that is due: in which packet, in which of its beats."""
        at = next((at for at, (one, other) in enumerate(zip(found, due, strict=False)) if one != other), min(len(found), len(due)))
        begin = 0
        while begin < len(due) and begin + (due[begin] >> 33) <= at:
            begin += due[begin] >> 33
        shown = [f"{beats[at]:#018x}" if at < len(beats) else "nothing" for beats in (found, due)]
        texts = [self._packet(beats[begin:]) for beats in (found, due)]
        return (
            f"beat {at} of the answer, beat {at - begin} of its packet, is {shown[0]}, {shown[1]} is due; "
            f"in all {len(found)} beats came, {len(due)} are due; that packet is {texts[0]}, and should be {texts[1]}"
        )

    def _packet(self, beats: Sequence[int]) -> str:
        """Return what the packet is that beats begin with."""
        layouts = self.unit.results.layouts
        layout = next((layout for layout in layouts if beats and beats[0] & 0xFFFF_FFFF == MAGIC | layout.code << 16 | layout.version << 24), None)
        if layout is None:
            return f"no packet ({beats[0]:#018x})" if beats else "not there"
        if layout.name != "error" or len(beats) < 3:
            return f"'{layout.name}' of {beats[0] >> 33} beats"
        values = layout.decode(b"".join(beat.to_bytes(8, "little") for beat in beats[:3]))
        name = next((name for name, code in self.errors.items() if code == values["error"]), values["error"])
        return f"the error '{name}' in beat {values['beat']} of job {values['job_id']:#x}"

    # --- registers

    async def read(self, name: str) -> int:
        """Read a register as a whole."""
        answer = await self.registers.read(self.unit.registers.register(name).offset)
        assert answer.response == 0, f"reading {name} was answered {answer.response}"
        return answer.word

    async def fields(self, name: str) -> dict[str, int]:
        """Read the fields of a register; bits that no field owns must be 0."""
        return self.unit.registers.register(name).unpack(await self.read(name))

    async def write(self, name: str, **values: int) -> None:
        """Write a register."""
        register = self.unit.registers.register(name)
        response = await self.registers.write(register.offset, register.pack(**values))
        assert response == 0, f"writing {name} was answered {response}"

    async def counter(self, name: str) -> int:
        """Read a counter of 64 bits."""
        low = await self.read(f"{name}_low")
        return low | await self.read(f"{name}_high") << 32

    async def last_error(self) -> tuple[int, int, int]:
        """Read code, job and beat of the last error."""
        return (await self.fields("last_error"))["code"], await self.read("last_error_job"), await self.read("last_error_beat")

    async def check_identity(self, **sizes: int) -> None:
        """Compare the registers that say which unit this is, and those of its sizes, and what others hold after a reset."""
        registers = self.unit.registers
        due = {
            "identity": self.unit.identity,
            "map_hash": registers.hash32,
            "packet_hash": self.unit.packet_hash,
            "contract_hash": int(contract_digest()[:8], 16),
            "build": self.bench.parameters["build"],
            **{name: registers.register(name).reset for name in ("input_limit", "output_limit", "interrupt_enable", "interrupt_pending")},
            **sizes,
        }
        found = {name: await self.read(name) for name in due}
        assert found == due, f"registers are {found}, not {due}"
        assert int(self.bench.dut.interrupt.value) == 0

    async def check_interrupts(self, good: Callable[[], Awaitable[None]], spoilt: bytes) -> None:
        """Check that events are pending until they are cleared, and that the line is high while one that is enabled is pending.

        Parameters
        ----------
        good : sends batches without errors and takes their answers
        spoilt : a packet with an error
        """
        for enabled in ({}, {"batch": 1}, {"error": 1}, {"batch": 1, "error": 1}):
            await self.write("interrupt_enable", **enabled)
            for failing in (False, True):
                if failing:
                    await self.check([spoilt])
                else:
                    await good()
                await self.bench.wait(4)
                pending, line = {"batch": 1, "error": int(failing)}, self.bench.dut.interrupt
                assert await self.fields("interrupt_pending") == pending
                high = any(enabled.get(name) and value for name, value in pending.items())
                assert int(line.value) == high, f"the line is {line.value} with {pending} pending and {enabled} enabled"
                await self.write("interrupt_pending", batch=1)
                assert await self.fields("interrupt_pending") == {"batch": 0, "error": int(failing)}
                await self.write("interrupt_pending", error=1)
                assert await self.fields("interrupt_pending") == {"batch": 0, "error": 0}
                await self.bench.wait(2)
                assert int(line.value) == 0

    @abstractmethod
    async def check_registers(self) -> None:
        """Compare counters and the last error with the model's, after everything has been answered."""

    async def clear_counters(self) -> None:
        """Set all counters to 0."""
        await self.write("control", clear_counters=1)
        self.model.clear_counters()

    async def reset(self) -> None:
        """Reset the unit by its register, as the driver does: nothing is sent or taken meanwhile."""
        self.jobs.channel.stop()
        self.results.channel.stop()
        await self.write("control", reset=1)
        await self.bench.wait(1)
        self.jobs.channel.start()
        self.results.channel.start()
        self.model.reset()

    async def until(self, state: str, longest: int = 20_000) -> None:
        """Wait until the unit is in a state, as its register shows it."""
        began = self.bench.cycle
        while (await self.fields("status"))["state"] != self.states[state]:
            assert self.bench.cycle < began + longest, f"the unit was not {state} within {longest} cycles"


def _codes(unit: Unit, register: str, field: str) -> Mapping[str, int]:
    """Return the names of a field's values."""
    codes = next(inner.enum for inner in unit.registers.register(register).fields if inner.name == field)
    assert codes is not None, f"field {field} of {register} names no values"
    return codes
