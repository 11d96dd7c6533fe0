"""store: scored trajectories in one SQLite file that many processes of a machine write at once, and that loses nothing it took."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ebmhw.lazy import lazily

if TYPE_CHECKING:
    from ebmhw.karl.record import Scored
    from ebmhw.karl.store.absorbing import absorb
    from ebmhw.karl.store.annotating import Annotated, Note
    from ebmhw.karl.store.jsonl import Imported
    from ebmhw.karl.store.putting import Stored
    from ebmhw.karl.store.rescuing import salvage
    from ebmhw.karl.store.rows import DomainCounts
    from ebmhw.karl.store.store import Store
    from ebmhw.karl.store.telling import Told, tell

_HOMES = {
    "Annotated": "annotating",
    "DomainCounts": "rows",
    "Imported": "jsonl",
    "Note": "annotating",
    "Scored": "rows",
    "Store": "store",
    "Stored": "putting",
    "Told": "telling",
    "absorb": "absorbing",
    "salvage": "rescuing",
    "tell": "telling",
}

__all__ = ["Annotated", "DomainCounts", "Imported", "Note", "Scored", "Store", "Stored", "Told", "absorb", "salvage", "tell"]

__getattr__, __dir__ = lazily(__name__, _HOMES, __all__)
