"""Batches of chains in the arrangement of a kernel."""

from __future__ import annotations

import ctypes
from abc import ABC, abstractmethod
from typing import Any, final

import numpy as np
import numpy.typing as npt

from ebmhw.contract.formats import RULES
from ebmhw.contract.stream import STATE_WORDS
from ebmhw.native.encoded import EncodedProgram, LinkedProgram
from ebmhw.native.library import (
    INSTRUCTION_SETS,
    LANES,
    SLOT_OF,
    ChainsStruct,
    KeepStruct,
    SinglesStruct,
    aligned,
    library,
)


class Batch(ABC):
    """The chains of consecutive reads, in the arrangement of one kernel.

    Attributes
    ----------
    reads : number of chains
    units : what `sweeps` counts in: chains, or groups of them
    energy, flips, best_energy, best_sweep : int64, (units, chains of a unit); use `per_read`
    """

    reads: int
    units: int
    energy: npt.NDArray[np.int64]
    flips: npt.NDArray[np.int64]
    best_energy: npt.NDArray[np.int64]
    best_sweep: npt.NDArray[np.int64]

    @abstractmethod
    def set_random(self, states: npt.NDArray[np.uint32]) -> None:
        """Take the random states of the reads, uint32 (reads, 4)."""

    @abstractmethod
    def random_states(self) -> npt.NDArray[np.uint32]:
        """Return the random states of the reads, uint32 (reads, 4)."""

    @abstractmethod
    def draw_states(self) -> None:
        """Draw initial states from the reads' own random streams."""

    @abstractmethod
    def set_spins(self, states: npt.NDArray[np.int8], best: bool = False) -> None:
        """Take given states, int8 (reads, n); with ``best``, as the best states."""

    @abstractmethod
    def clamp(self, spins: npt.NDArray[np.int32], values: npt.NDArray[np.int8]) -> None:
        """Write clamp values, int8 (reads, clamps), over the states."""

    @abstractmethod
    def take_best(self) -> None:
        """Make the states (before `begin`) the best states."""

    @abstractmethod
    def begin(self) -> None:
        """Compute what sweeps start from, energies among it; states are final from here on but for sweeps."""

    @abstractmethod
    def sweeps(self, first: int, stop: int, words: npt.NDArray[np.uint32], done: int, rule: str, keep: Keep) -> None:
        """Run one sweep a word on units first..stop-1; ``done`` sweeps came before."""

    @abstractmethod
    def states(self, out: npt.NDArray[np.int8], best: bool = False) -> None:
        """Write the states (or best states) of all reads to ``out``, int8 (reads, n), contiguous."""

    @final
    def per_read(self, array: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return one of the arrays of this batch as (reads,)."""
        values: npt.NDArray[np.int64] = array.reshape(-1)[: self.reads].copy()
        return values

    @final
    def set_per_read(self, array: npt.NDArray[np.int64], values: npt.NDArray[np.int64]) -> None:
        """Write (reads,) values to one of the arrays of this batch."""
        array.reshape(-1)[: self.reads] = values


@final
class Keep:
    """Which samples to keep, and where: after sweeps burn_in + every, burn_in + 2 every, ... in ``kept`` int8 (reads, kept, n), or nowhere."""

    def __init__(self, kept: npt.NDArray[np.int8] | None, burn_in: int, every: int) -> None:
        self._kept = kept
        self._burn_in, self._every = burn_in, every

    def struct(self, reads: int) -> KeepStruct:
        """Return the kernel's structure for a batch of ``reads`` chains."""
        if self._kept is None or self._kept.shape[1] == 0:
            return KeepStruct(None, 0, 0, 0, reads)
        return KeepStruct(self._kept.ctypes.data, self._kept.shape[1], self._burn_in, self._every, reads)


@final
class LaneBatch(Batch):
    """Groups of 32 chains, a chain a byte lane; lanes past the last read run along and are dropped.

    Arrays are (groups, ...): spins (n (+ copies), 32) masks, random (4, 32), energies and counts (32,).
    """

    def __init__(self, encoded: EncodedProgram, reads: int, instruction_set: str) -> None:
        self._encoded, self.reads, self._n = encoded, reads, encoded.flat.n
        self.units = g = -(-reads // LANES)
        n = self._n
        self._spins = aligned((g, n * (1 + encoded.struct.complement) + 1, LANES), np.uint8)
        self._best = aligned((g, n, LANES), np.uint8)
        self._random = aligned((g, STATE_WORDS, LANES), np.uint32)
        self.energy, self.flips, self.best_energy, self.best_sweep = (aligned((g, LANES), np.int64) for _ in range(4))
        self._paired = aligned((g, (n + 1) // 2, 2 * LANES), np.uint8) if encoded.struct.pairs else None
        if self._paired is not None:
            self._paired[:] = 0
        arrays = (self._spins, self._paired, self._best, self._random, self.energy, self.flips, self.best_energy, self.best_sweep)
        self._struct = ChainsStruct(*(None if a is None else a.ctypes.data for a in arrays))
        self._instruction_set = INSTRUCTION_SETS.index(instruction_set)

    def set_random(self, states: npt.NDArray[np.uint32]) -> None:
        self._random[:, :, SLOT_OF] = self._by_group(states).transpose(0, 2, 1)

    def random_states(self) -> npt.NDArray[np.uint32]:
        states = self._random[:, :, SLOT_OF].transpose(0, 2, 1).reshape(-1, STATE_WORDS)
        result: npt.NDArray[np.uint32] = states[: self.reads].copy()
        return result

    def draw_states(self) -> None:
        library().ebmhw_draw_states(ctypes.byref(self._encoded.struct), ctypes.byref(self._struct), self.units)

    def set_spins(self, states: npt.NDArray[np.int8], best: bool = False) -> None:
        target = self._best if best else self._spins[:, : self._n]
        np.copyto(target, self._by_group(states).transpose(0, 2, 1) < 0, casting="unsafe")
        np.negative(target, out=target)

    def clamp(self, spins: npt.NDArray[np.int32], values: npt.NDArray[np.int8]) -> None:
        self._spins[:, spins] = np.where(self._by_group(values).transpose(0, 2, 1) < 0, 255, 0).astype(np.uint8)

    def take_best(self) -> None:
        self._best[:] = self._spins[:, : self._n]

    def begin(self) -> None:
        flat = self._encoded.flat
        arrays = (a.ctypes.data for a in (flat.first, flat.members, flat.weights))
        structs = (ctypes.byref(self._encoded.struct), ctypes.byref(self._struct))
        library().ebmhw_begin(*structs, self.units, flat.bias.ctypes.data, flat.weights.size, *arrays)

    def sweeps(self, first: int, stop: int, words: npt.NDArray[np.uint32], done: int, rule: str, keep: Keep) -> None:
        structs = (ctypes.byref(self._encoded.struct), ctypes.byref(self._struct))
        kept = ctypes.byref(keep.struct(self.reads))
        library().ebmhw_sweeps(*structs, first, stop, words.ctypes.data, words.size, done, RULES.index(rule), kept, self._instruction_set)

    def states(self, out: npt.NDArray[np.int8], best: bool = False) -> None:
        library().ebmhw_unpack(ctypes.byref(self._encoded.struct), ctypes.byref(self._struct), self.reads, best, out.ctypes.data)

    def _by_group(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return (reads, k) as (groups, 32, k); lanes past the last read repeat read 0."""
        spare = self.units * LANES - self.reads
        padded = np.concatenate([values, np.repeat(values[:1], spare, axis=0)]) if spare else values
        return padded.reshape(self.units, LANES, values.shape[1])


@final
class SingleBatch(Batch):
    """Single chains, each with the fields of all its spins."""

    def __init__(self, linked: LinkedProgram, reads: int) -> None:
        self._linked, self.reads, self.units = linked, reads, reads
        self._n = linked.flat.n
        self._spins, self._best = (aligned((reads, self._n), np.int8) for _ in range(2))
        self._fields = aligned((reads, self._n), np.int32)
        self._random = aligned((reads, STATE_WORDS), np.uint32)
        self.energy, self.flips, self.best_energy, self.best_sweep = (aligned((reads, 1), np.int64) for _ in range(4))
        arrays = (self._spins, self._best, self._fields, self._random)
        counts = (self.energy, self.flips, self.best_energy, self.best_sweep)
        self._struct = SinglesStruct(*(a.ctypes.data for a in (*arrays, *counts)))

    def set_random(self, states: npt.NDArray[np.uint32]) -> None:
        self._random[:] = states

    def random_states(self) -> npt.NDArray[np.uint32]:
        states: npt.NDArray[np.uint32] = self._random.copy()
        return states

    def draw_states(self) -> None:
        library().ebmhw_single_draw_states(self._n, ctypes.byref(self._struct), self.reads)

    def set_spins(self, states: npt.NDArray[np.int8], best: bool = False) -> None:
        (self._best if best else self._spins)[:] = states

    def clamp(self, spins: npt.NDArray[np.int32], values: npt.NDArray[np.int8]) -> None:
        self._spins[:, spins] = values

    def take_best(self) -> None:
        self._best[:] = self._spins

    def begin(self) -> None:
        structs = (ctypes.byref(self._linked.links), ctypes.byref(self._struct))
        library().ebmhw_single_begin(self._n, self._linked.flat.bias.ctypes.data, *structs, self.reads)

    def sweeps(self, first: int, stop: int, words: npt.NDArray[np.uint32], done: int, rule: str, keep: Keep) -> None:
        structs = (ctypes.byref(self._linked.links), ctypes.byref(self._struct))
        kept = ctypes.byref(keep.struct(self.reads))
        library().ebmhw_single_sweeps(
            ctypes.byref(self._linked.struct), *structs, first, stop, words.ctypes.data, words.size, done, RULES.index(rule), kept
        )

    def states(self, out: npt.NDArray[np.int8], best: bool = False) -> None:
        out[:] = self._best if best else self._spins


def make_batch(prepared: EncodedProgram | LinkedProgram, reads: int, instruction_set: str) -> Batch:
    """Return room for the chains of ``reads`` reads of a prepared program; the instruction set is that of the lanes."""
    return LaneBatch(prepared, reads, instruction_set) if isinstance(prepared, EncodedProgram) else SingleBatch(prepared, reads)
