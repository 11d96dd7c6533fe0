"""Constraints on when tasks start: order, exclusion, and the capacity of a resource. A point holds starts, in any unit of time."""

from __future__ import annotations

from itertools import combinations
from typing import Any, final

import numpy as np

from ebmhw.energy.arrays import IntArray, held, jnp, positions
from ebmhw.energy.constraint import TOLERANCE, BaseConstraint, positive
from ebmhw.errors import InvalidModel
from ebmhw.numbers import real_number
from ebmhw.problems.problem import listed

COVERS_LIMIT = 1 << 14
"""Sets of tasks that one capacity may forbid to run together."""


@final
class Order(BaseConstraint):
    """The second task starts when the first has ended, or later; the residual is by how much it is too early."""

    def __init__(self, input_dim: int, first: int, second: int, duration: float, *, name: str | None = None, tolerance: float = TOLERANCE) -> None:
        places = positions([first, second], "tasks", input_dim, 2)
        parameters = {"at": places, "duration": held(positive(duration, "the duration"), "the duration")}
        super().__init__(input_dim, parameters, (), name or f"task {first} before {second}", tolerance)

    @classmethod
    def residuals(cls, structure: Any, parameters: Any, x: Any) -> Any:
        """Return the time that is missing (1,), at least 0."""
        first, second = x[parameters["at"]]
        return jnp.maximum(first + parameters["duration"] - second, 0.0)[None]


@final
class Capacity(BaseConstraint):
    """At no time do the tasks that run take more than the capacity; a residual for each least set of tasks that would: how long all of it runs.

    Parameters
    ----------
    input_dim : length of a point
    at : positions of the tasks' starts (k,)
    durations : (k,), above 0
    demands : (k,) what each takes while it runs, at least 0
    capacity : how much there is, at least 0

    Raises
    ------
    InvalidModel
        for numbers out of range, a task that takes more than there is (it can never run), tasks that never exceed the capacity together, and
        more than 16,384 sets.
    """

    def __init__(
        self,
        input_dim: int,
        at: Any,
        durations: Any,
        demands: Any,
        capacity: float,
        *,
        name: str | None = None,
        tolerance: float = TOLERANCE,
    ) -> None:
        places = positions(at, "tasks", input_dim)
        lasting, taken = held(durations, "durations", places.size), held(demands, "demands", places.size)
        limit = real_number(capacity, "the capacity")
        for place, duration, demand in zip(places.tolist(), lasting.tolist(), taken.tolist(), strict=True):
            positive(duration, f"the duration of task {place}")
            if demand < 0 or demand > limit:
                raise InvalidModel(f"task {place} takes {demand:g} of a capacity of {limit:g}; give 0 to the capacity")
        sets = minimal_sets(taken.tolist(), limit)
        if not sets:
            raise InvalidModel(f"all tasks together take {taken.sum():g}, within the capacity {limit:g}; drop the constraint")
        width = max(map(len, sets))
        # A set is filled up with its own first task, which changes neither the last start nor the first end.
        members: IntArray = np.array([[*row, *[row[0]] * (width - len(row))] for row in sets], dtype=np.int32)
        parameters = {"members": places[members], "durations": lasting[members]}
        super().__init__(input_dim, parameters, (), name or f"tasks {listed(places.tolist())} within capacity {limit:g}", tolerance)

    @classmethod
    def residuals(cls, structure: Any, parameters: Any, x: Any) -> Any:
        """Return how long each set runs together (sets,), at least 0."""
        starts = x[parameters["members"]]
        return jnp.maximum(jnp.min(starts + parameters["durations"], axis=1) - jnp.max(starts, axis=1), 0.0)


@final
class Exclusion(BaseConstraint):
    """Two tasks do not run at the same time; the residual is how far one would have to move to end when the other starts."""

    def __init__(
        self,
        input_dim: int,
        first: int,
        second: int,
        durations: tuple[float, float],
        *,
        name: str | None = None,
        tolerance: float = TOLERANCE,
    ) -> None:
        places = positions([first, second], "tasks", input_dim, 2)
        lasting = held(durations, "durations", 2)
        for place, duration in zip((first, second), lasting.tolist(), strict=True):
            positive(duration, f"the duration of task {place}")
        super().__init__(input_dim, {"at": places, "durations": lasting}, (), name or f"tasks {first} and {second} do not overlap", tolerance)

    @classmethod
    def residuals(cls, structure: Any, parameters: Any, x: Any) -> Any:
        """Return the lesser distance to either order (1,), at least 0."""
        starts = x[parameters["at"]]
        ends = starts + parameters["durations"]
        return jnp.maximum(jnp.minimum(ends[0] - starts[1], ends[1] - starts[0]), 0.0)[None]


def minimal_sets(demands: list[float], capacity: float) -> list[tuple[int, ...]]:
    """Return the sets of tasks that exceed a capacity together and do not without any one of them; InvalidModel where they are too many."""
    found: list[tuple[int, ...]] = []
    order = sorted(range(len(demands)), key=lambda task: -demands[task])
    tried = 0
    for size in range(1, len(order) + 1):
        if sum(demands[task] for task in order[:size]) <= capacity:
            continue
        # If even the least `size` tasks exceed the capacity without one of them, no set of this size is minimal.
        if size > 1 and sum(sorted(demands)[: size - 1]) > capacity:
            break
        for subset in combinations(order, size):
            tried += 1
            if len(found) > COVERS_LIMIT or tried > 64 * COVERS_LIMIT:
                raise InvalidModel(
                    f"more than {COVERS_LIMIT} sets of {len(order)} tasks exceed the capacity {capacity:g}; split the resource, or drop small demands"
                )
            total = sum(demands[task] for task in subset)
            if total > capacity >= total - demands[subset[-1]]:
                found.append(tuple(sorted(subset)))
    return found
