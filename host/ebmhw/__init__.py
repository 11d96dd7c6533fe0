"""ebmhw: an Ising sampler whose backends return the same bits.

Names are resolved when they are first used, so that a part that needs no numpy does not load it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ebmhw.lazy import lazily

if TYPE_CHECKING:
    from ebmhw.backends import Draws, SamplerBackend, get_backend
    from ebmhw.model import Model
    from ebmhw.problems import read
    from ebmhw.program import Program
    from ebmhw.sampler import EbmSampler
    from ebmhw.schedule import Schedule

__version__ = "0.1.0"

_HOMES = {
    "Draws": "backends",
    "EbmSampler": "sampler",
    "Model": "model",
    "Program": "program",
    "SamplerBackend": "backends",
    "Schedule": "schedule",
    "get_backend": "backends",
    "read": "problems",
}

_PARTS = ("backends", "bench", "coherence", "contract", "errors", "golden", "karl", "phi", "problems", "verify")

__all__ = [
    "Draws",
    "EbmSampler",
    "Model",
    "Program",
    "SamplerBackend",
    "Schedule",
    "__version__",
    "get_backend",
    "read",
]

__getattr__, __dir__ = lazily(__name__, _HOMES, __all__, _PARTS)
