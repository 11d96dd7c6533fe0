"""Kv260Backend: the units of a board as a backend."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, final

from ebmhw.backends.core import CoreBackend, core_capabilities
from ebmhw.backends.driver import IsingDriver
from ebmhw.backends.kv260.connection import Connection
from ebmhw.backends.phi_driver import PhiDriver
from ebmhw.errors import InvalidRun, shown


@final
class Kv260Backend(CoreBackend):
    """Samples, and measures logits, on the KV260 that this runs on.

    One process at a time has the board. `close`, the end of a ``with`` block or of the process gives it back, with the memory, as does the collector
    once nothing refers to the backend or to a driver of it. A fork of the process leaves the board to the one that opened it.

    Parameters
    ----------
    bitstream : the .bit, its .hwh beside it; None takes what EBMHW_BITSTREAM names, else a checkout's, else the installed one
    device : a ``pynq.Device``, such as a simulated one; None takes PYNQ's own
    download : whether to load the bitstream; None does unless the live device tree says that this very build runs

    Raises
    ------
    BackendUnavailable
        There is no PYNQ, no bitstream, no board, another process has it, or another design is in it; the text says which.
    FirmwareError
        The files of the bitstream are damaged or of another version; nothing was loaded.
    PermissionDenied
        This process may not use the board.
    BoardError
        The board says of itself what cannot be, or its clock cannot be set.
    """

    def __init__(self, bitstream: str | os.PathLike[str] | None = None, device: Any = None, download: bool | None = None) -> None:
        if download not in (None, True, False):
            raise InvalidRun(f"download is {shown(download)}; give True, False or None")
        connection = Connection.made(bitstream, device, None if download is None else bool(download))
        self._connection = connection
        self.bitstream = connection.path
        shape = connection.core.shape
        super().__init__(core_capabilities(shape.lanes, shape.slots, shape.spins_max, shape.beats_max, phi=True))

    @property
    def name(self) -> str:
        return "kv260"

    def _connect(self) -> Sequence[IsingDriver]:
        return [self._connection.core]

    def _connect_phi(self) -> Sequence[PhiDriver]:
        return [self._connection.phi_unit]

    def status(self) -> dict[str, Any]:
        """Return what was loaded and how, the clock, and what each unit is doing, interrupts and how many were lost included."""
        return self._connection.status()

    def close(self) -> None:
        """Give the board back, once what runs on it is done. Whatever is asked of the backend afterwards is refused.

        Raises
        ------
        InvalidRun
            A handler of a signal calls this in the middle of a transfer of the same thread; nothing is closed.
        """
        self._connection.close()

    def __enter__(self) -> Kv260Backend:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()
