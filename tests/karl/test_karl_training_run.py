"""Runs with a tiny random model: a run that was cut has the numbers of one that was not; masks and weights do what they say."""

from __future__ import annotations

import json
import math
import os
import signal
from pathlib import Path
from typing import Any

import pytest
from karl_models import conversation, examples_of, make_model, run_of

from ebmhw.errors import ConfigError, InvalidFile, TrainingError
from ebmhw.karl.training import KarlStep, plan, train

for needed in ("torch", "transformers", "trl", "peft", "datasets"):
    pytest.importorskip(needed)

# Warnings of torch, transformers, TRL and peft about themselves are theirs.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

TIMES = ("time", "step_time")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def whole(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that nothing disturbed."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    result = train(run_of(model, folder), examples=examples_of())
    assert (result.ended, result.steps, result.examples, result.left_out) == ("finished", 6, 7, 0)
    return folder


def lines(path: Path) -> list[dict[str, Any]]:
    return [{name: value for name, value in json.loads(line).items() if name not in TIMES} for line in path.read_text().splitlines()]


def assert_same(folder: Path, whole: Path) -> None:
    assert lines(folder / "log.jsonl") == lines(whole / "log.jsonl")
    for name in ("adapter_model.safetensors", "adapter_config.json"):
        assert (folder / "adapter" / name).read_bytes() == (whole / "adapter" / name).read_bytes()


def test_the_log_has_a_whole_line_a_step_that_observe_reads(whole):
    from ebmhw.coherence.observe.schema import series_of

    found = [json.loads(line) for line in (whole / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in found] == [1, 2, 3, 4, 5, 6]
    for line in found:
        assert {"loss", "learning_rate", "grad_norm", "step_time", "time"} <= set(series_of(line))
        assert line["grad_norm"] > 0 and line["nll"] > 0 and line["target_tokens"] > 0
    rates = [0.01 * 0.5 * (1 + math.cos(math.pi * step / 6)) * min(1, (step + 1) / 2) for step in range(6)]
    assert [line["learning_rate"] for line in found] == pytest.approx(rates)


@pytest.mark.parametrize("cut", [1, 3])
def test_a_run_that_crashed_and_was_resumed_is_the_same_bit_by_bit(model, whole, tmp_path, cut):
    def crash(step: KarlStep) -> None:
        if step.step == cut:
            raise OSError("no space left")

    with pytest.raises(TrainingError, match=f"^step {cut} of 6 failed: OSError: no space left"):
        train(run_of(model, tmp_path / "run"), examples=examples_of(), progress=crash)
    result = train(run_of(model, tmp_path / "run"), examples=examples_of(), resume=True)
    assert (result.ended, result.steps, result.resumed_at) == ("finished", 6, {1: None, 3: 2}[cut])
    assert (result.notice is None) == (cut == 3) and (cut == 3 or "had no whole checkpoint (0 damaged), so that it was begun anew" in result.notice)
    assert_same(tmp_path / "run", whole)


def test_a_run_whose_checkpoints_are_all_damaged_is_begun_anew_and_says_so(model, whole, tmp_path):
    assert train(run_of(model, tmp_path / "run", time_limit=1e-3), examples=examples_of()).notice is None
    for state in (tmp_path / "run").glob("checkpoint-*/ebmhw.json"):
        state.write_text("{")
    result = train(run_of(model, tmp_path / "run"), examples=examples_of(), resume=True)
    assert result.resumed_at is None and result.steps == 6 and result.to_dict()["notice"] == result.notice
    assert result.notice.endswith("run had no whole checkpoint (1 damaged), so that it was begun anew, at the first step")
    assert_same(tmp_path / "run", whole)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_run_at_the_end_of_a_step_with_a_checkpoint(model, whole, tmp_path, number):
    def cut(step: KarlStep) -> None:
        # A step is told after its end: the one that follows is the last.
        if step.step == 2:
            os.kill(os.getpid(), number)

    result = train(run_of(model, tmp_path / "run"), examples=examples_of(), progress=cut)
    assert (result.ended, result.steps, result.asked_steps) == ("interrupted", 3, 6) and (tmp_path / "run" / "checkpoint-3").is_dir()
    assert train(run_of(model, tmp_path / "run"), examples=examples_of(), resume=True).ended == "finished"
    assert_same(tmp_path / "run", whole)


def test_a_time_limit_ends_a_run_with_a_checkpoint(model, whole, tmp_path):
    result = train(run_of(model, tmp_path / "run", time_limit=1e-3), examples=examples_of())
    assert (result.ended, result.steps) == ("time limit", 1)
    assert train(run_of(model, tmp_path / "run"), examples=examples_of(), resume=True).steps == 6
    assert_same(tmp_path / "run", whole)


def test_a_resumed_run_refuses_other_examples_and_other_values(model, tmp_path):
    train(run_of(model, tmp_path / "run", steps=2), examples=examples_of())
    with pytest.raises(ConfigError, match="the examples in export are not those of the run"):
        train(run_of(model, tmp_path / "run"), examples=examples_of(6), resume=True)
    with pytest.raises(ConfigError, match=r"^batch is 1, but the run in .* has 2; a resumed run may change only output, steps"):
        train(run_of(model, tmp_path / "run", batch=1), examples=examples_of(), resume=True)
    with pytest.raises(ConfigError, match="holds a run already"):
        train(run_of(model, tmp_path / "run"), examples=examples_of())


def test_masked_tokens_carry_no_gradient(model):
    import torch

    from ebmhw.coherence.capture.loading import load_causal_lm
    from ebmhw.karl.training.tokens import Template
    from ebmhw.karl.training.trainer import collated, weighted_loss

    loaded = load_causal_lm(str(model))
    template = Template(loaded.tokenizer, "tiny")
    rows = [template.tokens(one["messages"]) for one in examples_of(3)]
    weights = [1.0, 0.0, 2.5]
    batch = collated(
        [
            {
                "input_ids": list(row.ids),
                "labels": [token if wanted else -100 for token, wanted in zip(row.ids, row.target, strict=True)],
                "weight": w,
            }
            for row, w in zip(rows, weights, strict=True)
        ],
        256,
    )
    logits = loaded.model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits.detach().requires_grad_()

    class Fixed(type(loaded.model)):
        def __init__(self):
            torch.nn.Module.__init__(self)

        def forward(self, input_ids, logits_to_keep=0, **given):
            return type("Output", (), {"logits": logits[:, -logits_to_keep:]})()

    _, loss, nll = weighted_loss(Fixed(), batch)
    loss.backward()
    counted = logits.grad.abs().sum(dim=2) > 0
    likely = torch.log_softmax(logits.detach(), dim=2)
    means, total = [], []
    for place, row in enumerate(rows):
        for position in range(counted.shape[1]):
            judged = position + 1 < len(row.ids) and row.target[position + 1] and weights[place] > 0
            assert bool(counted[place, position]) == judged
        each = [-float(likely[place, at - 1, row.ids[at]]) for at in range(1, len(row.ids)) if row.target[at]]
        means.append(sum(each) / len(each))
        total += each
    assert float(loss) == pytest.approx(sum(w * m for w, m in zip(weights, means, strict=True)) / 3, rel=1e-5)
    assert float(nll) == pytest.approx(sum(total) / len(total), rel=1e-5)


def test_a_weight_counts_in_batches_of_one(model, tmp_path):
    pair = [conversation("a", "bb", 1.0), conversation("c", "dd", 3.0)]
    train(run_of(model, tmp_path / "run", steps=2, batch=1), examples=pair)
    found = lines(tmp_path / "run" / "log.jsonl")
    assert sorted(line["weight"] for line in found) == [0.5, 1.5]
    for line in found:
        assert line["loss"] == pytest.approx(line["weight"] * line["nll"], rel=1e-5)
    train(run_of(model, tmp_path / "alike", steps=2, batch=1, weights=False), examples=pair)
    assert [line["weight"] for line in lines(tmp_path / "alike" / "log.jsonl")] == [1.0, 1.0]


def test_an_example_of_weight_0_is_left_out(model, tmp_path):
    kept = examples_of(3)
    train(run_of(model, tmp_path / "kept"), examples=kept)
    result = train(run_of(model, tmp_path / "more"), examples=[*kept, conversation("left", "out", 0.0)])
    assert (result.examples, result.left_out) == (3, 1)
    assert lines(tmp_path / "more" / "log.jsonl") == lines(tmp_path / "kept" / "log.jsonl")
    # Control: with any weight it does count.
    train(run_of(model, tmp_path / "other"), examples=[*kept, conversation("not left", "out", 0.1)])
    assert lines(tmp_path / "other" / "log.jsonl") != lines(tmp_path / "kept" / "log.jsonl")


def test_training_lowers_the_loss_of_what_it_learns_and_writes_an_adapter_that_loads(model, tmp_path):
    from safetensors.torch import load_file

    from ebmhw.coherence.capture.loading import load_causal_lm

    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "train.jsonl").write_text("".join(json.dumps(conversation("q", "abab")) + "\n" for _ in range(2)))
    (folder / "valid.jsonl").write_text(json.dumps(conversation("q", "abab")) + "\n")
    result = train(run_of(model, tmp_path / "run", data=str(folder), steps=30, lora={"rank": 4, "layers": None}))
    assert result.valid_after < result.valid_before - 0.5 and result.summary["loss"][1] < result.summary["loss"][0]
    assert load_causal_lm(str(model), result.adapter).model is not None
    assert json.loads(json.dumps(result.to_dict()))["steps"] == 30
    trained = load_file(result.adapter / "adapter_model.safetensors")
    assert {name.split(".layers.")[1].split(".")[0] for name in trained} == {"0", "1"}


def test_only_the_last_layers_get_an_adapter(whole):
    from safetensors.torch import load_file

    assert {name.split(".layers.")[1].split(".")[0] for name in load_file(whole / "adapter" / "adapter_model.safetensors")} == {"1"}


def test_coherence_joins_the_weights_and_is_kept(model, tmp_path):
    config = run_of(model, tmp_path / "run", coherence=0.5, batch=1, steps=7)
    train(config, examples=examples_of())
    kept = json.loads((tmp_path / "run" / "coherence.json").read_text())["coherence"]
    assert len(kept) == 7 and all(0 <= value <= 1 for value in kept)
    base = [0.5 + place % 3 for place in range(7)]
    wanted = [0.5 * w / (sum(base) / 7) + 0.5 * c / (sum(kept) / 7) for w, c in zip(base, kept, strict=True)]
    assert sorted(line["weight"] for line in lines(tmp_path / "run" / "log.jsonl")) == pytest.approx(sorted(wanted))


def test_a_plan_writes_nothing(model, tmp_path):
    told = plan(run_of(model, tmp_path / "run"), examples=[*examples_of(), conversation("long " * 40, "ok")])
    assert (told.examples, told.shortened, told.resumed_at, told.longest) == (8, 1, None, 96) and told.rounds == pytest.approx(12 / 8)
    # One layer of width 16, four modules, rank 2.
    assert told.parameters == 4 * 2 * (16 + 16)
    everywhere = plan(run_of(model, tmp_path / "run", lora={"rank": 2, "layers": 9, "targets": ["all-linear"]}), examples=examples_of())
    # Both layers, and their gate, up and down projections (16 to 32 and back); the head has none.
    assert everywhere.parameters == 2 * (4 * 2 * (16 + 16) + 3 * 2 * (16 + 32))
    assert 0 < told.target_tokens < told.tokens
    assert not (tmp_path / "run").exists()


def test_what_cannot_be_trained_on_is_refused(model, tmp_path):
    with pytest.raises(ConfigError, match="none of the 1 examples in export has a weight above 0"):
        train(run_of(model, tmp_path / "run"), examples=[conversation("a", "b", 0.0)])
    with pytest.raises(ConfigError, match=r"^data is .*, a folder without train.jsonl; give one that `ebmhw karl export` wrote"):
        train(run_of(model, tmp_path / "run", data=str(tmp_path / "no")))
    with pytest.raises(InvalidFile, match=r"^example 0: no message is the assistant's"):
        train(run_of(model, tmp_path / "run"), examples=[{"messages": [{"role": "user", "content": "a"}]}])
    with pytest.raises(ConfigError, match=r"lora.targets names x_proj, which .* has not"):
        train(run_of(model, tmp_path / "run", lora={"targets": ["x_proj"]}), examples=examples_of())
    assert not (tmp_path / "run").exists()


def test_nothing_of_the_libraries_is_printed(model, tmp_path, capfd):
    plan(run_of(model, tmp_path / "run"), examples=examples_of())
    train(run_of(model, tmp_path / "run", steps=1), examples=examples_of())
    assert capfd.readouterr() == ("", "")
