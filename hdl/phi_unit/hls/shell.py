"""``python -m hdl.phi_unit.hls.shell FOLDER``: write the Verilog of a phi unit whose data path is the IP that Vitis HLS exports.

The module has the name, ports, registers and packets of the phi unit in the generated RTL, and instantiates `hdl.phi_unit.hls.unit.MODULE`.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from ebmhw.contract.sources import build_number, config_path, sources_digest
from hdl.config import DesignConfig
from hdl.convert import convert
from hdl.files import write_whole
from hdl.phi_unit.hls.unit import PhiHlsUnit
from hdl.phi_unit.top import PhiTop

ROOT: Final = Path(__file__).resolve().parents[3]

NAME: Final = "phi_unit"
"""Of the module and, with ``.v``, of the file."""


def write_shell(folder: Path, config: str = "kv260", root: Path = ROOT) -> Path:
    """Write the shell of a configuration, whole or not at all, and return its path; register ``build`` reads as in the generated RTL."""
    size = DesignConfig.from_yaml(config_path(root, config)).phi_unit
    made = convert(PhiTop(size, build_number(sources_digest(root, config)), PhiHlsUnit), NAME)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{NAME}.v"
    write_whole(path, made.text.encode())
    return path


def main(arguments: Sequence[str] | None = None) -> int:
    """Write what was asked for, say what was written, and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m hdl.phi_unit.hls.shell", description="Write the shell of the phi unit made by Vitis HLS.")
    parser.add_argument("folder", type=Path, help="where phi_unit.v is written")
    parser.add_argument("--config", default="kv260", help="name of a file in hdl/configs; default: kv260")
    options = parser.parse_args(arguments)
    if not config_path(ROOT, options.config).is_file():
        parser.error(f"there is no hdl/configs/{options.config}.yaml")
    print(f"{write_shell(options.folder, options.config)}: written")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
