"""What a worker process does to itself before it works: it dies with its parent, and writes where the server cleans up."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path


def die_with_parent() -> None:
    """Have the system kill this process where its parent dies, even where that was killed; Linux only."""
    if sys.platform == "linux":
        import ctypes
        import signal

        set_pdeathsig = 1
        ctypes.CDLL(None, use_errno=True).prctl(set_pdeathsig, signal.SIGKILL)


def settle(scratch: Path) -> None:
    """Give this process a folder of its own for temporary files, and remove those of workers that were killed over theirs."""
    for folder in scratch.iterdir():
        try:
            os.kill(int(folder.name), 0)
        except OSError:
            shutil.rmtree(folder, ignore_errors=True)
    own = scratch / str(os.getpid())
    own.mkdir(exist_ok=True)
    tempfile.tempdir = str(own)
