"""Guards: what this kernel offers to confine a program, found out by confining one."""

from __future__ import annotations

import platform
import sys
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import final

from ebmhw.errors import SandboxUnavailable
from ebmhw.sandbox.confined import Confined

PROBE = Path(__file__).with_name("inside") / "probe.py"


@final
@dataclass(frozen=True)
class Guards:
    """What a confined process was guarded by, here and now.

    Attributes
    ----------
    system, machine : such as "Linux" and "x86_64"
    landlock : version of its ABI in force, 0 where none is
    seccomp, rlimits, no_new_privileges : whether each is in force
    namespaces : those that were allowed, of "user", "network", "ipc", "names"; an extra layer, which may be empty
    problem : what is missing, and the remedy; empty where programs can be confined
    """

    system: str
    machine: str
    landlock: int
    seccomp: bool
    rlimits: bool
    no_new_privileges: bool
    namespaces: tuple[str, ...]
    problem: str

    @property
    def enough(self) -> bool:
        """Whether untrusted programs can be run."""
        return not self.problem


def guards() -> Guards:
    """Return what this kernel offers; found out once a process, by confining an empty program (50 ms); a failure may pass, and is not kept."""
    try:
        return _found()
    except SandboxUnavailable as error:
        return Guards(platform.system(), platform.machine(), 0, False, False, False, (), str(error))


@lru_cache(maxsize=1)
def _found() -> Guards:
    with Confined(PROBE) as process:
        found = process.guards
        process.end()
    spaces = tuple(name for name in found["namespaces"].split(",") if name)
    return Guards(platform.system(), platform.machine(), int(found["landlock"]), True, True, True, spaces, "")


def require() -> Guards:
    """Return what this kernel offers; raises SandboxUnavailable, which names what is missing and the remedy, where that is not enough."""
    found = guards()
    if not found.enough:
        raise SandboxUnavailable(found.problem, context={"system": sys.platform, "machine": found.machine})
    return found
