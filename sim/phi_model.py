"""The phi unit as software: token packets in, records out, judged by nothing but the contract and the golden model.

It is the judge of the benches of the whole unit and, as `PhiModelBus`, a unit for tests of the driver. Time does not pass in it: it has no
interrupts, and its streams stall where it is told so only.
"""

from __future__ import annotations

from collections.abc import Container
from typing import Final, final

import numpy as np
import numpy.typing as npt

from ebmhw.contract.packets import HEADER, HEADER_WORDS, MAGIC
from ebmhw.contract.phi_formats import BINS, FORMATS
from ebmhw.contract.phi_unit import ERRORS, IDENTITY, INVERSE_LIMIT, JOB_BYTES, JOBS, PACKET_HASH, REGISTERS, RESULTS
from ebmhw.contract.registers import WORD_BYTES
from ebmhw.golden.arrays import Arrays, NumpyArrays
from ebmhw.golden.phi import partial_record_of, record_of, sums_of
from sim.model_bus import UnitModelBus

Beats = npt.NDArray[np.uint64]
Words = npt.NDArray[np.uint32]
Entries = npt.NDArray[np.uint16] | npt.NDArray[np.uint32]

TOKEN: Final = JOBS.layout("token")

BEAT_WORDS: Final = JOB_BYTES // WORD_BYTES

FIELD_BEATS: Final = TOKEN.fixed_words // BEAT_WORDS
"""Beats before the first entry."""

RANKS: Final = ("magic", "kind", "length", "truncated", "input_stalled", "reserved", "size", "format", "inverse", "length")
"""Which rule is told if several are broken in one beat; the first ``length`` is that of the header, the other that of the counts."""

_COUNTS = len(RANKS) - 1

_OWNED = sum(((1 << field.bits) - 1) << TOKEN.bit_offset(field.name) for field in (*HEADER, *TOKEN.fields))


def entry_bits(code: int) -> int:
    """Return the width of an entry of a format, given its code."""
    return 32 if FORMATS[code] == "float32" else 16


def row_beats(entries: int, code: int) -> int:
    """Return the beats of a row."""
    return -(-entries * entry_bits(code) // (8 * JOB_BYTES))


@final
class PhiModel:
    """A phi unit of any size.

    Parameters
    ----------
    entries_max : entries of the largest row, and positions of the largest vocabulary
    arrays : what the golden model computes with; NumPy where it is left out

    Attributes
    ----------
    counters : beats, jobs_done, jobs_failed so far; beats are those of the entries of packets whose fields are right, as far as they came, but for
        one with which a batch ends too early
    last_error : (code, job_id, beat) of the last packet refused, zeros before

    Of the errors of a packet the one is told that the earliest beat shows, of those the first of `RANKS`. The rest of the packet, as long as its
    header says, is dropped; after a wrong magic number, or a length that does not hold the header, the rest of the batch. INV of a packet that is
    partial is not looked at.
    """

    def __init__(self, entries_max: int, arrays: Arrays | None = None) -> None:
        self.entries_max: Final = entries_max
        self._arrays: Final = arrays if arrays is not None else NumpyArrays()
        self.counters: dict[str, int] = {}
        self.clear_counters()
        self.reset()

    def reset(self) -> None:
        """Forget errors."""
        self.last_error = (0, 0, 0)

    def clear_counters(self) -> None:
        """Set all counters to 0."""
        self.counters = dict.fromkeys(("beats", "jobs_done", "jobs_failed"), 0)

    def answer(self, batch: Beats, pauses: Container[int] = ()) -> Beats:
        """Return the result packets of one batch of job packets.

        Parameters
        ----------
        batch : uint64 (2 beats,), the low half of a beat first
        pauses : numbers of beats of the batch, from 1, before which the stream pauses for longer than the limit

        Returns
        -------
        Beats of the answer, uint64.
        """
        return beats_of_bytes(b"".join(self.answers(batch, pauses)))

    def answers(self, batch: Beats, pauses: Container[int] = ()) -> list[bytes]:
        """Return the result packets of one batch one by one; parameters as of `answer`."""
        words = np.ascontiguousarray(batch, dtype="<u8").view("<u4")
        if words.size % BEAT_WORDS:
            raise ValueError(f"the batch has {words.size // 2} halves of beats, an odd number; a beat of {JOB_BYTES} bytes is two")
        beats = words.reshape(-1, BEAT_WORDS)
        packets: list[bytes] = []
        at = 0
        while at < len(beats):
            packet, taken = self._packet(beats, at, pauses)
            packets.append(packet)
            at += taken
        return packets

    def _packet(self, beats: Words, at: int, pauses: Container[int]) -> tuple[bytes, int]:
        """Return the answer to the packet that begins at beat ``at``, and how many beats were taken for it."""
        first = beats[at].tolist()
        length = first[1]
        # Whatever is wrong with a header, its length tells where the packet ends, unless it cannot be one.
        open_ended = first[0] & 0xFFFF != MAGIC or length < HEADER_WORDS
        announced = len(beats) - at if open_ended else -(-length // BEAT_WORDS)
        known = not open_ended and (first[0] >> 16 & 0xFF, first[0] >> 24) == (TOKEN.code, TOKEN.version)
        taken = 1
        while taken < announced and at + taken < len(beats) and at + taken not in pauses:
            taken += 1

        broken: list[tuple[int, int]] = []
        if open_ended:
            broken.append((0, RANKS.index("magic")))
        elif not known:
            broken.append((0, RANKS.index("kind")))
        elif length % BEAT_WORDS or length < TOKEN.fixed_words:
            broken.append((0, RANKS.index("length")))
        if taken < announced:
            broken.append((taken - 1, RANKS.index("truncated")) if at + taken == len(beats) else (taken, RANKS.index("input_stalled")))
        fields: dict[str, int] = {}
        if known and taken >= FIELD_BEATS:
            whole = int.from_bytes(beats[at : at + FIELD_BEATS].tobytes(), "little")
            fields = {field.name: whole >> TOKEN.bit_offset(field.name) & ((1 << field.bits) - 1) for field in TOKEN.fields}
            broken += [(FIELD_BEATS - 1, rank) for rank in self._wrong_fields(fields, whole, length)]
            if min(broken, default=(FIELD_BEATS, 0))[0] >= FIELD_BEATS:
                cut_short = bool(broken) and broken[0][1] == RANKS.index("truncated")
                self.counters["beats"] += taken - FIELD_BEATS - cut_short
        if broken:
            beat, rank = min(broken)
            return self._refusal(RANKS[rank], first[2] if known else 0, beat), taken
        self.counters["jobs_done"] += 1
        return self._answer(fields, beats[at + FIELD_BEATS : at + taken]), taken

    def _wrong_fields(self, fields: dict[str, int], whole: int, length: int) -> list[int]:
        """Return the ranks of the rules that the fields break."""
        entries, code, partial = fields["entries"], fields["format"], fields["partial"]
        wrong = []
        if whole & ~_OWNED:
            wrong.append(RANKS.index("reserved"))
        if entries < (1 if partial else 2) or fields["first_entry"] + entries > self.entries_max:
            wrong.append(RANKS.index("size"))
        if code >= len(FORMATS):
            wrong.append(RANKS.index("format"))
        if not partial and fields["inverse"] > INVERSE_LIMIT:
            wrong.append(RANKS.index("inverse"))
        if TOKEN.words({"beats": fields["beats"]}) != length or (code < len(FORMATS) and row_beats(entries, code) != fields["beats"]):
            wrong.append(_COUNTS)
        return wrong

    def _refusal(self, error: str, job_id: int, beat: int) -> bytes:
        self.counters["jobs_failed"] += 1
        self.last_error = (ERRORS[error], job_id, beat)
        return RESULTS.layout("error").encode({"job_id": job_id, "error": ERRORS[error], "beat": beat, "zero": 0})

    def _answer(self, fields: dict[str, int], beats: Words) -> bytes:
        arrays = self._arrays
        bits = float32_bits(entries_of_beats(beats, fields["format"])[: fields["entries"]], fields["format"])
        with arrays.integers64():
            sums = sums_of(arrays, arrays.xp.asarray(bits[None]), arrays.xp.asarray([fields["chosen"]], dtype=arrays.xp.int64), fields["first_entry"])
            record = partial_record_of(arrays, sums) if fields["partial"] else record_of(arrays, sums, fields["inverse"])
        values = {name: int(np.asarray(column)[0]) for name, column in record._asdict().items()}
        values["job_id"] = fields["job_id"]
        if not fields["partial"]:
            return RESULTS.layout("record").encode(values)
        pairs = np.stack([np.asarray(sums.s)[0], np.asarray(sums.t)[0]], axis=1)
        assert pairs.shape == (BINS, 2)
        values |= {"kmax": int(np.asarray(sums.kmax)[0]), "zero": 0, "sums": int.from_bytes(pairs.astype("<i8").tobytes(), "little")}
        return RESULTS.layout("partial").encode(values)


def entries_of_beats(beats: Words, code: int) -> Entries:
    """Return all entries that lie in beats of a format, as bits of their width."""
    return np.ascontiguousarray(beats, dtype="<u4").reshape(-1).view(f"<u{entry_bits(code) // 8}")


def float32_bits(entries: Entries, code: int) -> Words:
    """Return the bits of entries of a format as float32, which holds all of them exactly."""
    if FORMATS[code] == "float32":
        return entries.astype(np.uint32)
    if FORMATS[code] == "bfloat16":
        return entries.astype(np.uint32) << 16
    # A signalling NaN becomes a quiet one, about which some processors tell.
    with np.errstate(invalid="ignore"):
        return entries.astype(np.uint16).view(np.float16).astype(np.float32).view(np.uint32)


def beats_of_bytes(packets: bytes) -> Beats:
    """Return packets of either stream as a bus carries them, 64 bits each."""
    return np.frombuffer(packets, dtype="<u8").astype(np.uint64)


@final
class PhiModelBus(UnitModelBus):
    """A phi unit as the driver sees it, backed by a `PhiModel`.

    Parameters
    ----------
    model : the unit
    build : what its register says

    Attributes
    ----------
    exchanges : (beats out, beats in) of each exchange so far, of 64 bits each
    """

    def __init__(self, model: PhiModel, build: int = 0x5EED) -> None:
        super().__init__(
            REGISTERS,
            model,
            {
                "identity": IDENTITY,
                "packet_hash": PACKET_HASH,
                "build": build,
                "shape": REGISTERS.register("shape").pack(lanes=8 * JOB_BYTES // 16, window=BINS),
                "entries_max": model.entries_max,
            },
        )
        self.model: Final = model

    def _live(self) -> dict[str, int]:
        return {}
