"""Whether an adapter is on the model that it was trained on."""

from __future__ import annotations

import os

from ebmhw.coherence.capture.adapter import CONFIG, adapter_config
from ebmhw.coherence.capture.loading import SMOLLM2
from ebmhw.errors import ConfigError

_ALIASES = {SMOLLM2: "huggingfacetb/smollm2-135m-instruct"}


def check_base(adapter: str | os.PathLike[str], model: str) -> None:
    """Refuse an adapter whose configuration names another base than ``model``; one that names none passes.

    Of models of the same shape an adapter of one loads on the other, and its figures mean nothing.

    Raises
    ------
    ConfigError : they are not the same name, nor the same folder; the text names both
    ModelLoadError : the adapter's configuration cannot be read
    """
    named = adapter_config(adapter).get("base_model_name_or_path")
    if isinstance(named, str) and named and _known_as(named) != _known_as(model):
        raise ConfigError(
            f"the adapter {os.fspath(adapter)} was trained on {named} (base_model_name_or_path in {CONFIG}), not on {model}; give that model, or, "
            "where both are the same, other_base=True (--other-base)",
            context={"adapter": named, "model": model},
        )


def _known_as(name: str) -> str:
    if os.path.isdir(name):
        return os.path.realpath(name)
    return _ALIASES.get(name.lower(), name.lower())
