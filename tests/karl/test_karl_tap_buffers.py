"""Buffers: many processes at once, kills at every step and at random moments, full disks; nothing lost, nothing doubled."""

from __future__ import annotations

import errno
import json
import os
import random
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
from karl_hooks import bash, ended, prompt

from ebmhw.karl.home import SPOOL
from ebmhw.karl.store import Store
from ebmhw.karl.tap import Tap, buffers, fold
from ebmhw.karl.tap.buffers import ENDED, LAST, NOTE, OPEN, SIDE, Buffers, encoded, key_of

fcntl = pytest.importorskip("fcntl")

WRITER = """
    import sys, time
    from karl_hooks import bash
    from ebmhw.karl.tap import Tap
    home, who, count, sessions, pause = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), float(sys.argv[5])
    tap = Tap(home, folds=False)
    for number in range(count):
        tap.handle(bash(f"echo {who}-{number}", session=f"s{number % sessions}"))
        print(number, flush=True)
        if pause:
            time.sleep(pause)
"""


def script(text: str, *arguments: object) -> subprocess.Popen[bytes]:
    """Start a Python script that can import the tests' helpers."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    return subprocess.Popen([sys.executable, "-c", textwrap.dedent(text), *map(str, arguments)], stdout=subprocess.PIPE, env=environment)


def finish(home: Path, sessions: int) -> None:
    """End all sessions."""
    for number in range(sessions):
        Tap(home, folds=False).handle(ended(f"s{number}"))


def commands(home: Path) -> list[str]:
    """Return the commands of all sessions that were folded."""
    fold(home, idle_s=0)
    with Store(home / "trajectories.sqlite") as store:
        return [event.params["command"] for scored in store for event in scored.trajectory.events]


def test_concurrent_hooks_of_concurrent_sessions_lose_and_double_nothing(tmp_path: Path) -> None:
    running = [script(WRITER, tmp_path, who, 150, 3, 0) for who in range(4)]
    assert [one.wait(60) for one in running] == [0] * 4
    for one in running:
        one.stdout.close()  # type: ignore[union-attr]
    spool = tmp_path / SPOOL
    assert all(name.endswith(OPEN) for name in os.listdir(spool))
    finish(tmp_path, 3)
    assert sorted(commands(tmp_path)) == sorted(f"echo {who}-{number}" for who in range(4) for number in range(150))
    assert not list(spool.glob("*.jsonl"))


def test_ends_and_foldings_amid_other_hooks_lose_and_double_nothing(tmp_path: Path) -> None:
    running = [script(WRITER, tmp_path, who, 100, 1, 0.005) for who in range(3)]
    ends = 0
    while any(one.poll() is None for one in running):
        Tap(tmp_path, folds=False).handle(ended("s0"))
        ends += 1
        if ends % 5 == 0:
            fold(tmp_path)
    for one in running:
        assert one.wait() == 0
        one.stdout.close()  # type: ignore[union-attr]
    finish(tmp_path, 1)
    assert sorted(commands(tmp_path)) == sorted(f"echo {who}-{number}" for who in range(3) for number in range(100))
    with Store(tmp_path / "trajectories.sqlite") as store:
        assert len(store) > 1


def test_kills_at_random_moments_lose_nothing_that_was_told(tmp_path: Path) -> None:
    rng = random.Random(7)
    told: set[str] = set()
    for who in range(6):
        one = script(WRITER, tmp_path, who, 100_000, 2, 0)
        assert one.stdout is not None
        one.stdout.readline()
        time.sleep(rng.uniform(0.005, 0.08))
        one.send_signal(signal.SIGKILL)
        told |= {f"echo {who}-{int(number)}" for number in (b"0", *one.stdout.read().split(b"\n")[:-1])}
        one.wait(60)
        one.stdout.close()
    finish(tmp_path, 2)
    kept = commands(tmp_path)
    assert len(kept) == len(set(kept))
    # A process may be killed between writing and telling.
    assert told <= set(kept)
    assert len(set(kept) - told) <= 6
    assert len(told) > 12


# Counts the calls of the system that change or open files, and dies before the n-th of them, or within it where that is a write.
KILLED = """
    import os, signal, sys, json
    from karl_hooks import bash, ended, prompt
    from ebmhw.karl.store import Store
    from ebmhw.karl.tap import Tap, fold
    home, rounds, what = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    steps = {name: getattr(os, name) for name in ("write", "rename", "unlink", "open", "ftruncate", "pread")}
    left = [0]
    def counting(name):
        def step(*arguments, **more):
            left[0] -= 1
            if left[0] == 0:
                if name == "write":
                    steps["write"](arguments[0], arguments[1][: len(arguments[1]) // 2])
                os.kill(os.getpid(), signal.SIGKILL)
            return steps[name](*arguments, **more)
        return step
    put, annotate = Store.put, Store.annotate
    def killing(method):
        def done(*arguments, **more):
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            result = method(*arguments, **more)
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return result
        return done
    survived = 0
    for number in range(1, rounds + 1):
        if what == "fold":
            for event in (prompt(f"p{number}", "a"), bash(f"echo a{number}", session="a"), ended("a"), prompt("that's wrong", "a"), ended("a")):
                Tap(home, folds=False).handle(event)
        pid = os.fork()
        if pid == 0:
            for name in steps:
                setattr(os, name, counting(name))
            Store.put, Store.annotate = killing(put), killing(annotate)
            left[0] = number
            if what == "fold":
                fold(home)
            else:
                tap = Tap(home, folds=False)
                tap.handle(bash(f"echo {number}", session="a"))
                tap.handle(ended("a"))
                tap.handle(prompt(f"p{number}", "a"))
            os._exit(0)
        survived += os.waitpid(pid, 0)[1] == 0
        print(survived, flush=True)
        if survived == 2:
            break
"""


def test_kills_at_every_step_of_writing(tmp_path: Path) -> None:
    one = script(KILLED, tmp_path, 200, "write")
    assert one.stdout is not None
    survived = [int(line) for line in one.stdout.read().split()]
    rounds = len(survived)
    one.stdout.close()
    # Every step was one to be killed at; then there were rounds that had fewer.
    assert (one.wait(60), survived[-1]) == (0, 2)
    assert rounds > 15
    Tap(tmp_path, folds=False).handle(ended("a"))
    kept = commands(tmp_path)
    assert len(kept) == len(set(kept))
    # Whoever got to the end had written his command.
    complete = [number for number in range(1, rounds + 1) if survived[number - 1] > (survived[number - 2] if number > 1 else 0)]
    assert {f"echo {number}" for number in complete} <= set(kept)
    assert not [name for name in os.listdir(tmp_path / SPOOL) if name.endswith((OPEN, SIDE, ENDED, NOTE))]


def test_kills_at_every_step_of_folding(tmp_path: Path) -> None:
    one = script(KILLED, tmp_path, 200, "fold")
    assert one.stdout is not None
    survived = [int(line) for line in one.stdout.read().split()]
    rounds = len(survived)
    one.stdout.close()
    assert (one.wait(60), survived[-1]) == (0, 2)
    assert rounds > 15
    kept = commands(tmp_path)
    assert sorted(kept) == sorted(f"echo a{number}" for number in range(1, rounds + 1))
    with Store(tmp_path / "trajectories.sqlite") as store:
        corrected = [scored.trajectory for scored in store if scored.trajectory.events]
    assert [one.outcome.correction for one in corrected] == [True] * rounds
    assert {one.outcome.corrections for one in corrected} == {1}


def test_a_buffer_that_was_taken_away_before_the_lock_is_not_written_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tap = Tap(tmp_path, folds=False)
    tap.handle(bash("one"))
    locked = buffers.locked_within

    def late(handle: int, end: float) -> bool:
        monkeypatch.undo()
        Tap(tmp_path, folds=False).handle(ended())
        return locked(handle, end)

    monkeypatch.setattr(buffers, "locked_within", late)
    tap.handle(bash("two"))
    kept = {path.name.partition(".")[2].rpartition(".")[0][-5:]: path.read_text(encoding="utf-8") for path in (tmp_path / SPOOL).glob("*.jsonl")}
    assert set(kept) == {"ended", "open"}
    assert ('"one"' in kept["ended"], '"two"' in kept["ended"], '"two"' in kept["open"]) == (True, False, True)


def test_a_session_whose_end_was_cut_off_before_the_renaming_has_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tap = Tap(tmp_path, folds=False)
    tap.handle(prompt("a"))

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "rename", killed)
    with pytest.raises(KeyboardInterrupt):
        tap.handle(ended())
    monkeypatch.undo()
    tap.handle(prompt("that's wrong"))
    tap.handle(prompt("now the docs"))
    folded = fold(tmp_path)
    assert (folded.stored, folded.annotated) == (1, 1)
    with Store(tmp_path / "trajectories.sqlite") as store:
        (scored,) = store
    assert (scored.trajectory.prompt, scored.trajectory.outcome.correction, scored.trajectory.outcome.continued) == ("a", True, False)


def test_a_torn_line_is_ended_and_kept_as_a_problem(tmp_path: Path) -> None:
    tap = Tap(tmp_path, folds=False)
    tap.handle(prompt("a"))
    (buffer,) = (tmp_path / SPOOL).iterdir()
    with buffer.open("ab") as stream:
        stream.write(b'{"v":1,"kind":"tool","sess')
    tap.handle(bash("ls"))
    tap.handle(ended())
    folded = fold(tmp_path)
    assert folded.stored == 1
    assert len(folded.problems) == 1
    assert ":2: the line is" in folded.problems[0]
    broken = [json.loads(line) for line in (tmp_path / "broken.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [(one["line"], one["text"].strip()) for one in broken] == [(2, '{"v":1,"kind":"tool","sess')]
    assert "the line is" in (tmp_path / "tap.log").read_text(encoding="utf-8")
    with Store(tmp_path / "trajectories.sqlite") as store:
        (scored,) = store
    assert (scored.trajectory.total_tools, scored.trajectory.prompt) == (1, "a")


def test_a_buffer_that_is_held_too_long_does_not_block(tmp_path: Path) -> None:
    tap = Tap(tmp_path, folds=False)
    tap.handle(prompt("a"))
    tap.handle(bash("one"))
    (buffer,) = (tmp_path / SPOOL).iterdir()
    handle = os.open(buffer, os.O_RDWR)
    fcntl.flock(handle, fcntl.LOCK_EX)
    start = time.monotonic()
    tap.handle(bash("two"))
    tap.handle(bash("three"))
    assert time.monotonic() - start < 1.0
    assert sum(name.endswith(SIDE) for name in os.listdir(tmp_path / SPOOL)) == 2
    # Folding does not wait for it either, and leaves the session until it can be had.
    assert fold(tmp_path, idle_s=0).stored == 0
    os.close(handle)
    tap.handle(bash("four"))
    tap.handle(ended())
    fold(tmp_path)
    with Store(tmp_path / "trajectories.sqlite") as store:
        (scored,) = store
    assert [event.params["command"] for event in scored.trajectory.events] == ["one", "two", "three", "four"]
    assert [name for name in os.listdir(tmp_path / SPOOL) if not name.endswith(LAST)] == []


def test_an_end_that_could_not_be_appended_ends_the_session(tmp_path: Path) -> None:
    tap = Tap(tmp_path, folds=False)
    tap.handle(bash("one"))
    (buffer,) = (tmp_path / SPOOL).iterdir()
    handle = os.open(buffer, os.O_RDWR)
    fcntl.flock(handle, fcntl.LOCK_EX)
    tap.handle(ended())
    os.close(handle)
    assert fold(tmp_path).stored == 1
    assert [name for name in os.listdir(tmp_path / SPOOL) if not name.endswith(LAST)] == []


def test_a_full_disk_leaves_the_buffer_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = Buffers(tmp_path / "spool")
    line = {"v": 1, "kind": "tool", "session": "s", "id": "1"}
    own.append("s", [line])
    path = Path(own.path(key_of("s"), OPEN))
    before = path.read_bytes()
    write = os.write
    calls = []

    def full(handle: int, data: bytes) -> int:
        calls.append(data)
        if len(calls) % 2:
            return write(handle, data[: len(data) // 2])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="No space left"):
        own.append("s", [{**line, "id": "2"}])
    monkeypatch.undo()
    assert path.read_bytes() == before
    own.append("s", [{**line, "id": "3"}])
    assert path.read_bytes() == before + encoded({**line, "id": "3"})


def test_short_writes_are_gone_on_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = Buffers(tmp_path / "spool")
    write = os.write
    monkeypatch.setattr(os, "write", lambda handle, data: write(handle, data[:7]))
    own.append("s", [{"session": "s", "id": "1"}])
    monkeypatch.undo()
    assert Path(own.path(key_of("s"), OPEN)).read_bytes() == encoded({"session": "s", "id": "1"})
