"""get_backend: a backend by its name, or the best one here."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ebmhw.backends.base import SamplerBackend
from ebmhw.errors import InvalidRun, shown

if TYPE_CHECKING:
    from ebmhw.backends.auto.prospect import Prospect

BACKEND_NAMES = ("auto", "cpu", "golden", "simulated", "kv260")
"""Names that `get_backend` knows."""

_OPTIONS = {
    "auto": {"threads"},
    "cpu": {"threads"},
    "golden": {"arrays"},
    "simulated": {"config", "threads"},
    "kv260": {"bitstream", "device", "download"},
}

DEVICE_TREE = Path("/proc/device-tree")
"""The live device tree: where there is none, as on most machines, no board is looked for. `ebmhw.board.loaded`, which reads it, takes 24 ms to
import."""

ENVIRONMENT = "EBMHW_BACKEND"
"""Environment variable with the backend to use where none is named."""


def get_backend(name: str | None = None, **options: Any) -> SamplerBackend:
    """Return a backend: "cpu", "golden", "simulated", "kv260" or "auto".

    "auto" is the CPU; where the live device tree shows a loaded design of this version, both sides are calibrated (``ebmhw backends --calibrate``)
    and the board answers, it takes the one or the other run by run, by the time that each is expected to take. ``info`` says which, and why. It
    never loads a bitstream.

    Parameters
    ----------
    name : None takes the environment variable EBMHW_BACKEND, else "auto"
    options : "cpu" and "auto": threads; "golden": arrays ("numpy" or "jax"); "simulated": config ("kv260" or "small"), threads;
        "kv260": bitstream (path of the .bit), device (a ``pynq.Device``), download (True loads the bitstream, False takes what is loaded)

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
        if asked == "cpu":
            return backend
        found = find_board()
        if isinstance(found, str):
            backend.chosen_because = f"auto: the CPU, since {found}"
            return backend
        from ebmhw.backends.auto.backend import auto_with

        return auto_with(backend, found)
    if asked == "golden":
        from ebmhw.backends.golden import GoldenBackend

        return GoldenBackend(**options)
    if asked == "simulated":
        from ebmhw.backends.simulated import SimulatedBackend

        return SimulatedBackend(**options)
    from ebmhw.backends.kv260 import Kv260Backend

    return Kv260Backend(**options)


def find_board() -> Prospect | str:
    """Return the board that this runs on, or why there is none to be used; no register is touched, and nothing is loaded."""
    if not DEVICE_TREE.exists():
        return "this machine has no device tree, and so no board"
    from ebmhw.backends.auto.prospect import look_for_board

    return look_for_board()
