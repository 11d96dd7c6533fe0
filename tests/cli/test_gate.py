"""`ebmhw gate`: the decision as a table, as JSON and as a status. Models are stood in for; real ones are in tests/coherence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from ebmhw.cli.main import main
from ebmhw.coherence.gates import Comparison, EvalReport, ExampleRecord
from ebmhw.errors import ModelLoadError


def report(share: float, count: int = 20, failure: str | None = None) -> EvalReport:
    made = [ExampleRecord(f"q{i}", "7", float(i < share * count), 2, 0.6, 0.5) for i in range(count)]
    return EvalReport.of_records(made, count, task="arithmetic", model="a model", seconds=1.0, failure=failure)


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Stand in for models: what is set under "report" is what they answered, what they were asked is under "asked"."""
    pytest.importorskip("torch")
    from ebmhw.coherence.gates import evaluation

    known: dict[str, Any] = {}

    def answer(adapter: Any, task: Any, **options: Any) -> Any:
        known["asked"] = (adapter, task.name, options)
        found = known["report"]
        if isinstance(found, Exception):
            raise found
        options["progress"](20, 20)
        return found

    monkeypatch.setattr(evaluation, "evaluate_adapter", answer)
    monkeypatch.setattr(evaluation, "compare", answer)
    return known


def call(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["gate", *map(str, arguments)])


def test_passed(answers: dict[str, Any]) -> None:
    answers["report"] = report(0.9)
    result = call("folder", "--examples", 20, "--threshold", 0.8, "--seed", 5)
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0].split() == ["criterion", "value", "limit", "passed"] and lines[2].split() == ["metric", "0.9", ">=", "0.8", "yes"]
    assert lines[-1] == "passed" and "metric 0.9 (95 %: 0.699 to 0.972), 20 examples" in result.stdout
    adapter, task, options = answers["asked"]
    assert (adapter, task, options["examples"], options["seed"], options["base"]) == ("folder", "arithmetic", 20, 5, None)


@pytest.mark.parametrize(
    ("found", "arguments", "said"),
    [
        (report(0.4), (), "metric is 0.4, not >= 0.5"),
        (report(0.6), ("--lower-bound",), "metric, lower bound is 0.38"),
        (report(0.9), ("--phi-floor", 0.7), "phi_mean is 0.6, not >= 0.7"),
        (report(0.9), ("--discontinuity", 0.6, 0.7), "discontinuity_score is 0.5, not 0.6 to 0.7"),
        (report(0.9, 5), (), "5 examples have a score, fewer than 10"),
        (report(0.9, 20, "the time limit of 2 s"), (), "the time limit of 2 s"),
    ],
)
def test_not_passed(answers: dict[str, Any], found: EvalReport, arguments: tuple[object, ...], said: str) -> None:
    answers["report"] = found
    result = call("folder", *arguments)
    assert result.exit_code == 1 and said in result.stdout.splitlines()[-1] and result.stdout.splitlines()[-1].startswith("not passed: ")
    document = json.loads(call("folder", "--json", *arguments).stdout)
    assert document["passed"] is False and any(said in reason for reason in document["reasons"]) and document["report"]["records"]


def test_comparison(answers: dict[str, Any]) -> None:
    ours = report(0.9)
    answers["report"] = (ours, Comparison.of(ours, report(0.5)))
    result = call("folder", "--compare")
    assert result.exit_code == 0
    assert "difference: +0.4000 (95 %: " in result.stdout and "better at 8 and worse at 0 of 20" in result.stdout
    assert json.loads(call("folder", "--compare", "--json").stdout)["comparison"]["difference"] == pytest.approx(0.4)


def test_a_model_that_does_not_load(answers: dict[str, Any]) -> None:
    answers["report"] = ModelLoadError("the adapter x does not load")
    result = call("x")
    assert result.exit_code == 2 and result.stdout == "" and "the adapter x does not load [model-load]" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "name the adapter"),
        (("--base-only",), "--base-only needs --base NAME"),
        (("x", "--base-only", "--base", "smollm2"), "leave ADAPTER and --compare out"),
        (("x", "--task", "poetry"), "task 'poetry' does not exist"),
        (("x", "--task", "none.jsonl"), "none.jsonl"),
        (("x", "--threshold", "2"), "--threshold"),
        (("x", "--time-limit", "0"), "--time-limit"),
        (("x", "--discontinuity", ".7", ".3"), "give the lower limit first"),
        (("x", "--examples", "100000"), "100000 examples"),
    ],
)
def test_wrong_use(arguments: tuple[str, ...], said: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    result = call(*arguments)
    assert result.exit_code == 2 and result.stdout == "" and said in result.stderr and "Traceback" not in result.stderr, result.stderr
