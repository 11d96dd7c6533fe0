"""Anticipation geometry: how a session moves through a space of states (its turns, its tokens), and that beside its reward.

Of the three frameworks that the KARL paper sets beside each other only rewards and this geometry are computed here; see karl/README.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ebmhw.lazy import lazily

if TYPE_CHECKING:
    from ebmhw.karl.geometry.embedding import hashed
    from ebmhw.karl.geometry.fusion import SCALARS, Correlation, correlation, fused, settled
    from ebmhw.karl.geometry.scalars import Anticipation, anticipation
    from ebmhw.karl.geometry.states import call_states, token_states, turn_states

_HOMES = {
    "SCALARS": "fusion",
    "Anticipation": "scalars",
    "Correlation": "fusion",
    "anticipation": "scalars",
    "call_states": "states",
    "correlation": "fusion",
    "fused": "fusion",
    "hashed": "embedding",
    "settled": "fusion",
    "token_states": "states",
    "turn_states": "states",
}

__all__ = [
    "SCALARS",
    "Anticipation",
    "Correlation",
    "anticipation",
    "call_states",
    "correlation",
    "fused",
    "hashed",
    "settled",
    "token_states",
    "turn_states",
]

__getattr__, __dir__ = lazily(__name__, _HOMES, __all__)
