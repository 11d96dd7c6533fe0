"""Models and adapters from folders: what loads, and one line for whatever does not."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from capture_models import byte_tokenizer, tiny_model  # noqa: E402

from ebmhw.coherence.capture.adapter import adapter_config  # noqa: E402
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


def test_a_model_is_shown_in_one_line(folder: Path) -> None:
    loaded = load_causal_lm(str(folder))
    count = sum(weight.numel() for weight in loaded.model.parameters())
    for shown in (repr(loaded), str(loaded)):
        assert "\n" not in shown and len(shown) < 300 and f"{count:,} parameters, float32, cpu" in shown and loaded.name in shown


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
        (break_config, r"adapter_config\.json cannot be read"),
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


def rewrite(adapter: Path, change: Any) -> None:
    """Replace the tensors of an adapter's file by what ``change`` makes of them."""
    from safetensors.torch import load_file, save_file

    save_file(change(load_file(adapter / "adapter_model.safetensors")), adapter / "adapter_model.safetensors")


def test_an_adapter_of_a_deeper_base(folder: Path, tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM

    peft = pytest.importorskip("peft")
    config = load_causal_lm(str(folder)).model.config
    config.num_hidden_layers = 4
    deep = peft.get_peft_model(AutoModelForCausalLM.from_config(config), peft.LoraConfig(r=2, target_modules=["q_proj"], task_type="CAUSAL_LM"))
    deep.save_pretrained(tmp_path / "deep")
    with pytest.raises(ModelLoadError, match=r"does not fit .* has no place for base_model\.model\.model\.layers\.2\..* and 3 more; give one"):
        load_causal_lm(str(folder), tmp_path / "deep")


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("base_model.model.lm_head.weight", "replaces weights of"),
        ("base_model.model.model.layers.0.mlp.up_proj.weight", "replaces weights of"),
        ("base_model.model.model.layers.0.self_attn.q_proj.base_layer.weight", "replaces weights of"),
        ("base_model.model.model.norm.weight", "replaces weights of"),
        ("base_model.model.zzz.weight", "has no place for"),
        ("base_model.model.model.layers.0.mlp.up_proj.lora_A.weight", "has no place for"),
        ("base_model.model.model.layers.0.self_attn.q_proj.lora_A.default.weight", "has no place for"),
    ],
)
def test_an_adapter_that_holds_more_than_an_adapter(folder: Path, adapter: Path, key: str, said: str) -> None:
    own = {name.replace(".q_proj.", ".q_proj.base_layer."): values for name, values in load_causal_lm(str(folder)).model.state_dict().items()}
    values = own.get(key.removeprefix("base_model.model."), torch.zeros(2, 32))
    rewrite(adapter, lambda weights: weights | {key: values.clone()})
    if said == "replaces weights of":
        # A model's own weights as they are change nothing; peft saves some along with adapters on embeddings.
        assert torch.equal(logits_of(load_causal_lm(str(folder), adapter).model), logits_of(load_causal_lm(str(folder), adapter).model))
    rewrite(adapter, lambda weights: weights | {key: values + 1e-3})
    with pytest.raises(ModelLoadError, match=said) as caught:
        load_causal_lm(str(folder), adapter)
    # peft before 0.21 puts its own name of the adapter into it.
    assert key.replace(".default", "") in str(caught.value).replace(".default", "")


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        ("llama", {"modules_to_save": ["lm_head"]}),
        ("llama", {"use_dora": True}),
        ("llama", {"use_rslora": True, "rank_pattern": {"q_proj": 3}}),
        ("llama", {"target_modules": ["embed_tokens", "q_proj"]}),
        ("llama", {"trainable_token_indices": [3, 5]}),
        ("llama", {"target_modules": "all-linear"}),
        ("llama", {"task_type": None}),
        ("gpt2", {"bias": "all", "target_modules": ["c_attn"], "fan_in_fan_out": True}),
        ("gpt2", {"bias": "lora_only", "target_modules": ["c_attn"], "fan_in_fan_out": True}),
    ],
)
def test_what_an_adapter_may_hold(tmp_path: Path, kind: str, given: dict[str, Any]) -> None:
    peft = pytest.importorskip("peft")
    tiny_model(vocabulary=259, kind=kind).save_pretrained(tmp_path / "model")
    byte_tokenizer().save_pretrained(tmp_path / "model")
    model = load_causal_lm(str(tmp_path / "model"), trainable=True).model
    before = logits_of(model)
    settings = {"r": 2, "target_modules": ["q_proj"], "init_lora_weights": False, "task_type": "CAUSAL_LM"} | given
    trained = peft.get_peft_model(model, peft.LoraConfig(**settings))
    with torch.no_grad():
        for weights in trained.parameters():
            if weights.requires_grad:
                weights.add_(torch.rand_like(weights) * 0.1)
    with pytest.MonkeyPatch.context() as quieter:
        quieter.setattr("warnings.warn", lambda *given, **named: None)
        trained.save_pretrained(tmp_path / "adapter")
    from safetensors.torch import load_file

    saved = load_file(tmp_path / "adapter" / "adapter_model.safetensors")
    if given.get("bias") == "lora_only" and not any(name.endswith(".bias") for name in saved):
        pytest.skip("this peft does not save the biases that it trained")
    loaded = load_causal_lm(str(tmp_path / "model"), tmp_path / "adapter").model
    assert torch.allclose(logits_of(loaded), logits_of(trained.eval()), atol=1e-5) and not torch.allclose(logits_of(loaded), before, atol=1e-3)
    # What is no number is found wherever it stands.
    last = sorted(name for name in saved if "embed_tokens.base_layer" not in name)
    for name in (last[0], last[-1]):
        shutil.copytree(tmp_path / "adapter", tmp_path / "nan", dirs_exist_ok=True)
        rewrite(tmp_path / "nan", lambda weights, name=name: weights | {name: torch.full_like(weights[name], float("inf"))})
        with pytest.raises(ModelLoadError, match="holds NaN or infinity in"):
            load_causal_lm(str(tmp_path / "model"), tmp_path / "nan")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"task_type": "SEQ_CLS"}, "task_type in adapter_config.json is 'SEQ_CLS'; give one with CAUSAL_LM"),
        ({"task_type": ["CAUSAL_LM"]}, "task_type in adapter_config.json is"),
        ({"peft_type": "PROMPT_TUNING"}, "peft_type in adapter_config.json is 'PROMPT_TUNING'; give one with LORA"),
    ],
)
def test_an_adapter_of_another_kind(folder: Path, adapter: Path, changed: dict[str, Any], said: str) -> None:
    path = adapter / "adapter_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changed))
    with pytest.raises(ModelLoadError, match=said):
        load_causal_lm(str(folder), adapter)


def test_pipes_and_endless_names_do_not_hang(folder: Path, adapter: Path, tmp_path: Path) -> None:
    for name in ("x" * 5000, "a/" * 3000, "\ud800", "a\0b"):
        with pytest.raises(ModelLoadError, match="cannot be loaded") as caught:
            load_causal_lm(name)
        assert len(str(caught.value)) < 900
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ModelLoadError, match="no regular file"):
        load_causal_lm(str(tmp_path / "pipe"))
    shutil.copytree(folder, tmp_path / "model")
    (tmp_path / "model" / "generation_config.json").unlink()
    os.mkfifo(tmp_path / "model" / "generation_config.json")
    with pytest.raises(ModelLoadError, match=r"generation_config\.json in it is no regular file"):
        load_causal_lm(str(tmp_path / "model"))
    (adapter / "adapter_config.json").unlink()
    os.mkfifo(adapter / "adapter_config.json")
    with pytest.raises(ModelLoadError, match=r"has no adapter_config\.json"):
        load_causal_lm(str(folder), adapter)
    with pytest.raises(ModelLoadError, match=r"adapter_config\.json cannot be read \(it is no regular file\)"):
        adapter_config(adapter)
    (adapter / "adapter_config.json").unlink()
    (adapter / "adapter_config.json").write_bytes(b" " * (2**22 + 1))
    with pytest.raises(ModelLoadError, match="has more than 4194304 bytes"):
        load_causal_lm(str(folder), adapter)


def test_peft_that_is_missing(folder: Path, adapter: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "peft", None)
    with pytest.raises(MissingExtra, match=r"adapters need peft .*pip install 'ebmhw\[train\]'"):
        load_causal_lm(str(folder), adapter)
