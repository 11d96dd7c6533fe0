"""Moments: points in time as Unix seconds, read from and written as ISO 8601."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import Any

# fromisoformat of Python 3.10 takes neither "Z" nor fractions of other than 3 or 6 digits.
_ISO = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9})\d{0,20})?)?\s?(Z|z|[+-]\d\d(?::?\d\d)?)?)?\Z",
    re.ASCII,
)
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_PLAIN_EPOCH = datetime(1970, 1, 1)
_FIRST, _LAST = -62_135_596_800.0, 253_402_300_799.0
"""The years 1 to 9999, which datetime knows."""


def moment(value: Any) -> float | None:
    """Return a point in time as Unix seconds, None for what is none.

    Parameters
    ----------
    value : ISO 8601 text (UTC where it names no zone), or Unix time as a number, in seconds, milli-, micro- or nanoseconds by its size; what lies
        outside the years 1 to 9999 of UTC is none: `iso` could not write it
    """
    found = _moment(value)
    return found if found is not None and _FIRST <= found <= _LAST else None


def iso(seconds: float | None) -> str | None:
    """Return Unix seconds as ISO 8601 in UTC, to the microsecond; None for None."""
    if seconds is None:
        return None
    bounded = min(max(seconds, _FIRST), _LAST)
    return (_EPOCH + timedelta(seconds=round(bounded, 6))).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _moment(value: Any) -> float | None:
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, (int, float)):
        return _of_number(value)
    if not isinstance(value, str) or len(value) > 64:
        return None
    # What `iso` writes; records hold two of these a call, and half of the time of reading one went into the expression below.
    if len(value) == 27 and value[10] == "T" and value[26] == "Z":
        try:
            return (datetime.fromisoformat(value[:26]) - _PLAIN_EPOCH).total_seconds()
        except ValueError:
            pass
    found = _ISO.match(value.strip())
    if found is None:
        return None
    year, month, day, hour, minute, second = (int(part or 0) for part in found.groups()[:6])
    try:
        # A leap second is the next one's start.
        whole = datetime(year, month, day, hour, minute, min(second, 59), tzinfo=timezone.utc) + timedelta(seconds=second == 60)
    except (ValueError, OverflowError):
        return None
    fraction = int((found[7] or "0").ljust(9, "0")) / 1e9
    return (whole - _EPOCH).total_seconds() + fraction - _offset(found[8])


def _of_number(value: float) -> float | None:
    # Seconds have 10 digits from 2001 to 2286; each further three digits are a finer unit.
    size = abs(value)
    if not size < 1e20:
        return None
    for unit, least in ((1e-9, 1e17), (1e-6, 1e14), (1e-3, 1e11)):
        if size >= least:
            return float(value) * unit
    return float(value)


def _offset(zone: str | None) -> float:
    if zone in (None, "Z", "z"):
        return 0.0
    assert zone is not None
    hours, minutes = int(zone[1:3]), int(zone[-2:]) if len(zone) > 3 else 0
    return (-1.0 if zone[0] == "-" else 1.0) * (3600.0 * hours + 60.0 * minutes)
