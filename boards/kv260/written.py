"""What another part of the checkout writes when it is asked to: a folder of files, by a Python module that is run."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from ebmhw.board.command import run_command
from ebmhw.errors import FirmwareError

_SECONDS: Final = 600.0
"""Limit of a module."""


def written_by(module: str, folder: Path, what: str, root: Path) -> Path:
    """Return a folder that ``python -m module folder``, run in a checkout's root, has filled; FirmwareError tells where it failed."""
    done = run_command([sys.executable, "-m", module, str(folder)], _SECONDS, folder=root)
    if done.status != 0:
        raise FirmwareError(f"{what} cannot be written: {done.told()}")
    return folder
