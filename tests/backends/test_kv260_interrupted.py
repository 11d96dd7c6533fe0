"""The driver of the board cut off anywhere: by Ctrl-C at each of its lines, by handlers, the collector, a fork. Memory stays where engines write."""

from __future__ import annotations

import gc
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import pytest
from conformance import assert_equal_draws, judge
from cores import ModelBackend
from pynq_boards import INPUTS, Board

import ebmhw.backends.kv260
from ebmhw.backends import unit_driver
from ebmhw.backends.kv260 import buffers as buffers_module
from ebmhw.backends.kv260 import engine as engine_module
from ebmhw.backends.kv260.buffers import Buffers
from ebmhw.backends.kv260.engine import Engine, Way
from ebmhw.errors import HardwareFault, InvalidRun
from ebmhw.model import Model
from ebmhw.schedule import Schedule

PROGRAM = Model(12, None, {(i, (i + k) % 12): i - 5 for i in range(12) for k in (1, 5)}).compile()
SCHEDULE = Schedule.constant(0.1, 5)

FILES = {str(path) for path in Path(ebmhw.backends.kv260.__path__[0]).glob("*.py")} | {unit_driver.__file__}
"""Whose lines are interrupted."""


def sampled(made: ModelBackend) -> Any:
    return made.run(PROGRAM, SCHEDULE, reads=3, seed=1)


def assert_works(made: ModelBackend) -> None:
    assert_equal_draws(sampled(made), judge().run(PROGRAM, SCHEDULE, reads=3, seed=1))


@contextmanager
def cut(number: int) -> Iterator[list[str]]:
    """Raise KeyboardInterrupt at so many lines of the driver from here, on this thread, as Ctrl-C may; yields the line where it was."""
    left, where = [number], []

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        if frame.f_code.co_filename not in FILES:
            return None
        if event == "line":
            left[0] -= 1
            if left[0] == 0:
                where.append(f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}")
                raise KeyboardInterrupt
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield where
    finally:
        sys.settrace(before)


def cut_everywhere(act: Callable[[], Any], after: Callable[[str], None], most: int = 2000) -> int:
    """Cut an act off at each of its lines; returns how many there are."""
    for number in range(1, most):
        with cut(number) as where, suppress(KeyboardInterrupt):
            act()
        if not where:
            return number - 1
        after(where[0])
    raise AssertionError(f"more than {most} lines")


@pytest.mark.parametrize("interrupts", [False, True])
def test_a_run_that_is_cut_off_at_any_line(interrupts: bool) -> None:
    board = Board(interrupts=interrupts)
    made = ModelBackend(board.bus)
    assert_works(made)
    board.dma.seconds = 0.003 if interrupts else 0.0

    def right(where: str) -> None:
        assert len(board.memory.live) == 2, where
        assert_works(made)

    assert cut_everywhere(lambda: sampled(made), right) > 60
    board.close()
    assert not board.memory.live and (not interrupts or board.controller.ier == 0)


def test_a_close_that_is_cut_off_at_any_line() -> None:
    """Memory goes only after the engine was reset, and closing again ends what is left."""
    boards: list[Board] = []

    def close() -> None:
        for board in boards[-1:]:
            board.close()

    def ended(where: str) -> None:
        board = boards[-1]
        assert len(board.memory.live) == 2 or "reset" in board.dma.log, where
        board.close()
        assert not board.memory.live and (board.controller.ier, board.controller.mer) == (0, 0), where
        another()

    def another() -> None:
        boards.append(Board(interrupts=True))
        assert_works(ModelBackend(boards[-1].bus))
        boards[-1].dma.log.clear()

    another()
    assert cut_everywhere(close, ended) > 20


def test_a_close_waits_for_a_transfer_and_a_second_one_ends_it() -> None:
    board = Board()
    made = ModelBackend(board.bus)
    assert_works(made)
    board.dma.seconds = 0.3
    board.dma.log.clear()
    with ThreadPoolExecutor(1) as pool:
        run = pool.submit(assert_works, made)
        while not board.dma.log:
            time.sleep(1e-3)
        # Ctrl-C while it waits for the other thread.
        timer = threading.Timer(0.1, signal.raise_signal, (signal.SIGINT,))
        timer.start()
        with pytest.raises(KeyboardInterrupt):
            board.bus.close()
        timer.join()
        assert len(board.memory.live) == 2 and "reset" not in board.dma.log
        run.result(20)
    board.bus.close()
    assert not board.memory.live and board.dma.log[-1] == "reset"


def test_a_handler_that_closes_in_the_middle_of_a_transfer_is_refused() -> None:
    board = Board()
    made = ModelBackend(board.bus)
    assert_works(made)
    board.dma.seconds = 0.2
    told: list[str] = []

    def handler(*_: Any) -> None:
        try:
            board.bus.close()
        except InvalidRun as error:
            told.append(str(error))

    before = signal.signal(signal.SIGUSR1, handler)
    try:
        timer = threading.Timer(0.1, signal.raise_signal, (signal.SIGUSR1,))
        timer.start()
        assert_works(made)
        timer.join()
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert told and "in the middle of a transfer that the same thread waits for" in told[0]
    assert_works(made)
    board.close()


def test_the_collector_may_close_interrupts_within_their_own_thread() -> None:
    board = Board(interrupts=True)
    interrupts = board.interrupts
    assert interrupts is not None
    read = board.controller.read

    def collecting(offset: int) -> int:
        if threading.current_thread() is interrupts._thread:
            interrupts.close()
        return read(offset)

    board.controller.read = collecting  # type: ignore[method-assign]
    interrupts.arm(INPUTS["ising_core"], threading.Event())
    board.controller.stuck = 1 << INPUTS["ising_core"]
    board.controller.look()
    interrupts._thread.join(10)
    assert not interrupts._thread.is_alive() and board.controller.mer == 0
    board.close()


def test_an_engine_that_was_never_touched_is_left_alone() -> None:
    """It may be another design's: what the unit beside it is was not known yet."""
    board = Board()
    board.bus.reserve()
    board.bus.close()
    assert not board.memory.live and not board.dma.accesses


@pytest.mark.parametrize("what", ["flush", "invalidate"])
def test_a_cache_that_cannot_be_told_is_told(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    board = Board()
    made = ModelBackend(board.bus)
    assert_works(made)

    def fails(_: Any) -> None:
        raise RuntimeError("Flush Failed: 4294967274")

    with monkeypatch.context() as patch:
        patch.setattr(type(board.memory.buffers[0]), what, fails)
        with pytest.raises(HardwareFault, match=rf"could not be {what}(ed|d) \(Flush Failed: 4294967274\), so that what it holds is not used"):
            sampled(made)
    assert_works(made)
    board.close()


def test_an_address_that_is_not_known_is_refused() -> None:
    """XRT says 0 where it does not know; there is the kernel."""
    board = Board()
    engine = Engine(board.dma, "dma", 40)
    engine.reset()
    for address in (0, -16):
        with pytest.raises(HardwareFault, match="dma cannot reach a buffer of 64 bytes at"):
            engine.launch(Way.ANSWER, address, 64)
    assert board.dma.log == ["reset"]


def test_buffers_are_kept_whoever_forgets_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "RESET_SECONDS", 0.01)
    kept = len(buffers_module._all)
    board = Board()
    board.bus.abandon()
    board.bus.reserve()
    board.dma.dead = "reset"
    board.bus.close()
    assert len(buffers_module._all) == kept + 1
    mine = Buffers(board.allocate)
    mine.room(1)
    del mine
    gc.collect()
    assert len(buffers_module._all) == kept + 2
    for one in board.memory.live:
        del buffers_module._all[id(one)]


def test_a_thread_that_is_cut_off_leaves_the_unit_to_others() -> None:
    """As a notebook's kernel does it: an exception set in a thread that samples."""
    import ctypes

    board = Board()
    made = ModelBackend(board.bus)
    assert_works(made)
    board.dma.seconds = 0.2
    ended: list[str] = []

    def work() -> None:
        try:
            while True:
                sampled(made)
        except KeyboardInterrupt:
            ended.append("interrupted")

    thread = threading.Thread(target=work)
    thread.start()
    time.sleep(0.1)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident or 0), ctypes.py_object(KeyboardInterrupt))
    thread.join(20)
    assert ended == ["interrupted"]
    board.dma.seconds = 0.0
    for _ in range(2):
        assert_works(made)
    board.close()
    assert not board.memory.live


def test_a_stale_answer_is_never_taken() -> None:
    """Whatever the memory holds: an engine that says that it is through without having written leaves an answer of before, which is told."""
    board = Board()
    made = ModelBackend(board.bus)
    assert_works(made)
    launch = board.dma._launch

    def pretends(channel: Any, count: int) -> None:
        launch(channel, count)
        channel.busy = False
        channel.status |= 2

    board.dma._launch = pretends  # type: ignore[method-assign]
    with pytest.raises(HardwareFault):
        sampled(made)
    board.dma._launch = launch  # type: ignore[method-assign]
    assert_works(made)
    board.close()


def test_arrays_of_an_answer_are_the_callers() -> None:
    """A result must not be a view of memory that goes back."""
    board = Board()
    draws = sampled(ModelBackend(board.bus))
    for buffer in board.memory.live:
        np.asarray(buffer)[:] = 0
    assert_equal_draws(draws, sampled(judge()))
    board.close()
