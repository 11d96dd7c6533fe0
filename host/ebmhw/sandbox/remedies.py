"""What to do where a guard is missing."""

from __future__ import annotations

import errno
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from ebmhw.errors import SandboxUnavailable

REMEDIES = {
    "landlock": "it takes Linux 5.13 or later with CONFIG_SECURITY_LANDLOCK and landlock among the modules of the boot parameter lsm=; in a "
    "container its seccomp profile must allow landlock_create_ruleset, landlock_add_rule and landlock_restrict_self (Docker since 20.10.10 does)",
    "seccomp": "it takes CONFIG_SECCOMP_FILTER, on x86-64 or aarch64; in a container the profile must allow prctl(PR_SET_SECCOMP)",
    "proc": "/proc must be mounted, and show a process its own children",
    "folder": "TMPDIR must name a folder on a disk with free space, in which this user may write",
    "descriptors": "close files that are not needed any more, run fewer programs at once, or raise the limit (ulimit -n)",
    "processes": "run fewer programs at once, or raise the limit of processes (ulimit -u) or the memory",
    "rlimits": "raise the hard limits of the shell or the container (ulimit -H) to at least those that are asked for",
    "capabilities": "in a container the seccomp profile must allow capset",
    "system": "run this in Linux: a virtual machine, a container, or WSL 2",
    "interpreter": "sys.executable must name the Python that runs here; a program that embeds Python has to set it",
}
"""What helps, by the name of the guard."""


def remedy(problem: str) -> str:
    """Return what helps against a problem whose text starts with the guard's name and a colon."""
    return REMEDIES.get(problem.partition(":")[0], "see the table of guards in ebmhw/sandbox/README.md")


def unconfined(problem: str, told: str = "") -> SandboxUnavailable:
    """Return the error that says that a program was not run, and why; ``told`` is what the interpreter wrote."""
    text = f"untrusted code cannot be confined here, so it was not run: {problem}; {remedy(problem)}{': ' + told if told else ''}"
    return SandboxUnavailable(text, context={"problem": problem, "ended": "refused"})


@contextmanager
def unavailable() -> Iterator[None]:
    """Turn what the system refuses before a program is started into SandboxUnavailable."""
    try:
        yield
    except OSError as error:
        kinds = {errno.EMFILE: "descriptors", errno.ENFILE: "descriptors", errno.EAGAIN: "processes", errno.ENOMEM: "processes"}
        # What cannot be run is named; what cannot be written is a temporary file or its folder.
        fault = "interpreter" if error.filename is not None and error.filename == sys.executable else "folder"
        raise unconfined(f"{kinds.get(error.errno or 0, fault)}: {error}") from error
