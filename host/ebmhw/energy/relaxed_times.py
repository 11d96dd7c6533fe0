"""Schedules as energies over the times at which tasks start."""

from __future__ import annotations

from typing import Any

import numpy as np

from ebmhw.energy.arrays import FloatArray
from ebmhw.energy.constraint import BaseConstraint
from ebmhw.energy.constraints.linear import Bounds
from ebmhw.energy.constraints.timing import Capacity, Exclusion, Order
from ebmhw.energy.relaxation import Relaxation, relaxation
from ebmhw.problems.scheduling import Scheduling


def scheduling(problem: Scheduling) -> Relaxation:
    """Return a schedule over the start of each task, in time steps."""
    tasks = {task: place for place, task in enumerate(problem.durations)}
    size, lasting = len(tasks), list(problem.durations.values())
    low = np.array([problem.windows[task][0] for task in tasks], dtype=np.float64)
    high = np.array([problem.windows[task][1] - problem.durations[task] for task in tasks], dtype=np.float64)
    terms: list[tuple[BaseConstraint, float | None]] = [(Bounds(size, None, low, high, name="windows"), None)]
    for a, b in dict.fromkeys(problem.precedences):
        terms.append((Order(size, tasks[a], tasks[b], problem.durations[a], name=f"{a} before {b}"), None))
    for a, b in dict.fromkeys((a, b) if tasks[a] < tasks[b] else (b, a) for a, b in problem.exclusions):
        terms.append((Exclusion(size, tasks[a], tasks[b], (problem.durations[a], problem.durations[b]), name=f"{a} and {b} do not overlap"), None))
    for name, units in problem.demands.items():
        if sum(units.values()) > problem.capacities[name]:
            at = [tasks[task] for task in units]
            capacity = Capacity(size, at, [lasting[i] for i in at], list(units.values()), problem.capacities[name], name=f"capacity of {name}")
            terms.append((capacity, None))

    def read(x: FloatArray) -> Any:
        # floor(x + c) keeps every rule that real starts keep exactly; within tolerances some c does, and which is for the problem to judge.
        tried = [
            dict(zip(tasks, np.clip(np.floor(x + c), low, high).astype(int).tolist(), strict=True)) for c in (0.5, 0.3, 0.7, 0.1, 0.9, 0.01, 0.99)
        ]
        return min(tried, key=lambda starts: len(problem.violated(starts)))

    def write(solution: Any) -> FloatArray:
        return np.array([solution[task] for task in tasks], dtype=np.float64)

    # A box needs some width; a task with one possible start is held there by its bounds.
    return relaxation(problem, terms, (low - 0.25, high + 0.25), read, write, problem.violated)
