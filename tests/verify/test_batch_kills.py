"""A batch that is killed, at any moment and by whatever, and resumed is what it would have been; nothing of it stays behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import batch_pipelines
import pytest

from ebmhw.verify.batch.options import BatchOptions
from ebmhw.verify.batch.run import run_batch

GO = """
import sys, batch_pipelines
from ebmhw.verify.batch.options import BatchOptions
from ebmhw.verify.batch.run import run_batch
if __name__ == "__main__":
    report = run_batch("in.jsonl", "out.jsonl", BatchOptions(limit_seconds=float(sys.argv[1])), workers=2, resume=True, make=batch_pipelines.make)
    print(report.interrupted, report.tally.records)
"""

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}


def records_of(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "out.jsonl").read_bytes().splitlines()]


def without_times(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{key: value for key, value in record.items() if key != "seconds"} for record in records]


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_run_goes_on_to_what_it_would_have_been(tmp_path: Path, ending: signal.Signals) -> None:
    responses = [("right nap", "wrong nap", "perhaps nap")[i % 3] for i in range(90)]
    lines = [json.dumps({"question": "Is it?", "response": response}) for response in responses]
    (tmp_path / "in.jsonl").write_text("\n".join(lines))
    (tmp_path / "go.py").write_text(GO)
    kills, children = 0, set()
    for target in (5, 30, 91):
        with subprocess.Popen(
            [sys.executable, "go.py", "30"], cwd=tmp_path, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True, start_new_session=True
        ) as process:
            while process.poll() is None and count_lines(tmp_path) < target:
                time.sleep(0.005)
            children |= children_of(process.pid)
            if process.poll() is None:
                # Ctrl-C goes to every process of the terminal.
                if ending == signal.SIGINT:
                    os.killpg(process.pid, ending)
                else:
                    process.send_signal(ending)
                kills += 1
            said = process.communicate(timeout=60)[0]
        if ending == signal.SIGINT:
            assert said == f"{target < 91} {count_lines(tmp_path)}\n"
            assert process.returncode == 0
    assert kills == 2
    records = records_of(tmp_path)
    assert [record["line"] for record in records] == list(range(1, 91))
    again = tmp_path / "again"
    again.mkdir()
    (again / "in.jsonl").write_bytes((tmp_path / "in.jsonl").read_bytes())
    run_batch(again / "in.jsonl", again / "out.jsonl", BatchOptions(limit_seconds=30.0), make=batch_pipelines.make)
    assert without_times(records_of(again)) == without_times(records)
    deadline = time.monotonic() + 10
    while any(Path(f"/proc/{child}").exists() for child in children) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not [child for child in children if Path(f"/proc/{child}").exists()]


def test_time_that_a_terminal_stopped_does_not_count(tmp_path: Path) -> None:
    lines = [json.dumps({"question": "Is it?", "response": "right nap"})] * 60
    (tmp_path / "in.jsonl").write_text("\n".join(lines))
    code = GO.replace("if __name__", "import ebmhw.verify.batch.run as run\nrun.GRACE_SECONDS = 0.0\nif __name__")
    (tmp_path / "go.py").write_text(code)
    with subprocess.Popen([sys.executable, "go.py", "1.5"], cwd=tmp_path, env=ENVIRONMENT, start_new_session=True) as process:
        while process.poll() is None and count_lines(tmp_path) < 5:
            time.sleep(0.005)
        os.killpg(process.pid, signal.SIGSTOP)
        time.sleep(3)
        os.killpg(process.pid, signal.SIGCONT)
        assert process.wait(timeout=60) == 0
    assert [record["verdict"] for record in records_of(tmp_path)] == ["VERIFIED"] * 60


def count_lines(folder: Path) -> int:
    return (folder / "out.jsonl").read_bytes().count(b"\n") if (folder / "out.jsonl").exists() else 0


def children_of(pid: int) -> set[int]:
    try:
        return {int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}
    except OSError:
        return set()
