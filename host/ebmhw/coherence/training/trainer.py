"""GRPO with TRL, set up for runs of ours: a LoRA adapter, one generation a step, quiet."""

from __future__ import annotations

import contextlib
import logging
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, final

import datasets
import peft
import torch
import trl
from transformers import PrinterCallback

from ebmhw.coherence.capture.loading import Loaded
from ebmhw.coherence.tasks.task import Example, Reward
from ebmhw.coherence.training.config import RunConfig
from ebmhw.errors import ConfigError
from ebmhw.verify.models.quiet import quiet

_ALL_LINEAR = ("all-linear",)


@final
class Trainer(trl.GRPOTrainer):  # type: ignore[misc]
    """TRL's trainer without model cards, which cite and name folders of this machine."""

    def create_model_card(self, *given: Any, **named: Any) -> None:
        """Write none."""


def device_of(config: Any) -> str:
    """Return "cpu" or "cuda".

    Raises
    ------
    ConfigError : device is "cuda" and there is none
    """
    there = bool(torch.cuda.is_available())
    if config.device == "cuda" and not there:
        raise ConfigError("device is 'cuda', but torch sees no GPU here; give 'auto' or 'cpu'", context={"key": "device"})
    return "cuda" if there and config.device != "cpu" else "cpu"


def trainer_of(config: RunConfig, loaded: Loaded, lora: Any, data: Any, rewards: Sequence[tuple[Reward, float]], callbacks: list[Any]) -> Any:
    """Return TRL's trainer of a run.

    Parameters
    ----------
    lora : as of `lora_of`
    data : batch * steps examples as of `dataset_of`, in the order in which they are trained on
    """
    on_cpu = device_of(config) == "cpu"
    arguments = trl.GRPOConfig(
        output_dir=config.output,
        seed=config.seed,
        max_steps=config.steps,
        per_device_train_batch_size=config.batch * config.generations // config.accumulation,
        gradient_accumulation_steps=config.accumulation,
        num_generations=config.generations,
        max_completion_length=config.max_completion_tokens,
        temperature=config.temperature,
        top_p=config.top_p,
        learning_rate=config.learning_rate,
        lr_scheduler_type="constant",
        weight_decay=config.weight_decay,
        max_grad_norm=config.max_grad_norm,
        beta=config.beta,
        reward_weights=[weight for _, weight in rewards],
        use_cpu=on_cpu,
        bf16=False,
        gradient_checkpointing=False,
        shuffle_dataset=False,
        logging_steps=1,
        save_strategy="steps",
        # Our callback asks for checkpoints.
        save_steps=config.steps + 1,
        report_to="none",
        disable_tqdm=True,
        dataloader_pin_memory=not on_cpu,
    )
    trainer = Trainer(
        model=loaded.model,
        reward_funcs=[reward for reward, _ in rewards],
        args=arguments,
        train_dataset=data,
        processing_class=loaded.tokenizer,
        peft_config=lora,
        callbacks=callbacks,
    )
    trainer.remove_callback(PrinterCallback)
    return trainer


def check_lengths(config: RunConfig, tokenizer: Any, examples: Sequence[Example]) -> int:
    """Return the tokens of the longest prompt.

    Raises
    ------
    ConfigError : a prompt is longer than max_prompt_tokens, or the tokenizer has no chat template
    """
    longest = 0
    for prompt in {repr(example.prompt): example.prompt for example in examples}.values():
        try:
            text = tokenizer.apply_chat_template(prompt, tokenize=False, add_generation_prompt=True)
        except Exception as error:  # jinja2 and transformers raise what they like
            raise ConfigError(
                f"model {config.model} cannot put a prompt into its chat template ({type(error).__name__}: {' '.join(str(error).split())[:200]}); "
                "give a model for chats, or prompts that its template takes",
                context={"key": "model"},
            ) from error
        count = len(tokenizer(text, add_special_tokens=False)["input_ids"])
        if count > config.max_prompt_tokens:
            raise ConfigError(
                f"the prompt {' '.join(text.split())[:80]!r} has {count} tokens, more than max_prompt_tokens {config.max_prompt_tokens}; raise that, "
                "or shorten the prompt",
                context={"key": "max_prompt_tokens"},
            )
        longest = max(longest, count)
    return longest


@contextlib.contextmanager
def hushed() -> Iterator[None]:
    """Keep what transformers, TRL and peft say of themselves off the terminal."""
    loggers = [logging.getLogger(name) for name in ("trl", "accelerate", "peft", "datasets")]
    levels = [logger.level for logger in loggers]
    bars = datasets.are_progress_bars_disabled()
    with quiet(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        datasets.disable_progress_bars()
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)
            if not bars:
                datasets.enable_progress_bars()


def save_adapter(trainer: Any, base: str, folder: Path) -> None:
    """Write the trained adapter, naming ``base`` as the model that it belongs to."""
    model = trainer.accelerator.unwrap_model(trainer.model)
    model.peft_config["default"].base_model_name_or_path = str(Path(base).resolve()) if Path(base).is_dir() else base
    model.save_pretrained(str(folder))
    # A card of peft that names nothing but folders of this machine.
    (folder / "README.md").unlink(missing_ok=True)


def dataset_of(examples: Sequence[Example]) -> Any:
    """Return examples as a table of datasets; ConfigError where a column holds values of several kinds."""
    names = dict.fromkeys(name for example in examples for name in example.columns)
    columns: dict[str, list[Any]] = {"prompt": [example.prompt for example in examples]}
    columns |= {name: [example.columns.get(name) for example in examples] for name in names}
    try:
        return datasets.Dataset.from_dict(columns)
    except Exception as error:  # pyarrow's kinds
        raise ConfigError(
            f"the columns {', '.join(names)} of the task's examples make no table ({' '.join(str(error).split())[:200]}); give one kind of value "
            "in each"
        ) from error


def lora_of(config: Any, model: Any) -> Any:
    """Return peft's configuration of the adapter; ConfigError for targets that the model has not."""
    lora = config.lora
    if lora.targets != _ALL_LINEAR:
        there = {name.rsplit(".", 1)[-1] for name, module in model.named_modules() if isinstance(module, torch.nn.Linear)}
        missing = [name for name in lora.targets if name not in there]
        if missing:
            raise ConfigError(
                f"lora.targets names {', '.join(missing)}, which {config.model} has not; it has {', '.join(sorted(there))}, or give [all-linear]",
                context={"key": "lora.targets"},
            )
    return peft.LoraConfig(
        r=lora.rank,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules="all-linear" if lora.targets == _ALL_LINEAR else list(lora.targets),
        task_type="CAUSAL_LM",
    )
