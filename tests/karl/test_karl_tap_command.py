"""The hook command: silent, exit status 0, standard library only; settings that install it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from karl_hooks import bash, called, ended, failed, prompt, run_tap

from ebmhw.errors import ConfigError
from ebmhw.karl.home import SPOOL, STORE
from ebmhw.karl.store import Store
from ebmhw.karl.tap import settings
from ebmhw.karl.tap.events import HOOKS

LOADED = """
import runpy, sys
before = set(sys.modules)
try:
    runpy.run_module("ebmhw.karl.tap", run_name="__main__", alter_sys=True)
except SystemExit as done:
    assert not done.code
own = {"ebmhw", *sys.stdlib_module_names}
print(sorted(name for name in set(sys.modules) - before if name.partition(".")[0] not in own or name in ("ebmhw.program", "ebmhw.sampler")))
"""
"""Runs the tap and prints what it loaded besides the standard library."""


def test_a_session_by_the_command(tmp_path: Path) -> None:
    for event in (
        prompt("a"),
        bash("pytest", "3 passed in 0.1s"),
        failed("Bash", {"command": "make"}, "Exit code 2\n"),
        ended(),
        prompt("that's wrong"),
    ):
        done = run_tap(tmp_path, event)
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    done = run_tap(tmp_path, ended())
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    with Store(tmp_path / STORE) as store:
        first, second = sorted((scored.trajectory for scored in store), key=lambda one: one.total_tools, reverse=True)
    assert [event.tests for event in first.events] == [3, None]
    assert (first.outcome.correction, first.outcome.build) == (True, False)
    assert second.prompt == "that's wrong"


@pytest.mark.parametrize(
    "data", [b"", b"\n", b"{", b"[]", b"\xff\xfe", b'{"hook_event_name": "Stop"}', b'{"hook_event_name": 1}', b"[" * 10**6, b'{"a":' * 10**5]
)
def test_what_is_no_event_disturbs_nobody(data: bytes, tmp_path: Path) -> None:
    done = run_tap(tmp_path / "h", data)
    assert (done.returncode, done.stdout) == (0, b"")
    if data.strip():
        assert b"the agent is not affected" in done.stderr
        assert "InvalidTrajectory" in (tmp_path / "h" / "tap.log").read_text(encoding="utf-8")
    else:
        assert done.stderr == b""


def test_a_home_that_cannot_be_written_disturbs_nobody(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    done = run_tap(tmp_path / "file", prompt("a"))
    assert (done.returncode, done.stdout) == (0, b"")
    assert b"NotADirectoryError" in done.stderr or b"FileExistsError" in done.stderr


def test_a_store_that_cannot_be_written_keeps_the_session(tmp_path: Path) -> None:
    (tmp_path / STORE).write_bytes(b"this is no database, but a text of some length" * 100)
    run_tap(tmp_path, prompt("a"))
    done = run_tap(tmp_path, ended())
    assert (done.returncode, done.stdout) == (0, b"")
    assert b"StoreError" in done.stderr
    assert [name.endswith(".ended.jsonl") for name in os.listdir(tmp_path / SPOOL) if "last" not in name] == [True]


def test_ten_megabytes_are_taken(tmp_path: Path) -> None:
    done = run_tap(tmp_path, called("Read", {"file_path": "/a"}, {"type": "text", "text": "x" * 10_000_000}))
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    (buffer,) = (tmp_path / SPOOL).iterdir()
    assert buffer.stat().st_size < 1000


def test_notifications_come_as_an_argument(tmp_path: Path) -> None:
    event = {"type": "agent-turn-complete", "thread-id": "c1", "turn-id": "1", "cwd": "/w", "input-messages": ["do it"]}
    done = run_tap(tmp_path, b"", "--agent", "codex", json.dumps(event))
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    (buffer,) = (tmp_path / SPOOL).iterdir()
    assert json.loads(buffer.read_text(encoding="utf-8"))["prompt"] == "do it"


def test_the_standard_library_suffices(tmp_path: Path) -> None:
    for event in (prompt("a"), bash("pytest"), ended()):
        done = subprocess.run(
            [sys.executable, "-c", LOADED],
            input=json.dumps(event).encode(),
            env={**os.environ, "EBMHW_KARL_HOME": str(tmp_path)},
            capture_output=True,
            timeout=60,
            check=False,
        )
        assert (done.returncode, done.stdout.split(b"\n"), done.stderr) == (0, [b"[]", b""], b"")


def test_what_is_loaded_would_be_seen(tmp_path: Path) -> None:
    (tmp_path / "foreign.py").write_text("", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", LOADED.replace("try:", "import foreign\ntry:")],
        input=json.dumps(prompt("a")).encode(),
        env={**os.environ, "EBMHW_KARL_HOME": str(tmp_path), "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.stdout == b"['foreign']\n"


def test_settings_name_every_hook_and_run(tmp_path: Path) -> None:
    made = json.loads(run_tap(tmp_path, b"", "--settings").stdout)
    assert made == settings()
    assert set(made["hooks"]) == set(HOOKS)
    assert made["hooks"]["PostToolUse"][0]["matcher"] == "*"
    (hook,) = made["hooks"]["UserPromptSubmit"][0]["hooks"]
    done = subprocess.run(
        hook["command"],
        shell=True,
        input=json.dumps(prompt("a")).encode(),
        env={**os.environ, "EBMHW_KARL_HOME": str(tmp_path)},
        capture_output=True,
        check=True,
    )
    assert (done.stdout, done.stderr) == (b"", b"")
    assert len(list((tmp_path / SPOOL).iterdir())) == 1
    codex = settings("codex")
    assert "SessionEnd" not in codex["hooks"]
    assert "--agent codex" in codex["hooks"]["Stop"][0]["hooks"][0]["command"]
    assert "'/a b/python' -c" in settings(python="/a b/python")["hooks"]["Stop"][0]["hooks"][0]["command"]
    with pytest.raises(ConfigError, match=r"the agent is 'x'; give one of claude-code, codex"):
        settings("x")
    refused = run_tap(tmp_path, b"", "--settings", "--agent", "x")
    assert refused.returncode == 2
    assert b"give one of" in refused.stderr
    assert b"--settings" in run_tap(tmp_path, b"", "--help").stdout


def test_what_lies_in_the_agents_folder_is_not_run(tmp_path: Path) -> None:
    folder, home = tmp_path / "repository", tmp_path / "h"
    folder.mkdir()
    for name in ("json", "os", "select", "ebmhw", "re", "hashlib", "contextlib", "fcntl"):
        (folder / f"{name}.py").write_text("raise SystemExit(2)", encoding="utf-8")
    (hook,) = settings()["hooks"]["UserPromptSubmit"][0]["hooks"]
    statuses = []
    for command in (hook["command"], f"'{sys.executable}' -m ebmhw.karl.tap"):
        done = subprocess.run(
            command,
            shell=True,
            cwd=folder,
            input=json.dumps(prompt("a")).encode(),
            env={**os.environ, "EBMHW_KARL_HOME": str(home), "PYTHONPATH": "", "PYTHONSAFEPATH": ""},
            capture_output=True,
            check=False,
        )
        statuses.append((done.returncode, done.stdout))
    # Python's own -m runs what lies there.
    assert statuses[0] == (0, b"")
    assert statuses[1][0] != 0
    assert len(list((home / SPOOL).iterdir())) == 1
