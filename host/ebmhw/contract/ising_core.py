"""What the host and the Ising core say to each other: registers, job packets, result packets, error codes.

The core takes packets of `JOBS` on one AXI4-Stream, 64 bits a beat, and answers on another with packets of `RESULTS`. A
``problem`` packet is answered by ``loaded``; a ``run`` packet by any number of ``sample`` packets and then ``draws``; a packet
that cannot be used, by ``error``. Answers come in the order of the jobs. TLAST ends a batch of jobs, and comes back with the
last beat of the answer to the last of them.

States travel bit-sliced: one 64-bit word a spin, bit r is 1 where lane r has it at -1 (so that a product of spins is an exclusive or). Numbers a lane
are bit planes, bit r of word k being bit k of the number of lane r.
"""

from __future__ import annotations

from typing import Final

from ebmhw.contract.formats import BETA_BITS, BIAS_BITS, COUPLING_BITS
from ebmhw.contract.packets import PacketField, PacketLayout, PacketSet, Section
from ebmhw.contract.registers import Field, Register, RegisterMap, counter64
from ebmhw.contract.unit import error_packet, packet_hash, unit_registers

IDENTITY: Final = 0x4542_4D49
"""What the register ``identity`` of every Ising core reads ("EBMI")."""

STREAM_BYTES: Final = 8
"""Bytes of a beat of both streams."""

LANES_LIMIT: Final = 8 * STREAM_BYTES
"""Most lanes of a core: a state word has one bit a lane and is one beat."""

SPIN_BITS: Final = 20
"""Width of a spin index in a slot."""

ERRORS: Final[dict[str, int]] = {
    "no_error": 0,
    "magic": 1,
    "kind": 2,
    "length": 3,
    "truncated": 4,
    "size": 5,
    "row": 6,
    "slot": 7,
    "field": 8,
    "schedule": 9,
    "problem": 10,
    "clamp": 11,
    "reads": 12,
    "reserved": 13,
    "input_stalled": 14,
    "output_stalled": 15,
    "energy": 16,
}
"""Error codes of the core, by name."""

ERROR_MEANINGS: Final[dict[str, str]] = {
    "magic": "a packet does not start with the magic number, or claims to be shorter than its header; "
    "everything up to the end of the batch is dropped",
    "kind": "a packet's code or version is not one that this core takes",
    "length": "a packet's length is not what its counts make, is less than its fields take, or is not a whole number of beats",
    "truncated": "the batch ended within a packet",
    "size": "more spins, beats or schedule entries than the core holds, no spins, another number of slots a beat than it has, "
    "more rows executed than rows, or a count of random or initial states that is neither 0 nor all",
    "row": "a row names a spin that the problem does not have or that had a row before, or has no beats; "
    "or the beats of the rows do not make the slots",
    "slot": "a slot names a spin that the problem does not have, or (with a coupling or a chain) its own row's; its coupling is -128; "
    "a chained slot has a coupling; or a row ends in a chain",
    "field": "|bias| + sum of |couplings| of a row exceeds 2^17 - 1",
    "schedule": "the sweeps of a job reach 2^sweep_bits, or samples are to be kept every 0 sweeps",
    "problem": "a run names a problem that is not the one loaded",
    "clamp": "a clamp names a spin that the problem does not have",
    "reads": "the first read plus the lanes exceeds 2^30",
    "reserved": "a bit is set that no field owns, or a field that is always 0 is not",
    "input_stalled": "the job stream paused within a packet for longer than the limit",
    "output_stalled": "the result stream was not taken for longer than the limit; the rest of the answer was dropped",
    "energy": "the closing pass did not lead back to the energy that the opening pass started from: a fault in the hardware",
}
"""What each error code says, for messages and tables."""

STATES: Final[dict[str, int]] = {"idle": 0, "parsing": 1, "filling": 2, "opening": 3, "sweeping": 4, "answering": 5, "closing": 6, "dropping": 7}
"""What the core is doing, as register ``status`` shows it."""

_RO: Final = "ro"

REGISTERS: Final = RegisterMap(
    name="ising_core",
    version=1,
    doc="Control and status of the Ising core.",
    address_bits=8,
    registers=(
        *unit_registers(
            "an Ising core",
            IDENTITY,
            ERRORS,
            reset="Writing 1 drops the job and the problem and empties both streams.",
            job="Its job number, 0 where that was not known.",
            done="Packets answered by loaded or draws.",
        ),
        Register(
            "shape",
            0x14,
            (
                Field("lanes", 8, _RO, doc="Chains that run at once."),
                Field("slots", 8, _RO, doc="Slots of a beat."),
                Field("latency", 8, _RO, doc="Cycles from a row's last beat to its spin being readable."),
            ),
            "Parallelism of the core.",
        ),
        Register("spins_max", 0x18, (Field("value", 32, _RO, doc="Spins of the largest problem."),)),
        Register("beats_max", 0x1C, (Field("value", 32, _RO, doc="Beats of the largest problem."),)),
        Register("schedule_max", 0x20, (Field("value", 32, _RO, doc="Schedule entries of a job."),)),
        Register(
            "formats",
            0x24,
            (
                Field("coupling_bits", 8, _RO, doc="Width of a coupling."),
                Field("bias_bits", 8, _RO, doc="Width of a bias."),
                Field("energy_bits", 8, _RO, doc="Bit planes of an energy."),
                Field("sweep_bits", 8, _RO, doc="Bit planes of a sweep number; a job has less than 2^sweep_bits sweeps."),
            ),
            "Widths of numbers.",
        ),
        Register("flip_bits", 0x28, (Field("value", 8, _RO, doc="Bit planes of a number of flips."),)),
        Register(
            "status",
            0x44,
            (
                Field("state", 4, _RO, doc="What the core is doing.", enum=STATES),
                Field("loaded", 1, _RO, doc="A problem is loaded."),
                Field("input_stalled", 1, _RO, doc="Within a packet, waiting for the job stream."),
                Field("output_stalled", 1, _RO, doc="Waiting for the result stream to be taken."),
            ),
        ),
        Register("program_id", 0x64, (Field("value", 32, _RO, doc="Of the problem that is loaded."),)),
        *counter64("cycles", 0x80, "Cycles in which the core was not idle."),
        *counter64("sweep_cycles", 0x88, "Cycles from the first beat of a job's sweeps to the last spin written."),
        *counter64("stall_hazard", 0x90, "Sweep cycles in which a beat waited for a spin that was being updated."),
        *counter64("stall_output", 0x98, "Sweep cycles in which a beat waited for room for a sample."),
        *counter64("stall_fetch", 0xA0, "Sweep cycles in which no beat had arrived from memory, drain at the end included."),
        *counter64("beats", 0xA8, "Beats issued in sweeps."),
        *counter64("updates", 0xB0, "Rows executed in sweeps, times lanes."),
        *counter64("sweeps", 0xB8, "Sweeps done."),
    ),
)
"""The register map of the core."""

_JOB: Final = (
    PacketField("job_id", 32, "Number that the answer carries."),
    PacketField("program_id", 32, "First 32 bits of a digest of the problem as it is loaded."),
)

JOBS: Final = PacketSet(
    name="ising_jobs",
    doc="What the core takes.",
    layouts=(
        PacketLayout(
            "problem",
            1,
            (
                *_JOB,
                PacketField("rows", 32, "Rows, one a spin, in visiting order; those of clamped spins last."),
                PacketField("rows_executed", 32, "Rows that a sweep executes: all but the clamped."),
                PacketField("slots", 32, "Slots of all beats."),
                PacketField("slots_per_beat", 32, "Slots of a beat, as the register `shape` says."),
            ),
            (
                Section(
                    "row",
                    "rows",
                    (
                        PacketField("spin", 32, "Which spin."),
                        PacketField("bias", BIAS_BITS, "Its bias.", signed=True),
                        PacketField("beats", 14, "Beats of the row, 1 or more."),
                    ),
                    "Rows in visiting order.",
                ),
                Section(
                    "slot",
                    "slots",
                    (
                        PacketField("spin", SPIN_BITS, "A spin of the term other than the row's own; the row's own in an empty slot."),
                        PacketField(
                            "coupling", COUPLING_BITS, "Weight of the term, -127..127; 0 in a chained slot and in an empty one.", signed=True
                        ),
                        PacketField("chain", 1, "The term goes on in the next slot, which may be the first of the next beat."),
                    ),
                    "The beats of row after row.",
                ),
            ),
            beat_bytes=STREAM_BYTES,
            doc="Loads a problem, which stays until the next one or a reset.",
        ),
        PacketLayout(
            "run",
            2,
            (
                *_JOB,
                PacketField("seed", 64, "Seed of the random streams."),
                PacketField("first_read", 32, "Global index of the read of lane 0."),
                PacketField("rule", 1, "0 gibbs, 1 metropolis."),
                PacketField("keep_first", 32, "Sweep of this job, from 1, after which the first sample is kept; 0 for none."),
                PacketField("keep_every", 32, "Sweeps between samples, 1 or more."),
                PacketField("entries", 32, "Schedule entries."),
                PacketField("randoms", 32, "0: random streams are seeded. lanes: they are given."),
                PacketField("states", 32, "0: initial states are drawn. rows: they are given."),
                PacketField("clamps", 32, "Clamped spins."),
            ),
            (
                Section(
                    "schedule",
                    "entries",
                    (PacketField("beta", BETA_BITS, "Temperature word B."), PacketField("sweeps", 32, "Sweeps at it; 0 does nothing.")),
                    "Temperatures in order.",
                ),
                Section("random", "randoms", tuple(PacketField(f"word{k}", 32, f"State word {k}.") for k in range(4)), "Random state of each lane."),
                Section("state", "states", (PacketField("lanes", 64, "Initial state of a spin."),), "In order of the spins."),
                Section(
                    "clamp",
                    "clamps",
                    (
                        PacketField("spin", 32, "Which spin."),
                        PacketField("zero", 32, "Always 0."),
                        PacketField("lanes", 64, "Its value in each lane, written over the initial state."),
                    ),
                    "In any order.",
                ),
            ),
            beat_bytes=STREAM_BYTES,
            doc="Runs one chain in each lane.",
        ),
    ),
)
"""Packets that the core takes."""

RESULTS: Final = PacketSet(
    name="ising_results",
    doc="What the core answers.",
    layouts=(
        PacketLayout(
            "sample",
            1,
            (
                PacketField("job_id", 32, "Of the run."),
                PacketField("sweep", 32, "Sweep of the job, from 1, after which this was the state."),
                PacketField("rows", 32, "Rows that follow."),
                PacketField("lanes", 32, "Lanes of a word."),
            ),
            (Section("state", "rows", (PacketField("lanes", 64, "State of the row's spin."),), "Executed rows in visiting order."),),
            beat_bytes=STREAM_BYTES,
            doc="A kept sample. One that is due after a job's last sweep is not sent: it is the final state of `draws`.",
        ),
        PacketLayout(
            "loaded",
            2,
            (*_JOB, PacketField("rows", 32, "Rows loaded."), PacketField("beats", 32, "Beats loaded.")),
            beat_bytes=STREAM_BYTES,
            doc="A problem was loaded.",
        ),
        PacketLayout(
            "draws",
            3,
            (
                *_JOB,
                PacketField("first_read", 32, "Of the run."),
                PacketField("sweeps", 32, "Sweeps done."),
                PacketField("planes", 32, "Bit planes that follow."),
                PacketField("rows", 32, "Rows, clamped ones included."),
                PacketField("lanes", 32, "Lanes of a word."),
                PacketField("checks", 32, "Always 1."),
            ),
            (
                Section(
                    "plane",
                    "planes",
                    (PacketField("lanes", 64, "One bit of the number of each lane."),),
                    "Four numbers, lowest bit first: half the final energy less half that of the state of all +1 (energy_bits, two's "
                    "complement); the same of the best state (energy_bits); the sweep it was reached after (sweep_bits); flips (flip_bits).",
                ),
                Section(
                    "last", "rows", (PacketField("lanes", 64, "Final state of the row's spin."),), "All rows in visiting order, clamped ones last."
                ),
                Section("best", "rows", (PacketField("lanes", 64, "Best state of the spin."),), "In order of the spins."),
                Section("random", "lanes", tuple(PacketField(f"word{k}", 32, f"State word {k}.") for k in range(4)), "Random state of each lane."),
                Section(
                    "check",
                    "checks",
                    (PacketField("lanes", 64, "1 where the energy did not come back to where it started: a fault."),),
                    "The self-test.",
                ),
            ),
            beat_bytes=STREAM_BYTES,
            doc="What a run made.",
        ),
        error_packet(4, STREAM_BYTES),
    ),
)
"""Packets that the core answers with."""

PACKET_HASH: Final = packet_hash(JOBS, RESULTS)
"""What the register ``packet_hash`` reads."""
