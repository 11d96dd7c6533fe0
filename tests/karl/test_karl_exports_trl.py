"""Exports in TRL's own trainers, with a tiny random model: the files are taken as they are."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from ebmhw.karl.exports import export, karl_reward
from ebmhw.karl.trajectory import ToolEvent, Trajectory

for needed in ("torch", "transformers", "trl", "datasets"):
    pytest.importorskip(needed)

from capture_models import byte_tokenizer, tiny_model  # noqa: E402

# Warnings of torch, transformers and TRL about themselves are theirs.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

TEMPLATE = (
    "{% for message in messages %}<s>{{ message.role }}\n"
    "{% if message.role == 'assistant' %}{% generation %}{{ message.content }}<end>{% endgeneration %}{% else %}{{ message.content }}<end>{% endif %}"
    "{% endfor %}{% if add_generation_prompt %}<s>assistant\n{% endif %}"
)


def trials() -> list[Trajectory]:
    return [
        Trajectory(
            f"traj_{i}",
            f"s{i}",
            (ToolEvent("Read", {"file_path": "a"}, True), ToolEvent("Bash", {"command": f"run {i}"}, i % 2 == 0)),
            prompt=f"task {i % 4}",
            task=f"t{i % 4}",
        )
        for i in range(16)
    ]


def trained(kind: str, format: str, folder: Path, **settings: Any) -> Any:
    """Return a trainer after two steps on the files of a format."""
    import trl
    from datasets import load_dataset

    values = [1.0 if i < 8 else -1.0 for i in range(16)]
    made = export(trials(), folder / "data", format, advantages=values, rewards=[0.5 + 0.3 * value for value in values], system="plan", valid=0.25)
    data = load_dataset("json", data_files={side: str(made.paths[side]) for side in ("train", "valid")}, cache_dir=str(folder / "cache"))
    assert data["train"].num_rows == made.counts["train"] > 0 and data["valid"].num_rows == made.counts["valid"] > 0
    config = getattr(trl, f"{kind}Config")(
        output_dir=str(folder / "out"),
        max_steps=2,
        per_device_train_batch_size=2,
        report_to=[],
        save_strategy="no",
        logging_steps=1,
        use_cpu=True,
        **settings,
    )
    # DPO and KTO load it again, as their reference.
    tiny_model(vocabulary=259, context=512, scale=1.0).save_pretrained(folder / "model")
    extra: dict[str, Any] = {"reward_funcs": [karl_reward]} if kind == "GRPO" else {}
    trainer = getattr(trl, f"{kind}Trainer")(
        model=str(folder / "model"), args=config, train_dataset=data["train"], processing_class=byte_tokenizer(TEMPLATE), **extra
    )
    trainer.train()
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    assert len(losses) == 2 and all(map(math.isfinite, losses))
    return trainer


@pytest.mark.parametrize("format", ["messages", "oversampled"])
def test_messages_train_on_the_assistants_tokens(format: str, tmp_path: Path) -> None:
    trainer = trained("SFT", format, tmp_path, max_length=512, assistant_only_loss=True)
    batch = next(iter(trainer.get_train_dataloader()))
    tokenizer = byte_tokenizer(TEMPLATE)
    learned = [tokenizer.decode([token for token in row if token >= 0]) for row in batch["labels"].tolist()]
    assert all(text.startswith("1. [ok] Read a\n2. [") and "task" not in text for text in learned)


def test_completions_train_on_the_answer_alone(tmp_path: Path) -> None:
    trainer = trained("SFT", "completions", tmp_path, max_length=512)
    batch = next(iter(trainer.get_train_dataloader()))
    tokenizer = byte_tokenizer(TEMPLATE)
    learned = [tokenizer.decode([token for token in row if token >= 0]) for row in batch["labels"].tolist()]
    assert all(text.startswith("1. [ok] Read a\n2. [") and "task" not in text for text in learned)


def test_pairs_train(tmp_path: Path) -> None:
    trained("DPO", "dpo", tmp_path, max_length=512)


def test_labels_train(tmp_path: Path) -> None:
    trained("KTO", "kto", tmp_path, max_length=512)


def test_prompts_train_with_the_reward(tmp_path: Path) -> None:
    trained("GRPO", "prompts", tmp_path, max_completion_length=8, num_generations=2)
