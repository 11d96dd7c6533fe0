"""Folders that a build works in: made anew, and held by one build at a time."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ebmhw.errors import FirmwareError


def fresh(*folders: Path) -> None:
    """Make folders anew, without what was there."""
    try:
        for folder in folders:
            if folder.exists():
                shutil.rmtree(folder)
            folder.mkdir(parents=True)
    except OSError as error:
        raise FirmwareError(f"{error.filename} cannot be made anew ({error.strerror or error}); give another folder with --out") from None


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Make a folder where there is none, and hold it; FirmwareError where another build holds it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder / ".lock", os.O_CREAT | os.O_RDWR, 0o666)
    except OSError as error:
        raise FirmwareError(f"{folder} cannot be written ({error.strerror or error}); give another folder with --out") from None
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise FirmwareError(f"another build works in {folder}; wait for it, or give another folder with --out") from None
        yield
    finally:
        os.close(handle)
