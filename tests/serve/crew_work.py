"""What the processes of a crew under test do; in a module that imports nothing else, for each of them loads it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable


def start() -> Callable[[str], str]:
    """Make the work of the processes below."""

    def work(task: str) -> str:
        if task == "die":
            os._exit(3)
        while task == "hang":
            time.sleep(0.01)
        return f"{task} by {os.getpid()}"

    return work


def start_slowly() -> Callable[[str], str]:
    """Make the work of a process that takes longer to start than a call may take."""
    time.sleep(0.5)
    return start()
