"""PhiRequest: the checked arguments of a measurement, the same for every backend."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, final

import numpy as np
import numpy.typing as npt

from ebmhw.contract.phi_formats import ENTRIES_LIMIT, NO_POSITION, inverse_log2
from ebmhw.errors import InvalidLogits, shown
from ebmhw.phi.arguments import array_of, whole_number
from ebmhw.phi.logits import Logits, Words, logits_of

if TYPE_CHECKING:
    from ebmhw.backends.stop import Stop

IGNORED = -100
"""A ``chosen`` that stands for none, as in the labels of Hugging Face's trainers."""

_ROWS_LIMIT = 2**32


@final
@dataclass(frozen=True, eq=False)
class PhiRequest:
    """Rows to measure, checked; those that a mask leaves out are not among them.

    Attributes
    ----------
    logits : the caller's array, cut to the columns that count
    shape : (...) of the result
    row_numbers : int64 (count,), ascending; the rows of ``logits`` in C order
    chosen : uint32 (count,), positions in the vocabulary, NO_POSITION for none; one outside of a shard's rows is none there
    inverse : INV of the vocabulary, 0 for a shard
    partial : True for a shard of a vocabulary
    first_entry : position of the rows' first entry
    stop : says when to return early, with anything
    info : what a backend has to say about how it measured
    """

    logits: Logits
    shape: tuple[int, ...]
    row_numbers: npt.NDArray[np.int64]
    chosen: npt.NDArray[np.uint32]
    inverse: int
    partial: bool
    first_entry: int
    stop: Stop
    info: dict[str, Any] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """Rows to measure."""
        return int(self.row_numbers.size)

    @property
    def entries(self) -> int:
        """Entries of a row."""
        return self.logits.shape[-1]

    @property
    def format(self) -> str:
        """Format of `bits`: "float16", "bfloat16" or "float32"."""
        return self.logits.format

    @property
    def token_ids(self) -> npt.NDArray[np.uint32]:
        """Token ids of the records, uint32 (count,)."""
        return self.row_numbers.astype(np.uint32)

    def bits(self, start: int, stop: int) -> Words:
        """Return rows start..stop-1 of this request as words (stop - start, entries), uint16 or uint32, C-contiguous, native byte order.

        A view of the caller's memory where that can be, else a copy of these rows.
        """
        return self.logits.bits(self.row_numbers[start:stop])


def make_phi_request(logits: Any, chosen: Any, vocab_size: int | None, mask: Any, stop: Stop) -> PhiRequest:
    """Return the request for whole rows; InvalidLogits names the argument that is wrong."""
    rows = _rows(logits)
    width = rows.shape[-1]
    size = width if width < 2 else whole_number(vocab_size, "vocab_size", 2, min(width, ENTRIES_LIMIT), width, f"each row has {width} entries")
    if not 2 <= size <= ENTRIES_LIMIT:
        remedy = "give logits (..., vocabulary)" if size < 2 else "give vocab_size if the rest is padding"
        raise InvalidLogits(f"logits of shape {rows.shape} have {size} entries a row, 2 to {ENTRIES_LIMIT} are measured; {remedy}")
    shape, numbers = rows.shape[:-1], _kept(mask, rows.shape[:-1])
    return PhiRequest(rows.columns(size), shape, numbers, _chosen(chosen, shape, numbers, size), inverse_log2(size), False, 0, stop)


def make_partial_request(logits: Any, first_entry: int, chosen: Any, mask: Any, vocab_size: int | None, stop: Stop) -> PhiRequest:
    """Return the request for a shard of a vocabulary, whose first column is entry ``first_entry``; errors as `make_phi_request`."""
    rows = _rows(logits)
    width = rows.shape[-1]
    limit = whole_number(vocab_size, "vocab_size", 2, ENTRIES_LIMIT, ENTRIES_LIMIT, "it is that of all shards")
    first = whole_number(first_entry, "first_entry", 0, limit - 1, None, "leave out shards that hold nothing but padding")
    size = width if vocab_size is None else min(width, limit - first)
    if size < 1 or first + size > ENTRIES_LIMIT:
        raise InvalidLogits(
            f"a shard of shape {rows.shape} that starts at entry {first} ends at {first + size}; "
            f"give at least one entry, and none from {ENTRIES_LIMIT} on"
        )
    shape, numbers = rows.shape[:-1], _kept(mask, rows.shape[:-1])
    return PhiRequest(rows.columns(size), shape, numbers, _chosen(chosen, shape, numbers, limit), 0, True, first, stop)


def _rows(logits: Any) -> Logits:
    rows = logits_of(logits)
    if not rows.shape:
        raise InvalidLogits("logits are a single number; give (V,), (T, V) or (..., T, V)")
    if int(np.prod(rows.shape[:-1], dtype=np.float64)) >= _ROWS_LIMIT:
        raise InvalidLogits(f"logits of shape {rows.shape} have {_ROWS_LIMIT} rows or more; give them in parts")
    return rows


def _same_shape(array: npt.NDArray[Any], shape: tuple[int, ...], what: str) -> None:
    if array.shape != shape:
        raise InvalidLogits(f"{what} has shape {array.shape}, but the logits have rows of shape {shape}; give one value a row")


def _kept(mask: Any, shape: tuple[int, ...]) -> npt.NDArray[np.int64]:
    if mask is None:
        return np.arange(int(np.prod(shape, dtype=np.int64)), dtype=np.int64)
    array = array_of(mask, "mask")
    _same_shape(array, shape, "mask")
    if not array.size:
        return np.zeros(0, dtype=np.int64)
    if array.dtype.kind not in "biu" or not np.isin(array, (0, 1)).all():
        bad = array.dtype if array.dtype.kind not in "biu" else shown(array[~np.isin(array, (0, 1))][0])
        raise InvalidLogits(f"mask holds {bad}; give True (measure the row) or False (leave it out) for each, or 1 and 0")
    return np.flatnonzero(array).astype(np.int64, copy=False)


def _chosen(chosen: Any, shape: tuple[int, ...], numbers: npt.NDArray[np.int64], limit: int) -> npt.NDArray[np.uint32]:
    if chosen is None:
        return np.full(numbers.size, NO_POSITION, dtype=np.uint32)
    array = array_of(chosen, "chosen")
    _same_shape(array, shape, "chosen")
    if array.dtype.kind not in "iu" and array.size:
        raise InvalidLogits(f"chosen has dtype {array.dtype}; give token ids as integers, {IGNORED} for none")
    picked = array.reshape(-1)[numbers]
    # As int64 the largest uint64 would be negative, and some of them IGNORED.
    ids = np.where(picked > ENTRIES_LIMIT, ENTRIES_LIMIT, picked.astype(np.int64)) if picked.dtype == np.uint64 else picked.astype(np.int64)
    none = ids == IGNORED
    bad = np.flatnonzero(~none & ((ids < 0) | (ids >= limit)))
    if bad.size:
        at = tuple(int(i) for i in np.unravel_index(int(numbers[bad[0]]), shape))
        place = f" of row {at if len(at) > 1 else at[0]}" if at else ""
        raise InvalidLogits(f"chosen{place} is {shown(picked[bad[0]])}; give a token id from 0 to {limit - 1}, or {IGNORED} for none")
    return np.where(none, NO_POSITION, ids).astype(np.uint32)
