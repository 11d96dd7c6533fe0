"""What generated RTL was made from: the digest of its sources, and the sidecar that says so beside the Verilog.

The generator (`hdl.generate`) writes Verilog and sidecar; the host (`ebmhw.rtl`) uses them only while both still agree with the host's
own contract and, in a checkout, with the sources.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, final

from ebmhw.contract import render
from ebmhw.contract.design import UNITS
from ebmhw.errors import ContractError

SOURCES: Final = (
    "hdl/__init__.py",
    "hdl/config.py",
    "hdl/convert.py",
    "hdl/generate.py",
    "hdl/top.py",
    "hdl/common/**/*.py",
    "hdl/ising_core/**/*.py",
    "hdl/phi_unit/**/*.py",
    "host/ebmhw/contract/**/*.py",
)
"""Patterns of the files, from the root of a checkout, that the RTL of every configuration is made from; its own YAML file comes with them."""

NO_SOURCES: Final = ("hdl/phi_unit/hls/**/*.py",)
"""Patterns of those among them that no RTL is made from."""

BUILD_DIGITS: Final = 8
"""Hexadecimal digits of the sources' digest that make the number in register ``build``."""


def config_path(root: Path, config: str) -> Path:
    """Return the file of a configuration in a checkout."""
    return root / "hdl" / "configs" / f"{config}.yaml"


def sources_digest(root: Path, config: str) -> str:
    """Return the SHA-256 (hex) of all that makes the RTL of a configuration.

    It depends on the files' paths from ``root``, in their order, and on their contents, not on where the checkout lies nor on the line
    endings it was written with.
    """
    paths = _matching(root, SOURCES) - _matching(root, NO_SOURCES) | {config_path(root, config)}
    digest = sha256()
    for path in sorted(paths, key=lambda path: path.relative_to(root).as_posix()):
        content = path.read_bytes().replace(b"\r\n", b"\n")
        digest.update(f"{path.relative_to(root).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def _matching(root: Path, patterns: Iterable[str]) -> set[Path]:
    return {path for pattern in patterns for path in root.glob(pattern)}


def build_number(digest: str) -> int:
    """Return what register ``build`` reads in a design made from sources with this digest."""
    return int(digest[:BUILD_DIGITS], 16)


@final
@dataclass(frozen=True)
class Port:
    """A port of a module of the Verilog.

    Attributes
    ----------
    name : as in the Verilog
    direction : ``input`` or ``output``
    bits : width
    """

    name: str
    direction: str
    bits: int


@final
@dataclass(frozen=True)
class UnitFacts:
    """What is known of a unit in a Verilog file.

    Attributes
    ----------
    parameters : the numbers of its configuration, by name
    ports : of its module, which is called as the unit is
    map_hash, packet_hash : what its registers were made to show of the contract
    """

    parameters: Mapping[str, int]
    ports: tuple[Port, ...]
    map_hash: int
    packet_hash: int


@final
@dataclass(frozen=True)
class Sidecar:
    """What is known of a Verilog file without reading it.

    Attributes
    ----------
    config : name of the configuration
    module : the top module
    ports : its ports
    units : what is within it, by the names of `ebmhw.contract.design.UNITS`
    contract_digest : what the units' registers were made to show of the contract
    sources_digest : `sources_digest` when it was made
    verilog_sha256 : of the Verilog's bytes
    amaranth, yosys : versions of the tools that made it
    """

    config: str
    module: str
    ports: tuple[Port, ...]
    units: Mapping[str, UnitFacts]
    contract_digest: str
    sources_digest: str
    verilog_sha256: str
    amaranth: str
    yosys: str

    @classmethod
    def of(
        cls,
        verilog: str,
        *,
        config: str,
        sources: str,
        parameters: Mapping[str, Mapping[str, int]],
        unit_ports: Mapping[str, tuple[Port, ...]],
        **facts: Any,
    ) -> Sidecar:
        """Return the sidecar of a Verilog text that is made now, under this contract, from sources with the digest ``sources``.

        Parameters and ports are given for each unit; the other facts are those of the class.
        """
        return cls(
            config=config,
            units={unit.name: UnitFacts(parameters[unit.name], unit_ports[unit.name], unit.registers.hash32, unit.packet_hash) for unit in UNITS},
            contract_digest=render.contract_digest(),
            sources_digest=sources,
            verilog_sha256=sha256(verilog.encode()).hexdigest(),
            **facts,
        )

    @property
    def build(self) -> int:
        """What register ``build`` reads."""
        return build_number(self.sources_digest)

    def to_json(self) -> str:
        """Return the text of the sidecar file."""
        return json.dumps(dataclasses.asdict(self) | {"build": self.build}, indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Sidecar:
        """Return what `to_json` wrote.

        Raises
        ------
        ContractError
            The text is no sidecar, or one of another version.
        """
        try:
            data = json.loads(text)
            build = data.pop("build")
            data["ports"] = _ports(data["ports"])
            data["units"] = {name: UnitFacts(**unit | {"ports": _ports(unit["ports"])}) for name, unit in data["units"].items()}
            made = cls(**data)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise ContractError(f"this is no sidecar of generated RTL ({error}); generate the RTL again") from None
        if build != made.build:
            raise ContractError(f"the sidecar says build {build}, but its sources' digest makes {made.build}; generate the RTL again")
        return made

    def staleness(self, verilog: bytes, sources: str | None) -> str:
        """Return what is wrong with Verilog and sidecar, "" if nothing is.

        Parameters
        ----------
        verilog : the bytes of the Verilog file
        sources : the digest of the sources as they are now, None where there are none
        """
        units, here = ", ".join(self.units), ", ".join(unit.name for unit in UNITS)
        if units != here:
            return f"its units are {units or 'none'}, not {here}"
        checks: list[tuple[str, object, object]] = []
        for unit in UNITS:
            facts = self.units[unit.name]
            checks += [
                (f"register map's hash of {unit.name}", f"{facts.map_hash:#010x}", f"{unit.registers.hash32:#010x}"),
                (f"packets' hash of {unit.name}", f"{facts.packet_hash:#010x}", f"{unit.packet_hash:#010x}"),
            ]
        checks += [
            ("contract's digest", self.contract_digest, render.contract_digest()),
            ("Verilog's SHA-256", self.verilog_sha256, sha256(verilog).hexdigest()),
            ("sources' digest", self.sources_digest, sources or self.sources_digest),
        ]
        return "; ".join(f"its {what} is {made}, not {now}" for what, made, now in checks if made != now)


def _ports(data: Iterable[Mapping[str, Any]]) -> tuple[Port, ...]:
    return tuple(Port(**port) for port in data)
