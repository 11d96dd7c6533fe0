"""ebmhw: an Ising sampler whose backends return the same bits.

Names are resolved when they are first used, so that a part that needs no numpy does not load it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ebmhw.backends import Draws, SamplerBackend, get_backend
    from ebmhw.model import Model
    from ebmhw.problems import read
    from ebmhw.program import Program
    from ebmhw.sampler import EbmSampler
    from ebmhw.schedule import Schedule

__version__ = "0.1.0"

_HOMES = {
    "Draws": "ebmhw.backends",
    "EbmSampler": "ebmhw.sampler",
    "Model": "ebmhw.model",
    "Program": "ebmhw.program",
    "SamplerBackend": "ebmhw.backends",
    "Schedule": "ebmhw.schedule",
    "get_backend": "ebmhw.backends",
    "read": "ebmhw.problems",
}

_PARTS = ("backends", "bench", "contract", "errors", "golden", "phi", "problems", "verify")

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


def __getattr__(name: str) -> Any:
    if name in _PARTS:
        return import_module(f"ebmhw.{name}")
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'ebmhw' has no attribute {name!r}; it offers {', '.join(__all__)}")
    value = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(__all__))
