"""selection: which sessions to train on, drawn, ranked, or chosen as a quadratic problem on a sampler."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ebmhw.lazy import lazily

if TYPE_CHECKING:
    from ebmhw.karl.selection.result import Comparison, Selection
    from ebmhw.karl.selection.selecting import METHODS, compare, select

_HOMES = {
    "METHODS": "selecting",
    "Comparison": "result",
    "Selection": "result",
    "compare": "selecting",
    "select": "selecting",
}

__all__ = ["METHODS", "Comparison", "Selection", "compare", "select"]

__getattr__, __dir__ = lazily(__name__, _HOMES, __all__)
