"""What the host and the phi unit say to each other: registers, job packets, result packets, error codes.

The unit takes packets of `JOBS` on one AXI4-Stream, 128 bits a beat, and answers on another of 64 bits with packets of `RESULTS`. A ``token`` packet
is answered by ``record`` or, for a shard of a vocabulary, by ``partial``; one that cannot be used, by ``error``. Answers come in the order of the
jobs. TLAST ends a batch of jobs, and comes back with the last beat of the answer to the last of them.

Entries lie in their beats from bit 0 up, 8 a beat in 16 bits or 4 a beat in 32 bits. What follows the last entry in its beat is ignored.
"""

from __future__ import annotations

from typing import Final

from ebmhw.contract.packets import PacketField, PacketLayout, PacketSet, Section
from ebmhw.contract.phi_formats import BINS, ENTRIES_LIMIT, FORMATS, INVERSE_FRACTION_BITS, NO_POSITION
from ebmhw.contract.registers import Field, Register, RegisterMap, counter64
from ebmhw.contract.unit import error_packet, packet_hash, unit_registers

IDENTITY: Final = 0x4542_4D50
"""What the register ``identity`` of every phi unit reads ("EBMP")."""

JOB_BYTES: Final = 16
"""Bytes of a beat of the job stream."""

RESULT_BYTES: Final = 8
"""Bytes of a beat of the result stream."""

INVERSE_LIMIT: Final = 1 << INVERSE_FRACTION_BITS
"""Largest INV, that of two entries."""

ERRORS: Final[dict[str, int]] = {
    "no_error": 0,
    "magic": 1,
    "kind": 2,
    "length": 3,
    "truncated": 4,
    "size": 5,
    "format": 6,
    "inverse": 7,
    "reserved": 13,
    "input_stalled": 14,
    "output_stalled": 15,
}
"""Error codes of the unit, by name; those that an Ising core has too have its numbers."""

ERROR_MEANINGS: Final[dict[str, str]] = {
    "magic": "a packet does not start with the magic number, or claims to be shorter than its header; "
    "everything up to the end of the batch is dropped",
    "kind": "a packet's code or version is not one that this unit takes",
    "length": "a packet's length is not what its beats make, is less than its fields take, or is not a whole number of beats; "
    "or its beats are not what its entries take in their format",
    "truncated": "the batch ended within a packet",
    "size": f"a row has no entries, or reaches beyond {ENTRIES_LIMIT} entries; or a row that is not partial has one entry",
    "format": f"the code of the entries' format is not one of {len(FORMATS)}",
    "inverse": f"INV exceeds {INVERSE_LIMIT}",
    "reserved": "a bit is set that no field owns",
    "input_stalled": "the job stream paused within a packet for longer than the limit",
    "output_stalled": "the result stream was not taken for longer than the limit; the rest of the answer was dropped",
}
"""What each error code says, for messages and tables."""

STATES: Final[dict[str, int]] = {"idle": 0, "parsing": 1, "streaming": 2, "waiting": 3, "dropping": 4}
"""What the unit's input is doing, as register ``status`` shows it."""

_RO: Final = "ro"

REGISTERS: Final = RegisterMap(
    name="phi_unit",
    version=1,
    doc="Control and status of the phi unit.",
    address_bits=8,
    registers=(
        *unit_registers(
            "a phi unit",
            IDENTITY,
            ERRORS,
            reset="Writing 1 drops all tokens under way and empties both streams.",
            job="Its token number, 0 where that was not known.",
            done="Packets answered by record or partial.",
        ),
        Register(
            "shape",
            0x14,
            (
                Field("lanes", 8, _RO, doc="Entries of 16 bits that are taken a cycle."),
                Field("window", 8, _RO, doc="Bins that carry weight."),
            ),
            "Parallelism of the unit.",
        ),
        Register("entries_max", 0x18, (Field("value", 32, _RO, doc="Entries of the largest row, and positions of the largest vocabulary."),)),
        Register(
            "status",
            0x44,
            (
                Field("state", 4, _RO, doc="What the input is doing.", enum=STATES),
                Field("tokens", 2, _RO, doc="Tokens whose entries are being added or whose answer is being made, 0 to 2."),
                Field("input_stalled", 1, _RO, doc="Within a packet, waiting for the job stream."),
                Field("output_stalled", 1, _RO, doc="Waiting for the result stream to be taken."),
            ),
        ),
        *counter64("cycles", 0x80, "Cycles in which the unit was not idle."),
        *counter64("beats", 0x88, "Beats of entries taken."),
        *counter64("stall_input", 0x90, "Cycles in which a packet's next beat could be taken and did not come."),
        *counter64("stall_finish", 0x98, "Cycles in which a token waited because two others were under way."),
        *counter64("stall_output", 0xA0, "Cycles in which the result stream was not taken."),
    ),
)
"""The register map of the unit."""

JOBS: Final = PacketSet(
    name="phi_jobs",
    doc="What the phi unit takes.",
    layouts=(
        PacketLayout(
            "token",
            1,
            (
                PacketField("job_id", 32, "Token id, which the answer carries."),
                PacketField("entries", 32, f"Entries of the row, 2 or more (1 or more if partial), {ENTRIES_LIMIT} at the most."),
                PacketField("inverse", 25, "INV of the vocabulary, of masked entries too; unused if partial."),
                PacketField("format", 2, "Index in FORMATS: 0 float16, 1 bfloat16, 2 float32."),
                PacketField("partial", 1, "1: the row is a shard of a vocabulary, answered by its bins."),
                PacketField("chosen", 32, f"Position of the chosen entry in the vocabulary, {NO_POSITION:#x} for none; none, if not in the row."),
                PacketField("first_entry", 32, f"Position of the row's first entry; it and the entries make {ENTRIES_LIMIT} at the most."),
                PacketField("beats", 32, "Beats of the row: its entries by 8, in 32 bits by 4, rounded up."),
            ),
            (Section("beat", "beats", (PacketField("entries", 128, "8 entries of 16 bits or 4 of 32."),), "The entries in order."),),
            beat_bytes=JOB_BYTES,
            doc="The logits of one token, or of a shard of its vocabulary.",
        ),
    ),
)
"""Packets that the unit takes."""

_RECORD: Final = (
    PacketField("job_id", 32, "Token id."),
    PacketField("flags", 32, "Bits as FLAGS names them."),
    PacketField("valid", 32, "Finite entries."),
    PacketField("masked", 32, "Entries of -inf."),
    PacketField("excluded", 32, "Entries of NaN or +inf."),
    PacketField("argmax", 32, "Position of the largest entry."),
    PacketField("z1", 32, "Its z.", signed=True),
    PacketField("z2", 32, "The largest z at any other position.", signed=True),
    PacketField("log2_z", 64, "log2 of the sum of exponentials, 20 fraction bits.", signed=True),
    PacketField("chosen_log2p", 64, "log2 of the chosen entry's probability, 20 fraction bits.", signed=True),
    PacketField("entropy", 32, "H in bits, 20 fraction bits."),
    PacketField("phi", 32, "phi, 20 fraction bits."),
    PacketField("chosen", 32, "Position of the chosen entry."),
    PacketField("z_chosen", 32, "Its z.", signed=True),
)
"""The 64 bytes of a record."""

RESULTS: Final = PacketSet(
    name="phi_results",
    doc="What the phi unit answers.",
    layouts=(
        PacketLayout("record", 1, _RECORD, beat_bytes=RESULT_BYTES, doc="What a token came to."),
        PacketLayout(
            "partial",
            2,
            (
                *_RECORD,
                PacketField("kmax", 32, "Bin of the largest entry.", signed=True),
                PacketField("zero", 32, "Always 0."),
                PacketField("sums", 128 * BINS, f"S and T, 64 bits each, of the bins kmax - d, d = 0..{BINS - 1}."),
            ),
            beat_bytes=RESULT_BYTES,
            doc="What a shard came to. log2_z, chosen_log2p, entropy and phi are 0.",
        ),
        error_packet(3, RESULT_BYTES),
    ),
)
"""Packets that the unit answers with."""

PACKET_HASH: Final = packet_hash(JOBS, RESULTS)
"""What the register ``packet_hash`` reads."""
