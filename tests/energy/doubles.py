"""JAX's 64-bit mode, by the name that the installed release has for it."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any


def double_precision() -> AbstractContextManager[Any]:
    """Return a context in which energies are computed in float64."""
    try:
        from jax import enable_x64
    except ImportError:  # before jax 0.8
        from jax.experimental import enable_x64
    context: AbstractContextManager[Any] = enable_x64(True)
    return context
