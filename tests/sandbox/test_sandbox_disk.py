"""Disk that a program occupies: counted while the program cannot move anything."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("resource", reason="the sandbox is for Linux")
if sys.platform != "linux":
    pytest.skip("the sandbox is for Linux", allow_module_level=True)
from ebmhw.sandbox.inside import disk
from ebmhw.sandbox.inside.disk import Disk

RENAMES = """
import os, sys
print(flush=True)
sys.stdin.readline()
os.makedirs("a0/b"); open("a0/b/file", "wb").write(bytes(1 << 20))
print(flush=True)
n = 0
while True:
    os.rename(f"a{n}", f"a{n + 1}")
    n += 1
"""


@pytest.fixture
def woken() -> Iterator[int]:
    """A descriptor that tells of SIGCHLD, as the monitor has one."""
    handle, wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    earlier = signal.signal(signal.SIGCHLD, lambda number, frame: None)
    before = signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    yield handle
    signal.set_wakeup_fd(before)
    signal.signal(signal.SIGCHLD, earlier)
    os.close(handle)
    os.close(wake)


@pytest.fixture
def renaming(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """A process that renames without pause the folder in which it has written, once it is told to begin."""
    process = subprocess.Popen([sys.executable, "-c", RENAMES], cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None and process.stdin is not None
    process.stdout.readline()
    yield process, tmp_path
    process.kill()
    process.stdin.close()
    process.stdout.close()
    process.wait()


def _begin(process: subprocess.Popen[bytes]) -> None:
    assert process.stdout is not None and process.stdin is not None
    process.stdin.write(b"\n")
    process.stdin.flush()
    process.stdout.readline()


def _disk(process: subprocess.Popen[bytes], folder: Path, occupied: int, files: int = 100) -> Disk:
    return Disk(process.pid, {"scratch": str(folder), "occupied": occupied, "files": files, "file": 1 << 20}, os.fstat(0))


def test_what_is_renamed_without_pause_is_seen_at_every_look(renaming: tuple[subprocess.Popen[bytes], Path], woken: int) -> None:
    process, folder = renaming
    looks = _disk(process, folder, 1 << 19)
    assert not looks.exceeded(woken)
    _begin(process)
    assert all(looks.exceeded(woken) for _ in range(100))


def test_what_is_within_its_limit_goes_on(renaming: tuple[subprocess.Popen[bytes], Path], woken: int) -> None:
    process, folder = renaming
    looks = _disk(process, folder, 1 << 24)
    _begin(process)
    first, end = os.listdir(folder), time.monotonic() + 60.0
    while os.listdir(folder) == first and time.monotonic() < end:
        assert not looks.exceeded(woken)
        time.sleep(0.001)  # else it is stopped again before it has had a turn
    assert os.listdir(folder) != first


def test_it_stands_still_while_it_is_counted(renaming: tuple[subprocess.Popen[bytes], Path], woken: int, monkeypatch: pytest.MonkeyPatch) -> None:
    process, folder = renaming
    looks = _disk(process, folder, 1 << 24)
    _begin(process)

    def counted(path: str, files: int, occupied: int) -> bool:
        return os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOHANG | os.WNOWAIT) is not None

    monkeypatch.setattr(disk, "too_much", counted)
    assert looks.exceeded(woken)
    assert os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOHANG | os.WNOWAIT) is None  # it goes on


def test_one_that_stopped_itself_stays_stopped(renaming: tuple[subprocess.Popen[bytes], Path], woken: int) -> None:
    process, folder = renaming
    looks = _disk(process, folder, 1 << 24)
    _begin(process)
    process.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)
    assert not looks.exceeded(woken)
    assert os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOHANG | os.WNOWAIT) is not None


def test_one_that_has_ended_is_within_its_limit(renaming: tuple[subprocess.Popen[bytes], Path], woken: int) -> None:
    process, folder = renaming
    looks = _disk(process, folder, 1 << 24)
    _begin(process)
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert not looks.exceeded(woken)
