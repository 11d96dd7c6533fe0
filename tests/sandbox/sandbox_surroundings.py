"""What tests of the sandbox share: a process and a folder that others may try to harm, and the text of a program that does."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sandbox_kinds import PRELUDE


@contextmanager
def a_victim() -> Iterator[int]:
    """A process that sleeps; AssertionError where something ended it."""
    process = subprocess.Popen([sys.executable, "-I", "-S", "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE, start_new_session=True)
    yield process.pid
    alive = process.poll() is None
    process.kill()
    assert process.stdin is not None
    process.stdin.close()
    process.wait()
    assert alive


def await_no_group(group: int) -> None:
    """Wait until no process is left in a group; orphans are reaped by another process, when it comes to it. AssertionError after 30 s."""
    end = time.monotonic() + 30.0
    while time.monotonic() < end:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return
        time.sleep(0.01)
    raise AssertionError(f"processes are left in group {group}")


def an_outside(folder: Path) -> Path:
    """A folder with a secret, and a file that is to stay as it is."""
    folder.mkdir()
    (folder / "secret.txt").write_text("a secret")
    (folder / "victim.txt").write_text("as it was")
    return folder


def state(folder: Path) -> dict[str, tuple[str, int, int, int]]:
    """What of a folder must not change."""
    return {path.name: (path.read_text(), path.stat().st_mode, path.stat().st_mtime_ns, path.stat().st_nlink) for path in (*folder.iterdir(),)}


def program(path: Path, text: str, outside: Path, victim: int) -> Path:
    """Write a program of ``sandbox_kinds``, and return its path."""
    path.write_text(PRELUDE + text.replace("{outside}", str(outside)).replace("{victim}", str(victim)))
    return path
