"""Order, and what only looks like it: whether tokens follow from their logits, how different completions are, and names for what is seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ebmhw.lazy import lazily

if TYPE_CHECKING:
    from ebmhw.coherence.order.groups import diversity, novelties, ordered_diversity
    from ebmhw.coherence.order.index import Dispersion, dispersion, dispersion_index, dispersion_of
    from ebmhw.coherence.order.ngrams import distinct
    from ebmhw.coherence.order.regimes import REGIMES, Regime, regime, regime_of

_HOMES = {
    "Dispersion": "index",
    "REGIMES": "regimes",
    "Regime": "regimes",
    "dispersion": "index",
    "dispersion_index": "index",
    "dispersion_of": "index",
    "distinct": "ngrams",
    "diversity": "groups",
    "novelties": "groups",
    "ordered_diversity": "groups",
    "regime": "regimes",
    "regime_of": "regimes",
}

__all__ = [
    "REGIMES",
    "Dispersion",
    "Regime",
    "dispersion",
    "dispersion_index",
    "dispersion_of",
    "distinct",
    "diversity",
    "novelties",
    "ordered_diversity",
    "regime",
    "regime_of",
]

__getattr__, __dir__ = lazily(__name__, _HOMES, __all__)
