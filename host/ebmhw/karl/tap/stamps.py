"""Stamps: when, where and for whom an event was, by clocks that all processes of a machine share."""

from __future__ import annotations

import os
import time
from typing import NamedTuple

_BOOT_ID = "/proc/sys/kernel/random/boot_id"
_CHARS = 100

SECONDS = 1e12
"""What a clock may show, in seconds; more, and NaN, is no time."""


class Stamp(NamedTuple):
    """Of an event.

    Attributes
    ----------
    id : unique among all events, by which one that was written twice is known
    wall : Unix seconds, by a clock that may jump
    steady : seconds since the machine started (CLOCK_BOOTTIME, which goes on in standby); None where there is no such clock
    boot : which start of the machine that was, None where it is not known
    host : name of the machine
    user : whose process it was, None where it is not known
    """

    id: str
    wall: float
    steady: float | None
    boot: str | None
    host: str
    user: str | None


def stamped() -> Stamp:
    """Return the present stamp."""
    steady = uptime()
    boot = None if steady is None else _boot()
    host = os.uname().nodename[:_CHARS] if hasattr(os, "uname") else os.environ.get("COMPUTERNAME", "")[:_CHARS]
    user = os.environ.get("USER") or os.environ.get("LOGNAME") or os.environ.get("USERNAME")
    return Stamp(os.urandom(12).hex(), time.time(), steady if boot else None, boot, host, user[:_CHARS] if user else None)


def uptime() -> float | None:
    """Return the seconds since the machine started, None where no clock tells."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return None if clock is None else time.clock_gettime(clock)


def _boot() -> str | None:
    try:
        handle = os.open(_BOOT_ID, os.O_RDONLY)
    except OSError:
        return None
    try:
        return os.read(handle, 64).decode("ascii", "replace").strip() or None
    finally:
        os.close(handle)
