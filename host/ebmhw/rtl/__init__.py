"""The generated Verilog of the designs, which `make verilog` puts here, and whether it still fits this package."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, final

from ebmhw.contract.sources import Sidecar, config_path, sources_digest
from ebmhw.errors import BackendUnavailable, ContractError

FOLDER: Final = Path(__file__).resolve().parent
"""Where the Verilog lies: ``CONFIG.v`` with its sidecar ``CONFIG.json``."""


@final
@dataclass(frozen=True)
class RtlSources:
    """The Verilog of a configuration that is there and current.

    Attributes
    ----------
    verilog : path of the file
    sidecar : what is known of it
    """

    verilog: Path
    sidecar: Sidecar


def configs(folder: Path = FOLDER) -> list[str]:
    """Return the names of the configurations whose Verilog is there, current or not."""
    return sorted(path.stem for path in folder.glob("*.v"))


def checkout(folder: Path = FOLDER) -> Path | None:
    """Return the root of the checkout whose ``host/ebmhw/rtl`` the folder is, None where it is not part of one."""
    root = folder.parents[2]
    return root if folder == root / "host" / "ebmhw" / "rtl" and (root / "hdl" / "generate.py").is_file() else None


def find(config: str, folder: Path = FOLDER) -> RtlSources:
    """Return the Verilog of a configuration.

    Raises
    ------
    BackendUnavailable
        It is missing, or was made from another contract or from other sources; the text says which, and what to run.
    """
    root = checkout(folder)
    remedy = "run `make verilog`" + ("" if root else " in a checkout of ebmhw and install the package from there")
    verilog, beside = folder / f"{config}.v", folder / f"{config}.json"
    for path in (verilog, beside):
        if not path.is_file():
            there = ", ".join(configs(folder)) or "none"
            raise BackendUnavailable(f"the RTL of configuration '{config}' is missing ({path}; there is RTL of: {there}); {remedy}")
    if root is not None and not config_path(root, config).is_file():
        raise BackendUnavailable(f"{verilog} is RTL of configuration '{config}', which {config_path(root, config).parent} no longer has; delete it")
    try:
        sidecar = Sidecar.from_json(beside.read_text(encoding="utf-8"))
    except (ContractError, UnicodeDecodeError) as error:
        raise BackendUnavailable(f"{beside}: {error}; {remedy}") from None
    stale = sidecar.staleness(verilog.read_bytes(), None if root is None else sources_digest(root, config))
    if stale:
        raise BackendUnavailable(f"the RTL of configuration '{config}' ({verilog}) is out of date: {stale}; {remedy}")
    return RtlSources(verilog, sidecar)
