"""``python -m hdl.generate [--out FOLDER] [--force] [CONFIG ...]``: write the Verilog of the designs, each with its sidecar."""

from __future__ import annotations

import argparse
import dataclasses
import importlib.metadata
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from amaranth.lib import wiring

from ebmhw.contract import sources
from ebmhw.contract.design import MODULE
from ebmhw.contract.sources import Sidecar, build_number, config_path, sources_digest
from ebmhw.errors import ContractError
from hdl.config import DesignConfig
from hdl.convert import Port, convert
from hdl.files import write_whole
from hdl.top import Ebmhw

ROOT: Final = Path(__file__).resolve().parents[1]
RTL: Final = ROOT / "host" / "ebmhw" / "rtl"

Make = Callable[[DesignConfig, int], wiring.Component]
"""Returns the top of a configuration, in which registers ``build`` read the given number, and which instantiates all units."""


def configs(root: Path = ROOT) -> list[str]:
    """Return the names of all configurations."""
    return sorted(path.stem for path in config_path(root, "any").parent.glob("*.yaml"))


def generate(config: str, out: Path = RTL, *, force: bool = False, make: Make = Ebmhw, root: Path = ROOT) -> bool:
    """Write ``CONFIG.v`` and ``CONFIG.json`` unless they are current, and return whether they were written.

    Equal sources and tools give equal bytes. Each file is written whole or not at all, the sidecar last, so that one without the other is seen
    to be out of date.

    Parameters
    ----------
    config : name of a file in ``hdl/configs``
    out : folder of the files
    force : write them although they are current
    make : the design
    root : of the checkout that the configuration and the sources' digest come from

    Raises
    ------
    ValueError
        The configuration does not describe a design.
    """
    verilog, sidecar = out / f"{config}.v", out / f"{config}.json"
    digest = sources_digest(root, config)
    tools = {"amaranth": importlib.metadata.version("amaranth"), "yosys": importlib.metadata.version("pyosys")}
    if not force and _is_current(verilog, sidecar, digest, tools):
        return False
    size = DesignConfig.from_yaml(config_path(root, config))
    made = convert(make(size, build_number(digest)), MODULE)
    facts = Sidecar.of(
        made.text,
        config=config,
        sources=digest,
        parameters=dataclasses.asdict(size),
        unit_ports={module: _noted(ports) for module, ports in made.instances.items()},
        module=made.module,
        ports=_noted(made.ports),
        **tools,
    )
    out.mkdir(parents=True, exist_ok=True)
    write_whole(verilog, made.text.encode())
    write_whole(sidecar, facts.to_json().encode())
    return True


def _noted(ports: Sequence[Port]) -> tuple[sources.Port, ...]:
    return tuple(sources.Port(port.name, port.direction, port.bits) for port in ports)


def _is_current(verilog: Path, sidecar: Path, digest: str, tools: dict[str, str]) -> bool:
    if not verilog.is_file() or not sidecar.is_file():
        return False
    try:
        facts = Sidecar.from_json(sidecar.read_text(encoding="utf-8"))
    except (ContractError, UnicodeDecodeError):
        return False
    return not facts.staleness(verilog.read_bytes(), digest) and tools == {"amaranth": facts.amaranth, "yosys": facts.yosys}


def main(arguments: Sequence[str] | None = None) -> int:
    """Write what was asked for, say what was written, and return the exit status."""
    known = configs()
    parser = argparse.ArgumentParser(prog="python -m hdl.generate", description="Write the Verilog of the designs, each with its sidecar.")
    parser.add_argument("configs", metavar="CONFIG", nargs="*", help=f"names of files in hdl/configs: {', '.join(known)}; default: all")
    parser.add_argument("--out", type=Path, default=RTL, help="folder to write to; default: host/ebmhw/rtl")
    parser.add_argument("--force", action="store_true", help="write also what is up to date")
    options = parser.parse_args(arguments)
    for config in options.configs:
        if config not in known:
            parser.error(f"there is no hdl/configs/{config}.yaml; there are {', '.join(known)}")
    for config in options.configs or known:
        written = generate(config, options.out, force=options.force)
        print(f"{options.out / config}.v: {'written' if written else 'up to date'}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
