"""The parser of token packets: each makes one token, right or refused as the model says, and the beats of its entries.

Parameters
----------
entries_max : of the unit
packets : of each random test
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence
from random import Random
from typing import Any, Final, NamedTuple, final

import cocotb
import numpy as np
from cocotb.task import Task

from ebmhw.contract.packets import HEADER_WORDS, MAGIC
from ebmhw.contract.phi_formats import FORMATS
from ebmhw.contract.phi_unit import ERRORS, JOB_BYTES, RESULTS, STATES
from hdl.common.framer import stream_layout
from hdl.phi_unit.config import LANES, PhiConfig
from hdl.phi_unit.layouts import JOB_BITS, beat_layout, token_layout
from sim.axi import Pauses, StreamSource, bursts, sometimes
from sim.bad_tokens import bad_tokens, damaged, token_to_spoil
from sim.bench import Bench, Driver
from sim.packing import Packing
from sim.phi_jobs import Token, beats_of, random_entries, random_token
from sim.phi_model import BEAT_WORDS, FIELD_BEATS, TOKEN, PhiModel

LIMIT: Final[dict[str, Any]] = {"timeout_time": 2, "timeout_unit": "ms"}
INPUT_LIMIT: Final = 40
"""Cycles that the job stream may pause, more than the random pauses."""
LONG_PAUSE: Final = 600
"""Cycles that the parser surely waits for longer than the limit, whatever it did before."""
ANSWER_CYCLES: Final = 5000
"""Cycles within which a packet comes to a token, more than the longest one with its pauses takes."""
LONG_ROW: Final = 256
"""Entries of the longest row."""
TOKENS: Final = 2
"""Tokens that may be under way."""
APART: Final = 4
"""Cycles between the beats of two tokens, at the least."""
STREAM: Final = Packing(stream_layout(JOB_BITS))


class Beat(NamedTuple):
    """A beat of the job stream."""

    data: int
    last: bool


class Seen(NamedTuple):
    """A token as it came: its beats, and what was said with the last one."""

    beats: list[dict[str, int]]
    said: dict[str, int]


@final
class Unit(Driver):
    """What surrounds the parser in the unit: takes beats and tokens, and lets another token come once one of two is finished.

    Attributes
    ----------
    tokens : those that came and were not looked at yet
    phases : what the parser showed to be doing
    """

    def __init__(self, bench: Bench, config: PhiConfig) -> None:
        self._bench: Final = bench
        self._random: Final = bench.random_for("unit")
        self._beat, self._token = Packing(beat_layout(config)), Packing(token_layout(config))
        self._task: Task[None] | None = None
        self.tokens: Final[deque[Seen]] = deque()
        self.phases: Final[set[int]] = set()
        self.held = False
        bench.attach(self)

    def start(self) -> None:
        self.tokens.clear()
        self._task = cocotb.start_soon(self._run())

    def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
        self._bench.dut.free.value = 0

    async def _run(self) -> None:
        dut, random = self._bench.dut, self._random
        ports = {name: getattr(dut, name) for name in ("beats_valid", "token_valid", "phase", "waiting", "jobs_valid", "jobs_ready")}
        beats: list[dict[str, int]] = []
        under_way, bank, since = 0, 0, APART
        leaves: deque[int] = deque()
        dut.free.value = 1
        while True:
            await dut.clk.rising_edge
            now = {name: int(port.value) for name, port in ports.items()}
            self.phases.add(now["phase"])
            assert now["waiting"] <= (now["jobs_ready"] & ~now["jobs_valid"] & 1), f"it waits for what is there: {now}"
            assert now["token_valid"] <= now["beats_valid"], f"a token comes without a beat: {now}"
            since += 1
            if now["beats_valid"]:
                beat = self._beat.unpack(int(dut.beats_payload.value))
                assert beat["first"] == (not beats), f"beat {len(beats)} of a token says that it is {'' if beat['first'] else 'not '}its first"
                assert beat["bank"] == bank, f"beat {len(beats)} of a token goes to bank {beat['bank']}, not {bank}"
                assert beat["last"] == now["token_valid"], f"beat {len(beats)} of a token: last is {beat['last']}, token {now['token_valid']}"
                if not beats:
                    assert since >= APART, f"the beats of two tokens are {since} cycles apart, not {APART}"
                    under_way += 1
                    assert under_way <= TOKENS, f"{under_way} tokens are under way"
                since = 0
                beats.append(beat)
                if beat["last"]:
                    self.tokens.append(Seen(beats, self._token.unpack(int(dut.token_payload.value))))
                    beats, bank = [], 1 - bank
                    # Finished at once, after a while, or after so long that the parser has to wait.
                    leaves.append(random.choice([1, 20, 150]) if self.held else 1)
            if leaves:
                leaves[0] -= 1
                if not leaves[0]:
                    leaves.popleft()
                    under_way -= 1
            dut.free.value = int(under_way < TOKENS)


@final
class Rig:
    """A parser, its surroundings, and the model that says what has to come."""

    def __init__(self, dut: Any, kind: str = "never") -> None:
        self.bench: Final = Bench(dut)
        self.config: Final = PhiConfig(self.bench.parameters["entries_max"])
        self.random: Final = self.bench.random
        self.model: Final = PhiModel(self.config.entries_max)
        self.unit: Final = Unit(self.bench, self.config)
        self.unit.held = kind != "never"
        self.jobs: Final = StreamSource(self.bench, "jobs", self._pauses(kind))
        self.errors: Final[Counter[str]] = Counter()

    def _pauses(self, kind: str) -> Pauses | None:
        source = self.bench.random_for(kind)
        return {"never": lambda: None, "often": lambda: sometimes(source, 0.5), "bursts": lambda: bursts(source, 12)}[kind]()

    async def start(self) -> None:
        """Reset the parser and set the limit."""
        await self.bench.start()
        self.bench.dut.input_limit.value = INPUT_LIMIT

    def send(self, stream: Sequence[Beat], pauses: Sequence[int] = (), idle: int = LONG_PAUSE) -> None:
        """Queue beats of the job stream; it pauses before those whose numbers are in ``pauses``."""
        for number, beat in enumerate(stream):
            self.jobs.send([STREAM.pack({"data": beat.data, "last": int(beat.last)})], idle=idle if number in pauses else 0)

    def batch(self, packets: Sequence[bytes]) -> list[Beat]:
        """Return packets as one batch."""
        data = beats_of(packets)
        return [Beat(beat, number == len(data)) for number, beat in enumerate(data, 1)]

    def good(self) -> list[Beat]:
        """Return a batch of a token."""
        return self.batch([random_token(self.random, self.config.entries_max, 40).packet(self.random.getrandbits(32))])

    async def play(self, stream: Sequence[Beat], pauses: Sequence[int] = (), idle: int = LONG_PAUSE) -> list[str]:
        """Send batches, and compare each token that comes of them; return their errors."""
        self.send(stream, pauses, idle)
        errors = []
        begin = 0
        while begin < len(stream):
            end = next(at for at in range(begin, len(stream)) if stream[at].last) + 1
            errors += await self.compare(stream[begin:end], [at - begin for at in pauses])
            begin = end
        for _ in range(self.random.choice([0, 12])):
            await self.bench.wait()
        assert not self.unit.tokens, f"a token too many: {self.unit.tokens[0].said}"
        self.errors.update(errors)
        self.bench.count(programs=len(errors), updates=len(stream))
        return errors

    async def compare(self, batch: Sequence[Beat], pauses: Sequence[int]) -> list[str]:
        """Compare the tokens of a batch."""
        words = np.frombuffer(b"".join(beat.data.to_bytes(JOB_BYTES, "little") for beat in batch), dtype="<u8")
        errors = []
        at = 0
        for answer in self.model.answers(words, pauses):
            taken = _length(batch, at, pauses)
            due = RESULTS.decode(answer)[0]
            packet = [beat.data for beat in batch[at : at + taken]]
            seen = await self._next(due)
            ends = int(batch[at + taken - 1].last)
            errors.append(self._refused(seen, due[1], ends) if due[0] == "error" else self._right(seen, packet, ends))
            at += taken
        assert at == len(batch), f"the model takes {at} beats of {len(batch)}"
        return errors

    async def _next(self, due: tuple[str, dict[str, Any]]) -> Seen:
        for _ in range(ANSWER_CYCLES):
            if self.unit.tokens:
                return self.unit.tokens.popleft()
            await self.bench.wait()
        name, values = due
        raise AssertionError(f"no token came within {ANSWER_CYCLES} cycles; due was {name} {values['job_id']}, error {values.get('error', 0)}")

    def _refused(self, seen: Seen, values: dict[str, Any], ends: int) -> str:
        due = {name: values[name] for name in ("job_id", "error", "beat")} | {"ends_batch": ends}
        found = {name: seen.said[name] for name in due}
        assert found == due, f"a refused token is {found}, not {due}"
        beat = seen.beats[-1]
        assert not beat["present"] and not beat["chosen"], f"the last beat of a refused token has entries: {beat}"
        return next(name for name, code in ERRORS.items() if code == due["error"])

    def _right(self, seen: Seen, packet: list[int], ends: int) -> str:
        whole = sum(beat << JOB_BITS * number for number, beat in enumerate(packet[:FIELD_BEATS]))
        fields = {field.name: whole >> TOKEN.bit_offset(field.name) & ((1 << field.bits) - 1) for field in TOKEN.fields}
        due = {name: fields[name] for name in ("job_id", "inverse", "partial")} | {"error": 0, "ends_batch": ends}
        found = {name: seen.said[name] for name in due}
        assert found == due, f"a token is {found}, not {due}"
        lanes = LANES // 2 if FORMATS[fields["format"]] == "float32" else LANES
        place = fields["chosen"] - fields["first_entry"]
        chosen = place if 0 <= place < fields["entries"] else None
        assert chosen is None or seen.said["chosen"] == fields["chosen"], f"token {fields} has chosen {seen.said['chosen']}"
        expected = []
        for number, data in enumerate(packet[FIELD_BEATS:]):
            left = fields["entries"] - number * lanes
            expected.append(
                {
                    "data": data,
                    "format": fields["format"],
                    "present": (1 << min(left, lanes)) - 1,
                    "chosen": 1 << chosen % lanes if chosen is not None and chosen // lanes == number else 0,
                    "position": fields["first_entry"] + number * lanes,
                    "last": int(number == len(packet) - FIELD_BEATS - 1),
                }
            )
        beats = [{name: beat[name] for name in expected[0]} for beat in seen.beats]
        for number, (beat, should) in enumerate(zip(beats, expected, strict=False)):
            assert beat == should, f"beat {number} of token {fields} is {beat}, not {should}"
        assert len(beats) == len(expected), f"token {fields} has {len(beats)} beats, not {len(expected)}"
        return "no_error"


def _length(batch: Sequence[Beat], at: int, pauses: Sequence[int]) -> int:
    """Return how many beats of a batch belong to the packet that begins at beat ``at``: what its header says, up to a pause or the end."""
    header = batch[at].data
    length = header >> TOKEN.bit_offset("length") & 0xFFFF_FFFF
    known = header & 0xFFFF == MAGIC and length >= HEADER_WORDS
    end = min(len(batch), at - (-length // BEAT_WORDS)) if known else len(batch)
    return min([end, *(pause for pause in pauses if at < pause < end)]) - at


def longest_token(random: Random, size: int, entries_max: int) -> Token:
    """Return a token whose row ends with the last position of all, which is chosen."""
    code = random.randrange(len(FORMATS))
    return Token(random_entries(random, size, code), code, 0, 0, entries_max - 1, entries_max - size)


@cocotb.test(**LIMIT)
@cocotb.parametrize(kind=["never", "often", "bursts"])
async def good_packets(dut: Any, kind: str) -> None:
    """Tokens of all kinds, several a batch, at any pace; the shortest ones back to back."""
    rig = Rig(dut, kind)
    await rig.start()
    count = rig.bench.parameters["packets"]
    for most in (4, 40):
        tokens = [random_token(rig.random, rig.config.entries_max, most) for _ in range(count // 2)]
        await rig.play(rig.batch([token.packet(rig.random.getrandbits(32)) for token in tokens]))
    await rig.play(rig.batch([longest_token(rig.random, min(LONG_ROW, rig.config.entries_max), rig.config.entries_max).packet(1)]))
    assert set(rig.errors) == {"no_error"}, f"good packets were refused: {rig.errors}"
    due = {STATES[name] for name in ("idle", "parsing", "streaming", "waiting")}
    assert rig.unit.phases == due, f"the phases were {rig.unit.phases}"


@cocotb.test(**LIMIT)
@cocotb.parametrize(kind=["never", "often"])
async def every_way_to_be_wrong(dut: Any, kind: str) -> None:
    """Each rule broken in each way, first or last in a batch or alone, each time followed by a good packet."""
    rig = Rig(dut, kind)
    await rig.start()
    ways = list(bad_tokens(rig.random, rig.config.entries_max))
    if kind != "never":
        ways = rig.random.sample(ways, min(len(ways), rig.bench.parameters["packets"]))
    for bad in ways:
        before, after = rig.random.choice([(0, 0), (1, 0), (0, 1)])
        packets = [random_token(rig.random, rig.config.entries_max, 20).packet(number) for number in range(3)]
        errors = await rig.play(rig.batch([*packets[:before], bad.packet, *(packets[:after] if not bad.ends else [])]))
        assert errors[before] == bad.error, f"a packet made to break '{bad.error}' ({bad.what}) breaks '{errors[before]}' by the model"
        await rig.play(rig.good())
    if kind == "never":
        assert rig.errors.keys() >= {*ERRORS} - {"input_stalled", "output_stalled"}, f"only {sorted(rig.errors)} were seen"
        assert STATES["dropping"] in rig.unit.phases, f"the phases were {rig.unit.phases}"


@cocotb.test(**LIMIT)
@cocotb.parametrize(kind=["never", "often", "bursts"])
async def random_damage(dut: Any, kind: str) -> None:
    """Batches with bits flipped, fields changed, packets cut short and lengthened, each followed by a good one."""
    rig = Rig(dut, kind)
    await rig.start()
    played = 0
    while played < rig.bench.parameters["packets"]:
        packets = [damaged(rig.random, rig.config.entries_max, number) for number in range(rig.random.randint(1, 3))]
        stream = rig.batch(packets)
        pauses = rig.random.sample(range(1, len(stream)), 1) if rig.random.random() < 0.15 and len(stream) > 1 else []
        played += len(await rig.play(stream, pauses))
        played += len(await rig.play(rig.good()))


@cocotb.test(**LIMIT)
async def the_stream_pauses_for_too_long(dut: Any) -> None:
    """A pause in any place of a packet ends it; what comes after is taken for a packet, up to the end of the batch."""
    rig = Rig(dut)
    await rig.start()
    for _ in range(rig.bench.parameters["packets"] // 3):
        stream = rig.batch([token_to_spoil(rig.random, rig.config.entries_max).packet(5)])
        await rig.play(stream, [rig.random.randrange(1, len(stream))])
        await rig.play(rig.good())
    assert rig.errors["input_stalled"], "no packet was ended by a pause"


@cocotb.test(**LIMIT)
async def the_limit_is_exact(dut: Any) -> None:
    """A pause of as many cycles as the limit is allowed, one more is not; a limit of 0 allows any."""
    rig = Rig(dut)
    await rig.start()
    for limit, idle, stalls in (
        (1, 1, False),
        (1, 2, True),
        (INPUT_LIMIT, INPUT_LIMIT, False),
        (INPUT_LIMIT, INPUT_LIMIT + 1, True),
        (0, 900, False),
    ):
        dut.input_limit.value = limit
        stream = rig.batch([token_to_spoil(rig.random, rig.config.entries_max).packet(5)])
        # The batch's last beat: before the beats of entries there are cycles in which the parser checks.
        at = len(stream) - 1
        rig.send(stream, [at], idle)
        errors = await rig.compare(stream, [at] if stalls else [])
        assert errors[0] == ("input_stalled" if stalls else "no_error"), f"a pause of {idle} cycles at a limit of {limit}: {errors}"


@cocotb.test(**LIMIT)
@cocotb.parametrize(kind=["never", "often"])
async def reset_in_the_middle(dut: Any, kind: str) -> None:
    """A reset in any cycle forgets whatever was under way."""
    rig = Rig(dut, kind)
    await rig.start()
    for _ in range(rig.bench.parameters["packets"] // 3):
        stream = [*rig.good(), *rig.good()]
        rig.send(stream)
        await rig.bench.wait(rig.random.randint(1, 2 * len(stream)))
        await rig.bench.reset(rig.random.randint(1, 3))
        await rig.play(rig.good())
    assert set(rig.errors) == {"no_error"}, f"unexpected {rig.errors}"
