"""CascadeCallback under a real trainer of transformers: signals, log entries, and checkpoints that resume."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ebmhw.coherence.gates import Cascade
from ebmhw.errors import ConfigError

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
pytest.importorskip("accelerate")

from ebmhw.coherence.gates.cascade_callback import CascadeCallback  # noqa: E402


class Line(torch.nn.Module):
    """A model with one weight."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))

    def forward(self, x: Any, labels: Any = None) -> Any:
        return {"loss": ((x * self.weight - labels) ** 2).mean()}


class Logging(transformers.Trainer):
    """A trainer that logs a reward, as TRL's do."""

    def log(self, logs: dict[str, float], *given: Any, **named: Any) -> None:
        if "loss" in logs:
            logs["rewards/task/mean"] = 0.9 if self.state.global_step > 40 else 0.1 * (self.state.global_step % 3)
        super().log(logs, *given, **named)


def trainer(folder: Path, callback: Any, steps: int, **options: Any) -> Any:
    arguments = transformers.TrainingArguments(
        output_dir=str(folder), max_steps=steps, per_device_train_batch_size=1, logging_steps=options.pop("logging_steps", 1), save_steps=30,
        use_cpu=True, report_to="none", disable_tqdm=True, dataloader_pin_memory=False, logging_nan_inf_filter=False, **options,
    )  # fmt: skip
    data = [{"x": torch.ones(1), "labels": torch.ones(1)}] * 8
    made = Logging(model=Line(), args=arguments, train_dataset=data, callbacks=[callback])
    made.remove_callback(transformers.PrinterCallback)
    return made


def entries(made: Any) -> list[tuple[int, float, int | None]]:
    return [(log["step"], log["cascade/weight"], log["cascade/fired_at"]) for log in made.state.log_history if "cascade/weight" in log]


def test_a_run_opens_the_gate_and_a_resumed_one_too(tmp_path: Path) -> None:
    whole = trainer(tmp_path / "whole", CascadeCallback(Cascade(warmup_steps=5), "rewards/task/mean"), 100)
    whole.train()
    told = entries(whole)
    assert len(told) == 100
    opened = [fired for _, _, fired in told if fired is not None]
    assert opened and len(set(opened)) == 1 and 41 + 30 < opened[0] <= 95
    # The weight is that of the step's own rewards: the first after the gate opened is one fifth.
    weights = {step: weight for step, weight, _ in told}
    assert weights[opened[0]] == 0.0 and weights[opened[0] + 1] == 0.2
    saved = json.loads((tmp_path / "whole" / "checkpoint-60" / "trainer_state.json").read_text())
    assert saved["stateful_callbacks"]["CascadeCallback"]["attributes"]["saved"]["step"] == 60
    for anew in (False, True):
        callback = CascadeCallback(cascade := Cascade(warmup_steps=5), "rewards/task/mean")
        resumed = trainer(tmp_path / f"again{anew}", callback, 100, restore_callback_states_from_checkpoint=anew)
        resumed.train(resume_from_checkpoint=str(tmp_path / "whole" / "checkpoint-60"))
        assert entries(resumed) == told
        assert cascade.fired_at == opened[0] and cascade.state() == whole_state(whole)


def whole_state(made: Any) -> dict[str, Any]:
    (callback,) = (one for one in made.callback_handler.callbacks if isinstance(one, CascadeCallback))
    return callback.cascade.state()


def test_every_third_step_logged(tmp_path: Path) -> None:
    cascade = Cascade()
    made = trainer(tmp_path, CascadeCallback(cascade, "rewards/task/mean"), 12, logging_steps=3, gradient_accumulation_steps=2)
    made.train()
    assert [step for step, _, _ in entries(made)] == [3, 6, 9, 12]
    assert cascade.state()["detector"]["count"] == 4 and cascade.step == 12


def test_traces_of_every_batch_of_a_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reward = SimpleNamespace(last_traces=[])
    seen: list[tuple[int, float | None]] = []
    cascade = Cascade("crystallization")
    monkeypatch.setattr(cascade, "observe", lambda step, value: seen.append((step, value)))
    callback = CascadeCallback(cascade, reward)
    batches = iter([2, 4, None, None, 6, None])  # of steps 1, 2 and 3

    class Scoring(transformers.TrainerCallback):
        def score(self) -> None:
            count = next(batches)
            if count is not None:
                reward.last_traces = [SimpleNamespace(n_tokens=10, n_crystallizations=count)]

        def on_substep_end(self, *given: Any, **known: Any) -> None:
            self.score()

        def on_step_end(self, *given: Any, **known: Any) -> None:
            self.score()

    made = trainer(tmp_path, callback, 3, logging_steps=3, gradient_accumulation_steps=2)
    made.callback_handler.callbacks.insert(0, Scoring())
    made.train()
    assert seen == [(1, 30.0), (3, 60.0)]


def test_a_missing_key_is_named(tmp_path: Path) -> None:
    made = trainer(tmp_path, CascadeCallback(Cascade(), "rewards/other/mean"), 2)
    with pytest.raises(ConfigError, match="no 'rewards/other/mean', the cascade's signal; its keys are rewards/task/mean"):
        made.train()


def test_wrong_sources() -> None:
    with pytest.raises(ConfigError, match="give the reward function, one with last_traces"):
        CascadeCallback(Cascade("crystallization"), "reward")
    with pytest.raises(ConfigError, match="give a key of the trainer's log"):
        CascadeCallback(Cascade(), 3)
    with pytest.raises(ConfigError, match="CascadeCallback 'nobody' has no cascade"):
        CascadeCallback(name="nobody")
