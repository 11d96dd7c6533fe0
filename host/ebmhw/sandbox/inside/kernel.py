"""Calls of the kernel that Python has no function for, made through ctypes."""

from __future__ import annotations

import ctypes
import os

TYPE_CHECKING = False  # as of typing, whose import takes 6 of the 40 ms of a start
if TYPE_CHECKING:
    from typing import Any

LIBC = ctypes.CDLL(None, use_errno=True)
_SYSCALL = LIBC.syscall
_SYSCALL.restype = ctypes.c_long

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_GET_SECCOMP, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT = 1, 4, 21, 24, 38, 47
CAPSET = {"x86_64": 126, "aarch64": 91}
PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
MACHINE = os.uname().machine


class Refused(Exception):
    """The kernel refused a guard; the text names it and the reason."""


def syscall(number: int, *arguments: Any) -> int:
    """Call the kernel by number; whole numbers are passed as 64 bits.

    Raises OSError where it answers with an error.
    """
    given = [ctypes.c_long(one) if isinstance(one, int) else one for one in arguments]
    answer = int(_SYSCALL(ctypes.c_long(number), *given))
    if answer < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return answer


def prctl(option: int, *arguments: int) -> int:
    """Call prctl; raises OSError."""
    padded = [*arguments, *[0] * (4 - len(arguments))]
    answer = int(LIBC.prctl(ctypes.c_int(option), *[ctypes.c_ulong(one) for one in padded]))
    if answer < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return answer


def drop_capabilities() -> None:
    """Give up every capability, of root as well; raises OSError."""
    for one in range(64):
        try:
            prctl(PR_CAPBSET_DROP, one)
        except OSError:  # EPERM without CAP_SETPCAP, EINVAL past the last one; without exec the bounding set grants nothing anyway
            break
    try:  # noqa: SIM105  contextlib would be loaded for it at every start
        prctl(PR_CAP_AMBIENT, 4)  # PR_CAP_AMBIENT_CLEAR_ALL
    except OSError:  # Linux before 4.3 has none
        pass
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)  # _LINUX_CAPABILITY_VERSION_3, this thread
    syscall(CAPSET[MACHINE], header, (ctypes.c_uint32 * 6)())
