"""What must not change a bit: back-pressure, a gauge; and runs whose reads are written to a file, to be compared with those of another core."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any, Final, NamedTuple

import cocotb

from ebmhw import Program
from ebmhw.contract.ising_core import RESULTS
from sim import programs
from sim.core_bench import CoreBench
from sim.jobs import Problem, Run, random_problem, rows_of

LIMIT: Final[dict[str, Any]] = {"timeout_time": 200, "timeout_unit": "ms"}


class Read(NamedTuple):
    """What a read made; energies are half the program's, less half that of all +1."""

    last: list[int]
    best: list[int]
    half: int
    best_half: int
    best_sweep: int
    flips: int
    random: list[int]
    kept: list[list[int]]


def reads_of(bench: CoreBench, answer: Sequence[int], order: Sequence[int]) -> list[Read]:
    """Return the reads of the one run that an answer holds; ``order`` gives the spin of each row."""
    packets = RESULTS.decode(b"".join(beat.to_bytes(8, "little") for beat in answer))
    draws = next(values for name, values in packets if name == "draws")
    energy, sweep = bench.model.energy_bits, bench.config.sweep_bits
    reads = []
    for lane in range(bench.config.lanes):

        def bits(words: Sequence[dict[str, int]], lane: int = lane) -> list[int]:
            return [word["lanes"] >> lane & 1 for word in words]

        def by_spin(rows: list[int]) -> list[int]:
            return [bit for _, bit in sorted(zip(order, rows, strict=False))]

        def number(planes: list[int], signed: bool = False) -> int:
            value = sum(bit << k for k, bit in enumerate(planes))
            return value - (planes[-1] << len(planes)) if signed else value

        planes = bits(draws["plane"])
        reads.append(
            Read(
                last=by_spin(bits(draws["last"])),
                best=bits(draws["best"]),
                half=number(planes[:energy], signed=True),
                best_half=number(planes[energy : 2 * energy], signed=True),
                best_sweep=number(planes[2 * energy : 2 * energy + sweep]),
                flips=number(planes[2 * energy + sweep :]),
                random=[draws["random"][lane][f"word{k}"] for k in range(4)],
                kept=[by_spin(bits(values["state"])) for name, values in packets if name == "sample"],
            )
        )
    return reads


def state_words(states: Sequence[Sequence[int]], n: int) -> list[int]:
    """Return states, a list of bits a lane, as state words."""
    return [sum(state[spin] << lane for lane, state in enumerate(states)) for spin in range(n)]


async def run_reads(bench: CoreBench, program: Program, run: Run, states: Sequence[Sequence[int]]) -> list[Read]:
    """Return the reads that start from states, one after the other from the run's first read on."""
    lanes, n = bench.config.lanes, program.n
    rows = rows_of(Random(0), program, bench.config.slots)
    problem = Problem.of_rows(rows, n, bench.config.slots, 1)
    await bench.check([problem.packet(bench.next_id())])
    reads: list[Read] = []
    for first in range(0, len(states), lanes):
        given = state_words(states[first : first + lanes], n)
        part = replace(run, first_read=run.first_read + first, state=given)
        reads += reads_of(bench, await bench.check([part.packet(bench.next_id(), 1)]), [row.spin for row in rows])
    return reads[: len(states)]


def odd(random: Random, spins: int) -> Program:
    """Return a program whose fields are never 0: all are odd."""
    n = random.randint(4, spins)
    terms = programs.terms_of(random, n, [random.choice([2, 2, 3, 4]) for _ in range(2 * n)])
    bias = programs.biases(random, n, 20)
    for spin in range(n):
        bias[spin] += 1 - (bias[spin] + sum(value for members, value in terms.items() if spin in members)) % 2
    return programs.any_order(random, n, bias, terms)


def gauged(program: Program, flipped: Sequence[int]) -> Program:
    """Return a program whose state s has the energy that the given one's has with the spins where ``flipped`` is 1 turned over."""
    bias = [-value if flip else value for value, flip in zip(program.bias.tolist(), flipped, strict=True)]
    terms = {}
    for block in program.blocks:
        for members, value in zip(block.spins.tolist(), block.weights.astype(int).tolist(), strict=True):
            terms[tuple(members)] = -value if sum(flipped[spin] for spin in members) % 2 else value
    return programs.with_order(program.n, bias, terms, program.order.tolist())


def of_plus(program: Program) -> int:
    """Return the energy of the state of all +1."""
    return int(program.energy([1] * program.n))


@cocotb.test(**LIMIT)
async def gauge(dut: Any) -> None:
    """Turning spins over in program and initial states turns them over in every read, by both rules, and changes no energy."""
    bench = CoreBench(dut, arrays="numpy")
    await bench.start()
    random = bench.random
    for number in range(bench.bench.parameters["gauges"]):
        program = odd(random, 14)
        flipped = [random.randint(0, 1) for _ in range(program.n)]
        other = gauged(program, flipped)
        states = [[random.randint(0, 1) for _ in range(program.n)] for _ in range(bench.config.lanes)]
        turned = [[bit ^ flip for bit, flip in zip(state, flipped, strict=True)] for state in states]
        run = Run(seed=random.getrandbits(64), rule=number % 2, schedule=[(1 << 15, 4), (1 << 18, 3)], keep_first=1, keep_every=2)
        for one, two in zip(await run_reads(bench, program, run, states), await run_reads(bench, other, run, turned), strict=True):
            for plain, image in ((one.last, two.last), (one.best, two.best), *zip(one.kept, two.kept, strict=True)):
                assert image == [bit ^ flip for bit, flip in zip(plain, flipped, strict=True)]
            energies = [(of_plus(program) + 2 * one.half, of_plus(program) + 2 * one.best_half)]
            energies.append((of_plus(other) + 2 * two.half, of_plus(other) + 2 * two.best_half))
            assert energies[0] == energies[1]
            assert (one.best_sweep, one.flips, one.random) == (two.best_sweep, two.flips, two.random)
            assert one.kept and one.flips, "nothing was compared"
    bench.count(2 * bench.bench.parameters["gauges"])
    await bench.check_registers()


@cocotb.test(**LIMIT)
async def back_pressure(dut: Any) -> None:
    """Holding back on every channel changes no bit of an answer."""
    bench = CoreBench(dut, arrays="numpy")
    await bench.start()
    random = bench.random
    problem = random_problem(random, programs.orders(random, 20), bench.config)
    run = Run(seed=random.getrandbits(64), rule=1, schedule=[(1 << 14, 6)], keep_first=1, keep_every=1)
    batch = [problem.packet(1), run.packet(2, problem.program_id)]
    answers, stalls = [], []
    for _ in range(bench.bench.parameters["pauses"]):
        answers.append(await bench.check(batch))
        stalls.append((await bench.counter("stall_output"), await bench.counter("cycles")))
        bench.pause(random)
    assert all(answer == answers[0] for answer in answers), "back-pressure changed an answer"
    times = {after[1] - before[1] for before, after in zip([(0, 0), *stalls], stalls, strict=False)}
    assert len(times) > 1, "holding back made no difference in time either"
    bench.count(1)


@cocotb.test(**LIMIT)
async def reads(dut: Any) -> None:
    """Runs of the plan; what every read made goes into a file."""
    bench = CoreBench(dut, arrays="numpy")
    await bench.start()
    made = []
    plan = bench.bench.parameters["plan"]
    for kind, seed in plan:
        random = Random(f"{kind} {seed}")
        program = programs.KINDS[kind](random, 16)
        states = [[random.randint(0, 1) for _ in range(program.n)] for _ in range(bench.bench.parameters["reads"])]
        entries = [(1 << random.randint(12, 20), random.randint(1, 3)) for _ in range(2)]
        run = Run(seed=random.getrandbits(64), first_read=random.getrandbits(20), rule=seed % 2, schedule=entries, keep_first=1, keep_every=1)
        made.append([read._asdict() for read in await run_reads(bench, program, run, states)])
    Path(bench.bench.parameters["output"]).write_text(json.dumps(made), encoding="utf-8")
    bench.count(len(plan))
