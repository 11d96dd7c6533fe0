"""Programs, states and numbers in the form that a core takes and gives them."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import final

import numpy as np
import numpy.typing as npt

from ebmhw.backends.bus import Beats
from ebmhw.backends.codec import PacketCodec
from ebmhw.backends.draws import Int8Array, Int64Array
from ebmhw.contract.ising_core import JOBS, LANES_LIMIT
from ebmhw.errors import DoesNotFit
from ebmhw.program import Program

PROBLEM = PacketCodec(JOBS.layout("problem"))

ROW_BEATS_LIMIT = next(field.high for field in JOBS.layout("problem").section("row").fields if field.name == "beats")
"""Beats of one row at the most."""


@final
@dataclass(frozen=True, eq=False)
class PackedProblem:
    """A program, for one set of clamped spins, as a core loads it.

    Attributes
    ----------
    digest, program_id : SHA-256 (hex) of rows and slots, and its first 32 bits
    order : int32 (n,), the spin of each row of the packet: in visiting order, clamped spins last
    rows_executed : rows that a sweep executes, all but those of clamped spins
    beats, beats_executed : beats of all rows, and of the executed ones
    energy_of_plus : program energy of the state of all +1, which a core counts from
    """

    digest: str
    program_id: int
    order: npt.NDArray[np.int32]
    rows_executed: int
    beats: int
    beats_executed: int
    energy_of_plus: int
    _packet: Beats

    @property
    def n(self) -> int:
        """Number of spins."""
        return int(self.order.size)

    @property
    def packet_beats(self) -> int:
        """Stream beats of the packet."""
        return int(self._packet.size)

    def packet(self, job_id: int) -> Beats:
        """Return the packet that loads this problem."""
        packet: Beats = self._packet.copy()
        PROBLEM.put(packet, {"job_id": job_id})
        return packet


def pack_problem(program: Program, clamped: npt.NDArray[np.int32], slots: int, beats_max: int, backend: str) -> PackedProblem:
    """Return a program as a core with ``slots`` slots a beat takes it.

    A term of k other spins takes k slots of its row one after the other; rows fill whole beats, at least one each.

    Raises
    ------
    DoesNotFit
        The program takes more beats than ``beats_max``; ``backend`` is named.
    """
    n, is_clamped = program.n, np.zeros(program.n, dtype=bool)
    is_clamped[clamped] = True
    order = np.concatenate([program.order[~is_clamped[program.order]], program.order[is_clamped[program.order]]]).astype(np.int32)
    row, spin, coupling, chain = _slots_in_row_order(program, order)
    used = np.bincount(row, minlength=n)
    beats = np.maximum(1, -(-used // slots))
    total, executed = int(beats.sum()), n - int(is_clamped.sum())
    if total > beats_max:
        raise DoesNotFit(
            f"the program's rows take {total} beats of {slots} slots ({int(used.sum())} spin reads), backend {backend!r} takes {beats_max}; "
            "drop terms, split the model, or use get_backend('cpu')"
        )
    owner = np.repeat(order.astype(np.int64), beats * slots)
    # Where slot k of a row's own lies among all slots.
    at = np.arange(row.size) + np.repeat((np.cumsum(beats) - beats) * slots - (np.cumsum(used) - used), used)
    columns = {"spin": owner, "coupling": np.zeros(owner.size, dtype=np.int64), "chain": np.zeros(owner.size, dtype=np.int64)}
    for name, values in (("spin", spin), ("coupling", coupling), ("chain", chain)):
        columns[name][at] = values
    packet = PROBLEM.encode(
        {"job_id": 0, "program_id": 0, "rows_executed": executed, "slots_per_beat": slots},
        {"row": {"spin": order, "bias": program.bias[order], "beats": beats}, "slot": columns},
    )
    digest = sha256(packet.astype("<u8").tobytes()).hexdigest()
    program_id = int(digest[:8], 16)
    PROBLEM.put(packet, {"program_id": program_id})
    plus = -int(program.bias.sum(dtype=np.int64)) - sum(int(block.weights.astype(np.int64).sum()) for block in program.blocks)
    return PackedProblem(digest, program_id, order, executed, total, int(beats[:executed].sum()), plus, packet)


def _slots_in_row_order(program: Program, order: npt.NDArray[np.int32]) -> tuple[Int64Array, Int64Array, Int64Array, Int64Array]:
    """Return (row, spin, coupling, chain) of all slots that are used, int64, by row, terms of a row in the order of the program."""
    row_of = np.empty(program.n, dtype=np.int64)
    row_of[order] = np.arange(program.n)
    parts: list[tuple[Int64Array, ...]] = []
    first = 0
    for block in program.blocks:
        terms, width = block.weights.size, block.order - 1
        for column in range(block.order):
            row = np.repeat(row_of[block.spins[:, column]], width)
            term = np.repeat(np.arange(first, first + terms), width)
            others = np.delete(block.spins, column, axis=1).astype(np.int64).ravel()
            last = np.tile(np.arange(width) == width - 1, terms)
            parts.append((row, term, others, np.where(last, np.repeat(block.weights.astype(np.int64), width), 0), 1 - last.astype(np.int64)))
        first += terms
    if not parts:
        nothing = np.zeros(0, dtype=np.int64)
        return nothing, nothing, nothing, nothing
    row, term, others, coupling, chain = (np.concatenate(column) for column in zip(*parts, strict=True))
    # Stable: the slots of a term stay in order.
    rank = np.argsort(row * first + term, kind="stable")
    return row[rank], others[rank], coupling[rank], chain[rank]


def words_of_states(states: Int8Array) -> Beats:
    """Return states (lanes, n) of -1 or +1 as state words, uint64 (n,): bit r is 1 where lane r is at -1."""
    bits = np.zeros((states.shape[1], LANES_LIMIT), dtype=np.uint8)
    bits[:, : states.shape[0]] = states.T < 0
    words: Beats = np.packbits(bits, axis=1, bitorder="little").view("<u8")[:, 0].astype(np.uint64, copy=False)
    return words


def bits_of_words(words: Beats, lanes: int) -> npt.NDArray[np.uint8]:
    """Return the lowest ``lanes`` bits of words (n,) as uint8 (lanes, n)."""
    raw = np.ascontiguousarray(words, dtype="<u8").view(np.uint8).reshape(words.size, LANES_LIMIT // 8)
    bits: npt.NDArray[np.uint8] = np.unpackbits(raw, axis=1, bitorder="little", count=lanes).T
    return bits


def states_of_words(words: Beats, lanes: int) -> Int8Array:
    """Return state words (n,) as int8 (lanes, n) of -1 or +1."""
    states: Int8Array = np.ascontiguousarray(1 - 2 * bits_of_words(words, lanes).view(np.int8))
    return states


def numbers_of_planes(planes: Beats, lanes: int, signed: bool) -> Int64Array:
    """Return the number of each lane, int64 (lanes,), from bit planes, lowest first; ``signed`` for two's complement."""
    weights = np.int64(1) << np.arange(planes.size, dtype=np.int64)
    if signed:
        weights[-1] = -weights[-1]
    numbers: Int64Array = bits_of_words(planes, lanes).astype(np.int64) @ weights
    return numbers
