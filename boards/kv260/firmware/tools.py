"""Commands of the system that make firmware: where they are, and what is told when they fail."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from ebmhw.errors import FirmwareError

PACKAGES: Final = {
    "bootgen": "xilinx-bootgen on Debian, bootgen-xlnx on Ubuntu; Vitis and Vivado bring it too",
    "dtc": "device-tree-compiler",
    "dpkg-deb": "dpkg",
}
"""Of Debian, for each command."""

LIMIT: Final = 300.0
"""Seconds that a command may take; bootgen and dpkg-deb take 2 for an image of 8 MB."""

_SHOWN = 2000


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
    said = " ".join(command)
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env={**os.environ, "LC_ALL": "C", **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=limit,
        )
    except subprocess.TimeoutExpired as error:
        raise FirmwareError(f"`{said}` did not end within {limit:.0f} s and was stopped; it printed: {_end(error.stdout)}") from None
    except OSError as error:
        raise FirmwareError(f"`{said}` cannot be run ({error.strerror or error}); check its installation") from None
    if done.returncode:
        raise FirmwareError(f"`{said}` failed ({_ending(done.returncode)}); it printed: {_end(done.stdout)}")
    return done.stdout.decode(errors="replace")


def made_by(tool: str, path: Path, printed: str) -> Path:
    """Return a path if a command that ended well left a file there; FirmwareError where it did not."""
    if not path.is_file():
        raise FirmwareError(f"{tool} ended well and wrote no {path.name}; check its installation; it printed: {_end(printed.encode())}")
    return path


def _ending(code: int) -> str:
    if code >= 0:
        return f"exit status {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    return f"ended by {name}"


def _end(printed: bytes | None) -> str:
    text = (printed or b"").decode(errors="replace").strip()
    return text[-_SHOWN:] or "nothing"
