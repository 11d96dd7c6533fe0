"""Tiny random models of transformers, a byte tokenizer for them, and a judge in float64 that shares nothing with what it judges."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

VOCABULARY = 211
END, PAD = 3, 0


def tiny_model(kind: str = "llama", *, vocabulary: int = VOCABULARY, context: int = 96, seed: int = 0, scale: float = 6.0, dtype: Any = None) -> Any:
    """Return a model of two layers whose logits differ widely."""
    import torch
    from transformers import AutoModelForCausalLM, GPT2Config, LlamaConfig

    torch.manual_seed(seed)
    common = {"vocab_size": vocabulary, "eos_token_id": END, "pad_token_id": PAD, "bos_token_id": 1}
    if kind == "llama":
        config: Any = LlamaConfig(
            hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=context,
            **common,
        )  # fmt: skip
    else:
        config = GPT2Config(n_embd=32, n_layer=2, n_head=4, n_positions=context, **common)
    model = AutoModelForCausalLM.from_config(config).eval()
    with torch.no_grad():
        for weights in model.parameters():
            weights.mul_(scale)
    return model if dtype is None else model.to(dtype)


def byte_tokenizer(template: str | None = None) -> Any:
    """Return a tokenizer of one token a byte, behind three special ones: <pad> 0, <s> 1, <end> 2."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    specials = ["<pad>", "<s>", "<end>"]
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE(vocab={token: at for at, token in enumerate([*specials, *letters])}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    made = PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<pad>", bos_token="<s>", eos_token="<end>")
    made.chat_template = template
    return made


def padded(prompts: Sequence[Sequence[int]]) -> dict[str, Any]:
    """Return prompts as generate takes them, padded on the left."""
    import torch

    width = max(map(len, prompts))
    return {
        "input_ids": torch.tensor([[PAD] * (width - len(row)) + list(row) for row in prompts]),
        "attention_mask": torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in prompts]),
    }


def judged(model: Any, prompt: Sequence[int], completion: Sequence[int]) -> tuple[Any, Any, Any]:
    """Return phi, entropy in nats and probability of each token, (T,) float64, of the row alone, without cache, batch or padding."""
    import torch

    with torch.no_grad():
        logits = model(input_ids=torch.tensor([[*prompt, *completion]]), use_cache=False).logits[0].double().numpy()
    rows = logits[len(prompt) - 1 : len(prompt) + len(completion) - 1]
    shifted = rows - rows.max(axis=1, keepdims=True)
    probabilities = np.exp(shifted) / np.exp(shifted).sum(axis=1, keepdims=True)
    entropy = -np.where(probabilities > 0, probabilities * np.log(np.maximum(probabilities, 1e-300)), 0).sum(axis=1)
    return 1 - entropy / np.log(rows.shape[1]), entropy, probabilities[np.arange(len(completion)), list(completion)]


def assert_judged(model: Any, captured: Any, tolerance: float = 3e-4) -> None:
    """Every row of a call is what the judge says of it."""
    assert len(captured.prompt_ids) == len(captured.completion_ids) == len(captured.traces)
    for row, (prompt, completion, trace) in enumerate(zip(captured.prompt_ids, captured.completion_ids, captured.traces, strict=True)):
        assert trace.n_tokens == len(completion) and trace.token_ids.tolist() == completion and trace.sample_idx == row
        if not completion:
            continue
        phi, entropy, probability = judged(model, prompt, completion)
        assert np.abs(trace.phi - phi).max() <= tolerance
        assert np.abs(trace.entropy - entropy).max() <= tolerance * 8
        assert np.abs(trace.selected_prob - probability).max() <= tolerance * 4
