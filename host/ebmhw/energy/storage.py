"""Energies as files: .npz with a header that says what they are, read without running anything that a file holds."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from ebmhw.energy.base import EnergyFunction
from ebmhw.energy.boltzmann import BoltzmannEnergy
from ebmhw.energy.gibbs import GibbsEnergy
from ebmhw.energy.ising import IsingEnergy
from ebmhw.energy.kan import KANEnergy
from ebmhw.energy.npz import read_arrays
from ebmhw.errors import InvalidFile, InvalidModel, shown
from ebmhw.files import write_whole
from ebmhw.model import Model

FORMAT = "ebmhw.energy"
VERSION = 1


def save(energy: EnergyFunction, path: str | os.PathLike[str]) -> None:
    """Write an energy to a .npz file, whole or not at all; `load` gives an equal one back, bit for bit.

    Raises
    ------
    InvalidModel
        for an energy that is no Ising, Boltzmann, Gibbs or KAN energy: constraints are written as code.
    """
    header: dict[str, Any] = {"format": FORMAT, "version": VERSION}
    arrays: dict[str, Any] = {}
    if isinstance(energy, BoltzmannEnergy):
        header |= {"kind": "boltzmann"}
        arrays = {"weights": energy.weights, "visible_bias": energy.visible_bias, "hidden_bias": energy.hidden_bias, "offset": energy.offset}
    elif isinstance(energy, IsingEnergy):
        model = energy.model()
        header |= {"kind": "ising", "orders": [block.order for block in model.blocks]}
        arrays = {"bias": model.bias, "offset": model.offset}
        for block in model.blocks:
            arrays |= {f"spins_{block.order}": block.spins, f"weights_{block.order}": block.weights}
    elif isinstance(energy, GibbsEnergy):
        header |= {"kind": "gibbs", "layers": len(energy._held), "confinement": energy.confinement}
        for i, layer in enumerate(energy._held):
            arrays |= {f"weights_{i}": layer["weights"], f"bias_{i}": layer["bias"]}
    elif isinstance(energy, KANEnergy):
        header |= {"kind": "kan", "layers": len(energy._held), "low": energy.low, "high": energy.high, "degree": energy.degree}
        for i, layer in enumerate(energy._held):
            arrays |= {f"coefficients_{i}": layer["coefficients"], f"base_{i}": layer["base"]}
    else:
        raise InvalidModel(f"{shown(energy)} cannot be saved; Ising, Boltzmann, Gibbs and KAN energies can")
    named: dict[str, Any] = {f"array_{name}": np.asarray(value) for name, value in arrays.items()}
    write_whole(path, lambda stream: np.savez_compressed(stream, header=np.array(json.dumps(header)), **named))


def load(path: str | os.PathLike[str]) -> EnergyFunction:
    """Return the energy that a file of `save` holds.

    Raises
    ------
    InvalidFile
        for what is no such file, a damaged one, or one of a later version.
    """
    name = Path(path)
    arrays = read_arrays(name, ".npz file of an energy", "write one with ebmhw.energy.save")
    try:
        header = json.loads(str(arrays["header"]))
        if not isinstance(header, dict) or header.get("format") != FORMAT:
            raise InvalidFile(f"{name}: a .npz file, but none of an energy; write one with ebmhw.energy.save")
        if header.get("version") != VERSION:
            raise InvalidFile(f"{name}: version {shown(header.get('version'))} of energies; this release reads {VERSION}, upgrade ebmhw")
        return _made(header, {key.removeprefix("array_"): value for key, value in arrays.items() if key != "header"}, name)
    except InvalidFile:
        raise
    except (KeyError, ValueError, TypeError, RecursionError) as error:
        raise InvalidFile(f"{name}: the file of an energy is damaged ({type(error).__name__}: {error}); save it again") from None


def _made(header: dict[str, Any], arrays: dict[str, Any], name: Path) -> EnergyFunction:
    kind = header.get("kind")
    if kind == "boltzmann":
        return BoltzmannEnergy(arrays["weights"], arrays["visible_bias"], arrays["hidden_bias"], float(arrays["offset"]))
    if kind == "ising":
        terms = {int(order): (arrays[f"spins_{order}"], arrays[f"weights_{order}"]) for order in header["orders"]}
        return IsingEnergy(Model.from_arrays(arrays["bias"].size, arrays["bias"], terms, float(arrays["offset"])))
    layers = range(int(header["layers"])) if kind in ("gibbs", "kan") else range(0)
    if kind == "gibbs":
        return GibbsEnergy([arrays[f"weights_{i}"] for i in layers], [arrays[f"bias_{i}"] for i in layers], header["confinement"])
    if kind == "kan":
        made = [{"coefficients": arrays[f"coefficients_{i}"], "base": arrays[f"base_{i}"]} for i in layers]
        return KANEnergy(made, header["low"], header["high"], header["degree"])
    raise InvalidFile(f"{name}: an energy of kind {shown(kind)}; this release reads boltzmann, ising, gibbs and kan")
