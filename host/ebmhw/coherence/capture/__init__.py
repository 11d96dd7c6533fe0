"""Phi of every token where it is generated, or of given completions by one forward pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ebmhw.lazy import lazily

if TYPE_CHECKING:
    from ebmhw.coherence.capture.captured import Captured, TokenPhi
    from ebmhw.coherence.capture.loading import Loaded, load_causal_lm
    from ebmhw.coherence.capture.recorder import PhiCapture
    from ebmhw.coherence.capture.scoring import score_completions
    from ebmhw.coherence.capture.streaming import Generation, generate

_HOMES = {
    "Captured": "captured",
    "Generation": "streaming",
    "Loaded": "loading",
    "PhiCapture": "recorder",
    "TokenPhi": "captured",
    "generate": "streaming",
    "load_causal_lm": "loading",
    "score_completions": "scoring",
}

__all__ = ["Captured", "Generation", "Loaded", "PhiCapture", "TokenPhi", "generate", "load_causal_lm", "score_completions"]

__getattr__, __dir__ = lazily(__name__, _HOMES, __all__)
