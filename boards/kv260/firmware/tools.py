"""Commands of the system that make firmware: where they are, and what is told when they fail."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from ebmhw.board.command import run_command, shown_end
from ebmhw.errors import FirmwareError

PACKAGES: Final = {
    "bootgen": "xilinx-bootgen on Debian, bootgen-xlnx on Ubuntu; Vitis and Vivado bring it too",
    "dtc": "device-tree-compiler",
    "dpkg-deb": "dpkg",
}
"""Of Debian, for each command."""

LIMIT: Final = 300.0
"""Seconds that a command may take; bootgen and dpkg-deb take 2 for an image of 8 MB."""


def find_tool(name: str) -> str:
    """Return the path of a command; FirmwareError names the package to install where it is missing."""
    found = shutil.which(name)
    if found is None:
        raise FirmwareError(f"there is no {name} on the PATH, which make firmware needs; install it (package {PACKAGES[name]})")
    return found


def run_tool(command: Sequence[str], folder: Path, environment: Mapping[str, str] | None = None, limit: float = LIMIT) -> str:
    """Run a command in a folder and return what it printed.

    Raises
    ------
    FirmwareError
        It failed, or took longer than ``limit`` seconds; the text has the command, how it ended and the end of what it printed.
    """
    done = run_command(command, limit, folder=folder, environment={**os.environ, "LC_ALL": "C", **(environment or {})})
    if done.status != 0:
        raise FirmwareError(f"{done.told()}; if that says nothing, check the installation of {Path(command[0]).name}")
    return done.output


def made_by(tool: str, path: Path, printed: str) -> Path:
    """Return a path if a command that ended well left a file there; FirmwareError where it did not."""
    if not path.is_file():
        raise FirmwareError(f"{tool} ended well and wrote no {path.name}; check its installation; it printed: {shown_end(printed)}")
    return path
