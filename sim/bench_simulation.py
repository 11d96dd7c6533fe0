"""Benches that pass, fail and hang on purpose, for the tests of `sim.runner`."""

from __future__ import annotations

from typing import Any

import cocotb

from sim.bench import Bench


@cocotb.test()
async def counts(dut: Any) -> None:
    """Passes, and counts."""
    bench = Bench(dut)
    await bench.start()
    await bench.wait()
    before, cycle = int(dut.count.value), bench.cycle
    await bench.wait(10)
    assert int(dut.count.value) - before == bench.cycle - cycle == 10
    assert bench.has("step") and bench.has("count") and not bench.has("other")
    bench.count(programs=1, updates=bench.parameters.get("updates", 0))
    bench.count(programs=2)


@cocotb.test()
async def fails(dut: Any) -> None:
    """Fails with two numbers that depend on the seed alone."""
    bench = Bench(dut)
    await bench.start()
    raise AssertionError(f"drew {bench.random.getrandbits(32)} and {bench.random_for('other').getrandbits(32)}")


@cocotb.test(timeout_time=1, timeout_unit="us")
async def never_ends(dut: Any) -> None:
    """Waits for more cycles than it may."""
    bench = Bench(dut)
    await bench.start()
    await bench.wait(10_000)


@cocotb.test()
async def hangs(dut: Any) -> None:
    """Lets no simulated time pass."""
    while True:
        pass
