"""Outside commands with a limit: none may hang whoever calls it.

Python 3.8's standard library alone: a deploy runs this on the board too (`boards.kv260.deploy.bundle`).
"""

from __future__ import annotations

import os
import select
import shlex
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, final

OUTPUT_BYTES: Final = 1 << 16
"""Bytes of a command's output that are kept, its end, unless told otherwise."""

_PIECE: Final = 1 << 16

_TICK_SECONDS: Final = 0.025
"""How long nobody looks whether the command has ended, or is to be ended, while it prints nothing."""

_TERM_SECONDS, _KILL_SECONDS = 2.0, 5.0
"""How long a command may take to end by itself when asked to, and to be gone when killed; one that waits in the kernel cannot be killed."""

_SHOWN_LINES, _SHOWN = 8, 800


@final
@dataclass(frozen=True)
class Outcome:
    """What became of a command.

    Attributes
    ----------
    command : as one would type it
    status : exit status, negative for a signal; None where it was stopped at its limit, or did not start
    output : standard output, and standard error unless asked for apart; the end of it
    errors : standard error, the end of it, where it was asked for apart
    seconds : how long it took
    why : why there is no status, "" where there is one
    """

    command: str
    status: int | None
    output: str
    seconds: float
    why: str = ""
    errors: str = ""

    @property
    def ended(self) -> str:
        """How it ended, as words that follow its name."""
        if self.status is None:
            return self.why
        return f"ended with exit status {self.status}" if self.status >= 0 else f"was ended by {_signal_name(-self.status)}"

    def told(self) -> str:
        """Return command, ending and the end of what it printed, for a message."""
        return f"`{self.command}` {self.ended}; it printed: {shown_end(self.output + self.errors)}"


def shown_end(text: str) -> str:
    """Return the end of what was printed, on one line, "nothing" where there is none."""
    lines = [line.strip() for line in text.splitlines() if line.strip()][-_SHOWN_LINES:]
    line = " | ".join(lines) or "nothing"
    return line if len(line) <= _SHOWN else "..." + line[-_SHOWN:]


def run_command(
    command: Sequence[str],
    seconds: float,
    *,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
    apart: bool = False,
    kept: int = OUTPUT_BYTES,
    check: Callable[[], None] | None = None,
) -> Outcome:
    """Return what a command did within a limit; at its end the command is stopped with all that it started.

    Parameters
    ----------
    command, seconds : what to run, and its limit
    folder, environment : that it runs in; None for this process's
    apart : whether standard error is kept apart from standard output
    kept : bytes that are kept of each
    check : called every few milliseconds; what it raises stops the command and is raised
    """
    shown, began = shlex.join(command), time.monotonic()
    try:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE if apart else subprocess.STDOUT,
            # A session of its own, so that it can be stopped with what it starts, and a Ctrl-C in the terminal reaches this process alone.
            start_new_session=True,
        )
    except OSError as error:
        return Outcome(shown, None, "", 0.0, f"does not start ({error.strerror or error})")
    streams = [stream for stream in (process.stdout, process.stderr) if stream is not None]
    printed = {stream.fileno(): bytearray() for stream in streams}
    why = ""
    try:
        if not _follow(process, printed, began + seconds, kept, check):
            stopped = "and was stopped" if stop(process) else "and cannot be stopped: the kernel holds it; reboot"
            why = f"did not end within {seconds:g} s {stopped}"
    finally:
        # Also where it cannot be waited for: an interrupt, or what `check` raised.
        if process.returncode is None and not why:
            stop(process)
        for stream in streams:
            stream.close()
    texts = [text.decode("utf-8", "replace") for text in printed.values()]
    return Outcome(shown, None if why else process.returncode, texts[0], time.monotonic() - began, why, texts[1] if apart else "")


def _follow(process: subprocess.Popen[bytes], printed: dict[int, bytearray], deadline: float, kept: int, check: Callable[[], None] | None) -> bool:
    """Read what a command prints until it ends; False where the deadline comes first."""
    waiting = set(printed)
    while True:
        if check is not None:
            check()
        left = min(_TICK_SECONDS, deadline - time.monotonic())
        if left <= 0:
            return False
        if not waiting:
            try:
                process.wait(left)
                return True
            except subprocess.TimeoutExpired:
                continue
        ready = select.select(sorted(waiting), [], [], left)[0]
        for handle in ready:
            piece = os.read(handle, _PIECE)
            printed[handle] += piece
            del printed[handle][:-kept]
            if not piece:
                waiting.discard(handle)
        # What it started may live on, and hold the pipe open.
        if not ready and process.poll() is not None:
            return True


def stop(process: subprocess.Popen[bytes]) -> bool:
    """End a command that leads a session, and all of its session; return whether it is gone."""
    for number, seconds in ((signal.SIGTERM, _TERM_SECONDS), (signal.SIGKILL, _KILL_SECONDS)):
        # The second also where the first ended the command: what it started may have ignored that.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
    return process.returncode is not None


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
