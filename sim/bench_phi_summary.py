"""What the entries of a token come to, against plain loops over them.

Parameters
----------
configs : of the `TokenSummary` of each name
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any, Final, NamedTuple, final

import cocotb
from cocotb.triggers import gather

from hdl.phi_unit.config import LANES, PhiConfig
from hdl.phi_unit.layouts import KEY_BITS, NO_Z, Z_BITS, entry_layout, summary_layout
from hdl.phi_unit.summary import TokenSummary
from sim.bench import Bench
from sim.packing import Packing

LIMIT: Final[dict[str, Any]] = {"timeout_time": 400, "timeout_unit": "us"}
"""A hundred thousand cycles: no test comes near it unless something is stuck."""
ENTRY: Final = Packing(entry_layout())
Z_LOW, Z_HIGH = -(1 << Z_BITS - 1), (1 << Z_BITS - 1) - 1
KEY_LOW, KEY_HIGH = 1 << KEY_BITS - 1, (1 << KEY_BITS) - 1
TOKENS: Final = 150

Entry = dict[str, int]


def entry_of(kind: str, key: int = 0, z: int = 0, **marks: int) -> Entry:
    """Return an entry that is of a kind, "valid", "masked", "excluded", or "" where there is none."""
    return {name: int(name == kind) for name in ("valid", "masked", "excluded")} | {"clip_hi": 0, "clip_lo": 0} | marks | {"key": key, "z": z}


def valid(random: Random, rank: int, ties: int) -> Entry:
    """Return a valid entry; of a larger rank neither key nor z is smaller, and ``ties`` ranks have one z."""
    key, z = min(KEY_HIGH, KEY_LOW + 1 + rank), max(Z_LOW, min(Z_HIGH, Z_LOW + rank // ties))
    return entry_of("valid", key, z, clip_hi=int(random.random() < 0.01), clip_lo=int(random.random() < 0.01))


def other(random: Random) -> Entry:
    """Return what is not valid: its z is anything."""
    return entry_of(random.choice(["masked", "masked", "excluded", ""]), 0, random.choice([Z_LOW, Z_HIGH, random.randint(Z_LOW, Z_HIGH)]))


class Token(NamedTuple):
    """A token by beats: entries, the lane of the chosen one (None for none), the position of its first entry."""

    beats: list[list[Entry]]
    chosen: tuple[int, int] | None
    position: int


def ranks(random: Random, count: int) -> tuple[list[int], int]:
    """Return the ranks of a token's entries, and how many ranks have one z: all equal, few, rising, falling, or anywhere."""
    most = 1 << KEY_BITS - 1
    ties = random.choice([1, 1, 5, 300])
    kinds: list[Callable[[], list[int]]] = [
        lambda: [random.randrange(most)] * count,
        lambda: [random.choice([0, most - 2])] * count,
        lambda: [base + random.choice([0, 0, 1]) for base in [random.randrange(most - 9)] for _ in range(count)],
        lambda: [base + random.randrange(9) for base in [random.randrange(most - 9)] for _ in range(count)],
        lambda: sorted(random.randrange(most) for _ in range(count)),
        lambda: sorted((random.randrange(40) for _ in range(count)), reverse=True),
        lambda: [random.randrange(most) for _ in range(count)],
        lambda: [random.randrange(ties * (Z_HIGH - Z_LOW)) for _ in range(count)],
    ]
    return random.choice(kinds)(), ties


def token(random: Random, config: PhiConfig) -> Token:
    """Return a token of some beats: all kinds of entries, a single valid one, or none."""
    lanes = random.choice([LANES, LANES, LANES // 2])
    beats = random.choice([1, 1, 2, 3, random.randint(1, 12), config.entries_max // lanes if config.entries_max == 64 else 5])
    count = min(config.entries_max, beats * lanes)
    share = random.choice([0.0, 0.0, 0.1, 0.6, 0.95, 1.0])
    levels, ties = ranks(random, count)
    entries = [other(random) if random.random() < share else valid(random, level, ties) for level in levels]
    if random.random() < 0.2:
        entries = [other(random) for _ in entries]
        entries[random.randrange(count)] = valid(random, levels[0], ties)
    if random.random() < 0.3:
        # The last beat is not full.
        entries[count - random.randint(0, lanes - 1) :] = []
    empty = entry_of("")
    rows = [entries[at : at + lanes] for at in range(0, len(entries), lanes)] or [[]]
    filled = [[*row, *[{**empty, "z": random.randint(Z_LOW, Z_HIGH)} for _ in range(LANES - len(row))]] for row in rows]
    chosen = None if random.random() < 0.3 else (random.randrange(len(filled)), random.randrange(lanes))
    room = config.entries_max - count
    return Token(filled, chosen, random.choice([0, 0, room, random.randint(0, room)]))


def expected_of(token: Token, lanes: int) -> dict[str, int]:
    """Return what a token comes to, as far as anyone may look at it."""
    entries = [(token.position + beat * lanes + lane, entry) for beat, row in enumerate(token.beats) for lane, entry in enumerate(row)]
    due = {name: sum(entry[name] for _, entry in entries) for name in ("valid", "masked", "excluded")}
    due |= {name: max(entry[name] for _, entry in entries) for name in ("clip_hi", "clip_lo")}
    due["z2"] = NO_Z
    here = [(position, entry) for position, entry in entries if entry["valid"]]
    if here:
        argmax, largest = here[0]
        for position, entry in here:
            if entry["key"] > largest["key"]:
                argmax, largest = position, entry
        due |= {"argmax": argmax, "z1": largest["z"]}
        due["z2"] = max((entry["z"] for position, entry in here if position != argmax), default=NO_Z)
    chosen = None if token.chosen is None else token.beats[token.chosen[0]][token.chosen[1]]
    due["has_choice"] = int(chosen is not None and chosen["valid"])
    if chosen is not None and chosen["valid"]:
        due["z_chosen"] = chosen["z"]
    return due


@final
class Rig:
    """A summary, fed a beat a cycle at the most."""

    def __init__(self, bench: Bench, name: str, config: PhiConfig) -> None:
        self._bench, self._name, self._config = bench, name, config
        self._random = bench.random_for(name)
        self._entries = [bench.port(name, "entries", str(lane)) for lane in range(LANES)]
        self._inputs = {port: bench.port(name, port) for port in ("chosen", "position", "beat", "first", "last")}
        self._done, self._summary = bench.port(name, "done"), bench.port(name, "summary")
        self._packing = Packing(summary_layout(config))

    def tokens(self, count: int) -> list[Token]:
        """Return tokens; all entries of a unit's longest row are valid in the last one."""
        most = self._config.entries_max // LANES if self._config.entries_max == 64 else 20
        full = [[valid(self._random, self._random.getrandbits(20), 3) for _ in range(LANES)] for _ in range(most)]
        return [*(token(self._random, self._config) for _ in range(count)), Token(full, (most - 1, LANES - 1), 0)]

    async def go(self, tokens: list[Token]) -> None:
        """Send tokens, most of them back to back, and compare what each comes to, in the very cycle."""
        due: dict[int, tuple[Token, dict[str, int]]] = {}
        cycles: list[dict[str, int] | None] = []
        for token in tokens:
            # Half the lanes hold a beat of 32 bits, whose positions move on by as many.
            wide = len(token.beats) > 1 and not any(self._there(entry) for row in token.beats for entry in row[LANES // 2 :])
            step = LANES // 2 if wide else LANES
            pace = self._random.choice([0, 0, 0, 0.3])
            for number, row in enumerate(token.beats):
                cycles += [None] * (self._random.randint(1, 9) if self._random.random() < pace else 0)
                here = token.chosen is not None and token.chosen[0] == number
                values = {f"entry{lane}": ENTRY.pack(entry) for lane, entry in enumerate(row)}
                values |= {"chosen": 1 << token.chosen[1] if here and token.chosen else 0, "position": token.position + number * step, "beat": 1}
                cycles.append(values | {"first": int(number == 0), "last": int(number == len(token.beats) - 1)})
            due[len(cycles) - 1 + TokenSummary.LATENCY] = token, expected_of(token, step)
        for cycle in range(len(cycles) + TokenSummary.LATENCY):
            self._put(cycles[cycle] if cycle < len(cycles) else None)
            await self._bench.dut.clk.rising_edge
            assert int(self._done.value) == int(cycle in due), f"{self._name}: done is {self._done.value} in cycle {cycle}"
            if cycle in due:
                token, expected = due[cycle]
                found = self._packing.unpack(int(self._summary.value))
                found = {name: found[name] for name in expected}
                assert found == expected, f"{self._name}: a token of {len(token.beats)} beats comes to {found}, not {expected}"
        self._bench.count(programs=len(tokens), updates=sum(len(token.beats) for token in tokens))

    def rest(self) -> None:
        """Send nothing."""
        self._put(None)

    @staticmethod
    def _there(entry: Entry) -> bool:
        return any(entry[kind] for kind in ("valid", "masked", "excluded"))

    def _put(self, values: dict[str, int] | None) -> None:
        """Drive a beat, or noise without one."""
        random = self._random
        for lane, handle in enumerate(self._entries):
            handle.value = random.getrandbits(len(handle)) if values is None else values[f"entry{lane}"]
        for port, handle in self._inputs.items():
            noise = 0 if port == "beat" else random.getrandbits(len(handle))
            handle.value = noise if values is None else values[port] & (1 << len(handle)) - 1


def rigs(bench: Bench) -> list[Rig]:
    """Return the rigs of all summaries."""
    return [Rig(bench, name, PhiConfig(**config)) for name, config in bench.parameters["configs"].items()]


@cocotb.test(**LIMIT)
async def tokens(dut: Any) -> None:
    """Tokens of every kind, ties, one valid entry and none, at any distance from 1."""
    bench = Bench(dut)
    everything = rigs(bench)
    await bench.start()
    await gather(*(rig.go(rig.tokens(TOKENS)) for rig in everything))


@cocotb.test(**LIMIT)
async def reset_in_the_middle(dut: Any) -> None:
    """A reset in any cycle; what was on its way then is not part of what comes later."""
    bench = Bench(dut)
    everything = rigs(bench)
    await bench.start()
    for _ in range(6):
        tasks = [cocotb.start_soon(rig.go(rig.tokens(4))) for rig in everything]
        await bench.wait(bench.random.randint(1, 12))
        for task in tasks:
            task.cancel()
        for rig in everything:
            rig.rest()
        await bench.reset(bench.random.randint(1, 3))
        # What is on its way takes as long to end: the unit does not begin before.
        await bench.wait(TokenSummary.LATENCY)
        await gather(*(rig.go(rig.tokens(3)) for rig in everything))
