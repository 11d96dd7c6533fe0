"""Configurations: what they hold, and what is said of one that cannot be."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from hdl.config import DesignConfig
from hdl.ising_core.config import IsingConfig
from hdl.phi_unit.config import PhiConfig

CONFIGS: Final = Path(__file__).parents[1] / "hdl" / "configs"


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_configuration_is_what_its_file_says(path: Path) -> None:
    config = DesignConfig.from_yaml(path)
    assert isinstance(config.ising_core, IsingConfig) and isinstance(config.phi_unit, PhiConfig)
    assert dataclasses.asdict(config) == yaml.safe_load(path.read_text())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"lanes": 65}, "lanes of an Ising core is 65; give a whole number from 1 to 64"),
        ({"slots": 3}, "slots of an Ising core is 3; give an even number"),
        ({"beats_block": 1024}, "beats_block of an Ising core is 1024; give a whole number from 1 to 1023"),
        ({"spin_latency": True}, "spin_latency of an Ising core is True"),
    ],
)
def test_a_core_that_cannot_be_is_refused(change: dict[str, int], message: str) -> None:
    small = DesignConfig.from_yaml(CONFIGS / "small.yaml").ising_core
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(small, **change)


@pytest.mark.parametrize("entries", [0, 32, 96, 1 << 20, True, 64.0])
def test_a_phi_unit_that_cannot_be_is_refused(entries: Any) -> None:
    with pytest.raises(ValueError, match=f"entries_max of a phi unit is {entries!r}; give a power of two from 64 to {1 << 19}"):
        PhiConfig(entries)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: [], r"odd\.yaml is \[\]; give a mapping of ising_core, phi_unit$"),
        (lambda data: {}, r"odd\.yaml lacks ising_core, phi_unit; it takes ising_core, phi_unit$"),
        (lambda data: data | {"phi": 1}, r"odd\.yaml has the unknown phi; it takes ising_core, phi_unit$"),
        (lambda data: data | {"phi_unit": None}, r"odd\.yaml: phi_unit is None; give a mapping of entries_max$"),
        (lambda data: data | {"phi_unit": {"lanes": 8}}, r"odd\.yaml: phi_unit lacks entries_max and has the unknown lanes; it takes entries_max$"),
        (lambda data: data | {"phi_unit": {"entries_max": 65}}, r"odd\.yaml: entries_max of a phi unit is 65; give a power of two"),
        (lambda data: data | {"ising_core": {"lanes": 4}}, r"odd\.yaml: ising_core lacks slots, .*; it takes lanes, slots, "),
    ],
)
def test_a_file_that_is_no_configuration_is_refused(tmp_path: Path, change: Any, message: str) -> None:
    path = tmp_path / "odd.yaml"
    path.write_text(yaml.safe_dump(change(yaml.safe_load((CONFIGS / "small.yaml").read_text()))))
    with pytest.raises(ValueError, match=message):
        DesignConfig.from_yaml(path)
