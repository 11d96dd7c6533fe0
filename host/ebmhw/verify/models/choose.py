"""as_model: whatever names or is a language model, as a LanguageModel."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ebmhw.errors import ModelLoadError, shown
from ebmhw.verify.models.language_model import LanguageModel

_CHOICES = (
    "give 'smollm2', the address of an OpenAI-compatible endpoint (http://127.0.0.1:8000/v1#model), a folder or hub name of a transformers model, "
    "a pair (model, tokenizer), a function str -> str, or a LanguageModel"
)


def as_model(llm: Any) -> LanguageModel:
    """Return the model that ``llm`` is or names.

    Parameters
    ----------
    llm : a `LanguageModel`; "smollm2"; "http(s)://host/v1", with "#name" where it offers several models; a folder or a hub name of a causal
        model of transformers; a pair (model, tokenizer) of transformers; a function from a prompt to an answer

    Raises
    ------
    ModelLoadError : it is none of these, or cannot be loaded
    """
    if isinstance(llm, LanguageModel):
        return llm
    if isinstance(llm, (str, os.PathLike)):
        return _named(os.fspath(llm))
    if isinstance(llm, tuple) and len(llm) == 2:
        from ebmhw.verify.models.huggingface import HuggingFaceModel

        return HuggingFaceModel(*llm)
    if hasattr(llm, "generate") and hasattr(llm, "config"):
        raise ModelLoadError(f"a {type(llm).__name__} alone cannot read text; give a pair (model, tokenizer)")
    if callable(llm) and not isinstance(llm, type):
        from ebmhw.verify.models.function import FunctionModel

        return FunctionModel(llm)
    raise ModelLoadError(f"{shown(llm)} is no language model; {_CHOICES}")


def _named(name: str) -> LanguageModel:
    if name == "smollm2":
        from ebmhw.verify.models.smollm2 import load_smollm2

        return load_smollm2()
    if name.startswith(("http://", "https://")):
        from ebmhw.verify.models.endpoint import EndpointModel

        return EndpointModel(name)
    if not name or not (Path(name).is_dir() or _is_hub_name(name)):
        raise ModelLoadError(f"{shown(name)} is neither a folder nor the name of a model; {_CHOICES}")
    from ebmhw.verify.models.huggingface import HuggingFaceModel

    return HuggingFaceModel.load(name)


def _is_hub_name(name: str) -> bool:
    parts = name.split("/")
    return len(parts) <= 2 and all(part and part[0] != "." and all(letter.isalnum() or letter in "-_." for letter in part) for part in parts)
