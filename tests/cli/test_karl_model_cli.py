"""`ebmhw karl train` and `eval` with a tiny random model; what is wrong without one is one line."""

from __future__ import annotations

import functools
import importlib
import json
import os
import random
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
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


# --- the mark of what was trained on, by a run that is none


def finished(ended: str = "finished") -> Any:
    """Return what stands for `ebmhw.karl.training.train`: it ends as told, without a step."""
    from ebmhw.karl.training import KarlResult

    def train(config: Any, **options: Any) -> KarlResult:
        folder = Path(config.output)
        return KarlResult(folder, folder / "adapter", folder / "log.jsonl", config.steps, config.steps, ended, 1.0, 3, 0, 0, {}, None, None)

    return train


def exported(folder: str = "export") -> list[str]:
    """Write a training set of stored sessions, and return the ids of those to train on."""
    told("export", folder, "--valid", 0.3)
    return list(json.loads(Path(folder, "manifest.json").read_text())["ids"]["train"])


def marked(path: str | None = None) -> set[str]:
    with Store(path, read_only=True) as store:
        return set(store.ids(trained=True))


@pytest.fixture
def trains(monkeypatch: pytest.MonkeyPatch) -> None:
    training = importlib.import_module("ebmhw.karl.training")
    monkeypatch.setattr(training, "train", finished(), raising=False)
    Path("run.yaml").write_text(yaml.safe_dump({"steps": 2, "data": "export"}))


@pytest.mark.usefixtures("trains")
def test_sessions_that_were_trained_on_are_marked() -> None:
    told("ingest", write_logs())
    ids = exported()
    assert 3 < len(ids) < 30 and marked() == set()
    before = time.time()
    run = call("train", "run.yaml")
    assert (run.exit_code, run.stderr) == (0, "") and run.stdout.endswith(
        f"{len(ids)} sessions marked as trained on in {Path.cwd()}/home/trajectories.sqlite\n"
    ), run
    assert marked() == set(ids)
    with Store(read_only=True) as store:
        assert all(before <= store.trained_at(one) <= time.time() for one in ids)
    # Those of a store that is named, and there alone.
    told("ingest", "logs.jsonl", "--store", "other.sqlite")
    assert told("train", "run.yaml", "--store", "other.sqlite")["sessions_marked"] == len(ids)
    assert marked("other.sqlite") == set(ids)


@pytest.mark.usefixtures("trains")
def test_a_run_that_is_not_done_marks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    told("ingest", write_logs())
    exported()
    training = importlib.import_module("ebmhw.karl.training")
    monkeypatch.setattr(training, "train", finished("time limit"))
    assert told("train", "run.yaml")["sessions_marked"] is None
    assert marked() == set()


@pytest.mark.usefixtures("trains")
def test_sessions_that_a_store_does_not_hold() -> None:
    logs = write_logs()
    told("export", "export", "--traces", logs)
    # Without a store, and with one of other sessions, there is nothing to say.
    assert told("train", "run.yaml")["sessions_marked"] is None and not Path("home").exists()
    Path("few.jsonl").write_text(json.dumps({"messages": [{"role": "user", "content": "hi"}], "task_id": "another"}) + "\n")
    told("ingest", "few.jsonl")
    quiet = call("train", "run.yaml")
    assert (quiet.exit_code, quiet.stderr) == (0, "") and "marked" not in quiet.stdout
    named = call("train", "run.yaml", "--store", "home/trajectories.sqlite")
    assert named.exit_code == 0 and "are not in the store home/trajectories.sqlite" in named.stderr and "0 sessions marked" in named.stdout
    # Some of them.
    ids = json.loads(Path("export/manifest.json").read_text())["ids"]["train"]
    told("ingest", logs)
    with Store() as store:
        store.delete(ids[:2])
    some = call("train", "run.yaml")
    assert some.stderr == f"warning: 2 of the {len(ids)} sessions trained on are not in the store {Path.cwd()}/home/trajectories.sqlite\n"
    assert marked() == set(ids[2:])


@pytest.mark.usefixtures("trains")
@pytest.mark.parametrize("content", [None, "", "[]", '{"ids": {"train": [1]}}', '{"ids": {"train": "a"}}', "[" * 100_000])
def test_a_set_that_does_not_say_what_is_in_it(content: str | None) -> None:
    told("ingest", write_logs())
    exported()
    Path("export/manifest.json").unlink()
    if content is not None:
        Path("export/manifest.json").write_text(content)
    assert told("train", "run.yaml")["sessions_marked"] is None
    said = refused("train", "run.yaml", "--store", "home/trajectories.sqlite")
    assert said.startswith("Error: --store: export/manifest.json does not say which sessions are in the set; ")
    assert refused("train", "run.yaml", "--store", "none.sqlite").startswith("Error: there is no store none.sqlite; ")
    assert not Path("none.sqlite").exists()


@pytest.mark.usefixtures("trains")
def test_what_hinders_the_mark_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    told("ingest", write_logs())
    ids = exported()
    again = "to mark them later: ebmhw karl train run.yaml --steps 2 --resume"
    monkeypatch.setenv("KARL_CANONICAL_WRITER", "another-host")
    run = call("train", "run.yaml", "--steps", 2)
    assert run.exit_code == 0 and "2 steps on 3 examples" in run.stdout and "marked as" not in run.stdout
    (said,) = run.stderr.splitlines()
    assert said.startswith(f"warning: {len(ids)} sessions were not marked as trained on: ") and "another-host" in said and said.endswith(again)
    monkeypatch.delenv("KARL_CANONICAL_WRITER")
    with closing(sqlite3.connect("home/trajectories.sqlite", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        monkeypatch.setattr("ebmhw.karl.Store", functools.partial(Store, timeout=0.05))
        run = call("train", "run.yaml", "--steps", 2)
    assert run.exit_code == 0 and run.stderr.startswith("warning: ") and run.stderr.endswith(again + "\n"), run.output
    assert marked() == set()


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
    assert call("select", "--size", 8, "--keep-failed", "--output", "chosen.json").exit_code == 0
    assert told("export", "export", "--keep-failed", "--chosen", "chosen.json")["counts"]["examples"] == 8
    Path("run.yaml").write_text(yaml.safe_dump(run_of(model, Path("run"), data="export", steps=4)))
    dry = told("train", "run.yaml", "--dry-run", "--steps", 3)
    assert dry["config"]["steps"] == 3 and dry["examples"] + dry["valid"] == 8 and not Path("run").exists()
    plan = call("train", "run.yaml", "--dry-run")
    assert plan.exit_code == 0 and "LoRA of rank 2" in plan.stdout and "4 steps of 2" in plan.stdout
    run = call("train", "run.yaml")
    assert run.exit_code == 0, run.output
    assert "4 steps on" in run.stdout and run.stderr.count("loss") == 4
    assert len(Path("run/log.jsonl").read_text().splitlines()) == 4
    with Store(read_only=True) as store:
        assert set(store.ids(trained=True)) == set(json.loads(Path("export/manifest.json").read_text())["ids"]["train"])
    assert told("train", "run.yaml", "--resume")["sessions_marked"] == dry["examples"]
    again = told("train", "run.yaml", "--overwrite")
    assert (again["ended"], again["steps"], again["examples"]) == ("finished", 4, dry["examples"])
    # As trained, the adapter names its model.
    found = told("eval", "run/adapter", "--max-tokens", 64)
    assert {one["id"] for one in found["after"]["sessions"]} == held
    assert found["before"] != found["after"] and set(found["regression"]) >= {"all"}
    # Without a limit, it is that of the model, 256 tokens, or 512.
    assert len(told("eval", "run/adapter")["after"]["sessions"]) == len(held)
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


@pytest.mark.slow
def test_libraries_say_nothing_of_themselves(model: Path) -> None:
    told("export", "export", "--traces", write_logs())
    Path("run.yaml").write_text(yaml.safe_dump(run_of(model, Path("run"), data="export", steps=1)))
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONWARNINGS"}
    for arguments, lines in (
        (("train", "run.yaml", "--dry-run"), 0),
        (("train", "run.yaml"), 1),
        (("eval", "run/adapter", "--traces", "logs.jsonl"), 0),
    ):
        ran = subprocess.run([sys.executable, "-m", "ebmhw", "karl", *arguments], capture_output=True, text=True, timeout=120, env=environment)
        assert ran.returncode in (0, 1) and len(ran.stderr.splitlines()) == lines and "Warning" not in ran.stderr, ran.stderr
