"""The register file against a model in Python that watches its pins in every cycle.

Parameters
----------
map : the register map, as `ebmhw.contract.render.to_json` writes it
transfers : reads, and as many writes, of each random test
"""

from __future__ import annotations

from collections import deque
from typing import Any, Final, final

import cocotb
from cocotb.task import Task
from cocotb.triggers import FallingEdge, Timer
from cocotbext.axi import AxiLiteBus, AxiLiteMaster, AxiResp

from ebmhw.contract.registers import Field, Register, RegisterMap
from ebmhw.contract.render import from_json
from sim.axi import LITE_CHANNELS, AxiLiteManager, Pauses, bursts, sometimes
from sim.bench import Bench, Driver

OKAY: Final = 0
SLVERR: Final = 2
LIMIT: Final[dict[str, Any]] = {"timeout_time": 60, "timeout_unit": "us"}
"""15,000 cycles, four times what the longest test takes, unless the bus is stuck."""


def bits_of(strobes: int) -> int:
    """Return the mask of the bytes that ``strobes`` names."""
    return sum(0xFF << 8 * byte for byte in range(4) if strobes >> byte & 1)


def allowed(field: Field) -> list[int]:
    """Return the values of a field that have names."""
    return list((field.enum or {}).values())


@final
class Registers:
    """What a register file is to hold, cycle by cycle.

    Attributes
    ----------
    words : of each register, its fields in their places: what hardware shows in ``ro`` fields, what is held in the others
    latched : of each register that another one latches, its word at that time
    """

    def __init__(self, registers: RegisterMap) -> None:
        self.map: Final = registers
        self.words = {register.name: register.reset for register in registers.registers}
        self.latched = {register.latches: registers.register(register.latches).reset for register in registers.registers if register.latches}

    def at(self, address: int) -> Register | None:
        """Return the register that holds the byte at ``address``."""
        return next((register for register in self.map.registers if register.offset == address & ~3), None)

    def read(self, address: int) -> tuple[int, int]:
        """Return word and response of a read in this cycle."""
        register = self.at(address)
        if register is None:
            return 0, SLVERR
        word = self.latched.get(register.name, self.words[register.name])
        if register.latches:
            self.latched[register.latches] = self.words[register.latches]
        hidden = {field.name: 0 for field in register.fields if field.access in ("wo", "pulse")}
        return register.pack(**(register.unpack(word) | hidden)), OKAY

    def next(self, sets: dict[str, int], write: tuple[int, int, int] | None) -> int:
        """Go on by a cycle in which ``sets`` (a word a register) set bits, and by a write (address, word, strobes); return its response."""
        target = self.at(write[0]) if write else None
        for register in self.map.registers:
            for field in register.fields:
                held = self.words[register.name]
                written = write[1] & bits_of(write[2]) & field.mask if write and register is target else 0
                kept = bits_of(write[2]) & field.mask ^ field.mask if write and register is target else field.mask
                match field.access:
                    case "rw" | "wo":
                        value = held & kept | written
                    case "w1c":
                        value = held & ~written | sets[register.name]
                    case "pulse":
                        value = written
                    case _:
                        value = held
                self.words[register.name] = held & ~field.mask | value & field.mask
        return OKAY if target else SLVERR


@final
class Judge(Driver):
    """Gives the hardware's side of the registers noise, and compares every pin in every cycle with `Registers`."""

    def __init__(self, bench: Bench, registers: RegisterMap) -> None:
        self._edge: Final = bench.dut.clk.rising_edge
        self._random: Final = bench.random_for("judge")
        self._map: Final = registers
        self._bus: Final = {
            f"{channel}{end}": bench.port("s_axi", f"{channel}{end}")
            for channel, ends in {"aw": "addr", "w": "data strb", "b": "resp", "ar": "addr", "r": "data resp"}.items()
            for end in f"valid ready {ends}".split()
        }
        self._fields: Final = [(register, field) for register in registers.registers for field in register.fields]
        self._inputs: Final = [(register, field) for register, field in self._fields if field.access == "ro"]
        self._sets: Final = [(register, field) for register, field in self._fields if field.access == "w1c"]
        self._ports: Final = {(register.name, field.name): bench.port(f"{register.name}__{field.name}") for register, field in self._fields}
        self._set_ports: Final = {(register.name, field.name): bench.port(f"{register.name}__{field.name}__set") for register, field in self._sets}
        self._task: Task[None] | None = None
        self.model = Registers(registers)
        self.frozen = False
        """Whether noise is off."""
        bench.attach(self)

    def start(self) -> None:
        self.model = Registers(self._map)
        self._shown = {(register.name, field.name): 0 for register, field in self._inputs}
        self._set = {register.name: 0 for register in self._map.registers}
        self._set_before = dict(self._set)
        self._addresses: deque[int] = deque()
        self._data: deque[tuple[int, int]] = deque()
        self._reads: deque[int] = deque()
        self._open = {"b": False, "r": False}
        self._task = cocotb.start_soon(self._run())

    def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
        for register, field in self._inputs:
            self._ports[register.name, field.name].value = 0
        for register, field in self._sets:
            self._set_ports[register.name, field.name].value = 0

    def drive(self, register: Register, field: Field, value: int) -> None:
        """Show ``value`` in a read-only field from now on; noise replaces it unless ``frozen`` is set."""
        self._shown[register.name, field.name] = value
        self._ports[register.name, field.name].value = value

    async def _run(self) -> None:
        while True:
            await self._edge
            # An idle manager may show anything as address and data.
            idle = {channel for channel in LITE_CHANNELS if not int(self._bus[f"{channel}valid"].value)}
            pins = {
                name: int(handle.value)
                for name, handle in self._bus.items()
                if name.endswith(("valid", "ready")) or not any(name.startswith(channel) for channel in idle)
            }
            self._check_read(pins)
            self._check_write(pins)
            self._check_fields()
            self._note(pins)
            # Both act on the next cycle: what was shown is what a read answered then gives, and what was set shows then.
            self._set_before = self._set
            for register, field in self._inputs:
                word = self.model.words[register.name]
                self.model.words[register.name] = word & ~field.mask | self._shown[register.name, field.name] << field.lsb
            if not self.frozen:
                self._noise()

    def _check_read(self, pins: dict[str, int]) -> None:
        if not pins["rvalid"] or self._open["r"]:
            return
        assert self._reads, "rvalid rose without an address"
        address = self._reads.popleft()
        expected = self.model.read(address)
        assert (pins["rdata"], pins["rresp"]) == expected, f"a read of {address:#x} gave {pins['rdata']:#x}, response {pins['rresp']}, not {expected}"

    def _check_write(self, pins: dict[str, int]) -> None:
        write = None
        if pins["bvalid"] and not self._open["b"]:
            assert self._addresses and self._data, "bvalid rose without an address or without data"
            write = (self._addresses.popleft(), *self._data.popleft())
        response = self.model.next(self._set_before, write)
        assert write is None or pins["bresp"] == response, f"a write to {write[0]:#x} was answered {pins['bresp']}, not {response}"

    def _check_fields(self) -> None:
        for register, field in self._fields:
            if field.access != "ro":
                value = int(self._ports[register.name, field.name].value)
                expected = (self.model.words[register.name] & field.mask) >> field.lsb
                assert value == expected, f"{register.name}.{field.name} ({field.access}) is {value:#x}, not {expected:#x}"

    def _note(self, pins: dict[str, int]) -> None:
        if pins["awvalid"] and pins["awready"]:
            self._addresses.append(pins["awaddr"])
        if pins["wvalid"] and pins["wready"]:
            self._data.append((pins["wdata"], pins["wstrb"]))
        if pins["arvalid"] and pins["arready"]:
            self._reads.append(pins["araddr"])
        self._open = {channel: bool(pins[f"{channel}valid"] and not pins[f"{channel}ready"]) for channel in "br"}

    def _noise(self) -> None:
        for register, field in self._random.sample(self._inputs, min(3, len(self._inputs))):
            self.drive(register, field, self._random.choice(allowed(field)) if field.enum else self._random.getrandbits(field.bits))
        self._set = {register.name: 0 for register in self._map.registers}
        if self.frozen:
            return
        for register, field in self._sets:
            value = self._random.getrandbits(field.bits) & self._random.getrandbits(field.bits) if self._random.random() < 0.2 else 0
            self._set_ports[register.name, field.name].value = value
            self._set[register.name] |= value << field.lsb


@final
class Rig:
    """A register file, its judge, and a manager."""

    def __init__(self, dut: Any, pauses: dict[str, Pauses] | None = None) -> None:
        self.bench: Final = Bench(dut)
        contract = from_json(self.bench.parameters["map"])
        assert isinstance(contract, RegisterMap)
        self.map: Final = contract
        self.judge: Final = Judge(self.bench, contract)
        self.manager: Final = AxiLiteManager(self.bench, pauses=pauses)
        self.transfers: Final[int] = self.bench.parameters["transfers"]

    def address(self) -> int:
        """Return a random byte address, most of the time of a register."""
        random = self.bench.random
        if random.random() < 0.2:
            return random.randrange(self.map.size)
        return random.choice(self.map.registers).offset + random.randrange(4)

    def word(self, address: int) -> int:
        """Return a word to write: random fields within their enumerations, or noise where there is no register."""
        register = self.judge.model.at(address)
        random = self.bench.random
        if register is None:
            return random.getrandbits(32)
        values = {field.name: random.choice(allowed(field)) if field.enum else random.getrandbits(field.bits) for field in register.fields}
        # Bits that no field owns must not matter.
        return register.pack(**values) | random.getrandbits(32) & ~register.mask

    async def write_some(self, count: int) -> None:
        """Write random words with random strobes to random addresses."""
        for _ in range(count):
            address = self.address()
            await self.manager.write(address, self.word(address), self.bench.random.choice((0b1111, self.bench.random.randrange(16))))

    async def read_some(self, count: int) -> None:
        """Read random addresses."""
        for _ in range(count):
            await self.manager.read(self.address())

    async def traffic(self) -> None:
        """Read and write at once."""
        writes, reads = cocotb.start_soon(self.write_some(self.transfers)), cocotb.start_soon(self.read_some(self.transfers))
        await writes
        await reads


@cocotb.test(**LIMIT)
async def every_register_with_every_strobe(dut: Any) -> None:
    """Each register is written under each of the 16 strobes, and read after each."""
    rig = Rig(dut)
    await rig.bench.start()
    for register in rig.map.registers:
        for strobes in range(16):
            assert await rig.manager.write(register.offset, rig.word(register.offset), strobes) == OKAY
            answer = await rig.manager.read(register.offset)
            assert answer.response == OKAY
            register.unpack(answer.word)


@cocotb.test(**LIMIT)
async def offsets_without_a_register(dut: Any) -> None:
    """Reads give 0 and SLVERR, writes SLVERR and nothing else."""
    rig = Rig(dut)
    await rig.bench.start()
    for address in range(0, rig.map.size, 4):
        if rig.judge.model.at(address) is None:
            assert await rig.manager.write(address, 0xFFFFFFFF) == SLVERR
            assert await rig.manager.read(address) == (0, SLVERR)


@cocotb.test(**LIMIT)
async def address_and_data_in_any_order(dut: Any) -> None:
    """Address first, data first, both at once, up to nine cycles apart, also back to back."""
    rig = Rig(dut)
    await rig.bench.start()
    for lead in range(-9, 10):
        for _ in range(3):
            address = rig.address()
            await rig.manager.write(address, rig.word(address), lead=lead)
    tasks = [cocotb.start_soon(rig.manager.write(rig.address(), 0, 0, lead=lead)) for lead in (0, 3, -3, 0, -1, 1)]
    for task in tasks:
        await task


@cocotb.test(**LIMIT)
@cocotb.parametrize(held=[*((channel,) for channel in LITE_CHANNELS), ("aw", "w"), ("b", "r"), LITE_CHANNELS], kind=["often", "bursts"])
async def back_pressure(dut: Any, held: tuple[str, ...], kind: str) -> None:
    """Idle cycles and back-pressure on each channel alone, on some, and on all."""
    rig = Rig(dut)
    for channel in held:
        source = rig.bench.random_for(f"{channel} {kind}")
        end = getattr(rig.manager, channel)
        end.pauses = sometimes(source, 0.6) if kind == "often" else bursts(source, 12)
    rig.manager.lead = lambda: rig.bench.random.randint(-4, 4)
    await rig.bench.start()
    await rig.traffic()


@cocotb.test(**LIMIT)
async def reset_in_the_middle(dut: Any) -> None:
    """A reset in any cycle of a transfer leaves no trace of it."""
    rig = Rig(dut)
    random = rig.bench.random
    await rig.bench.start()
    for _ in range(rig.transfers // 2):
        rig.manager.lead = lambda: random.randint(-4, 4)
        rig.manager.b.pauses = rig.manager.r.pauses = random.choice((None, sometimes(random, 0.7)))
        tasks = [cocotb.start_soon(rig.write_some(9)), cocotb.start_soon(rig.read_some(9))]
        await rig.bench.wait(random.randint(1, 25))
        for task in tasks:
            task.cancel()
        await rig.bench.reset(random.randint(1, 3))
        await rig.bench.wait()
        for name in ("awready", "wready", "bvalid", "arready", "rvalid"):
            assert not int(rig.bench.port("s_axi", name).value), f"{name} is up after a reset"
        for register in rig.map.registers:
            await rig.manager.read(register.offset)


@cocotb.test(**LIMIT)
async def counters_wider_than_a_word(dut: Any) -> None:
    """A register that another one latches keeps its value of that time, however it goes on."""
    rig = Rig(dut)
    await rig.bench.start()
    rig.judge.frozen = True
    for low in rig.map.registers:
        if not low.latches:
            continue
        high = rig.map.register(low.latches)
        before = {field.name: (1 << field.bits) - 1 if not field.enum else field.reset for field in high.fields}
        for field in high.fields:
            rig.judge.drive(high, field, before[field.name])
        await rig.bench.wait(2)
        await rig.manager.read(low.offset)
        for field in high.fields:
            rig.judge.drive(high, field, field.reset)
        await rig.bench.wait(2)
        for _ in range(2):
            assert high.unpack((await rig.manager.read(high.offset)).word) == before
        await rig.manager.read(low.offset)
        assert (await rig.manager.read(high.offset)).word == high.reset


@cocotb.test(**LIMIT)
async def outputs_come_from_flip_flops(dut: Any) -> None:
    """No input of the bus, changed and put back between two clock edges, shows on an output before the next edge."""
    rig = Rig(dut)
    for channel in LITE_CHANNELS:
        getattr(rig.manager, channel).pauses = sometimes(rig.bench.random_for(f"{channel} glitch"), 0.5)
    await rig.bench.start()
    traffic = cocotb.start_soon(rig.traffic())
    inputs = [rig.bench.port("s_axi", name) for name in ("awvalid", "wvalid", "bready", "arvalid", "rready", "awaddr", "wdata", "wstrb", "araddr")]
    outputs = [rig.bench.port("s_axi", name) for name in ("awready", "wready", "bvalid", "bresp", "arready", "rvalid", "rdata", "rresp")]
    while not traffic.done():
        await FallingEdge(dut.clk)
        before = [int(handle.value) for handle in outputs]
        handle = rig.bench.random.choice(inputs)
        value = int(handle.value)
        handle.value = value ^ (1 << len(handle)) - 1
        await Timer(1, "ns")
        assert [int(output.value) for output in outputs] == before, f"{handle._name} reaches an output without a flip-flop"
        handle.value = value
    await traffic


@cocotb.test(**LIMIT)
async def a_manager_of_others(dut: Any) -> None:
    """cocotbext-axi's manager, written by other people from the same standard, gets on with it."""
    rig = Rig(dut)
    await rig.bench.start()
    for driver in (rig.manager.aw, rig.manager.w, rig.manager.b, rig.manager.ar, rig.manager.r):
        driver.stop()
    other = AxiLiteMaster(AxiLiteBus.from_prefix(dut, "s_axi"), dut.clk)
    for register in rig.map.registers:
        wrote = await other.write(register.offset, rig.word(register.offset).to_bytes(4, "little"))
        assert wrote.resp == AxiResp.OKAY
        answer = await other.read(register.offset, 4)
        assert answer.resp == AxiResp.OKAY
        register.unpack(int.from_bytes(answer.data, "little"))
