"""What generated RTL was made from: the digest of its sources, and the sidecar that says so beside the Verilog.

The generator (`hdl.generate`) writes Verilog and sidecar; the host (`ebmhw.rtl`) uses them only while both still agree with the host's
own contract and, in a checkout, with the sources.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, final

from ebmhw.contract import render
from ebmhw.contract.ising_core import PACKET_HASH, REGISTERS
from ebmhw.errors import ContractError

SOURCES: Final = (
    "hdl/__init__.py",
    "hdl/convert.py",
    "hdl/generate.py",
    "hdl/common/**/*.py",
    "hdl/ising_core/**/*.py",
    "host/ebmhw/contract/**/*.py",
)
"""Patterns of the files, from the root of a checkout, that the RTL of every configuration is made from; its own YAML file comes with them."""

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
    paths = {path for pattern in SOURCES for path in root.glob(pattern)} | {config_path(root, config)}
    digest = sha256()
    for path in sorted(paths, key=lambda path: path.relative_to(root).as_posix()):
        content = path.read_bytes().replace(b"\r\n", b"\n")
        digest.update(f"{path.relative_to(root).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def build_number(digest: str) -> int:
    """Return what register ``build`` reads in a design made from sources with this digest."""
    return int(digest[:BUILD_DIGITS], 16)


@final
@dataclass(frozen=True)
class Port:
    """A port of the Verilog's top module.

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
class Sidecar:
    """What is known of a Verilog file without reading it.

    Attributes
    ----------
    config : name of the configuration
    parameters : its numbers, by name
    module : the top module
    ports : its ports
    map_hash, packet_hash, contract_digest : what the core's registers were made to show of the contract
    sources_digest : `sources_digest` when it was made
    verilog_sha256 : of the Verilog's bytes
    amaranth, yosys : versions of the tools that made it
    """

    config: str
    parameters: Mapping[str, int]
    module: str
    ports: tuple[Port, ...]
    map_hash: int
    packet_hash: int
    contract_digest: str
    sources_digest: str
    verilog_sha256: str
    amaranth: str
    yosys: str

    @classmethod
    def of(cls, verilog: str, *, config: str, sources: str, **facts: Any) -> Sidecar:
        """Return the sidecar of a Verilog text that is made now, under this contract, from sources with the digest ``sources``."""
        return cls(
            config=config,
            map_hash=REGISTERS.hash32,
            packet_hash=PACKET_HASH,
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
            data["ports"] = tuple(Port(**port) for port in data["ports"])
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
        checks: tuple[tuple[str, object, object], ...] = (
            ("register map's hash", f"{self.map_hash:#010x}", f"{REGISTERS.hash32:#010x}"),
            ("packets' hash", f"{self.packet_hash:#010x}", f"{PACKET_HASH:#010x}"),
            ("contract's digest", self.contract_digest, render.contract_digest()),
            ("Verilog's SHA-256", self.verilog_sha256, sha256(verilog).hexdigest()),
            ("sources' digest", self.sources_digest, sources or self.sources_digest),
        )
        return "; ".join(f"its {what} is {made}, not {now}" for what, made, now in checks if made != now)
