"""memory: what was checked before, what caught faults and what mended them; kept in a file, carried between machines as a pack.

Nothing in it is a proof: an earlier verdict names the certificate that it was issued with, and holds again only once that is checked or the text is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ebmhw.lazy import lazily

if TYPE_CHECKING:
    from ebmhw.verify.memory.differing import Change, Difference, Item
    from ebmhw.verify.memory.session import SessionMemory
    from ebmhw.verify.memory.state import Check, Count, Fix

_HOMES = {
    "Change": "differing",
    "Check": "state",
    "Count": "state",
    "Difference": "differing",
    "Fix": "state",
    "Item": "differing",
    "SessionMemory": "session",
}

__all__ = ["Change", "Check", "Count", "Difference", "Fix", "Item", "SessionMemory"]

__getattr__, __dir__ = lazily(__name__, _HOMES, __all__)
