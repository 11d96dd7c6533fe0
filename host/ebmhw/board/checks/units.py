"""Registers of the units: what they are, what can be written, what they count."""

from __future__ import annotations

import time
from typing import Final

from ebmhw.backends.driver import IsingDriver
from ebmhw.backends.unit_driver import UnitDriver
from ebmhw.board.checks import programs, wire
from ebmhw.board.checks.context import EXCHANGE_SECONDS, Context, Mismatch, NotApplicable
from ebmhw.contract.registers import Register
from ebmhw.contract.render import contract_digest

_LOST_SHARE: Final = 0.01
"""Of the interrupts, that may come too late to count as having come."""

_READS = 50
"""How often each register of what a unit is is read: a bus that loses a beat now and then shows it."""


def identity(context: Context) -> str:
    """Look whether every unit says what it is, and says it again and again."""
    builds = set()
    for driver in context.units:
        unit = driver.kind.unit
        due = {
            "identity": unit.identity,
            "map_hash": unit.registers.hash32,
            "packet_hash": unit.packet_hash,
            "contract_hash": int(contract_digest()[:8], 16),
            "build": driver.read("build"),
        }
        for _ in range(_READS):
            for name, word in due.items():
                found = driver.read(name)
                if found != word:
                    raise Mismatch(f"register {name} of {unit.name} reads {found:#010x}, not {word:#010x}")
        builds.add(due["build"])
    if len(builds) > 1:
        raise Mismatch(f"the units are of several builds: {', '.join(f'{build:#010x}' for build in sorted(builds))}")
    build = builds.pop()
    if context.build is not None and build != context.build:
        raise Mismatch(f"the units are of build {build:#010x}, the device tree and the manifest say {context.build:#010x}")
    return f"build {build:#010x}, {len(context.units)} units, {_READS} times each"


def registers(context: Context) -> str:
    """Write and read back every bit that may be written, and put the old words back."""
    bits = 0
    for driver in context.units:
        unit = driver.kind.unit
        driver.reset()
        for register in unit.registers.registers:
            if all(field.access == "rw" for field in register.fields):
                bits += _written(driver, register)
            elif all(field.access == "pulse" for field in register.fields):
                _reads(driver, register, 0, "nothing of it is kept")
            else:
                stray = driver.read(register.name) & ~register.mask
                if stray:
                    raise Mismatch(f"register {register.name} of {unit.name} has bits {stray:#x} set that no field owns")
    return f"{bits} bits written and read back"


def _written(driver: UnitDriver, register: Register) -> int:
    before = driver.read(register.name)
    patterns = [0, register.mask, *(register.mask & word for word in (0x5555_5555, 0xAAAA_AAAA)), *(1 << bit for bit in range(32))]
    try:
        for pattern in patterns:
            if pattern == pattern & register.mask:
                _write_word(driver, register, pattern)
                _reads(driver, register, pattern, "as was written")
    finally:
        _write_word(driver, register, before & register.mask)
    return register.mask.bit_count()


def _write_word(driver: UnitDriver, register: Register, word: int) -> None:
    driver.write(register.name, **{field.name: (word & field.mask) >> field.lsb for field in register.fields})


def _reads(driver: UnitDriver, register: Register, word: int, why: str) -> None:
    found = driver.read(register.name)
    if found != word:
        raise Mismatch(f"register {register.name} of {driver.kind.unit.name} reads {found:#010x}, not {word:#010x}: {why}")


def counters(context: Context) -> str:
    """Look whether counters are cleared, and count what a known job takes."""
    told = []
    for driver in context.units:
        name = driver.kind.unit.name
        driver.clear_counters()
        left = {what: count for what, count in driver.counters().items() if count}
        if left:
            raise Mismatch(f"counters of {name} were cleared and read {left}")
        load = wire.load_of(driver)
        driver.exchange(load.batch, load.room, EXCHANGE_SECONDS)
        found = driver.counters()
        due = {"jobs_done": len(load.packets), "jobs_failed": 0}
        if isinstance(driver, IsingDriver):
            due |= {"sweeps": 3, "updates": 3 * 3 * driver.shape.lanes, "beats": 3 * 3}
        else:
            due |= {"beats": 5}
        wrong = [f"{what} reads {found[what]}, not {count}" for what, count in due.items() if found[what] != count]
        if wrong:
            raise Mismatch(f"counters of {name} after a known job: {'; '.join(wrong)}")
        told.append(f"{name} {found['cycles']} cycles")
    return ", ".join(told)


def cycles(context: Context) -> str:
    """Look whether the cycles of a core fit together: stalls within sweeps, sweeps within all."""
    random, core = context.random("cycles"), context.cores[0]
    program = programs.dense(random, core.shape)
    core.clear_counters()
    context.compare(program, programs.schedule(random, context.sweeps(program)), reads=core.shape.lanes, seed=5)
    found = core.counters()
    stalls = found["stall_hazard"] + found["stall_output"] + found["stall_fetch"]
    if not found["cycles"]:
        raise NotApplicable("nothing counts cycles here")
    if not stalls + found["beats"] <= found["sweep_cycles"] <= found["cycles"]:
        raise Mismatch(
            f"{stalls} cycles of stalls and {found['beats']} beats do not fit into {found['sweep_cycles']} cycles of sweeps, or those not into "
            f"{found['cycles']} in all"
        )
    return f"{found['beats'] / found['sweep_cycles']:.0%} of {found['sweep_cycles']:,} sweep cycles issue a beat"


def clock(context: Context) -> str:
    """Measure the clock: cycles over seconds of a long job less those of a short one."""
    if context.clock_mhz is None:
        raise NotApplicable("a simulation has no clock")
    core = context.cores[0]
    program = programs.dense(context.random("clock"), core.shape)
    each = program.n * -(-(program.n - 1) // core.shape.slots) + core.shape.latency
    best = 0.0
    # The host is late now and then, never early: the fastest of some is the clock.
    for _ in range(3):
        most = min(core.shape.sweeps_max, int(0.2 * context.clock_mhz * 1e6 / each))
        short, long = (_timed(core, wire.core_load(core, program, max(1, int(share * most)))) for share in (0.05, 1.0))
        best = max(best, (long[0] - short[0]) / max(1e-6, long[1] - short[1]))
    if abs(best / 1e6 / context.clock_mhz - 1) > 0.05:
        raise Mismatch(
            f"the clock is {best / 1e6:.4g} MHz, the bitstream was built for {context.clock_mhz:g}: pl_clk0 is not as the overlay asks for"
        )
    return f"{best / 1e6:.4g} MHz of {context.clock_mhz:g}"


def _timed(core: IsingDriver, load: wire.Load) -> tuple[int, float]:
    before, began = core.counters()["cycles"], time.perf_counter()
    answer = core.exchange(load.batch, load.room, EXCHANGE_SECONDS)
    seconds = time.perf_counter() - began
    refused = wire.error_in(core, answer)
    if refused is not None:
        raise Mismatch(f"ising_core refused a job with the error '{refused[0]}'")
    return core.counters()["cycles"] - before, seconds


def transfers(context: Context) -> str:
    """Tell how the ends of transfers were found; interrupts that do not come are a failure, a system that is late now and then is none."""
    told = []
    for driver in context.units:
        found = driver.transfers()
        if not found:
            raise NotApplicable("this bus has no interrupts")
        lost, taken = found.get("interrupts_lost", 0), found.get("taken", 0)
        text = f"{driver.kind.unit.name}: " + ", ".join(f"{name} {value}" for name, value in found.items())
        if lost > 2 + (taken + lost) * _LOST_SHARE:
            raise Mismatch(f"{lost} of {taken + lost} interrupts never came, and the driver found the ends by looking; {text}")
        told.append(text)
    return "; ".join(told)
