"""The finisher and its writer: what the golden model makes of the sums of a token, as packets.

Parameters
----------
configs : of the `Finisher` of each name
tokens : of each
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from random import Random
from typing import Any, Final, final

import cocotb
import numpy as np
from cocotb.task import Task
from cocotb.triggers import gather

from ebmhw.contract.phi_formats import (
    BINS,
    FLAGS,
    FRACTION_BITS,
    INVERSE_FRACTION_BITS,
    NO_POSITION,
    NO_Z,
    WEIGHT_FRACTION_BITS,
    Z_FRACTION_BITS,
    inverse_log2,
)
from ebmhw.contract.phi_tables import WT, WU
from ebmhw.contract.phi_unit import ERRORS, INVERSE_LIMIT, RESULT_BYTES, RESULTS
from ebmhw.errors import ContractError
from ebmhw.golden.arrays import NumpyArrays
from ebmhw.golden.phi import PhiSums, partial_record_of, record_of, sums_of
from hdl.common.framer import stream_layout
from hdl.phi_unit import layouts
from hdl.phi_unit.config import PhiConfig
from hdl.phi_unit.layouts import bin_layout, summary_layout, token_layout
from sim.axi import Pauses, StreamSink, StreamSource, bursts, sometimes
from sim.bench import Bench
from sim.packing import Packing
from sim.phi_jobs import random_entries, random_size
from sim.phi_model import float32_bits

LIMIT: Final[dict[str, Any]] = {"timeout_time": 400, "timeout_unit": "us"}
"""A hundred thousand cycles: no test comes near it unless something is stuck."""
STREAM: Final = Packing(stream_layout(8 * RESULT_BYTES))
FULL_PACE: Final = 160
"""Cycles that a token takes where nothing holds its bins and its answer back, but for those that a partial one needs for its bins."""
_FLAG: Final = {name: 1 << bit for bit, name in enumerate(FLAGS)}


def beyond() -> list[int]:
    """Return the fractions of z of which a single entry has, by rounding, less than no entropy or more than all probability."""
    found = []
    for fraction, (s, t) in enumerate(zip(WT, WU, strict=True)):
        exact = Decimal(s).ln() / Decimal(2).ln() - WEIGHT_FRACTION_BITS
        log2_s = int(exact * (1 << FRACTION_BITS))
        if log2_s < (t << FRACTION_BITS) // s or log2_s < fraction << FRACTION_BITS - Z_FRACTION_BITS:
            found.append(fraction)
    return found


BEYOND: Final = beyond()


@final
@dataclass(frozen=True)
class Token:
    """A token whose entries are all added, and what its answer must be."""

    said: dict[str, int]
    found: dict[str, int]
    kmax: int
    bins: list[dict[str, int]]
    answer: bytes


def of_row(random: Random, config: PhiConfig) -> PhiSums:
    """Return the sums of a row of logits."""
    code = random.randrange(3)
    size = min(config.entries_max, random_size(random, 64, 0.95), 5000)
    bits = float32_bits(random_entries(random, size, code), code)
    kept = random.choice([size, size, size, size, 1, 0])
    if kept < size:
        # One valid entry, or none.
        bits = np.where(np.arange(size) == random.randrange(size) if kept else False, bits, random.choice([0xFF800000, 0x7FC00000])).astype(np.uint32)
    first = random.choice([0, random.randint(0, config.entries_max - size)])
    chosen = random.choice([NO_POSITION, first + random.randrange(size), first + random.randrange(size)])
    sums = sums_of(NumpyArrays(), bits[None], np.array([chosen]), first)
    return PhiSums(*(column[0] for column in sums))


def widest(random: Random, config: PhiConfig) -> PhiSums:
    """Return sums of the largest row, its entries at any few bins: the largest and the smallest quotients, logarithms just below a power."""
    left = config.entries_max - 1
    s, t = np.zeros((2, BINS), dtype=np.int64)
    for depth in random.choice([[], [0], [random.randrange(BINS)], random.sample(range(BINS), 5), [14, 15, 16, 17, 18]]):
        count = random.choice([left, random.randint(0, left)])
        fraction = random.choice([0, 1023, random.randrange(1024)])
        s[depth], t[depth] = count * WT[fraction], count * WU[fraction]
        left -= count
    fraction = random.choice(BEYOND if left == config.entries_max - 1 else [0, 1023])
    s[0], t[0] = s[0] + WT[fraction], t[0] + WU[fraction]
    kmax = random.choice([-2955, 2953, random.randint(-2890, 2953)])
    z1 = kmax << Z_FRACTION_BITS | fraction
    single = left == config.entries_max - 1
    values = {
        "flags": random.choice([0, _FLAG["clip_hi"], _FLAG["clip_lo"], _FLAG["clip_hi"] | _FLAG["clip_lo"]]),
        "valid": config.entries_max - left,
        "masked": random.randint(0, left),
        "excluded": 0,
        "argmax": random.randrange(config.entries_max),
        "z1": z1,
        "z2": NO_Z if single else z1 - random.randint(0, 99),
        "chosen": random.randrange(config.entries_max),
        "z_chosen": random.choice([z1, z1, z1 - random.randint(0, 1 << 16)]),
        "kmax": kmax,
    }
    return PhiSums(**{name: np.int64(value) for name, value in values.items()}, s=s, t=t)


def token_of(random: Random, config: PhiConfig, kind: str) -> Token:
    """Return a token of a kind: "record", "partial", "error", with the sums of a row or the widest there are."""
    sums = (widest if random.random() < 0.4 else of_row)(random, config)
    arrays = NumpyArrays()
    vocabulary = random.choice([2, config.entries_max, random.randint(2, config.entries_max)])
    inverse = random.choice([inverse_log2(vocabulary)] * 6 + [0, 1, INVERSE_LIMIT, random.randint(0, INVERSE_LIMIT)])
    no_choice, empty = bool(sums.flags & _FLAG["no_choice"]), not sums.valid
    said = {
        "job_id": random.getrandbits(32),
        "inverse": inverse if kind == "record" else random.getrandbits(INVERSE_FRACTION_BITS + 1),
        "partial": int(kind == "partial") if kind != "error" else random.getrandbits(1),
        "chosen": int(sums.chosen) % config.entries_max if not no_choice else random.randrange(config.entries_max),
        "error": random.choice([code for code in ERRORS.values() if code]) if kind == "error" else 0,
        "beat": random.getrandbits(32),
        "ends_batch": random.getrandbits(1),
    }
    some_z = random.randrange(-3_000_000, 3_000_000)
    found = {name: int(getattr(sums, name)) for name in ("valid", "masked", "excluded")}
    found |= {name: int(bool(sums.flags & _FLAG[name])) for name in ("clip_hi", "clip_lo")}
    found |= {
        "argmax": random.randrange(config.entries_max) if empty else int(sums.argmax),
        "z1": layouts.NO_Z if empty else int(sums.z1),
        "z2": layouts.NO_Z if empty or sums.z2 == NO_Z else int(sums.z2),
        "has_choice": int(not no_choice),
        "z_chosen": some_z if no_choice else int(sums.z_chosen),
    }
    pairs = np.stack([sums.s, sums.t], axis=1)
    bins = [{"s": int(s), "t": int(t)} for s, t in pairs]
    if kind == "error":
        answer = RESULTS.layout("error").encode({name: said[name] for name in ("job_id", "error", "beat")} | {"zero": 0})
    else:
        row = PhiSums(*(np.asarray(column)[None] for column in sums))
        record = partial_record_of(arrays, row) if kind == "partial" else record_of(arrays, row, inverse)
        values = {name: int(column[0]) for name, column in record._asdict().items()} | {"job_id": said["job_id"]}
        if kind == "partial":
            values |= {"kmax": int(sums.kmax), "zero": 0, "sums": int.from_bytes(pairs.astype("<i8").tobytes(), "little")}
        answer = RESULTS.layout(kind).encode(values)
    return Token(said, found, int(sums.kmax), bins, answer)


@final
class Rig:
    """A finisher, and in Python what is around it."""

    def __init__(self, bench: Bench, name: str, config: PhiConfig) -> None:
        self._bench, self._name, self._config = bench, name, config
        self._random = bench.random_for(name)
        self._sources = {source: StreamSource(bench, f"{name}_{source}") for source in ("token", "summary", "bins")}
        self._results = StreamSink(bench, f"{name}_results")
        self._packings = {"token": Packing(token_layout(config)), "summary": Packing(summary_layout(config)), "bins": Packing(bin_layout(config))}
        self._ports = {port: bench.port(name, port) for port in ("walk", "kmax", "finished", "results_valid", "results_ready")}
        self._tokens: list[Token] = []
        self._walked = self._finished = self._taken = 0
        self._watcher: Task[None] | None = None

    def begin(self) -> None:
        """Start afresh after a reset."""
        if self._watcher is not None:
            self._watcher.cancel()
        self._tokens, self._walked, self._finished = [], 0, 0
        self._taken = self._sources["bins"].channel.sent
        self._watcher = cocotb.start_soon(self._watch())

    def _pauses(self, pace: str) -> Pauses | None:
        random = self._random
        held = random.choice([sometimes(random, 0.4), bursts(random, 20)])
        return {"full": None, "held": held, "mixed": random.choice([None, held])}[pace]

    async def _watch(self) -> None:
        """Give a token's bins once they are asked for, and count what is finished."""
        while True:
            await self._bench.dut.clk.rising_edge
            if int(self._ports["walk"].value):
                assert self._walked < len(self._tokens), f"{self._name}: bins of a token are read that is not there"
                assert self._walked == self._finished, f"{self._name}: bins are read before the token before is finished"
                assert self._sources["bins"].channel.sent - self._taken == BINS * self._walked, f"{self._name}: bins of the token before are left"
                token = self._tokens[self._walked]
                kmax = self._ports["kmax"].value.to_signed()
                assert kmax == token.kmax, f"{self._name}: bins are read from {kmax} on, not from {token.kmax}"
                self._sources["bins"].send(self._packings["bins"].pack(values) for values in token.bins)
                self._walked += 1
            if int(self._ports["finished"].value):
                self._finished += 1
                assert int(self._ports["results_valid"].value) and int(self._ports["results_ready"].value), (
                    f"{self._name}: finished before its answer"
                )

    async def go(self, kinds: list[str], pace: str = "mixed") -> None:
        """Send tokens and compare their answers; at "full" pace, "held" back on every stream, or on some ("mixed")."""
        random = self._random
        tokens = [token_of(random, self._config, kind) for kind in kinds]
        for source in (*self._sources.values(), self._results):
            source.channel.pauses = self._pauses(pace)
        held = pace != "full"
        done = self._finished
        self._tokens += tokens
        for token in tokens:
            self._sources["token"].send([self._packings["token"].pack(token.said)], idle=random.choice([0, 0, 100]) if held else 0)
            self._sources["summary"].send([self._packings["summary"].pack(token.found)], idle=random.choice([0, 0, 100]) if held else 0)
        for number, (kind, token) in enumerate(zip(kinds, tokens, strict=True)):
            begin = self._bench.cycle
            beats = [STREAM.unpack(await self._results.take()) for _ in range(len(token.answer) // RESULT_BYTES)]
            words = b"".join(beat["data"].to_bytes(RESULT_BYTES, "little") for beat in beats)
            # As whatever it is, so that a wrong kind of packet is seen.
            assert words == token.answer, f"{self._name}: the answer is {self._told(words)}, not {self._told(token.answer)}"
            ends = [beat["last"] for beat in beats]
            assert ends == [0] * (len(beats) - 1) + [token.said["ends_batch"]], f"{self._name}: the batch ends at beats {ends} of {kind}"
            await self._bench.wait()
            assert self._finished == done + number + 1, f"{self._name}: {self._finished} are finished, not {done + number + 1}"
            cycles = self._bench.cycle - begin
            due = FULL_PACE + (BINS if kind == "partial" else 0)
            assert held or cycles <= due, f"{self._name}: a token takes {cycles} cycles, {due} are the most"
        await self._bench.wait(random.randint(1, 9))
        assert not self._results.channel.waiting, f"{self._name}: a beat too many"
        self._bench.count(programs=len(tokens), updates=BINS * len(tokens))

    @staticmethod
    def _told(words: bytes) -> Any:
        try:
            name, values = RESULTS.decode(words)[0]
        except ContractError as error:
            return f"{error} ({words.hex()})"
        return name, {field: hex(value) if field == "sums" else value for field, value in values.items()}


def rigs(bench: Bench) -> list[Rig]:
    """Return the rigs of all finishers."""
    return [Rig(bench, name, PhiConfig(**config)) for name, config in bench.parameters["configs"].items()]


@cocotb.test(**LIMIT)
async def answers(dut: Any) -> None:
    """Answers of every kind, at full pace and held back."""
    bench = Bench(dut)
    everything = rigs(bench)
    await bench.start()
    for rig in everything:
        rig.begin()
    count = bench.parameters["tokens"]
    for pace in ("full", "held", "mixed", "mixed", "mixed"):
        kinds = bench.random.choices(["record", "record", "partial", "error"], k=count // 5)
        await gather(*(rig.go(kinds, pace) for rig in everything))


@cocotb.test(**LIMIT)
async def reset_in_the_middle(dut: Any) -> None:
    """A reset in any cycle of a token."""
    bench = Bench(dut)
    everything = rigs(bench)
    await bench.start()
    for _ in range(6):
        for rig in everything:
            rig.begin()
        tasks = [cocotb.start_soon(rig.go(["record", "partial", "record"])) for rig in everything]
        await bench.wait(bench.random.randint(1, 400))
        for task in tasks:
            task.cancel()
        await bench.reset(bench.random.randint(1, 3))
        for rig in everything:
            rig.begin()
        await gather(*(rig.go(["record"]) for rig in everything))
