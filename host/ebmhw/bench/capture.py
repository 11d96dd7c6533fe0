"""What capture costs while SmolLM2 generates: tokens a CPU second with it, without, and with a copy of all logits instead."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, NamedTuple

from ebmhw.bench.harness import Case, Measure, Peer

TOKENS, _QUICK_TOKENS = 64, 12
BATCHES = (1, 8)

_PROMPT = "Explain in a few sentences how a kettle works, number {number}."


class Work(NamedTuple):
    """What all sides do: a model, its prompts side by side, and how many tokens of each are generated."""

    model: Any
    inputs: dict[str, Any]
    tokens: int

    def generate(self, **given: Any) -> Any:
        """Generate the likeliest tokens, none of which ends a row."""
        return self.model.generate(**self.inputs, max_new_tokens=self.tokens, min_new_tokens=self.tokens, do_sample=False, pad_token_id=2, **given)


def cases(quick: bool) -> list[Case]:
    """Return the cases of capture; ``quick`` generates 12 tokens of each row instead of 64."""
    count = _QUICK_TOKENS if quick else TOKENS
    return [
        Case(
            name=f"coherence/capture {rows}x{count}",
            measures=(
                f"tokens a CPU second while SmolLM2-135M (V = 49,152, float32) generates {count} tokens of {rows} "
                f"{'row' if rows == 1 else 'rows side by side'}, one thread: captured as they come, not at all, and from copies of all logits"
            ),
            unit="tokens/s",
            setup=_setup(rows, count),
            ours=_captured,
            peers=(Peer("no capture", _plain), Peer("copies of all logits", _copied)),
            per_cpu_second=True,
        )
        for rows in BATCHES
    ]


def _setup(rows: int, tokens: int) -> Callable[[ExitStack], Work]:
    def setup(stack: ExitStack) -> Work:
        import torch

        from ebmhw.coherence.capture.loading import load_causal_lm
        from ebmhw.coherence.capture.streaming import prompt_tokens

        loaded = load_causal_lm("smollm2")
        stack.callback(torch.set_num_threads, torch.get_num_threads())
        torch.set_num_threads(1)
        prompts = [prompt_tokens(loaded, _PROMPT.format(number=number)) for number in range(1, rows + 1)]
        assert len({len(prompt) for prompt in prompts}) == 1
        ids = torch.tensor(prompts)
        return Work(loaded.model, {"input_ids": ids, "attention_mask": torch.ones_like(ids)}, tokens)

    return setup


def _meter() -> Any:
    import ebmhw

    return ebmhw.get_backend("cpu", threads=1)


def _captured(work: Work) -> Measure:
    from ebmhw.coherence.capture.recorder import PhiCapture

    def measure(number: int) -> float:
        capture = PhiCapture(backend=_meter())
        with capture.attached(work.model):
            work.generate()
        return float(sum(trace.n_tokens for trace in capture.calls[-1].traces))

    return measure


def _plain(work: Work) -> Measure:
    def measure(number: int) -> float:
        width = work.inputs["input_ids"].shape[1]
        return float(work.generate()[:, width:].numel())

    return measure


def _copied(work: Work) -> Measure:
    """Keep the logits of all steps, as generate offers it, copy them into one array, and measure that."""
    import numpy as np

    meter = _meter()

    def measure(number: int) -> float:
        made = work.generate(output_logits=True, return_dict_in_generate=True)
        logits = np.stack([step.numpy() for step in made.logits], axis=1)
        width = work.inputs["input_ids"].shape[1]
        return float(meter.phi(logits, chosen=made.sequences[:, width:].numpy()).phi.size)

    return measure
