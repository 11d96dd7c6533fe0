"""The manifest of bitstreams: for each, what it was made from and by, what its timing left over, and the digests of its files.

`bitstreams/manifest.json` of a checkout holds one; another, with the one entry that is installed, lies beside the .bit on a board.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import IO, Any, Final, final

from ebmhw.board.block_design import CLOCKS_MHZ, PART, PHI_SOURCES, STEM
from ebmhw.contract.design import UNITS
from ebmhw.contract.render import contract_digest
from ebmhw.contract.sources import Sidecar, build_number
from ebmhw.errors import FirmwareError
from ebmhw.files import write_whole

VERSION: Final = 1
"""Of the manifest's form."""

FILE: Final = "manifest.json"

SUFFIXES: Final = (".bit", ".hwh", ".xsa")
"""Of the files of an entry, each ``ebmhw`` and one of these; the .xsa may be missing where only a board is served."""

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@final
@dataclass(frozen=True)
class Timing:
    """What static timing analysis found after routing, in ns.

    Attributes
    ----------
    setup_slack, hold_slack : the worst; negative where the design does not meet its clock
    failing_endpoints : of setup, hold and pulse width
    """

    setup_slack: float
    hold_slack: float
    failing_endpoints: int

    @property
    def met(self) -> bool:
        """Whether all constraints are met."""
        return self.setup_slack >= 0 and self.hold_slack >= 0 and self.failing_endpoints == 0


@final
@dataclass(frozen=True)
class UnitHashes:
    """What the registers of a unit say of its contract."""

    map_hash: int
    packet_hash: int


@final
@dataclass(frozen=True)
class FileFacts:
    """A file's SHA-256 (hex) and its length in bytes."""

    sha256: str
    size: int

    @classmethod
    def of(cls, path: Path) -> FileFacts:
        """Return those of a file, read piece by piece."""
        digest, size = sha256(), 0
        with path.open("rb") as stream:
            while piece := stream.read(1 << 20):
                digest.update(piece)
                size += len(piece)
        return cls(digest.hexdigest(), size)


@final
@dataclass(frozen=True)
class BitstreamEntry:
    """A bitstream: what it holds, what made it, and its files.

    Attributes
    ----------
    name : of the folder in ``bitstreams`` that holds the files
    config : name of the hardware configuration
    parameters : its numbers, unit by unit
    units : hashes of each unit's registers and packets
    contract_digest, sources_digest : as of `ebmhw.contract.sources.Sidecar`
    phi : what the phi unit's data path is made from, one of `ebmhw.board.block_design.PHI_SOURCES`
    part, board : FPGA and board files that it was built for
    clock_mhz : of the programmable logic
    tool : name and version of what built it
    timing : after routing
    utilisation : used and available of each resource, such as {"LUT": (64000, 117120)}
    files : by name
    """

    name: str
    config: str
    parameters: Mapping[str, Mapping[str, int]]
    units: Mapping[str, UnitHashes]
    contract_digest: str
    sources_digest: str
    phi: str
    part: str
    board: str
    clock_mhz: int
    tool: str
    timing: Timing
    utilisation: Mapping[str, tuple[int, int]]
    files: Mapping[str, FileFacts]

    def __post_init__(self) -> None:
        me = f"the entry {self.name!r} of the manifest"
        checks = (
            (_NAME.fullmatch(self.name), "its name is to be of a-z, 0-9, - and _, at most 64"),
            (set(self.units) == {unit.name for unit in UNITS}, f"its units are {', '.join(self.units) or 'none'}, not {_unit_names()}"),
            (self.phi in PHI_SOURCES, f"phi is {self.phi!r}, not {' or '.join(PHI_SOURCES)}"),
            (self.clock_mhz in CLOCKS_MHZ, f"clock_mhz is {self.clock_mhz!r}, not one of {', '.join(map(str, CLOCKS_MHZ))}"),
            (self.part == PART, f"part is {self.part!r}, the KV260's is {PART}"),
            ({f"{STEM}.bit", f"{STEM}.hwh"} <= set(self.files) <= {STEM + suffix for suffix in SUFFIXES}, f"its files are {', '.join(self.files)}"),
            (all(_SHA256.fullmatch(one.sha256) and one.size > 0 for one in self.files.values()), "a digest or a size of its files is none"),
            (all(_SHA256.fullmatch(one) for one in (self.contract_digest, self.sources_digest)), "a digest of its sources is none"),
        )
        for good, what in checks:
            if not good:
                raise FirmwareError(f"{me} cannot be used: {what}; build the bitstream again (make bitstream)")

    @property
    def build(self) -> int:
        """What register ``build`` of each unit reads."""
        return build_number(self.sources_digest)

    @classmethod
    def of_rtl(cls, sidecar: Sidecar, **facts: Any) -> BitstreamEntry:
        """Return the entry of a bitstream that was made from the RTL of a sidecar; the other facts are those of the class."""
        return cls(
            config=sidecar.config,
            parameters={name: dict(unit.parameters) for name, unit in sidecar.units.items()},
            units={name: UnitHashes(unit.map_hash, unit.packet_hash) for name, unit in sidecar.units.items()},
            contract_digest=sidecar.contract_digest,
            sources_digest=sidecar.sources_digest,
            **facts,
        )

    def differences(self) -> list[str]:
        """Return in what the bitstream's contract differs from this package's, a sentence each that names both hashes; [] where it can be driven."""
        told = []
        for unit in UNITS:
            theirs = self.units[unit.name]
            for what, found, ours in (("register map", theirs.map_hash, unit.registers.hash32), ("packets", theirs.packet_hash, unit.packet_hash)):
                if found != ours:
                    told.append(f"the {what} of {unit.name} has hash {found:#010x} in the bitstream, {ours:#010x} in this version of ebmhw")
        if self.contract_digest != contract_digest():
            told.append(f"the contract's digest is {self.contract_digest[:8]} in the bitstream, {contract_digest()[:8]} in this version of ebmhw")
        return told

    def damage(self, folder: Path) -> list[str]:
        """Return which of the entry's files in a folder are missing or not those that were built, a sentence each; [] where all are whole."""
        told = []
        for name, due in self.files.items():
            path = folder / name
            try:
                found = FileFacts.of(path)
            except OSError as error:
                told.append(f"{path} cannot be read ({error.strerror or error})")
                continue
            if found.size != due.size:
                told.append(f"{path} has {found.size} bytes, not {due.size}: it was copied in part, or is another build's")
            elif found.sha256 != due.sha256:
                told.append(f"{path} has SHA-256 {found.sha256[:16]}..., not {due.sha256[:16]}...: it is damaged, or another build's")
        return told


@final
@dataclass(frozen=True)
class Manifest:
    """Entries by name, sorted."""

    entries: Mapping[str, BitstreamEntry]

    def entry(self, name: str) -> BitstreamEntry:
        """Return an entry; FirmwareError lists the others where there is none of that name."""
        if name not in self.entries:
            there = ", ".join(sorted(self.entries)) or "none"
            raise FirmwareError(
                f"the manifest has no bitstream {name!r}; there are: {there}; build one with `make bitstream`, or copy bitstreams/ from "
                "a machine that has built one"
            )
        return self.entries[name]

    def with_entry(self, entry: BitstreamEntry) -> Manifest:
        """Return the manifest with an entry added, or put in the place of that of its name."""
        return Manifest(dict(sorted({**self.entries, entry.name: entry}.items())))

    def to_json(self) -> str:
        """Return the text of the manifest's file."""
        entries = {name: dataclasses.asdict(entry) | {"build": entry.build} for name, entry in self.entries.items()}
        return json.dumps({"version": VERSION, "bitstreams": entries}, indent=2, allow_nan=False) + "\n"

    def write(self, path: Path) -> None:
        """Write the file, whole or not at all."""
        data = self.to_json().encode()

        def put(stream: IO[bytes]) -> None:
            stream.write(data)

        write_whole(path, put)

    @classmethod
    def from_json(cls, text: str, where: str = "the manifest") -> Manifest:
        """Return what `to_json` wrote; FirmwareError where the text is none, or of a newer version."""
        try:
            data = json.loads(text)
            version, entries = data["version"], data["bitstreams"]
            if version == VERSION:
                return cls({name: _entry(name, dict(entry)) for name, entry in sorted(entries.items())})
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise FirmwareError(f"{where} is no manifest of bitstreams ({type(error).__name__}: {error}); restore it, or build again") from None
        raise FirmwareError(f"{where} has version {version!r}, this version of ebmhw reads {VERSION}; install the ebmhw that wrote it")


def read_manifest(path: Path) -> Manifest:
    """Return the manifest in a file, an empty one where there is no file; FirmwareError where it cannot be read."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Manifest({})
    except (OSError, UnicodeDecodeError) as error:
        raise FirmwareError(f"{path} cannot be read ({error}); restore it, or build again") from None
    return Manifest.from_json(text, str(path))


def _entry(name: str, data: dict[str, Any]) -> BitstreamEntry:
    build = data.pop("build")
    data["units"] = {unit: UnitHashes(**hashes) for unit, hashes in data["units"].items()}
    data["timing"] = Timing(**data["timing"])
    data["utilisation"] = {what: (int(used), int(available)) for what, (used, available) in data["utilisation"].items()}
    data["files"] = {file: FileFacts(**facts) for file, facts in data["files"].items()}
    entry = BitstreamEntry(**data)
    if entry.name != name or entry.build != build:
        raise FirmwareError(
            f"the entry {name!r} of the manifest says name {entry.name!r} and build {build}; its digests make {entry.build}; build again"
        )
    return entry


def _unit_names() -> str:
    return ", ".join(unit.name for unit in UNITS)
