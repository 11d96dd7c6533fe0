"""Backends: one protocol, the CPU kernel, the golden model, and the choice between them."""

from ebmhw.backends.base import Capabilities, SamplerBackend
from ebmhw.backends.choice import BACKEND_NAMES, get_backend
from ebmhw.backends.draws import Draws
from ebmhw.backends.request import Progress

__all__ = ["BACKEND_NAMES", "Capabilities", "Draws", "Progress", "SamplerBackend", "get_backend"]
