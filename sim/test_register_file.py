"""The register file, on the map of the Ising core and on random ones, and whether the bench finds faults put into it."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable
from itertools import pairwise
from typing import Any, Final, final

import pytest
from amaranth.hdl import ClockDomain, ClockSignal, Const, DomainRenamer, Module
from amaranth.lib import wiring

from ebmhw.contract.ising_core import REGISTERS
from ebmhw.contract.registers import ACCESSES, Field, Register, RegisterMap
from ebmhw.contract.render import to_json
from hdl.common.axi import AxiLite, Response
from hdl.common.register_file import RegisterFile
from sim.runner import BenchFailed, BenchResult, run_bench

BENCH: Final = "sim.bench_register_file"
Simulate = Callable[..., BenchResult]


def random_map(seed: int) -> RegisterMap:
    """Return a map with registers of random fields of every access, at random offsets, some of them latched."""
    source = random.Random(seed)
    registers: list[Register] = []
    for number, offset in enumerate(source.sample(range(32), source.randint(1, 12))):
        cuts = sorted({0, 32, *source.sample(range(1, 32), source.randint(0, 5))})
        fields = []
        for low, high in pairwise(cuts):
            access: Any = source.choice(ACCESSES)
            reset = 0 if access == "pulse" else source.getrandbits(high - low)
            if source.random() < 0.8 or not fields:
                fields.append(Field(f"field{low}", high - low, access, reset, lsb=low))
        registers.append(Register(f"register{number}", 4 * offset, tuple(fields)))
    # What one register latches is read-only, and latched by one alone.
    for number in range(0, len(registers) - 1, 3):
        fields = tuple(dataclasses.replace(field, access="ro") for field in registers[number].fields)
        registers[number] = dataclasses.replace(registers[number], fields=fields)
        registers[number + 1] = dataclasses.replace(registers[number + 1], latches=registers[number].name)
    return RegisterMap(f"random{seed}", 0, tuple(registers))


def test_map_of_the_ising_core(simulate: Simulate) -> None:
    simulate(BENCH, RegisterFile(REGISTERS), parameters={"map": to_json(REGISTERS), "transfers": 60})


@pytest.mark.parametrize("seed", [0, 1, 2, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(3, 30))])
def test_random_maps(simulate: Simulate, seed: int) -> None:
    contract = random_map(seed)
    simulate(BENCH, RegisterFile(contract), name=f"register_file {seed}", seed=seed, parameters={"map": to_json(contract), "transfers": 40})


def test_random_maps_have_every_kind_of_register() -> None:
    maps = [random_map(seed) for seed in range(3)]
    assert {field.access for contract in maps for register in contract.registers for field in register.fields} == set(ACCESSES)
    assert any(register.latches for contract in maps for register in contract.registers)


# -- faults that the bench must find --

EXAMPLE: Final = RegisterMap(
    "example",
    0,
    (
        Register("control", 0x0, (Field("mode", 12, reset=0x5A5), Field("go", 4, "pulse"), Field("secret", 9, "wo", reset=3))),
        Register("status", 0x4, (Field("state", 7, "ro"), Field("events", 6, "w1c", lsb=10))),
        Register("low", 0xC, (Field("value", 32, "ro"),), latches="high"),
        Register("high", 0x18, (Field("value", 32, "ro"),)),
    ),
)


def changed(name: str, **changes: Any) -> RegisterMap:
    """Return the example with one register changed, or one of its fields (``register.field``)."""
    owner, _, part = name.partition(".")
    registers = []
    for register in EXAMPLE.registers:
        if register.name == owner:
            fields = tuple(dataclasses.replace(field, **changes) if field.name == part else field for field in register.fields)
            register = dataclasses.replace(register, fields=fields) if part else dataclasses.replace(register, **changes)
        registers.append(register)
    return RegisterMap("example", 0, tuple(registers), address_bits=EXAMPLE.address_bits)


@final
class Faulty(wiring.Component):
    """The example's register file behind wires with a fault."""

    def __init__(self, fault: str) -> None:
        self._inner: Final = RegisterFile(EXAMPLE)
        self._fault: Final = fault
        super().__init__(self._inner.signature)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        inner, bus, core = self._inner, self.s_axi, self._inner.s_axi
        m.submodules.inner = DomainRenamer("deaf")(inner) if self._fault == "reset is not seen" else inner
        if self._fault == "reset is not seen":
            m.domains.deaf = ClockDomain(local=True, reset_less=True)
            m.d.comb += ClockSignal("deaf").eq(ClockSignal())
        for name, member in inner.signature.members.items():
            if member.is_port:
                ours, theirs = getattr(self, name), getattr(inner, name)
                m.d.comb += theirs.eq(ours) if member.flow is wiring.In else ours.eq(theirs)
        busy = ~core.wready
        wires = {name: getattr(bus if member.flow is wiring.Out else core, name) for name, member in AxiLite(1).members.items()}
        match self._fault:
            case "strobes are ignored":
                wires["wstrb"] = Const(0b1111, 4)
            case "errors are answered OKAY":
                wires["bresp"] = Const(Response.OKAY, 2)
            case "an address without its data is taken and lost":
                wires["awvalid"] = bus.awvalid & bus.wvalid
            case "an answer does not wait":
                wires["bready"] = Const(1)
            case "read data does not hold":
                wires["rdata"] = core.rdata ^ (bus.rready << 3)
            case "ready waits for valid":
                wires["arready"] = core.arready & bus.arvalid
            case "events during a write are lost":
                m.d.comb += inner.status__events__set.eq(self.status__events__set & ~busy.replicate(6))
            case "address bit 4 is not looked at":
                wires["awaddr"] = bus.awaddr & 0xF
        for name, member in AxiLite(1).members.items():
            m.d.comb += getattr(core if member.flow is wiring.Out else bus, name).eq(wires[name])
        return m


FAULTS: Final[dict[str, tuple[Callable[[], wiring.Component], str, str]]] = {
    "strobes are ignored": (lambda: Faulty("strobes are ignored"), "every_register", "control.mode"),
    "errors are answered OKAY": (lambda: Faulty("errors are answered OKAY"), "offsets_without", "was answered 0, not 2"),
    "an address alone is lost": (lambda: Faulty("an address without its data is taken and lost"), "any_order", "SimTimeoutError"),
    "an answer does not wait": (lambda: Faulty("an answer does not wait"), "back_pressure", "bvalid went down"),
    "read data does not hold": (lambda: Faulty("read data does not hold"), "back_pressure", "a read of .* gave"),
    "ready waits for valid": (lambda: Faulty("ready waits for valid"), "flip_flops", "arvalid reaches"),
    "reset is not seen": (lambda: Faulty("reset is not seen"), "reset_in_the_middle", "is up after a reset"),
    "events are lost": (lambda: Faulty("events during a write are lost"), "every_register", "status.events"),
    "an address bit is not looked at": (lambda: Faulty("address bit 4 is not looked at"), "offsets_without", "a write to"),
    "a latch is missing": (lambda: RegisterFile(changed("low", latches="")), "wider_than_a_word", "a read of 0x18"),
    "a reset value is wrong": (lambda: RegisterFile(changed("control.mode", reset=0x5A4)), "any_order", "control.mode"),
    "a pulse stays": (lambda: RegisterFile(changed("control.go", access="rw")), "every_register", "control.go"),
    "a secret is read": (lambda: RegisterFile(changed("control.secret", access="rw")), "every_register", "a read of 0x0"),
    "an offset is wrong": (lambda: RegisterFile(changed("status", offset=0x8)), "every_register", "a write to 0x4 was answered 2, not 0"),
}
"""For each fault a design that has it, the tests that shall find it, and what they say."""


@pytest.mark.parametrize("fault", FAULTS)
def test_the_bench_finds_a_fault(fault: str) -> None:
    component, tests, text = FAULTS[fault]
    with pytest.raises(BenchFailed, match=text):
        run_bench(BENCH, component(), name=f"register_file, {fault}", parameters={"map": to_json(EXAMPLE), "transfers": 40}, tests=tests, waves=False)


def test_the_example_without_a_fault_passes(simulate: Simulate) -> None:
    simulate(BENCH, Faulty("none"), name="register_file example", parameters={"map": to_json(EXAMPLE), "transfers": 40})


@pytest.mark.parametrize("bits", [0, 65])
def test_addresses_have_1_to_64_bits(bits: int) -> None:
    with pytest.raises(ValueError, match=f"address_bits of an AXI4-Lite port is {bits}; give 1 to 64"):
        AxiLite(bits)
