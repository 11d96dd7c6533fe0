"""The driver and the division of runs, over the software model of the core: conformance, refusals, faults, stalls, cuts."""

from __future__ import annotations

import dataclasses
import signal
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from conformance import Conformance, assert_equal_draws, judge
from cores import Beats, Meddler, ModelBackend, backend, model
from hypothesis import given, settings
from hypothesis import strategies as st

from ebmhw.backends import Progress, SamplerBackend, divided, fleet, parts
from ebmhw.backends.driver import IsingDriver
from ebmhw.backends.packing import pack_problem
from ebmhw.backends.units import ISING
from ebmhw.contract import formats
from ebmhw.contract.ising_core import ERROR_MEANINGS, ERRORS, JOBS, PACKET_HASH, REGISTERS, RESULTS
from ebmhw.contract.render import contract_digest
from ebmhw.errors import BackendUnavailable, CoreStalled, DoesNotFit, EbmhwError, HardwareFault
from ebmhw.model import Model
from ebmhw.program import Program
from ebmhw.schedule import Schedule
from sim.core_model import ModelBus  # noqa: TID251  # tests are no part of the host


def cubic(n: int = 12, seed: int = 3) -> Program:
    rng = np.random.default_rng(seed)
    terms = {tuple(sorted(rng.choice(n, size=k, replace=False).tolist())): int(rng.integers(1, 100)) for k in (2, 2, 3) * n}
    return Model(n, rng.integers(-50, 50, size=n).tolist(), terms).compile(scale=1)


PROGRAM = cubic()
OPTIONS: dict[str, Any] = {"reads": 11, "seed": 77, "first_read": 5, "burn_in": 3, "keep_every": 2, "clamps": {2: -1, 7: 1}}
SCHEDULE = Schedule.geometric(1e-3, 0.1, 30)


@pytest.fixture(scope="module")
def expected() -> Any:
    return judge().run(PROGRAM, SCHEDULE, **OPTIONS)


@pytest.fixture
def one_exchange(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs take one exchange, however slow the model is."""
    monkeypatch.setattr(fleet, "_EXCHANGE_SECONDS", 1e9)


# --- conformance


class TestWide(Conformance):
    """A core that takes every run of the suite in one job a group."""

    examples = 30
    most_reads = 70
    structured_reads = 4
    structured_sweeps = 2

    def make(self) -> SamplerBackend:
        return backend(lanes=64, slots=16)


class TestNarrow(Conformance):
    """Two cores whose jobs hold three sweeps, two temperatures and one sample: every run is cut."""

    examples = 12
    most_spins = 12
    most_reads = 10
    structured_reads = 2
    structured_sweeps = 2

    @pytest.fixture(autouse=True)
    def short_exchanges(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(divided, "EXCHANGE_WORDS", 1)

    def make(self) -> SamplerBackend:
        return ModelBackend(*(ModelBus(model(lanes=3, slots=2, schedule_max=2, sweep_bits=2)) for _ in range(2)))

    @pytest.mark.skip(reason="thousands of jobs of a few lanes; TestWide does it")
    def test_decisions_at_the_threshold(self) -> None:
        pass


# --- what answers


@pytest.mark.parametrize(
    ("name", "what", "ours"),
    [
        ("map_hash", "register map", REGISTERS.hash32),
        ("packet_hash", "packets", PACKET_HASH),
        ("contract_hash", "constants and tables", int(contract_digest()[:8], 16)),
    ],
)
def test_a_core_of_another_contract_is_refused(name: str, what: str, ours: int) -> None:
    bus = Meddler()
    bus.registers[name] = 0x12345678
    message = f"backend 'x': the core was built for {what} of hash 0x12345678, this version of ebmhw has {ours:#010x}; load a core that was built "
    with pytest.raises(BackendUnavailable) as caught:
        IsingDriver(bus, "x")
    assert str(caught.value).startswith(message + "with this version, or install the version of ebmhw")


def test_what_is_no_core_is_refused() -> None:
    for word in (0, 0xFFFFFFFF):
        bus = Meddler()
        bus.registers["identity"] = word
        with pytest.raises(BackendUnavailable, match=f"'identity' reads {word:#010x}, an Ising core's reads 0x45424d49; load the core's bitstream"):
            IsingDriver(bus, "x")


FORMATS = {"coupling_bits": 8, "bias_bits": 18, "energy_bits": 40, "sweep_bits": 12}


@pytest.mark.parametrize(
    ("registers", "message"),
    [
        ({"formats": {**FORMATS, "coupling_bits": 9}}, "9 coupling bits, this version of ebmhw drives 8;"),
        ({"formats": {**FORMATS, "bias_bits": 17}}, "17 bias bits, this version of ebmhw drives 18;"),
        ({"formats": {**FORMATS, "energy_bits": 39}}, "39 energy bits, this version of ebmhw drives 40 to 63;"),
        ({"formats": {**FORMATS, "sweep_bits": 33}}, "33 sweep bits, this version of ebmhw drives 1 to 32;"),
        ({"shape": {"lanes": 65, "slots": 4, "latency": 20}}, "65 lanes, this version of ebmhw drives 1 to 64;"),
        ({"shape": {"lanes": 4, "slots": 0, "latency": 20}}, "0 slots a beat, this version of ebmhw drives 1 to 255;"),
        ({"flip_bits": {"value": 63}}, "63 flip bits, this version of ebmhw drives 1 to 62;"),
        ({"schedule_max": {"value": 0}}, "0 schedule entries, this version of ebmhw drives 1 to"),
    ],
)
def test_a_core_of_other_formats_is_refused(registers: dict[str, dict[str, int]], message: str) -> None:
    bus = Meddler()
    bus.registers.update({name: REGISTERS.register(name).pack(**values) for name, values in registers.items()})
    with pytest.raises(BackendUnavailable, match=f"the core says that it has {message}"):
        IsingDriver(bus, "x")


def test_a_word_that_no_core_shows_is_refused() -> None:
    bus = Meddler()
    bus.registers["shape"] = 0xFFFFFFFF
    with pytest.raises(BackendUnavailable, match="word 0xffffffff of register 'shape' has bits 0xff000000 set that no field owns"):
        IsingDriver(bus, "x")


def test_a_core_is_reset_and_told_its_limits_before_it_is_used() -> None:
    bus = Meddler()
    made = ModelBackend(bus)
    assert bus.log == []
    made.run(PROGRAM, SCHEDULE, seed=1)
    limit = ModelBus.stall_cycles
    assert bus.log[:4] == ["abandon", ("write", "control", 1), ("write", "input_limit", limit), ("write", "output_limit", limit)]
    made.drivers[0].close()
    assert bus.log[-1] == "close"


# --- loading


def kinds(jobs: Beats) -> list[str]:
    return [name for name, _ in JOBS.decode(jobs.tobytes())]


@pytest.mark.usefixtures("one_exchange")
def test_a_problem_is_loaded_only_when_it_changes() -> None:
    bus, seen = Meddler(), []
    bus.jobs = lambda beats: seen.append(kinds(beats)) or beats  # type: ignore[func-returns-value]
    made, other, same = ModelBackend(bus), cubic(seed=4), cubic()
    clamped: list[tuple[Program, Any]] = [(PROGRAM, {1: 1}), (PROGRAM, {1: [1, -1]}), (PROGRAM, {2: 1})]
    for program, clamps in [*((p, None) for p in (PROGRAM, PROGRAM, same, other, PROGRAM)), *clamped]:
        made.run(program, SCHEDULE, seed=1, reads=2, clamps=clamps)
    loads = [exchange[0] == "problem" for exchange in seen]
    assert loads == [True, False, False, True, True, True, False, True]
    assert all(set(exchange[1:] if load else exchange) == {"run"} for exchange, load in zip(seen, loads, strict=True))


@pytest.mark.usefixtures("one_exchange")
def test_short_runs_share_an_exchange() -> None:
    bus = Meddler()
    made = ModelBackend(bus)
    draws = made.run(PROGRAM, Schedule.constant(0.1, 1), reads=200, seed=1)
    assert len(bus.exchanges) == 1 and draws.info["exchanges"] == 1
    assert_equal_draws(draws, judge().run(PROGRAM, Schedule.constant(0.1, 1), reads=200, seed=1))


def test_threads_share_a_core(expected: Any) -> None:
    made, other = backend(), cubic(seed=4)
    wanted, results = judge().run(other, SCHEDULE, **OPTIONS), []
    pairs = [(PROGRAM, expected), (other, wanted)] * 3
    together = [
        threading.Thread(target=lambda program=program, want=want: results.append((made.run(program, SCHEDULE, **OPTIONS), want)))
        for program, want in pairs
    ]
    for thread in together:
        thread.start()
    for thread in together:
        thread.join()
    assert len(results) == len(pairs)
    for draws, want in results:
        assert_equal_draws(draws, want)


def test_several_cores_share_a_run(expected: Any) -> None:
    buses = [Meddler(ModelBus(model(lanes=2))) for _ in range(3)]
    draws = ModelBackend(*buses).run(PROGRAM, SCHEDULE, **OPTIONS)
    assert_equal_draws(draws, expected)
    assert draws.info["cores"] == 3 and all(bus.exchanges for bus in buses)


# --- what does not fit


def test_a_program_of_too_many_beats_is_refused_before_anything_is_sent() -> None:
    bus = Meddler(ModelBus(model(beats_max=20)))
    made = ModelBackend(bus)
    assert made.capabilities.max_slots == 80
    with pytest.raises(DoesNotFit, match=r"rows take 42 beats of 4 slots \(.* spin reads\), backend 'model' takes 20; .*get_backend\('cpu'\)"):
        made.run(cubic(n=16, seed=9), SCHEDULE)
    assert bus.log == []


def test_a_row_of_too_many_slots_is_refused() -> None:
    star = Model(90, None, {(0, i): 1 for i in range(1, 90)}).compile()
    with pytest.raises(DoesNotFit, match="89 slots in a row, backend 'model' takes 80"):
        backend(beats_max=20).run(star, SCHEDULE)
    assert backend().capabilities.max_slots == 16383 * 4


# --- faults


def poke(layout: str, field: str, value: int, packet: int = 0) -> Callable[[Beats], Beats]:
    """Return a function that overwrites a field of one packet of a batch of jobs, without a look at what it means."""

    def change(beats: Beats) -> Beats:
        words = beats.view("<u4")
        at = 0
        for _ in range(packet):
            at += int(words[at + 1])
        kind = JOBS.layout(layout)
        section, dot, _ = field.partition(".")
        base = 0
        if dot:
            rows = int(words[at + kind.bit_offset("rows") // 32]) if layout == "problem" else 0
            base = kind.fixed_words + (rows * kind.section("row").entry_words if section == "slot" else 0)
        bit = kind.bit_offset(field)
        fields = kind.section(section).fields if dot else (*kind.fields, PACKET_LENGTH)
        bits = next(f.bits for f in fields if f.name == field.rpartition(".")[2])
        mask = (1 << bits) - 1 << bit % 32
        at += base + bit // 32
        words[at] = int(words[at]) & ~mask | (value & (1 << bits) - 1) << bit % 32
        return beats

    return change


PACKET_LENGTH = dataclasses.replace(JOBS.layouts[0].fields[0], name="length")


def run_with(jobs: Callable[[Beats], Beats] | None = None, answer: Callable[[Beats], Beats] | None = None) -> tuple[Meddler, ModelBackend]:
    """Return a backend whose problem is loaded, and its bus, meddled with from now on."""
    bus = Meddler()
    made = ModelBackend(bus)
    made.run(PROGRAM, SCHEDULE, **OPTIONS)
    bus.jobs, bus.answer = jobs or bus.jobs, answer or bus.answer
    return bus, made


def recovers(bus: Meddler, made: ModelBackend, expected: Any) -> None:
    """What comes after a failure starts with a reset and is right."""
    bus.jobs = bus.answer = lambda beats: beats
    bus.log.clear()
    assert_equal_draws(made.run(PROGRAM, SCHEDULE, **OPTIONS), expected)
    assert bus.log[0] == "abandon" and bus.log[1] == ("write", "control", 1)
    bus.log.clear()
    made.run(PROGRAM, SCHEDULE, **OPTIONS)
    assert "abandon" not in bus.log


@pytest.mark.parametrize(
    ("error", "jobs"),
    [
        ("magic", lambda beats: np.roll(beats, 1)),
        ("kind", lambda beats: beats ^ (np.arange(beats.size) == 0).astype(np.uint64) * np.uint64(1 << 24)),
        ("length", poke("run", "length", 9999 * 2)),
        ("truncated", lambda beats: beats[:-1]),
        ("length", poke("run", "entries", 65)),
        ("schedule", poke("run", "schedule.sweeps", 1 << 12)),
        ("problem", poke("run", "program_id", 1)),
        ("reads", poke("run", "first_read", 2**30 - 7)),
        ("reserved", lambda beats: beats | (np.arange(beats.size) == 3).astype(np.uint64) << np.uint64(40)),
    ],
)
def test_errors_of_runs_are_told(error: str, jobs: Callable[[Beats], Beats], expected: Any) -> None:
    refused(error, *run_with(jobs), expected)


@pytest.mark.parametrize(
    ("error", "jobs"),
    [
        ("size", poke("problem", "rows_executed", 13)),
        ("size", poke("problem", "slots_per_beat", 8)),
        ("row", poke("problem", "row.spin", 11)),
        ("row", poke("problem", "row.beats", 0)),
        ("slot", poke("problem", "slot.spin", 12)),
        ("slot", poke("problem", "slot.coupling", -128)),
        ("field", poke("problem", "row.bias", -(2**17))),
        ("clamp", lambda beats: beats ^ (np.arange(beats.size) == beats.size - 2).astype(np.uint64) * np.uint64(64)),
        ("reserved", lambda beats: beats ^ (np.arange(beats.size) == beats.size - 2).astype(np.uint64) << np.uint64(40)),
    ],
)
def test_errors_of_problems_and_clamps_are_told(error: str, jobs: Callable[[Beats], Beats], expected: Any) -> None:
    bus, made = run_with(jobs)
    made.drivers[0].reset()
    refused(error, bus, made, expected)


def refused(error: str, bus: Meddler, made: ModelBackend, expected: Any) -> None:
    with pytest.raises(HardwareFault) as caught:
        made.run(PROGRAM, SCHEDULE, **OPTIONS)
    text = str(caught.value)
    assert caught.value.error == error and caught.value.code == "hardware-fault" and isinstance(caught.value, EbmhwError)
    assert "backend 'model': the core refused job " in text and f"with the error '{error}' at beat " in text and ERROR_MEANINGS[error] in text
    # A run whose problem was refused is refused too.
    assert made.drivers[0].status()["last_error"] in (error, "problem") and made.drivers[0].counters()["jobs_failed"] >= 1
    recovers(bus, made, expected)


def answers(beats: Beats) -> list[tuple[str, dict[str, Any]]]:
    return RESULTS.decode(beats.tobytes())


def edited(change: Callable[[list[tuple[str, dict[str, Any]]]], None]) -> Callable[[Beats], Beats]:
    """Return a function that edits the packets of an answer."""

    def edit(beats: Beats) -> Beats:
        packets = answers(beats)
        change(packets)
        return np.frombuffer(b"".join(RESULTS.layout(name).encode(values) for name, values in packets), dtype=np.uint64)

    return edit


def put(name: str, field: str, value: Any) -> Callable[[Beats], Beats]:
    def change(packets: list[tuple[str, dict[str, Any]]]) -> None:
        values = next(values for kind, values in packets if kind == name)
        values[field] = value

    return edited(change)


def add_error(packets: list[tuple[str, dict[str, Any]]]) -> None:
    packets.append(("error", {"job_id": 1, "error": 14, "beat": 3, "zero": 0}))


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (put("draws", "job_id", 999), "'job_id' of a packet 'draws' for job 4 is 999, not 4"),
        (put("draws", "program_id", 5), "'program_id' of a packet 'draws' for job 4 is 5, not"),
        (put("draws", "sweeps", 29), "'sweeps' of a packet 'draws' for job 4 is 29, not 30"),
        (put("draws", "first_read", 6), "'first_read' of a packet 'draws' for job 4 is 6, not 5"),
        (put("sample", "sweep", 4), "'sweep' of a packet 'sample' for job 4 is 4, not 5"),
        (put("draws", "check", [{"lanes": 5}]), "the self-test of job 4 failed in lanes 0x5: the closing pass did not lead back"),
        (edited(lambda packets: packets.pop()), "the answer of the core ends before the last job is answered"),
        (edited(lambda packets: packets.pop(0)), "'sweep' of a packet 'sample' for job 4 is 7, not 5"),
        (edited(lambda packets: packets.insert(0, packets.pop())), "the core answered job 4 with a packet 'draws' where 'sample' was due"),
        (edited(add_error), "3 beats follow the answer to the last job"),
        (
            edited(lambda packets: (packets.clear(), add_error(packets))),
            "refused job 1 with the error 'input_stalled' at beat 3: the job stream paused",
        ),
        (lambda beats: beats[:-1], "a packet 'draws' announces [0-9]+ words, [0-9]+ beats are left of the answer"),
        (lambda beats: beats[:0], "the answer of the core ends before"),
        (lambda beats: beats ^ (np.arange(beats.size) == 0).astype(np.uint64), "has 0x.* at beat 0, where a packet should begin"),
        (lambda beats: beats ^ (np.arange(beats.size) == 0).astype(np.uint64) << np.uint64(24), "where a packet should begin"),
        (lambda beats: beats ^ (np.arange(beats.size) == 0).astype(np.uint64) << np.uint64(20), "where a packet should begin"),
        (lambda beats: beats ^ (np.arange(beats.size) == 0).astype(np.uint64) << np.uint64(32), "announces [0-9]+ words"),
        (lambda beats: beats ^ (np.arange(beats.size) == 2).astype(np.uint64), "packet 'sample' has [0-9]+ words, but its counts make"),
    ],
)
@pytest.mark.usefixtures("one_exchange")
def test_nonsense_is_not_used(answer: Callable[[Beats], Beats], message: str, expected: Any) -> None:
    bus, made = run_with(answer=answer)
    made.drivers[0]._job_id = 3
    with pytest.raises(HardwareFault, match=message) as caught:
        made.run(PROGRAM, SCHEDULE, **{**OPTIONS, "reads": 8})
    assert not isinstance(caught.value, CoreStalled)
    recovers(bus, made, expected)


def test_an_error_of_a_later_version_is_told_by_its_number() -> None:
    def change(packets: list[tuple[str, dict[str, Any]]]) -> None:
        packets[:] = [("error", {"job_id": 1, "error": 200, "beat": 3, "zero": 0})]

    _, made = run_with(answer=edited(change))
    with pytest.raises(HardwareFault, match="with the error 'code 200' at beat 3: a code that this version does not know"):
        made.run(PROGRAM, SCHEDULE, **OPTIONS)


@pytest.mark.parametrize(("plane", "what"), [(0, "energy"), (40, "best energy")])
def test_a_wrong_energy_is_noticed(plane: int, what: str, expected: Any) -> None:
    def change(packets: list[tuple[str, dict[str, Any]]]) -> None:
        packets[-1][1]["plane"][plane]["lanes"] ^= 1 << 2

    bus, made = run_with(answer=edited(change))
    with pytest.raises(
        HardwareFault, match=f"the {what} of read [0-9]+ is -?[0-9]+, that of its (best )?state -?[0-9]+; the core is at fault"
    ) as caught:
        made.run(PROGRAM, SCHEDULE, **OPTIONS)
    assert caught.value.error == "energy"
    # The core itself saw nothing wrong, so that nothing is reset.
    bus.answer = lambda beats: beats
    assert_equal_draws(made.run(PROGRAM, SCHEDULE, **OPTIONS), expected)


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_no_bit_of_a_header_or_field_is_ignored(data: st.DataObject) -> None:
    draws = judge().run(PROGRAM, Schedule.constant(0.1, 3), reads=3, seed=5, keep_every=1)
    flipped: list[int] = []

    def answer(beats: Beats) -> Beats:
        heads, at = [], 0
        for name, _ in answers(beats):
            heads += range(at * 64, at * 64 + RESULTS.layout(name).fixed_words * 32)
            at += int(beats[at] >> np.uint64(32)) // 2
        flipped.append(data.draw(st.sampled_from(heads)))
        beats = beats.copy()
        beats[flipped[0] // 64] ^= np.uint64(1 << flipped[0] % 64)
        return beats

    bus = Meddler()
    bus.answer = answer
    try:
        got = ModelBackend(bus).run(PROGRAM, Schedule.constant(0.1, 3), reads=3, seed=5, keep_every=1)
    except HardwareFault:
        return
    # Bits that no field owns mean nothing.
    assert_equal_draws(got, draws, f"bit {flipped}")


# --- stalls and interrupts


def test_a_stall_is_told_with_the_state_of_the_core(expected: Any) -> None:
    def stall(beats: Beats) -> Beats:
        raise CoreStalled("it took 3 of 9 beats", b"12345678")

    bus, made = run_with(answer=stall)
    bus.registers["status"] = REGISTERS.register("status").pack(state="sweeping", output_stalled=1)
    with pytest.raises(CoreStalled) as caught:
        made.run(PROGRAM, SCHEDULE, **OPTIONS)
    assert str(caught.value) == (
        "backend 'model': it took 3 of 9 beats; it is sweeping, output_stalled, its last error is no_error; it is reset before the next run"
    )
    assert caught.value.arrived == b"12345678" and caught.value.code == "core-stalled"
    bus.registers["status"] = 0xFFFFFFFF
    with pytest.raises(CoreStalled, match=r"its registers do not answer either .*0xffffffff of register 'status'"):
        made.run(PROGRAM, SCHEDULE, **OPTIONS)
    del bus.registers["status"]
    recovers(bus, made, expected)


def test_an_interrupted_exchange_leaves_a_core_that_is_reset(expected: Any) -> None:
    def interrupted(beats: Beats) -> Beats:
        raise KeyboardInterrupt

    bus, made = run_with(jobs=interrupted)
    with pytest.raises(KeyboardInterrupt):
        made.run(PROGRAM, SCHEDULE, **OPTIONS)
    recovers(bus, made, expected)


def test_an_exchange_has_time_enough() -> None:
    seconds: list[float] = []
    bus = Meddler()
    made = ModelBackend(bus)
    inner = bus.inner.exchange
    bus.inner.exchange = lambda jobs, room, limit: seconds.append(limit) or inner(jobs, room, limit)  # type: ignore[method-assign,func-returns-value]
    made._cores.rate = 1.0
    made.run(PROGRAM, Schedule.constant(0.1, 1), seed=1)
    assert seconds and min(seconds) >= 30


# --- cuts


def carried_on(made: SamplerBackend, cut: Any, schedule: Schedule, options: dict[str, Any]) -> None:
    """A cut run is exact for what it reports, and, resumed, becomes the whole run."""
    words = np.repeat(schedule.betas, schedule.sweeps)
    shorter = {**options, "reads": cut.reads}
    if np.ndim(options.get("initial")) == 2:
        shorter["initial"] = options["initial"][: cut.reads]
    exact = judge().run(PROGRAM, Schedule.custom(words[: cut.sweeps]), **shorter)
    assert_equal_draws(cut, exact)
    rest = made.run(PROGRAM, Schedule.custom(words[cut.sweeps :]), resume=cut)
    assert_equal_draws(rest, judge().run(PROGRAM, schedule, **shorter))


@given(st.integers(1, 12), st.integers(1, 40), st.integers(1, 3), st.booleans(), st.sampled_from([0.0, 1e-3, 0.2]), st.booleans())
@settings(max_examples=12, deadline=None)
def test_interrupts_leave_exact_draws(calls: int, reads: int, cores: int, progress: bool, seconds: float, initial: bool) -> None:
    made = ModelBackend(*(ModelBus(model(lanes=4, schedule_max=7)) for _ in range(cores)))
    asked, reports = 0, []

    def interrupt() -> bool:
        nonlocal asked
        asked += 1
        return asked >= calls

    def seen(report: Progress) -> None:
        reports.append(report)
        assert report.reads == reads and 0 <= report.reads_done <= reads and 0 < report.share <= 1
        assert 0 < report.sweeps_done <= report.sweeps == 30

    start = np.resize(np.array([1, -1, -1], dtype=np.int8), (reads, PROGRAM.n)) if initial else None
    options = {"reads": reads, "seed": calls, "keep_every": 7, "burn_in": 4, "initial": start}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fleet, "_EXCHANGE_SECONDS", seconds)
        cut = made.run(PROGRAM, SCHEDULE, interrupt=interrupt, progress=seen if progress else None, **options)
    assert 1 <= cut.reads <= reads and 1 <= cut.sweeps <= 30
    whole = cut.reads == reads and cut.sweeps == 30
    assert cut.info["stopped_by"] in (("interrupt", None) if whole else ("interrupt",))
    assert [r.share for r in reports] == sorted(r.share for r in reports)
    if whole and reports:
        assert reports[-1].share == 1.0 and reports[-1].reads_done == reads
    carried_on(made, cut, SCHEDULE, options)


@pytest.mark.parametrize("limit", [0, 1e-9, 1e-3])
def test_a_time_limit_leaves_exact_draws(limit: float) -> None:
    options = {"reads": 10, "seed": 3, "keep_every": 5}
    made = backend(lanes=4)
    cut = made.run(PROGRAM, SCHEDULE, time_limit=limit, **options)
    assert cut.reads >= 4 and cut.sweeps >= 1
    assert cut.info["stopped_by"] == (None if (cut.reads, cut.sweeps) == (10, 30) else "time_limit")
    carried_on(made, cut, SCHEDULE, options)


def test_a_generous_time_limit_changes_nothing(expected: Any) -> None:
    draws = backend().run(PROGRAM, SCHEDULE, time_limit=1e9, interrupt=lambda: False, **OPTIONS)
    assert_equal_draws(draws, expected)
    assert draws.info["stopped_by"] is None


@pytest.mark.usefixtures("one_exchange")
def test_progress_comes_now_and_then_and_ends_with_everything_done() -> None:
    reports: list[Progress] = []
    made = backend(lanes=64)
    draws = made.run(PROGRAM, Schedule.constant(0.1, 40), reads=60, seed=1, progress=reports.append)
    assert len(reports) == 20 and reports[-1].share == 1.0 and reports[-1].sweeps_done == 40
    assert reports[-1].best_energy == draws.best_energy.min() and reports[-1].mean_energy == draws.energy.mean()


def test_ctrl_c_ends_a_run_between_exchanges() -> None:
    def progress(report: Progress) -> None:
        signal.raise_signal(signal.SIGINT)

    made = backend()
    cut = made.run(PROGRAM, SCHEDULE, reads=3, seed=9, progress=progress)
    assert cut.info["stopped_by"] == "interrupt" and cut.sweeps < 30
    carried_on(made, cut, SCHEDULE, {"reads": 3, "seed": 9})


# --- corners


@pytest.mark.parametrize("reads", [1, 3, 8, 9, 16])
def test_the_last_reads_of_all_are_reached(reads: int) -> None:
    options = {"reads": reads, "seed": 1, "first_read": formats.READ_LIMIT - reads, "keep_every": 4, "clamps": {0: np.resize([1, -1, 1], reads)}}
    assert_equal_draws(backend().run(PROGRAM, SCHEDULE, **options), judge().run(PROGRAM, SCHEDULE, **options))


@pytest.mark.parametrize("sweeps", [0, 1, 5000])
def test_sweeps_of_clamped_spins_alone_take_no_time(sweeps: int) -> None:
    bus = Meddler()
    made = ModelBackend(bus)
    clamps = {i: [1, -1, -1] for i in range(PROGRAM.n)}
    schedule = Schedule.constant(0.1, sweeps)
    options = {"reads": 3, "seed": 1, "clamps": clamps, "burn_in": 1, "keep_every": 1000}
    assert_equal_draws(made.run(PROGRAM, schedule, **options), judge().run(PROGRAM, schedule, **options))
    assert len(bus.exchanges) == 1 and made.drivers[0].counters()["sweeps"] == 0


@pytest.mark.usefixtures("one_exchange")
def test_more_samples_than_an_exchange_has_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(divided, "EXCHANGE_WORDS", 300)
    made = backend(lanes=2)
    options = {"reads": 5, "seed": 1, "keep_every": 1}
    draws = made.run(PROGRAM, Schedule.constant(0.1, 90), **options)
    assert_equal_draws(draws, judge().run(PROGRAM, Schedule.constant(0.1, 90), **options))
    assert draws.info["exchanges"] >= 4


@pytest.mark.parametrize("burn_in", [0, 5, 2**62])
@pytest.mark.parametrize("every", [1, 2**32 - 1, 2**32, 2**62])
def test_samples_that_are_far_apart(burn_in: int, every: int) -> None:
    options = {"reads": 2, "seed": 1, "burn_in": burn_in, "keep_every": every}
    schedule = Schedule.constant(0.1, 9)
    made = backend(sweep_bits=2)
    assert_equal_draws(made.run(PROGRAM, schedule, **options), judge().run(PROGRAM, schedule, **options))


def test_long_schedules_are_not_written_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "_SWEEPS_AT_ONCE", 16)
    schedule = Schedule.custom([0.1, 0.2, 0.2, 0.3], [20, 3, 4, 30])
    assert_equal_draws(backend().run(PROGRAM, schedule, reads=2, seed=1), judge().run(PROGRAM, schedule, reads=2, seed=1))


# --- what users see


def test_counters_and_status() -> None:
    made = backend(lanes=4)
    driver = made.drivers[0]
    made.run(PROGRAM, Schedule.constant(0.1, 6), reads=4, seed=1, clamps={0: 1})
    counters = driver.counters()
    assert set(counters) == {*ISING.counters, "jobs_done", "jobs_failed"} and "stall_hazard" in counters
    assert (counters["sweeps"], counters["updates"], counters["jobs_failed"]) == (6, 6 * 11 * 4, 0)
    problem = pack_problem(PROGRAM, np.array([0], dtype=np.int32), 4, 1000, "x")
    assert counters["beats"] == 6 * problem.beats_executed
    status = driver.status()
    assert status["state"] == "idle" and status["loaded"] and status["last_error"] == "no_error"
    assert status["program_id"] == f"{problem.program_id:#010x}" and status["build"] == "0x00005eed"
    driver.clear_counters()
    assert set(driver.counters().values()) == {0}
    driver.reset()
    assert not driver.status()["loaded"]


def test_counters_have_64_bits() -> None:
    bus = ModelBus(model())
    bus.model.counters["updates"] = 0x1234_5678_9ABC
    assert IsingDriver(bus, "x").counters()["updates"] == 0x1234_5678_9ABC


def test_info_says_what_ran() -> None:
    info = backend(lanes=4).run(PROGRAM, SCHEDULE, reads=3, seed=1).info
    assert (info["backend"], info["lanes"], info["cores"], info["build"]) == ("model", 4, 1, "0x00005eed") and info["exchanges"] >= 1


def test_every_error_of_the_core_has_a_meaning() -> None:
    assert set(ERROR_MEANINGS) == set(ERRORS) - {"no_error"}
