"""Scheduling: a start for each task within a horizon, with exclusion, precedence and resources of limited capacity."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping
from itertools import combinations, product
from typing import Any, ClassVar, final

import numpy as np
import numpy.typing as npt

from ebmhw.errors import InvalidModel, shown
from ebmhw.model import SPIN_LIMIT
from ebmhw.numbers import whole
from ebmhw.problems.penalties import Penalties
from ebmhw.problems.problem import ConstraintProblem, integer, listed

Starts = dict[Hashable, int]
"""The time step at which each task starts; it runs for its duration from then on."""

COVER_LIMIT = 4
"""Tasks of a minimal set beyond a capacity that is forbidden as a product of starts."""

PRODUCTS_LIMIT = 1 << 13
"""Products that one resource may take; above, each time step has a sum with slack bits."""

PAIRS_LIMIT = 1 << 20
"""Pairs of starts of all exclusions and precedences, and of the sums of a resource."""


@final
class Scheduling(ConstraintProblem[Starts]):
    """Tasks to be started at time steps 0, 1, ..., each running for its duration and done by the horizon.

    Spins: one a task and possible start. Windows are narrowed first by the tasks that must come before and after (longest chains of durations);
    if that leaves a task no start, the schedule is impossible, the windows stay as given, and no state has energy 0.

    Penalty: (starts that are on - 1)^2 a task; each pair of starts that overlap, or break an order, their product. A capacity forbids each
    minimal set of up to 4 tasks that exceeds it at all the starts at which they run together, as products of 2 to 4 bits, no ancilla; where
    there are larger sets or more than 8,192 products, the demands of each time step are a sum of at most the capacity, with slack bits
    (`Penalties.linear_between`). Each costs an integer, 1 or more where broken, and there are no soft costs, so that 1 is weight enough.

    Parameters
    ----------
    durations : {task: time steps}, at least 1 each
    horizon : time steps in all; every task has ended by then
    exclusions : pairs of tasks that must not overlap
    precedences : pairs (task, later); the later one starts when the task has ended, or after that
    demands : {resource: {task: units that it takes of it while it runs}}, at least 0 each
    capacities : {resource: units there are at each time step}
    windows : {task: (earliest start, latest end)}, None for no limit

    Raises
    ------
    InvalidModel
        for a number out of range, a name that is no task or resource, a task longer than its window, precedences in a circle.
    """

    kind: ClassVar[str] = "scheduling"

    def __init__(
        self,
        durations: Mapping[Hashable, int],
        horizon: int,
        exclusions: Iterable[tuple[Hashable, Hashable]] = (),
        precedences: Iterable[tuple[Hashable, Hashable]] = (),
        demands: Mapping[Hashable, Mapping[Hashable, int]] | None = None,
        capacities: Mapping[Hashable, int] | None = None,
        windows: Mapping[Hashable, tuple[int | None, int | None]] | None = None,
    ) -> None:
        self.durations = {task: integer(steps, f"the duration of task {shown(task)}", 1) for task, steps in durations.items()}
        if not self.durations:
            raise InvalidModel("a schedule of no tasks is not possible; give a duration for at least one")
        self.horizon = integer(horizon, "the horizon", 1, SPIN_LIMIT)
        self.exclusions = [self._pair(pair, "an exclusion") for pair in exclusions]
        self.precedences = [self._pair(pair, "a precedence") for pair in precedences]
        self.capacities = {name: integer(units, f"the capacity of {shown(name)}", 0) for name, units in (capacities or {}).items()}
        self.demands: dict[Hashable, dict[Hashable, int]] = {}
        for name, units in (demands or {}).items():
            if name not in self.capacities:
                raise InvalidModel(f"tasks take resource {shown(name)}, which has no capacity; there are {listed(self.capacities)}")
            self.demands[name] = {
                self._task(task, f"the demands of {shown(name)}"): integer(u, f"the demand of task {shown(task)} for {shown(name)}", 0)
                for task, u in units.items()
            }
        for task in windows or {}:
            self._task(task, "windows")
        self.windows = {task: self._window(task, (windows or {}).get(task, (None, None))) for task in self.durations}
        self._order = self._topological()
        narrowed = self._narrowed()
        starts = narrowed if all(narrowed.values()) else {t: range(a, b - self.durations[t] + 1) for t, (a, b) in self.windows.items()}
        self._bits: dict[Hashable, dict[int, int]] = {}
        self._count = 0
        pairs = sum(len(starts[a]) * len(starts[b]) for a, b in (*self.exclusions, *self.precedences))
        if pairs > PAIRS_LIMIT:
            raise InvalidModel(
                f"exclusions and precedences are between {pairs} pairs of starts, more than {PAIRS_LIMIT}; take longer time steps than those of the "
                f"horizon {self.horizon}, or give windows"
            )
        for task, times in starts.items():
            if self._count + len(times) > SPIN_LIMIT:
                raise InvalidModel(
                    f"the tasks have more than {SPIN_LIMIT} possible starts in all; shorten the horizon {self.horizon}, or give windows"
                )
            self._bits[task] = {time: self._count + 1 + i for i, time in enumerate(times)}
            self._count += len(times)

    def bit(self, task: Hashable, start: int) -> int:
        """Return the bit that says that a task starts at a time step, as literals name it; its spin is that minus 1."""
        times = self._bits[self._task(task, "the schedule")]
        if start not in times:
            raise InvalidModel(f"task {shown(task)} cannot start at {shown(start)}; its starts are {min(times)} to {max(times)}")
        return times[start]

    def decode(self, spins: npt.ArrayLike) -> Starts | None:
        """Return the start of each task; None where one has none or two."""
        truths = self._truths(spins)
        found: Starts = {}
        for task, times in self._bits.items():
            on = [time for time, bit in times.items() if truths[bit - 1]]
            if len(on) != 1:
                return None
            found[task] = on[0]
        return found

    def encode(self, solution: Starts) -> npt.NDArray[np.int8]:
        """Return the spins of a schedule; InvalidModel for a start outside a task's window as narrowed, which no solution has."""
        self._whole(solution)
        return self.penalties.completed(self.bit(task, start) for task, start in solution.items())

    def violated(self, solution: Starts) -> tuple[str, ...]:
        """Return in words which windows, exclusions, precedences and capacities are broken; of a resource its first time step."""
        self._whole(solution)
        ends = {task: start + self.durations[task] for task, start in solution.items()}
        broken = [
            f"{task} runs from {solution[task]} to {ends[task]}, not within {a} to {b}"
            for task, (a, b) in self.windows.items()
            if solution[task] < a or ends[task] > b
        ]
        broken += [f"{a} and {b} overlap" for a, b in self.exclusions if solution[a] < ends[b] and solution[b] < ends[a]]
        broken += [f"{b} starts at {solution[b]}, before {a} ends at {ends[a]}" for a, b in self.precedences if solution[b] < ends[a]]
        for name, units in self.demands.items():
            for time in sorted(solution[task] for task in units):
                used = sum(u for task, u in units.items() if solution[task] <= time < ends[task])
                if used > self.capacities[name]:
                    broken.append(f"{used} of resource {name} are in use at {time}, its capacity is {self.capacities[name]}")
                    break
        return tuple(broken)

    def values(self, spins: npt.ArrayLike) -> dict[Hashable, Any]:
        """Return the start of each task; {} where one has none or two."""
        return dict(self.decode(spins) or {})

    def _penalties(self) -> Penalties:
        penalties = Penalties()
        penalties.bits(self._count)
        for times in self._bits.values():
            penalties.exactly_one(times.values())
        forbidden: dict[tuple[int, ...], None] = {}
        for a, b in self.exclusions:
            forbidden |= dict.fromkeys(self._together((a, b)))
        for a, b in self.precedences:
            late = ((x, y) for s, x in self._bits[a].items() for t, y in self._bits[b].items() if t < s + self.durations[a])
            forbidden |= dict.fromkeys((min(x, y), max(x, y)) for x, y in late)
        for name in self.demands:
            covers = self._covers(name)
            if covers is None:
                self._add_steps(penalties, name)
            else:
                for cover in covers:
                    forbidden |= dict.fromkeys(self._together(cover))
        penalties.forbid_all(forbidden)
        return penalties

    def _together(self, tasks: tuple[Hashable, ...]) -> Iterable[tuple[int, ...]]:
        """Yield the bits, ascending, of all starts of tasks at which they all run at some time step."""
        for choice in product(*(self._bits[task].items() for task in tasks)):
            if max(start for start, _ in choice) < min(start + self.durations[task] for task, (start, _) in zip(tasks, choice, strict=True)):
                yield tuple(sorted(bit for _, bit in choice))

    def _covers(self, name: Hashable) -> list[tuple[Hashable, ...]] | None:
        """Return the minimal sets of tasks beyond a capacity; None where one has more than COVER_LIMIT tasks or their starts are too many."""
        units, capacity = {task: u for task, u in self.demands[name].items() if u}, self.capacities[name]
        tasks = sorted(units, key=lambda task: -units[task])
        found: list[tuple[Hashable, ...]] = []
        products = 0
        for size in range(1, len(tasks) + 1):
            largest = sum(units[task] for task in tasks[:size])
            if largest <= capacity:
                continue
            # Without its least task a minimal set is within the capacity; if even the least `size` tasks are not minimal, no larger set is.
            if sum(units[task] for task in tasks[len(tasks) - size + 1 :]) > capacity and size > 1:
                break
            if size > COVER_LIMIT or math.comb(len(tasks), size) > PRODUCTS_LIMIT:
                return None
            for subset in combinations(tasks, size):
                total = sum(units[task] for task in subset)
                if total > capacity >= total - units[subset[-1]]:
                    found.append(subset)
                    products += math.prod(len(self._bits[task]) for task in subset)
                    if products > PRODUCTS_LIMIT:
                        return None
        return found

    def _add_steps(self, penalties: Penalties, name: Hashable) -> None:
        """Demand a sum of at most the capacity at each time step at which the tasks that may run then can exceed it."""
        sums, pairs = [], 0
        for time in range(self.horizon):
            running = {
                task: [bit for start, bit in self._bits[task].items() if start <= time < start + self.durations[task]]
                for task, units in self.demands[name].items()
                if units
            }
            if sum(self.demands[name][task] for task, bits in running.items() if bits) > self.capacities[name]:
                sums.append([(self.demands[name][task], bit) for task, bits in running.items() for bit in bits])
                pairs += len(sums[-1]) ** 2 // 2
        if pairs > PAIRS_LIMIT:
            raise InvalidModel(
                f"the sums of resource {shown(name)} are of {pairs} pairs of starts, more than {PAIRS_LIMIT}; take longer time steps than those of "
                f"the horizon {self.horizon}, or give windows"
            )
        for terms in sums:
            penalties.linear_at_most([units for units, _ in terms], [bit for _, bit in terms], self.capacities[name])

    def _narrowed(self) -> dict[Hashable, range]:
        """Return the starts that the longest chains of tasks before and after leave each task."""
        first = {task: a for task, (a, _) in self.windows.items()}
        last = {task: b - self.durations[task] for task, (_, b) in self.windows.items()}
        for task in self._order:
            for later in self._later[task]:
                first[later] = max(first[later], first[task] + self.durations[task])
        for task in reversed(self._order):
            for later in self._later[task]:
                last[task] = min(last[task], last[later] - self.durations[task])
        return {task: range(first[task], last[task] + 1) for task in self.durations}

    def _topological(self) -> list[Hashable]:
        """Return the tasks in an order that all precedences keep."""
        self._later: dict[Hashable, list[Hashable]] = {task: [] for task in self.durations}
        before = dict.fromkeys(self.durations, 0)
        for a, b in self.precedences:
            self._later[a].append(b)
            before[b] += 1
        order = [task for task, count in before.items() if not count]
        for task in order:
            for later in self._later[task]:
                before[later] -= 1
                if not before[later]:
                    order.append(later)
        if len(order) < len(before):
            circle = [task for task, count in before.items() if count]
            raise InvalidModel(f"precedences go round in a circle among {listed(circle)}, which no schedule can keep; drop one of them")
        return order

    def _window(self, task: Hashable, window: object) -> tuple[int, int]:
        if not isinstance(window, (tuple, list)) or len(window) != 2:
            raise InvalidModel(f"the window of task {shown(task)} is {shown(window)}; give (earliest start, latest end), None for no limit")
        earliest = 0 if window[0] is None else integer(window[0], f"the earliest start of task {shown(task)}", 0, self.horizon)
        latest = self.horizon if window[1] is None else integer(window[1], f"the latest end of task {shown(task)}", 0, self.horizon)
        if self.durations[task] > latest - earliest:
            raise InvalidModel(
                f"task {shown(task)} takes {self.durations[task]} time steps, and has {max(0, latest - earliest)} from {earliest} to {latest}; "
                "shorten it, or give a larger horizon or window"
            )
        return earliest, latest

    def _pair(self, pair: tuple[Hashable, Hashable], what: str) -> tuple[Hashable, Hashable]:
        if not isinstance(pair, (tuple, list)) or len(pair) != 2 or pair[0] == pair[1]:
            raise InvalidModel(f"{what} is {shown(pair)}; give a pair of two different tasks")
        return self._task(pair[0], what), self._task(pair[1], what)

    def _task(self, task: Hashable, where: str) -> Hashable:
        if task not in self.durations:
            raise InvalidModel(f"{where} names {shown(task)}, which is no task; there are {listed(self.durations)}")
        return task

    def _whole(self, solution: Starts) -> None:
        for task in self.durations:
            if task not in solution:
                raise InvalidModel(f"the schedule gives no start to task {shown(task)}; give one to each task")
        for task, start in solution.items():
            self._task(task, "the schedule")
            if whole(start) is None:
                raise InvalidModel(f"task {shown(task)} starts at {shown(start)}; give an integer")

    def __repr__(self) -> str:
        return f"Scheduling({len(self.durations)} tasks, horizon {self.horizon}, {self._count} starts)"
