"""Adapters that answer: a tiny random model with LoRA adapters, judged by what a plain call of generate says."""

from __future__ import annotations

import json
import math
import warnings
from pathlib import Path
from typing import Any

import pytest

from ebmhw.coherence.gates import EvalGate
from ebmhw.coherence.tasks.task import Example, Task
from ebmhw.errors import ConfigError, ModelLoadError

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")
peft = pytest.importorskip("peft")

from training_models import make_model  # noqa: E402

from ebmhw.coherence.capture.loading import load_causal_lm  # noqa: E402
from ebmhw.coherence.gates.evaluation import base_of, compare, evaluate, evaluate_adapter  # noqa: E402


class Letters(Task):
    """Prompts of different lengths; the score is the share of a completion that is letters."""

    name = "letters"

    def examples(self, split: str, count: int, seed: int = 0) -> list[Example]:
        assert split == "eval"
        return [Example([{"role": "user", "content": "x" * (i % 5) + str(i)}], {}) for i in range(seed, seed + count)]

    def score(self, example: Example, completion: str) -> float | None:
        return sum(letter.isascii() and letter.isalpha() for letter in completion) / max(1, len(completion))


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A model, and an adapter of it that changes what it says."""
    root = tmp_path_factory.mktemp("models")
    base = make_model(root / "base")
    loaded = load_causal_lm(str(base))
    torch.manual_seed(1)
    config = peft.LoraConfig(r=2, target_modules=["q_proj", "v_proj"], init_lora_weights=False, task_type="CAUSAL_LM")
    with warnings.catch_warnings():
        # peft 0.21 asks transformers 5.23 by a name that goes away
        warnings.simplefilter("ignore", FutureWarning)
        model = peft.get_peft_model(loaded.model, config)
    model.peft_config["default"].base_model_name_or_path = str(base)
    model.save_pretrained(str(root / "adapter"))
    return base, root / "adapter"


def test_answers_are_those_of_generate(folders: tuple[Path, Path]) -> None:
    base, adapter = folders
    assert base_of(adapter) == str(base)
    steps: list[tuple[int, int]] = []
    report = evaluate_adapter(adapter, Letters(), examples=5, batch=2, max_tokens=6, progress=lambda *at: steps.append(at))
    assert steps == [(2, 5), (4, 5), (5, 5)]
    assert (report.wanted, report.n, report.n_traced, report.n_answered, report.failure) == (5, 5, 5, 5, None)
    loaded = load_causal_lm(str(base), adapter)
    for record in report.records:
        ids = loaded.tokenizer(record.prompt, return_tensors="pt", add_special_tokens=False)
        out = loaded.model.generate(**ids, do_sample=False, max_new_tokens=6, return_dict_in_generate=True, output_logits=True)
        new = out.sequences[0, ids["input_ids"].shape[1] :]
        assert loaded.tokenizer.decode(new, skip_special_tokens=True) == record.completion and record.n_tokens == len(new)
        logs = torch.log_softmax(torch.stack(out.logits)[:, 0].double(), -1)
        phi = 1 + (logs.exp() * logs).sum(-1) / math.log(259)
        assert record.phi_mean == pytest.approx(float(phi.mean()), abs=2e-3)
    one = evaluate_adapter(adapter, Letters(), examples=5, batch=5, max_tokens=6)
    assert [record.completion for record in one.records] == [record.completion for record in report.records]
    json.dumps(report.to_dict(), allow_nan=False)


def test_comparison_with_the_base(folders: tuple[Path, Path]) -> None:
    base, adapter = folders
    report, comparison = compare(adapter, Letters(), examples=4, max_tokens=6)
    alone = evaluate_adapter(None, Letters(), base=str(base), examples=4, max_tokens=6)
    assert [record.completion for record in comparison.base.records] == [record.completion for record in alone.records]
    assert [record.completion for record in report.records] != [record.completion for record in alone.records]
    assert comparison.pairs == 4 and comparison.base.model == alone.model


@pytest.mark.parametrize("given", [{"bias": "all"}, {"init_lora_weights": "pissa"}])
def test_the_base_of_an_adapter_that_changes_it(tmp_path: Path, given: dict[str, Any]) -> None:
    from transformers import AutoModelForCausalLM

    base = make_model(tmp_path / "base")
    config = load_causal_lm(str(base)).model.config
    config.attention_bias = True
    biased = AutoModelForCausalLM.from_config(config)
    with torch.no_grad():
        biased.lm_head.weight.mul_(40)
    biased.save_pretrained(base)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = peft.get_peft_model(biased, peft.LoraConfig(**{"r": 2, "target_modules": ["q_proj", "v_proj"], "task_type": "CAUSAL_LM"} | given))
        with torch.no_grad():
            for weights in model.parameters():
                if weights.requires_grad:
                    weights.add_(torch.rand_like(weights))
        model.peft_config["default"].base_model_name_or_path = str(base)
        model.save_pretrained(str(tmp_path / "adapter"))
        report, comparison = compare(tmp_path / "adapter", Letters(), examples=4, max_tokens=6)
        alone = evaluate_adapter(None, Letters(), base=str(base), examples=4, max_tokens=6)
    assert comparison.base.phi_mean == alone.phi_mean != report.phi_mean
    assert [record.completion for record in comparison.base.records] == [record.completion for record in alone.records]


def test_time_and_breakdowns_close_the_gate(folders: tuple[Path, Path]) -> None:
    base, _ = folders
    loaded = load_causal_lm(str(base))
    gate = EvalGate(0.0, 0.0, (0.0, 1.0), least_examples=1)
    assert gate.check(evaluate(loaded, Letters(), examples=2, max_tokens=3)).passed
    late = evaluate(loaded, Letters(), examples=2, max_tokens=3, time_limit=1e-9)
    assert not gate.check(late).passed and "the time limit of 1e-09 s ended the evaluation after 0 of 2 examples" in str(late.failure)

    def broken(*given: Any, **named: Any) -> None:
        raise RuntimeError("no memory left")

    before = loaded.model.forward
    loaded.model.forward = broken
    report = evaluate(loaded, Letters(), examples=2, max_tokens=3)
    assert not gate.check(report).passed and "did not answer (RuntimeError: no memory left)" in str(report.failure)
    loaded.model.forward = before
    assert gate.check(evaluate(loaded, Letters(), examples=2, max_tokens=3)).passed


def test_what_cannot_be_evaluated(folders: tuple[Path, Path], tmp_path: Path) -> None:
    _, adapter = folders
    with pytest.raises(ModelLoadError, match=r"adapter_config\.json cannot be read"):
        evaluate_adapter(tmp_path / "none", Letters())
    (tmp_path / "adapter_config.json").write_text("{}")
    with pytest.raises(ModelLoadError, match="names no base_model_name_or_path"):
        base_of(tmp_path)
    wide = make_model(tmp_path / "wide", width=32)
    with pytest.raises(ModelLoadError, match="does not load on"):
        evaluate_adapter(adapter, Letters(), base=str(wide))
    bare = load_causal_lm(str(make_model(tmp_path / "bare", template=None)))
    with pytest.raises(ConfigError, match="cannot put a prompt into its chat template"):
        evaluate(bare, Letters(), examples=1)
    for option in ({"batch": 0}, {"max_tokens": None}, {"time_limit": math.nan}):
        with pytest.raises(ConfigError, match=f"{next(iter(option))} of an evaluation is"):
            evaluate(bare, Letters(), **option)
    with pytest.raises(ConfigError, match="neither an adapter nor a base"):
        evaluate_adapter(None, Letters())
