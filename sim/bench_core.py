"""The whole core against the golden model: every word of every answer, counters, errors, resets, watchdogs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations
from random import Random
from typing import Any, Final

import cocotb
import numpy as np

from ebmhw.contract import formats
from ebmhw.contract.ising_core import ERRORS, RESULTS, STATES
from sim import programs
from sim.axi import Beat, sometimes
from sim.bad_packets import Bad, bad_frames, bad_problems, bad_runs, rows_to_spoil
from sim.core_bench import CoreBench
from sim.jobs import PROBLEM, RUN, Problem, RowSlots, Run, Slot, beats_of, filled, random_problem, random_run, random_slots, rows_of, with_bits

LIMIT: Final[dict[str, Any]] = {"timeout_time": 200, "timeout_unit": "ms"}


def small_run(bench: CoreBench, problem: Problem, sweeps: int = 3) -> bytes:
    """Return a run whose answer depends on all that came before it."""
    random = bench.random
    run = Run(seed=random.getrandbits(64), first_read=random.getrandbits(20), rule=random.randint(0, 1), schedule=[(random.getrandbits(18), sweeps)])
    return run.packet(bench.next_id(), problem.program_id)


def small_problem(bench: CoreBench, n: int = 6) -> Problem:
    """Return a small problem."""
    program = programs.any_order(bench.random, n, programs.biases(bench.random, n, 30), programs.terms_of(bench.random, n, [2, 2, 2, 3, 3, 4]))
    return random_problem(bench.random, program, bench.config)


async def correct_job(bench: CoreBench) -> None:
    """Check that a problem loads and runs as if nothing had been before."""
    problem = small_problem(bench)
    await bench.check([problem.packet(bench.next_id()), small_run(bench, problem)])
    bench.count(1)


@cocotb.test(**LIMIT)
async def identity(dut: Any) -> None:
    """Registers say which core this is, and are as documented after a reset."""
    bench = CoreBench(dut)
    config = bench.config
    await bench.start()
    shape = await bench.fields("shape")
    assert (shape["lanes"], shape["slots"]) == (config.lanes, config.slots)
    widths = {
        "coupling_bits": formats.COUPLING_BITS,
        "bias_bits": formats.BIAS_BITS,
        "energy_bits": formats.ENERGY_BITS,
        "sweep_bits": config.sweep_bits,
    }
    assert await bench.fields("formats") == widths
    await bench.check_identity(
        spins_max=config.spins_max, beats_max=config.beats_max, schedule_max=config.schedule_max, flip_bits=bench.model.flip_bits
    )
    assert (await bench.fields("status"))["state"] in (STATES["filling"], STATES["idle"])
    await bench.until("idle")
    await bench.check_registers()


def batches(bench: CoreBench, count: int, spins: int, sweeps: int) -> list[list[bytes]]:
    """Return batches of ``count`` problems in all, each followed by runs; a problem's last run may come in the batch after it."""
    random, made = bench.random, []
    batch: list[bytes] = []
    kinds = list(programs.KINDS)
    random.shuffle(kinds)
    for number in range(count):
        if random.random() < 0.15:
            problem = random_slots(random, bench.config, min(spins, 16))
        else:
            problem = random_problem(random, programs.KINDS[kinds[number % len(kinds)]](random, spins), bench.config)
        batch.append(problem.packet(bench.next_id()))
        for _ in range(random.choice([1, 1, 2])):
            if random.random() < 0.3:
                made.append(batch)
                batch = []
            batch.append(random_run(random, problem, bench.config, sweeps).packet(bench.next_id(), problem.program_id))
    return [*made, batch]


@cocotb.test(**LIMIT)
async def random_programs(dut: Any) -> None:
    """Random programs and runs, in batches that follow one another, while every channel holds back as it likes and registers are read."""
    bench = CoreBench(dut)
    count = bench.bench.parameters["programs"]
    await bench.start()
    end_watch = bench.watch()
    left = count
    while left:
        # Batches queue up behind each other: the core sees the next job while it answers.
        group = min(left, bench.random.randint(1, 4))
        bench.pause(bench.random)
        for due in [bench.send(batch) for batch in batches(bench, group, bench.bench.parameters["spins"], bench.bench.parameters["sweeps"])]:
            await bench.compare(due)
        left -= group
    await end_watch()
    assert bench.model.counters["updates"] > 20 * count, "too little was compared"
    bench.count(count)
    bench.hurry()
    await bench.check_registers()


def spread(problem: programs.Program, slots: int, beats: int, at: int) -> list[RowSlots]:
    """Return a program's rows of ``beats`` beats each, whose terms all stand in beat ``at``; the other slots are empty."""
    rows = []
    for row in rows_of(Random(0), problem, slots):
        nothing = Slot(row.spin, 0, 0)
        used = row.slots[:slots]
        rows.append(row._replace(slots=[*[nothing] * (at * slots), *used, *[nothing] * ((beats - at - 1) * slots)]))
    return rows


@cocotb.test(**LIMIT)
async def hazards(dut: Any) -> None:
    """Every distance in cycles, from 1 to the pipeline's length and two more, from a row's last beat to one that reads its spin.

    The coupling works both ways, so that a row also waits for one that comes after it in the order, across the border of sweeps.
    """
    bench = CoreBench(dut)
    await bench.start()
    random, latency = bench.random, (await bench.fields("shape"))["latency"]
    covered: set[int] = set()
    count = 0
    for beats, at in bench.bench.parameters["hazards"]:
        for rows in range(1, (latency + 2 + beats) // beats + 1):
            distance = rows * beats + at - (beats - 1)
            n = random.randint(max(3, rows + 1), rows + max(3, latency // beats))
            if distance > latency + 2 or n > bench.config.spins_max:
                continue
            program = programs.circulant(random, n, rows)
            problem = Problem.of_rows(spread(program, bench.config.slots, beats, at), n, bench.config.slots, random.getrandbits(32))
            await bench.check([problem.packet(bench.next_id()), small_run(bench, problem)])
            covered.add(distance)
            count += 1
    assert covered == set(range(1, latency + 3)), f"distances {sorted(covered)}"
    assert await bench.counter("stall_hazard") > 0, "no beat ever waited"
    bench.count(count)
    await bench.check_registers()


@cocotb.test(**LIMIT)
async def kept_samples(dut: Any) -> None:
    """Samples of many rows in a row, taken more slowly than sweeps make them: sweeps wait for room, and nothing of a sample is lost."""
    bench = CoreBench(dut)
    random, config = bench.random, bench.config
    await bench.start()
    n = min(config.spins_max, 200)
    program = programs.with_order(n, programs.biases(random, n, 50), {(spin, spin + n // 2): programs.weight(random) for spin in range(n // 2)})
    problem = Problem.of_rows(rows_of(random, program, config.slots), n, config.slots, 3)
    for first, every in ((1, 1), (2, 1), (1, 2), (2, 3)):
        bench.results.channel.pauses = sometimes(Random(random.getrandbits(64)), 0.7)
        run = Run(seed=random.getrandbits(64), schedule=[(1 << 15, 7)], keep_first=first, keep_every=every)
        await bench.check([problem.packet(bench.next_id()), run.packet(bench.next_id(), 3)])
    assert await bench.counter("stall_output") > 100, "sweeps never waited for room"
    bench.count(1)
    bench.hurry()
    await bench.check_registers()


@cocotb.test(**LIMIT)
async def limits(dut: Any) -> None:
    """The smallest and the largest of everything."""
    bench = CoreBench(dut)
    random, config = bench.random, bench.config
    await bench.start()

    async def check(problem: Problem, *runs: Run) -> None:
        await bench.check([problem.packet(bench.next_id()), *(run.packet(bench.next_id(), problem.program_id) for run in runs)])
        bench.count(1)

    alone = Problem.of_rows([RowSlots(0, -1, filled([], 0, config.slots))], 1, config.slots, 0)
    most = (1 << config.sweep_bits) - 1
    await check(alone, Run(schedule=[(0, 5), (0, 0), (1 << 20, 4)], rule=1, keep_first=1), Run())
    # A job has as many sweeps as it may; only the first and the last two are not at a temperature that freezes.
    if "sweeps" in bench.bench.parameters["most"]:
        await check(alone, Run(seed=3, schedule=[(0, 1), ((1 << 26) - 1, most - 3), (0, 2)], keep_first=most - 1))
    every = random_problem(random, programs.full(random, config.spins_max), config)
    await check(every, Run(seed=1, schedule=[(1 << 16, 1)] * min(config.schedule_max, 8) + [(1, 0)] * (config.schedule_max - 8)))
    await check(every, random_run(random, every, config, 2))
    # All spins clamped: nothing is executed, nothing kept, yet energies are those of the initial states.
    rows = rows_of(random, programs.dense(random, config.spins_max), config.slots)
    held = Problem.of_rows(rows, 0, config.slots, 0xFFFF_FFFF)
    clamps = [(row.spin, random.getrandbits(64)) for row in rows] * 2
    await check(held, Run(schedule=[(5, 7)], keep_first=1, clamp=clamps), Run(seed=2, clamp=clamps[:1]))
    # Rows whose slots fill beats exactly, lack one, and need one more; then as many beats as fit.
    around = programs.around_beats(random, config.slots, bench.bench.parameters["around"])
    await check(Problem.of_rows(rows_of(random, around, config.slots), around.n, config.slots, 1), Run(seed=9, schedule=[(1 << 17, 3)], rule=1))
    if "beats" in bench.bench.parameters["most"]:
        one, other = [Slot(spin, 0, 0) for spin in (0, 1)], [Slot(1, -127, 0), Slot(0, 127, 0)]
        beats = [config.beats_max // 2, config.beats_max - config.beats_max // 2]
        rows = [RowSlots(k, 5, [other[k], *[one[k]] * (beats[k] * config.slots - 2), other[k]]) for k in range(2)]
        await check(Problem.of_rows(rows, 2, config.slots, 2), Run(seed=8, schedule=[(1 << 14, 2)]))
    await bench.check_registers()


async def refuse(bench: CoreBench, bad: Bad, before: Sequence[bytes] = ()) -> None:
    """Check that a packet is answered by its error; after it a correct run in the same batch, unless the batch ends with it."""
    problem = small_problem(bench, 3)
    good = [] if bad.ends else [problem.packet(bench.next_id()), small_run(bench, problem, 1)]
    due = bench.send([*before, bad.packet, *good])
    answers = [values for name, values in RESULTS.decode(b"".join(beat.to_bytes(8, "little") for beat in due)) if name == "error"]
    assert [values["error"] for values in answers] == [ERRORS[bad.error]], f"{bad.what} is {answers} to the model, not {bad.error}"
    try:
        await bench.compare(due)
    except AssertionError as wrong:
        raise AssertionError(f"{bad.error}, {bad.what}: {wrong}") from None
    if bad.ends:
        await correct_job(bench)
    else:
        bench.count(1)


@cocotb.test(**LIMIT)
async def errors(dut: Any) -> None:
    """Every error that a packet can cause, each answered as such and followed by a correct job."""
    bench = CoreBench(dut)
    random, config = bench.random, bench.config
    await bench.start()
    every = bench.bench.parameters["every_error"]

    def some(bads: list[Bad]) -> list[Bad]:
        # One of each kind is enough for a slow simulator.
        return bads if every else list({bad.error: bad for bad in random.sample(bads, len(bads))}.values())

    await refuse(bench, Bad("problem", "no problem is loaded", small_run(bench, small_problem(bench))))
    rows = rows_to_spoil(random, config)
    good = Problem.of_rows(rows, len(rows), config.slots, random.getrandbits(32))
    frames = [*bad_frames(random, good.packet(bench.next_id()), PROBLEM)]
    frames += bad_frames(random, Run(schedule=[(1, 1), (2, 2)]).packet(bench.next_id(), good.program_id), RUN)
    for bad in some(frames):
        bench.pause(random)
        await refuse(bench, bad, [good.packet(bench.next_id())])
    for bad in some(list(bad_problems(random, rows, config))):
        bench.pause(random)
        await refuse(bench, bad)
    for bad in some(list(bad_runs(random, good, config))):
        bench.pause(random)
        await refuse(bench, bad, [good.packet(bench.next_id())])
    bench.hurry()
    # A refused run leaves the problem as it was, a refused problem leaves none.
    spoilt = next(bad for bad in bad_problems(random, rows, config) if bad.error == "slot")
    foreign = next(bad for bad in bad_runs(random, good, config) if bad.error == "clamp")
    run = small_run(bench, good)
    await bench.check([good.packet(bench.next_id()), foreign.packet, run])
    await bench.check([spoilt.packet, run])
    await correct_job(bench)
    await bench.check_registers()


@cocotb.test(**LIMIT)
async def lopsided(dut: Any) -> None:
    """A problem whose rows disagree about a term has no energy to come back to: the self-test says so, the next job runs."""
    bench = CoreBench(dut)
    config = bench.config
    await bench.start()
    rows = [RowSlots(0, 0, filled([Slot(1, 100, 0)], 0, config.slots)), RowSlots(1, 0, filled([], 1, config.slots))]
    problem = Problem.of_rows(rows, 2, config.slots, 77)
    down = (1 << 64) - 1
    # Opening sets spin 0 first and closing sets it back first: the coupling counts once with spin 1 up, once with it down.
    due = await bench.check([problem.packet(1), Run(state=[down, down]).packet(2, 77)])
    assert due[-1] == (1 << config.lanes) - 1, "the model finds all in order"
    assert bench.model.last_error == (ERRORS["energy"], 2, 0)
    await bench.check_registers()
    await correct_job(bench)
    await bench.check_registers()


@cocotb.test(**LIMIT)
async def garbage(dut: Any) -> None:
    """Good packets with a few bits turned over: answered as the model answers them, whatever they came to mean."""
    bench = CoreBench(dut)
    random = bench.random
    await bench.start()
    for _ in range(bench.bench.parameters["garbage"]):
        bench.pause(random)
        problem = small_problem(bench)
        run = random_run(random, problem, bench.config, 2)
        packets = [problem.packet(bench.next_id()), run.packet(bench.next_id(), problem.program_id)]
        which = random.randrange(2)
        # Half of the errors go where the fields are: most of a packet is slots.
        near = random.choice([8 * len(packets[which]), 32 * (PROBLEM, RUN)[which].fixed_words])
        turned = [random.randrange(near) for _ in range(random.choice([1, 1, 2, 3]))]
        for bit in turned:
            whole = int.from_bytes(packets[which], "little") ^ 1 << bit
            packets[which] = whole.to_bytes(len(packets[which]), "little")
        if which and run.schedule:
            # No longer runs than meant: they would take hours.
            for entry in range(len(run.schedule)):
                at = 32 * (RUN.fixed_words + 2 * entry) + RUN.bit_offset("schedule.sweeps")
                packets[1] = with_bits(packets[1], at, 32, min(run.schedule[entry][1], 2))
        try:
            await bench.check([*packets, small_run(bench, problem)])
        except AssertionError as wrong:
            raise AssertionError(f"packet {which} with bits {turned} turned over: {wrong}") from None
        await correct_job(bench)
    bench.hurry()
    await bench.check_registers()


async def busy_batch(bench: CoreBench) -> None:
    """Begin a batch long enough to be interrupted anywhere: two problems, runs that keep samples, and one that is refused."""
    random = bench.random
    packets = []
    for _ in range(2):
        program = programs.sparse(random, 20)
        rows = rows_of(random, program, bench.config.slots, scatter=True)
        problem = Problem.of_rows(rows, program.n, bench.config.slots, random.getrandbits(32))
        run = Run(seed=random.getrandbits(64), rule=1, schedule=[(1 << 15, 12)], keep_first=2, keep_every=3)
        wrong = with_bits(problem.packet(bench.next_id()), PROBLEM.bit_offset("rows"), 32, 0)
        packets += [problem.packet(bench.next_id()), run.packet(bench.next_id(), problem.program_id), wrong]
    bench.send(packets)


@cocotb.test(**LIMIT)
async def resets(dut: Any) -> None:
    """A reset, of the core by its register or of the whole design, in every state: what comes after is as if nothing had been before."""
    bench = CoreBench(dut)
    random = bench.random
    await bench.start()
    await correct_job(bench)
    for state in bench.bench.parameters["resets"]:
        for whole in (False, True):
            # Registers are read without a pause, so that no state passes unseen.
            bench.pause(random, registers=False)
            await busy_batch(bench)
            if state != "idle":
                await bench.until(state)
            await bench.bench.wait(random.randint(0, 12))
            if whole:
                await bench.restart()
            else:
                await bench.reset()
                assert (await bench.fields("status"))["loaded"] == 0, "a problem is loaded after a reset"
                await bench.clear_counters()
            await correct_job(bench)
            bench.hurry()
            await bench.check_registers()


@cocotb.test(**LIMIT)
async def flipped_spin(dut: Any) -> None:
    """A spin that flips in one of its memories while the core runs is a fault that the self-test finds; the next job is right."""
    bench = CoreBench(dut)
    random, slots = bench.random, bench.config.slots
    await bench.start()
    # Spin 8 is clamped, so that nothing writes it before the closing pass does; eight free spins read it through slot 0.
    rows = [RowSlots(spin, 0, filled([Slot(8, random.randint(1, 99), 0)], spin, slots)) for spin in range(8)]
    rows.append(RowSlots(8, 0, filled([Slot(spin, row.slots[0].coupling, 0) for spin, row in enumerate(rows)], 8, slots)))
    problem = Problem.of_rows(rows, 8, slots, 5)
    run = Run(seed=random.getrandbits(64), schedule=[(0, 30)])
    await bench.check([problem.packet(bench.next_id()), run.packet(bench.next_id(), 5)])
    due = bench.send([run.packet(bench.next_id(), 5)])
    await bench.until("sweeping")
    spins = next(child for child in dut.core if child._name.startswith("spins") and hasattr(child, "slot0"))
    spins.slot0[8].value = int(spins.slot0[8].value) ^ (1 << bench.config.lanes) - 1
    found = await bench.in_time(bench.results.take_packet())
    assert len(found) == len(due) and found != due and found[:5] == due[:5], "a flipped spin changed nothing"
    assert found[-1] != 0, "the self-test found nothing"
    assert (await bench.fields("last_error"))["code"] == ERRORS["energy"]
    assert await bench.read("last_error_job") == bench.job_id
    assert (await bench.fields("interrupt_pending"))["error"] == 1
    await correct_job(bench)


async def expect(bench: CoreBench, due: Sequence[int], last: bool) -> None:
    """Take beats and compare them; ``last`` says whether the batch's end comes with the last of them."""
    for at, beat in enumerate(due):
        found = await bench.results.take_beat()
        assert (found.data, found.last) == (beat, last and at == len(due) - 1), f"beat {at} is {found}, {beat:#018x} is due"


def error_packet(job: int, name: str, beat: int) -> list[int]:
    """Return the beats of an error packet."""
    return beats_of([RESULTS.layout("error").encode({"job_id": job, "error": ERRORS[name], "beat": beat, "zero": 0})])


@cocotb.test(**LIMIT)
async def input_watchdog(dut: Any) -> None:
    """A packet that stops coming is given up and answered; what comes of it later is refused; then a correct job runs."""
    bench = CoreBench(dut)
    random = bench.random
    await bench.start()
    await bench.write("input_limit", cycles=40)
    problem = small_problem(bench)
    loaded = problem.packet(bench.next_id())
    run = random_run(random, problem, bench.config, 3).packet(bench.next_id(), problem.program_id)
    for packet, beats in [
        (loaded, 1), (loaded, 2), (loaded, 4), (loaded, 5 + problem.rows), (loaded, len(loaded) // 8 - 1),
        (run, 1), (run, 3), (run, 8), (run, len(run) // 8 - 1),
    ]:  # fmt: skip
        await bench.check([loaded])
        words = beats_of([packet])
        bench.jobs.send(words[:beats], last=False)
        job = words[1] & 0xFFFF_FFFF if beats >= 2 else 0
        await expect(bench, error_packet(job, "input_stalled", beats), last=False)
        error = (await bench.fields("last_error"))["code"], await bench.read("last_error_job"), await bench.read("last_error_beat")
        assert error == (ERRORS["input_stalled"], job, beats)
        # A pause between packets is no fault, however long.
        await bench.bench.wait(100)
        assert (await bench.fields("status"))["input_stalled"] == 0
        if random.random() < 0.5:
            late = words[beats:]
            bench.jobs.send(late)
            await expect(bench, error_packet(0, "magic", 0), last=True)
        if packet is run:
            # The run is lost, its problem is not.
            await bench.check([small_run(bench, problem)])
        await correct_job(bench)
    # As many idle cycles as are allowed are no fault either.
    bench.jobs.channel.pauses = None
    words = beats_of([loaded])
    for at, word in enumerate(words):
        bench.jobs.send_beat(Beat(word, 0xFF, at == len(words) - 1), idle=39)
    await bench.compare(bench.model.answer(np.array(words, dtype=np.uint64)).tolist())
    await correct_job(bench)


@cocotb.test(**LIMIT)
async def output_watchdog(dut: Any) -> None:
    """An answer that is not taken is given up: the beat on offer stays, one with the end of the batch follows; then a correct job runs."""
    bench = CoreBench(dut)
    random, sink = bench.random, bench.results.channel
    await bench.start()
    await bench.write("output_limit", cycles=30)
    for stop in ("loaded", "sample", "head", "planes", "states", "last beat", "more jobs"):
        problem = small_problem(bench)
        while not problem.executed:
            problem = small_problem(bench)
        load, run_id, more = problem.packet(bench.next_id()), bench.next_id(), small_run(bench, problem)
        run = Run(seed=random.getrandbits(64), schedule=[(1 << 15, 6)], keep_first=2, keep_every=2, rule=1).packet(run_id, problem.program_id)
        batch = [load, run, more] if stop == "more jobs" else [load, run]
        loaded, draws = (bench.model.answer(np.array(beats_of([packet]), dtype=np.uint64)).tolist() for packet in (load, run))
        head = next(at for at, beat in enumerate(draws) if beat & 0xFFFF_FFFF == 0x0103_4245)
        stops = {
            "loaded": 1 - len(loaded),
            "sample": 4,
            "head": head + 2,
            "planes": head + 20,
            "states": len(draws) - 20,
            "last beat": len(draws) - 1,
        }
        taken = len(loaded) + stops.get(stop, head + 3)
        before = sink.taken
        sink.pauses = lambda end=before + taken: sink.taken >= end
        bench.jobs.send(beats_of(batch))
        await expect(bench, [*loaded, *draws][:taken], last=False)
        # With its last beat on offer a job is over.
        job = {"loaded": packet_job(load), "last beat": 0}.get(stop, run_id)
        for _ in range(200):
            if await bench.read("last_error_job") == job:
                break
        else:
            raise AssertionError(f"an answer that stalls in {stop} is never given up")
        assert (await bench.fields("last_error"))["code"] == ERRORS["output_stalled"]
        # What is left of the batch finds the core as after a reset.
        bench.model.reset()
        rest = batch[1:] if stop == "loaded" else batch[2:]
        after = bench.model.answer(np.array(beats_of(rest), dtype=np.uint64)).tolist()
        await bench.bench.wait(random.randint(0, 100))
        sink.pauses = None
        held = [*loaded, *draws][taken]
        if stop == "last beat":
            await expect(bench, [held], last=True)
        else:
            await expect(bench, [held], last=False)
            await expect(bench, [0], last=True)
        await expect(bench, after, last=True)
        await bench.until("idle")
        assert (await bench.fields("status"))["loaded"] == 0
        await correct_job(bench)
    # As many cycles as are allowed are no fault.
    held_for = 0

    def almost() -> bool:
        nonlocal held_for
        held_for = (held_for + 1) % 31
        return held_for != 0

    sink.pauses = almost
    await correct_job(bench)


def packet_job(packet: bytes) -> int:
    """Return the number of a job."""
    at = PROBLEM.bit_offset("job_id") // 8
    return int.from_bytes(packet[at : at + 4], "little")


LARGE: Final[dict[str, Callable[[Random], programs.Program]]] = {
    "3-SAT n=5000": lambda random: programs.three_sat(random, 5000, 21_000),
    "G1-like n=800": lambda random: programs.gset(random, 800, 19_176),
    "degree 8 n=8192": lambda random: programs.regular(random, 8192, 8),
    "dense n=256": lambda random: programs.with_order(256, [0] * 256, {pair: programs.weight(random) for pair in combinations(range(256), 2)}),
    "3-SAT n=250": lambda random: programs.three_sat(random, 250, 1050),
}
"""Programs of real size, by name."""


@cocotb.test(**LIMIT)
async def large(dut: Any) -> None:
    """Programs of the size that the core is for: loaded as the driver packs them, run by both rules, with samples, clamps and given states."""
    bench = CoreBench(dut, arrays="jax")
    random, lanes = bench.random, bench.config.lanes
    await bench.start()
    for name, sweeps in bench.bench.parameters["large"]:
        # Nothing of a problem depends on what ran before it.
        problem = Problem.of_program(LARGE[name](Random(name)), bench.config)
        await bench.check([problem.packet(bench.next_id())])
        for rule in range(2):
            run = Run(
                seed=random.getrandbits(64),
                first_read=random.getrandbits(28),
                rule=rule,
                schedule=[(temperature, max(1, sweeps // 2)) for temperature in (1 << 17, 1 << 19)],
                keep_first=sweeps // 2 if rule else 0,
                keep_every=sweeps,
                state=[random.getrandbits(lanes) for _ in range(problem.rows)] if rule else [],
                clamp=[(random.randrange(problem.rows), random.getrandbits(lanes)) for _ in range(9 * rule)],
            )
            await bench.check([run.packet(bench.next_id(), problem.program_id)])
        bench.count(1)
        await bench.check_registers()


@cocotb.test(**LIMIT)
async def interrupts(dut: Any) -> None:
    """Events are pending until they are cleared; the line is high while one that is enabled is pending."""
    bench = CoreBench(dut)
    await bench.start()
    spoilt = with_bits(small_problem(bench).packet(bench.next_id()), PROBLEM.bit_offset("rows"), 32, 0)
    await bench.check_interrupts(lambda: correct_job(bench), spoilt)
    await bench.check_registers()
