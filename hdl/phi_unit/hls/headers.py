"""``python -m hdl.phi_unit.hls.headers``: write the contract's C headers into ``contract/``; with ``--check`` only compare."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from ebmhw.contract import render
from ebmhw.contract.phi_unit import JOBS, REGISTERS, RESULTS

FOLDER: Final = Path(__file__).parent / "contract"


def headers() -> dict[str, str]:
    """Return the text of each header by its name."""
    return {
        "constants.h": render.contract_c_header(),
        "phi_jobs.h": render.c_header(JOBS),
        "phi_results.h": render.c_header(RESULTS),
        "phi_unit_registers.h": render.c_header(REGISTERS),
    }


def stale(folder: Path = FOLDER) -> list[str]:
    """Return the names of headers that are not in a folder as the contract makes them."""
    return [name for name, text in headers().items() if not (folder / name).is_file() or (folder / name).read_text(encoding="utf-8") != text]


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or check the headers; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m hdl.phi_unit.hls.headers", description="Write the contract's C headers for Vitis HLS.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail where a header is out of date")
    names = stale()
    if parser.parse_args(arguments).check:
        for name in names:
            print(f"{FOLDER / name} is out of date: run python -m hdl.phi_unit.hls.headers", file=sys.stderr)
        return 1 if names else 0
    FOLDER.mkdir(exist_ok=True)
    for name in names:
        (FOLDER / name).write_text(headers()[name], encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
