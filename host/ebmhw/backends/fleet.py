"""Fleet: equal units that share the work, and how much of it they take at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Generic, TypeVar, final

import numpy as np

from ebmhw.backends.stop import Stop
from ebmhw.backends.turns import Turns
from ebmhw.backends.unit_driver import UnitDriver

_EXCHANGE_SECONDS = 0.3
"""Aim for one exchange with a unit: how late an interrupt, a deadline or a progress bar may be."""

EXCHANGE_WORDS = 1 << 20
"""Words of 64 bits of one exchange, jobs and answers together, unless one job of one sample or one row takes more; the program's packet not counted.

With the largest program and the largest job that the board's core takes it stays under a sixth of what one DMA transfer holds (DMA_LENGTH_BITS of
`ebmhw.board.block_design`), which a test computes.
"""

_PATIENCE = 50.0
"""An exchange may take this many times as long as expected, and _GRACE_SECONDS more, before the unit counts as stalled."""

_GRACE_SECONDS = 30.0

Driver = TypeVar("Driver", bound=UnitDriver)
Part = TypeVar("Part")
Result = TypeVar("Result")


@final
class Fleet(Generic[Driver]):
    """Units of one shape.

    Parameters
    ----------
    connect : returns their drivers, at least one; called once, when they are needed first

    Attributes
    ----------
    rate : cycles of each a second, as far as is known
    """

    def __init__(self, connect: Callable[[], Sequence[Driver]]) -> None:
        self._connect = connect
        self._connecting = threading.Lock()
        self._turns = Turns()
        self._drivers: Sequence[Driver] = ()
        self.rate = 0.0

    @property
    def drivers(self) -> Sequence[Driver]:
        """The drivers; asking for them connects."""
        with self._connecting:
            if not self._drivers:
                self._drivers = self._connect()
                self.rate = self._drivers[0].cycles_per_second
            return self._drivers

    def aim(self, stop: Stop) -> float:
        """Return the cycles that one exchange should take on each unit."""
        return self.rate * min(_EXCHANGE_SECONDS, stop.seconds_left / 2 + 1e-3)

    def shares(self, count: int) -> list[slice]:
        """Return which of so many jobs each unit takes: equal shares in order, the last ones smaller or none."""
        share = -(-count // len(self.drivers))
        return [slice(start, min(start + share, count)) for start in range(0, count, share)]

    def dealt(self, costs: Sequence[int]) -> list[slice]:
        """Return which of jobs of such costs each unit takes: in order, about equal costs, none without a job; fewer units for few jobs."""
        ends = np.cumsum(costs)
        cuts = np.searchsorted(ends, ends[-1] * np.arange(1, len(self.drivers)) / len(self.drivers)) + 1
        bounds = np.unique([0, *cuts, len(costs)]).tolist()
        return [slice(start, stop) for start, stop in pairwise(bounds)]

    def workers(self) -> ThreadPoolExecutor:
        """Return a pool with a thread for each unit, for `exchange`; no thread is started for one."""
        return ThreadPoolExecutor(len(self.drivers), thread_name_prefix="ebmhw")

    def exchange(
        self, workers: ThreadPoolExecutor, parts: Sequence[Part], cycles: int, work: Callable[[Driver, Part, float], Result]
    ) -> list[Result]:
        """Return what each unit makes of its part, at once, and note how fast they were. Threads get the units in the order in which they ask.

        Parameters
        ----------
        parts : one for each unit or fewer
        cycles : that the first part takes, the longest
        work : given a unit, its part and the seconds that it may take
        """
        seconds = _GRACE_SECONDS + _PATIENCE * cycles / self.rate

        def run(pair: tuple[Driver, Part]) -> Result:
            return work(*pair, seconds)

        pairs = list(zip(self.drivers, parts, strict=False))
        # Waiting while another thread has the units says nothing of how fast they are.
        with self._turns:
            began = time.perf_counter()
            results = [run(pairs[0])] if len(pairs) == 1 else list(workers.map(run, pairs))
            self.rate = max(1.0, cycles / max(time.perf_counter() - began, 1e-6))
        return results
