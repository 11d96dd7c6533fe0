"""Outside commands with a limit: none may hang whoever calls it."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, final

_OUTPUT_LIMIT: Final = 1 << 16
"""Bytes of a command's output that are kept, its end."""

_KILL_SECONDS: Final = 5.0
"""How long a killed command may take to be gone; one that waits in the kernel cannot be killed."""


@final
@dataclass(frozen=True)
class Outcome:
    """What became of a command.

    Attributes
    ----------
    command : as one would type it
    status : exit status, negative for a signal; None where it was killed at its limit, or did not start
    output : standard output and error, the end of them
    seconds : how long it took
    why : why there is no status, "" where there is one
    """

    command: str
    status: int | None
    output: str
    seconds: float
    why: str = ""

    def told(self) -> str:
        """Return command, status and the end of the output, for a message."""
        ended = self.why or f"exit status {self.status}"
        lines = [line.strip() for line in self.output.strip().splitlines() if line.strip()][-6:]
        return f"`{self.command}` ({ended}" + (f"; it said: {' / '.join(lines)[-500:]})" if lines else ", and said nothing)")


def run_command(command: Sequence[str], seconds: float) -> Outcome:
    """Return what a command did within a limit; at its end the command is killed with all that it started."""
    shown, began = shlex.join(command), time.monotonic()
    # A file, not a pipe: a grandchild that keeps a pipe open would hold whoever reads it.
    with tempfile.TemporaryFile() as output:

        def outcome(status: int | None, why: str = "") -> Outcome:
            output.seek(max(0, output.seek(0, os.SEEK_END) - _OUTPUT_LIMIT))
            return Outcome(shown, status, output.read().decode("utf-8", "replace"), time.monotonic() - began, why)

        try:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True)
        except OSError as error:
            return outcome(None, f"it does not start: {error.strerror or error}")
        try:
            return outcome(process.wait(seconds))
        except subprocess.TimeoutExpired:
            gone = _kill(process)
            return outcome(None, f"not done within {seconds:g} s, " + ("killed" if gone else "and cannot be killed: the kernel holds it; reboot"))
        except BaseException:
            _kill(process)
            raise


def _kill(process: subprocess.Popen[bytes]) -> bool:
    """Kill a command and its session; return whether it is gone."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        process.kill()
    try:
        process.wait(_KILL_SECONDS)
    except subprocess.TimeoutExpired:
        return False
    return True
