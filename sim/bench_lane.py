"""Lanes against the golden model, row by row; around a lane are, in Python, the memories, the interlock and the pipeline's shared side.

Parameters
----------
configs : of the lane of each name
jobs : of each lane
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final, NamedTuple, final

import cocotb
import numpy as np
from cocotb.triggers import gather

from ebmhw import Program
from ebmhw.contract.formats import BIAS_BITS, RULES
from ebmhw.golden.arrays import NumpyArrays
from ebmhw.golden.rows import padded_rows
from ebmhw.golden.step import Chain, end_of_sweep, step
from ebmhw.golden.stream import next_draw
from hdl.ising_core.config import IsingConfig
from hdl.ising_core.layouts import Pass
from hdl.ising_core.pipeline import Stages
from sim.bench import Bench
from sim.programs import KINDS

LIMIT: Final[dict[str, Any]] = {"timeout_time": 400, "timeout_unit": "us"}
"""A hundred thousand cycles: no test comes near it unless something is stuck."""
SPINS: Final = 9
"""Of the largest program."""
WORDS: Final = 4
STROBES: Final = ("tree_valid", "field_valid", "draw", "write", "count_flip", "opened", "swept", "start", "random_shift")
"""Control bits that are down but in the cycles that they are for."""
FIELDS: Final = ("chain", "tail", "chain_next", "field_first", "base", "beta", "metropolis_draw", "metropolis", "kind", "sweep", "plane")
"""The others, but for the couplings and their sums."""


class Beat(NamedTuple):
    """Slots of a row: spins read, chain flags, couplings."""

    reads: tuple[int, ...]
    chain: int
    couplings: tuple[int, ...]


class Row(NamedTuple):
    """A row as the core holds it, its field taken at a product of -1 everywhere."""

    spin: int
    base: int
    beats: tuple[Beat, ...]


class Update(NamedTuple):
    """What is to happen to a row's spin (1 is -1)."""

    row: Row
    kind: Pass
    new: int
    ends: bool = False
    beta: int = 0
    sweep: int = 0
    improved: int = 0


class Job(NamedTuple):
    """A run of one chain: each pass row by row, and what is there at the end.

    ``numbers`` are half the final energy, half the best one, its sweep, and flips; ``drawn`` are the top bits of the initial draws.
    """

    random: list[int]
    drawn: list[int]
    rule: int
    passes: list[list[Update]]
    closing: list[Update]
    numbers: tuple[int, int, int, int]
    random_after: list[int]


@final
class Jobs:
    """Makes jobs of programs of every kind in turn.

    Parameters
    ----------
    bench : random numbers
    name : of the lane
    config : slots
    """

    def __init__(self, bench: Bench, name: str, config: IsingConfig) -> None:
        self._random, self._config = bench.random_for(name), config
        self._made = 0

    def next(self, kind: str | None = None, sweeps: int = 6) -> Job:
        """Return another job, of the kind whose turn it is unless one is given."""
        random = self._random
        if kind is None:
            kind = list(KINDS)[self._made % len(KINDS)]
            self._made += 1
        program = KINDS[kind](random, SPINS)
        clamped = np.array(sorted(random.sample(range(program.n), random.randint(0, program.n // 2))), dtype=np.int32)
        state = np.array([[random.getrandbits(32) for _ in range(WORDS)]], dtype=np.uint32)
        spins = np.array([random.choice((-1, 1)) for _ in range(program.n)], dtype=np.int8)
        drawn, after = [], state
        if random.getrandbits(1):
            for spin in range(program.n):
                draw, after = next_draw(np, after)
                drawn.append(int(draw[0]) >> 31)
                spins[spin] = 1 if drawn[-1] else -1
        spins[clamped] = [random.choice((-1, 1)) for _ in clamped]
        betas = [random.choice((0, int(2 ** random.uniform(10, 26)) - 1)) for _ in range(random.randint(0, sweeps))]
        return self._run(program, clamped, state, drawn, spins, after, sorted(betas), random.getrandbits(1))

    def _run(self, program: Program, clamped: Any, state: Any, drawn: list[int], spins: Any, random: Any, betas: Sequence[int], rule: int) -> Job:
        """Return the job that the golden model makes of this."""
        arrays = NumpyArrays()
        padded = padded_rows(program, clamped)
        rows = {spin: self._row(spin, bias, terms) for spin, bias, terms in program.rows}
        executed = [int(spin) for spin in padded.spin]
        order = [*executed, *clamped.tolist()]
        chain_spins, energy, zero = np.append(spins, np.int8(1))[None], program.energy(spins[None]), np.zeros(1, dtype=np.int64)
        chain = Chain(chain_spins, random, energy, zero, chain_spins.copy(), energy, zero)
        passes = [[Update(rows[spin], Pass.OPENING, int(spins[spin] < 0), spin == order[-1]) for spin in order]]
        for number, beta in enumerate(betas, 1):
            walk = []
            for at, spin in enumerate(executed):
                chain = step(arrays, chain, padded.row(at), np.int64(beta), RULES[rule])
                walk.append(Update(rows[spin], Pass.SWEEP, int(chain.spins[0, spin] < 0), spin == executed[-1], beta, number))
            best = int(chain.best_energy[0])
            chain = end_of_sweep(np, chain, number)
            if walk:
                walk[-1] = walk[-1]._replace(improved=int(chain.best_energy[0] < best))
                passes.append(walk)
        ones = int(program.energy(np.ones((1, program.n), dtype=np.int8))[0])
        halves = [(int(value[0]) - ones) // 2 for value in (chain.energy, chain.best_energy)]
        assert int(chain.energy[0]) == int(program.energy(chain.spins[:, :-1])[0])
        closing = [Update(rows[spin], Pass.CLOSING, 0, spin == order[-1]) for spin in order]
        numbers = (*halves, int(chain.best_sweep[0]), int(chain.flips[0]))
        return Job(state[0].tolist(), drawn, rule, passes, closing, numbers, chain.random[0].tolist())

    def _row(self, spin: int, bias: int, terms: Sequence[tuple[int, Sequence[int]]]) -> Row:
        """Return the beats of a row, its terms in any order."""
        slots = self._config.slots
        line: list[tuple[int, int, int]] = []
        for weight, others in self._random.sample(list(terms), len(terms)):
            line += [(int(other), 1, 0) for other in others[:-1]]
            line.append((int(others[-1]), 0, int(weight)))
        line += [(spin, 0, 0)] * (-len(line) % slots if line else slots)
        parts = [line[at : at + slots] for at in range(0, len(line), slots)]
        beats = [
            Beat(
                tuple(read for read, _, _ in part),
                sum(chain << slot for slot, (_, chain, _) in enumerate(part)),
                tuple(coupling for _, _, coupling in part),
            )
            for part in parts
        ]
        return Row(int(spin), int(bias) - sum(int(weight) for weight, _ in terms), tuple(beats))


@final
class Rig:
    """One lane."""

    def __init__(self, bench: Bench, name: str, config: IsingConfig) -> None:
        self._bench, self._name, self._config = bench, name, config
        self._random = bench.random_for(f"{name} rig")
        self.jobs = Jobs(bench, name, config)
        self._stages = Stages.of(config)
        self._control = {field: bench.port(name, "control", field) for field in (*STROBES, *FIELDS)}
        self._control |= {f"couplings_{slot}": bench.port(name, "control", "couplings", str(slot)) for slot in range(config.slots)}
        self._control |= {f"pairs_{pair}": bench.port(name, "control", "pairs", str(pair)) for pair in range(config.slots // 2)}
        self._control |= {f"pairs_{at}": bench.port(name, "control", "pairs", str(at)) for at in range(config.slots // 2)}
        self._shown: set[str] = set(self._control)
        self._inputs = {port: bench.port(name, port) for port in ("spins", "old", "target", "random_in")}
        self._outputs = {port: bench.port(name, port) for port in ("new", "improved", "first_draw", "plane_bit", "unbalanced", "random_out")}
        self._cycle_number = 0
        self.broken_off()

    def broken_off(self) -> None:
        """Forget what is under way, as a reset of the core does; the lane itself has none but at power-up."""
        self._due: defaultdict[int, dict[str, Any]] = defaultdict(dict)
        self._ports: defaultdict[int, dict[str, int]] = defaultdict(dict)
        self._updates: dict[int, tuple[str, Update]] = {}
        self._free_from: defaultdict[int, int] = defaultdict(int)
        self._spins: defaultdict[int, int] = defaultdict(int)
        self._rule = 0

    async def _cycle(self, **control: int) -> dict[str, int]:
        """Go on by a cycle, with the control fields given and those that are due; return the outputs."""
        now, random = self._cycle_number, self._random
        values = {"metropolis": self._rule, "metropolis_draw": self._rule} | self._due.pop(now, {}) | control
        # What is not needed in this cycle is noise, and a strobe is down.
        for field in self._shown - values.keys():
            self._control[field].value = 0 if field in STROBES else random.getrandbits(len(self._control[field]))
        for field, value in values.items():
            self._control[field].value = value
        self._shown = set(values)
        ports = self._ports.pop(now, {})
        for port in ("spins", "old", "target"):
            self._inputs[port].value = ports.get(port, random.getrandbits(len(self._inputs[port])))
        await self._bench.dut.clk.rising_edge
        self._cycle_number += 1
        found = {port: handle.value for port, handle in self._outputs.items()}
        found = {port: int(value) for port, value in found.items() if value.is_resolvable}
        what, update = self._updates.pop(now, ("", None))
        if update:
            expected = update.new if what == "new" else update.improved
            assert found[what] == expected, (
                f"{self._name}, cycle {now}: {what} of spin {update.row.spin} is {found[what]} in {update.kind.name}, not {expected}"
            )
        if what == "new":
            self._spins[update.row.spin] = update.new
        return found

    async def _walk(self, updates: Sequence[Update], stop_after: int | None = None) -> None:
        """Issue the beats of a pass, each as soon as its spins are written or a little later, and wait until all is through; or stop short."""
        random = self._random
        issued = 0
        for update in updates:
            for number, beat in enumerate(update.row.beats):
                pause = random.randint(1, 4) if random.random() < 0.2 else 0
                while pause or max(self._free_from[spin] for spin in (*beat.reads, update.row.spin)) > self._cycle_number:
                    pause = max(0, pause - 1)
                    await self._cycle()
                self._issue(update, beat, number == 0, number == len(update.row.beats) - 1)
                await self._cycle()
                issued += 1
                if issued == stop_after:
                    # The beat is in the tree, or is not, or has left it.
                    for _ in range(random.randrange(2 * self._stages.add)):
                        await self._cycle()
                    return
        for _ in range(self._stages.length):
            await self._cycle()

    def _issue(self, update: Update, beat: Beat, first: bool, last: bool) -> None:
        """Note what a beat that is issued now needs in which cycle."""
        now, stages, slots = self._cycle_number, self._stages, self._config.slots
        tail = sum(1 << slot for slot in range(slots) if beat.chain >> slot == (1 << slots - slot) - 1)
        self._due[now + stages.product] |= {"tree_valid": 1, "chain": beat.chain, "tail": tail}
        self._due[now + stages.product + 1] |= {"chain_next": beat.chain}
        self._due[now + stages.add] |= {f"couplings_{slot}": coupling & 0xFF for slot, coupling in enumerate(beat.couplings)}
        pairs = zip(beat.couplings[::2], beat.couplings[1::2], strict=True)
        self._due[now + stages.add] |= {f"pairs_{at}": lower + upper & 0x1FF for at, (lower, upper) in enumerate(pairs)}
        sums = [lower + upper for lower, upper in zip(beat.couplings[::2], beat.couplings[1::2], strict=True)]
        self._due[now + stages.add] |= {f"pairs_{pair}": total & 0x1FF for pair, total in enumerate(sums)}
        self._due[now + stages.field] |= {"field_valid": 1, "field_first": int(first), "base": update.row.base & (1 << BIAS_BITS) - 1}
        self._ports[now + stages.product]["spins"] = sum(self._spins[read] << slot for slot, read in enumerate(beat.reads))
        if not last:
            return
        sweeping = update.kind is Pass.SWEEP
        self._free_from[update.row.spin] = now + stages.latency
        self._due[now + stages.beta] |= {"beta": update.beta}
        self._due[now + stages.draw] |= {"draw": int(sweeping)}
        self._due[now + stages.decide] |= {"kind": update.kind.value}
        self._due[now + stages.write] |= {"write": 1, "count_flip": int(sweeping)}
        # Between a row's issue and its decision nothing else writes its spin.
        self._ports[now + stages.decide]["old"] = self._spins[update.row.spin]
        if update.kind is Pass.OPENING:
            self._ports[now + stages.decide]["target"] = update.new
        self._updates[now + stages.write] = ("new", update)
        if update.ends and update.kind is not Pass.CLOSING:
            self._due[now + stages.settle] |= {"opened": int(not sweeping), "swept": int(sweeping), "sweep": update.sweep}
            self._updates[now + stages.settle + 1] = ("improved", update)

    async def _numbers(self) -> tuple[int, int, int, int]:
        """Return the numbers that the planes hold."""
        config = self._config
        bits = []
        for plane in range(config.planes + 1):
            # What a plane holds shows a cycle later.
            bits.append((await self._cycle(plane=min(plane, config.planes - 1)))["plane_bit"])
        whole = sum(bit << at for at, bit in enumerate(bits[1:]))
        numbers = []
        for width, signed in ((config.energy_bits, True), (config.energy_bits, True), (config.sweep_bits, False), (config.flip_bits, False)):
            number, whole = whole & (1 << width) - 1, whole >> width
            numbers.append(number - (1 << width) if signed and number >> width - 1 else number)
        return tuple(numbers)

    async def run(self, job: Job, stop_after: int | None = None) -> None:
        """Run a job and compare all that the lane makes of it; or leave it after some beats of its last pass but the closing one."""
        name = self._name
        for word in reversed(job.random):
            self._inputs["random_in"].value = word
            await self._cycle(random_shift=1)
        self._inputs["random_in"].value = self._random.getrandbits(32)
        draws = [(await self._cycle(draw=int(at < len(job.drawn))))["first_draw"] for at in range(len(job.drawn) + 2)]
        assert draws[2:] == job.drawn, f"{name}: initial draws are {draws[2:]}, not {job.drawn}"
        self._rule = job.rule
        await self._cycle(start=1)
        for walk in job.passes:
            stop = stop_after if walk is job.passes[-1] else None
            await self._walk(walk, stop)
            if stop is not None:
                return
        found = await self._numbers()
        assert found == job.numbers, f"{name}: energy, best, its sweep and flips are {found}, not {job.numbers}"
        assert (await self._cycle())["unbalanced"] == int(job.numbers[0] != 0), f"{name}: unbalanced is wrong before the closing pass"
        await self._walk(job.closing)
        found = await self._numbers()
        assert found == (0, *job.numbers[1:]), f"{name}: after the closing pass the numbers are {found}, not {(0, *job.numbers[1:])}"
        assert not (await self._cycle())["unbalanced"], f"{name}: unbalanced after the closing pass"
        words = [(await self._cycle(random_shift=1))["random_out"] for _ in range(WORDS)]
        assert words[::-1] == job.random_after, f"{name}: the random state is {words[::-1]}, not {job.random_after}"
        self._bench.count(programs=1, updates=sum(map(len, job.passes)) + len(job.closing))

    async def jobs_in_a_row(self, count: int) -> None:
        """Run jobs, one after the other."""
        for _ in range(count):
            await self.run(self.jobs.next())

    async def broken_jobs(self, count: int) -> None:
        """Run short jobs, each after one that was left in the middle, most of the time where a product is carried over."""
        random = self._random
        for _ in range(count):
            job = self.jobs.next("long_chains", 1)
            beats = [beat for update in job.passes[-1] for beat in update.row.beats]
            carried = [at for at, beat in enumerate(beats, 1) if beat.chain >> self._config.slots - 1]
            await self.run(job, random.choice(carried) if carried and random.random() < 0.8 else random.randint(1, len(beats)))
            self.broken_off()
            await self.run(self.jobs.next(sweeps=1))


def rigs(bench: Bench) -> list[Rig]:
    """Return the rigs of all lanes."""
    return [Rig(bench, name, IsingConfig(**config)) for name, config in bench.parameters["configs"].items()]


@cocotb.test(**LIMIT)
async def jobs(dut: Any) -> None:
    """Jobs of programs of every kind by both rules."""
    bench = Bench(dut)
    await bench.start()
    await gather(*(rig.jobs_in_a_row(bench.parameters["jobs"]) for rig in rigs(bench)))


@cocotb.test(**LIMIT)
async def broken_jobs(dut: Any) -> None:
    """A job that is broken off leaves nothing to the next one, though the lane is not reset."""
    bench = Bench(dut)
    await bench.start()
    await gather(*(rig.broken_jobs(bench.parameters["jobs"]) for rig in rigs(bench)))


@cocotb.test(**LIMIT)
async def reset_in_the_middle(dut: Any) -> None:
    """The same with a reset."""
    bench = Bench(dut)
    await bench.start()
    everything = rigs(bench)
    tasks = [cocotb.start_soon(rig.jobs_in_a_row(1)) for rig in everything]
    await bench.wait(bench.random.randint(30, 150))
    for task in tasks:
        task.cancel()
    await bench.reset()
    for rig in everything:
        rig.broken_off()
    await gather(*(rig.jobs_in_a_row(1) for rig in everything))
