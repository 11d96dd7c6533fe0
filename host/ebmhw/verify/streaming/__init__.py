"""streaming: verdicts of many candidates as they are done, within budgets that a candidate which hangs cannot exceed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ebmhw.lazy import lazily

if TYPE_CHECKING:
    from ebmhw.verify.streaming.asynchronous import averify_stream
    from ebmhw.verify.streaming.ranking import best, ranked
    from ebmhw.verify.streaming.stream import verify_stream
    from ebmhw.verify.streaming.verdicted import Stopped, Verdicted

_HOMES = {
    "Stopped": "verdicted",
    "Verdicted": "verdicted",
    "averify_stream": "asynchronous",
    "best": "ranking",
    "ranked": "ranking",
    "verify_stream": "stream",
}

__all__ = ["Stopped", "Verdicted", "averify_stream", "best", "ranked", "verify_stream"]

__getattr__, __dir__ = lazily(__name__, _HOMES, __all__)
