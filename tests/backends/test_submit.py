"""Submitted runs: the draws of `run`, whatever is queued around them; failures, cancellations, limits, and what is done at once."""

from __future__ import annotations

import gc
import logging
import os
import signal
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future, wait
from contextlib import contextmanager
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, final

import numpy as np
import pytest
from conformance import Case, assert_equal_draws, cases, judge, programs, schedules
from cores import Beats, Meddler, ModelBackend, backend, model, simulated
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ebmhw.backends import Draws, SamplerBackend, divided, fleet, get_backend, joint, run_queue, stop, submission, turns
from ebmhw.backends.bus import Bus
from ebmhw.backends.driver import IsingDriver
from ebmhw.backends.packing import pack_problem
from ebmhw.board.block_design import DMA_LENGTH_BITS
from ebmhw.contract.ising_core import JOBS
from ebmhw.errors import BackendUnavailable, CoreStalled, DoesNotFit, HardwareFault, InvalidRun, InvalidSchedule
from ebmhw.model import Model
from ebmhw.program import Program
from ebmhw.schedule import Schedule
from sim.core_model import ModelBus  # noqa: TID251  # tests are no part of the host

SECONDS = 20
"""Limit of every wait; nothing here takes that long."""

SCHEDULE = Schedule.geometric(0.01, 0.5, 6)
FOREVER = Schedule.custom([0.1] * 8, [2**31 - 1] * 8)


def ring(n: int, seed: int = 0) -> Program:
    rng = np.random.default_rng(seed)
    terms = {tuple(sorted((i, (i + 1) % n))): int(rng.integers(1, 9)) for i in range(n)}
    return Model(n, rng.integers(-5, 5, size=n).tolist(), terms).compile(scale=1)


PROGRAM = ring(7)


@pytest.fixture
def long_exchanges(monkeypatch: pytest.MonkeyPatch) -> None:
    """An exchange has time for everything, however slow the model is."""
    monkeypatch.setattr(fleet, "_EXCHANGE_SECONDS", 1e9)


@contextmanager
def held(made: SamplerBackend) -> Iterator[None]:
    """Keep the backend's thread busy with a run of its own, so that what is submitted meanwhile waits."""
    reached, release = threading.Event(), threading.Event()

    def progress(_: Any) -> None:
        reached.set()
        assert release.wait(SECONDS)

    first = made.submit(PROGRAM, Schedule.constant(0.1, 1), progress=progress)
    assert reached.wait(SECONDS)
    try:
        yield
    finally:
        release.set()
    first.result(SECONDS)


def gone(wanted: Callable[[], bool]) -> bool:
    """Return whether something becomes true in time."""
    end = time.monotonic() + SECONDS
    while not wanted() and time.monotonic() < end:
        time.sleep(0.01)
    return wanted()


# --- the same bits


class Broken(Exception):
    """What a caller's function raises."""


def fail() -> bool:
    raise Broken


@st.composite
def queues(draw: st.DrawFn) -> list[tuple[Case, str]]:
    """Runs of a few programs in any order, with what becomes of each: "done", "cancelled", "fails"."""
    shared = [draw(programs(10, 8)) for _ in range(draw(st.integers(1, 3)))]
    queue = []
    for _ in range(draw(st.integers(1, 7))):
        case = draw(cases(10, 12, 6, 8))
        fate = draw(st.sampled_from(["done", "done", "done", "cancelled", "fails"]))
        if draw(st.booleans()):
            # Another program under the same options as far as they fit: runs of one program stand together and apart.
            program, rows, _ = draw(st.sampled_from(shared))
            options = {name: value for name, value in case.options.items() if name not in ("initial", "clamps")}
            if draw(st.booleans()):
                options["clamps"] = {0: draw(st.sampled_from([-1, 1]))}
            case = Case(program, rows, draw(schedules(100, 6)), options)
        queue.append((case, fate))
    return queue


def submitted(made: SamplerBackend, queue: list[tuple[Case, str]], threads: int) -> list[Future[Draws]]:
    """Submit runs from several threads and cancel some before any is done."""
    futures: list[Future[Draws] | None] = [None] * len(queue)

    def submit(first: int) -> None:
        for k in range(first, len(queue), threads):
            case, fate = queue[k]
            more = {"interrupt": fail} if fate == "fails" else {}
            futures[k] = made.submit(case.program, case.schedule, **case.options, **more)

    with held(made):
        together = [threading.Thread(target=submit, args=(k,)) for k in range(threads)]
        for thread in together:
            thread.start()
        # Between the others' exchanges, too.
        beside = made.run(PROGRAM, SCHEDULE, reads=3, seed=1)
        for thread in together:
            thread.join(SECONDS)
        for future, (_, fate) in zip(futures, queue, strict=True):
            assert future is not None
            if fate == "cancelled":
                assert future.cancel()
    assert_equal_draws(beside, judge().run(PROGRAM, SCHEDULE, reads=3, seed=1))
    return [future for future in futures if future is not None]


BACKENDS: dict[str, Callable[[], SamplerBackend]] = {
    "one core": lambda: ModelBackend(ModelBus(model(lanes=5))),
    "three cores": lambda: ModelBackend(*(ModelBus(model(lanes=4, schedule_max=3, sweep_bits=2)) for _ in range(3))),
    "cpu": lambda: get_backend("cpu", threads=2),
    "golden": lambda: get_backend("golden"),
}


@pytest.mark.parametrize("name", BACKENDS)
@pytest.mark.parametrize("long", [True, False])
def test_draws_do_not_depend_on_what_is_queued(name: str, long: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if long:
        monkeypatch.setattr(fleet, "_EXCHANGE_SECONDS", 1e9)

    @given(queues(), st.integers(1, 3))
    @settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
    def each(queue: list[tuple[Case, str]], threads: int) -> None:
        made = BACKENDS[name]()
        futures = submitted(made, queue, threads)
        for (case, fate), future in zip(queue, futures, strict=True):
            if fate == "cancelled":
                assert future.cancelled()
                continue
            wanted = judge().run(case.program, case.schedule, **case.options)
            if fate == "fails":
                # The golden model and the CPU ask between two steps only, and a short run is one.
                try:
                    draws = future.result(SECONDS)
                except Broken:
                    continue
                assert name in ("golden", "cpu")
            else:
                draws = future.result(SECONDS)
            assert_equal_draws(draws, wanted, case.label)
            assert draws.info["stopped_by"] is None and 1 <= draws.info["batched"] <= len(queue)

    each()


def test_the_small_core_of_the_design_takes_several_problems_in_one_batch() -> None:
    """The Verilog, not a model of it: problems and runs alternate in one stream."""
    made = simulated("small", threads=1)
    queue = [(ring(5 + k % 3, k % 4), {"reads": 1 + k, "seed": k, "rule": ("gibbs", "metropolis")[k % 2], "keep_every": 2}) for k in range(9)]
    runs = [(program, SCHEDULE, options) for program, options in queue]
    made._cores.rate = 0.0
    made.run(PROGRAM, SCHEDULE)  # from here on its speed is known
    draws = made.run_many(runs)
    for (program, options), got in zip(queue, draws, strict=True):
        assert_equal_draws(got, judge().run(program, SCHEDULE, **options))
    assert max(got.info["batched"] for got in draws) >= 2


# --- what is done at once


@final
class Counted(Bus):
    """Counts what a bus is asked for."""

    def __init__(self, inner: Bus) -> None:
        self.inner = inner
        self.registers = 0
        self.exchanges: list[tuple[Beats, int]] = []

    def read(self, offset: int) -> int:
        self.registers += 1
        return self.inner.read(offset)

    def write(self, offset: int, word: int) -> None:
        self.registers += 1
        self.inner.write(offset, word)

    def exchange(self, jobs: Beats, room: int, seconds: float) -> Beats:
        self.exchanges.append((jobs.copy(), room))
        return self.inner.exchange(jobs, room, seconds)

    def abandon(self) -> None:
        self.inner.abandon()

    def close(self) -> None:
        self.inner.close()


def kinds(jobs: Beats) -> list[str]:
    return [name for name, _ in JOBS.decode(jobs.tobytes())]


@pytest.mark.usefixtures("long_exchanges")
def test_a_hundred_small_runs_take_one_exchange_and_no_register() -> None:
    bus = Counted(ModelBus(model()))
    made = ModelBackend(bus)
    with held(made):
        before, registers = len(bus.exchanges), bus.registers
        futures = [made.submit(ring(7 + k % 3, 5), SCHEDULE, reads=2, seed=k) for k in range(100)]
    for k, future in enumerate(futures):
        draws = future.result(SECONDS)
        assert draws.info["batched"] == 100 and draws.info["exchanges"] == 1 and draws.info["timing"]["queued_s"] > 0
        if k % 10 == 0:
            assert_equal_draws(draws, judge().run(ring(7 + k % 3, 5), SCHEDULE, reads=2, seed=k))
    assert len(bus.exchanges) == before + 1 and bus.registers == registers
    # The problem that is loaded needs no packet, the others one each.
    packets = kinds(bus.exchanges[-1][0])
    assert packets.count("run") == 100 and packets.count("problem") == 3


@pytest.mark.usefixtures("long_exchanges")
def test_the_problem_that_is_loaded_comes_first() -> None:
    bus = Counted(ModelBus(model()))
    made, first, second = ModelBackend(bus), ring(5), ring(6)
    made.run_many([(first, SCHEDULE), (second, SCHEDULE)] * 3)
    assert kinds(bus.exchanges[-1][0]) == ["problem", *["run"] * 3] * 2
    made.run_many([(first, SCHEDULE), (second, SCHEDULE)] * 3)
    assert kinds(bus.exchanges[-1][0]) == [*["run"] * 3, "problem", *["run"] * 3]
    assert [len(bus.exchanges), made.run(first, SCHEDULE).info["batched"]] == [2, 1]


@pytest.mark.usefixtures("long_exchanges")
def test_run_many_takes_one_exchange_and_several_cores_share_it() -> None:
    buses = [Counted(ModelBus(model())) for _ in range(3)]
    made = ModelBackend(*buses)
    runs = [(PROGRAM, SCHEDULE, {"reads": 3, "seed": k}) for k in range(10)]
    for draws, (_, _, options) in zip(made.run_many(runs), runs, strict=True):
        assert_equal_draws(draws, judge().run(PROGRAM, SCHEDULE, **options))
        assert draws.info["batched"] == 10 and draws.info["cores"] == 3
    assert [len(bus.exchanges) for bus in buses] == [1, 1, 1]
    assert sorted(kinds(bus.exchanges[0][0]).count("run") for bus in buses) == [3, 3, 4]


@given(st.lists(st.integers(1, 1000), min_size=1, max_size=30), st.integers(1, 6))
def test_jobs_are_dealt_in_order_and_about_equally(costs: list[int], units: int) -> None:
    made: fleet.Fleet[IsingDriver] = fleet.Fleet(lambda: [IsingDriver(Meddler(), "x")] * units)
    shares = made.dealt(costs)
    assert [k for share in shares for k in range(len(costs))[share]] == list(range(len(costs)))
    sums = [sum(costs[share]) for share in shares]
    assert len(shares) <= units and min(sums) > 0 and max(sums) < sum(costs) / units + max(costs) + 1


@pytest.mark.usefixtures("long_exchanges")
def test_large_runs_and_those_with_progress_have_exchanges_of_their_own() -> None:
    made, reports = backend(sweep_bits=4), []
    long = Schedule.constant(0.1, 40)
    runs = [(PROGRAM, SCHEDULE, {"seed": 1}), (PROGRAM, SCHEDULE, {"seed": 2}), (PROGRAM, long, {"seed": 3})]
    runs += [(PROGRAM, SCHEDULE, {"seed": 4, "progress": reports.append}), (PROGRAM, SCHEDULE, {"seed": 5})]
    found = made.run_many(runs)
    assert [draws.info["batched"] for draws in found] == [2, 2, 1, 1, 1] and found[2].info["exchanges"] > 1 and len(reports) == 6
    for draws, (program, schedule, options) in zip(found, runs, strict=True):
        assert_equal_draws(draws, judge().run(program, schedule, seed=options["seed"]))


@given(st.data())
@settings(max_examples=10, deadline=None)
def test_exchanges_keep_their_limit_of_words(data: st.DataObject) -> None:
    limit, sizes = 1500, data.draw(st.lists(st.tuples(st.integers(2, 30), st.integers(1, 20), st.booleans()), min_size=1, max_size=15))
    runs = [(ring(n), SCHEDULE, {"reads": reads, "seed": 1, **({"keep_every": 1} if keeps else {})}) for n, reads, keeps in sizes]
    bus = ModelBus(model(lanes=4))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fleet, "_EXCHANGE_SECONDS", 1e9)
        patch.setattr(divided, "EXCHANGE_WORDS", limit)
        patch.setattr(joint, "EXCHANGE_WORDS", limit)
        made = ModelBackend(bus)
        draws = made.run_many(runs)
    for got, (program, schedule, options) in zip(draws, runs, strict=True):
        assert_equal_draws(got, judge().run(program, schedule, **options))
    problem = max(pack_problem(program, np.zeros(0, dtype=np.int32), 4, 9999, "x").packet_beats for program, _, _ in runs)
    # The estimate leaves out answers of a few beats, such as "loaded".
    assert all(out + back <= 1.05 * limit + 20 * len(runs) + problem for out, back in bus.exchanges)


def test_no_exchange_reaches_the_limit_of_the_dma() -> None:
    """The largest problem, job and answer of the board's core beside a full exchange are less than half of what a transfer holds."""
    from ebmhw import rtl

    size = {name: int(value) for name, value in rtl.find("kv260").sidecar.units["ising_core"].parameters.items() if str(value).isdigit()}
    n, slots, lanes = size["spins_max"], size["beats_max"] * size["slots"], size["lanes"]
    problem = JOBS.layout("problem").words({"rows": n, "slots": slots}) // 2
    job = JOBS.layout("run").words({"entries": size["schedule_max"], "randoms": lanes, "states": n, "clamps": n}) // 2
    answer = 2 * n + 2 * lanes + 200 + n + 4
    assert 8 * (fleet.EXCHANGE_WORDS + problem + job + answer) < (1 << DMA_LENGTH_BITS) / 2


# --- failures


def batches(log: list[tuple[str, ...]]) -> list[int]:
    return [packets.count("run") for packets in log]


@pytest.mark.usefixtures("long_exchanges")
@pytest.mark.parametrize("fault", [HardwareFault("odd", "magic"), CoreStalled("no answer"), MemoryError("none")])
def test_a_run_that_breaks_the_core_fails_alone(fault: Exception) -> None:
    bus, log = Meddler(), []

    def jobs(beats: Beats) -> Beats:
        packets = JOBS.decode(beats.tobytes())
        log.append(tuple(name for name, _ in packets))
        if any(values["seed"] == 13 for name, values in packets if name == "run"):
            raise fault
        return beats

    bus.jobs = jobs
    made = ModelBackend(bus)
    with held(made):
        futures = [made.submit(PROGRAM, SCHEDULE, seed=seed) for seed in range(10, 16)]
    for seed, future in zip(range(10, 16), futures, strict=True):
        if seed == 13:
            with pytest.raises(DoesNotFit if isinstance(fault, MemoryError) else type(fault)):
                future.result(SECONDS)
            continue
        draws = future.result(SECONDS)
        assert_equal_draws(draws, judge().run(PROGRAM, SCHEDULE, seed=seed))
        assert draws.info["batched"] == 1 and str(fault) in draws.info["batch_failed"]
    assert batches(log)[-7:] == [6, 1, 1, 1, 1, 1, 1]


@pytest.mark.usefixtures("long_exchanges")
def test_a_dead_core_costs_three_waits_a_batch() -> None:
    bus, stalls = Meddler(), []

    def jobs(beats: Beats) -> Beats:
        stalls.append(kinds(beats).count("run"))
        raise CoreStalled(f"stall {len(stalls)}")

    made = ModelBackend(bus)
    with held(made):
        bus.jobs = jobs
        futures = [made.submit(PROGRAM, SCHEDULE, seed=seed) for seed in range(20)]
    errors = [future.exception(SECONDS) for future in futures]
    assert stalls == [20, 1, 1] and all(isinstance(error, CoreStalled) for error in errors)
    assert "stall 2" in str(errors[0]) and all("stall 3" in str(error) for error in errors[1:])
    bus.jobs = lambda beats: beats
    assert_equal_draws(made.submit(PROGRAM, SCHEDULE, seed=1).result(SECONDS), judge().run(PROGRAM, SCHEDULE, seed=1))


@pytest.mark.usefixtures("long_exchanges")
def test_a_wrong_energy_fails_its_own_run(monkeypatch: pytest.MonkeyPatch) -> None:
    verify = divided.PartResults.verify

    def wrong(self: Any, *reads_and_name: Any) -> None:
        if self._request.identity.seed == 2:
            self._energy[0] += 1
        verify(self, *reads_and_name)

    monkeypatch.setattr(divided.PartResults, "verify", wrong)
    made = backend()
    with held(made):
        futures = [made.submit(PROGRAM, SCHEDULE, seed=seed) for seed in range(4)]
    for seed, future in enumerate(futures):
        if seed == 2:
            with pytest.raises(HardwareFault, match=r"the energy of read 0 is .*the core is at fault"):
                future.result(SECONDS)
        else:
            draws = future.result(SECONDS)
            assert_equal_draws(draws, judge().run(PROGRAM, SCHEDULE, seed=seed))
            assert draws.info["batched"] == 4


def test_failures_of_callers_functions_are_their_own() -> None:
    made = backend()

    def exits() -> bool:
        raise SystemExit(3)

    with held(made):
        bad = [made.submit(PROGRAM, SCHEDULE, seed=1, interrupt=exits), made.submit(PROGRAM, SCHEDULE, seed=1, progress=lambda _: fail())]
        good = made.submit(PROGRAM, SCHEDULE, seed=1)
    for future, kind in zip(bad, (SystemExit, Broken), strict=True):
        with pytest.raises(kind):
            future.result(SECONDS)
    assert_equal_draws(good.result(SECONDS), judge().run(PROGRAM, SCHEDULE, seed=1))


@pytest.mark.usefixtures("long_exchanges")
@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt, Broken])
def test_callbacks_that_raise_stop_no_other_run(kind: type[BaseException], caplog: pytest.LogCaptureFixture) -> None:
    made = backend()

    def done(_: Future[Draws]) -> None:
        raise kind("of a callback")

    with caplog.at_level(logging.ERROR):
        with held(made):
            futures = [made.submit(PROGRAM, SCHEDULE, seed=seed) for seed in range(6)]
            futures[1].add_done_callback(done)
        for seed, future in enumerate(futures):
            assert_equal_draws(future.result(SECONDS), judge().run(PROGRAM, SCHEDULE, seed=seed))
    assert {future.result().info["batched"] for future in futures} == {6}
    assert gone(lambda: "of a callback" in caplog.text)


@pytest.mark.usefixtures("long_exchanges")
@pytest.mark.parametrize("error", [MemoryError("none"), HardwareFault("odd")])
def test_a_run_that_cannot_be_looked_at_fails_in_its_own_turn(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    divide, made = divided.DividedRun._begin, backend()

    def begin(self: divided.DividedRun) -> None:
        if self.request.identity.seed == 2:
            raise error
        divide(self)

    monkeypatch.setattr(divided.DividedRun, "_begin", begin)
    with held(made):
        futures = [made.submit(PROGRAM, SCHEDULE, seed=seed) for seed in range(5)]
    with pytest.raises(DoesNotFit if isinstance(error, MemoryError) else HardwareFault):
        futures[2].result(SECONDS)
    for seed in (0, 1, 3, 4):
        draws = futures[seed].result(SECONDS)
        assert_equal_draws(draws, judge().run(PROGRAM, SCHEDULE, seed=seed))
        assert draws.info["batched"] == 2


def test_a_time_limit_is_of_its_own_run() -> None:
    made = get_backend("cpu", threads=1)
    cut, whole = made.run_many([(PROGRAM, FOREVER, {"time_limit": 0.05, "seed": 1}), (PROGRAM, SCHEDULE, {"seed": 2})])
    assert cut.info["stopped_by"] == "time_limit" and 0 < cut.sweeps < FOREVER.total_sweeps and cut.info["timing"]["run_s"] < 1
    assert whole.info["stopped_by"] is None
    assert_equal_draws(cut, made.run(PROGRAM, Schedule.constant(0.1, cut.sweeps), seed=1))


def test_wrong_arguments_are_refused_at_once() -> None:
    made = backend(beats_max=20)
    too_long = ring(100)
    for error, text, arguments in (
        (TypeError, "a run has no argument 'read'; it has reads, seed, rule", {"read": 3}),
        (InvalidRun, "reads is 0", {"reads": 0}),
        (InvalidRun, "time_limit is -1", {"time_limit": -1}),
        (InvalidRun, "interrupt is 3", {"interrupt": 3}),
    ):
        with pytest.raises(error, match=text):
            made.submit(PROGRAM, SCHEDULE, **arguments)
        with pytest.raises(error, match=text):
            made.run_many([(PROGRAM, SCHEDULE), (PROGRAM, SCHEDULE, arguments)])
    with pytest.raises(InvalidSchedule):
        made.submit(PROGRAM, 3)  # type: ignore[arg-type]
    with pytest.raises(DoesNotFit, match="rows take 100 beats of 4 slots"):
        made.submit(too_long, SCHEDULE)
    for run in (PROGRAM, (PROGRAM,), (PROGRAM, SCHEDULE, 3), (PROGRAM, SCHEDULE, {}, {})):
        with pytest.raises(InvalidRun, match=r"run 0 is .*give \(program, schedule\) or \(program, schedule, \{argument: value\}\)"):
            made.run_many([run])  # type: ignore[list-item]
    for runs in (5, None, PROGRAM):
        with pytest.raises(InvalidRun, match=r"runs is .*give a list, one \(program, schedule\) or \(program, schedule, \{argument: value\}\) a run"):
            made.run_many(runs)  # type: ignore[arg-type]
    assert made.run_many([]) == [] and made._queue._thread is None


def test_arrays_may_change_once_they_are_submitted() -> None:
    made, rng = backend(), np.random.default_rng(1)
    initial, clamp = rng.choice(np.array([-1, 1], dtype=np.int8), (4, PROGRAM.n)), np.array([1, -1, 1, 1], dtype=np.int8)
    wanted = judge().run(PROGRAM, SCHEDULE, reads=4, seed=1, initial=initial, clamps={2: clamp})
    with held(made):
        future = made.submit(PROGRAM, SCHEDULE, reads=4, seed=1, initial=initial, clamps={2: clamp})
        initial[:], clamp[:] = 1, 1
    assert_equal_draws(future.result(SECONDS), wanted)


# --- stopping


@pytest.mark.parametrize("made", [backend(), get_backend("cpu", threads=1)], ids=["core", "cpu"])
def test_a_run_in_work_is_not_cancelled_but_interrupted(made: SamplerBackend) -> None:
    asked, over = threading.Event(), threading.Event()

    def interrupt() -> bool:
        asked.set()
        return over.is_set()

    running = made.submit(PROGRAM, FOREVER, seed=3, interrupt=interrupt)
    waiting = made.submit(PROGRAM, SCHEDULE, seed=3)
    assert asked.wait(SECONDS) and not running.cancel() and waiting.cancel()
    over.set()
    cut = running.result(SECONDS)
    assert cut.info["stopped_by"] == "interrupt" and 0 < cut.sweeps < FOREVER.total_sweeps
    assert wait([waiting], SECONDS).not_done == set()
    with pytest.raises(CancelledError):
        waiting.result()
    assert_equal_draws(cut, get_backend("cpu").run(PROGRAM, Schedule.constant(0.1, cut.sweeps), seed=3))


@pytest.mark.parametrize("made", [backend(), get_backend("cpu", threads=1)], ids=["core", "cpu"])
def test_a_time_limit_counts_from_the_beginning_of_the_run(made: SamplerBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(stop, "time", SimpleNamespace(monotonic=lambda: now[0]))
    with held(made):
        whole = made.submit(PROGRAM, Schedule.constant(0.1, 300), seed=1, reads=9, time_limit=100)
        now[0] += 1000.0
    draws = whole.result(SECONDS)
    assert draws.info["stopped_by"] is None and draws.sweeps == 300 and draws.reads == 9
    with held(made):
        cut = made.submit(PROGRAM, FOREVER, seed=1, time_limit=100, progress=lambda _: now.__setitem__(0, now[0] + 60))
    assert cut.result(SECONDS).info["stopped_by"] == "time_limit"


def test_ctrl_c_in_run_many_ends_what_is_in_work(monkeypatch: pytest.MonkeyPatch) -> None:
    made, runs = backend(), list[submission.Submission]()
    put = run_queue.RunQueue.put

    def noted(self: Any, submitted: Any, wait: bool = True) -> None:
        runs.extend(submitted)
        put(self, submitted, wait)

    monkeypatch.setattr(run_queue.RunQueue, "put", noted)
    pressed, main = threading.Event(), threading.get_ident()

    def press(_: Any) -> None:
        if not pressed.is_set():
            pressed.set()
            signal.pthread_kill(main, signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        made.run_many([(PROGRAM, FOREVER, {"progress": press}), *[(PROGRAM, SCHEDULE)] * 50])
    first, *rest = [run.future for run in runs]
    assert wait([first, *rest], SECONDS).not_done == set()
    assert all(future.cancelled() for future in rest) and first.result().info["stopped_by"] == "interrupt"


# --- the queue


def test_a_full_queue_waits_for_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_queue, "QUEUE_RUNS", 3)
    made, order = backend(), []
    with held(made):
        first = [made.submit(PROGRAM, SCHEDULE, seed=k) for k in range(3)]
        last: list[Future[Draws]] = []
        thread = threading.Thread(target=lambda: last.append(made.submit(PROGRAM, SCHEDULE, seed=3)))
        thread.start()
        thread.join(0.1)
        assert thread.is_alive() and not last
        # What is cancelled makes room, though the thread has not come to it.
        assert first[1].cancel()
        thread.join(SECONDS)
        assert not thread.is_alive() and len(last) == 1
        for k, future in enumerate([first[0], first[2], *last]):
            future.add_done_callback(lambda _, k=k: order.append(k))
    for future, seed in ((first[0], 0), (first[2], 2), (last[0], 3)):
        assert_equal_draws(future.result(SECONDS), judge().run(PROGRAM, SCHEDULE, seed=seed))
    assert gone(lambda: order == [0, 1, 2])


def test_a_queue_holds_so_many_bytes_but_always_one_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_queue, "QUEUE_BYTES", 100)
    made, initial = backend(), np.ones(PROGRAM.n, dtype=np.int8)
    with held(made):
        large = made.submit(PROGRAM, SCHEDULE, reads=20, initial=initial)
        thread = threading.Thread(target=lambda: made.submit(PROGRAM, SCHEDULE, reads=1, initial=initial))
        thread.start()
        thread.join(0.1)
        assert thread.is_alive()
    assert large.result(SECONDS).reads == 20
    thread.join(SECONDS)
    assert not thread.is_alive()


def test_functions_of_a_run_may_submit_but_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_queue, "QUEUE_RUNS", 1)
    made, more, errors = backend(), [], []

    def done(future: Future[Draws]) -> None:
        more.extend(made.submit(PROGRAM, SCHEDULE, seed=k) for k in range(3))
        try:
            made.run_many([(PROGRAM, SCHEDULE)])
        except InvalidRun as error:
            errors.append(str(error))

    future: Future[Draws] = Future()
    with held(made):
        future = made.submit(PROGRAM, SCHEDULE, seed=9)
        future.add_done_callback(done)
    future.result(SECONDS)
    assert gone(lambda: len(more) == 3 and bool(errors)) and "which it would wait for" in errors[0]
    for k, one in enumerate(more):
        assert_equal_draws(one.result(SECONDS), judge().run(PROGRAM, SCHEDULE, seed=k))


def test_the_thread_ends_with_the_work_and_the_backend_with_its_users() -> None:
    made = backend()
    watched = weakref.ref(made)
    future = made.submit(PROGRAM, SCHEDULE, seed=1)
    thread = made._queue._thread
    del made
    assert thread is not None and future.result(SECONDS).reads == 1
    thread.join(SECONDS)
    assert not thread.is_alive()
    gc.collect()
    assert watched() is None
    again = backend()
    for k in range(3):
        assert again.submit(PROGRAM, SCHEDULE, seed=k).result(SECONDS).reads == 1
        last = again._queue._thread
        if last is not None:
            last.join(SECONDS)
    assert not [t for t in threading.enumerate() if t.name == "ebmhw-runs" and t.is_alive() and t is again._queue._thread]


EXIT = """
import threading, time
from concurrent.futures import Future
from ebmhw import Model, Schedule, get_backend
program = Model(6, None, [((0, 1), 1.0), ((1, 2), 1.0)]).compile()
backend, forever = get_backend("cpu", threads={threads}), Schedule.custom([0.1] * 8, [2**31 - 1] * 8)
begun = threading.Event()
first = backend.submit(program, forever, reads={reads}, progress=lambda _: begun.set())
rest = [backend.submit(program, forever) for _ in range(5)]
first.add_done_callback(lambda future: print("first", future.exception() or future.result().info["stopped_by"], flush=True))
def told(future):
    print("cancelled", future.cancelled(), flush=True)
    raise SystemExit("of a callback")
for future in rest:
    future.add_done_callback(told)
assert begun.wait(60)
{end}
"""


@pytest.mark.parametrize(("threads", "reads", "end"), [(1, 1, "print('main ends')"), (2, 100, "raise RuntimeError('main fails')")])
def test_an_exit_waits_for_no_queue(threads: int, reads: int, end: str) -> None:
    code = EXIT.format(end=end, threads=threads, reads=reads)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == (1 if "raise" in end else 0), done.stderr
    lines = done.stdout.splitlines()
    # One of them may have begun before the main thread counts as ended: it is interrupted.
    assert lines.count("cancelled True") >= 4 and len([line for line in lines if line.startswith("cancelled ")]) == 5
    assert len([line for line in lines if line.startswith("first ")]) == 1
    if threads == 1:
        assert "first interrupt" in lines


def test_a_long_queue_is_no_slower_for_its_length(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every other of 20,000 runs is cancelled, the last first, and others wait for room: were each step one through all, it would take minutes."""
    made, many = get_backend("cpu", threads=1), 20_000
    one = submission.Submission.of(made, PROGRAM, SCHEDULE, {"seed": 1})
    runs = [replace(one, future=Future()) for _ in range(many)]
    began = time.monotonic()
    with held(made):
        made._queue.put(runs, wait=False)
        waiting = [threading.Thread(target=made.submit, args=(PROGRAM, SCHEDULE)) for _ in range(4)]
        for thread in waiting:
            thread.start()
        for run in reversed(runs[::2]):
            assert run.future.cancel()
    for thread in waiting:
        thread.join(SECONDS)
    assert runs[-1].future.result(SECONDS).reads == 1
    assert time.monotonic() - began < SECONDS and [run.future.cancelled() for run in runs] == [True, False] * (many // 2)


FORK = """
import os, threading, time
from ebmhw import Model, Schedule, get_backend
program = Model(6, None, [((0, 1), 1.0), ((1, 2), 1.0)]).compile()
backend, schedule = get_backend("cpu", threads=1), Schedule.constant(0.1, 5)
begun, release = threading.Event(), threading.Event()
def progress(_):
    begun.set()
    release.wait(20)
first = backend.submit(program, schedule, progress=progress)
begun.wait(20)
rest = [backend.submit(program, schedule, seed=k) for k in range(3)]
child = os.fork()
if child == 0:
    # The parent's runs are not done again, and its thread, which is not here, not waited for.
    draws = backend.run_many([(program, schedule, {"seed": 7})])
    same = (draws[0].spins == backend.run(program, schedule, seed=7).spins).all()
    print("child", len(draws), same, any(future.done() for future in rest), flush=True)
    os._exit(0)
os.waitpid(child, 0)
release.set()
print("parent", [future.result(20).reads for future in rest], first.result(20).reads)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_forked_process_has_a_queue_of_its_own() -> None:
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", FORK], capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.stdout.splitlines() == ["child 1 True False", "parent [1, 1, 1] 1"], done.stderr


def test_waiting_for_another_thread_does_not_count_as_work_of_a_core() -> None:
    """Whoever waits for a core would otherwise take it for slow, and cut what follows into small pieces."""
    bus = Meddler()
    made = ModelBackend(bus)
    made.run(PROGRAM, SCHEDULE, seed=1)
    inside = threading.Event()

    def other() -> None:
        with made._cores._turns:
            inside.set()
            time.sleep(0.5)

    thread = threading.Thread(target=other)
    thread.start()
    assert inside.wait(SECONDS)
    began = time.monotonic()
    draws = made.run(PROGRAM, SCHEDULE, seed=1, reads=8)
    rate = made._cores.rate
    thread.join(SECONDS)
    waited = time.monotonic() - began
    cycles = made.drivers[0].cost(made._problem(submission.Submission.of(made, PROGRAM, SCHEDULE, {}).request), 6, 6, 0)[1]
    assert draws.reads == 8 and waited > 0.3 and rate > 2 * cycles / waited


def test_threads_get_the_units_in_their_order() -> None:
    """A run of one exchange beside two without end waits for one exchange of each, and not for luck."""
    made, over, order = backend(), threading.Event(), list[str]()
    exchange = made.drivers[0].run

    def noted(jobs: Any, seconds: float) -> Any:
        order.append(threading.current_thread().name)
        time.sleep(0.01)
        return exchange(jobs, seconds)

    made.drivers[0].run = noted  # type: ignore[method-assign]
    threads = [threading.Thread(target=made.run, args=(PROGRAM, FOREVER), kwargs={"interrupt": over.is_set}, name=name) for name in "ab"]
    for thread in threads:
        thread.start()
    assert gone(lambda: {"a", "b"} <= set(order))
    for _ in range(5):
        before = len(order)
        made.run(PROGRAM, SCHEDULE, seed=1)
        ours = [k for k, name in enumerate(order[before:]) if name == threading.current_thread().name]
        # Two that have asked, one that is at work.
        assert ours and ours[0] <= 3 and max(np.diff([-1, *ours])) <= 4
    over.set()
    for thread in threads:
        thread.join(SECONDS)
    assert not any(thread.is_alive() for thread in threads)


def test_a_turn_that_is_given_up_is_handed_on() -> None:
    made, inside, release, order = turns.Turns(), threading.Event(), threading.Event(), list[int]()

    def first() -> None:
        with made:
            inside.set()
            assert release.wait(SECONDS)

    def later(number: int) -> None:
        with made:
            order.append(number)

    holder = threading.Thread(target=first)
    holder.start()
    assert inside.wait(SECONDS)
    main = threading.get_ident()
    threading.Timer(0.1, lambda: signal.pthread_kill(main, signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt), made:
        pass
    others = [threading.Thread(target=later, args=(k,)) for k in range(5)]
    for k, thread in enumerate(others):
        thread.start()
        assert gone(lambda k=k: len(made._asked) == k + 1)
    release.set()
    for thread in (holder, *others):
        thread.join(SECONDS)
    assert order == list(range(5))


def test_run_many_wakes_its_caller_once() -> None:
    """Not for each run: handing the interpreter from thread to thread took longer than a small run itself."""
    resource = pytest.importorskip("resource")
    made = get_backend("cpu", threads=1)
    runs = [(PROGRAM, SCHEDULE, {"seed": k}) for k in range(200)]
    made.run_many(runs)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_nvcsw
    made.run_many(runs)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_nvcsw - before < 100


def test_no_run_is_taken_once_the_main_thread_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_queue, "leaving", lambda: True)
    with pytest.raises(BackendUnavailable, match=r"the main thread has ended .* no more runs can be submitted; use run\(\)"):
        backend().submit(PROGRAM, SCHEDULE)


def test_resumed_runs_and_names() -> None:
    made = backend()
    first = made.submit(PROGRAM, SCHEDULE, seed=4, reads=3).result(SECONDS)
    more = made.submit(PROGRAM, SCHEDULE, resume=first).result(SECONDS)
    assert_equal_draws(more, judge().run(PROGRAM, SCHEDULE, resume=judge().run(PROGRAM, SCHEDULE, seed=4, reads=3)))
    assert more.info["backend"] == "model"
