"""Similarity: how alike two sessions are, from vectors, a caller's matrix or a caller's function."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, final

import numpy as np
import numpy.typing as npt

from ebmhw.errors import ValidationError, shown
from ebmhw.karl.selection.features import cosines, session_vectors
from ebmhw.karl.trajectory import Trajectory
from ebmhw.numbers import real_number, real_numbers

FloatMatrix = npt.NDArray[np.float32]

MATRIX_LIMIT = 2048
"""Sessions up to which a function is asked about all pairs at once, two million."""

_ROWS = 512
"""Sessions whose similarities to the chosen ones are held at once."""


@final
class Similarity:
    """Similarities of sessions, looked up as they are needed: a matrix of all of a large store never stands in memory.

    Parameters
    ----------
    trajectories : the n sessions
    source : None for the cosines of `session_vectors`; an array (n, n), finite and symmetric; or a function of two sessions, which is asked
        about pairs with the earlier session first

    Raises
    ------
    ValidationError : the array or what the function returns is not what it has to be
    """

    def __init__(self, trajectories: Sequence[Trajectory], source: npt.ArrayLike | Callable[[Trajectory, Trajectory], float] | None = None) -> None:
        self._trajectories = trajectories
        self._vectors: npt.NDArray[np.float32] | None = None
        self._matrix: npt.NDArray[np.float64] | None = None
        self._function: Callable[[Trajectory, Trajectory], float] | None = None
        if source is None:
            self._vectors = session_vectors(trajectories)
        elif callable(source):
            self._function = source
            if len(trajectories) <= MATRIX_LIMIT:
                every = np.arange(len(trajectories))
                self._matrix = self.between(every, every).astype(np.float64)
        else:
            self._matrix = _checked(source, len(trajectories))

    def among(self, places: npt.NDArray[np.int64]) -> FloatMatrix:
        """Return the similarities of some sessions to each other, float32 (m, m), 0 on the diagonal."""
        made = self.between(places, places)
        np.fill_diagonal(made, 0.0)
        return made

    def between(self, rows: npt.NDArray[np.int64], columns: npt.NDArray[np.int64]) -> FloatMatrix:
        """Return the similarities of sessions to others, float32; a session's to itself is 1."""
        if self._vectors is not None:
            made = cosines(self._vectors[rows], self._vectors[columns])
        elif self._matrix is not None:
            made = self._matrix[np.ix_(rows, columns)].astype(np.float32)
        else:
            made = np.empty((rows.size, columns.size), dtype=np.float32)
            mirrored = rows is columns
            for row, i in enumerate(rows.tolist()):
                for column, j in enumerate(columns.tolist()):
                    # Each pair of a square is asked about once.
                    made[row, column] = made[column, row] if mirrored and column < row else self._ask(i, j)
        made[rows[:, None] == columns[None, :]] = 1.0
        return made

    def column(self, place: int) -> npt.NDArray[np.float64]:
        """Return the similarities of all sessions to one, (n,), to five digits; its own is none that counts."""
        if self._vectors is not None:
            cosine: npt.NDArray[np.float64] = np.round((self._vectors @ self._vectors[place]).astype(np.float64), 5)
            return cosine
        if self._matrix is not None:
            column: npt.NDArray[np.float64] = self._matrix[:, place]
            return column
        return np.array([self._ask(i, place) for i in range(len(self._trajectories))])

    def together(self, chosen: npt.NDArray[np.int64]) -> float:
        """Return the sum of the similarities of the pairs of some sessions."""
        blocks = (self.between(chosen[start : start + _ROWS], chosen) for start in range(0, chosen.size, _ROWS))
        # A session's similarity to itself is 1, and each other pair stands there twice.
        return (sum(float(block.sum(dtype=np.float64)) for block in blocks) - chosen.size) / 2.0

    def nearest(self, rows: npt.NDArray[np.int64], chosen: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """Return the largest similarity of each of some sessions to a chosen one, (m,)."""
        blocks = [self.between(rows[start : start + _ROWS], chosen).max(axis=1, initial=-np.inf) for start in range(0, rows.size, _ROWS)]
        return np.concatenate(blocks).astype(np.float64) if blocks else np.zeros(0)

    def _ask(self, i: int, j: int) -> float:
        if i == j:
            return 1.0
        assert self._function is not None
        first, second = self._trajectories[min(i, j)], self._trajectories[max(i, j)]
        what = f"the similarity of {first.id} and {second.id}"
        try:
            value = self._function(first, second)
        except Exception as error:  # a caller's function raises what it likes
            raise ValidationError(
                f"{what} cannot be told: the function raised {type(error).__name__}: {' '.join(str(error).split())[:200]}"
            ) from error
        return _number(value, what)


def _checked(source: Any, n: int) -> npt.NDArray[np.float64]:
    try:
        matrix = real_numbers(source, "similarities")
    except ValueError as error:
        raise ValidationError(str(error)) from None
    if matrix.shape != (n, n):
        raise ValidationError(f"similarities have shape {matrix.shape}; give ({n}, {n}), a row and a column a session")
    if not np.isfinite(matrix).all():
        row, column = np.argwhere(~np.isfinite(matrix))[0].tolist()
        raise ValidationError(f"the similarity of sessions {row} and {column} is {shown(matrix[row, column])}; give finite numbers")
    if float(np.abs(matrix).max(initial=0.0)) > 1e30:
        raise ValidationError("similarities go beyond 1e30; divide them")
    apart = np.abs(matrix - matrix.T)
    # What a product of matrices in float32 leaves.
    if apart.size and float(apart.max()) > 1e-5 * max(1.0, float(np.abs(matrix).max())):
        row, column = np.unravel_index(int(apart.argmax()), apart.shape)
        raise ValidationError(
            f"the similarity of sessions {row} and {column} is {matrix[row, column]:g} one way and {matrix[column, row]:g} the other; "
            "give a symmetric matrix, such as (S + S.T) / 2"
        )
    made: npt.NDArray[np.float64] = (matrix + matrix.T) / 2.0
    return made


def _number(value: object, what: str) -> float:
    try:
        number = real_number(value, what)
    except ValueError as error:
        raise ValidationError(str(error)) from None
    if abs(number) > 1e30:
        raise ValidationError(f"{what} is {number:g}; divide similarities, at most 1e30 is allowed")
    return number
