"""DesignConfig: what a file of hdl/configs describes, a size for each unit of the design."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, final

import yaml

from hdl.ising_core.config import IsingConfig
from hdl.phi_unit.config import PhiConfig

_Config = TypeVar("_Config", IsingConfig, PhiConfig)


@final
@dataclass(frozen=True)
class DesignConfig:
    """Sizes of all units; each attribute is a section of the file, and called as the unit is."""

    ising_core: IsingConfig
    phi_unit: PhiConfig

    @classmethod
    def from_yaml(cls, path: Path) -> DesignConfig:
        """Return the design that a file of hdl/configs describes; ValueError names what is missing, unknown or out of range."""
        data: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
        sections = _named(data, cls, str(path))
        return cls(ising_core=_section(sections, IsingConfig, path, "ising_core"), phi_unit=_section(sections, PhiConfig, path, "phi_unit"))


def _section(sections: dict[str, Any], config: type[_Config], path: Path, name: str) -> _Config:
    values = _named(sections[name], config, f"{path}: {name}")
    try:
        return config(**values)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def _named(values: Any, config: type[DesignConfig] | type[_Config], subject: str) -> dict[str, Any]:
    """Return a mapping of all fields of ``config``; ValueError says which of them are missing, and what is none of them."""
    known = [field.name for field in dataclasses.fields(config)]
    if not isinstance(values, dict):
        raise ValueError(f"{subject} is {values!r}; give a mapping of {', '.join(known)}")
    missing = [name for name in known if name not in values]
    unknown = [str(name) for name in values if name not in known]
    if missing or unknown:
        wrong = [f"{what} {', '.join(names)}" for what, names in (("lacks", missing), ("has the unknown", unknown)) if names]
        raise ValueError(f"{subject} {' and '.join(wrong)}; it takes {', '.join(known)}")
    return values
