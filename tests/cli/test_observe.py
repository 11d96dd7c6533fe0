"""`ebmhw observe`: what it prints of good logs, its status, and one line for whatever is wrong."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from ebmhw.cli.main import main
from ebmhw.coherence import observe
from ebmhw.coherence.observe.curves import printable

RNG = np.random.default_rng(65)
N = 100


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    write("good.jsonl", records())
    write("other.jsonl", records(0.2))
    write("bad.jsonl", [{"step": step, "reward": 0.0} for step in range(20)])
    write("short.jsonl", [{"step": 1, "reward": 0.5}])


def records(shift: float = 0.0) -> list[dict[str, Any]]:
    return [
        {
            "step": step,
            "coherence/phi_mean": shift + 0.3 + step / 400 + RNG.normal(0, 0.01),
            "entropy": 3 - step / 100,
            "reward": shift + step / 100 + RNG.normal(0, 0.05),
            "rewards/task/mean": step / 100,
            "cascade/stage": int(step > 50),
        }
        for step in range(N)
    ]


def write(name: str, lines: list[dict[str, Any]]) -> None:
    Path(name).write_text("".join(json.dumps(line) + "\n" for line in lines))


def records_of(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(name).read_text().splitlines()]


def call(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["observe", *map(str, arguments)], env={"COLUMNS": "100"})


def refused(*arguments: object) -> str:
    result = call(*arguments)
    assert result.exit_code == 2 and result.stdout == "", (result.output, result.exception)
    (said,) = (line for line in result.stderr.splitlines() if line.startswith(("ebmhw: ", "Error: ")))
    return said


@pytest.mark.parametrize(("log", "status", "level"), [("good", 0, "GREEN"), ("bad", 1, "RED"), ("short", 3, "UNKNOWN")])
def test_the_status_is_the_health(log: str, status: int, level: str) -> None:
    for arguments in ((), ("--json",)):
        result = call(f"{log}.jsonl", *arguments)
        assert result.exit_code == status, result.output
    assert json.loads(result.stdout)["health"]["level"] == level


def test_the_view_has_header_table_and_curves() -> None:
    lines = call("good.jsonl").output.splitlines()
    assert lines[0] == "good: 100 steps, 0 to 99" and lines[1] == "phase   ordering (steps 50 to 99)"
    assert lines[2:4] == ["        along the run: steps 0 to 49: ordering", "health  GREEN"]
    (phi,) = (line.split() for line in lines if line.startswith("phi ") and "|" not in line)
    last = json.loads(Path("good.jsonl").read_text().splitlines()[-1])["coherence/phi_mean"]
    assert phi[1] == f"{last:.4g}" and phi[-1] == "rising"
    curves = {line.split()[0]: line for line in lines if "|" in line}
    assert list(curves) == ["phi", "entropy", "reward", "cascade_stage", "reward/task"] and all(len(line) <= 100 for line in curves.values())
    assert re.search(r"\|▁.*█\| 0\.005 to 0\.99", curves["reward/task"])


def test_json_holds_no_nan_and_what_the_help_lists() -> None:
    Path("odd.jsonl").write_text('{"step": 1, "reward": NaN}\nx\n' + Path("good.jsonl").read_text())
    document = json.loads(call("odd.jsonl", "--json").stdout, parse_constant=lambda text: pytest.fail(f"{text} is no JSON"))
    helped = re.findall(r'"(\w+)"', call("--help").stdout.split("--json prints")[1].split("Options:")[0])
    assert list(document) == helped and {"gate", "phase_steps", "summary", "problems", "places"} <= set(helped)
    readme = Path(observe.__file__).with_name("README.md").read_text()
    described = [name for line in readme.splitlines() if line.startswith("| `") for name in re.findall(r"`(\w+)`", line.split("|")[1])]
    assert set(helped) <= set(described)
    assert document["problems"] == {"not-finite": 1, "broken": 1, "restart": 1, "repeated": 1}
    assert document["places"]["broken"] == ["odd.jsonl:2: it is no JSON: Expecting value at character 0"]
    assert document["series"]["phi"]["trend"] == "rising" and document["series"]["phi"]["known"] == N


def test_the_difference_of_two_runs() -> None:
    result = call("good.jsonl", "other.jsonl", "--diff")
    assert result.exit_code == 0
    row = next(line for line in result.output.splitlines() if line.startswith("phi "))
    assert row.endswith("yes") and "phi is apart from step 0 on" in result.output
    document = json.loads(call("good.jsonl", "other.jsonl", "--diff", "--json", "--align", "fraction").stdout)
    (phi,) = (entry for entry in document["differences"] if entry["name"] == "phi")
    assert document["aligned"] == "fraction" and phi["pairs"] == 20 and phi["interval"][0] < 0.2 < phi["interval"][1]
    write("loss.jsonl", [{"step": 1, "loss": 1}])
    assert call("short.jsonl", "loss.jsonl", "--diff").exit_code == 3


def finished(passed: bool, **more: Any) -> None:
    """Leave a run that came to an end, whose completions are all but the same."""
    Path("done").mkdir(exist_ok=True)
    write("done/log.jsonl", [{**record, "diversity": 0.01, "cascade/stage": 0} for record in records()])
    Path("done/gate.json").write_text(json.dumps({"passed": passed, "reasons": [] if passed else ["metric 0.1 is below 0.5"], **more}))


def test_the_gate_stands_in_the_header_and_health_does_not_contradict_it() -> None:
    finished(True)
    result = call("done")
    lines = result.output.splitlines()
    assert result.exit_code == 0 and lines[lines.index("health  YELLOW") - 1] == "gate    passed"
    assert any("diversity 0.010, but the evaluation gate passed the run" in line for line in lines)
    assert any(line.endswith("the cascade never opened") for line in lines)
    finished(False)
    result = call("done")
    assert result.exit_code == 1 and "gate    failed: metric 0.1 is below 0.5" in result.output.splitlines()
    assert json.loads(call("done", "--json").stdout)["gate"] == {"passed": False, "reasons": ["metric 0.1 is below 0.5"]}
    finished(True)
    os.utime("done/gate.json", (0, 0))  # older than the log: it judged another adapter
    result = call("done")
    assert result.exit_code == 1 and "gate " not in result.output and "the cascade has not opened yet" in result.output
    Path("done/config.yaml").write_text("steps: 99\n")
    assert "the cascade never opened" in call("done").output and "100 steps, 0 to 99, of 99 planned" in call("done").output
    Path("done/config.yaml").write_text("steps: 200\n")
    assert "the cascade has not opened yet" in call("done").output


def test_a_run_against_itself_is_equal() -> None:
    result = call("good.jsonl", "good.jsonl", "--diff")
    assert result.exit_code == 0 and "A and B are equal: the same values of all 4 series at all 100 steps" in result.output
    assert "|" not in result.output and json.loads(call("good.jsonl", "good.jsonl", "--diff", "--json").stdout)["equal"] is True
    assert json.loads(call("good.jsonl", "other.jsonl", "--diff", "--json").stdout)["equal"] is False


def test_curves_of_two_runs_share_axis_and_scale() -> None:
    write("half.jsonl", records(5.0)[:50])
    lines = call("good.jsonl", "half.jsonl", "--diff").output.splitlines()
    a, b = (next(line for line in lines if line.startswith(f"{label} reward |")) for label in "AB")
    assert a.split("|")[2] == b.split("|")[2] and len(a) == len(b)
    # The second run, 5 higher, ends in the middle of the axis; what the first has is in the lowest blocks.
    drawn = b.split("|")[1]
    assert abs(drawn.count("·") - len(drawn) / 2) <= 1 and drawn.rstrip("·") == "".join(drawn.split("·")) and set(a.split("|")[1]) <= set("▁▂")
    assert "reward, steps 0 to 99, one scale" in lines
    assert not any(line.startswith("cascade") for line in lines)


def test_a_useless_log_is_told_with_its_path_once() -> None:
    Path("x.jsonl").write_text("hello\n[1]\n\nworld\n")
    said = refused("x.jsonl")
    assert said.count("x.jsonl") == 1
    assert all(f"line {number}: " in said for number in (1, 2, 4)) and "line 2: it is [1], no object" in said


def test_pictures_are_png() -> None:
    pytest.importorskip("matplotlib")
    assert call("good.jsonl", "--plot", "a.png").exit_code == 0 and call("good.jsonl", "other.jsonl", "--diff", "--plot", "b.png").exit_code == 0
    assert all(Path(name).read_bytes().startswith(b"\x89PNG") for name in ("a.png", "b.png"))
    write("none.jsonl", [{"step": 1, "learning_rate": 1}])
    result = call("none.jsonl", "--plot", "c.png")
    assert "c.png is not written: there is no curve to draw" in result.stderr and not Path("c.png").exists()


def test_wrong_use_is_refused_in_one_line() -> None:
    assert "give PATH OTHER --diff" in refused("good.jsonl", "other.jsonl")
    assert "give PATH OTHER --diff" in refused("good.jsonl", "--diff")
    assert "leave --follow and --serve out" in refused("good.jsonl", "other.jsonl", "--diff", "--follow")
    assert "--align says how --diff pairs values" in refused("good.jsonl", "--align", "step")
    assert "--idle ends --follow" in refused("good.jsonl", "--idle", "1")
    assert "does not end in .png" in refused("good.jsonl", "--plot", "x.jpg")
    assert "is no number of seconds from 0.05 to 3600" in refused("good.jsonl", "--interval", "nan")
    assert "x.jsonl: there is no such file; check the path" in refused("x.jsonl")
    assert "[invalid-file]" in refused(".")
    assert "give PORT or HOST:PORT" in refused("good.jsonl", "--serve", "x")
    assert "[timeout]" in refused("x.jsonl", "--follow", "--wait", "0.1", "--interval", "0.05")


def test_following_prints_a_line_for_each_step_and_ends_with_the_view() -> None:
    result = call("good.jsonl", "--follow", "--idle", "0.1", "--interval", "0.05")
    lines = result.output.splitlines()
    assert result.exit_code == 0 and lines[0].split() == ["step", "phi", "reward", "task", "diversity", "dispersion", "stage"]
    rows = lines[1 : N + 1]
    assert [line.split()[0] for line in rows] == [str(step) for step in range(N)] and lines[N + 1] == "good: 100 steps, 0 to 99"
    assert len({len(line) for line in lines[: N + 1]}) == 1 and len(lines[0]) <= 80
    first = records_of("good.jsonl")[0]
    assert rows[0].split() == ["0", f"{first['coherence/phi_mean']:.4g}", f"{first['reward']:.4g}", "0", "-", "-", "0"]
    result = call("good.jsonl", "--follow", "--idle", "0.1", "--interval", "0.05", "--json")
    assert [json.loads(line)["steps"] for line in result.stdout.splitlines()] == [N]


def test_texts_of_a_log_do_not_reach_the_terminal_as_controls() -> None:
    write("a.jsonl", [{"step": step, "rewards/\x9b31m\u202e/mean": 0.5} for step in range(9)])
    output = call("a.jsonl").output
    assert "\x9b" not in output and "\u202e" not in output and printable("a\x1b[31m") == "a?[31m"


@pytest.mark.skipif(os.name != "posix", reason="Ctrl-C is a signal there")
def test_serving_and_following_end_with_ctrl_c() -> None:
    command = [sys.executable, "-m", "ebmhw", "observe", "late.jsonl", "--follow", "--serve", "0", "--interval", "0.05"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stderr is not None
        said = process.stderr.readline()
        assert re.fullmatch(r"serving http://127\.0\.0\.1:\d+/metrics\n", said)
        write("late.jsonl", records())
        assert process.stdout.readline().split()[:2] == ["step", "phi"] and process.stdout.readline().split()[0] == "0"
        with urllib.request.urlopen(said.split()[1], timeout=10) as answer:
            assert 'ebmhw_observe_step{run="late"} 99\n' in answer.read().decode()
        time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    assert process.returncode == 0 and err == "stopped\n" and "health  GREEN" in out
