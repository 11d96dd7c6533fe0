"""Odd files in spool and home, odd lines and names: each hurts nobody but itself, and is told."""

from __future__ import annotations

import errno
import json
import math
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from karl_hooks import bash, called, ended, prompt

from ebmhw.errors import ConfigError, InvalidTrajectory, NewerRecord, StoreError
from ebmhw.karl.home import SPOOL, STORE
from ebmhw.karl.store import Store
from ebmhw.karl.tap import Collector, Tap, fold, session_of
from ebmhw.karl.tap.broken import BROKEN, LINES
from ebmhw.karl.tap.buffers import ENDED, LAST, NOTE, OPEN, SIDE, key_of
from ebmhw.karl.tap.closing import close_idle
from ebmhw.karl.tap.faults import LOG, log
from ebmhw.karl.tap.handles import opened
from ebmhw.karl.tap.identities import NAME_CHARS, identity
from ebmhw.karl.tap.spooled import SIDE_BYTES
from ebmhw.karl.tap.stamps import stamped
from ebmhw.karl.trajectory import Trajectory

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes")

SECRET = "ghp_" + "a1B2" * 9
KEY = "9" * 32


def run(home: Path, *events: dict[str, Any]) -> None:
    """Take events."""
    tap = Tap(home, folds=False)
    for event in events:
        tap.handle(event)


def stored(home: Path) -> list[Trajectory]:
    """Return what the store holds."""
    with Store(home / STORE) as store:
        return sorted((scored.trajectory for scored in store), key=lambda one: (one.session_id, one.started_at or 0))


def old(folder: Path) -> None:
    """Make all files of a folder ten days old."""
    for path in folder.iterdir():
        os.utime(path, (stamped().wall - 864_000,) * 2, follow_symlinks=False)


PLANTED: dict[str, Callable[[Path], object]] = {
    "folder": lambda path: path.mkdir(),
    "pipe": lambda path: os.mkfifo(path),
    "link to a device without end": lambda path: path.symlink_to("/dev/zero"),
    "link to nothing": lambda path: path.symlink_to("/nowhere/at/all"),
    "link to itself": lambda path: path.symlink_to(path.name),
    "link to a file": lambda path: path.symlink_to(path.parent.parent / "precious"),
}


@pytest.mark.parametrize("what", PLANTED)
@pytest.mark.parametrize(
    "name", [f"{KEY}{OPEN}", f"{KEY}.1-a{SIDE}", f"{KEY}.1-a{ENDED}", f"{KEY}.1-a{NOTE}", f"{KEY}{LAST}", ".x.tmp", f"own.0-a{SIDE}"]
)
def test_what_is_no_file_is_told_and_left_and_hinders_nobody(name: str, what: str, tmp_path: Path) -> None:
    run(tmp_path, prompt("a"), bash("ls"), ended())
    (tmp_path / "precious").write_text("precious\n", encoding="utf-8")
    path = tmp_path / SPOOL / name.replace("own", key_of("s1"))
    PLANTED[what](path)
    old(tmp_path / SPOOL)
    for round_number in range(2):
        run(tmp_path, prompt("b", f"t{round_number}"), ended(f"t{round_number}"))
        folded = fold(tmp_path)
        assert folded.stored == 2 - round_number
        assert folded.left == name.endswith(ENDED)
        assert len(folded.problems) == 1
        assert folded.problems[0].startswith(f"{path}: it is no regular file but ")
        assert "remove it" in folded.problems[0] or "take it out of the spool" in folded.problems[0]
        assert folded.problems[0] in (tmp_path / LOG).read_text(encoding="utf-8")
        assert os.path.lexists(path)
    assert len(stored(tmp_path)) == 3
    assert stored(tmp_path)[0].total_tools == 1
    assert (tmp_path / "precious").read_text(encoding="utf-8") == "precious\n"


@pytest.mark.parametrize("suffix", [OPEN, f".1-a{SIDE}", f".1-a{ENDED}", f".1-a{NOTE}"])
@pytest.mark.parametrize("number", [errno.EACCES, errno.EIO])
def test_files_that_cannot_be_read_hinder_nobody(suffix: str, number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(tmp_path, prompt("root", "r"), prompt("a"), bash("ls"), ended())
    path = tmp_path / SPOOL / f"{key_of('r')}{suffix}"
    (tmp_path / SPOOL / f"{key_of('r')}{OPEN}").rename(path)
    before = path.read_bytes()
    os.utime(path, (1.0, 1.0))
    real = os.open

    def refusing(name: Any, *more: Any, **named: Any) -> int:
        if os.fspath(name) == os.fspath(path):
            raise OSError(number, os.strerror(number), name)
        return real(name, *more, **named)

    monkeypatch.setattr(os, "open", refusing)
    folded = fold(tmp_path)
    assert (folded.stored, len(folded.problems)) == (1, 1)
    assert os.strerror(number) in folded.problems[0]
    assert path.read_bytes() == before
    monkeypatch.undo()
    # With the fault gone, it is a session like others.
    if suffix != f".1-a{NOTE}":
        assert fold(tmp_path, idle_s=0).stored == 1
        assert [one.prompt for one in stored(tmp_path)] == ["root", "a"]


def test_events_of_a_session_whose_buffer_cannot_be_had_make_one_session(tmp_path: Path) -> None:
    (tmp_path / SPOOL).mkdir()
    path = tmp_path / SPOOL / f"{key_of('s1')}{OPEN}"
    path.symlink_to("/dev/zero")
    run(tmp_path, prompt("a"), bash("one"), bash("two"))
    assert fold(tmp_path).stored == 0
    run(tmp_path, bash("three"), ended())
    folded = fold(tmp_path)
    assert (folded.stored, len(folded.problems)) == (1, 1)
    (one,) = stored(tmp_path)
    assert ([event.params["command"] for event in one.events], one.prompt) == (["one", "two", "three"], "a")
    assert os.listdir(tmp_path / SPOOL) == [path.name]


@pytest.mark.parametrize("what", PLANTED)
def test_a_prompt_is_kept_whatever_lies_at_the_last_end(what: str, tmp_path: Path) -> None:
    run(tmp_path, prompt("a"), ended())
    last = tmp_path / SPOOL / f"{key_of('s1')}{LAST}"
    last.unlink()
    PLANTED[what](last)
    run(tmp_path, prompt("b"), ended())
    assert fold(tmp_path).stored == 2
    assert [one.prompt for one in stored(tmp_path)] == ["a", "b"]


@pytest.mark.parametrize("text", ["[" * 4096, '{"t":NaN,"up":1e400,"boot":[]}', '{"mark":"../../x"}', '{"mark":"' + "a" * 3000 + '"}', "9" * 4096])
def test_a_prompt_is_kept_whatever_the_last_end_says(text: str, tmp_path: Path) -> None:
    run(tmp_path, prompt("a"), ended())
    (tmp_path / SPOOL / f"{key_of('s1')}{LAST}").write_text(text, encoding="utf-8")
    run(tmp_path, prompt("b"), ended())
    assert fold(tmp_path).stored == 2


def test_errors_of_the_store_stop_everything_and_leave_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(tmp_path, prompt("a"), ended(), prompt("b", "s2"), ended("s2"))
    before = sorted(os.listdir(tmp_path / SPOOL))
    for error in (PermissionError(13, "denied"), FileNotFoundError(2, "gone"), IsADirectoryError(21, "a folder"), StoreError("damaged")):

        def fails(*_: object, error: Exception = error, **__: object) -> None:
            raise error

        monkeypatch.setattr(Store, "put", fails)
        with pytest.raises(type(error)):
            fold(tmp_path)
        assert sorted(os.listdir(tmp_path / SPOOL)) == before


def test_a_session_that_cannot_be_scored_hinders_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(tmp_path, prompt("a"), ended(), prompt("b", "s2"), ended("s2"))
    real = Store.put

    def fails(self: Store, trajectory: Trajectory, *more: Any, **named: Any) -> Any:
        if trajectory.prompt == "a":
            raise ZeroDivisionError("division by zero")
        return real(self, trajectory, *more, **named)

    monkeypatch.setattr(Store, "put", fails)
    folded = fold(tmp_path)
    assert (folded.stored, folded.left) == (1, 1)
    assert "the session cannot be stored (ZeroDivisionError: division by zero); the file is left" in folded.problems[0]


def test_broken_lines_that_cannot_be_kept_leave_the_file_and_say_so(tmp_path: Path) -> None:
    run(tmp_path, prompt("a"))
    (buffer,) = (tmp_path / SPOOL).iterdir()
    with buffer.open("ab") as stream:
        stream.write(b"{broken\n")
    run(tmp_path, ended())
    (tmp_path / "precious").write_text("precious\n", encoding="utf-8")
    (tmp_path / BROKEN).symlink_to(tmp_path / "precious")
    for _ in range(2):
        folded = fold(tmp_path)
        assert (folded.stored, folded.left) == (1, 1)
        told = folded.problems[-1]
        assert told.startswith(f"{tmp_path / BROKEN}: it is no regular file but a symbolic link; 1 lines of ")
        assert "what could be read of it is stored" in told
    assert (tmp_path / "precious").read_text(encoding="utf-8") == "precious\n"
    (tmp_path / BROKEN).unlink()
    assert fold(tmp_path).left == 0
    assert (tmp_path / BROKEN).read_text(encoding="utf-8").count("{broken") == 1
    assert len(stored(tmp_path)) == 1


def test_links_in_the_home_are_not_written_through(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("precious\n", encoding="utf-8")
    home = tmp_path / "h"
    run(home, prompt("a"), ended())
    (home / LOG).symlink_to(precious)
    log(home, "something")
    folded = fold(home)
    assert folded.stored == 1
    assert folded.problems == (f"{home / LOG}: it is no regular file but a symbolic link; faults are not logged: remove it",)
    for lock, begin, error in (("fold.lock", lambda: fold(home), StoreError), ("collector.lock", lambda: Collector(home), ConfigError)):
        (home / lock).unlink(missing_ok=True)
        (home / lock).symlink_to(precious)
        with pytest.raises(error, match="symbolic link"):
            begin()
    assert precious.read_text(encoding="utf-8") == "precious\n"


def test_a_log_has_a_bound_whatever_lies_at_its_second_name(tmp_path: Path) -> None:
    (tmp_path / f"{LOG}.1" / "x").mkdir(parents=True)
    (tmp_path / LOG).write_bytes(b"x" * 2**20)
    log(tmp_path, "one \x1b[31m\nmore")
    log(tmp_path, "two \x1b[31m\nmore")
    text = (tmp_path / LOG).read_text(encoding="utf-8")
    assert len(text) < 1000
    assert text.endswith(" two \\x1b[31m more\n")


def test_files_without_end_are_not_read(tmp_path: Path) -> None:
    run(tmp_path, prompt("a"), ended())
    for name, size in ((f"{KEY}.1{ENDED}", 2**40), (f"{KEY}.1{SIDE}", SIDE_BYTES + 1)):
        with (tmp_path / SPOOL / name).open("wb") as stream:
            stream.truncate(size)
    many = tmp_path / SPOOL / f"{'8' * 32}.1{ENDED}"
    many.write_bytes(b"{\n" * (LINES + 1))
    folded = fold(tmp_path)
    assert (folded.stored, folded.left) == (1, 2)
    assert [text for text in folded.problems if "at most" in text and "are read" in text] == [folded.problems[0], folded.problems[-1]]
    assert any(f"more than {LINES} of its lines cannot be read; the file is left" in text for text in folded.problems)
    assert len(folded.problems) < 20
    assert many.stat().st_size == 2 * (LINES + 1)


def test_a_file_that_takes_long_does_not_hold_a_hook(tmp_path: Path) -> None:
    run(tmp_path, prompt("a"), ended(), prompt("b", "s2"), ended("s2"))
    (first, second) = sorted(path for path in (tmp_path / SPOOL).iterdir() if path.name.endswith(ENDED))
    second.write_bytes(second.read_bytes() * 5000)
    folded = fold(tmp_path, limit_s=0.0, first=str(first))
    assert (folded.stored, folded.left) == (1, 1)
    assert fold(tmp_path).stored == 1


def test_names_of_files_give_a_terminal_no_orders(tmp_path: Path) -> None:
    run(tmp_path, prompt("a"), ended())
    for name in ("x\ny\x1b[31m", os.fsdecode(b"\xff")):
        (tmp_path / SPOOL / f"{name}{ENDED}").write_text("{}", encoding="utf-8")
    folded = fold(tmp_path)
    assert (folded.stored, folded.left, len(folded.problems)) == (1, 2, 2)
    assert all(text.isprintable() for text in folded.problems)


VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.sampled_from([10**400, -1, 2**63, 1e300, math.nan, math.inf, "x", "", SECRET, "\ud800", "prompt", "tool", "end", "b1"]),
        st.floats(),
        st.text(max_size=5),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(st.text(max_size=3), inner, max_size=2)),
    max_leaves=4,
)
MEMBERS = (
    "v",
    "kind",
    "id",
    "t",
    "up",
    "boot",
    "host",
    "call",
    "prompt",
    "tool",
    "params",
    "ok",
    "exit",
    "s",
    "tests",
    "created",
    "build",
    "model",
    "cwd",
)
LINE = st.fixed_dictionaries({"session": st.one_of(st.just("s"), VALUES)}, optional=dict.fromkeys(MEMBERS, VALUES))


@settings(max_examples=200, deadline=None)
@given(st.lists(LINE, min_size=1, max_size=4))
def test_lines_of_any_kind_make_a_session_or_are_refused(lines: list[dict[str, Any]]) -> None:
    try:
        made = session_of(map(json.dumps, lines))
    except (InvalidTrajectory, NewerRecord):
        return
    assert len(made.session_id) <= NAME_CHARS
    assert SECRET not in f"{made.session_id} {made.model} {made.cwd} {made.tool_counts}"


@settings(max_examples=40, deadline=None)
@given(lines=st.lists(LINE, min_size=1, max_size=3), side=LINE, note=LINE)
def test_files_of_any_lines_hinder_nobody(tmp_path_factory: pytest.TempPathFactory, lines: list[Any], side: Any, note: Any) -> None:
    home = tmp_path_factory.mktemp("home")
    run(home, prompt("a"), bash("ls"), ended())
    spool = home / SPOOL
    for name, given_lines in ((f"{KEY}{OPEN}", lines), (f"{'8' * 32}.1{ENDED}", lines), (f"{'8' * 32}.0{SIDE}", [side]), (f"0.1{NOTE}", [note])):
        (spool / name).write_text("".join(json.dumps(line) + "\n" for line in given_lines), encoding="utf-8")
    old(spool)
    fold(home, idle_s=0)
    fold(home, idle_s=0)
    assert [one.total_tools for one in stored(home) if one.prompt == "a" and one.session_id == "s1"] == [1]
    assert not [name for name in os.listdir(spool) if name.startswith(key_of("s1")) and not name.endswith(LAST)]


def test_names_that_agents_give_hold_no_secrets_and_stay_apart(tmp_path: Path) -> None:
    for one in (f"sess-{SECRET}", f"sess-{SECRET}2"):
        run(
            tmp_path,
            prompt("a", one, prompt_id=f"p {SECRET}1", model=f"m {SECRET}", skill=f"k {SECRET}"),
            prompt("a", one, prompt_id=f"p {SECRET}2"),
            prompt("a", one, prompt_id=f"p {SECRET}2"),
            bash("x", session=one, tool_use_id=f"{SECRET}1"),
            bash("x", session=one, tool_use_id=f"{SECRET}2"),
            bash("x", session=one, tool_use_id=f"{SECRET}2"),
            called(f"run --token {SECRET}", {}, session=one, tool_use_id="t" * 600 + "1"),
            called("Odd", {}, session=one, tool_use_id="t" * 600 + "2"),
        )
        Tap(tmp_path, agent=f"agent {SECRET}", folds=False).handle(
            {**ended(one), "reason": f"r {SECRET}"}, stamped()._replace(user=SECRET, id=SECRET)
        )
    with pytest.raises(InvalidTrajectory) as refused:
        Tap(tmp_path).handle({"hook_event_name": {"token": SECRET}, "session_id": SECRET})
    assert "ghp_" not in str(refused.value)
    (tmp_path / SPOOL / f"{KEY}.1{ENDED}").write_text("x" * 60 + f" {SECRET}\n", encoding="utf-8")
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file() and KEY not in path.name)
    assert b"ghp_" not in kept
    folded = fold(tmp_path)
    assert (folded.stored, "ghp_" in str(folded.problems)) == (2, False)
    assert [(one.total_tools, len(one.turns)) for one in stored(tmp_path)] == [(4, 2)] * 2
    assert b"ghp_" not in b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


@settings(max_examples=200)
@given(
    st.text(max_size=30),
    st.sampled_from(["", SECRET, "token=abcdef12", "Authorization: Bearer abcdefgh", "x" * 490, "y" * 5000, "\ud800", "https://a:b1@c"]),
)
def test_identities_are_short_stable_and_those_of_others_differ(text: str, more: str) -> None:
    name = text + more
    made = identity(name)
    assert len(made) <= NAME_CHARS
    assert identity(made) == made
    assert made == identity(name)
    assert identity(f"{name}2") != made
    assert made == name or made[:32].isalnum()
    made.encode("utf-8")


def test_sessions_of_long_names_that_begin_alike_are_two(tmp_path: Path) -> None:
    names = ["y" * 5000 + "1", "y" * 5000 + "2", f"a {SECRET}", f"a {SECRET}x", "\ud800", "\ud801"]
    for name in names:
        run(tmp_path, prompt(f"of {names.index(name)}", name), ended(name), prompt("that's wrong", name))
    folded = fold(tmp_path)
    assert (folded.stored, folded.annotated) == (len(names), len(names))
    made = stored(tmp_path)
    assert {one.prompt for one in made} == {f"of {number}" for number in range(len(names))}
    assert len({one.session_id for one in made}) == len({one.id for one in made}) == len(names)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e300])
@pytest.mark.parametrize("name", ["wall", "steady"])
def test_clocks_that_tell_no_time_are_refused(name: str, value: float, tmp_path: Path) -> None:
    with pytest.raises(InvalidTrajectory, match=rf"{name} of the stamp is .*; give seconds"):
        Tap(tmp_path).handle(prompt("a"), stamped()._replace(**{name: value}))
    assert not (tmp_path / SPOOL).exists()


def test_sessions_of_unknown_times_are_not_taken_for_one(tmp_path: Path) -> None:
    tap = Tap(tmp_path, folds=False)
    for text in ("a", "b", "c"):
        for number, event in enumerate((prompt(text), bash(text), ended())):
            tap.handle(event, stamped()._replace(wall=-100.0 + number, steady=None, boot=None))
    assert fold(tmp_path).stored == 3
    assert sorted(one.prompt for one in stored(tmp_path)) == ["a", "b", "c"]


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-", "<&-", "<&- >&- 2>&-", ">/dev/full 2>/dev/full"])
@pytest.mark.parametrize("event", ["{", json.dumps(prompt("a"))])
def test_the_hook_ends_well_whatever_is_closed(closed: str, event: str, tmp_path: Path) -> None:
    if "full" in closed and not Path("/dev/full").exists():
        pytest.skip("no /dev/full")
    done = subprocess.run(
        ["sh", "-c", f'"$0" -m ebmhw.karl.tap {closed}', sys.executable],
        input=event.encode(),
        env={**os.environ, "EBMHW_KARL_HOME": str(tmp_path)},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, b"")
    if "<" not in closed:
        assert len(list(tmp_path.rglob(f"*{OPEN}"))) == (event != "{")
        assert (tmp_path / LOG).exists() == (event == "{")


def test_handles_are_of_regular_files_only(tmp_path: Path) -> None:
    for number, plant in enumerate(PLANTED.values()):
        plant(tmp_path / f"p{number}")
        with pytest.raises(OSError, match=r"it is no regular file but a (folder|pipe|symbolic link)"):
            opened(tmp_path / f"p{number}", os.O_RDWR | os.O_CREAT)
    with pytest.raises(FileNotFoundError):
        opened(tmp_path / "gone", os.O_RDONLY)
    handle = opened(tmp_path / "new", os.O_RDWR | os.O_CREAT)
    assert os.fstat(handle).st_mode & 0o777 == 0o600
    os.close(handle)


def test_a_spool_that_may_not_be_changed_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tap = Tap(tmp_path, folds=False)
    tap.handle(prompt("a"))
    told: list[str] = []

    def refused(*_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "rename", refused)
    from ebmhw.karl.tap.buffers import Buffers

    close_idle(Buffers(tmp_path / SPOOL), stamped(), -1.0, lambda path, text: told.append(text))
    assert len(told) == 1
    assert "it cannot be had (Permission denied)" in told[0]


def test_long_lines_that_cannot_be_read_are_kept_whole(tmp_path: Path) -> None:
    run(tmp_path, prompt("a"), ended())
    (path,) = (path for path in (tmp_path / SPOOL).iterdir() if path.name.endswith(ENDED))
    line = "[" * 100_000 + "\n"
    path.write_bytes(path.read_bytes() + line.encode())
    alone = tmp_path / SPOOL / f"{KEY}.1{ENDED}"
    alone.write_text(line, encoding="utf-8")
    folded = fold(tmp_path)
    # What no tap could have written, and nothing else, is somebody's file.
    assert (folded.stored, folded.left, alone.exists()) == (1, 1, True)
    (kept,) = map(json.loads, (tmp_path / BROKEN).read_text(encoding="utf-8").splitlines())
    assert kept["text"] == line
