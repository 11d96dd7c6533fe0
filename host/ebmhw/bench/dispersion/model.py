"""Traces of a real language model: on texts that Python brings along, on its own words at several temperatures, in loops, and before training."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

import ebmhw
from ebmhw.bench.dispersion.families import GROUP, TOKENS, Family, windows
from ebmhw.coherence.trace import CoherenceTrace

TEMPERATURES = (0.0, 0.7, 1.0, 1.5, 2.0)
LENGTH = 2 * TOKENS
_WINDOW = 4 * TOKENS

PROMPTS = (
    "Explain how a sailing boat can move against the wind.",
    "Write a short story about a lighthouse keeper and a storm.",
    "Describe how bread is made, from the field to the table.",
    "What are the causes of the seasons? Explain in detail.",
    "Give me a plan for learning to play the guitar.",
    "Write a letter to a town council about a new library.",
    "How does a refrigerator keep food cold?",
    "Compare cats and dogs as pets.",
    "Describe a walk through a forest in autumn.",
    "Explain what a database index is and when to use one.",
    "Tell me about the history of the bicycle.",
    "What should one consider before buying a house?",
)
_REPEATED = (
    "The train leaves at noon. ",
    "one two three four ",
    "I do not know what to say. ",
    "yes, no, ",
    "Blue is a colour and red is a colour. ",
    "again and ",
)


def families(seed: int) -> Iterator[Family]:
    """Yield the families one by one; raises MissingExtra or ModelLoadError where there is no model."""
    from ebmhw.coherence.capture.loading import SMOLLM2, load_causal_lm

    model, tokenizer, _ = load_causal_lm(SMOLLM2)
    for name, text in (("prose", _prose()), ("code", _code())):
        yield Family(f"SmolLM2 reads {name}", "model", _read(model, tokenizer, text, 6))
    for temperature in TEMPERATURES:
        spoken = generate(model, tokenizer, [_chat(tokenizer, prompt) for prompt in PROMPTS], temperature, seed)
        yield Family(f"SmolLM2 writes, T = {temperature:g}", "model", windows(spoken))
    yield Family("SmolLM2 in a loop", "collapsed", windows(generate(model, tokenizer, [words * 12 for words in _REPEATED], 0.0, seed)))
    yield Family("untrained, reads prose", "noise", _read(untrained(model.config, seed), tokenizer, _prose(), 3))


def groups(seed: int) -> Iterator[tuple[str, list[CoherenceTrace]]]:
    """Yield groups of 8 completions of one prompt, from copies of one to samples; raises as `families` does."""
    from ebmhw.coherence.capture.loading import SMOLLM2, load_causal_lm

    model, tokenizer, _ = load_causal_lm(SMOLLM2)
    for temperature in (0.3, 1.0):
        spoken = generate(model, tokenizer, [_chat(tokenizer, PROMPTS[1])] * GROUP, temperature, seed, TOKENS)
        if temperature < 1:
            yield "one completion 8 times", spoken[:1] * GROUP
            yield "two completions 4 times", spoken[:2] * (GROUP // 2)
        yield f"8 samples of one prompt, T = {temperature:g}", spoken


def untrained(config: Any, seed: int) -> Any:
    """Return a model of the same shape with random weights; the random state of torch is left as it was."""
    import torch
    import transformers

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return transformers.AutoModelForCausalLM.from_config(config).eval()


def _prose() -> str:
    from pydoc_data.topics import topics

    return "\n".join(topics[name] for name in ("objects", "naming", "execmodel", "exceptions"))


def _code() -> str:
    import inspect
    import textwrap

    return inspect.getsource(textwrap)


def _chat(tokenizer: Any, prompt: str) -> str:
    text: str = tokenizer.apply_chat_template([{"role": "user", "content": prompt}], tokenize=False, add_generation_prompt=True)
    return text


def _read(model: Any, tokenizer: Any, text: str, count: int) -> list[CoherenceTrace]:
    """Return traces of the text's first ``count`` stretches of 256 tokens, each read from its own beginning."""
    import torch

    backend = ebmhw.get_backend("cpu", threads=1)
    ids = tokenizer(text)["input_ids"]
    found = []
    for start in range(0, min(len(ids) - _WINDOW - 1, count * _WINDOW), _WINDOW):
        window = ids[start : start + _WINDOW + 1]
        with torch.inference_mode():
            logits = model(torch.tensor([window])).logits[0, :-1].float()
        chosen = np.array(window[1:], dtype=np.int64)
        found.append(CoherenceTrace.from_records(backend.phi(logits, chosen=chosen), logits.shape[-1], token_ids=chosen))
    return windows(found)


def generate(model: Any, tokenizer: Any, prompts: list[str], temperature: float, seed: int, length: int = LENGTH) -> list[CoherenceTrace]:
    """Return a trace of each prompt's completion, to its end or ``length`` tokens, under the temperature that it is drawn at; 0 is greedy."""
    import torch

    backend = ebmhw.get_backend("cpu", threads=1)
    generator = torch.Generator().manual_seed(seed)
    rows = [tokenizer(prompt, add_special_tokens=False)["input_ids"] for prompt in prompts]
    longest = max(map(len, rows))
    ends = {tokenizer.eos_token_id, model.generation_config.eos_token_id}
    entered = torch.tensor([[0] * (longest - len(row)) + row for row in rows])
    mask = torch.tensor([[0] * (longest - len(row)) + [1] * len(row) for row in rows])
    past, steps = None, []
    with torch.inference_mode():
        for _ in range(length):
            done = model(entered, attention_mask=mask, past_key_values=past, use_cache=True, position_ids=_positions(mask, entered.shape[1]))
            past, logits = done.past_key_values, done.logits[:, -1].float()
            if temperature:
                logits = logits / temperature
            entered = torch.multinomial(logits.softmax(-1), 1, generator=generator) if temperature else logits.argmax(-1, keepdim=True)
            mask = torch.cat([mask, torch.ones_like(entered)], dim=1)
            steps.append(backend.phi(logits, chosen=entered[:, 0]))
    found = []
    for row in range(len(prompts)):
        ids = np.array([int(step.chosen[row]) for step in steps])
        ended = next((at for at, token in enumerate(ids.tolist()) if token in ends), length - 1) + 1
        phi, nats, logprob = (np.array([values(step, row) for step in steps[:ended]]) for values in (_phi, _nats, _logprob))
        found.append(CoherenceTrace.of_fields(phi, nats, np.exp(logprob), int(logits.shape[-1]), token_ids=ids[:ended]))
    return found


def _positions(mask: Any, entered: int) -> Any:
    return (mask.cumsum(-1) - 1).clamp(min=0)[:, -entered:]


def _phi(step: Any, row: int) -> float:
    return float(step.phi[row])


def _nats(step: Any, row: int) -> float:
    return float(step.entropy_bits[row] * np.log(2))


def _logprob(step: Any, row: int) -> float:
    return float(step.chosen_logprob[row])
