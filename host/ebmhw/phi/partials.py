"""PhiPartials: what shards of a vocabulary came to, and their merge into records."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from typing import Any, final

import numpy as np
import numpy.typing as npt

from ebmhw.contract.phi_formats import ENTRIES_LIMIT, NO_POSITION, WEIGHT_FRACTION_BITS, inverse_log2
from ebmhw.errors import InvalidLogits
from ebmhw.phi.arguments import whole_number
from ebmhw.phi.finish import records_of
from ebmhw.phi.layout import FLAG, PARTIAL
from ebmhw.phi.merge import merged
from ebmhw.phi.records import PhiRecords, array_from_bytes, frozen

_SHARED = ("backend", "chosen_because", "source", "device", "rows", "arrays")
"""What a merge keeps of how its shards were made, where all agree."""


@final
class PhiPartials:
    """Sums of rows (...) over a shard of their vocabulary, or over several that were merged.

    The order and the tree of merges do not change a bit, and `records` of all shards are those of the whole rows, but for one thing: a shard
    says of its largest entry the position and z, so where the largest entries of two shards have the very same z, argmax is the lower position
    of the two, whichever logit was larger below the precision of z (2^-10 of a factor of two).

    Parameters
    ----------
    array : (...) of dtype `ebmhw.phi.layout.PARTIAL`; copied unless nothing can write it
    info : how they were made; of a merge, what all shards have in common (backend, source, device, rows)
    """

    __slots__ = ("_array", "info")
    __hash__ = None  # type: ignore[assignment]  # equal by content, like arrays

    def __init__(self, array: npt.NDArray[np.void], info: dict[str, Any] | None = None) -> None:
        self._array: npt.NDArray[np.void] = frozen(array, PARTIAL, "partials")
        if not np.all(self._array["flags"] & FLAG["partial"]):
            raise InvalidLogits("these are records of whole rows, without the flag PARTIAL; give what phi_partial returns")
        empty, s = self._array["valid"] == 0, self._array["sums"][..., 0]
        flagged = self._array["flags"] & FLAG["empty"] != 0
        # The weight of the largest entry is in bin 0.
        if np.any((s < 0).any(axis=-1) | (empty != flagged) | (~empty & (s[..., 0] < 1 << WEIGHT_FRACTION_BITS))):
            raise InvalidLogits("these are no partials: their sums are not those of as many entries; give what phi_partial or to_bytes returned")
        self.info: dict[str, Any] = {} if info is None else info

    @property
    def array(self) -> npt.NDArray[np.void]:
        """The partials themselves, read-only, of dtype `ebmhw.phi.layout.PARTIAL`."""
        return self._array

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the rows."""
        return self._array.shape

    @property
    def entries(self) -> npt.NDArray[np.int64]:
        """Entries that were seen of each row, of any kind; 0 for one that a mask left out."""
        valid, masked, excluded = (self._array[name].astype(np.int64) for name in ("valid", "masked", "excluded"))
        array: npt.NDArray[np.int64] = (valid + masked + excluded)[()]
        return array

    @staticmethod
    def merge(shards: Iterable[PhiPartials]) -> PhiPartials:
        """Return the partials of all shards together, in any order; ``a + b`` merges two.

        Raises
        ------
        InvalidLogits
            for shards of different rows, and for shards that overlap as far as partials show it: both have the chosen or the largest entry,
            or they have more entries together than a vocabulary.
        """
        parts = list(shards)
        for part in parts:
            if not isinstance(part, PhiPartials):
                raise InvalidLogits(f"a shard is a {type(part).__name__}; give PhiPartials, as phi_partial returns")
        if not parts:
            raise InvalidLogits("there are no shards to merge; give one or more")
        return reduce(PhiPartials.__add__, parts)

    def __add__(self, other: PhiPartials) -> PhiPartials:
        if not isinstance(other, PhiPartials):
            return NotImplemented
        if self.shape != other.shape:
            raise InvalidLogits(f"shards have shapes {self.shape} and {other.shape}; merge shards of the same rows")
        shared = {name: self.info[name] for name in _SHARED if name in self.info and name in other.info and self.info[name] == other.info[name]}
        return PhiPartials(merged(self._array, other._array), shared)

    def records(self, vocab_size: int | None = None) -> PhiRecords:
        """Return the records of the whole rows.

        Parameters
        ----------
        vocab_size : entries of the vocabulary; those seen, where left out

        Raises
        ------
        InvalidLogits
            where rows have seen fewer or more entries: shards are missing, or there twice.
        """
        entries = np.atleast_1d(self.entries)
        seen = np.unique(entries[entries > 0])
        size = whole_number(vocab_size, "vocab_size", 2, ENTRIES_LIMIT, int(seen[0]) if seen.size else 2, "it is that of all shards")
        wrong = seen[seen != size]
        if wrong.size:
            row = int(np.flatnonzero(entries == wrong[0])[0])
            differ = f"rows have seen {seen[0]} to {seen[-1]} entries: give the same mask for all shards, and " if seen.size > 1 else ""
            raise InvalidLogits(f"row {row} has seen {wrong[0]} of {size} entries; {differ}merge all shards, each once, with its own first_entry")
        if not 2 <= size <= ENTRIES_LIMIT:
            raise InvalidLogits(f"the shards have {size} entries; a vocabulary has 2 to {ENTRIES_LIMIT}")
        for name in ("argmax", "chosen"):
            at = self._array[name].reshape(-1).astype(np.int64)
            beyond = np.flatnonzero((at >= size) & (at != NO_POSITION))
            if beyond.size:
                raise InvalidLogits(
                    f"{name} of row {beyond[0]} is at {at[beyond[0]]}, beyond the {size} entries of the vocabulary; "
                    "give each shard its own first_entry"
                )
        return PhiRecords(records_of(self._array.reshape(-1), inverse_log2(size)).reshape(self.shape), self.info)

    def __getitem__(self, index: Any) -> PhiPartials:
        return PhiPartials(self._array[index], self.info)

    def __len__(self) -> int:
        return len(self._array)

    def to_bytes(self) -> bytes:
        """Return the partials in C order, 1096 bytes each, as the hardware sends them."""
        return self._array.tobytes()

    @classmethod
    def from_bytes(cls, data: bytes | bytearray | memoryview, shape: tuple[int, ...] | None = None) -> PhiPartials:
        """Return what `to_bytes` gave; shape (n,) where none is given."""
        return cls(array_from_bytes(data, shape, PARTIAL, "partials"))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, PhiPartials):
            return NotImplemented
        return self.shape == other.shape and self.to_bytes() == other.to_bytes()

    def __reduce__(self) -> tuple[Any, ...]:
        return PhiPartials, (self._array, self.info)

    def __repr__(self) -> str:
        entries = np.unique(self.entries)
        span = "no entries" if not entries.size else f"{entries[0]} entries" if entries.size == 1 else f"{entries[0]} to {entries[-1]} entries"
        return f"PhiPartials(shape {self.shape}, {span})"
