"""The rewards under TRL's own GRPOTrainer, with a tiny model."""

from __future__ import annotations

import json
import math
import warnings
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("trl")
transformers = pytest.importorskip("transformers")
datasets = pytest.importorskip("datasets")

pytestmark = pytest.mark.slow


@pytest.fixture
def tokenizer():
    """Single characters, as a tokenizer of transformers."""
    from tokenizers import Tokenizer, models, pre_tokenizers

    marks = ["<pad>", "<eos>", *map(chr, range(32, 127))]
    made = Tokenizer(models.WordLevel({mark: i for i, mark in enumerate(marks)}, unk_token="<pad>"))
    made.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    found = transformers.PreTrainedTokenizerFast(tokenizer_object=made, pad_token="<pad>", eos_token="<eos>")
    found.chat_template = "{% for m in messages %}[{{ m.content }}]{% endfor %}"
    return found


@pytest.fixture
def model(tokenizer):
    torch.manual_seed(0)
    torch.set_num_threads(1)
    config = transformers.LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=16, intermediate_size=32, num_hidden_layers=2, num_attention_heads=2, max_position_embeddings=128
    )
    config.pad_token_id, config.eos_token_id = tokenizer.pad_token_id, tokenizer.eos_token_id
    return transformers.LlamaForCausalLM(config)


@pytest.mark.parametrize("how", ["capture", "forward"])
def test_two_steps(model, tokenizer, tmp_path: Path, how: str) -> None:
    from trl import GRPOConfig, GRPOTrainer

    from ebmhw.coherence import rewards
    from ebmhw.coherence.capture import PhiCapture, score_completions

    capture = PhiCapture()
    source = capture if how == "capture" else rewards.ForwardTraces(model, tokenizer)
    carl = rewards.make_carl_reward(source, "phase_adaptive")
    rows = [
        {"prompt": [{"role": "user", "content": f"call tool {i}"}], "expected_tools": ["read_file"] if i % 2 else None, "chain_length": i % 2}
        for i in range(4)
    ]
    functions = [
        rewards.tool_call_format_reward,
        rewards.tool_selection_reward,
        rewards.chain_completion_reward,
        rewards.neuralese_v2_reward,
        rewards.suppress_private_rewards(rewards.conciseness_reward),
        carl,
        rewards.diversity_reward,
        rewards.DispersionReward(source),
    ]
    seen = []

    def watch(completions, completion_ids, **columns):
        seen.append((columns["prompts"], completion_ids, list(carl.last_traces), list(carl.last_scores)))
        return [None] * len(completions)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of libraries that are not judged here
        settings = GRPOConfig(
            output_dir=str(tmp_path), max_steps=2, per_device_train_batch_size=4, num_generations=4, max_completion_length=24, logging_steps=1,
            use_cpu=True, report_to="none", save_strategy="no", reward_weights=[*rewards.TASK_REWARDS.values(), 0.5, 0.5, 0.0], seed=1,
        )  # fmt: skip
        trainer = GRPOTrainer(
            model=model, args=settings, processing_class=tokenizer, reward_funcs=[*functions, watch], train_dataset=datasets.Dataset.from_list(rows)
        )
        before = {name: weight.clone() for name, weight in model.named_parameters()}
        if how == "capture":
            with capture.attached(model):
                trainer.train()
        else:
            trainer.train()

    assert len(seen) == 2
    for _, ids, traces, scores in seen:
        assert len(traces) == len(scores) == len(ids) == 4
        for trace, tokens, score in zip(traces, ids, scores, strict=True):
            assert trace is not None
            assert list(trace.token_ids) == list(tokens)
            assert score is None or 0 <= score <= 1
    assert all(math.isfinite(weight.sum().item()) for weight in model.parameters())
    assert any(not torch.equal(before[name], weight) for name, weight in model.named_parameters())
    steps = [entry for entry in trainer.state.log_history if "reward" in entry]
    assert len(steps) == 2
    for entry in steps:
        assert 0 <= entry["rewards/carl_composite_reward/mean"] <= 1
        assert entry["rewards/tool_call_format_reward/mean"] == 0.0
        for name in ("multiscale", "cloud_quality", "discontinuity_score", "diversity"):
            assert 0 <= entry[f"coherence/{name}"] <= 1
    # Where no tool is expected to be known, nothing is scored; TRL logs that as NaN, and the sum goes on.
    assert all(math.isfinite(entry["reward"]) for entry in steps)
    json.dumps(carl.state(), allow_nan=False)
    assert carl.scorer.current_phase != "unknown"

    # The traces are those of the model that generated, with the prompt as context: one more pass of the model as it was says the same.
    first = seen[0]
    with torch.no_grad():
        for name, weight in model.named_parameters():
            weight.copy_(before[name])
    prompts = [tokenizer.apply_chat_template(prompt, add_generation_prompt=True, return_dict=True)["input_ids"] for prompt in first[0]]
    for trace, again in zip(first[2], score_completions(model, prompts, first[1]), strict=True):
        assert trace.phi == pytest.approx(again.phi, abs=2e-3)
        assert trace.selected_prob == pytest.approx(again.selected_prob, abs=2e-3)
