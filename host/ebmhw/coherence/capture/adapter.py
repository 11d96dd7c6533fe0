"""with_adapter: a LoRA adapter of peft on the model that it was trained on, and on no other."""

from __future__ import annotations

import json
import os
import warnings
from pathlib import Path
from typing import Any

from ebmhw.errors import MissingExtra, ModelLoadError, shown
from ebmhw.verify.models.quiet import quiet

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"

_CONFIG_BYTES = 2**22
_TASK = "CAUSAL_LM"
_GIVE = f"give the folder that peft's save_pretrained wrote, {CONFIG} and {WEIGHTS} in it"


def adapter_config(folder: str | os.PathLike[str]) -> dict[str, Any]:
    """Return what adapter_config.json in a folder says.

    Raises
    ------
    ModelLoadError
        where there is no such file, or it is no JSON object.
    """
    path = Path(folder) / CONFIG
    try:
        # Opening a pipe would wait for whoever writes into it.
        if path.exists() and not path.is_file():
            raise ModelLoadError(f"{path} cannot be read (it is no regular file); {_GIVE}")
        with open(path, "rb") as stream:
            raw = stream.read(_CONFIG_BYTES + 1)
        if len(raw) > _CONFIG_BYTES:
            raise ModelLoadError(f"{path} cannot be read (it has more than {_CONFIG_BYTES} bytes); {_GIVE}")
        config = json.loads(raw)
    except (OSError, ValueError, RecursionError) as error:
        raise ModelLoadError(f"{path} cannot be read ({type(error).__name__}); {_GIVE}") from error
    if not isinstance(config, dict):
        raise ModelLoadError(f"{path} cannot be read (it holds {shown(config)} and no object); {_GIVE}")
    return config


def with_adapter(base: Any, name: str, folder: Path, trainable: bool) -> Any:
    """Return a model with an adapter whose weights all found their place, are finite, and replace none of the model's own.

    What an adapter may hold besides LoRA's matrices is what its configuration announces: modules_to_save, which are kept apart from the model's own,
    DoRA's magnitudes, trained tokens, and trained biases, which peft does write over the model's.

    Parameters
    ----------
    base : of transformers; it is changed, also where the adapter is refused
    name : what messages call it
    trainable : leave the adapter's weights open to training

    Raises
    ------
    MissingExtra
        without peft.
    ModelLoadError
        for an adapter that is not there, cannot be read, or belongs to another model.
    """
    try:
        import peft
    except ImportError as error:
        raise MissingExtra(f"adapters need peft ({error}): pip install 'ebmhw[train]'") from None
    missing = [one for one in (CONFIG, WEIGHTS) if not os.path.isfile(folder / one)]
    if missing:
        what = f"has no {' and no '.join(missing)}" if os.path.isdir(folder) else "is no folder"
        raise ModelLoadError(f"the adapter {folder} {what}; {_GIVE}")
    _check_kind(folder)
    # Held here, so that no id is used twice; peft puts its own weights into the same modules.
    before = list(base.state_dict(keep_vars=True).values())
    try:
        with quiet(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            config = peft.PeftConfig.from_pretrained(str(folder))
            config.inference_mode = not trainable
            model = peft.PeftModelForCausalLM(base, config)
    except Exception as error:  # what peft's parts raise: ValueError, KeyError, TypeError, ...
        raise _unfit(folder, name, error) from error
    own = {id(tensor) for tensor in before}
    held = {key: tensor for key, tensor in model.state_dict(keep_vars=True).items() if id(tensor) in own}
    versions = {key: tensor._version for key, tensor in held.items()}
    try:
        keys, alike = _keys(folder / WEIGHTS, held)
        with quiet(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            renamed = getattr(base, "_checkpoint_conversion_mapping", {})
            found = model.load_adapter(str(folder), "default", is_trainable=trainable, key_mapping=renamed)
    except Exception as error:  # RuntimeError (shapes), SafetensorError, KeyError (modules_to_save), ...
        raise _unfit(folder, name, error) from error
    remedy = "give one that was trained on this model, whole"
    if found.missing_keys:
        raise ModelLoadError(f"the adapter {folder} does not fit {name}: it has no weights for {_listed(found.missing_keys)}; {remedy}")
    # peft takes its own name of a weight, "lora_A.default.weight", as well as that of files, "lora_A.weight"; of both one is lost.
    strange = [*found.unexpected_keys, *((keys & model.state_dict().keys()) - held.keys())]
    if strange:
        raise ModelLoadError(f"the adapter {folder} does not fit {name}: that model, with {CONFIG}, has no place for {_listed(strange)}; {remedy}")
    written = [key for key, tensor in held.items() if tensor._version != versions[key]]
    replaced = [key for key in written if key not in alike and not _trained_bias(key, str(config.bias))]
    if replaced:
        raise ModelLoadError(
            f"the adapter {folder} replaces weights of {name} itself, which its {CONFIG} does not announce: {_listed(replaced)}; "
            "remove these from the file, or give an adapter that lists the module in modules_to_save"
        )
    for key, tensor in model.state_dict(keep_vars=True).items():
        if (key not in held or key in written) and not bool(tensor.isfinite().all()):
            raise ModelLoadError(f"the adapter {folder} holds NaN or infinity in {key}; its training diverged, give an earlier one")
    return model.eval()


def _check_kind(folder: Path) -> None:
    """Refuse adapters that are no LoRA, or were trained for something else than to write on."""
    config = adapter_config(folder)
    for key, wanted, none in (("peft_type", "LORA", False), ("task_type", _TASK, True)):
        given = config.get(key)
        if given != wanted and not (none and given is None):
            raise ModelLoadError(
                f"the adapter {folder} does not load on a causal language model: {key} in {CONFIG} is {shown(given)}; give one with {wanted}"
            )


def _keys(path: Path, held: dict[str, Any]) -> tuple[set[str], set[str]]:
    """Return a file's keys, and those of the model's own weights that it holds as they are: peft saves embeddings along with an adapter on them."""
    from safetensors import safe_open

    with safe_open(str(path), framework="pt") as file:
        keys = set(file.keys())
        return keys, {key for key in keys & held.keys() if _equal(file.get_tensor(key), held[key])}


def _equal(one: Any, other: Any) -> bool:
    return tuple(one.shape) == tuple(other.shape) and bool((one.to(device=other.device, dtype=other.dtype) == other).all())


def _trained_bias(key: str, bias: str) -> bool:
    """Tell whether a configuration with this ``bias`` trained the model's weight ``key``."""
    return (bias == "all" and key.endswith(".bias")) or (bias == "lora_only" and key.endswith(".base_layer.bias"))


def _listed(keys: list[str]) -> str:
    more = f" and {len(keys) - 1} more" if len(keys) > 1 else ""
    return f"{min(keys)[:200]}{more}"


def _unfit(folder: Path, name: str, error: Exception) -> ModelLoadError:
    said = " ".join(str(error).split())[:300]
    return ModelLoadError(
        f"the adapter {folder} does not load on {name} ({type(error).__name__}: {said}); give one that was trained on this model, whole"
    )
