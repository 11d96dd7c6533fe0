"""Pictures are PNG files with what was drawn in them, and refused by name where they cannot be made."""

from __future__ import annotations

import builtins
import struct
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

from ebmhw.energy import FunctionEnergy, Hmc, repair, sample
from ebmhw.energy.chains import Chains
from ebmhw.energy.composed import ComposedEnergy
from ebmhw.energy.constraints import LinearEquality
from ebmhw.energy.descent import Repaired
from ebmhw.energy.pictures import write_landscape, write_repair, write_traces
from ebmhw.errors import EbmhwError, MissingExtra

WELLS = FunctionEnergy(lambda p, x: 2.0 * (x[0] ** 2 - 1.0) ** 2 + 0.5 * jnp.sum(jnp.square(x[1:])), 3)


@pytest.fixture(scope="module")
def chains() -> Chains:
    return sample(Hmc(WELLS, 0.3), [[-1.0, 0.0, 0.0], [1.0, 0.0, 0.0]], 64, seed=1)


@pytest.fixture(scope="module")
def repaired() -> Repaired:
    terms = [LinearEquality(15, [i], float(i), name=f"_x{i} is $ {i}\n{'long ' * 20}") for i in range(15)]
    return repair(ComposedEnergy(terms), np.zeros(15), 64)


def pixels(path: Path) -> tuple[int, int, int]:
    """Return width, height and the number of colours of a PNG file."""
    import matplotlib.image

    content = path.read_bytes()
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    image = matplotlib.image.imread(path)
    width, height = struct.unpack(">II", content[16:24])
    assert image.shape[:2] == (height, width)
    return width, height, len(np.unique(image.reshape(-1, image.shape[2]), axis=0))


def test_pictures_are_written_whole(chains: Chains, repaired: Repaired, tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    for write in (
        lambda: write_repair(path, repaired, "repair of $15$ sums"),
        lambda: write_traces(path, chains, "two wells"),
        lambda: write_landscape(path, WELLS, chains, title="two wells"),
        lambda: write_landscape(path, WELLS, chains, 2, 0, at=[0.0, 0.0, 0.0]),
    ):
        write()
        width, height, colours = pixels(path)
        # Lines of several colours, smoothed: a page with nothing drawn on it has only those of its frame.
        assert width >= 800 and height >= 500 and colours > 200
    assert [p.name for p in tmp_path.iterdir()] == ["picture.png"]


def test_what_cannot_be_drawn_is_refused(chains: Chains, repaired: Repaired, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, other = tmp_path / "picture.png", FunctionEnergy(lambda p, x: x[0], 2)
    cases: list[tuple[Any, str]] = [
        (lambda: write_repair(path, chains), "give what `repair` returned"),  # type: ignore[arg-type]
        (lambda: write_traces(path, repaired), "give what `sample` returned"),  # type: ignore[arg-type]
        (lambda: write_landscape(path, other, chains), "chains are over 3 inputs, the energy over 2"),
        (lambda: write_landscape(path, WELLS, chains, 1, 1), "first and second are both 1"),
        (lambda: write_landscape(path, WELLS, chains, 0, 3), "second is 3; give an integer, 0 to 2"),
        (lambda: write_landscape(path, WELLS, chains, at=[0.0]), "give 3 numbers"),
    ]
    for act, text in cases:
        with pytest.raises(EbmhwError, match=text):
            act()
    real = builtins.__import__

    def without(name: str, *more: Any, **others: Any) -> Any:
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real(name, *more, **others)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtra, match=r"pip install 'ebmhw\[plots\]'"):
        write_traces(path, chains)
    assert not path.exists()
