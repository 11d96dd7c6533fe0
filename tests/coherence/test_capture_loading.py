"""Models and adapters from folders: what loads, and one line for whatever does not."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from capture_models import byte_tokenizer, tiny_model  # noqa: E402

from ebmhw.coherence.capture.loading import load_causal_lm  # noqa: E402
from ebmhw.errors import MissingExtra, ModelLoadError  # noqa: E402

# peft 0.21 asks transformers 5.23 by a name that it is about to drop.
pytestmark = pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing. is deprecated:FutureWarning")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("model")
    tiny_model(vocabulary=259).save_pretrained(made)
    byte_tokenizer().save_pretrained(made)
    return made


def make_adapter(folder: Path, where: Path, **given: Any) -> Path:
    peft = pytest.importorskip("peft")
    model = load_causal_lm(str(folder)).model
    settings = {"r": 2, "target_modules": ["q_proj", "v_proj"], "init_lora_weights": False, "task_type": "CAUSAL_LM"} | given
    peft.get_peft_model(model, peft.LoraConfig(**settings)).save_pretrained(where)
    return where


@pytest.fixture
def adapter(folder: Path, tmp_path: Path) -> Path:
    return make_adapter(folder, tmp_path / "adapter")


def logits_of(model: Any) -> Any:
    with torch.no_grad():
        return model(input_ids=torch.tensor([[5, 6, 7]])).logits


def test_a_folder(folder: Path) -> None:
    loaded = load_causal_lm(str(folder))
    assert loaded.name == str(folder) and loaded.model.dtype == torch.float32 and not loaded.model.training
    assert not any(weights.requires_grad for weights in loaded.model.parameters())
    assert all(weights.requires_grad for weights in load_causal_lm(str(folder), trainable=True).model.parameters())
    assert loaded.tokenizer.decode(loaded.tokenizer("aé")["input_ids"]) == "aé"


def test_an_adapter(folder: Path, adapter: Path) -> None:
    plain, adapted = load_causal_lm(str(folder)), load_causal_lm(str(folder), adapter)
    assert adapted.name == f"{folder} with adapter" and not torch.allclose(logits_of(plain.model), logits_of(adapted.model))
    assert not any(weights.requires_grad for weights in adapted.model.parameters())
    trainable = {name for name, weights in load_causal_lm(str(folder), adapter, trainable=True).model.named_parameters() if weights.requires_grad}
    assert trainable and all("lora_" in name for name in trainable)


def test_models_that_are_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("no-such-model", "no/such", "", "a b", "../x", str(tmp_path), "/etc/passwd"):
        with pytest.raises(ModelLoadError, match="cannot be loaded") as caught:
            load_causal_lm(name)
        assert "give 'smollm2', a folder" in str(caught.value) and len(str(caught.value)) < 800
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(ModelLoadError, match="cannot be loaded"):
        load_causal_lm(str(tmp_path))
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(MissingExtra, match=r"pip install 'ebmhw\[llm\]'"):
        load_causal_lm("x")


def break_nothing(adapter: Path) -> None:
    shutil.rmtree(adapter)


def break_config(adapter: Path) -> None:
    (adapter / "adapter_config.json").write_text("{")


def break_kind(adapter: Path) -> None:
    (adapter / "adapter_config.json").write_text(json.dumps({"peft_type": "NOTHING"}))


def break_weights(adapter: Path) -> None:
    (adapter / "adapter_model.safetensors").write_bytes((adapter / "adapter_model.safetensors").read_bytes()[:-40])


def break_missing(adapter: Path) -> None:
    from safetensors.torch import load_file, save_file

    weights = load_file(adapter / "adapter_model.safetensors")
    save_file(dict(list(weights.items())[2:]), adapter / "adapter_model.safetensors")


def break_numbers(adapter: Path) -> None:
    from safetensors.torch import load_file, save_file

    weights = load_file(adapter / "adapter_model.safetensors")
    next(iter(weights.values()))[0, 0] = float("nan")
    save_file(weights, adapter / "adapter_model.safetensors")


def break_targets(adapter: Path) -> None:
    config = json.loads((adapter / "adapter_config.json").read_text())
    (adapter / "adapter_config.json").write_text(json.dumps(config | {"target_modules": ["c_attn"]}))


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (break_nothing, "is no folder; give the folder that peft's save_pretrained wrote"),
        (break_config, "does not load on"),
        (break_kind, "does not load on"),
        (break_weights, "does not load on"),
        (break_missing, "does not fit"),
        (break_numbers, "holds NaN or infinity in"),
        (break_targets, "does not load on"),
    ],
)
def test_adapters_that_do_not_load(folder: Path, adapter: Path, spoil: Any, said: str) -> None:
    spoil(adapter)
    with pytest.raises(ModelLoadError, match=said):
        load_causal_lm(str(folder), adapter)


def test_an_adapter_of_another_base(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    wide = tiny_model(vocabulary=259, kind="gpt2")
    wide.save_pretrained(other)
    byte_tokenizer().save_pretrained(other)
    foreign = make_adapter(other, tmp_path / "foreign", target_modules=["c_attn"], fan_in_fan_out=True)
    with pytest.raises(ModelLoadError, match="does not load on"):
        load_causal_lm(str(folder), foreign)
    # The same names of modules, another width.
    deep = make_adapter(folder, tmp_path / "wide")
    from safetensors.torch import load_file, save_file

    weights = {name: torch.zeros(values.shape[0], values.shape[1] + 8) for name, values in load_file(deep / "adapter_model.safetensors").items()}
    save_file(weights, deep / "adapter_model.safetensors")
    with pytest.raises(ModelLoadError, match="size mismatch"):
        load_causal_lm(str(folder), deep)
    (tmp_path / "none").mkdir()
    with pytest.raises(ModelLoadError, match=r"has no adapter_config.json and no adapter_model.safetensors"):
        load_causal_lm(str(folder), tmp_path / "none")


def test_peft_that_is_missing(folder: Path, adapter: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "peft", None)
    with pytest.raises(MissingExtra, match=r"adapters need peft .*pip install 'ebmhw\[train\]'"):
        load_causal_lm(str(folder), adapter)
