"""get_backend: a backend by its name, or the best one here."""

from __future__ import annotations

import os
from typing import Any

from ebmhw.backends.base import SamplerBackend
from ebmhw.errors import InvalidRun, shown

BACKEND_NAMES = ("auto", "cpu", "golden", "simulated", "kv260")
"""Names that `get_backend` knows."""

_OPTIONS = {
    "auto": {"threads"},
    "cpu": {"threads"},
    "golden": {"arrays"},
    "simulated": {"config", "threads"},
    "kv260": {"bitstream"},
}

ENVIRONMENT = "EBMHW_BACKEND"
"""Environment variable with the backend to use where none is named."""


def get_backend(name: str | None = None, **options: Any) -> SamplerBackend:
    """Return a backend: "cpu", "golden", "simulated", "kv260" or "auto".

    Parameters
    ----------
    name : None takes the environment variable EBMHW_BACKEND, else "auto"
    options : "cpu" and "auto": threads; "golden": arrays ("numpy" or "jax"); "simulated": config ("kv260" or "small"), threads;
        "kv260": bitstream

    Raises
    ------
    BackendUnavailable
        where the backend cannot work here; the text says what is missing. Only "auto" ever chooses another one.
    """
    asked = name if name is not None else os.environ.get(ENVIRONMENT) or "auto"
    if not isinstance(asked, str) or asked not in BACKEND_NAMES:
        source = "" if name is not None else f" (from {ENVIRONMENT})"
        raise InvalidRun(f"there is no backend {shown(asked)}{source}; give one of {', '.join(map(repr, BACKEND_NAMES))}")
    allowed = _OPTIONS[asked]
    unknown = sorted(set(options) - allowed)
    if unknown:
        raise InvalidRun(f"backend {asked!r} has no option {unknown[0]!r}; it has {', '.join(sorted(allowed)) or 'none'}")
    if asked in ("cpu", "auto"):
        from ebmhw.backends.cpu import CpuBackend

        backend = CpuBackend(**options)
        if asked == "auto":
            backend.chosen_because = "auto: the CPU; a board is used where it is named"
        return backend
    if asked == "golden":
        from ebmhw.backends.golden import GoldenBackend

        return GoldenBackend(**options)
    if asked == "simulated":
        from ebmhw.backends.simulated import SimulatedBackend

        return SimulatedBackend(**options)
    from ebmhw.backends.kv260 import Kv260Backend

    return Kv260Backend(**options)
