"""What a fork does with the driver of the board: run by test_forked.py in a process of its own, where no library has started threads."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import pytest
from cores import ModelBackend
from pynq_boards import Board
from test_kv260_interrupted import assert_works, sampled

from ebmhw.backends.kv260.hold import Hold
from ebmhw.backends.kv260.keeper import Keeper
from ebmhw.errors import BackendUnavailable


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_fork_leaves_the_board_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ebmhw.backends.kv260 import hold

    monkeypatch.setattr(hold, "FOLDERS", (tmp_path,))
    board = Board()
    made = ModelBackend(board.bus)
    assert_works(made)
    keeper, held = Keeper(), Hold()
    keeper.taken.callback(held.release)
    keeper.taken.callback(board.bus.streams.close)
    board.dma.log.clear()
    source, sink = os.pipe()
    child = os.fork()
    if child == 0:
        told = []
        try:
            for act in (lambda: sampled(made), lambda: board.bus.read(0), board.bus.abandon):
                try:
                    act()
                    told.append("went on")
                except BackendUnavailable as error:
                    told.append("refused" if f"process {os.getpid()}, a fork of it" in str(error) else str(error))
            board.bus.close()
            keeper.give_back()
            held.release()
            told += [str(len(board.memory.live)), str(board.dma.log)]
            try:
                Hold()
            except BackendUnavailable as error:
                told.append("held by the other" if f"process {os.getppid()}" in str(error) else str(error))
        finally:
            os.write(sink, ";".join(told).encode())
            os._exit(0)
    os.close(sink)
    with os.fdopen(source) as pipe:
        assert pipe.read() == "refused;refused;refused;2;[];held by the other"
    os.waitpid(child, 0)
    assert_works(made)
    keeper.give_back()
    assert not board.memory.live
    Hold().release()


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_fork_that_lives_longer_has_no_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ebmhw.backends.kv260 import hold

    monkeypatch.setattr(hold, "FOLDERS", (tmp_path,))
    held = Hold()
    child = os.fork()
    if child == 0:
        time.sleep(20)
        os._exit(0)
    try:
        time.sleep(0.2)
        # As the end of this process would, without unlocking.
        held.forked()
        Hold().release()
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_buffers_of_a_fork_are_never_given_back() -> None:
    """At the end of a fork PYNQ's buffers would free the memory of the process that it is of: they share the device's file."""
    board = Board()
    board.bus.reserve()
    (buffer,) = board.memory.live
    before = sys.getrefcount(buffer)
    source, sink = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(sink, str(sys.getrefcount(buffer) - before).encode())
        os._exit(0)
    os.close(sink)
    with os.fdopen(source) as pipe:
        assert pipe.read() == "1"
    os.waitpid(child, 0)
    assert sys.getrefcount(buffer) == before
    board.close()
