"""Folding: ended sessions into the store, parts and notes, other machines, two at once, full disks, later versions, idle sessions."""

from __future__ import annotations

import errno
import json
import os
import random
import shutil
import sqlite3
import threading
import time
from pathlib import Path

import pytest
from karl_hooks import bash, ended, prompt

from ebmhw.errors import StoreError
from ebmhw.karl.home import SPOOL, STORE
from ebmhw.karl.store import Store
from ebmhw.karl.tap import Folded, Tap, fold, folding
from ebmhw.karl.tap.buffers import ENDED, LAST, NOTE, OPEN, SIDE
from ebmhw.karl.tap.stamps import Stamp, stamped
from ebmhw.karl.trajectory import Outcome, Trajectory, trajectory_id


def run(home: Path, *events: dict[str, object], folds: bool = False) -> None:
    """Take events."""
    tap = Tap(home, folds=folds)
    for event in events:
        tap.handle(event)


def stored(home: Path) -> list[Trajectory]:
    """Return what the store holds."""
    with Store(home / STORE) as store:
        return sorted((scored.trajectory for scored in store), key=lambda one: (one.session_id, one.started_at or 0))


def spooled(home: Path, *suffixes: str) -> list[str]:
    """Return the files of the spool."""
    return sorted(name for name in os.listdir(home / SPOOL) if not suffixes or name.endswith(suffixes))


def test_the_end_of_a_session_stores_it(tmp_path: Path) -> None:
    run(tmp_path, prompt("a"), bash("ls"), ended(), folds=True)
    (one,) = stored(tmp_path)
    assert (one.id, one.session_id, one.total_tools, one.channel) == (trajectory_id("s1"), "s1", 1, "live")
    assert spooled(tmp_path, OPEN, ENDED) == []
    assert fold(tmp_path) == Folded()


def test_ends_of_turns_end_no_session(tmp_path: Path) -> None:
    stop = {"hook_event_name": "Stop", "session_id": "s1"}
    run(tmp_path, stop, folds=True)
    assert not (tmp_path / SPOOL).exists()
    run(tmp_path, prompt("a"), stop, bash("ls"), stop, folds=True)
    assert fold(tmp_path).stored == 0
    run(tmp_path, ended(), folds=True)
    assert [one.total_tools for one in stored(tmp_path)] == [1]


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("that's wrong", Outcome(True, False, None, False, corrections=1)),
        ("try again", Outcome(False, True, None, False)),
        ("now write the docs", Outcome(False, False, None, True)),
    ],
)
def test_the_prompt_after_a_session_is_noted_to_it(tmp_path: Path, text: str, outcome: Outcome) -> None:
    run(tmp_path, prompt("a"), bash("ls"), ended(), folds=True)
    assert stored(tmp_path)[0].outcome == Outcome()
    run(tmp_path, prompt(text), prompt("and this is about something else, that's wrong"))
    folded = fold(tmp_path)
    assert (folded.annotated, folded.stored) == (1, 0)
    assert stored(tmp_path)[0].outcome == outcome
    run(tmp_path, ended(), folds=True)
    first, second = stored(tmp_path)
    assert first.outcome == outcome
    assert (second.id, second.prompt) == (trajectory_id("s1", 1), text)


def test_a_prompt_long_after_a_session_is_not_noted(tmp_path: Path) -> None:
    now = stamped()
    tap = Tap(tmp_path, folds=False)
    if now.steady is None:
        pytest.skip("no steady clock")

    def later(seconds: float) -> Stamp:
        # The wall clock goes back a day meanwhile.
        assert now.steady is not None
        return now._replace(id=str(seconds), wall=now.wall - 86400 * (seconds > 1), steady=now.steady + seconds)

    for session, seconds in (("near", 200.0), ("far", 400.0)):
        tap.handle(prompt("a", session), later(0))
        tap.handle(ended(session), later(1))
        tap.handle(prompt("that's wrong", session), later(seconds))
    fold(tmp_path)
    far, near = stored(tmp_path)
    assert (far.outcome.correction, near.outcome.correction) == (None, True)


def test_a_wall_clock_that_goes_back_loses_no_note(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time_ns()
    for session in range(5):
        monkeypatch.setattr(time, "time_ns", lambda: now)
        run(tmp_path, prompt("a", f"s{session}"), ended(f"s{session}"))
        monkeypatch.setattr(time, "time_ns", lambda: now - 10**13)
        run(tmp_path, prompt("that's wrong", f"s{session}"))
    folded = fold(tmp_path)
    assert (folded.stored, folded.annotated) == (5, 5)
    assert [one.outcome.correction for one in stored(tmp_path)] == [True] * 5


def test_sessions_that_are_taken_up_again_are_parts(tmp_path: Path) -> None:
    for number in range(4):
        run(tmp_path, prompt(f"p{number}"), bash(f"echo {number}"), ended())
    assert len(spooled(tmp_path, ENDED)) == 4
    copies = tmp_path / "copies"
    shutil.copytree(tmp_path / SPOOL, copies)
    assert fold(tmp_path).stored == 4
    before = stored(tmp_path)
    assert [one.prompt for one in before] == ["p0", "p1", "p2", "p3"]
    assert {one.id for one in before} == {trajectory_id("s1", part) for part in range(4)}
    # Files that come a second time, as a copy that was broken off and done again, change nothing, whatever their order.
    for name in reversed(os.listdir(copies)):
        if name.endswith(ENDED):
            shutil.copy(copies / name, tmp_path / SPOOL / name)
            assert fold(tmp_path).stored == 1
    assert stored(tmp_path) == before


def test_a_transcript_that_was_read_before_is_the_same_session(tmp_path: Path) -> None:
    run(tmp_path, prompt("a"), bash("ls"), bash("pwd"), ended())
    now = time.time()
    with Store(tmp_path / STORE) as store:
        store.put(Trajectory(trajectory_id("s1"), "s1", prompt="a", started_at=now - 5, ended_at=now + 5, duration_s=10.0))
    fold(tmp_path)
    (one,) = stored(tmp_path)
    assert one.total_tools == 2


def test_another_host_leaves_its_sessions_for_the_one_that_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    far, near = tmp_path / "far", tmp_path / "near"
    monkeypatch.setenv("KARL_CANONICAL_WRITER", "some-other-host")
    run(far, prompt("a"), bash("ls"), ended(), prompt("that's wrong"), folds=True)
    assert not (far / STORE).exists()
    assert fold(far).left == 1
    assert len(spooled(far, ENDED)) == len(spooled(far, NOTE)) == 1
    monkeypatch.setenv("KARL_CANONICAL_WRITER", stamped().host.upper())
    (near / SPOOL).mkdir(parents=True)
    for name in spooled(far, ENDED, NOTE):
        shutil.move(far / SPOOL / name, near / SPOOL / name)
    folded = fold(near)
    assert (folded.stored, folded.annotated, folded.left) == (1, 1, 0)
    assert stored(near)[0].outcome.correction is True


def test_idle_sessions_end_by_the_steady_clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(tmp_path, prompt("a"), bash("ls"))
    now = stamped()
    if now.steady is None:
        pytest.skip("no steady clock")

    def clocks(wall: float, steady: float, boot: str | None = now.boot) -> None:
        assert now.steady is not None
        monkeypatch.setattr(folding, "stamped", lambda: now._replace(wall=now.wall + wall, steady=now.steady + steady, boot=boot))

    # A wall clock that jumps a year ends nothing, nor does one that goes back.
    for wall in (365 * 86400.0, -365 * 86400.0):
        clocks(wall, 100.0)
        assert fold(tmp_path, idle_s=3600).stored == 0
    clocks(3700.0, 3700.0)
    assert fold(tmp_path, idle_s=3600).stored == 1
    run(tmp_path, bash("pwd"))
    # The machine was started anew: the agent is gone.
    clocks(3000.0, 5.0, "another boot")
    assert fold(tmp_path, idle_s=3600).stored == 1


def test_sessions_without_anything_in_them_are_not_kept(tmp_path: Path) -> None:
    run(tmp_path, {"hook_event_name": "SessionStart", "session_id": "s1", "source": "startup"}, ended())
    (tmp_path / SPOOL / f"{'0' * 32}{OPEN}").touch()
    folded = fold(tmp_path, idle_s=0)
    assert (folded.stored, folded.empty) == (0, 2)
    assert spooled(tmp_path, OPEN, ENDED) == []


def test_later_versions_and_what_is_no_session_are_left_and_told(tmp_path: Path) -> None:
    run(tmp_path, prompt("a"), ended())
    spool = tmp_path / SPOOL
    strange = {
        f"{'1' * 32}.1{ENDED}": json.dumps({"v": 2, "kind": "tool", "session": "x"}) + "\n",
        f"{'2' * 32}.1{ENDED}": json.dumps({"v": 1, "kind": "tool"}) + "\n",
    }
    for name, text in strange.items():
        (spool / name).write_text(text, encoding="utf-8")
    (spool / f"{'3' * 32}.1{ENDED}").mkdir()
    if hasattr(os, "mkfifo"):
        os.mkfifo(spool / f"{'4' * 32}.1{ENDED}")
    for _ in range(2):
        folded = fold(tmp_path)
        assert folded.left == 4
        told = "\n".join(folded.problems)
        assert "version 2, this package reads up to 1" in told
        assert "no line of the buffer can be read" in told
        assert "it is no regular file" in told
        assert {name: (spool / name).read_text(encoding="utf-8") for name in strange} == strange
    assert len(stored(tmp_path)) == 1


@pytest.mark.parametrize(
    "error", [StoreError("the disk is full"), OSError(errno.ENOSPC, "No space left on device"), sqlite3.OperationalError("disk is full")]
)
def test_a_full_disk_leaves_the_spool_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    run(tmp_path, prompt("a"), ended("s1"), prompt("b", "s2"), bash("ls", session="s2"), ended("s2"))
    before = {name: (tmp_path / SPOOL / name).read_bytes() for name in spooled(tmp_path)}

    def full(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(Store, "put", full)
    with pytest.raises(type(error), match=r"full|No space"):
        fold(tmp_path)
    assert {name: (tmp_path / SPOOL / name).read_bytes() for name in spooled(tmp_path)} == before
    monkeypatch.undo()
    assert fold(tmp_path).stored == 2


def test_a_real_store_that_may_not_grow_leaves_the_spool(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    rng = random.Random(1)
    run(tmp_path, *(prompt("".join(rng.choices("abcdefgh ", k=450))) for _ in range(600)), ended())
    before = spooled(tmp_path, ENDED)
    with Store(tmp_path / STORE):
        pass
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    import signal

    earlier = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, limits[1]))
        with pytest.raises((StoreError, OSError)):
            fold(tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, earlier)
    assert spooled(tmp_path, ENDED) == before
    assert fold(tmp_path).stored == 1
    assert len(stored(tmp_path)[0].turns) == 600


def test_a_hook_does_not_wait_long_for_a_store_that_is_locked(tmp_path: Path) -> None:
    with Store(tmp_path / STORE):
        pass
    run(tmp_path, prompt("a"))
    held = sqlite3.connect(tmp_path / STORE, isolation_level=None)
    try:
        held.execute("BEGIN IMMEDIATE")
        start = time.monotonic()
        with pytest.raises(StoreError, match="lock"):
            run(tmp_path, ended(), folds=True)
        assert time.monotonic() - start < 5
    finally:
        held.close()
    assert len(spooled(tmp_path, ENDED)) == 1
    assert fold(tmp_path).stored == 1


def test_two_foldings_at_once_double_nothing(tmp_path: Path) -> None:
    for number in range(30):
        run(tmp_path, prompt("a", f"s{number}"), bash("ls", session=f"s{number}"), ended(f"s{number}"))
    results: list[Folded] = []
    threads = [threading.Thread(target=lambda: results.append(fold(tmp_path))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    fold(tmp_path)
    assert sum(one.stored for one in results) == 30
    assert [one.total_tools for one in stored(tmp_path)] == [1] * 30
    assert all(one.outcome.corrections == 0 for one in stored(tmp_path))


def test_a_limit_of_time_leaves_the_rest(tmp_path: Path) -> None:
    for number in range(5):
        run(tmp_path, prompt("a", f"s{number}"), ended(f"s{number}"))
    last = spooled(tmp_path, ENDED)[-1]
    folded = fold(tmp_path, limit_s=0.0, first=str(tmp_path / SPOOL / last))
    assert (folded.stored, folded.left) == (1, 4)
    assert last not in spooled(tmp_path)


@pytest.mark.parametrize("name", ["../../x", "\ud800", "x" * 100_000, "\0", "é\u202e", "'; drop table records; --"])
def test_any_name_of_a_session_can_be_stored(tmp_path: Path, name: str) -> None:
    run(tmp_path, prompt("a \ud800 b", name), bash("echo \udfff", session=name), ended(name), prompt("try again", name))
    folded = fold(tmp_path)
    assert (folded.stored, folded.annotated, folded.problems) == (1, 1, ())
    (one,) = stored(tmp_path)
    assert one.outcome.redo is True


def test_what_killed_processes_and_past_sessions_left_goes(tmp_path: Path) -> None:
    run(tmp_path, prompt("a"), ended())
    hidden = tmp_path / SPOOL / ".1-x.tmp"
    hidden.touch()
    fold(tmp_path)
    assert len(spooled(tmp_path, LAST, ".tmp")) == 2
    for name in spooled(tmp_path):
        os.utime(tmp_path / SPOOL / name, (1.0, 1.0))
    fold(tmp_path)
    assert spooled(tmp_path) == []


def test_a_side_file_alone_becomes_a_session(tmp_path: Path) -> None:
    run(tmp_path, bash("ls"))
    (name,) = spooled(tmp_path)
    (tmp_path / SPOOL / name).rename(tmp_path / SPOOL / name.replace(OPEN, f".1{SIDE}"))
    assert fold(tmp_path).stored == 0
    assert fold(tmp_path, idle_s=-1).stored == 1
