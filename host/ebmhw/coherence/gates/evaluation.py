"""evaluate_adapter: an adapter answers examples of a task that it was not trained on, and phi is measured as it does."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from ebmhw.coherence.capture.adapter import CONFIG, adapter_config
from ebmhw.coherence.capture.loading import Loaded, load_causal_lm
from ebmhw.coherence.capture.recorder import Captured, PhiCapture
from ebmhw.coherence.gates.report import Comparison, EvalGate, EvalReport, ExampleRecord, GateDecision
from ebmhw.coherence.tasks.task import Example, Task
from ebmhw.errors import BudgetError, ConfigError, EbmhwError, ModelError, ModelLoadError, shown
from ebmhw.numbers import whole
from ebmhw.verify.models.quiet import quiet

if TYPE_CHECKING:
    from ebmhw.backends import SamplerBackend

__all__ = ["Comparison", "EvalGate", "EvalReport", "ExampleRecord", "GateDecision", "base_of", "compare", "evaluate", "evaluate_adapter"]

EXAMPLES = 32
BATCH = 8
MAX_TOKENS = 128

Progress = Callable[[int, int], object]
"""Called with the examples answered so far and those asked for."""


def base_of(adapter: str | os.PathLike[str]) -> str:
    """Return the name of the model that an adapter's adapter_config.json says it was trained on.

    Raises
    ------
    ModelLoadError
        where there is no such file, or it names none.
    """
    path = Path(adapter) / CONFIG
    name = adapter_config(adapter).get("base_model_name_or_path")
    if not isinstance(name, str) or not name:
        raise ModelLoadError(f"{path} names no base_model_name_or_path; name the model that the adapter was trained on (base=, --base)")
    return name


def evaluate_adapter(
    adapter: str | os.PathLike[str] | None,
    task: Task,
    *,
    base: str | None = None,
    examples: int = EXAMPLES,
    seed: int = 0,
    batch: int = BATCH,
    max_tokens: int = MAX_TOKENS,
    time_limit: float | None = None,
    progress: Progress | None = None,
    backend: SamplerBackend | str | None = None,
    device: str | None = None,
) -> EvalReport:
    """Return how an adapter on its base answers; with ``adapter`` None, how the base alone does. Arguments as of `evaluate`.

    Raises
    ------
    ModelLoadError, MissingExtra
        where base or adapter cannot be loaded.
    """
    if adapter is None and base is None:
        raise ConfigError("neither an adapter nor a base is given; name one")
    loaded = load_causal_lm(base if base is not None else base_of(adapter or ""), adapter, device=device)
    return evaluate(
        loaded, task, examples=examples, seed=seed, batch=batch, max_tokens=max_tokens, time_limit=time_limit, progress=progress, backend=backend
    )


def evaluate(
    loaded: Loaded,
    task: Task,
    *,
    examples: int = EXAMPLES,
    seed: int = 0,
    batch: int = BATCH,
    max_tokens: int = MAX_TOKENS,
    time_limit: float | None = None,
    progress: Progress | None = None,
    backend: SamplerBackend | str | None = None,
) -> EvalReport:
    """Return how a model answers, greedily, and how certain it is of each token (its own distribution, prompt and template before it).

    Parameters
    ----------
    examples : of the task's split "eval", picked by ``seed``
    batch : how many are answered at a time, padded on the left
    max_tokens : of a completion
    time_limit : seconds from the first prompt on. At the limit the batch at hand is dropped and the report says so in ``failure``, as it does of a
        model that breaks off; no gate passes either
    progress : called after each batch

    Raises
    ------
    ConfigError
        for arguments that are none of these, or a tokenizer without a chat template.
    """
    for name, value in (("batch", batch), ("max_tokens", max_tokens)):
        number = whole(value)
        if number is None or number < 1:
            raise ConfigError(f"{name} of an evaluation is {shown(value)}; give a whole number from 1 up")
    if time_limit is not None and not time_limit > 0:
        raise ConfigError(f"time_limit of an evaluation is {shown(time_limit)}; give seconds above 0")
    chosen = task.examples("eval", examples, seed)
    begun = time.monotonic()
    clock = _Clock(None if time_limit is None else begun + time_limit)
    capture = PhiCapture(backend=backend, on_token=clock.check, keep_calls=1)
    records: list[ExampleRecord] = []
    failure = None
    try:
        with capture.attached(loaded.model):
            for start in range(0, len(chosen), batch):
                clock.check()
                part = chosen[start : start + batch]
                records += _records(task, part, _texts(loaded, part), _answer(loaded, capture, part, max_tokens), loaded.tokenizer)
                if progress is not None:
                    progress(len(records), len(chosen))
    except BudgetError:
        failure = f"the time limit of {time_limit:g} s ended the evaluation after {len(records)} of {len(chosen)} examples; give more time or fewer"
    except ModelError as error:
        failure = f"{error}, after {len(records)} of {len(chosen)} examples"
    spent = time.monotonic() - begun
    return EvalReport.of_records(records, len(chosen), task=task.name, model=loaded.name, seconds=spent, failure=failure)


def compare(
    adapter: str | os.PathLike[str], task: Task, *, base: str | None = None, device: str | None = None, **options: Any
) -> tuple[EvalReport, Comparison]:
    """Return how an adapter answers, and how that compares with its base without it. Arguments as of `evaluate_adapter`.

    The base is loaded anew: biases that were trained, and the weights that some ways of starting LoRA (PiSSA) take away, stay as they are when peft
    puts an adapter aside. ``time_limit`` is that of each of the two.
    """
    name = base if base is not None else base_of(adapter)
    report = evaluate_adapter(adapter, task, base=name, device=device, **options)
    alone = evaluate_adapter(None, task, base=name, device=device, **options)
    return report, Comparison.of(report, alone)


@final
class _Clock:
    """Raises BudgetError once its time has come, at each token too."""

    def __init__(self, end: float | None) -> None:
        self._end = end

    def check(self, *_: object) -> None:
        if self._end is not None and time.monotonic() > self._end:
            raise BudgetError("the time is over")


def _texts(loaded: Loaded, examples: Sequence[Example]) -> list[str]:
    """Return the prompts as the model is given them."""
    try:
        return [str(loaded.tokenizer.apply_chat_template(one.prompt, tokenize=False, add_generation_prompt=True)) for one in examples]
    except Exception as error:  # jinja2 and transformers raise what they like
        said = " ".join(str(error).split())[:200]
        raise ConfigError(
            f"{loaded.name} cannot put a prompt into its chat template ({type(error).__name__}: {said}); give a model for chats"
        ) from error


def _answer(loaded: Loaded, capture: PhiCapture, examples: Sequence[Example], max_tokens: int) -> Captured:
    """Return what the model generates after each prompt."""
    model, tokenizer = loaded.model, loaded.tokenizer
    pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else tokenizer.eos_token_id
    rows = [tokenizer(text, add_special_tokens=False)["input_ids"] for text in _texts(loaded, examples)]
    import torch

    width = max(map(len, rows))
    ids = torch.tensor([[pad or 0] * (width - len(row)) + list(row) for row in rows], device=model.device)
    mask = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in rows], device=model.device)
    plain = {"do_sample": False, "num_beams": 1, "temperature": None, "top_p": None, "top_k": None}
    try:
        with quiet(), torch.no_grad():
            model.generate(input_ids=ids, attention_mask=mask, max_new_tokens=max_tokens, pad_token_id=pad or 0, **plain)
    except EbmhwError:
        raise
    except Exception as error:  # torch and transformers: RuntimeError, IndexError (a prompt beyond the model's positions), ValueError, ...
        said = " ".join(str(error).split())[:300]
        raise ModelError(f"{loaded.name} did not answer ({type(error).__name__}: {said})") from error
    return capture.calls[-1]


def _records(task: Task, examples: Sequence[Example], texts: Sequence[str], answered: Captured, tokenizer: Any) -> list[ExampleRecord]:
    found = []
    for example, text, ids, trace in zip(examples, texts, answered.completion_ids, answered.traces, strict=True):
        completion = str(tokenizer.decode(ids, skip_special_tokens=True))
        known = trace.phi_mean is not None
        score = task.score(example, completion)
        found.append(ExampleRecord(text, completion, score, len(ids), trace.phi_mean, trace.discontinuity_score if known else None))
    return found
