"""The seccomp filter: which system calls a confined process may make, as a program for the kernel's BPF machine.

Source: Documentation/userspace-api/seccomp_filter.rst, include/uapi/linux/{seccomp,filter,audit}.h.
"""

from __future__ import annotations

import ctypes
import errno
import struct

from .kernel import LIBC, MACHINE, Refused
from .syscalls import ALLOWED, BY_ARGUMENT, MACHINES, MISSING_AFTER

ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
X32 = 0x40000000

ALLOW, KILL = 0x7FFF0000, 0x80000000
REFUSE, MISSING = 0x00050000 | errno.EPERM, 0x00050000 | errno.ENOSYS

_LOAD, _EQUAL, _GREATER_EQUAL, _ANY, _AND, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x54, 0x06
_NUMBER, _ARCHITECTURE = 0, 4

THREAD = 0x00000100 | 0x00000200 | 0x00000400 | 0x00000800 | 0x00010000
"""CLONE_VM, CLONE_FS, CLONE_FILES, CLONE_SIGHAND, CLONE_THREAD: a thread of the same process, with the same descriptors: else each thread would
have as many as one process may have, and the monitor would not see them."""

THREAD_ALSO = 0x00040000 | 0x00080000 | 0x00100000 | 0x00200000 | 0x00400000
"""What glibc and musl also ask of a thread: System V semaphores, its registers, two ids, and a flag without meaning."""

IOCTLS = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)
"""TCGETS (isatty), TIOCGWINSZ, FIONREAD, FIONBIO, FIONCLEX, FIOCLEX. TIOCSTI would type into a terminal, FICLONE fill a disk at once."""

FCNTLS = (0, 1, 2, 3, 4, 1030)
"""Copies and flags. F_SETOWN and F_SETSIG would send signals, leases watch others; locks of ranges take memory of the kernel that nothing limits."""

SIGCONT = 18
"""The monitor stops a program to count its files; one that continued itself meanwhile could hide them."""

SENDING, RECEIVING = 0x40 | 0x4000, 0x2 | 0x40 | 0x100
"""MSG_DONTWAIT, MSG_NOSIGNAL; MSG_PEEK, MSG_DONTWAIT, MSG_WAITALL. Not MSG_OOB, whose code in Unix sockets nobody needs (CVE-2025-38236)."""

STACK = 3
"""RLIMIT_STACK."""

PRCTLS = (15, 16, 0x53564D41)
"""PR_SET_NAME, PR_GET_NAME, PR_SET_VMA: names of threads and of memory."""


def _one(code: int, value: int, true: int = 0, false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, true, false, value & 0xFFFFFFFF)


def _low(argument: int) -> bytes:
    """Load the lower half of an argument (both machines are little-endian)."""
    return _one(_LOAD, 16 + 8 * argument)


def _high(argument: int) -> bytes:
    return _one(_LOAD, 20 + 8 * argument)


def _equal(value: int) -> bytes:
    return _one(_EQUAL, value, 1, 0) + _one(_RETURN, REFUSE)


def _none_of(bits: int) -> bytes:
    return _one(_ANY, bits, 0, 1) + _one(_RETURN, REFUSE)


def _other_than(value: int) -> bytes:
    return _one(_EQUAL, value, 0, 1) + _one(_RETURN, REFUSE)


def _among(values: tuple[int, ...]) -> bytes:
    tests = b"".join(_one(_EQUAL, value, len(values) - place, 0) for place, value in enumerate(values))
    return tests + _one(_RETURN, REFUSE)


def _conditions(process: int) -> dict[str, bytes]:
    """Return what is checked of the arguments of a call, by name; every part ends in a refusal or falls through to the next."""
    asks = _low(2) + _equal(0) + _high(2) + _equal(0)
    return {
        # fork and vfork are clones without CLONE_THREAD. New namespaces, tracing and pidfds are flags outside of the two sets.
        "clone": _low(0) + _none_of(~(THREAD | THREAD_ALSO)) + _low(0) + _one(_AND, THREAD) + _equal(THREAD),
        # Its flags lie in memory, where no filter sees them; libraries fall back to clone.
        "clone3": _one(_RETURN, MISSING),
        "kill": _low(0) + _equal(process) + _low(1) + _other_than(SIGCONT),
        "tgkill": _low(0) + _equal(process) + _low(2) + _other_than(SIGCONT),
        "prctl": _low(0) + _among(PRCTLS),
        "ioctl": _low(1) + _among(IOCTLS),
        "fcntl": _low(1) + _among(FCNTLS),
        # Of this process only; to ask, or to set the stack's, which programs that recurse do, and which the address space bounds.
        "prlimit64": _low(0) + _equal(0) + _low(1) + _one(_EQUAL, STACK, len(asks) // 8, 0) + asks,
        # A pair of stream sockets, as asyncio makes one, reaches nobody else; a pair of datagram sockets could send to any address.
        "socketpair": _low(0) + _equal(1) + _low(1) + _one(_AND, 0xF) + _equal(1),
        "sendto": _low(4) + _equal(0) + _high(4) + _equal(0) + _low(3) + _none_of(~SENDING),
        "recvfrom": _low(3) + _none_of(~RECEIVING),
        # CLOSE_RANGE_UNSHARE would give a thread descriptors of its own.
        "close_range": _low(2) + _none_of(~0x4),
        "open": _opening(1),
        "openat": _opening(2),
    }


def _opening(argument: int) -> bytes:
    # Access mode 3 asks for neither reading nor writing, and Landlock for no right; with O_TRUNC it would empty a file all the same, as
    # O_RDONLY does where Landlock is older than ABI 3.
    mode = _low(argument) + _one(_AND, 3) + _one(_EQUAL, 3, 0, 1) + _one(_RETURN, REFUSE)
    # O_TMPFILE makes files that no folder shows, nor its times; tempfile falls back to a name that it removes.
    mode += _low(argument) + _none_of(0x400000)
    return mode + _low(argument) + _one(_ANY, 3, 2, 0) + _one(_ANY, 0x200, 0, 1) + _one(_RETURN, REFUSE)


def program(machine: str, process: int) -> bytes:
    """Return the filter for a machine and the process with this id, instructions of 8 bytes.

    Raises `Refused` for a machine whose calls are not known.
    """
    if machine not in ARCHITECTURES:
        raise Refused(f"seccomp: the system calls of {machine} are not known, those of {' and '.join(MACHINES)} are")
    column = MACHINES.index(machine)
    made = [_one(_LOAD, _ARCHITECTURE), _one(_EQUAL, ARCHITECTURES[machine], 1, 0), _one(_RETURN, KILL), _one(_LOAD, _NUMBER)]
    if machine == "x86_64":
        made += [_one(_GREATER_EQUAL, X32, 0, 1), _one(_RETURN, KILL)]
    for pair in ALLOWED.values():
        number = pair[column]
        if number is not None:
            made += [_one(_EQUAL, number, 0, 1), _one(_RETURN, ALLOW)]
    conditions = _conditions(process)
    for name, pair in BY_ARGUMENT.items():
        number = pair[column]
        if number is not None:
            body = conditions[name] + _one(_RETURN, ALLOW)
            made += [_one(_EQUAL, number, 0, len(body) // 8), body]
    made += [_one(_GREATER_EQUAL, MISSING_AFTER, 0, 1), _one(_RETURN, MISSING), _one(_RETURN, REFUSE)]
    return b"".join(made)


def install(process: int) -> None:
    """Put the filter on this thread, and so on all it will start; raises `Refused`."""
    code = program(MACHINE, process)
    held = ctypes.create_string_buffer(code, len(code))
    header = struct.pack("=HxxxxxxQ", len(code) // 8, ctypes.addressof(held))
    if LIBC.prctl(ctypes.c_int(22), ctypes.c_ulong(2), ctypes.c_char_p(header), ctypes.c_ulong(0), ctypes.c_ulong(0)) != 0:
        raise Refused(f"seccomp: {errno.errorcode.get(ctypes.get_errno(), 'error')}")
