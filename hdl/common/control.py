"""What the top of every unit is made of around the unit: its streams, resets and limits, and what its registers show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

from amaranth.hdl import Module, ResetInserter, Signal, Value, ValueLike
from amaranth.lib import wiring

from ebmhw.contract import render
from hdl.common.output_gate import OutputGate
from hdl.common.register_file import RegisterFile


@final
@dataclass(frozen=True)
class ErrorEvent:
    """Something that went wrong, in the cycle of ``happens``.

    Attributes
    ----------
    happens : strobe
    code, job, beat : what the registers ``last_error``, ``last_error_job`` and ``last_error_beat`` are to show
    """

    happens: Value
    code: ValueLike
    job: ValueLike
    beat: ValueLike


def attach(m: Module, top: wiring.Component, unit: wiring.Component, registers: RegisterFile) -> OutputGate:
    """Put a unit between the AXI4-Streams of its top, resets and limits included, and return what its results leave through.

    Parameters
    ----------
    top : has the ports ``s_axi``, ``s_axis`` and ``m_axis``
    unit : has the streams ``jobs`` and ``results``, ``input_limit`` and ``waiting``
    registers : of the unit
    """
    m.submodules.registers = registers
    wiring.connect(m, wiring.flipped(top.s_axi), registers.s_axi)
    gate = OutputGate(len(top.m_axis.tdata))
    reset = Signal()
    m.submodules.core = ResetInserter(reset)(unit)
    m.submodules.gate = ResetInserter(registers.control__reset)(gate)
    # A stalled answer is dropped with all that would add to it; only the beat on offer has to stay.
    m.d.comb += reset.eq(registers.control__reset | gate.stalled)
    wiring.connect(m, unit.results, gate.beats)
    m.d.comb += [
        unit.jobs.valid.eq(top.s_axis.tvalid & ~reset),
        unit.jobs.payload.data.eq(top.s_axis.tdata),
        unit.jobs.payload.last.eq(top.s_axis.tlast),
        top.s_axis.tready.eq(unit.jobs.ready & ~reset),
        top.m_axis.tvalid.eq(gate.results.valid),
        top.m_axis.tdata.eq(gate.results.payload.data),
        top.m_axis.tlast.eq(gate.results.payload.last),
        top.m_axis.tkeep.eq(-1),
        gate.results.ready.eq(top.m_axis.tready),
        unit.input_limit.eq(registers.input_limit__cycles),
        gate.limit.eq(registers.output_limit__cycles),
    ]
    show(m, registers, {"status.input_stalled": unit.waiting, "status.output_stalled": gate.waiting})
    return gate


def identify(m: Module, registers: RegisterFile, identity: int, packet_hash: int, build: int) -> None:
    """Say which unit this is, and which contract and sources it was made from."""
    contract = int(render.contract_digest()[:8], 16)
    hashes = {"map_hash": registers.map.hash32, "packet_hash": packet_hash, "contract_hash": contract}
    show(m, registers, {"identity": identity, **hashes, "build": build})


def show(m: Module, registers: RegisterFile, values: Mapping[str, ValueLike]) -> None:
    """Let fields read as what is given, by ``register`` (of one field, ``value``) or ``register.field``."""
    for name, value in values.items():
        register, _, field = name.partition(".")
        m.d.comb += getattr(registers, f"{register}__{field or 'value'}").eq(value)


def count(m: Module, registers: RegisterFile, amounts: Mapping[str, ValueLike]) -> None:
    """Add what is given to counters in each cycle: of 64 bits (``name_low``, ``name_high``) or of 32 (``name``)."""
    names = {register.name for register in registers.map.registers}
    for name, amount in amounts.items():
        wide = f"{name}_low" in names
        total = Signal(64 if wide else 32, name=name)
        m.d.sync += total.eq(total + amount)
        with m.If(registers.control__clear_counters):
            m.d.sync += total.eq(0)
        show(m, registers, {f"{name}_low": total[:32], f"{name}_high": total[32:]} if wide else {name: total})


def report(m: Module, registers: RegisterFile, error: ErrorEvent, gate: OutputGate, interrupt: Signal) -> None:
    """Keep the last error until a reset, and interrupt on errors and on the end of a batch, where enabled."""
    results = gate.results
    kept = {"last_error.code": (Signal(8, name="error_code"), error.code)}
    kept |= {f"last_error_{name}": (Signal(32, name=f"error_{name}"), value) for name, value in (("job", error.job), ("beat", error.beat))}
    with m.If(error.happens):
        m.d.sync += [register.eq(value) for register, value in kept.values()]
    with m.If(registers.control__reset):
        m.d.sync += [register.eq(0) for register, _ in kept.values()]
    show(m, registers, {name: register for name, (register, _) in kept.items()})
    m.d.comb += [
        registers.interrupt_pending__error__set.eq(error.happens),
        registers.interrupt_pending__batch__set.eq(results.valid & results.ready & results.payload.last),
    ]
    m.d.sync += interrupt.eq(
        (registers.interrupt_pending__batch & registers.interrupt_enable__batch)
        | (registers.interrupt_pending__error & registers.interrupt_enable__error)
    )
