"""`ebmhw backends`: what it lists, the calibration that it keeps, and explanations that hold when computed again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from auto_boards import model_board, record
from click.testing import CliRunner, Result

import ebmhw
from ebmhw.backends.auto.calibration import Calibrations, board_key, cpu_key, read_calibrations
from ebmhw.backends.auto.cost import PARTS, ProgramLoad, RunWork
from ebmhw.backends.auto.fit import Fit
from ebmhw.backends.cpu import CpuBackend
from ebmhw.cli import backends as command
from ebmhw.cli.main import main

GRAPH = "6 7\n1 2 1\n2 3 -1\n3 4 1\n4 5 1\n5 6 1\n6 1 1\n1 4 1\n"


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.delenv("EBMHW_BACKEND", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "ebmhw" / "calibration.json"


@pytest.fixture
def graph(tmp_path: Path) -> Path:
    path = tmp_path / "graph.txt"
    path.write_text(GRAPH)
    return path


@pytest.fixture
def board(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A board of models in place of the KV260."""
    made = model_board(lanes=64, slots=16)
    monkeypatch.setattr(command, "_board", lambda name, threads: made)
    return made


def call(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["backends", *(str(a) for a in arguments)])


def good(*arguments: object) -> Any:
    result = call(*arguments, "--json")
    assert result.exit_code == 0, (result.output, result.exception)
    return json.loads(result.stdout)


def refused(*arguments: object) -> str:
    result = call(*arguments)
    assert result.exit_code == 2 and result.stdout == "" and "Traceback" not in result.stderr, (result.output, result.exception)
    return result.stderr.splitlines()[-1]


def keep(path: Path, *, board: Any = None, cpu_start: float = 1e-3, board_start: float = 1e-4) -> None:
    """Write calibrations of one thread of the CPU and of a board."""
    cpu = CpuBackend(threads=1)
    known = Calibrations(path)
    run = {"start": cpu_start, "metropolis rows": 1e-6, "gibbs rows": 2e-6}
    known = known.with_record(record("cpu", run, {"entries of 16 bits": 1e-9}, cpu_key(1, cpu.instruction_set)))
    if board is not None:
        known = known.with_record(record(board.name, {"start": board_start, "cycles": 1e-8}, {"cycles": 1e-8}, board_key(board)))
    known.write()


# --- explain


def test_an_explanation_is_what_the_calibration_gives(graph: Path, cache: Path, board: Any) -> None:
    keep(cache, board=board)
    told = good("--explain", graph, "--reads", 40, "--sweeps", 300, "--rule", "gibbs", "--threads", 1)
    program = ebmhw.read(graph).model.compile()
    import numpy as np

    work = RunWork(ProgramLoad(program), np.zeros(0, dtype=np.int32), 40, 300, 300, 0, "gibbs")
    counts = work.on_cpu(1, fresh=True)
    assert told["file"] == str(graph) and told["work"] == "6 spins, 7 terms, 40 reads of 300 sweeps, gibbs"
    cpu, other = told["backends"]
    # Two groups of 32 reads, 300 sweeps, 6 rows.
    assert cpu["backend"] == "cpu" and cpu["expected"]["seconds"] == pytest.approx(1e-3 + 2e-6 * 2 * 300 * 6) and counts["gibbs rows"] == 3600
    assert cpu["expected"]["parts_s"]["updates"] == pytest.approx(2e-6 * 3600) and cpu["missing"] is None
    assert sum(other["expected"]["parts_s"].values()) == pytest.approx(other["expected"]["seconds"])
    assert other["expected"]["parts_s"]["cycles"] > 1e-8 * 300 * 6 and set(other["expected"]["parts_s"]) == set(PARTS["board run"].values())
    assert told["chosen"] == "model" or other["backend"] == "kv260"
    text = call("--explain", graph, "--reads", 40, "--sweeps", 300, "--rule", "gibbs", "--threads", 1).stdout.splitlines()
    assert text[0] == told["work"] and text[1].startswith("  cpu: 8.2 ms, within a factor of 1.2 (updates 7.2 ms, start 1 ms)")
    assert text[-1] == f"  {told['because']}" and text[-1].startswith("  auto: kv260 is expected to take ")


def test_more_sweeps_turn_the_choice(graph: Path, cache: Path, board: Any) -> None:
    keep(cache, board=board, cpu_start=1e-6, board_start=5e-3)
    chosen = [good("--explain", graph, "--reads", 4, "--sweeps", sweeps, "--threads", 1)["chosen"] for sweeps in (1, 10, 100, 1000, 10_000)]
    assert chosen == sorted(chosen) and set(chosen) == {"cpu", "kv260"}


def test_what_is_missing_is_told(graph: Path, cache: Path) -> None:
    told = good("--explain", graph)
    assert [one["expected"] for one in told["backends"]] == [None, None] and told["chosen"] == "cpu"
    assert told["backends"][0]["missing"] == "cpu is not calibrated; run `ebmhw backends --calibrate`"
    assert "no device tree" in told["backends"][1]["missing"] or "no design" in told["backends"][1]["missing"]
    assert told["because"].startswith("auto: cpu, since ")
    keep(cache)
    told = good("--explain", graph, "--threads", 1)
    assert told["backends"][0]["expected"]["seconds"] > 0 and told["chosen"] == "cpu"
    assert "its threads was 1, now it is 3" in good("--explain", graph, "--threads", 3)["backends"][0]["missing"]
    cache.write_text("{")
    assert "is damaged" in good("--explain", graph)["backends"][0]["missing"]
    assert "is damaged" in call("--explain", graph).stdout


def test_a_board_that_is_not_calibrated_is_told(graph: Path, cache: Path, board: Any) -> None:
    keep(cache)
    other = good("--explain", graph, "--threads", 1)["backends"][1]
    assert other["expected"] is None and other["missing"] == "model is not calibrated; run `ebmhw backends --calibrate`"


def test_the_remedy_names_the_board_that_was_asked_for(graph: Path, cache: Path, board: Any) -> None:
    command = "run `ebmhw backends --calibrate --board simulated`"
    told = good("--explain", graph, "--board", "simulated")
    assert [one["missing"] for one in told["backends"]] == [f"cpu is not calibrated; {command}", f"model is not calibrated; {command}"]
    keep(cache)
    assert call("--explain", graph, "--threads", 1, "--board", "simulated").stdout.count(command) == 2
    assert command in good("--explain", graph, "--threads", 3, "--board", "simulated")["backends"][0]["missing"]


def test_without_a_file_typical_work_is_explained(cache: Path, board: Any) -> None:
    keep(cache, board=board)
    told = good("--explain", "--threads", 1)
    assert len(told) == 15 and {one["chosen"] for one in told} <= {"cpu", "kv260"}
    # The model holds 512 spins.
    large = [one for one in told if one["work"].startswith("8192 spins")]
    assert len(large) == 3 and all("takes 512" in one["backends"][1]["missing"] and one["chosen"] == "cpu" for one in large)
    lines = call("--explain", "--threads", 1).stdout.splitlines()
    assert lines[0].split()[0] == "work" and sum(" reads of 1000 sweeps" in line for line in lines) == 12
    assert any(line.startswith("missing: the program has 8192 spins") for line in lines)


# --- calibrate


def test_calibration_is_kept_and_shown(cache: Path, board: Any) -> None:
    told = good("--calibrate", "--seconds", 2, "--threads", 1)
    assert told["path"] == str(cache) and [one["backend"] for one in told["records"]] == ["cpu", "model"]
    known = read_calibrations()
    assert known.damage is None and [one.to_dict() for one in known.records] == told["records"]
    assert all(isinstance(one.run, Fit) and one.phi is not None and one.run.points >= 5 for one in known.records)
    lines = call("--calibrate", "--seconds", 2, "--threads", 1).stdout.splitlines()
    assert lines[0].split()[:3] == ["backend", "of", "measurements"] and lines[-1] == f"kept in {cache}" and len(lines) == 7
    assert len(read_calibrations().records) == 2


def test_a_damaged_calibration_is_written_anew_and_a_busy_machine_told(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getloadavg", lambda: (1e3, 1.0, 1.0))
    cache.parent.mkdir(parents=True)
    cache.write_text("{")
    result = call("--calibrate", "--seconds", 2, "--threads", 1)
    assert result.exit_code == 0 and "is damaged" in result.stderr and "it is written anew" in result.stderr
    assert "only the CPU is measured: " in result.stderr and "the machine is busy (load 1000.0 on " in result.stderr
    assert [one.backend for one in read_calibrations().records] == ["cpu"]


def test_a_place_that_cannot_be_written_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert "XDG_CACHE_HOME" in refused("--calibrate", "--seconds", 2, "--threads", 1)


@pytest.mark.parametrize("known", [True, False])
def test_ctrl_c_keeps_the_old_calibration(cache: Path, known: bool) -> None:
    if known:
        keep(cache)
    before = cache.read_bytes() if known else None
    arguments = [sys.executable, "-m", "ebmhw", "backends", "--calibrate", "--seconds", "50", "--threads", "1"]
    running = subprocess.Popen(arguments, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=dict(os.environ))
    assert running.stderr is not None
    assert any("only the CPU is measured" in running.stderr.readline() for _ in range(2))
    time.sleep(1.0)
    running.send_signal(signal.SIGINT)
    out, error = running.communicate(timeout=30)
    assert running.returncode == 130 and out == "", error
    told = f"the calibration in {cache} is left as it was" if known else "no calibration was kept; there was none before"
    assert error.splitlines() == [told, "stopped"]
    assert (cache.read_bytes() == before and os.listdir(cache.parent) == [cache.name]) if known else not cache.exists()


# --- wrong use


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--explain", "--calibrate"), "are two things; calibrate first, then explain"),
        (("x.txt",), "x.txt is given without --explain; say `ebmhw backends --explain x.txt`"),
        (("--calibrate", "x.txt"), "x.txt is given without --explain"),
        (("--calibrate", "--seconds", 61), "61"),
        (("--calibrate", "--seconds", "nan"), "nan"),
        (("--explain", "--board", "zcu102"), "zcu102"),
        (("--explain", "missing.txt"), "missing.txt"),
        (("--explain", "--reads", 0), "0"),
    ],
)
def test_wrong_use_is_one_line(arguments: tuple[Any, ...], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert told in refused(*arguments)
