"""confine: puts every guard on this process, in the order in which each can still be put, and checks that they hold."""

from __future__ import annotations

import errno
import os
import resource
import signal

from . import landlock, namespaces, seccomp
from .kernel import MACHINE, PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS, PR_SET_PDEATHSIG, Refused, drop_capabilities, prctl, syscall
from .reading import DEVICES

TYPE_CHECKING = False  # as of typing, whose import takes 6 of the 40 ms of a start
if TYPE_CHECKING:
    from typing import Any

SOCKET = {"x86_64": 41, "aarch64": 198}


def confine(order: dict[str, Any], parent: int, needed: tuple[list[str], list[str]]) -> dict[str, Any]:
    """Confine this process for good, and return which guards it has: {"landlock": its ABI, "namespaces": names}.

    Parameters
    ----------
    order : limits and paths, as `ebmhw.sandbox.confined` writes them
    parent : the process whose end is to end this one
    needed : of `reading`

    Raises `Refused` where a guard that it cannot do without is missing.
    """
    spaces = namespaces.enter() if order["namespaces"] else []
    try:
        # After the namespaces: a change of credentials clears it.
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)
        prctl(PR_SET_NO_NEW_PRIVS, 1)
        _limit(order, "user" in spaces)
    except (OSError, ValueError) as error:
        raise Refused(f"rlimits: {error}") from None
    readable, listable = needed
    abi = landlock.restrict([*readable, *order["readable"]], listable, order["scratch"], list(DEVICES))
    try:
        drop_capabilities()
        # So that the monitor sees which descriptors it holds, which it may as its user, or without that right as root.
        prctl(PR_SET_DUMPABLE, 1)
    except OSError as error:
        raise Refused(f"capabilities: {error.strerror}") from None
    seccomp.install(os.getpid())
    _check()
    return {"landlock": abi, "namespaces": spaces}


def _limit(order: dict[str, Any], own_user: bool) -> None:
    limits = {
        "AS": order["memory"],
        "CPU": order["cpu"],
        "FSIZE": order["file"],
        "NOFILE": order["open"],
        # Not 0, which systems that pipe dumps to a program do not heed; those are called off by 1, and other dumps are never that short.
        "CORE": 1,
        "MEMLOCK": 0,
        "MSGQUEUE": 0,
        # They take memory of the kernel, and all of a user's programs share what there is of it: 96,000 by default.
        "SIGPENDING": 256,
        "NICE": 0,
        "RTPRIO": 0,
        "STACK": 8 << 20,
    }
    if own_user:
        # Elsewhere it counts what else the same user runs. Root is spared from it; the monitor counts its threads.
        limits["NPROC"] = order["threads"]
    for name, value in limits.items():
        number = getattr(resource, f"RLIMIT_{name}", None)
        if number is None:
            continue
        hard = resource.getrlimit(number)[1]
        if hard != resource.RLIM_INFINITY:
            value = min(value, hard)
        # A second between the signal that a program can catch and the one that it cannot.
        last = value + 1 if name == "CPU" and (hard == resource.RLIM_INFINITY or hard > value) else hard if name == "STACK" else value
        resource.setrlimit(number, (value, last))


def _check() -> None:
    """Raise `Refused` unless the guards refuse what they must."""
    try:
        os.listdir("/")
        raise Refused("landlock: it is in force, and the root folder can be listed all the same")
    except OSError as error:
        if error.errno != errno.EACCES:
            raise Refused(f"landlock: listing the root folder fails with {error.strerror} instead of EACCES") from None
    try:
        os.close(syscall(SOCKET[MACHINE], 2, 1, 0))
        raise Refused("seccomp: it is in force, and a socket can be made all the same")
    except OSError as error:
        if error.errno != errno.EPERM:
            raise Refused(f"seccomp: making a socket fails with {error.strerror} instead of EPERM") from None
