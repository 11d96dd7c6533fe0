"""Supervised fine-tuning with TRL, set up for runs of ours: a LoRA adapter, masked targets, weighted examples, an order of its own, quiet."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from typing import Any, final

import datasets
import torch
import trl
from transformers import PrinterCallback

from ebmhw.coherence.capture.loading import Loaded
from ebmhw.coherence.training.trainer import device_of
from ebmhw.coherence.training.trainer import lora_of as plain_lora_of
from ebmhw.karl.training.config import KarlConfig
from ebmhw.karl.training.examples import order
from ebmhw.karl.training.tokens import Tokens

LEFT_OUT = -100
"""Label of tokens that are not learnt, as torch has it."""

_ALL_LINEAR = "all-linear"


@final
class Order(torch.utils.data.Sampler):  # type: ignore[misc]
    """The examples of a run, one after the other; it has the length of the run, so that there is one epoch.

    Parameters
    ----------
    count : examples there are
    seed : of the order
    most : examples of the run
    """

    def __init__(self, count: int, seed: int, most: int) -> None:
        self._count, self._seed, self._most = count, seed, most

    def __len__(self) -> int:
        return self._most

    def __iter__(self) -> Iterator[int]:
        return order(self._count, self._seed, self._most)


@final
class Trainer(trl.SFTTrainer):  # type: ignore[misc]
    """TRL's trainer with weighted examples, an order of its own, and without model cards, which cite and name folders of this machine.

    Parameters
    ----------
    order : of the examples
    given : as of TRL's trainer
    """

    def __init__(self, *, order: Order, **given: Any) -> None:
        self._order = order
        super().__init__(**given)

    def _get_train_sampler(self, *given: Any, **named: Any) -> Order:
        return self._order

    def compute_loss(self, model: Any, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None) -> Any:
        """Return the mean over the batch of weight times mean NLL of an example's target, nats.

        The weights have mean 1 over the examples of the run, not over those of the batch: else they would do nothing in batches of one.
        """
        output, loss, nll = weighted_loss(model, inputs)
        targets = int((inputs["labels"] != LEFT_OUT).sum())
        noted = {"nll": float(nll.detach()), "target_tokens": float(targets), "weight": float(inputs["weight"].mean())}
        for name, value in noted.items():
            self._metrics["train"][name].append(value)
        return (loss, output) if return_outputs else loss

    def create_model_card(self, *given: Any, **named: Any) -> None:
        """Write none."""


def weighted_loss(model: Any, inputs: Any) -> tuple[Any, Any, Any]:
    """Return a model's output, the weighted loss of a batch as of `collated`, and its mean NLL a target token."""
    labels, weights = inputs["labels"][:, 1:], inputs["weight"]
    wanted = labels != LEFT_OUT
    # Outputs before the first target judge nothing; the head is a fifth of SmolLM2.
    first = int(wanted.any(dim=0).float().argmax())
    keep = labels.shape[1] + 1 - first
    given = {"logits_to_keep": keep} if keeps_logits(model) else {}
    output = model(input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"], use_cache=False, **given)
    logits, labels, wanted = output.logits[:, -keep:-1].float(), labels[:, first:], wanted[:, first:]
    each = torch.nn.functional.cross_entropy(logits.flatten(0, 1), labels.flatten(), ignore_index=LEFT_OUT, reduction="none").view(labels.shape)
    sums, counts = each.sum(dim=1), wanted.sum(dim=1)
    return output, (weights * sums / counts.clamp(min=1)).mean(), sums.sum() / counts.sum().clamp(min=1)


def keeps_logits(model: Any) -> bool:
    """Tell whether a model computes only the last logits where it is told to."""
    base = getattr(model, "get_base_model", None)
    # TRL wraps the model's forward; the class has its own.
    return "logits_to_keep" in inspect.signature(type(model if base is None else base()).forward).parameters


def collated(rows: Sequence[dict[str, Any]], padding: int) -> dict[str, Any]:
    """Return rows of a dataset as of `dataset_of` as tensors (B, T), padded on the right."""
    width = max(len(row["input_ids"]) for row in rows)
    short = [width - len(row["input_ids"]) for row in rows]
    return {
        "input_ids": torch.tensor([[*row["input_ids"], *[padding] * lack] for row, lack in zip(rows, short, strict=True)]),
        "attention_mask": torch.tensor([[1] * (width - lack) + [0] * lack for lack in short]),
        "labels": torch.tensor([[*row["labels"], *[LEFT_OUT] * lack] for row, lack in zip(rows, short, strict=True)]),
        "weight": torch.tensor([row["weight"] for row in rows], dtype=torch.float32),
    }


def dataset_of(rows: Sequence[Tokens], weights: Sequence[float]) -> Any:
    """Return examples with their weights as a table of datasets."""
    labels = [[token if wanted else LEFT_OUT for token, wanted in zip(row.ids, row.target, strict=True)] for row in rows]
    return datasets.Dataset.from_dict({"input_ids": [list(row.ids) for row in rows], "labels": labels, "weight": [float(one) for one in weights]})


def trainer_of(config: KarlConfig, loaded: Loaded, lora: Any, data: Any, callbacks: list[Any]) -> Any:
    """Return TRL's trainer of a run on a table as of `dataset_of`."""
    on_cpu = device_of(config) == "cpu"
    arguments = trl.SFTConfig(
        output_dir=config.output,
        seed=config.seed,
        max_steps=config.steps,
        per_device_train_batch_size=config.batch,
        learning_rate=config.learning_rate,
        lr_scheduler_type="constant",
        weight_decay=config.weight_decay,
        max_grad_norm=config.max_grad_norm,
        max_length=None,
        dataset_kwargs={"skip_prepare_dataset": True},
        remove_unused_columns=False,
        use_cpu=on_cpu,
        bf16=False,
        gradient_checkpointing=False,
        logging_steps=1,
        save_strategy="steps",
        # Our callback asks for checkpoints.
        save_steps=config.steps + 1,
        report_to="none",
        disable_tqdm=True,
        dataloader_pin_memory=not on_cpu,
    )
    tokenizer = loaded.tokenizer
    padding = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else tokenizer.eos_token_id or 0
    trainer = Trainer(
        order=Order(len(data), config.seed, config.steps * config.batch),
        model=loaded.model,
        args=arguments,
        train_dataset=data,
        data_collator=lambda rows: collated(rows, padding),
        processing_class=tokenizer,
        peft_config=lora,
        callbacks=callbacks,
    )
    trainer.remove_callback(PrinterCallback)
    return trainer


def lora_of(config: KarlConfig, model: Any) -> Any:
    """Return peft's configuration of the adapter; ConfigError for targets that the model has not."""
    made = plain_lora_of(config, model)
    if config.lora.layers is None:
        return made
    there = int(getattr(model.config.get_text_config(), "num_hidden_layers", 0))
    if made.target_modules == _ALL_LINEAR:
        # peft takes no layers along with it.
        head = model.get_output_embeddings()
        linear = {name.rsplit(".", 1)[-1] for name, module in model.named_modules() if isinstance(module, torch.nn.Linear) and module is not head}
        made.target_modules = linear
    made.layers_to_transform = list(range(max(0, there - config.lora.layers), there))
    return made
