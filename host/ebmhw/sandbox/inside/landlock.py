"""Landlock: which files a confined process may read, and the one folder in which it may write.

Source: include/uapi/linux/landlock.h and Documentation/userspace-api/landlock.rst of Linux 6.18.
"""

from __future__ import annotations

import ctypes
import os
import stat
import struct

from .kernel import Refused, syscall

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446  # the same on every machine

READ_FILE, READ_DIR = 1 << 2, 1 << 3
WRITES = (1 << 1) | (1 << 4) | (1 << 5) | (1 << 7) | (1 << 8) | (1 << 12)  # write, remove folder, remove file, make folder, file and link
REFER, TRUNCATE, IOCTL_DEV = 1 << 13, 1 << 14, 1 << 15
OF_FILES = 1 | (1 << 1) | READ_FILE | TRUNCATE | IOCTL_DEV
"""Rights that a rule about a file may name."""


def version() -> int:
    """Return the version of Landlock's ABI that runs; raises OSError where there is none."""
    return syscall(CREATE_RULESET, None, 0, 1)


def handled(abi: int) -> tuple[int, int, int]:
    """Return the rights on files and on the network, and the scopes, that a version of the ABI can take away."""
    files = (1 << 13) - 1
    files |= REFER if abi >= 2 else 0
    files |= TRUNCATE if abi >= 3 else 0
    files |= IOCTL_DEV if abi >= 5 else 0
    return files, 3 if abi >= 4 else 0, 3 if abi >= 6 else 0  # TCP bind and connect; abstract sockets and signals


def restrict(readable: list[str], listable: list[str], writable: str, devices: list[str]) -> int:
    """Take every right on files away from this process but these, for good, and return the version of the ABI.

    Parameters
    ----------
    readable : files, and folders with all in them
    listable : folders whose names may be listed, with all folders in them
    writable : the folder in which files may be made, written and removed
    devices : files that may be read and written

    Raises `Refused` where Landlock is missing.
    """
    try:
        abi = version()
    except OSError as error:
        raise Refused(f"landlock: {error.strerror}") from None
    files, network, scopes = handled(abi)
    attributes = struct.pack("=Q", files)
    if abi >= 4:
        attributes += struct.pack("=Q", network)
    if abi >= 6:
        attributes += struct.pack("=Q", scopes)
    try:
        rules = syscall(CREATE_RULESET, ctypes.c_char_p(attributes), len(attributes), 0)
        for rights, paths in (
            (READ_FILE | READ_DIR, readable),
            (READ_DIR, listable),
            (READ_FILE | READ_DIR | WRITES | REFER | TRUNCATE, [writable]),
            (READ_FILE | (1 << 1), devices),
        ):
            for path in paths:
                _allow(rules, path, rights & files)
        syscall(RESTRICT_SELF, rules, 0)
        os.close(rules)
    except OSError as error:
        raise Refused(f"landlock: {error.strerror}") from None
    return abi


def _allow(rules: int, path: str, rights: int) -> None:
    try:
        handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:  # what is not there needs no permission
        return
    try:
        if not stat.S_ISDIR(os.fstat(handle).st_mode):
            rights &= OF_FILES
        if rights:
            syscall(ADD_RULE, rules, 1, ctypes.c_char_p(struct.pack("=Qi", rights, handle)), 0)
    finally:
        os.close(handle)
