"""The registers of what surrounds the units: AXI DMA engines in simple mode (PG021), the AXI interrupt controller (PG099)."""

from __future__ import annotations

from typing import Final

from ebmhw.contract.registers import Field, Register, RegisterMap


def _control(name: str, offset: int) -> Register:
    return Register(
        name,
        offset,
        (
            Field("run", 1, doc="1 starts the channel, 0 stops it."),
            Field("reserved", 1, "ro", reset=1, doc="Always 1."),
            Field("reset", 1, doc="Writing 1 resets both channels of the engine; reads as 1 until that is done."),
            Field("ioc_enable", 1, doc="Interrupt at the end of a transfer.", lsb=12),
            Field("error_enable", 1, doc="Interrupt on an error.", lsb=14),
            Field("threshold", 8, reset=1, doc="Not used in simple mode.", lsb=16),
        ),
        "Control of a channel.",
    )


def _status(name: str, offset: int) -> Register:
    return Register(
        name,
        offset,
        (
            Field("halted", 1, "ro", reset=1, doc="The channel is stopped."),
            Field("idle", 1, "ro", doc="The last transfer is over; 0 before the first, and while halted."),
            Field("internal_error", 1, "ro", doc="The transfer failed within the engine, or the packet is longer than the buffer.", lsb=4),
            Field("slave_error", 1, "ro", doc="Memory answered with an error.", lsb=5),
            Field("decode_error", 1, "ro", doc="There is nothing at the address.", lsb=6),
            Field("ioc", 1, "w1c", doc="A transfer ended.", lsb=12),
            Field("error", 1, "w1c", doc="An error happened.", lsb=14),
        ),
        "State of a channel.",
    )


def _channel(prefix: str, offset: int, address: str) -> tuple[Register, ...]:
    return (
        _control(f"{prefix}_dmacr", offset),
        _status(f"{prefix}_dmasr", offset + 0x04),
        # PYNQ makes attributes of fields' names, so that none may be one of its own: address, width, access.
        Register(f"{prefix}_{address}", offset + 0x18, (Field("low", 32),), "Address in memory, bits 31..0."),
        Register(f"{prefix}_{address}_msb", offset + 0x1C, (Field("high", 32),), "Address in memory, bits 63..32."),
        Register(
            f"{prefix}_length", offset + 0x28, (Field("bytes", 26),), "Writing another number than 0 starts a transfer of so many bytes at the most."
        ),
    )


DMA: Final = RegisterMap("axi_dma", 7, (*_channel("mm2s", 0x00, "sa"), *_channel("s2mm", 0x30, "da")), "AXI DMA 7.1 in simple mode.")
"""MM2S takes jobs from memory to the stream, S2MM answers from the stream to memory."""


def _lines(name: str, offset: int, doc: str) -> Register:
    return Register(name, offset, (Field("lines", 32, doc="A bit for each input."),), doc)


INTERRUPT_CONTROLLER: Final = RegisterMap(
    "axi_intc",
    4,
    (
        _lines("isr", 0x00, "Inputs that became active and were not acknowledged."),
        _lines("ipr", 0x04, "Those of them that are enabled."),
        _lines("ier", 0x08, "Inputs that are enabled."),
        _lines("iar", 0x0C, "Writing 1 acknowledges an input."),
        _lines("sie", 0x10, "Writing 1 enables an input."),
        _lines("cie", 0x14, "Writing 1 disables an input."),
        Register("ivr", 0x18, (Field("number", 32, "ro"),), "The lowest pending input, all ones where there is none."),
        Register(
            "mer",
            0x1C,
            (Field("master", 1, doc="The output works."), Field("hardware", 1, doc="Inputs work; stays 1 until a reset.")),
            "Master enable.",
        ),
    ),
    "AXI interrupt controller 4.1, inputs sensitive to a high level.",
)
