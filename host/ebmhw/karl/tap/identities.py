"""Identities: names of calls and events as they are kept, without secrets, and still different where they were."""

from __future__ import annotations

import hashlib

from ebmhw.karl.tools import cut

NAME_CHARS = 500
"""Of names of calls, events, folders, models and skills."""

_DIGITS = 32
"""Of a digest: 128 bits."""


def identity(name: str) -> str:
    """Return a name without secrets, `NAME_CHARS` characters at most; one that is changed by that starts with a digest of all of it.

    Giving it what it returned changes nothing.
    """
    kept = cut(name, NAME_CHARS).encode("utf-8", "replace").decode("utf-8")
    if kept == name:
        return name
    # In front, as what stands behind a secret's name goes with it.
    return f"{hashlib.sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:_DIGITS]} {kept}"[:NAME_CHARS]
