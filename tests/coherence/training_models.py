"""A tiny random model with a tokenizer of bytes, as a folder that transformers loads; and a configuration of a run with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

TEMPLATE = "{% for m in messages %}{{ m['role'][0] }}:{{ m['content'] }};{% endfor %}{% if add_generation_prompt %}a:{% endif %}"


def make_model(folder: Path, *, width: int = 16, template: str | None = TEMPLATE) -> Path:
    """Write a Llama of two layers over 259 tokens (bytes, and three special ones) and return its folder."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocab = {letter: i for i, letter in enumerate(letters)} | {"<pad>": 256, "<s>": 257, "</s>": 258}
    tokenizer = Tokenizer(models.BPE(vocab=vocab, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<pad>", bos_token="<s>", eos_token="</s>", padding_side="left")
    if template is not None:
        fast.chat_template = template
    torch.manual_seed(5)
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=259,
            hidden_size=width,
            intermediate_size=32,
            num_hidden_layers=2,
            num_attention_heads=2,
            num_key_value_heads=2,
            max_position_embeddings=256,
            pad_token_id=256,
            bos_token_id=257,
            eos_token_id=258,
        )
    )
    # Weights of the usual size give logits that are all but equal.
    with torch.no_grad():
        model.lm_head.weight.mul_(40)
    model.save_pretrained(folder)
    fast.save_pretrained(folder)
    return folder


def run_of(model: Path, output: Path, **changed: Any) -> dict[str, Any]:
    """Return the configuration of a run of 4 steps."""
    return {
        "model": str(model),
        "output": str(output),
        "steps": 4,
        "seed": 3,
        "batch": 2,
        "generations": 2,
        "max_completion_tokens": 6,
        "learning_rate": 0.01,
        "lora": {"rank": 2, "dropout": 0.1},
        "checkpoint_every": 2,
        "threads": 1,
        "device": "cpu",
        # A random model answers nothing; conciseness differs between its completions.
        "rewards": {"task_reward": 1.0, "conciseness_reward": 1.0, "carl_composite_reward": 1.0},
        "schedule": {"name": "resonance", "horizon_steps": 6},
        "cascade": None,
        "gate": None,
        **changed,
    }
