"""Limits: how long a confined process may run, and how much it may use."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import final

from ebmhw.errors import VerificationError, shown

MIB = 1 << 20

LEAST_MEMORY = 64 * MIB
"""Python 3.10 to 3.13 map 11 to 14 MiB before they run a line; a program that imports json and typing runs in 48."""


@final
@dataclass(frozen=True)
class Limits:
    """What a confined process may use; whoever exceeds a limit is stopped, or refused by the kernel.

    Parameters
    ----------
    seconds : of wall clock, from its start to its end
    cpu_seconds : of processor time over all threads, whole seconds as the kernel counts; None for a second more than ``seconds``, rounded up
    memory : bytes of address space, interpreter, libraries and stacks of threads included
    file_bytes : the size of one file
    scratch_bytes : of disk that all files of the scratch folder together occupy
    files : files and folders in the scratch folder
    output_bytes : of standard output and standard error together; what comes before the limit is kept
    open_files : descriptors at once
    threads : threads at once, the first included
    message_bytes : of one message in either direction
    """

    seconds: float = 10.0
    cpu_seconds: int | None = None
    memory: int = 512 * MIB
    file_bytes: int = 16 * MIB
    scratch_bytes: int = 64 * MIB
    files: int = 1000
    output_bytes: int = MIB
    open_files: int = 64
    threads: int = 32
    message_bytes: int = 64 * MIB

    def __post_init__(self) -> None:
        if isinstance(self.seconds, bool) or not isinstance(self.seconds, (int, float)) or not 0 < self.seconds <= 86400:
            raise VerificationError(f"a limit of seconds={shown(self.seconds)} cannot be kept; give a number above 0 and up to 86400")
        if self.cpu_seconds is not None:
            self._check("cpu_seconds", 1, 86400)
        self._check("memory", LEAST_MEMORY, 1 << 46)
        self._check("file_bytes", 0, 1 << 46)
        self._check("scratch_bytes", 0, 1 << 46)
        self._check("files", 0, 100_000)
        self._check("output_bytes", 0, 1 << 30)
        self._check("open_files", 16, 1024)
        self._check("threads", 1, 1024)
        self._check("message_bytes", 1, 1 << 30)

    def _check(self, name: str, low: int, high: int) -> None:
        value = getattr(self, name)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise VerificationError(f"a limit of {name}={shown(value)} cannot be kept; give a whole number from {low} to {high}")

    @property
    def processor_seconds(self) -> int:
        """The limit of processor time that is set, whole seconds."""
        return math.ceil(self.seconds) + 1 if self.cpu_seconds is None else self.cpu_seconds
