"""Ended: how a confined process ended, and why. Stopped: a message was expected of one that has ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from ebmhw.errors import EbmhwError

CAUSES = ("exit", "time", "cpu", "memory", "output", "files", "threads", "signal", "refused", "tampering")
"""Why a process ended.

exit : by itself, with a status
time : it was stopped at its limit of wall clock, or of the wait for a message
cpu : the kernel stopped it at its limit of processor time
memory : its first thread ended by a MemoryError
output : it was stopped because it wrote more than its limit to standard output and standard error
files : it was stopped because its scratch folder outgrew its limit, or its first thread ended because a file did
threads : it was stopped because it had more threads than its limit
signal : a signal ended it: a fault, an abort, or one that it sent itself
refused : it never ran, because a guard was refused
tampering : it was stopped because what came on its channel is no message, or because it closed the channel and went on
"""


@final
@dataclass(frozen=True)
class Ended:
    """How a confined process ended.

    Attributes
    ----------
    cause : one of ``CAUSES``
    status : exit status 0..255, or None where it did not exit
    signal : number of the signal that ended it, or None
    stdout, stderr : what it wrote, up to the limit of output
    seconds : of wall clock from its start
    cpu_seconds : of processor time, user and system, all threads
    peak_memory : bytes resident at most
    """

    cause: str
    status: int | None
    signal: int | None
    stdout: bytes
    stderr: bytes
    seconds: float
    cpu_seconds: float
    peak_memory: int

    def told(self) -> str:
        """Return in plain words, without figures that differ from run to run, how it ended."""
        if self.cause == "exit":
            return f"it exited with status {self.status}"
        if self.cause == "signal":
            return f"signal {self.signal} ended it"
        return {
            "time": "it did not end within its time",
            "cpu": "it used up its processor time",
            "memory": "it used up its memory",
            "output": "it wrote more output than allowed",
            "files": "it wrote more to its scratch folder than allowed",
            "threads": "it started more threads than allowed",
            "refused": "it was not run",
            "tampering": "it tampered with its channel",
        }[self.cause]


@final
class Stopped(EbmhwError, RuntimeError):
    """A confined process was asked for a message, or sent one, and has ended or was stopped.

    Attributes
    ----------
    ended : how and why, an `Ended`
    """

    code = "sandbox-stopped"

    def __init__(self, ended: Ended) -> None:
        super().__init__(f"the confined process gives no further message: {ended.told()}", context={"cause": ended.cause})
        self.ended = ended
