"""The collector: what it writes is what hooks write; malformed and hanging clients, two at once, ends, events that come too late."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from karl_hooks import bash, ended, prompt, run_tap

from ebmhw.errors import ConfigError
from ebmhw.karl.home import SPOOL, STORE
from ebmhw.karl.store import Store
from ebmhw.karl.tap import Collector, Tap, clients, collector, fold
from ebmhw.karl.tap.clients import SOCKET, handed_over, header, parsed_header
from ebmhw.karl.tap.sessions import session_of
from ebmhw.karl.tap.stamps import Stamp, stamped, uptime

pytestmark = pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="no Unix sockets")


@contextmanager
def collecting(home: Path, fold_every_s: float | None = None) -> Iterator[Collector]:
    """Run a collector in a thread."""
    with Collector(home, fold_every_s=fold_every_s) as made:
        thread = threading.Thread(target=made.run)
        thread.start()
        try:
            yield made
        finally:
            made.stop()
            thread.join(10)
            assert not thread.is_alive()


def give(home: Path, event: dict[str, object]) -> bool:
    """Hand an event over."""
    return handed_over(home, json.dumps(event).encode(), stamped(), None)


def send(home: Path, data: bytes, wait: float = 5.0) -> bytes:
    """Send bytes as they are; return the answer."""
    with socket.socket(socket.AF_UNIX) as link:
        link.settimeout(wait)
        link.connect(str(home / SOCKET))
        with suppress(BrokenPipeError):
            link.sendall(data)
        try:
            return link.recv(1000)
        except ConnectionResetError:
            return b""


def test_what_a_collector_writes_is_what_a_hook_writes(tmp_path: Path) -> None:
    events = [prompt("a é"), bash("pytest", "3 passed in 1s", tool_use_id="t"), bash("x" * 5000), ended()]
    one, two = tmp_path / "one", tmp_path / "two"
    with collecting(one):
        assert [give(one, event) for event in events] == [True] * 4
    for event in events:
        Tap(two, folds=False).handle(event)
    made = []
    for home in (one, two):
        (buffer,) = (home / SPOOL).glob("*.ended.jsonl")
        lines = [json.loads(line) for line in buffer.read_bytes().splitlines()]
        made.append([{name: value for name, value in line.items() if name not in ("id", "t", "up")} for line in lines])
        assert [line["up"] for line in lines] == sorted(line["up"] for line in lines)
    assert made[0] == made[1]
    assert not (one / SOCKET).exists()


def test_hooks_use_the_collector_where_there_is_one(tmp_path: Path) -> None:
    with collecting(tmp_path) as running:
        assert run_tap(tmp_path, prompt("a")).returncode == 0
        assert running.taken == 1
        # What it refuses, the hook tells of itself.
        refused = run_tap(tmp_path, b"{")
        assert (refused.returncode, refused.stdout) == (0, b"")
        assert b"give a JSON object" in refused.stderr
        assert running.taken == 1
    # Where a collector was killed, its socket stays, and hooks write themselves.
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / SOCKET))
    assert run_tap(tmp_path, bash("ls")).stderr == b""
    (buffer,) = (tmp_path / SPOOL).iterdir()
    assert len(buffer.read_bytes().splitlines()) == 2


def test_sessions_that_ended_are_folded(tmp_path: Path) -> None:
    with collecting(tmp_path, 60.0):
        for event in (prompt("a"), bash("ls"), ended()):
            assert give(tmp_path, event)
        end = time.monotonic() + 20
        while not (tmp_path / STORE).exists() or list((tmp_path / SPOOL).glob("*.ended.jsonl")):
            assert time.monotonic() < end
            time.sleep(0.02)
    with Store(tmp_path / STORE) as store:
        assert [scored.trajectory.total_tools for scored in store] == [1]


@pytest.mark.parametrize(
    "data",
    [
        b"\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"x" * 100_000,
        b"\0" * 10,
        header(Stamp("i", 1.0, None, None, "h", None), None, 10**12),
        header(Stamp("i", 1.0, None, None, "h", None), None, 2) + b"[]",
        header(Stamp("i", 1.0, None, None, "h", None), None, 3) + b"\xff\xfe\xfd",
        b"ebmhw-tap 1\tx\t\t\t\t\t\t\t\n",
        b"ebmhw-tap 1\t-5\ti\t1\t1\tb\th\tu\t\n{}",
        b"ebmhw-tap 1\t2\ti\tnan\tinf\tb\th\tu\t\n{}",
    ],
)
def test_malformed_clients_are_answered_and_others_served(tmp_path: Path, data: bytes) -> None:
    with collecting(tmp_path) as running:
        with socket.socket(socket.AF_UNIX) as link:
            link.settimeout(5)
            link.connect(str(tmp_path / SOCKET))
            with suppress(BrokenPipeError, ConnectionResetError):
                link.sendall(data)
                link.shutdown(socket.SHUT_WR)
            with suppress(ConnectionResetError):
                assert not link.recv(1000).startswith(b"taken")
        assert give(tmp_path, prompt("a"))
        assert running.taken == 1


def test_clients_that_hang_are_cut_off_and_delay_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collector, "CLIENT_S", 0.3)
    with collecting(tmp_path):
        hanging = [socket.socket(socket.AF_UNIX) for _ in range(20)]
        for number, link in enumerate(hanging):
            link.connect(str(tmp_path / SOCKET))
            link.sendall((header(stamped(), None, 100) + b'{"ho')[: 10 * number])
        assert give(tmp_path, prompt("a"))
        for link in hanging:
            link.settimeout(5)
            assert link.recv(10) == b""
            link.close()
        assert give(tmp_path, bash("ls"))


def test_more_clients_than_are_served_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collector, "CLIENTS", 3)
    monkeypatch.setattr(collector, "CLIENT_S", 0.3)
    with collecting(tmp_path) as running:
        hanging = [socket.socket(socket.AF_UNIX) for _ in range(8)]
        for link in hanging:
            link.connect(str(tmp_path / SOCKET))
        # Neither is an event lost that no collector takes.
        for number in range(3):
            assert run_tap(tmp_path, bash(f"echo {number}")).returncode == 0
        for link in hanging:
            link.close()
        end = time.monotonic() + 10
        while not give(tmp_path, ended()):
            assert time.monotonic() < end
        assert running.taken >= 1
    fold(tmp_path)
    with Store(tmp_path / STORE) as store:
        assert [event.params["command"] for scored in store for event in scored.trajectory.events] == ["echo 0", "echo 1", "echo 2"]


def test_events_that_come_too_late_are_left_to_their_hook(tmp_path: Path) -> None:
    up = uptime()
    if up is None:
        pytest.skip("no steady clock")
    data = json.dumps(prompt("a")).encode()
    with collecting(tmp_path) as running:
        assert send(tmp_path, header(stamped()._replace(steady=up - 1.0), None, len(data)) + data).startswith(b"not taken: it came too late")
        assert running.taken == 0
        assert send(tmp_path, header(stamped(), None, len(data)) + data) == b"taken\n"


def test_a_stopped_collector_loses_and_doubles_nothing(tmp_path: Path) -> None:
    running = start(tmp_path)
    try:
        assert give(tmp_path, bash("echo 0"))
        running.send_signal(signal.SIGSTOP)
        assert run_tap(tmp_path, bash("echo 1")).returncode == 0
        assert run_tap(tmp_path, bash("echo 2")).returncode == 0
        running.send_signal(signal.SIGCONT)
        assert run_tap(tmp_path, bash("echo 3")).returncode == 0
        running.send_signal(signal.SIGKILL)
        running.wait(20)
        assert run_tap(tmp_path, bash("echo 4")).returncode == 0
    finally:
        running.kill()
        running.communicate()
    (buffer,) = (tmp_path / SPOOL).iterdir()
    made = session_of(buffer.read_bytes().splitlines())
    assert [event.params["command"] for event in made.events] == [f"echo {number}" for number in range(5)]


def start(home: Path) -> subprocess.Popen[bytes]:
    """Start a collector in a process of its own."""
    running = subprocess.Popen(
        [sys.executable, "-m", "ebmhw.karl.tap.collector"],
        env={**os.environ, "EBMHW_KARL_HOME": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert running.stdout is not None
    assert running.stdout.readline().startswith(b"collecting in ")
    return running


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_end_it_cleanly_and_two_do_not_start(tmp_path: Path, number: int) -> None:
    running = start(tmp_path)
    try:
        with pytest.raises(ConfigError, match=rf"a collector runs for .* already \(process {running.pid}\); one is enough"):
            Collector(tmp_path)
        second = subprocess.run(
            [sys.executable, "-m", "ebmhw.karl.tap.collector"],
            env={**os.environ, "EBMHW_KARL_HOME": str(tmp_path)},
            capture_output=True,
            timeout=60,
            check=False,
        )
        assert second.returncode == 2
        assert b"already" in second.stderr
        # The one that is there is not hurt.
        assert give(tmp_path, prompt("a"))
        running.send_signal(number)
        out, err = running.communicate(timeout=20)
    finally:
        running.kill()
        running.communicate()
    assert (running.returncode, out, err) == (0, b"ended; 1 events taken\n", b"")
    assert not (tmp_path / SOCKET).exists()


def test_one_that_was_killed_does_not_hinder_the_next(tmp_path: Path) -> None:
    running = start(tmp_path)
    running.kill()
    running.communicate()
    assert (tmp_path / SOCKET).exists()
    with collecting(tmp_path):
        assert give(tmp_path, prompt("a"))


def test_homes_with_long_paths_have_a_collector_too(tmp_path: Path) -> None:
    home = tmp_path / ("long" * 30)
    home.mkdir()
    if not Path("/proc/self/fd").is_dir():
        with pytest.raises(ConfigError, match="cannot be a socket"):
            Collector(home)
        return
    with collecting(home):
        assert give(home, prompt("a"))


def test_headers_come_back() -> None:
    for stamp in (Stamp("id", 5.25, 7.5, "boot", "host", "ann b"), Stamp("id", 5.25, None, None, "host", None)):
        assert parsed_header(header(stamp, "codex", 77)) == (77, stamp, "codex")
    odd = Stamp("id", 1.0, 2.0, "b", "h\to\nst", "us\ter")
    assert parsed_header(header(odd, None, 0)) == (0, odd._replace(host="h o st", user="us er"), None)
    assert clients.LIMIT_S < 1
