"""What a hundred small runs cost a bus, counted, and whether submitting them is quicker than running them one by one.

Exchanges, register accesses and bytes are counted between the driver and the simulated core ("small"); on the board driver and packets are the same,
and more runs have time in an exchange. Times are of this machine.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, final

from ebmhw.bench.harness import Case, Measure, Peer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import ExitStack

    from ebmhw.backends import SamplerBackend
    from ebmhw.backends.core import CoreBackend
    from ebmhw.program import Program
    from ebmhw.schedule import Schedule

RUNS = 100
SWEEPS = 10
READS = 4
SPINS = 48

_COUNTED = (
    ("exchanges", "exchanges", "exchanges of one transfer out and one back"),
    ("register accesses", "accesses", "reads and writes of the core's registers, without those of the DMA engine"),
    ("bytes", "bytes", "bytes of both streams"),
)


@final
class Traffic:
    """What has gone over the bus of a core.

    Attributes
    ----------
    exchanges, accesses, bytes : transfers out and back, register accesses, bytes of both streams
    """

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Set all counts to 0."""
        self.exchanges = self.accesses = self.bytes = 0


def counted_backend() -> tuple[CoreBackend, Traffic]:
    """Return a backend over one simulated core ("small"), and what counts its traffic."""
    from ebmhw import rtl
    from ebmhw.backends.bus import Beats, Bus
    from ebmhw.backends.core import CoreBackend, core_capabilities
    from ebmhw.backends.driver import IsingDriver
    from ebmhw.backends.simulated.build import build_library
    from ebmhw.backends.simulated.bus import SimulatedBus

    traffic = Traffic()

    @final
    class CountedBus(Bus):
        stall_cycles, cycles_per_second = SimulatedBus.stall_cycles, SimulatedBus.cycles_per_second

        def __init__(self, inner: SimulatedBus) -> None:
            self._inner = inner

        def read(self, offset: int) -> int:
            traffic.accesses += 1
            return self._inner.read(offset)

        def write(self, offset: int, word: int) -> None:
            traffic.accesses += 1
            self._inner.write(offset, word)

        def exchange(self, jobs: Beats, room: int, seconds: float) -> Beats:
            answer = self._inner.exchange(jobs, room, seconds)
            traffic.exchanges += 1
            traffic.bytes += jobs.nbytes + answer.nbytes
            return answer

        def abandon(self) -> None:
            self._inner.abandon()

        def close(self) -> None:
            self._inner.close()

    @final
    class CountedBackend(CoreBackend):
        def __init__(self) -> None:
            self._made = IsingDriver(CountedBus(SimulatedBus(build_library(rtl.find("small").verilog, "ising_core"))), self.name)
            shape = self._made.shape
            super().__init__(core_capabilities(shape.lanes, shape.slots, shape.spins_max, shape.beats_max))

        @property
        def name(self) -> str:
            return "simulated"

        def _connect(self) -> Sequence[IsingDriver]:
            return [self._made]

    return CountedBackend(), traffic


def queue(programs: int) -> list[tuple[Program, Schedule, dict[str, Any]]]:
    """Return the runs: of so many random cubic graphs in turn, always the same."""
    import numpy as np

    from ebmhw import Model, Schedule

    made = []
    for seed in range(programs):
        rng = np.random.default_rng(seed)
        terms = [((i, (i + 1) % SPINS), 1.0) for i in range(SPINS)]
        terms += [((int(a), int(b)), -1.0) for a, b in rng.permutation(SPINS).reshape(-1, 2)]
        made.append(Model(SPINS, None, terms).compile())
    schedule = Schedule.geometric(0.1, 2.0, SWEEPS)
    return [(made[k % programs], schedule, {"reads": READS, "seed": k}) for k in range(RUNS)]


def one_by_one(backend: SamplerBackend, runs: Sequence[tuple[Program, Schedule, dict[str, Any]]]) -> None:
    """Run them with `run`."""
    for program, schedule, arguments in runs:
        backend.run(program, schedule, **arguments)


def together(backend: SamplerBackend, runs: Sequence[tuple[Program, Schedule, dict[str, Any]]]) -> None:
    """Run them with `run_many`."""
    backend.run_many(runs)


def submitted(backend: SamplerBackend, runs: Sequence[tuple[Program, Schedule, dict[str, Any]]]) -> None:
    """Submit them one by one and wait for all."""
    for future in [backend.submit(program, schedule, **arguments) for program, schedule, arguments in runs]:
        future.result()


Way = Any
"""How the runs are done: one of the three functions above."""


def cases(quick: bool) -> list[Case]:
    """Return the cases; ``quick`` leaves out the runs of ten programs."""
    found: list[Case] = []
    for programs in (1,) if quick else (1, 10):
        for label, name, what in _COUNTED:
            found.append(_traffic(programs, label, name, what))
    return [*found, *(_timed(name, way) for name in ("cpu", "simulated") for way in (submitted, together))]


def _traffic(programs: int, label: str, name: str, what: str) -> Case:
    def setup(stack: ExitStack) -> tuple[CoreBackend, Traffic, list[Any]]:
        backend, traffic = counted_backend()
        runs = queue(programs)
        # The first exchange resets the core and loads a program; a long one shows how fast the core is.
        backend.run(runs[0][0], runs[0][1], reads=1000, seed=0)
        return backend, traffic, runs

    def measured(way: Way) -> Callable[[Any], Measure]:
        def make(ready: tuple[CoreBackend, Traffic, list[Any]]) -> Measure:
            backend, traffic, runs = ready

            def measure(number: int) -> float:
                traffic.clear()
                way(backend, runs)
                return float(getattr(traffic, name))

            return measure

        return make

    return Case(
        name=f"board/{RUNS} small runs of {programs} program{'s' if programs > 1 else ''}: {label}",
        measures=f"{what} of {RUNS} runs of {READS} reads of {SPINS} spins, {SWEEPS} sweeps, put together by run_many()",
        unit=name,
        setup=setup,
        ours=measured(together),
        peers=(Peer("submit(), one by one", measured(submitted)), Peer("run(), one by one", measured(one_by_one))),
        higher_is_better=False,
        max_rounds=3,
    )


def _timed(name: str, way: Way) -> Case:
    options = {"threads": 1} | ({"config": "small"} if name == "simulated" else {})

    def setup(stack: ExitStack) -> tuple[SamplerBackend, list[Any]]:
        from ebmhw.backends import get_backend

        return get_backend(name, **options), queue(1)

    def measured(how: Way) -> Callable[[Any], Measure]:
        def make(ready: tuple[SamplerBackend, list[Any]]) -> Measure:
            def measure(number: int) -> float:
                began = time.perf_counter()
                how(*ready)
                return time.perf_counter() - began

            return measure

        return make

    title = {submitted: "submit()", together: "run_many()"}[way]
    return Case(
        name=f"board/{RUNS} small runs on {name} by {title}",
        measures=f"seconds until {RUNS} runs of {READS} reads of {SPINS} spins, {SWEEPS} sweeps, are done, one thread or core",
        unit="s",
        setup=setup,
        ours=measured(way),
        peers=(Peer("run(), one by one", measured(one_by_one)),),
        higher_is_better=False,
    )
