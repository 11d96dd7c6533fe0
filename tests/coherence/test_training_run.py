"""Runs with a tiny random model: a run that was cut has the numbers of one that was not; what goes wrong is named."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest
from training_models import make_model, run_of

from ebmhw.coherence.capture.loading import load_causal_lm
from ebmhw.coherence.tasks import ArithmeticTask, Example, Task
from ebmhw.coherence.trace import CoherenceTrace
from ebmhw.coherence.training import StepReport, train
from ebmhw.coherence.training.run import plan
from ebmhw.errors import ConfigError, TrainingError

for needed in ("torch", "transformers", "trl", "peft", "datasets"):
    pytest.importorskip(needed)

# Warnings of torch, transformers, TRL and peft about themselves are theirs.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

TIMES = ("time", "step_time")
KEYS = (
    *("step", "time", "loss", "learning_rate", "grad_norm", "kl", "reward", "reward_std", "completions/mean_length"),
    *(
        f"coherence/{name}"
        for name in ("phi_mean", "phi_std", "entropy_mean", "surprisal_mean", "cloud_quality", "discontinuity_score", "multiscale")
    ),
    *(
        f"coherence/{name}"
        for name in ("carl_reward", "dispersion", "diversity", "crystallizations", "meltings", "kuramoto_R", "contraction_q", "n_unknown")
    ),
)
CASCADE = {"start": 3, "warmup_steps": 2}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def whole(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that nothing disturbed."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    result = train(run_of(model, folder, cascade=CASCADE))
    assert (result.ended, result.steps, result.fired_at) == ("finished", 4, 3)
    return folder


def lines(path: Path) -> list[dict[str, Any]]:
    return [{name: value for name, value in json.loads(line).items() if name not in TIMES} for line in path.read_text().splitlines()]


def assert_same(folder: Path, whole: Path) -> None:
    assert lines(folder / "log.jsonl") == lines(whole / "log.jsonl")
    assert (folder / "traces.jsonl").read_text() == (whole / "traces.jsonl").read_text()
    for name in ("adapter_model.safetensors", "adapter_config.json"):
        assert (folder / "adapter" / name).read_bytes() == (whole / "adapter" / name).read_bytes()


def test_the_log_has_a_whole_line_a_step(whole):
    found = [json.loads(line) for line in (whole / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in found] == [1, 2, 3, 4]
    for line in found:
        assert set(KEYS) <= set(line) and {f"cascade/{name}" for name in ("stage", "weight", "fired_at")} <= set(line)
        assert line["coherence/n_unknown"] == 0 and 0 < line["coherence/phi_mean"] < 1
    assert [line["cascade/weight"] for line in found] == [0, 0, 0, 0.5]
    # Nothing counts before the gate; behind it the reward is the traces' own, times the weight.
    assert [line["rewards/carl_composite_reward/mean"] for line in found[:3]] == [None] * 3
    assert found[3]["rewards/carl_composite_reward/mean"] == pytest.approx(0.5 * found[3]["coherence/carl_reward"], rel=1e-5)
    traces = [json.loads(line) for line in (whole / "traces.jsonl").read_text().splitlines()]
    assert [one["step"] for one in traces] == [1, 1, 2, 2, 3, 3, 4, 4]
    for one in traces:
        assert CoherenceTrace.from_dict(one).n_tokens == one["n_tokens"] and isinstance(one["text"], str) and one["prompt"][-1]["role"] == "user"


@pytest.mark.parametrize("cut", [1, 3])
def test_a_run_that_crashed_and_was_resumed_is_the_same_bit_by_bit(model, whole, tmp_path, cut):
    def crash(step: StepReport) -> None:
        if step.step == cut:
            raise OSError("no space left")

    remedy = r"--resume \(resume=True\) goes on after step 2" if cut > 2 else "there is no checkpoint yet"
    with pytest.raises(TrainingError, match=f"^step {cut} of 4 failed: OSError: no space left; {remedy}") as caught:
        train(run_of(model, tmp_path / "run", cascade=CASCADE), progress=crash)
    assert caught.value.context == {"step": cut, "cause": "OSError"}
    assert len(lines(tmp_path / "run" / "log.jsonl")) == cut
    result = train(run_of(model, tmp_path / "run", cascade=CASCADE), resume=True)
    assert (result.ended, result.steps, result.fired_at) == ("finished", 4, 3)
    assert_same(tmp_path / "run", whole)


def test_a_run_keeps_others_out_of_its_folder(model, tmp_path):
    refused = []

    def intrude(step: StepReport) -> None:
        for way in ({"resume": True}, {"overwrite": True}, {}):
            with pytest.raises(ConfigError, match=f"is being written by a run of process {os.getpid()};"):
                train(run_of(model, tmp_path / "run", steps=9), **way)
            refused.append(step.step)

    train(run_of(model, tmp_path / "run", steps=2), progress=intrude)
    assert refused == [1, 1, 1, 2, 2, 2] and [line["step"] for line in lines(tmp_path / "run" / "log.jsonl")] == [1, 2]
    assert ".lock" not in {path.name for path in (tmp_path / "run").iterdir()}
    with pytest.raises(ConfigError, match="holds no run to resume"):
        train(run_of(model, tmp_path / "none"), resume=True)
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    "changed",
    [
        {"cascade": {"signal": "crystallization"}, "coherence": {"reward": "phase_adaptive", "top_k": 3}, "accumulation": 2},
        {
            **{"cascade": None, "coherence": {"reward": "eml"}, "lora": {"rank": 2, "targets": ["all-linear"]}, "beta": 0.1},
            **{"schedule": {"name": "cosine", "warmup_steps": 2}, "top_p": 0.9, "keep": 1},
            "rewards": {"diversity_reward": 1.0, "dispersion_reward": 1.0, "carl_composite_reward": 1.0, "conciseness_reward": 1.0},
        },
    ],
)
def test_other_options_are_resumed_alike(model, tmp_path, changed):
    def crash(step: StepReport) -> None:
        if step.step == 4:
            raise OSError("no space left")

    train(run_of(model, tmp_path / "whole", **changed))
    with pytest.raises(TrainingError):
        train(run_of(model, tmp_path / "cut", **changed), progress=crash)
    train(run_of(model, tmp_path / "cut", **changed), resume=True)
    assert_same(tmp_path / "cut", tmp_path / "whole")
    assert (lines(tmp_path / "cut" / "log.jsonl")[0]["kl"] is not None) == ("beta" in changed)


def test_sigterm_ends_at_a_step_with_a_checkpoint(model, whole, tmp_path):
    def hear(step: StepReport) -> None:
        if step.step == 1:
            os.kill(os.getpid(), signal.SIGTERM)

    before = signal.getsignal(signal.SIGTERM)
    result = train(run_of(model, tmp_path / "run", cascade=CASCADE), progress=hear)
    # The signal comes while step 1 is reported, after its end was decided on.
    assert (result.ended, result.steps, result.gate) == ("interrupted", 2, None)
    assert signal.getsignal(signal.SIGTERM) is before and (tmp_path / "run" / "checkpoint-2").is_dir()
    train(run_of(model, tmp_path / "run", cascade=CASCADE), resume=True)
    assert_same(tmp_path / "run", whole)


def test_a_run_may_be_made_longer(model, whole, tmp_path):
    given = {"cascade": CASCADE, "schedule": {"name": "resonance", "horizon_steps": 6}}
    train(run_of(model, tmp_path / "run", steps=2, **given))
    train(run_of(model, tmp_path / "run", steps=4, **given), resume=True)
    assert_same(tmp_path / "run", whole)
    before = (tmp_path / "run" / "log.jsonl").read_bytes()
    train(run_of(model, tmp_path / "run", steps=4, **given), resume=True)  # nothing is left to do
    assert_same(tmp_path / "run", whole)
    assert (tmp_path / "run" / "log.jsonl").read_bytes() == before


def test_a_time_limit_ends_a_run_and_another_seed_is_another_run(model, whole, tmp_path):
    result = train(run_of(model, tmp_path / "run", cascade=CASCADE, time_limit=1e-3))
    assert (result.ended, result.steps) == ("time limit", 1)
    with pytest.raises(ConfigError, match="holds a run already"):
        train(run_of(model, tmp_path / "run", cascade=CASCADE))
    with pytest.raises(ConfigError, match=r"seed is 4, but the run in .* has 3"):
        train(run_of(model, tmp_path / "run", cascade=CASCADE, seed=4), resume=True)
    train(run_of(model, tmp_path / "run", cascade=CASCADE, seed=4), overwrite=True)
    assert lines(tmp_path / "run" / "log.jsonl") != lines(whole / "log.jsonl")


def test_the_adapter_loads_and_is_not_the_one_that_was_drawn(model, whole):
    import torch

    config = json.loads((whole / "adapter" / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == str(model.resolve()) and not (whole / "adapter" / "README.md").exists()
    loaded = load_causal_lm(str(model), whole / "adapter")
    ids = torch.tensor([[1, 2, 3, 4]])
    with torch.no_grad():
        trained = loaded.model(ids).logits
        with loaded.model.disable_adapter():
            plain = loaded.model(ids).logits
    assert float((trained - plain).abs().max()) > 1e-4


def test_capture_and_a_second_forward_pass_say_the_same(model, tmp_path):
    given = {"steps": 2, "lora": {"rank": 2, "dropout": 0.0}}
    found = [train(run_of(model, tmp_path / source, coherence={"source": source}, **given)) for source in ("capture", "forward")]
    captured, forward = (lines(result.log) for result in found)
    for one, other in zip(captured, forward, strict=True):
        for name in ("coherence/phi_mean", "coherence/surprisal_mean", "coherence/carl_reward"):
            assert one[name] == pytest.approx(other[name], abs=2e-3)


def test_the_gate_judges_the_adapter_and_the_base(model, tmp_path):
    open_gate = {"metric_threshold": 0.0, "phi_floor": 0.0, "discontinuity": [0.0, 1.0], "examples": 10}
    result = train(run_of(model, tmp_path / "open", steps=1, gate=open_gate))
    assert result.passed and json.loads((tmp_path / "open" / "gate.json").read_text()) == json.loads(json.dumps(result.gate))
    assert result.gate["report"]["n"] == result.gate["comparison"]["base"]["n"] == 10
    result = train(run_of(model, tmp_path / "open", steps=1, gate={**open_gate, "metric_threshold": 0.9, "base": False}), resume=True)
    assert result.passed is False and result.gate["comparison"] is None and "metric is 0" in result.gate["reasons"][0]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"lora": {"targets": ["q_proj", "qq_proj"]}}, r"lora.targets names qq_proj, which .* has not; it has .*q_proj"),
        ({"max_prompt_tokens": 3}, r"the prompt 'u:What is .*' has \d+ tokens, more than max_prompt_tokens 3"),
        ({"rewards": {"task_rewards": 1}}, "rewards: task_rewards does not exist for the task arithmetic; .*did you mean task_reward"),
        ({"rewards": {"task_reward": 0}}, "rewards: all weights are 0"),
        ({"task": "algebra"}, "task 'algebra' does not exist"),
        ({"gate": {"examples": 1000}}, "1000 examples of the split 'eval' of task arithmetic are asked for"),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_is_written(model, tmp_path, changed, said):
    with pytest.raises((ConfigError, ValueError), match=said):
        train(run_of(model, tmp_path / "run", **changed))
    with pytest.raises((ConfigError, ValueError), match=said):
        plan(run_of(model, tmp_path / "run", **changed))
    assert not (tmp_path / "run").exists()


def test_a_model_without_chat_template_is_refused(tmp_path):
    plain = make_model(tmp_path / "m", template=None)
    with pytest.raises(ConfigError, match="cannot put a prompt into its chat template"):
        train(run_of(plain, tmp_path / "run"))


def test_a_plan_says_what_would_be_done_and_writes_nothing(model, tmp_path):
    found = plan(run_of(model, tmp_path / "run"))
    assert (found.device, found.task, found.horizon, found.resumed_at) == ("cpu", "arithmetic", 6, None)
    assert found.rewards == {"task_reward": 1, "conciseness_reward": 1, "carl_composite_reward": 1} and found.prompts == 8
    assert not (tmp_path / "run").exists()


class OneAnswer(Task):
    """A task of Python's own, whose column TRL hands on."""

    @property
    def name(self) -> str:
        return "one"

    def examples(self, split: str, count: int, seed: int = 0) -> list[Example]:
        return [Example([{"role": "user", "content": f"{split} {i}"}], {"wanted": i}) for i in range(count)]

    def score(self, example: Example, completion: str) -> float:
        assert example.prompt[0]["content"] == f"train {example.columns['wanted']}"
        return len(completion) % 7 / 7


def test_a_task_and_rewards_of_python(model, tmp_path):
    seen = []

    def own_reward(completions: list[Any], **columns: Any) -> list[float | None]:
        seen.append(columns["wanted"])
        return [None, *([1.0] * (len(completions) - 1))]

    result = train(run_of(model, tmp_path / "run", steps=2, rewards={"task_reward": 1.0}), task=OneAnswer(), rewards=[(own_reward, 0.5)])
    assert seen == [[0, 0, 1, 1], [2, 2, 3, 3]] and result.summary["rewards/own_reward/mean"] == (1.0, 1.0)
    assert "rewards/task_reward/mean" in result.summary


def test_a_reward_of_python_gets_the_traces_of_its_completions(model, tmp_path):
    seen: list[tuple[list[CoherenceTrace | None], list[list[int]]]] = []

    def by_name(completions: list[Any], traces: list[CoherenceTrace | None], completion_ids: list[list[int]], **columns: Any) -> list[float | None]:
        seen.append((traces, completion_ids))
        return [None if trace is None else trace.phi_mean for trace in traces]

    def among_others(**columns: Any) -> list[float | None]:
        return [None if trace is None else trace.phi_mean for trace in columns["traces"]]

    async def later(completions: list[Any], traces: list[CoherenceTrace | None], **columns: Any) -> list[float | None]:
        return [None if trace is None else trace.phi_mean for trace in traces]

    def without(
        completions: list[Any], prompts: Any, completion_ids: Any, answer: Any, kind: Any, trainer_state: Any, **_: Any
    ) -> list[float | None]:
        return [0.0] * len(completions)

    own = [(by_name, 1.0), (among_others, 1.0), (later, 1.0), (without, 1.0)]
    result = train(run_of(model, tmp_path / "run", steps=2, traces=4), rewards=own)
    kept = [json.loads(line) for line in result.traces.read_text().splitlines()]
    for step, (record, (traces, ids)) in enumerate(zip(lines(result.log), seen, strict=True), 1):
        means = [trace.phi_mean for trace in traces if trace is not None]
        assert len(means) == 4 and [trace.token_ids.tolist() for trace in traces] == ids
        for name in ("by_name", "among_others", "later"):
            assert record[f"rewards/{name}/mean"] == pytest.approx(sum(means) / 4, abs=1e-6) == pytest.approx(record["coherence/phi_mean"], abs=1e-6)
        # Each trace is that of its own completion.
        there = {trace["sample_idx"]: trace["phi_mean"] for trace in kept if trace["step"] == step}
        assert all(means[at] == pytest.approx(mean) for at, mean in there.items()) and there


def test_a_broken_reward_is_named_with_its_step(model, tmp_path):
    def broken(completions: list[Any], **columns: Any) -> list[float | None]:
        raise ZeroDivisionError("by nought")

    with pytest.raises(
        TrainingError, match=r"^step 1 of 4 failed: ZeroDivisionError: by nought; there is no checkpoint yet; --resume .* starts again at step 1"
    ):
        train(run_of(model, tmp_path / "run"), rewards=[(broken, 1.0)])


def test_an_infinite_reward_ends_the_run(model, tmp_path):
    def infinite(completions: list[Any], **columns: Any) -> list[float | None]:
        return [float("inf")] * len(completions)

    with pytest.raises(TrainingError, match=r"^step 1 of 4 failed: reward is inf; .*finite"):
        train(run_of(model, tmp_path / "run"), rewards=[(infinite, 1.0)])


def test_a_loss_that_is_no_number_ends_the_run(tmp_path):
    from ebmhw.coherence.training import RunConfig
    from ebmhw.coherence.training.control import RunControl
    from ebmhw.coherence.training.folder import RunFolder
    from ebmhw.stopping import Stop

    told: list[Any] = []
    control = RunControl(RunConfig(steps=9), RunFolder(tmp_path), Stop(None), float, dict, lambda record, *_: told.append(record))
    control.tell({"step": 1, "loss": 0.5, "grad_norm": 1.0, "reward": None})
    assert [step["step"] for step in told] == [1]
    for name in ("loss", "grad_norm"):
        with pytest.raises(TrainingError, match=f"^{name} is nan; use a lower learning_rate"):
            control.tell({"step": 2, "loss": 0.5, "grad_norm": 1.0, "reward": 1.0, name: float("nan")})


def test_nothing_of_the_libraries_is_printed(model, tmp_path, capfd):
    train(run_of(model, tmp_path / "run", steps=1))
    assert capfd.readouterr() == ("", "")


def test_resume_and_overwrite_exclude_each_other(model, tmp_path):
    with pytest.raises(ConfigError, match="resume and overwrite exclude each other; give one"):
        train(run_of(model, tmp_path / "run"), resume=True, overwrite=True)
    assert ArithmeticTask().name == "arithmetic"
