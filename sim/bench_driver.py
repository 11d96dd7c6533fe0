"""The host's driver and backend on the design itself: the same classes as on the board, their draws compared with the golden model's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, final

import cocotb
import numpy as np
from cocotb.task import bridge

from ebmhw import Program, Schedule, get_backend
from ebmhw.backends.core import CoreBackend, core_capabilities
from ebmhw.backends.draws import Draws
from ebmhw.backends.driver import IsingDriver
from ebmhw.errors import CoreStalled
from sim import programs
from sim.cocotb_bus import CocotbBus
from sim.core_bench import CoreBench

LIMIT: Final[dict[str, Any]] = {"timeout_time": 200, "timeout_unit": "ms"}

ARRAYS: Final = ("spins", "energy", "best_spins", "best_energy", "best_sweep", "flips", "kept", "random", "clamped", "clamp_values")
"""What of two draws has to be equal."""


@final
class CocotbBackend(CoreBackend):
    """The backend of the host over the core of a bench."""

    def __init__(self, bench: CoreBench) -> None:
        config = bench.config
        self.bus: Final = CocotbBus(bench.registers, bench.jobs, bench.results)
        super().__init__(core_capabilities(config.lanes, config.slots, config.spins_max, config.beats_max))

    @property
    def name(self) -> str:
        return "cocotb"

    def _connect(self) -> Sequence[IsingDriver]:
        return [IsingDriver(self.bus, self.name)]


def compare(bench: CoreBench, found: Draws, due: Draws) -> None:
    """Fail unless both draws are the same, bit for bit."""
    for name in ARRAYS:
        one, other = getattr(found, name), getattr(due, name)
        assert (one is None) == (other is None) and (one is None or np.array_equal(one, other)), f"{name} is {one}, not {other}"
    assert found.sweeps == due.sweeps
    bench.bench.count(updates=found.reads * found.sweeps * (found.spins.shape[1] - found.clamped.size))


def program_of(bench: CoreBench, kind: str) -> Program:
    """Return a program that the core has room for."""
    return programs.KINDS[kind](bench.random, 16)


@cocotb.test(**LIMIT)
async def draws(dut: Any) -> None:
    """Runs of the host's backend are those of the golden model: rules, kept samples, clamps, initial states, runs that are resumed."""
    bench = CoreBench(dut, arrays="numpy")
    await bench.start()
    random, lanes = bench.random, bench.config.lanes
    golden = get_backend("golden")

    def run() -> int:
        backend = CocotbBackend(bench)
        schedule = Schedule.geometric(0.001, 0.1, 5)
        some = np.random.default_rng(random.getrandbits(32))
        made = 0
        for kind, options in (
            ("orders", {"reads": 2 * lanes + 1, "rule": "metropolis"}),
            ("dense", {"reads": lanes, "rule": "gibbs", "burn_in": 1, "keep_every": 2}),
            ("sparse", {"reads": 3, "first_read": 1000, "clamps": {0: -1, 2: some.choice([-1, 1], 3)}, "keep_every": 1}),
            ("ties", {"reads": lanes + 1, "initial": "given"}),
        ):
            program = program_of(bench, kind)
            if "initial" in options:
                options["initial"] = some.choice([-1, 1], (options["reads"], program.n))
            seed = random.getrandbits(64)
            found = backend.run(program, schedule, seed=seed, **options)
            due = golden.run(program, schedule, seed=seed, **options)
            compare(bench, found, due)
            more = Schedule.constant(0.05, 3)
            compare(bench, backend.run(program, more, resume=found), golden.run(program, more, resume=due))
            made += 1
        assert backend.bus.exchanges >= 2 * made, "the core was not asked"
        driver = backend.drivers[0]
        counters, status = driver.counters(), driver.status()
        assert counters["updates"] > 0 and counters["jobs_failed"] == 0, counters
        assert (status["state"], status["last_error"]) == ("idle", "no_error"), status
        return made

    bench.bench.count(programs=await bridge(run)())


@cocotb.test(**LIMIT)
async def recovery(dut: Any) -> None:
    """After an exchange that was given up, the driver's next run resets the core and is right."""
    bench = CoreBench(dut, arrays="numpy")
    await bench.start()
    golden = get_backend("golden")

    def run() -> None:
        backend = CocotbBackend(bench)
        program = program_of(bench, "orders")
        schedule = Schedule.constant(0.01, 4)
        sink = bench.results.channel
        for stuck in range(3):
            sink.pauses = lambda end=sink.taken + 60 * stuck: sink.taken >= end
            backend.bus.patience = 2_000
            try:
                backend.run(program, schedule, seed=stuck, reads=bench.config.lanes)
                raise AssertionError("a core whose answer is not taken has answered")
            except CoreStalled as stalled:
                assert "output_stalled" in str(stalled), stalled
            sink.pauses = None
            backend.bus.patience = 100_000
            compare(bench, backend.run(program, schedule, seed=stuck, reads=3), golden.run(program, schedule, seed=stuck, reads=3))

    await bridge(run)()
    bench.bench.count(programs=1)
