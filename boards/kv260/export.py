"""The IP that Vitis HLS exports of the phi unit: where it lies, and how it is made."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path
from typing import Final

from ebmhw.errors import FirmwareError

ROOT: Final = Path(__file__).resolve().parents[2]

FOLDER: Final = ROOT / "out" / "hls"
"""Gets what is exported, the project and the logs."""

NAME: Final = "phi_unit_hls.zip"
"""What ``hdl/phi_unit/hls/run_hls.tcl`` exports."""

SCRIPT: Final = "hdl/phi_unit/hls/run_hls.tcl"
"""Below the root of the checkout."""

OLDEST: Final = (2023, 1)
"""Version of Vitis HLS that the script was written for."""


def remedy() -> str:
    """Return how the export is made, a command a line."""
    return (
        f"make it with Vitis HLS {OLDEST[0]}.{OLDEST[1]} or newer, in the root of the checkout:\n  make hls\nor, which does the same:\n"
        f"  {interpreter()} -m sim.phi_hls out/hls/vectors\n"
        f"  vitis_hls -f {SCRIPT}   (up to 2024.1), or\n"
        f"  vitis-run --mode hls --tcl {SCRIPT}   (from 2024.2 on)"
    )


def interpreter() -> str:
    """Return the Python that runs as one types it in the root of the checkout."""
    path = Path(sys.executable or "python3")
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def check_export(path: Path) -> None:
    """Refuse an export that is missing or cut.

    Raises
    ------
    FirmwareError
        It is not there, or no ZIP archive.
    """
    if not path.exists():
        raise FirmwareError(f"the phi unit from HLS is not made yet: there is no {path}; {remedy()}")
    if not zipfile.is_zipfile(path):
        raise FirmwareError(f"{path} cannot be read as the IP that Vitis HLS exports (no ZIP archive, or a cut one); {remedy()}")
