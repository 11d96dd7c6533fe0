"""Data that are learned from: rows of -1 and +1, and which of them a step takes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ebmhw.errors import InvalidModel, shown
from ebmhw.streams import random_states


def spin_rows(data: npt.ArrayLike, columns: int, what: str) -> npt.NDArray[np.int8]:
    """Return data as int8 (rows, columns) of its own, at least one row; InvalidModel names a value that is not -1 or +1, and its place."""
    try:
        array = np.asarray(data)
    except ValueError:
        raise InvalidModel(f"{what} are no rectangular array; give rows of {columns} values") from None
    if array.ndim != 2 or array.shape[1] != columns or not len(array):
        raise InvalidModel(f"{what} have shape {array.shape}; give (rows, {columns}), at least one row, a column for each visible spin")
    if array.dtype.kind not in "iuf":
        raise InvalidModel(f"{what} are of type {array.dtype}; give numbers, -1 or +1")
    wrong = (array != 1) & (array != -1)
    if wrong.any():
        row, column = (int(i) for i in np.argwhere(wrong)[0])
        hint = "; of bits 0 and 1, give 2 x - 1" if set(np.unique(array).tolist()) <= {0, 1} else ""
        raise InvalidModel(f"{what} hold {shown(array[row, column])} at row {row}, column {column}; every value is -1 or +1{hint}")
    return array.astype(np.int8)


def batch_rows(rows: int, batch: int, step: int, seed: int) -> npt.NDArray[np.int64]:
    """Return the rows of step's batch, (batch,): each epoch takes the rows in an order of its own, by the project's own hash."""
    per_epoch = max(1, rows // batch)
    epoch, place = divmod(step, per_epoch)
    keys = random_states((seed + 0x9E3779B97F4A7C15 * (epoch + 1)) % 2**64, np.arange(rows, dtype=np.uint32))
    order = np.lexsort((keys[:, 1], keys[:, 0]))
    return order[place * batch : (place + 1) * batch]
