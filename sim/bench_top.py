"""The whole design: each unit behind its half of the register port, on its own streams and interrupt, undisturbed by the other one.

Parameters
----------
config : of the design, as a mapping
build : what both units' registers ``build`` read
runs : Ising runs that phi tokens are measured beside
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any, Final, final

import cocotb
import numpy as np
from cocotb.task import bridge

from ebmhw import Schedule, get_backend
from ebmhw.backends.core import CoreBackend, core_capabilities
from ebmhw.backends.driver import IsingDriver
from ebmhw.backends.phi_driver import PhiDriver
from ebmhw.contract import ising_core, phi_unit
from ebmhw.contract.design import ADDRESS_BITS, UNITS, Unit, unit
from ebmhw.contract.render import contract_digest
from hdl.common.axi import Response
from hdl.ising_core.config import IsingConfig
from sim import phi_jobs, programs
from sim.axi import AxiLiteManager, AxiStreamSink, AxiStreamSource, bursts, sometimes
from sim.bench import Bench
from sim.bench_driver import compare
from sim.cocotb_bus import CocotbBus
from sim.phi_model import PhiModel

LIMIT: Final[dict[str, Any]] = {"timeout_time": 200, "timeout_unit": "ms"}

IDENTITIES: Final = {"ising_core": ising_core.IDENTITY, "phi_unit": phi_unit.IDENTITY}
"""What each unit's register ``identity`` reads."""

ANSWER_CYCLES: Final = 500
"""Cycles within which a beat of garbage is answered."""


@final
class TopBench:
    """The design on a bench.

    Attributes
    ----------
    bench, random, config : clock and reset; random numbers; the core's size
    registers : the port of all registers
    jobs, results, buses : of each unit, by its name
    """

    def __init__(self, dut: Any) -> None:
        self.bench: Final = Bench(dut)
        self.random: Final = self.bench.random
        self.config: Final = IsingConfig(**self.bench.parameters["config"]["ising_core"])
        self.registers: Final = AxiLiteManager(self.bench)
        self.jobs: Final = {unit.name: AxiStreamSource(self.bench, f"{unit.prefix}_s_axis") for unit in UNITS}
        self.results: Final = {unit.name: AxiStreamSink(self.bench, f"{unit.prefix}_m_axis") for unit in UNITS}
        self.buses: Final = {unit.name: CocotbBus(self.registers, self.jobs[unit.name], self.results[unit.name], unit.offset) for unit in UNITS}

    def pace(self) -> None:
        """Hold back every channel in some way, or not at all."""

        def pauses() -> Any:
            random = Random(self.random.getrandbits(64))
            return random.choice([None, sometimes(random, 0.1), sometimes(random, 0.5), bursts(random, 12)])

        registers = self.registers
        streams = (*self.jobs.values(), *self.results.values())
        for channel in (registers.aw, registers.w, registers.b, registers.ar, registers.r, *(stream.channel for stream in streams)):
            channel.pauses = pauses()

    async def read(self, about: Unit, name: str) -> int:
        """Return a register of a unit."""
        answer = await self.registers.read(about.offset + about.registers.register(name).offset)
        assert answer.response == Response.OKAY, f"{about.name}.{name} was answered {answer.response}"
        return answer.word

    async def write(self, about: Unit, name: str, **fields: int) -> None:
        """Write a register of a unit."""
        register = about.registers.register(name)
        response = await self.registers.write(about.offset + register.offset, register.pack(**fields))
        assert response == Response.OKAY, f"a write of {about.name}.{name} was answered {response}"

    def interrupt(self, about: Unit) -> int:
        """Return the level of a unit's interrupt."""
        return int(self.bench.port(about.prefix, "interrupt").value)

    async def fail(self, about: Unit) -> None:
        """Send a unit a batch of one beat that is no packet, and take its refusal."""
        self.jobs[about.name].send([0])
        packet = b"".join(word.to_bytes(8, "little") for word in await self.results[about.name].take_packet())
        ((name, values),) = about.results.decode(packet)
        assert (name, values["error"]) == ("error", ising_core.ERRORS["magic"]), f"{about.name} answered {name}: {values}"
        await self.bench.wait(5)


@final
class TopBackend(CoreBackend):
    """The backend of the host over both units of a bench."""

    def __init__(self, top: TopBench) -> None:
        config = top.config
        self._buses: Final = top.buses
        super().__init__(core_capabilities(config.lanes, config.slots, config.spins_max, config.beats_max, phi=True))

    @property
    def name(self) -> str:
        return "cocotb"

    def _connect(self) -> Sequence[IsingDriver]:
        return [IsingDriver(self._buses["ising_core"], self.name)]

    def _connect_phi(self) -> Sequence[PhiDriver]:
        return [PhiDriver(self._buses["phi_unit"], self.name)]


@cocotb.test(**LIMIT)
async def registers(dut: Any) -> None:
    """Every register of each unit answers at its offset, with its reset value or who it is; everywhere else there is none."""
    top = TopBench(dut)
    await top.bench.start()
    top.pace()
    for about in UNITS:
        identity = {
            "identity": IDENTITIES[about.name],
            "map_hash": about.registers.hash32,
            "packet_hash": about.packet_hash,
            "contract_hash": int(contract_digest()[:8], 16),
            "build": top.bench.parameters["build"],
        }
        for name, due in identity.items():
            assert await top.read(about, name) == due, f"{about.name}.{name}"
        for register in about.registers.registers:
            word = await top.read(about, register.name)
            shown = [field for field in register.fields if field.access in ("rw", "w1c")]
            assert [word >> field.lsb & ((1 << field.bits) - 1) for field in shown] == [field.reset for field in shown], (
                f"{about.name}.{register.name}"
            )
    there = {about.offset + register.offset for about in UNITS for register in about.registers.registers}
    for address in range(0, 1 << ADDRESS_BITS, 4):
        if address not in there:
            answer = await top.registers.read(address)
            assert (answer.word, answer.response) == (0, Response.SLVERR), f"{address:#x} was answered {answer}"
            assert await top.registers.write(address, top.random.getrandbits(32)) == Response.SLVERR, f"{address:#x} was written"
    top.bench.count(programs=1)


@cocotb.test(**LIMIT)
async def registers_are_apart(dut: Any) -> None:
    """What is written to one unit's registers does not show in the other's, though both have them at the same offset."""
    top = TopBench(dut)
    await top.bench.start()
    top.pace()
    due = {}
    for _ in range(40):
        about, name = top.random.choice(UNITS), top.random.choice(["input_limit", "output_limit"])
        due[about.name, name] = top.random.getrandbits(32)
        await top.write(about, name, cycles=due[about.name, name])
        for other in UNITS:
            for limit in ("input_limit", "output_limit"):
                reset = other.registers.register(limit).reset
                assert await top.read(other, limit) == due.get((other.name, limit), reset), f"{other.name}.{limit}"
    top.bench.count(programs=1)


@cocotb.test(**LIMIT)
async def interrupts(dut: Any) -> None:
    """Each unit raises its own interrupt, for what is enabled of it, until it is cleared."""
    top = TopBench(dut)
    await top.bench.start()
    for about in UNITS:
        (other,) = (unit for unit in UNITS if unit is not about)
        for event in ("batch", "error"):
            await top.write(about, "interrupt_pending", batch=1, error=1)
            await top.write(about, "interrupt_enable", batch=int(event == "batch"), error=int(event == "error"))
            await top.fail(other)
            assert not top.interrupt(about) and not top.interrupt(other), f"{about.prefix}_interrupt is up for what {other.name} did"
            await top.fail(about)
            assert top.interrupt(about) and not top.interrupt(other), f"{about.prefix}_interrupt is not the one that is up for its {event}"
            await top.write(about, "interrupt_pending", batch=1, error=1)
            await top.bench.wait(3)
            assert not top.interrupt(about), f"{about.prefix}_interrupt was cleared and is up"
        await top.write(about, "interrupt_enable", batch=0, error=0)
    top.bench.count(programs=1)


@cocotb.test(**LIMIT)
async def both_at_once(dut: Any) -> None:
    """Runs of the host's backend on the core while the phi unit measures tokens: each answers as if it were alone."""
    top = TopBench(dut)
    await top.bench.start()
    golden, random, model = get_backend("golden"), top.random, PhiModel(top.bench.parameters["config"]["phi_unit"]["entries_max"])
    backend, tokens = TopBackend(top), top.buses["phi_unit"]
    bits = Random(random.getrandbits(64))
    running = True

    def sample() -> int:
        nonlocal running
        try:
            made = 0
            for _ in range(top.bench.parameters["runs"]):
                program = programs.KINDS[random.choice(sorted(programs.KINDS))](random, 16)
                schedule, seed = Schedule.geometric(0.001, 0.1, 6), random.getrandbits(64)
                options: dict[str, Any] = {"reads": random.randint(1, 2 * top.config.lanes), "rule": random.choice(["gibbs", "metropolis"])}
                compare(top, backend.run(program, schedule, seed=seed, **options), golden.run(program, schedule, seed=seed, **options))
                made += 1
            return made
        finally:
            running = False

    def measure() -> int:
        made = 0
        while running or not made:
            some = [phi_jobs.random_token(bits, model.entries_max, most=200) for _ in range(bits.randint(1, 5))]
            jobs = np.frombuffer(b"".join(token.packet(made + at) for at, token in enumerate(some)), dtype="<u8")
            due = model.answer(jobs)
            assert np.array_equal(tokens.exchange(jobs, due.size, 0), due), "the phi unit did not answer as it does alone"
            made += len(some)
        return made

    for _ in range(2):
        running = True
        measuring = cocotb.start_soon(bridge(measure)())
        runs = await bridge(sample)()
        measured = await measuring
        assert measured > 2 * runs, f"only {measured} tokens were measured beside {runs} runs"
        top.bench.count(programs=runs + measured)
        top.pace()

    def counted() -> None:
        core, phi = backend.drivers[0], PhiDriver(tokens, "cocotb")
        assert core.counters()["updates"] > 0 and phi.counters()["beats"] == model.counters["beats"]
        for driver in (core, phi):
            assert driver.counters()["jobs_failed"] == 0 and driver.status()["last_error"] == "no_error", driver.status()

    await bridge(counted)()


@cocotb.test(**LIMIT)
async def resets_are_apart(dut: Any) -> None:
    """A reset of one unit does not touch what the other one does."""
    top = TopBench(dut)
    await top.bench.start()
    golden, random = get_backend("golden"), top.random
    backend = TopBackend(top)
    program, schedule = programs.KINDS["orders"](random, 16), Schedule.constant(0.01, 30)

    def sample() -> None:
        compare(top, backend.run(program, schedule, seed=5, reads=3), golden.run(program, schedule, seed=5, reads=3))

    running = cocotb.start_soon(bridge(sample)())
    resets = 0
    while not running.done():
        await top.write(unit("phi_unit"), "control", reset=1)
        await top.bench.wait(random.randint(1, 50))
        resets += 1
    await running
    assert resets > 3, "the run was over before the phi unit was reset"

    model = PhiModel(top.bench.parameters["config"]["phi_unit"]["entries_max"])
    token = phi_jobs.random_token(random, model.entries_max, most=3000)
    jobs = np.frombuffer(token.packet(7), dtype="<u8")
    due = model.answer(jobs)

    def measure() -> None:
        for _ in range(5):
            assert np.array_equal(top.buses["phi_unit"].exchange(jobs, due.size, 0), due), "a reset of the core reached the phi unit"

    running = cocotb.start_soon(bridge(measure)())
    while not running.done():
        await top.write(unit("ising_core"), "control", reset=1)
        await top.bench.wait(random.randint(1, 20))
    await running
    top.bench.count(programs=2)
