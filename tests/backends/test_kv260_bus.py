"""The bus of the board over fakes of its blocks: transfers, caches, limits, and every fault of engine and interrupts with a working run after it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from random import Random
from threading import Thread

import numpy as np
import pytest
from conformance import Conformance, assert_equal_draws, judge
from cores import ModelBackend, phi_backend
from pynq_blocks import DECODE, HALTED, INTERNAL, RECEIVE, SEND, SLAVE, Controller
from pynq_boards import INPUTS, Board

from ebmhw.backends import SamplerBackend
from ebmhw.backends.kv260 import bus as bus_module
from ebmhw.backends.kv260 import engine as engine_module
from ebmhw.backends.kv260.bus import SLICE_SECONDS, STALL_SECONDS
from ebmhw.backends.kv260.engine import Engine, Way
from ebmhw.backends.kv260.interrupts import Interrupts, Line
from ebmhw.backends.packing import pack_problem
from ebmhw.contract.ising_core import REGISTERS
from ebmhw.errors import BackendUnavailable, CoreStalled, DoesNotFit, HardwareFault
from ebmhw.model import Model
from ebmhw.schedule import Schedule

PROGRAM = Model(12, None, {(i, (i + k) % 12): i - 5 for i in range(12) for k in (1, 5)}).compile()
SCHEDULE = Schedule.constant(0.1, 5)


@pytest.fixture
def board() -> Iterator[Board]:
    made = Board()
    yield made
    made.close()


@pytest.fixture
def wired() -> Iterator[Board]:
    made = Board(interrupts=True)
    yield made
    made.close()


class TestPynqBus(Conformance):
    examples = 12
    most_reads = 20

    def make(self) -> SamplerBackend:
        return ModelBackend(Board(lanes=64, slots=16).bus)

    @pytest.mark.skip(reason="as over the model's own bus")
    def test_decisions_at_the_threshold(self) -> None:
        pass

    @pytest.mark.skip(reason="as over the model's own bus")
    def test_structured_program(self) -> None:
        pass


def jobs_of(words: int) -> np.ndarray:
    """Return a batch of so many words that a core answers with one `loaded` packet or an error."""
    found = pack_problem(PROGRAM, np.zeros(0, dtype=np.int32), 4, 1000, "x").packet(1)
    assert words >= found.size
    return np.concatenate([found, np.zeros(words - found.size, dtype=np.uint64)])


def assert_works(made: ModelBackend) -> None:
    """Check that a run is right, whatever came before."""
    assert_equal_draws(made.run(PROGRAM, SCHEDULE, reads=9, seed=1), judge().run(PROGRAM, SCHEDULE, reads=9, seed=1))


# --- transfers


def test_a_batch_is_one_transfer_each_way(board: Board) -> None:
    made = ModelBackend(board.bus)
    draws = made.run(PROGRAM, SCHEDULE, reads=20, seed=1)
    assert_equal_draws(draws, judge().run(PROGRAM, SCHEDULE, reads=20, seed=1))
    ways = [entry[0] for entry in board.dma.log if entry != "reset"]
    assert board.dma.log[0] == "reset" and ways == ["back", "out"] * draws.info["exchanges"]


@pytest.mark.parametrize("whole", [False, True])
def test_caches_are_told_of_what_moves_and_of_little_else(board: Board, whole: bool) -> None:
    """Of an 8 MiB buffer with a job of some KiB in it, some KiB are flushed; where PYNQ flushes whole buffers, less than twice what moves."""
    made, memory, random = ModelBackend(board.bus), board.memory, Random(5)
    made.run(PROGRAM, SCHEDULE, reads=8, seed=1)
    board.bus.exchange(jobs_of(1 << 20), 1 << 20, 10.0)
    memory.whole = whole
    for _ in range(8):
        words = random.choice([random.randrange(100, 4096), random.randrange(4097, 1 << 17)])
        memory.flushed.clear()
        memory.invalidated.clear()
        held = len(memory.buffers)
        came = board.bus.exchange(jobs_of(words), words, 10.0)
        new = [8 * buffer.size for buffer in memory.buffers[held:]]
        if whole:
            assert sum(memory.flushed) - sum(new) <= max(2 * 8 * words, 8 * 4096)
            assert sum(memory.invalidated) <= max(2 * 8 * words, 8 * 4096)
        else:
            assert sum(memory.flushed) - sum(new) == 8 * words and memory.invalidated == [8 * came.size]


def test_buffers_are_kept_and_freed(board: Board) -> None:
    made = ModelBackend(board.bus)
    for _ in range(3):
        made.run(PROGRAM, SCHEDULE, reads=8, seed=1)
    assert [buffer.size for buffer in board.memory.buffers] == [4096, 4096]
    for room in (4097, 5000, 9000, 4097):
        assert board.bus.exchange(jobs_of(200), room, 10.0).size > 0
    assert [buffer.size for buffer in board.memory.buffers] == [4096, 4096, 8192, 16384]
    board.bus.close()
    assert all(buffer.freed for buffer in board.memory.buffers)
    board.bus.close()
    for ask in (lambda: board.bus.exchange(jobs_of(200), 9, 1.0), lambda: board.bus.read(0), board.bus.abandon):
        with pytest.raises(BackendUnavailable, match=r"backend 'kv260' was closed; make another with get_backend\('kv260'\)"):
            ask()


def test_memory_is_not_given_back_while_an_engine_may_write_to_it(
    board: Board, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    ModelBackend(board.bus).run(PROGRAM, SCHEDULE, seed=1)
    monkeypatch.setattr(engine_module, "RESET_SECONDS", 0.01)
    board.dma.dead = "reset"
    with caplog.at_level(logging.WARNING, "ebmhw.kv260"):
        board.bus.close()
    assert len(board.memory.live) == 2
    assert "memory of the DMA engine is kept until the process ends: dma of ising_core did not reset within 0.01 s" in caplog.text


def test_no_memory_is_told(board: Board) -> None:
    made = ModelBackend(board.bus)
    board.memory.full = True
    with pytest.raises(HardwareFault, match=r"no contiguous memory of 32768 bytes \(Allocate failed: 4294967295\); free some .*download=True"):
        made.run(PROGRAM, SCHEDULE, seed=1)
    board.memory.full = False
    assert_works(made)


def test_an_address_beyond_the_engine_is_refused(board: Board) -> None:
    made = ModelBackend(board.bus)
    board.memory.start = 0x8_0000_0000
    with pytest.raises(HardwareFault, match=r"dma of ising_core cannot reach a buffer of [0-9]+ bytes at 0x800000000: .* below 2\^32; free memory"):
        made.run(PROGRAM, SCHEDULE, seed=1)
    assert not [entry for entry in board.dma.log if entry != "reset"]
    wide = Engine(board.dma, "dma", address_bits=40)
    wide.reset()
    wide.launch(Way.ANSWER, 0x8_0000_0000, 64)
    assert board.dma.channels[RECEIVE].address == 0x8_0000_0000
    with pytest.raises(HardwareFault, match=r"it takes multiples of 16"):
        wide.launch(Way.JOBS, 0x8_0000_0008, 64)


def test_more_than_a_transfer_takes_is_refused(board: Board) -> None:
    board.bus.abandon()
    board.dma.log.clear()
    with pytest.raises(DoesNotFit, match=r"jobs of 67108864 bytes: dma of ising_core moves 67108863 at once; keep fewer samples"):
        board.bus.exchange(np.zeros(1 << 23, dtype=np.uint64), 9, 1.0)
    with pytest.raises(DoesNotFit, match=r"room for an answer of 67108864 bytes"):
        board.bus.exchange(jobs_of(200), 1 << 23, 1.0)
    assert not board.dma.log and not board.memory.buffers


def test_the_watchdog_fires_before_the_host_gives_up(board: Board) -> None:
    ModelBackend(board.bus).run(PROGRAM, SCHEDULE, seed=1)
    limits = {board.core.words[REGISTERS.register(name).offset] for name in ("input_limit", "output_limit")}
    assert limits == {int(2e8 * STALL_SECONDS)} and STALL_SECONDS < 30


# --- engines that fail


@pytest.mark.parametrize("way", ["hangs", "stuck"])
@pytest.mark.parametrize("interrupts", [False, True])
def test_a_transfer_that_does_not_end_is_given_up(way: str, interrupts: bool) -> None:
    board = Board(interrupts=interrupts)
    made = ModelBackend(board.bus)
    assert_works(made)
    setattr(board.dma, way, True)
    began = time.monotonic()
    with pytest.raises(CoreStalled, match=r"the unit did not answer 1600 bytes within 0.1 s"):
        board.bus.exchange(jobs_of(200), 9, 0.06)
    assert 0.06 <= time.monotonic() - began < 1
    setattr(board.dma, way, False)
    made.drivers[0].reset()
    assert_works(made)
    board.close()


def test_a_measurement_that_does_not_end_is_given_up(board: Board) -> None:
    made = phi_backend(board.phi_bus)
    logits = np.ones((2, 5), dtype=np.float32)
    due = made.phi(logits)
    board.phi_dma.hangs = True
    with pytest.raises(CoreStalled, match=r"the unit did not answer 144 bytes within 0.0 s"):
        board.phi_bus.exchange(np.ones(18, dtype=np.uint64), 9, 0.001)
    board.phi_dma.hangs = False
    made.phi_drivers[0].reset()
    assert np.array_equal(made.phi(logits).array, due.array)


@pytest.mark.parametrize("seconds", [0.0, 0.03])
@pytest.mark.parametrize("interrupts", [False, True])
@pytest.mark.parametrize(
    ("way", "error", "told"),
    [
        (RECEIVE, INTERNAL, r"failed to transfer the answer: internal error: a write to memory failed, or the answer is longer than the room"),
        (RECEIVE, SLAVE, r"failed to transfer the answer: slave error: the memory port refused the access"),
        (SEND, SLAVE, r"failed to transfer the jobs: slave error"),
        (SEND, DECODE, r"failed to transfer the jobs: decode error: there is no memory at the address"),
        (SEND, 0, r"stopped in a transfer of jobs \(status 0x4001\)"),
        (RECEIVE, 0, r"stopped in a transfer of an answer \(status 0x4001\)"),
    ],
)
def test_an_error_of_the_engine_is_told(way: int, error: int, told: str, interrupts: bool, seconds: float) -> None:
    board = Board(interrupts=interrupts)
    made = ModelBackend(board.bus)
    board.dma.fails, board.dma.seconds = (way, error), seconds
    began = time.monotonic()
    with pytest.raises(HardwareFault, match=rf"backend 'model': dma of ising_core {told}.* \([0-9]+ bytes out, room for [0-9]+ back\)"):
        made.run(PROGRAM, SCHEDULE, seed=1)
    assert time.monotonic() - began < 1
    board.dma.fails, board.dma.seconds = None, 0.0
    assert_works(made)
    board.close()


def test_an_answer_that_is_too_long_is_told(board: Board) -> None:
    made = ModelBackend(board.bus)
    board.dma.change = lambda answer: answer + bytes(1 << 17)
    with pytest.raises(HardwareFault, match=r"internal error: .* the answer is longer than the room for it"):
        made.run(PROGRAM, SCHEDULE, seed=1)
    board.dma.change = lambda answer: answer
    assert_works(made)


@pytest.mark.parametrize(
    ("cut", "told"), [(5, r"that [0-9]*[13579] bytes came of at most [0-9]+, in beats of 8; they are not used"), (10**6, r"that 0 bytes came")]
)
def test_an_answer_that_ends_early_is_told(board: Board, cut: int, told: str) -> None:
    made = ModelBackend(board.bus)
    board.dma.change = lambda answer: answer[: max(0, len(answer) - cut)]
    with pytest.raises(HardwareFault, match=told):
        made.run(PROGRAM, SCHEDULE, seed=1)
    # Whole beats that are too few are the driver's to find.
    board.dma.change = lambda answer: answer[:-16]
    with pytest.raises(HardwareFault, match="backend 'model'"):
        made.run(PROGRAM, SCHEDULE, seed=1)
    board.dma.change = lambda answer: answer
    assert_works(made)


@pytest.mark.parametrize("what", ["reset", "start"])
def test_an_engine_that_is_dead_is_told(board: Board, what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made = ModelBackend(board.bus)
    board.dma.dead = what
    due = engine_module.RESET_SECONDS
    monkeypatch.setattr(engine_module, "RESET_SECONDS", 0.01)
    with pytest.raises(HardwareFault, match=rf"dma of ising_core did not {what} within 0.01 s; load the design again .*download=True"):
        made.run(PROGRAM, SCHEDULE, seed=1)
    board.dma.dead = ""
    monkeypatch.setattr(engine_module, "RESET_SECONDS", due)
    assert_works(made)


def test_an_engine_that_stands_still_is_told(board: Board) -> None:
    made = ModelBackend(board.bus)
    assert_works(made)
    board.dma.channels[SEND].status |= HALTED
    with pytest.raises(HardwareFault, match=r"dma of ising_core stands still before a transfer \(status 0x[0-9a-f]+\); it is reset before the next"):
        made.run(PROGRAM, SCHEDULE, seed=1)
    assert_works(made)


# --- interrupts


def run_until(board: Board, made: ModelBackend, done: Callable[[], bool]) -> None:
    """Run until something is seen: on a machine that is busy with other things a short wait may not be one."""
    for _ in range(50):
        assert_works(made)
        if done():
            return
    raise AssertionError(f"not seen in 50 runs: {told(board)}")


def told(board: Board) -> dict[str, object]:
    return board.bus.interrupts()


def test_a_short_job_is_looked_at_and_a_long_one_waited_for(wired: Board) -> None:
    made = ModelBackend(wired.bus)
    assert_works(made)
    assert told(wired) == {"ends_by": "interrupts", "taken": 0, "interrupts_lost": 0, "interrupts_stray": 0}
    wired.dma.seconds = 0.05
    accesses = wired.dma.accesses
    assert_works(made)
    # Waited for, not looked at every 50 us.
    assert wired.dma.accesses - accesses < 150
    run_until(wired, made, lambda: wired.bus.interrupts_taken >= 1)
    assert not wired.dma.level


def test_both_units_wait_at_once(wired: Board) -> None:
    wired.dma.seconds = wired.phi_dma.seconds = 0.03
    core, phi = ModelBackend(wired.bus), phi_backend(wired.phi_bus)
    logits = np.random.default_rng(3).normal(0, 4, (4, 70)).astype(np.float16)
    found: list[np.ndarray] = []
    thread = Thread(target=lambda: found.extend(phi.phi(logits).array for _ in range(4)))
    thread.start()
    for _ in range(4):
        assert_works(core)
    thread.join(20)
    assert len(found) == 4 and all(np.array_equal(one, judge().phi(logits).array) for one in found)
    for bus in (wired.bus, wired.phi_bus):
        # Each waits for its own.
        assert 1 <= bus.interrupts_taken <= 4 - bus.interrupts_lost and bus.interrupts_stray == 0
    # Whoever does not wait has its line disabled.
    assert wired.controller.ier == 0


def test_lost_interrupts_cost_a_slice_each_and_are_told(wired: Board, caplog: pytest.LogCaptureFixture) -> None:
    made = ModelBackend(wired.bus)
    wired.dma.seconds, wired.controller.loses = 0.01, True
    quickest = 10.0
    with caplog.at_level(logging.WARNING, "ebmhw.kv260"):
        while wired.bus.interrupts_lost < 8:
            began = time.monotonic()
            run_until(wired, made, lambda lost=wired.bus.interrupts_lost: wired.bus.interrupts_lost > lost)
            quickest = min(quickest, time.monotonic() - began)
    assert quickest < 0.01 + 2 * SLICE_SECONDS + 0.1
    assert [record.getMessage() for record in caplog.records] == [
        "an interrupt of the DMA engine was lost; the transfer had ended, which was found within 20 ms",
        "8 interrupts in a row were lost; the DMA engine is polled from now on",
    ]
    assert told(wired)["ends_by"] == "polling: 8 interrupts in a row were lost"
    assert_works(made)
    assert wired.bus.interrupts_lost == 8


def test_late_interrupts_do_no_harm(wired: Board) -> None:
    made = ModelBackend(wired.bus)
    wired.dma.seconds, wired.controller.late = 0.005, 0.03
    for _ in range(6):
        assert_works(made)
    wired.controller.late, taken = 0.0, wired.bus.interrupts_taken
    # Those that come in time end an exchange again.
    run_until(wired, made, lambda: wired.bus.interrupts_taken > taken)


def test_a_line_that_never_goes_down_does_not_spin(wired: Board) -> None:
    made = ModelBackend(wired.bus)
    wired.dma.seconds = 0.15
    wired.controller.stuck = 1 << INPUTS["ising_core"]
    before, cpu = wired.controller.events, time.process_time()
    assert_works(made)
    assert wired.controller.events - before <= 3 and wired.bus.interrupts_stray == 3
    assert time.process_time() - cpu < 0.12
    wired.controller.stuck, wired.dma.seconds = 0, 0.03
    run_until(wired, made, lambda: wired.bus.interrupts_taken >= 1)


def test_a_device_that_calls_for_nothing_does_not_spin(wired: Board) -> None:
    made = ModelBackend(wired.bus)
    wired.dma.seconds, wired.controller.calls_for_nothing = 0.1, True
    assert wired.interrupts is not None
    assert_works(made)
    # Two for each wait, and one wait for this exchange.
    assert 1 <= wired.interrupts.stray <= 3 and wired.controller.events <= 4
    wired.controller.calls_for_nothing = False
    assert_works(made)


def test_a_device_that_goes_away_is_done_without(wired: Board) -> None:
    made = ModelBackend(wired.bus)
    assert_works(made)
    wired.controller.break_off()
    wired.dma.seconds = 0.02
    run_until(wired, made, lambda: told(wired)["ends_by"] != "interrupts")
    assert str(told(wired)["ends_by"]).startswith("polling: the UIO device ")
    assert_works(made)


def test_without_interrupts_pauses_grow(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    sleep = time.sleep
    monkeypatch.setattr(bus_module.time, "sleep", lambda seconds: (pauses.append(seconds), sleep(seconds)))
    board.dma.seconds = 0.1
    assert_works(ModelBackend(board.bus))
    assert told(board)["ends_by"] == "polling: the design, or the kernel, has no interrupt for it"
    assert bus_module._LOOK_SECONDS in pauses and 1e-3 < max(pauses) <= 2e-3 and len(pauses) < 200


def test_any_thread_waits_whatever_loop_it_runs(wired: Board) -> None:
    """A notebook runs an asyncio loop in the main thread; other threads have none."""
    wired.dma.seconds = 0.03
    made = ModelBackend(wired.bus)

    async def cell() -> None:
        taken = wired.bus.interrupts_taken
        run_until(wired, made, lambda: wired.bus.interrupts_taken > taken)

    asyncio.run(cell())
    with ThreadPoolExecutor(1) as pool:
        pool.submit(run_until, wired, made, lambda: wired.bus.interrupts_taken >= 2).result(60)
        pool.submit(asyncio.run, cell()).result(60)
    assert wired.bus.interrupts_taken >= 3


def test_a_line_that_came_leaves_the_others_waiting() -> None:
    up = [False, False, False]
    controller = Controller([lambda number=number: up[number] for number in range(3)])
    interrupts = Interrupts(controller, controller.open())
    first, second = Line(interrupts, 0), Line(interrupts, 2)
    first.arm()
    second.arm()
    while controller.unmaskings < 2:
        time.sleep(1e-3)
    for number, line, other in ((2, second, first), (0, first, second)):
        up[number] = True
        controller.look()
        assert line.wait(20)
        assert number == 0 or not other.wait(0)
        assert not controller.ier >> number & 1
        up[number] = False
    interrupts.close()


def test_interrupts_are_given_back(wired: Board) -> None:
    assert wired.interrupts is not None
    wired.dma.seconds = 0.005
    assert_works(ModelBackend(wired.bus))
    wired.close()
    assert (wired.controller.ier, wired.controller.mer) == (0, 0)
    assert not wired.interrupts._thread.is_alive()
    wired.interrupts.close()
