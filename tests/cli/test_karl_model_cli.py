"""`ebmhw karl train` and `eval` with a tiny random model; what is wrong without one is one line."""

from __future__ import annotations

import importlib
import json
import os
import random
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result
from karl_models import make_model, run_of

from ebmhw.cli.main import main
from ebmhw.karl import Store

# Warnings of torch, transformers, TRL and peft about themselves are theirs.
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("EBMHW_KARL_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.chdir(tmp_path)


def call(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["karl", *map(str, arguments)])


def told(*arguments: object) -> Any:
    result = call(*arguments, "--json")
    assert result.exit_code == 0, (result.output, result.exception)
    return json.loads(result.stdout, parse_constant=lambda name: pytest.fail(f"JSON holds {name}"))


def refused(*arguments: object) -> str:
    result = call(*arguments)
    assert result.exit_code == 2 and isinstance(result.exception, SystemExit) and result.stdout == "", (result.output, result.exception)
    (said,) = (line for line in result.stderr.splitlines() if line.startswith(("ebmhw: ", "Error: ")))
    assert "Traceback" not in result.stderr
    return said


def write_logs(count: int = 40) -> Path:
    lines = []
    for place in range(count):
        draw = random.Random(place)
        said: list[dict[str, Any]] = [{"role": "user", "content": f"fix part {place}"}]
        for number in range(draw.choice([2, 3, 4])):
            function = {"name": draw.choice(["Read", "Edit", "Grep"]), "arguments": json.dumps({"file_path": "a.py"})}
            said.append({"role": "assistant", "content": None, "tool_calls": [{"id": f"c{number}", "type": "function", "function": function}]})
            said.append({"role": "tool", "tool_call_id": f"c{number}", "content": draw.choice(["ok", "Error: failed"])})
        lines.append({"messages": said, "task_id": f"t{place // 2}", "reward": float(place % 2)})
    Path("logs.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return Path("logs.jsonl")


# --- without torch


def test_a_wrong_configuration_is_one_line() -> None:
    Path("run.yaml").write_text("lora: {rnak: 8}")
    assert refused("train", "run.yaml") == "ebmhw: run.yaml: the key lora.rnak does not exist; did you mean lora.rank? [config]"
    assert refused("train", "none.yaml").startswith("ebmhw: none.yaml: cannot be read: No such file or directory")
    assert "exclude each other" in refused("train", "run.yaml", "--resume", "--overwrite")
    assert "0 is not in the range" in refused("train", "run.yaml", "--steps", 0)


def test_eval_needs_sessions_and_folders() -> None:
    assert "there is no store" in refused("eval")
    assert "Directory 'none' does not exist" in refused("eval", "none")
    Path("adapter").mkdir()
    assert refused("eval", "adapter").startswith("Error: adapter has no adapter_config.json that can be read")
    Path("adapter/adapter_config.json").write_text("[" * 100_000)
    assert refused("eval", "adapter").startswith("Error: adapter has no adapter_config.json that can be read")
    assert "--against compares two adapters" in refused("eval", "--against", "adapter")
    logs = write_logs()
    told("ingest", logs)
    assert "`ebmhw karl ingest --holdout SHARE` holds some out, --all takes all" in refused("eval")
    assert "--all is of the store" in refused("eval", "--all", "--traces", logs)
    assert "nan is no number of seconds" in refused("eval", "--traces", logs, "--time-limit", "nan")


def test_without_its_libraries_a_command_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    logs = write_logs()
    for name in ("torch", "transformers", "peft", "trl", "datasets"):
        monkeypatch.setitem(sys.modules, name, None)
    told("export", "export", "--traces", logs)
    Path("run.yaml").write_text("steps: 2\n")
    assert refused("train", "run.yaml").endswith("pip install 'ebmhw[train]' [missing-extra]")
    assert "pip install 'ebmhw[" in refused("eval", "--traces", logs)


# --- with it


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    for needed in ("torch", "transformers", "trl", "peft", "datasets"):
        pytest.importorskip(needed)
    return make_model(tmp_path_factory.mktemp("model"))


@pytest.mark.slow
def test_from_logs_to_an_adapter_that_is_evaluated(model: Path) -> None:
    told("ingest", write_logs(), "--holdout", 0.4)
    with Store(read_only=True) as store:
        held = store.held_out()
    assert 0 < len(held) < 40
    assert call("select", "--size", 8, "--output", "chosen.json").exit_code == 0
    assert told("export", "export", "--chosen", "chosen.json")["counts"]["examples"] == 8
    Path("run.yaml").write_text(yaml.safe_dump(run_of(model, Path("run"), data="export", steps=4)))
    dry = told("train", "run.yaml", "--dry-run", "--steps", 3)
    assert dry["config"]["steps"] == 3 and dry["examples"] + dry["valid"] == 8 and not Path("run").exists()
    plan = call("train", "run.yaml", "--dry-run")
    assert plan.exit_code == 0 and "LoRA of rank 2" in plan.stdout and "4 steps of 2" in plan.stdout
    run = call("train", "run.yaml")
    assert run.exit_code == 0, run.output
    assert "4 steps on" in run.stdout and run.stderr.count("loss") == 4
    assert len(Path("run/log.jsonl").read_text().splitlines()) == 4
    again = told("train", "run.yaml", "--overwrite")
    assert (again["ended"], again["steps"], again["examples"]) == ("finished", 4, dry["examples"])
    # As trained, the adapter names its model.
    found = told("eval", "run/adapter", "--max-tokens", 64)
    assert {one["id"] for one in found["after"]["sessions"]} == held
    assert found["before"] != found["after"] and set(found["regression"]) >= {"all"}
    text = call("eval", "run/adapter", "--against", "run/adapter", "--max-tokens", 64)
    assert text.exit_code == 0 and f"{len(held)} sessions, good by outcome.verified" in text.stdout and "against run/adapter" in text.stdout
    alone = told("eval", "--base", model, "--traces", "logs.jsonl", "--max-tokens", 64)
    assert alone["after"] is None and alone["regression"] is None and len(alone["before"]["sessions"]) == 40
    assert len(told("eval", "--base", model, "--all", "--max-tokens", 64)["before"]["sessions"]) == 40
    limited = call("eval", "--base", model, "--all", "--time-limit", 1e-9)
    assert (limited.exit_code, "cut: " in limited.stderr) == (3, True), limited.output


@pytest.mark.slow
def test_ctrl_c_while_a_model_reads(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = importlib.import_module("ebmhw.cli.karl.eval")

    def cut(name: str) -> Any:
        def show(done: int, count: int) -> None:
            raise KeyboardInterrupt

        return show

    monkeypatch.setattr(module, "_progress", cut)
    result = call("eval", "--base", model, "--traces", write_logs(), "--max-tokens", 64)
    assert (result.exit_code, result.stdout) == (130, "") and "Traceback" not in result.stderr


@pytest.mark.slow
def test_models_that_cannot_be_had(model: Path) -> None:
    logs = write_logs(4)
    assert refused("eval", "--base", "no/model/here", "--traces", logs).startswith("ebmhw: ")
    Path("adapter").mkdir()
    Path("adapter/adapter_config.json").write_text(json.dumps({"base_model_name_or_path": str(model)}))
    assert refused("eval", "adapter", "--traces", logs).startswith("ebmhw: ")
    assert os.environ["HF_HUB_OFFLINE"] == "1"
