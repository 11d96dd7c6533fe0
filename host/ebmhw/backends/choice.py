"""get_backend: a backend by its name, or the best one here."""

from __future__ import annotations

import os
from typing import Any

from ebmhw.backends.base import SamplerBackend
from ebmhw.errors import BackendUnavailable, InvalidRun, shown

BACKEND_NAMES = ("auto", "cpu", "golden", "simulated", "kv260")
"""Names that `get_backend` knows."""

ENVIRONMENT = "EBMHW_BACKEND"
"""Environment variable with the backend to use where none is named."""


def get_backend(name: str | None = None, **options: Any) -> SamplerBackend:
    """Return a backend: "cpu", "golden", "simulated", "kv260" or "auto".

    Parameters
    ----------
    name : None takes the environment variable EBMHW_BACKEND, else "auto"
    options : "cpu" and "auto": threads; "golden": arrays ("numpy" or "jax")

    Raises
    ------
    BackendUnavailable
        where the backend cannot work here; the text says what is missing. Only "auto" ever chooses another one.
    """
    asked = name if name is not None else os.environ.get(ENVIRONMENT) or "auto"
    if not isinstance(asked, str) or asked not in BACKEND_NAMES:
        source = "" if name is not None else f" (from {ENVIRONMENT})"
        raise InvalidRun(f"there is no backend {shown(asked)}{source}; give one of {', '.join(map(repr, BACKEND_NAMES))}")
    allowed = {"cpu": {"threads"}, "auto": {"threads"}, "golden": {"arrays"}}.get(asked, set())
    unknown = sorted(set(options) - allowed)
    if unknown:
        raise InvalidRun(f"backend {asked!r} has no option {unknown[0]!r}; it has {', '.join(sorted(allowed)) or 'none'}")
    if asked in ("cpu", "auto"):
        from ebmhw.backends.cpu import CpuBackend

        backend = CpuBackend(**options)
        if asked == "auto":
            backend.chosen_because = "auto: this version has no driver for a board, so the CPU is all there is to choose"
        return backend
    if asked == "golden":
        from ebmhw.backends.golden import GoldenBackend

        return GoldenBackend(**options)
    what = {"simulated": "the generated RTL", "kv260": "the driver of the board"}[asked]
    raise BackendUnavailable(f"backend {asked!r}: {what} is not part of this version of ebmhw; use get_backend('cpu'), whose samples are the same")
