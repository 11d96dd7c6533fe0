"""Runs of Trackio, as its library writes and reads them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ebmhw.coherence.observe.reading import open_log, read_run
from ebmhw.errors import InvalidFile, MissingExtra

LOGGED = """
import sys, trackio
for project, name, count in (("one", "a", 5), ("two", "a", 3), ("two", "b", 4)):
    trackio.init(project=project, name=name)
    for step in range(count):
        trackio.log({"trace/phi_mean": 0.5 + step / 100, "reward": float("nan") if step == 1 else step, "note": "x"}, step=10 * step)
    trackio.finish()
"""


def test_without_the_library_its_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "trackio", None)
    with pytest.raises(MissingExtra, match=r"pip install 'ebmhw\[observe\]'"):
        open_log("trackio:project/run")
    with pytest.raises(InvalidFile, match="give trackio:PROJECT or trackio:PROJECT/RUN"):
        open_log("trackio:")


@pytest.fixture(scope="module")
def projects(tmp_path_factory: pytest.TempPathFactory) -> Any:
    storage = pytest.importorskip("trackio.sqlite_storage")
    import os

    folder = tmp_path_factory.mktemp("trackio")
    # In another process: the library keeps threads, and says what it does on standard output.
    subprocess.run(
        [sys.executable, "-c", LOGGED],
        env={**os.environ, "TRACKIO_DIR": str(folder), "HF_HUB_OFFLINE": "1"},
        check=True,
        capture_output=True,
        timeout=120,
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(storage, "TRACKIO_DIR", folder)
        yield folder


def test_runs_of_local_projects_are_read(projects: Path) -> None:
    run = read_run("trackio:one")
    assert run.name == "a" and run.series("phi").steps.tolist() == [0, 10, 20, 30, 40]
    assert run.series("phi").values.tolist() == [0.5, 0.51, 0.52, 0.53, 0.54]
    assert run.series("reward").values.tolist() == [0, 2, 3, 4] and run.problems.counts == {"not-finite": 1}
    assert run.series("time").values.size == 5
    assert len(read_run("trackio:two/b", name="x")) == 4


def test_projects_and_runs_that_are_not_there_are_refused_with_those_that_are(projects: Path) -> None:
    with pytest.raises(InvalidFile, match=r"has no project 'three'; it has 'one', 'two'"):
        read_run("trackio:three")
    with pytest.raises(InvalidFile, match=r"the project has several runs; give trackio:two/RUN with one of 'a', 'b'"):
        read_run("trackio:two")
    with pytest.raises(InvalidFile, match=r"the project has no run 'c'"):
        read_run("trackio:two/c")


def test_what_is_logged_later_is_read_at_the_next_poll(projects: Path) -> None:
    import json
    import sqlite3
    from contextlib import closing

    reader = open_log("trackio:one/a")
    assert (reader.poll(), reader.poll()) == (5, 0)
    with closing(sqlite3.connect(projects / "one.db")) as connection, connection:
        row = connection.execute("SELECT run_id, timestamp, run_name FROM metrics LIMIT 1").fetchone()
        connection.execute(
            "INSERT INTO metrics (run_id, timestamp, run_name, step, metrics) VALUES (?, ?, ?, ?, ?)", (*row, 50, json.dumps({"reward": 9}))
        )
    assert reader.poll() == 1 and reader.run.latest("reward") == 9
    reader.close()
