"""Array namespaces that the step function runs over."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager, nullcontext
from typing import Any, final

from ebmhw.errors import BackendUnavailable

Array = Any
"""An array of the namespace in use."""


class Arrays(ABC):
    """What the golden model needs beyond the functions that NumPy and JAX share."""

    xp: Any
    """The namespace: numpy or jax.numpy."""

    @abstractmethod
    def put(self, array: Array, index: Array, value: Array) -> Array:
        """Return ``array`` with [..., index] replaced by ``value``; the old one may be overwritten."""

    @abstractmethod
    def add_at(self, array: Array, index: Array, value: Array) -> Array:
        """Return ``array`` (..., m) with ``value`` (..., n) added at [..., index], repeated indices (..., n) too; the old one may be overwritten."""

    @abstractmethod
    def integers64(self) -> AbstractContextManager[Any]:
        """Return a context in which int64 is really 64 bits wide."""


@final
class NumpyArrays(Arrays):
    """NumPy, in place."""

    def __init__(self) -> None:
        import numpy

        self.xp = numpy

    def put(self, array: Array, index: Array, value: Array) -> Array:
        array[..., index] = value
        return array

    def add_at(self, array: Array, index: Array, value: Array) -> Array:
        rows = self.xp.arange(index.size // max(1, index.shape[-1])).reshape(*index.shape[:-1], 1)
        self.xp.add.at(array.reshape(-1, array.shape[-1]), (rows, index), value)
        return array

    def integers64(self) -> AbstractContextManager[Any]:
        return nullcontext()


@final
class JaxArrays(Arrays):
    """JAX, functional; needs the extra ``ebmhw[jax]``."""

    def __init__(self) -> None:
        try:
            import jax
        except ImportError:
            raise BackendUnavailable("backend 'golden' with arrays='jax': jax is not installed; pip install 'ebmhw[jax]'") from None
        self.jax = jax
        self.xp = jax.numpy

    def put(self, array: Array, index: Array, value: Array) -> Array:
        return array.at[..., index].set(value)

    def add_at(self, array: Array, index: Array, value: Array) -> Array:
        rows = self.xp.arange(index.size // max(1, index.shape[-1])).reshape(*index.shape[:-1], 1)
        flat = array.reshape(-1, array.shape[-1]).at[rows, index].add(value)
        return flat.reshape(array.shape)

    def integers64(self) -> AbstractContextManager[Any]:
        try:
            from jax import enable_x64
        except ImportError:  # before jax 0.8
            from jax.experimental import enable_x64
        context: AbstractContextManager[Any] = enable_x64(True)
        return context
