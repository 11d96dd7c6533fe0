"""sandbox: Python programs that nobody trusts, run by the kernel's own guards (Landlock, seccomp, limits), or not at all.

Modules
-------
limits : how long, how much
confined : a process that confines itself, runs a file and exchanges messages with the caller
running : a whole program, from its text to how it ended
ended : how a process ended, and why
kernel_guards : what this kernel offers, found out by asking it
packages : where the packages lie that a program may import
inside : what runs in the confined process; standard library only, never imported from there
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ebmhw.lazy import lazily

if TYPE_CHECKING:
    from ebmhw.sandbox.confined import Confined
    from ebmhw.sandbox.ended import CAUSES, Ended, Stopped
    from ebmhw.sandbox.kernel_guards import Guards, guards, require
    from ebmhw.sandbox.limits import Limits
    from ebmhw.sandbox.running import run_program

_HOMES = {
    "CAUSES": "ended",
    "Confined": "confined",
    "Ended": "ended",
    "Guards": "kernel_guards",
    "Limits": "limits",
    "Stopped": "ended",
    "guards": "kernel_guards",
    "require": "kernel_guards",
    "run_program": "running",
}

__all__ = ["CAUSES", "Confined", "Ended", "Guards", "Limits", "Stopped", "guards", "require", "run_program"]

__getattr__, __dir__ = lazily(__name__, _HOMES, __all__)
