"""One process at a time writes a run's folder: real processes, without torch."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from ebmhw.coherence.training import RunConfig
from ebmhw.coherence.training.folder import RunFolder
from ebmhw.errors import ConfigError
from ebmhw.lock import NAME, locked

pytest.importorskip("fcntl")

RUN = """
import sys
from pathlib import Path
from ebmhw.coherence.training import RunConfig
from ebmhw.coherence.training.folder import RunFolder
from ebmhw.lock import locked
from ebmhw.errors import ConfigError
mode, folder = sys.argv[1], RunFolder(sys.argv[2])
config = RunConfig(output=sys.argv[2])
try:
    with locked(folder.path):
        if mode == "resume":
            folder.resume(config)
        else:
            folder.begin(config, overwrite=mode == "overwrite")
        folder.log.append({"step": 1, "by": mode})
        print("holds", flush=True)
        sys.stdin.readline()
except ConfigError as error:
    print(error, flush=True)
"""

COUNT = """
import contextlib, sys, time
from pathlib import Path
from ebmhw.lock import locked
from ebmhw.errors import ConfigError
folder, counter = Path(sys.argv[2]), Path(sys.argv[2], "counter")
sys.stdin.readline()
done = 0
while done < 20:
    try:
        with locked(folder) if sys.argv[1] == "locked" else contextlib.nullcontext():
            value = int(counter.read_text())
            time.sleep(0.002)
            counter.write_text(str(value + 1))
        done += 1
    except (ConfigError, ValueError):
        time.sleep(0.001)
"""


def start(program: str, *given: object) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", program, *map(str, given)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def said(run: subprocess.Popen[str]) -> str:
    assert run.stdout is not None
    return run.stdout.readline().strip()


def end(run: subprocess.Popen[str]) -> None:
    run.communicate("\n", timeout=20)


def test_a_second_run_is_refused_and_a_reader_is_not(tmp_path: Path) -> None:
    first = start(RUN, "new", tmp_path)
    try:
        assert said(first) == "holds"
        for mode in ("overwrite", "resume"):
            second = start(RUN, mode, tmp_path)
            assert said(second).startswith(f"output {tmp_path} is being written by a run of process {first.pid}; wait for its end, or end it")
            end(second)
        assert [record["by"] for record in RunFolder(tmp_path).log.records()] == ["new"]
        assert RunConfig.from_yaml(tmp_path / "config.yaml").output == str(tmp_path) and not RunFolder(tmp_path).checkpoints()
    finally:
        end(first)
    assert {path.name for path in tmp_path.iterdir()} == {"config.yaml", "log.jsonl"}
    third = start(RUN, "overwrite", tmp_path)
    assert said(third) == "holds"
    end(third)


def test_the_hold_ends_with_its_process(tmp_path: Path) -> None:
    killed = start(RUN, "new", tmp_path)
    assert said(killed) == "holds"
    killed.kill()
    killed.communicate()
    assert (tmp_path / NAME).read_text() == f"{killed.pid}\n"
    again = start(RUN, "resume", tmp_path)
    assert said(again) == "holds"
    assert (tmp_path / NAME).read_text() == f"{again.pid}\n"
    end(again)
    assert not (tmp_path / NAME).exists()


@pytest.mark.parametrize("mode", ["locked", "free"])
def test_processes_that_race_never_hold_it_together(tmp_path: Path, mode: str) -> None:
    """Each adds to a counter what it read before; additions are lost where two do so at once, as without the lock."""
    (tmp_path / "counter").write_text("0")
    runs = [start(COUNT, mode, tmp_path) for _ in range(4)]
    for run in runs:
        assert run.stdin is not None
        run.stdin.write("go\n")
        run.stdin.flush()
    for run in runs:
        run.communicate(timeout=60)
        assert run.returncode == 0
    count = (tmp_path / "counter").read_text()
    assert count == "80" if mode == "locked" else count != "80"


def test_threads_of_one_process_are_kept_apart_too(tmp_path: Path) -> None:
    found = []

    def work() -> None:
        try:
            with locked(tmp_path):
                found.append("in")
        except ConfigError as error:
            found.append(str(error))

    with locked(tmp_path):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    work()
    assert f"process {os.getpid()};" in found[0] and found[1] == "in"


def test_folders_that_cannot_be_held(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"output .* cannot be written: .*; give another folder"), locked(tmp_path / "file" / "x"):
        pass
    for kind in ("pipe", "link"):
        folder = tmp_path / kind
        folder.mkdir()
        if kind == "pipe":
            os.mkfifo(folder / NAME)
        else:
            (folder / NAME).symlink_to(tmp_path / "file")
        with pytest.raises(ConfigError, match=r"is no regular file; remove it|cannot be written"), locked(folder):
            pass
    assert (tmp_path / "file").read_text() == ""


def test_a_folder_that_was_removed_and_made_anew_keeps_its_own_lock(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with locked(folder):
        folder.rename(tmp_path / "old")
        other = start(RUN, "new", folder)
        assert said(other) == "holds"
    assert (folder / NAME).read_text() == f"{other.pid}\n"
    end(other)
    with pytest.raises(RuntimeError, match="no"), locked(folder):
        raise RuntimeError("no")
    assert not (folder / NAME).exists()
