"""`ebmhw train`: what is wrong is one line and status 2; a run prints its steps, its summary and the gate's decision."""

from __future__ import annotations

import importlib
import json
import os
import re
import signal
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result
from training_models import make_model, run_of

from ebmhw.cli.main import main
from ebmhw.coherence.training import RunConfig

# The command has the name of its module, which hides the module from "import ... as".
module = importlib.import_module("ebmhw.cli.train")

OPEN_GATE = {"metric_threshold": 0.0, "phi_floor": 0.0, "discontinuity": [0.0, 1.0], "examples": 10, "base": False}


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("EBMHW_BACKEND", raising=False)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.chdir(tmp_path)


def call(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["train", *map(str, arguments)])


def refused(*arguments: object) -> str:
    result = call(*arguments)
    assert result.exit_code == 2 and isinstance(result.exception, SystemExit) and result.stdout == "", (result.output, result.exception)
    (said,) = (line for line in result.stderr.splitlines() if line.startswith(("ebmhw: ", "Error: ")))
    return said


def write(data: Any, name: str = "run.yaml") -> str:
    Path(name).write_text(data if isinstance(data, str) else yaml.safe_dump(data))
    return name


# --- without torch


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("steps: ten", "ebmhw: run.yaml: steps is 'ten'; give a whole number, 1 to 10000000 [config]"),
        (
            "lora: {rnak: 8}",
            "ebmhw: run.yaml: the key lora.rnak does not exist; did you mean lora.rank? [config]",
        ),
        ("output: no", "ebmhw: run.yaml: output is False; give the path of a folder; YAML reads no, yes, on and off as false and true: put them in"),
        ("a: [", "ebmhw: run.yaml:"),
    ],
)
def test_a_wrong_configuration_is_one_line(text, said):
    assert refused(write(text)).startswith(said)


def test_wrong_use_is_status_2():
    write({})
    assert "exclude each other" in refused("run.yaml", "--resume", "--overwrite")
    assert "0 is not in the range" in refused("run.yaml", "--steps", 0)
    assert refused("nowhere.yaml") == "ebmhw: nowhere.yaml: cannot be read: No such file or directory; give the path of a YAML file [config]"


def test_without_its_libraries_the_command_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "datasets", None)
    assert refused(write({})).endswith("pip install 'ebmhw[train]' [missing-extra]")
    assert not Path("run").exists()


def test_options_override_the_file():
    found = module._config(write({"steps": 3, "output": "a"}), 5, "b")
    assert (found.steps, found.output) == (5, "b") and module._config("run.yaml", None, None) == RunConfig(steps=3, output="a")
    assert module._resuming("run.yaml", 5, None) == "ebmhw train run.yaml --steps 5 --resume"


@pytest.mark.parametrize(("seconds", "said"), [(0.4, "0 s"), (119, "119 s"), (150, "2 min"), (7199.7, "2 h 00 min"), (9000, "2 h 30 min")])
def test_durations(seconds, said):
    assert module.duration(seconds) == said


# --- with it


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    for needed in ("torch", "transformers", "trl", "peft", "datasets"):
        pytest.importorskip(needed)
    return make_model(tmp_path_factory.mktemp("model"))


def run(model: Path, **changed: Any) -> str:
    return write(run_of(model, Path("run"), **{"steps": 2, **changed}))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_run_from_a_file(model):
    path = run(model, gate=OPEN_GATE, cascade={"start": 1})
    planned = call(path, "--dry-run")
    assert planned.exit_code == 0 and "2 steps of 2 x 2 completions" in planned.stdout and not Path("run").exists(), planned.output
    assert json.loads(call(path, "--dry-run", "--json").stdout)["config"]["steps"] == 2
    result = call(path)
    assert result.exit_code == 0, (result.output, result.exception)
    steps = [line for line in result.stderr.splitlines() if line.startswith("step ")]
    assert len(steps) == 2 and steps[0].startswith("step 1/2  reward ") and "  stage task  " in steps[0] and "  stage coherence  " in steps[1]
    assert "gate: passed" in result.stdout and "cascade: opened at step 1" in result.stdout and "warning" not in result.output
    assert re.search(r"^mean over +first 1 step +last 1 step$", result.stdout, re.M) and "rewards/" not in result.stdout
    assert re.search(r"^task_reward +[-\d.]+ +[-\d.]+$", result.stdout, re.M) and re.search(r"^2 steps, ", result.stdout, re.M)
    assert "holds a run already" in refused(path)
    closed = run(model, gate={**OPEN_GATE, "metric_threshold": 0.9}, cascade={"start": 1})
    again = call(closed, "--resume", "--json")
    assert again.exit_code == 1, (again.output, again.exception)
    told = json.loads(again.stdout)
    assert told["gate"]["passed"] is False and told["steps"] == 2 and told["ended"] == "finished"
    assert (told["cascade"], told["fired_at"], told["window"], told["asked_steps"], told["notices"]) == ("open", 1, 1, 2, [])


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_cascade_that_cannot_open_is_said_before_and_after(model):
    path = run(model, cascade={"signal": "reward"}, steps=1)
    said = "warning: the reward of coherence cannot join: a cascade by the signal reward opens at step 60 at the earliest"
    planned = call(path, "--dry-run")
    assert planned.stderr.startswith(said) and "opens by reward, at step 60 at the earliest" in planned.stdout and "1 step of 2 x 2" in planned.stdout
    without = run(model, cascade={"signal": "reward"}, steps=1, rewards={"task_reward": 1.0})
    assert "cascade        holds nothing back" in (quiet := call(without, "--dry-run")).stdout and quiet.stderr == ""
    path = run(model, cascade={"signal": "reward"}, steps=1)
    assert json.loads(call(path, "--dry-run", "--json").stdout)["notices"] == [planned.stderr.strip().removeprefix("warning: ")]
    result = call(path)
    assert result.exit_code == 0 and result.stderr.startswith(said), (result.output, result.exception)
    assert result.stderr.count("warning: ") == 1 and "cascade: never opened" in result.stdout
    assert "  stage task  " in result.stderr and "phase" not in result.stderr
    assert re.search(r"^mean over +1 step$", result.stdout, re.M) and re.search(r"^1 step, ", result.stdout, re.M)
    told = json.loads(call(path, "--resume", "--json").stdout)
    assert (told["cascade"], told["fired_at"], len(told["notices"])) == ("closed", None, 1)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_dry_run_counts_the_lines_of_each_split(model):
    Path("few.jsonl").write_text("".join(json.dumps({"prompt": f"{i}?", "answer": i}) + "\n" for i in range(20)))
    path = run(model, task="few.jsonl", gate={**OPEN_GATE, "examples": 32})
    assert "32 examples of the split 'eval' of task few are asked for; of few.jsonl, 20 lines, it has " in refused(path, "--dry-run")
    assert call(run(model, task="few.jsonl"), "--dry-run").exit_code == 0


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_an_interrupt_tells_how_to_go_on(model, monkeypatch):
    path = run(model)
    show = module._progress

    def interrupting() -> Any:
        inner = show()

        def told(step: Any) -> None:
            inner(step)
            if step.step == 1:
                os.kill(os.getpid(), signal.SIGINT)

        return told

    monkeypatch.setattr(module, "_progress", interrupting)
    result = call(path, "--steps", 3)
    assert result.exit_code == 130, (result.output, result.exception)
    assert re.match(r"step 1/3  reward \S+  phi \S+  phase (gaseous|liquid|crystalline)  ", result.stderr)
    assert result.stdout.splitlines()[0] == "interrupted after step 2 of 3; to go on: ebmhw train run.yaml --steps 3 --resume"
    monkeypatch.setattr(module, "_progress", show)
    assert call(path, "--steps", 3, "--resume").exit_code == 0
    assert [json.loads(line)["step"] for line in Path("run/log.jsonl").read_text().splitlines()] == [1, 2, 3]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_failing_step_is_named(model, monkeypatch):
    def failing() -> Any:
        def told(step: Any) -> None:
            raise OSError("disk full")

        return told

    monkeypatch.setattr(module, "_progress", failing)
    assert refused(run(model)).startswith("ebmhw: step 1 of 2 failed: OSError: disk full; there is no checkpoint yet; ")
