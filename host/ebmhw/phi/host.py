"""Rows of logits measured by the native kernel, on several threads."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt

from ebmhw.contract.phi_formats import NO_POSITION
from ebmhw.native.phi import PhiRows
from ebmhw.phi.layout import PARTIAL, RECORD
from ebmhw.phi.logits import HostLogits, Words
from ebmhw.phi.request import PhiRequest

_COPY_BYTES = 4 << 20
"""Rows that are copied, since their bytes are in another order or they lie in many small places, are copied by as many as this."""

_MATRIX_ENTRIES = 1 << 15
"""Entries of a place from which on it is measured where it is. A place takes 0.2 ms, copying an entry 1 to 2 ns; rows of a language model stay."""

ONE_THREAD_ENTRIES = 1 << 17
"""Entries up to which one thread is done, in about 0.2 ms, before others have started."""

_GAP_ENTRIES = 1 << 13
"""Entries of rows that nobody asked for and that are measured all the same: faster than another call of the kernel, some 20 us."""


def measure(request: PhiRequest, logits: HostLogits, threads: int) -> npt.NDArray[np.void]:
    """Return the records, or partials, of a request whose logits lie in the host's memory."""
    answers = np.zeros(request.count, dtype=PARTIAL if request.partial else RECORD)
    with _Threads(threads if request.count * request.entries > ONE_THREAD_ENTRIES else 1) as pool:
        if logits.words.dtype.isnative and logits.matrix_entries >= min(_MATRIX_ENTRIES, logits.words.size):
            _measure_in_place(request, logits, answers, pool)
        else:
            step = max(1, _COPY_BYTES // (request.entries * logits.words.itemsize))
            for start in range(0, request.count, step):
                if request.stop.now:
                    break
                stop = min(start + step, request.count)
                rows = _rows_of(request, request.bits(start, stop), request.format, request.chosen[start:stop])
                pool.run(request, [(rows, 0, stop - start)])
                answers[start:stop] = _taken(request, rows, slice(None))
    answers["job_id"] = request.token_ids
    return answers


def _measure_in_place(request: PhiRequest, logits: HostLogits, answers: npt.NDArray[np.void], pool: _Threads) -> None:
    work: list[tuple[PhiRows, int, int]] = []
    taken: list[tuple[PhiRows, slice, npt.NDArray[np.int64]]] = []
    first = done = 0
    for matrix in logits.matrices:
        stop = int(np.searchsorted(request.row_numbers, first + len(matrix)))
        local = request.row_numbers[done:stop] - first
        if local.size:
            chosen = np.full(len(matrix), NO_POSITION, dtype=np.int64)
            chosen[local] = request.chosen[done:stop]
            rows = _rows_of(request, matrix, logits.source, chosen)
            work += [(rows, a, b) for a, b in _runs(local, _GAP_ENTRIES // request.entries)]
            taken.append((rows, slice(done, stop), local))
        first, done = first + len(matrix), stop
    pool.run(request, work)
    for rows, where, local in taken:
        answers[where] = _taken(request, rows, local)


def _rows_of(request: PhiRequest, words: Words, form: str, chosen: npt.NDArray[np.integer]) -> PhiRows:
    # bfloat16 stays uint16.
    entries = words if form == "bfloat16" else words.view(form)
    return PhiRows(entries, form, request.inverse, chosen.astype(np.int64), request.first_entry, request.partial)


def _taken(request: PhiRequest, rows: PhiRows, which: npt.NDArray[np.int64] | slice) -> npt.NDArray[np.void]:
    """Return the answers to some of the rows."""
    records = rows.records[which]
    if not request.partial:
        return records
    assert rows.kmax is not None and rows.s is not None and rows.t is not None
    result = np.zeros(records.shape, dtype=PARTIAL)
    for name in RECORD.names or ():
        result[name] = records[name]
    result["kmax"] = rows.kmax[which]
    result["sums"][..., 0], result["sums"][..., 1] = rows.s[which], rows.t[which]
    return result


def _runs(numbers: npt.NDArray[np.int64], gap: int) -> Iterator[tuple[int, int]]:
    """Yield the runs start..stop-1 that ascending numbers make, those with up to ``gap`` numbers between them as one."""
    breaks = np.flatnonzero(np.diff(numbers) > 1 + gap)
    first, last = np.concatenate([[0], breaks + 1]), np.concatenate([breaks, [numbers.size - 1]])
    yield from zip(numbers[first].tolist(), (numbers[last] + 1).tolist(), strict=True)


class _Threads:
    """Threads that share rows, or the calling thread where one is enough."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._pool = ThreadPoolExecutor(count, thread_name_prefix="ebmhw") if count > 1 else None

    def __enter__(self) -> _Threads:
        return self

    def __exit__(self, *exception: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)

    def run(self, request: PhiRequest, work: list[tuple[PhiRows, int, int]]) -> None:
        """Measure rows start..stop-1 of each, in slices of a few hundredths of a second; returns early once ``request.stop.now``."""

        def one(part: tuple[PhiRows, int, int]) -> None:
            rows, start, stop = part
            if not request.stop.now:
                rows.run(start, stop)

        slices = []
        for rows, start, stop in work:
            step = self._step(rows, stop - start)
            slices += [(rows, at, min(at + step, stop)) for at in range(start, stop, step)]
        if self._pool is None or len(slices) == 1:
            for part in slices:
                one(part)
        else:
            list(self._pool.map(one, slices))

    def _step(self, rows: PhiRows, count: int) -> int:
        return int(max(1, min(rows.slice_rows, -(-count // self._count))))
