"""Taps: what an agent calls at its events (`python -m ebmhw.karl.tap`), the buffers they write, and how ended sessions get from there into the store.

Standard library only. Names are resolved when they are first used: an agent waits for each event's process.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ebmhw.lazy import lazily

if TYPE_CHECKING:
    from ebmhw.karl.tap.collector import Collector
    from ebmhw.karl.tap.folding import Folded, fold
    from ebmhw.karl.tap.installing import settings
    from ebmhw.karl.tap.sessions import session_of
    from ebmhw.karl.tap.tapping import Tap

_HOMES = {
    "Collector": "collector",
    "Folded": "folding",
    "Tap": "tapping",
    "fold": "folding",
    "session_of": "sessions",
    "settings": "installing",
}

__all__ = ["Collector", "Folded", "Tap", "fold", "session_of", "settings"]

__getattr__, __dir__ = lazily(__name__, _HOMES, __all__)
