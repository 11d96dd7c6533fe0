"""What goes wrong on a board, put into the simulated one: each fault has its error or none, and the run after it is right."""

from __future__ import annotations

import contextlib
import gc
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from board_pynq import backend, opened, require_pynq
from conformance import assert_equal_draws, judge

from ebmhw.backends import SamplerBackend, fleet, get_backend
from ebmhw.backends.kv260 import engine as kv260_engine
from ebmhw.board.block_design import BLOCKS, INTERRUPTS
from ebmhw.board.simulated.memory import HIGH_BASE
from ebmhw.errors import BackendUnavailable, CoreStalled, HardwareFault
from ebmhw.model import Model
from ebmhw.schedule import Schedule

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning", "ignore::UserWarning:pynq")

PROGRAM = Model(12, None, {(i, (i + k) % 12): i - 5 for i in range(12) for k in (1, 5)}).compile()
OTHER = Model(20, None, {(i, (i + 3) % 20): 1 for i in range(20)}).compile()
SCHEDULE = Schedule.constant(0.1, 5)
LOGITS = np.random.default_rng(6).normal(0, 3, (12, 50)).astype(np.float32)

Run = Callable[[SamplerBackend], Any]


def sampled(made: SamplerBackend) -> Any:
    return made.run(PROGRAM, SCHEDULE, reads=6, seed=1)


def measured(made: SamplerBackend) -> Any:
    return made.phi(LOGITS)


UNITS: dict[str, Run] = {BLOCKS[0].dma: sampled, BLOCKS[1].dma: measured}


def assert_right(made: SamplerBackend) -> None:
    """Both units answer as they should, the core for a problem that it may hold and for one that it does not."""
    for program in (PROGRAM, OTHER):
        assert_equal_draws(made.run(program, SCHEDULE, reads=6, seed=1), judge().run(program, SCHEDULE, reads=6, seed=1))
    assert made.phi(LOGITS).array.tobytes() == judge().phi(LOGITS).array.tobytes()


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """What silicon is given half a minute for, in little time."""
    monkeypatch.setattr(fleet, "_GRACE_SECONDS", 0.3)
    monkeypatch.setattr(kv260_engine, "RESET_SECONDS", 0.05)


@pytest.fixture(scope="module", params=[True, False], ids=["threads", "inline"])
def small(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, SamplerBackend]]:
    """One board for fault after fault: each leaves it as it found it."""
    with backend(tmp_path_factory.mktemp("image"), threaded=request.param) as made:
        assert_right(made[1])
        yield made


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[tuple[Any, SamplerBackend]]:
    with backend(tmp_path) as made:
        yield made


# --- the engines


@pytest.mark.parametrize("dma", UNITS)
@pytest.mark.parametrize("way", ["mm2s", "s2mm"])
def test_a_transfer_that_never_ends(small: tuple[Any, SamplerBackend], dma: str, way: str) -> None:
    board, made = small
    board.fabric.engines[dma].faults.endless.add(way)
    began = time.monotonic()
    with pytest.raises(CoreStalled, match=r"the unit did not answer [0-9]+ bytes within [0-9.]+ s; it is idle"):
        UNITS[dma](made)
    assert time.monotonic() - began < 10
    board.fabric.engines[dma].faults.clear()
    assert_right(made)


@pytest.mark.parametrize("dma", UNITS)
@pytest.mark.parametrize("way", ["mm2s", "s2mm"])
@pytest.mark.parametrize(("error", "text"), [("internal_error", "internal"), ("slave_error", "slave"), ("decode_error", "decode")])
def test_an_error_of_an_engine(small: tuple[Any, SamplerBackend], dma: str, way: str, error: str, text: str) -> None:
    board, made = small
    board.fabric.engines[dma].faults.failing[way] = error
    what = "jobs" if way == "mm2s" else "answer"
    with pytest.raises(HardwareFault, match=rf"{dma} failed to transfer the {what}: {text} error"):
        UNITS[dma](made)
    board.fabric.engines[dma].faults.clear()
    assert_right(made)


@pytest.mark.parametrize("dma", UNITS)
def test_an_engine_that_stays_in_reset(small: tuple[Any, SamplerBackend], dma: str) -> None:
    board, made = small
    faults = board.fabric.engines[dma].faults
    faults.failing["s2mm"] = "slave_error"
    faults.stuck_in_reset = True
    with pytest.raises(HardwareFault, match="slave error"):
        UNITS[dma](made)
    with pytest.raises(HardwareFault, match=rf"{dma} did not reset within 0.05 s"):
        UNITS[dma](made)
    faults.clear()
    assert_right(made)


@pytest.mark.parametrize("dma", UNITS)
@pytest.mark.parametrize("share", [0.01, 0.3, 0.7, 0.99])
def test_jobs_that_arrive_in_part(small: tuple[Any, SamplerBackend], dma: str, share: float) -> None:
    board, made = small
    # The first may send the problem along.
    UNITS[dma](made)
    board.counters.clear()
    UNITS[dma](made)
    sent = board.counters.transferred[dma, "mm2s"] // board.counters.transfers[dma, "mm2s"]
    board.fabric.engines[dma].faults.cut["mm2s"] = int(sent * share)
    with pytest.raises(HardwareFault):
        UNITS[dma](made)
    board.fabric.engines[dma].faults.clear()
    assert_right(made)


@pytest.mark.parametrize("dma", UNITS)
@pytest.mark.parametrize("share", [0.01, 0.5, 0.99])
def test_an_answer_that_arrives_in_part(small: tuple[Any, SamplerBackend], dma: str, share: float) -> None:
    board, made = small
    # The first may send the problem along.
    UNITS[dma](made)
    board.counters.clear()
    UNITS[dma](made)
    came = board.counters.transferred[dma, "s2mm"] // board.counters.transfers[dma, "s2mm"]
    board.fabric.engines[dma].faults.cut["s2mm"] = int(came * share)
    with pytest.raises(HardwareFault):
        UNITS[dma](made)
    board.fabric.engines[dma].faults.clear()
    assert_right(made)


# --- interrupts: what is wrong with them costs time, never a result


def test_interrupts_that_are_lost(fresh: tuple[Any, SamplerBackend]) -> None:
    board, made = fresh
    board.fabric.line.lost = True
    # Long enough for the driver to wait rather than look.
    long = Schedule.constant(0.1, 200)
    due = get_backend("cpu").run(OTHER, long, reads=4, seed=1)
    for _ in range(12):
        assert_equal_draws(made.run(OTHER, long, reads=4, seed=1), due)
    assert not board.counters.interrupts and "were lost" in str(made.status())  # type: ignore[attr-defined]
    board.fabric.line.lost = False
    assert_right(made)


@pytest.mark.parametrize("pin", INTERRUPTS)
def test_a_line_that_is_stuck(fresh: tuple[Any, SamplerBackend], pin: str) -> None:
    board, made = fresh
    board.fabric.controller.stuck.add(pin)
    board.fabric.controller.look()
    for _ in range(3):
        assert_right(made)
    board.fabric.controller.stuck.clear()
    assert_right(made)


def test_a_uio_device_that_goes_away(fresh: tuple[Any, SamplerBackend]) -> None:
    board, made = fresh
    board.fabric.line.close()
    for _ in range(3):
        assert_right(made)
    assert "UIO" in str(made.status())  # type: ignore[attr-defined]


# --- memory


def test_memory_that_is_used_up(fresh: tuple[Any, SamplerBackend]) -> None:
    board, made = fresh
    assert_right(made)
    board.fabric.memory.fails = True
    # What fits the buffers that there are goes on; a larger one cannot be had.
    assert_right(made)
    with pytest.raises(HardwareFault, match=r"there is no contiguous memory of [0-9]+ bytes \(BO allocation failed"):
        made.run(PROGRAM, Schedule.constant(0.1, 4000), reads=400, seed=1, keep_every=1)
    board.fabric.memory.fails = False
    assert_right(made)


def test_no_memory_at_all(tmp_path: Path) -> None:
    with opened(tmp_path) as (board, path):
        board.fabric.memory.fails = True
        with pytest.raises((BackendUnavailable, HardwareFault), match="there is no contiguous memory"):
            get_backend("kv260", bitstream=path, device=board)
        board.fabric.memory.fails = False
        made = get_backend("kv260", bitstream=path, device=board)
        assert_right(made)
        made.close()  # type: ignore[attr-defined]


@pytest.mark.parametrize("what", ["flush", "invalidate"])
def test_a_cache_that_is_forgotten_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    """The negative control of all that says a run over this memory is right."""
    pynq = require_pynq()
    with backend(tmp_path) as (_, made):
        with monkeypatch.context() as patch:
            patch.setattr(pynq.buffer.PynqBuffer, what, lambda self: None)
            with pytest.raises((HardwareFault, CoreStalled)):
                sampled(made)
        assert_right(made)


# --- what answers is another design


@pytest.mark.parametrize("cell", [block.cell for block in BLOCKS])
@pytest.mark.parametrize("register", ["identity", "map_hash", "packet_hash", "contract_hash"])
def test_another_design_is_refused(tmp_path: Path, cell: str, register: str) -> None:
    with opened(tmp_path) as (board, path):
        unit = board.fabric.units[cell]
        unit.faults[register] = 0x0BAD_CAFE
        with pytest.raises(BackendUnavailable, match=r"0x0badcafe.*0x[0-9a-f]{8}.*; load "):
            get_backend("kv260", bitstream=path, device=board)
        assert not board.fabric.memory.live
        # Nothing was sent to a unit that is not known.
        assert not board.counters.transfers and not board.counters.writes[cell, "control"]
        unit.faults.clear()
        made = get_backend("kv260", bitstream=path, device=board)
        assert_right(made)
        made.close()  # type: ignore[attr-defined]


# --- an end from outside


def test_an_interrupt_of_the_user(tmp_path: Path) -> None:
    with backend(tmp_path) as (_, made):
        timer = threading.Timer(0.4, signal.raise_signal, (signal.SIGINT,))
        timer.start()
        draws = made.run(OTHER, Schedule.constant(0.1, 4000), reads=4000, seed=1)
        timer.join()
        assert draws.info["stopped_by"] == "interrupt" and (draws.sweeps < 4000 or draws.reads < 4000)
        assert_right(made)


def test_a_time_limit(tmp_path: Path) -> None:
    with backend(tmp_path) as (_, made):
        began = time.monotonic()
        draws = made.run(OTHER, Schedule.constant(0.1, 4000), reads=4000, seed=1, time_limit=0.5)
        assert time.monotonic() - began < 5 and draws.info["stopped_by"] == "time_limit"
        assert_right(made)


def test_a_backend_closed_while_a_transfer_hangs(fresh: tuple[Any, SamplerBackend]) -> None:
    board, made = fresh
    board.fabric.engines[BLOCKS[0].dma].faults.endless.add("s2mm")
    with pytest.raises(CoreStalled):
        sampled(made)
    made.close()  # type: ignore[attr-defined]
    # The engine is reset before its memory is given back: nothing may be written to it any more.
    assert not board.fabric.memory.live and all(one.buffer is None for one in board.fabric.engines[BLOCKS[0].dma].channels.values())


@pytest.mark.parametrize("dma", UNITS)
def test_the_rest_of_an_answer_that_was_given_up_is_dropped(fresh: tuple[Any, SamplerBackend], dma: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A unit that is cut off in its answer goes on into the engine, which was reset before it: none of that may be taken for the next."""
    board, made = fresh
    engine = board.fabric.engines[dma]
    early: list[int] = []

    def longer() -> Any:
        if dma == BLOCKS[0].dma:
            return made.run(OTHER, SCHEDULE, reads=200, seed=1, keep_every=1)
        return made.phi(np.tile(LOGITS, (40, 1)))

    with monkeypatch.context() as patch:
        look, go_on = kv260_engine.Engine.done, engine._take_early

        def interrupted(self: Any, way: Any) -> bool:
            batch = engine._batch
            if batch is not None and batch.answer.any():
                raise KeyboardInterrupt
            return look(self, way)

        def taken() -> None:
            go_on()
            early.append(engine._early.size)

        patch.setattr(kv260_engine.Engine, "done", interrupted)
        patch.setattr(engine, "_take_early", taken)
        with pytest.raises(KeyboardInterrupt):
            longer()
        patch.setattr(kv260_engine.Engine, "done", look)
        # At once, before the unit is through with it.
        again = UNITS[dma](made)
    assert max(early) == 4
    if dma == BLOCKS[0].dma:
        assert_equal_draws(again, sampled(judge()))
    else:
        assert again.array.tobytes() == judge().phi(LOGITS).array.tobytes()
    assert_right(made)


def test_a_driver_that_was_kept_keeps_the_board(tmp_path: Path) -> None:
    with opened(tmp_path) as (board, path):
        made = get_backend("kv260", bitstream=path, device=board)
        core = made.drivers[0]  # type: ignore[attr-defined]
        del made
        gc.collect()
        assert core.counters()["jobs_done"] == 0 and board.fabric.memory.live
        del core
        gc.collect()
        assert not board.fabric.memory.live


def test_memory_of_an_engine_that_does_not_stop_outlives_its_backend(tmp_path: Path) -> None:
    with opened(tmp_path) as (board, path):
        made = get_backend("kv260", bitstream=path, device=board)
        assert_right(made)
        board.fabric.engines[BLOCKS[0].dma].faults.stuck_in_reset = True
        made.close()  # type: ignore[attr-defined]
        del made
        gc.collect()
        # Both buffers of that engine, whose addresses it has; the other one's went.
        assert len(board.fabric.memory.live) == 2
        board.fabric.engines[BLOCKS[0].dma].faults.clear()


def test_many_threads_share_a_board_and_one_closes_it(tmp_path: Path) -> None:
    """Runs, measurements and queued runs at once, with transfers that are cut off between them, are right or tell of a fault; then it closes."""
    with opened(tmp_path) as (board, path):
        made = get_backend("kv260", bitstream=path, device=board)
        wrong: list[BaseException] = []
        due = judge().run(PROGRAM, SCHEDULE, reads=6, seed=1), judge().phi(LOGITS).array.tobytes()
        rounds = [0]

        def sample() -> None:
            assert_equal_draws(made.run(PROGRAM, SCHEDULE, reads=6, seed=1), due[0])

        def queue() -> None:
            for future in [made.submit(PROGRAM, SCHEDULE, reads=6, seed=1) for _ in range(3)]:
                assert_equal_draws(future.result(30), due[0])

        def measure() -> None:
            assert made.phi(LOGITS).array.tobytes() == due[1]

        def work(act: Callable[[], None]) -> None:
            while True:
                try:
                    act()
                    rounds[0] += 1
                except BackendUnavailable:
                    return
                except HardwareFault:
                    pass
                except BaseException as error:
                    wrong.append(error)
                    return

        threads = [threading.Thread(target=work, args=(act,)) for act in (sample, queue, measure) for _ in range(2)]
        for thread in threads:
            thread.start()
        for number in range(12):
            time.sleep(0.1)
            engine = board.fabric.engines[BLOCKS[number % 2].dma]
            engine.faults.failing["s2mm" if number % 3 else "mm2s"] = "slave_error"
            time.sleep(0.02)
            engine.faults.clear()
        made.close()  # type: ignore[attr-defined]
        assert not board.fabric.memory.live
        for thread in threads:
            thread.join(30)
        assert not wrong and rounds[0] > 12 and not any(thread.is_alive() for thread in threads)


@pytest.mark.parametrize("limit", [0, 1e-9, 1e-3])
def test_a_time_limit_of_next_to_nothing(small: tuple[Any, SamplerBackend], limit: float) -> None:
    _, made = small
    draws = made.run(OTHER, Schedule.constant(0.1, 400), reads=40, seed=1, time_limit=limit)
    assert draws.info["stopped_by"] == "time_limit"
    assert_right(made)


def test_memory_beyond_32_bits(tmp_path: Path) -> None:
    with backend(tmp_path, base=HIGH_BASE) as (_, made):
        assert_right(made)


@pytest.mark.parametrize("when", ["before", "meanwhile"])
def test_an_interrupt_controller_that_others_use(tmp_path: Path, when: str) -> None:
    """Another user of PYNQ leaves all lines enabled and one of them up, or switches the controller off: it costs time, no result."""
    with opened(tmp_path) as (board, path):
        controller = board.fabric.controller
        if when == "before":
            controller.write("mer", 3)
            controller.write("ier", 0x3F)
            controller.stuck.add(INTERRUPTS[0])
            controller.look()
        made = get_backend("kv260", bitstream=path, device=board)
        long = Schedule.constant(0.1, 200)
        due = get_backend("cpu").run(OTHER, long, reads=4, seed=1)
        for number in range(6):
            if when == "meanwhile":
                controller.write("mer", 0 if number % 2 else 3)
                controller.write("ier", 0 if number % 3 else 0x3F)
            assert_equal_draws(made.run(OTHER, long, reads=4, seed=1), due)
        controller.stuck.clear()
        assert_right(made)
        made.close()  # type: ignore[attr-defined]
        assert not board.fabric.memory.live


def test_a_plain_overlay_of_pynq_beside_a_backend(tmp_path: Path) -> None:
    """PYNQ's own classes for engine and interrupts, made while a backend has the board, as a curious user does."""
    pynq = require_pynq()
    with opened(tmp_path) as (board, path):
        made = get_backend("kv260", bitstream=path, device=board)
        assert_right(made)
        overlay = pynq.Overlay(str(path), download=False, device=board)
        assert overlay.ising_core.identity.lanes == made.drivers[0].shape.lanes  # type: ignore[attr-defined]
        # It resets nothing, but sets up the engine's control registers as it likes.
        assert overlay.axi_dma_ising is not None
        with contextlib.suppress(HardwareFault, CoreStalled):
            assert_right(made)
        assert_right(made)
        made.close()  # type: ignore[attr-defined]
