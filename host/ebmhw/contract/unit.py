"""What every unit has: registers at the same offsets (what it is, control, interrupts, limits, last error), and the packet that tells an error."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Final

from ebmhw.contract.packets import PacketField, PacketLayout, PacketSet
from ebmhw.contract.registers import Field, Register

_RO: Final = "ro"


def unit_registers(name: str, identity: int, errors: Mapping[str, int], reset: str, job: str, done: str) -> tuple[Register, ...]:
    """Return the registers that units share.

    Parameters
    ----------
    name : what the unit is called in texts, with an article
    identity : what the register of that name reads
    errors : codes of errors, by name
    reset : what writing 1 to ``control.reset`` does
    job : what ``last_error_job`` shows
    done : what ``jobs_done`` counts
    """
    one = name.split()[-1]
    return (
        Register("identity", 0x00, (Field("value", 32, _RO, doc=f"{identity:#x}, whatever the version."),), f"Tells {name} from anything else."),
        Register("map_hash", 0x04, (Field("value", 32, _RO, doc="Hash of this register map."),), "A driver refuses another value."),
        Register("packet_hash", 0x08, (Field("value", 32, _RO, doc="Hash of both packet sets."),), "A driver refuses another value."),
        Register("contract_hash", 0x0C, (Field("value", 32, _RO, doc="Hash of constants and tables."),), "A driver refuses another value."),
        Register("build", 0x10, (Field("value", 32, _RO, doc="First 32 bits of the digest of sources and configuration."),), "Which design this is."),
        Register(
            "control",
            0x40,
            (
                Field("reset", 1, "pulse", doc=reset),
                Field("clear_counters", 1, "pulse", doc="Writing 1 sets all counters to 0."),
            ),
        ),
        Register(
            "interrupt_enable",
            0x48,
            (
                Field("batch", 1, doc="Interrupt when the last beat of a batch's answers was taken."),
                Field("error", 1, doc="Interrupt on any error."),
            ),
        ),
        Register(
            "interrupt_pending",
            0x4C,
            (
                Field("batch", 1, "w1c", doc="The last beat of a batch's answers was taken."),
                Field("error", 1, "w1c", doc="An error happened."),
            ),
            "The interrupt line is high while a pending bit is enabled.",
        ),
        Register(
            "input_limit", 0x50, (Field("cycles", 32, reset=1 << 28, doc="0 for no limit."),), "Cycles that the job stream may pause within a packet."
        ),
        Register(
            "output_limit", 0x54, (Field("cycles", 32, reset=1 << 28, doc="0 for no limit."),), "Cycles that the result stream may not be taken."
        ),
        Register("last_error", 0x58, (Field("code", 8, _RO, doc="What went wrong last.", enum=errors),), f"Cleared by a reset of the {one}."),
        Register("last_error_job", 0x5C, (Field("value", 32, _RO, doc=job),)),
        Register("last_error_beat", 0x60, (Field("value", 32, _RO, doc="Beat of its packet, from 0, at which it was found."),)),
        Register("jobs_done", 0xC0, (Field("value", 32, _RO, doc=done),)),
        Register("jobs_failed", 0xC4, (Field("value", 32, _RO, doc="Packets answered by error."),)),
    )


def error_packet(code: int, beat_bytes: int) -> PacketLayout:
    """Return the packet that answers one which cannot be used, given its code and the bytes of a beat."""
    return PacketLayout(
        "error",
        code,
        (
            PacketField("job_id", 32, "Of the packet, 0 where it was not known."),
            PacketField("error", 8, "Error code."),
            PacketField("beat", 32, "Beat of the packet, from 0, at which it was found."),
            PacketField("zero", 32, "Always 0."),
        ),
        beat_bytes=beat_bytes,
        doc="A packet could not be used; it was dropped whole.",
    )


def packet_hash(jobs: PacketSet, results: PacketSet) -> int:
    """Return the first 32 bits of the SHA-256 of both digests, in hexadecimal, one after the other."""
    return int(sha256((jobs.digest + results.digest).encode()).hexdigest()[:8], 16)
