"""Attacks that are repelled: adapters that carry code or are no adapter, keys of YAML that run code, bounds that have to hold, signatures."""

from __future__ import annotations

import json
import os
import pickle
from math import exp, fsum, log
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ebmhw.coherence.eml import EMLTree
from ebmhw.coherence.responses import bounded_trace
from ebmhw.coherence.training.config import RunConfig
from ebmhw.errors import ConfigError, EbmhwError, ModelLoadError


class Runs:
    """An object whose unpickling makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("name", ["adapter_model.bin", "adapter_model.safetensors"])
def test_pickles_of_an_adapter_are_never_read(tmp_path, name):
    for library in ("torch", "transformers", "peft"):
        pytest.importorskip(library)
    from capture_models import byte_tokenizer, tiny_model

    from ebmhw.coherence.capture.loading import load_causal_lm

    tiny_model().save_pretrained(tmp_path / "model")
    byte_tokenizer().save_pretrained(tmp_path / "model")
    folder, made = tmp_path / "adapter", tmp_path / "made"
    folder.mkdir()
    config = {"peft_type": "LORA", "task_type": "CAUSAL_LM", "r": 2, "target_modules": ["q_proj"], "base_model_name_or_path": "model"}
    (folder / "adapter_config.json").write_text(json.dumps(config))
    attack = pickle.dumps(Runs(made))
    (folder / name).write_bytes(attack)
    with pytest.raises(ModelLoadError):
        load_causal_lm(str(tmp_path / "model"), folder)
    assert not made.exists()
    pickle.loads(attack)  # what would have happened
    assert made.exists()


@pytest.mark.parametrize(
    "text",
    [
        "steps: !!python/object/apply:os.mkdir [{path}]",
        "a: &a [1]\nb: *a",
        "steps: 1\nsteps: 2",
        "lora: {{rank: 1, rank: 2}}",
        "steps: .nan",
        "learning_rate: .inf",
        "<<: 3",
        "[" * 5000,
    ],
)
def test_yaml_that_does_more_than_say_values_is_refused(tmp_path, text):
    path, made = tmp_path / "run.yaml", tmp_path / "made"
    path.write_text(text.format(path=made) if "{" in text else text)
    with pytest.raises(ConfigError, match=r"run\.yaml"):
        RunConfig.from_yaml(path)
    assert not made.exists()


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=150, deadline=None)
def test_the_entropy_is_inside_whatever_a_chat_server_lists(seed):
    random = np.random.default_rng(seed)
    size = int(random.choice([3, 5, 30, 200]))
    logits = random.choice([0.01, 1.0, 10.0]) * random.standard_cauchy(size)
    nats = logits - logits.max()
    nats = nats - log(fsum(np.exp(nats)))
    entropy = -fsum(exp(value) * value for value in nats)
    drawn, count = int(random.integers(size)), int(random.integers(1, min(20, size) + 1))
    top = [int(i) for i in np.lexsort((random.random(size), -nats))[:count]]
    if random.random() < 0.5 and drawn not in top:
        top = [*top[:-1], drawn]  # vLLM puts the token itself in the place of the last
    texts = [f"t{int(random.integers(size))}" for _ in range(size)]  # some of them the same

    def told(i):
        return {"token": texts[i], "logprob": max(float(nats[i]), -9999.0)}

    content = [{**told(drawn), "top_logprobs": [told(i) for i in top]}]
    trace = bounded_trace({"choices": [{"index": 0, "logprobs": {"content": content}}]}, size)
    low, high = trace.entropy_low[0], trace.entropy_high[0]
    assert np.isnan(low) or low - 1e-12 <= entropy <= high + 1e-12


@given(st.binary(max_size=60), st.data())
@settings(max_examples=200, deadline=None)
def test_bytes_are_one_tree_or_refused(tail, data):
    raw = bytearray(EMLTree.identity_deep(3).to_bytes())
    for _ in range(data.draw(st.integers(0, 3))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    for attack in (bytes(raw), bytes(raw[:6]) + tail):
        try:
            tree = EMLTree.from_bytes(attack)
        except EbmhwError:
            continue
        assert tree.to_bytes() == attack
        assert not np.isinf(tree.forward_batch(np.full((1, tree.input_dim), 1e308))).any()
