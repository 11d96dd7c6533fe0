"""Prospect: the board that this runs on, found without touching it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import final

from ebmhw.backends.core import CoreBackend
from ebmhw.errors import BoardError, EbmhwError


@final
@dataclass(frozen=True)
class Prospect:
    """A board whose design the live device tree shows, and that this version can drive.

    Attributes
    ----------
    name : of its backend
    build : what its registers say, by the device tree
    connect : returns its backend
    """

    name: str
    build: int
    connect: Callable[[], CoreBackend]

    def connected(self) -> CoreBackend | str:
        """Return the backend, its units identified, or why it cannot be used."""
        try:
            board = self.connect()
            builds = {driver.shape.build for driver in board.drivers}
            if "phi" in board.capabilities.units:
                builds |= {driver.shape.build for driver in board.phi_drivers}
        except EbmhwError as error:
            return f"the board does not answer as it should: {error}"
        if builds != {self.build}:
            told = ", ".join(f"{build:#010x}" for build in sorted(builds))
            return f"the units say that they are of build {told}, the device tree says {self.build:#010x}; load the firmware again (ebmhw board load)"
        return board


def look_for_board(root: Path = Path("/"), connect: Callable[[], CoreBackend] | None = None) -> Prospect | str:
    """Return the KV260 that this runs on, or why there is none to be used; only the device tree is read."""
    from ebmhw.board.loaded import loaded_design

    try:
        design = loaded_design(root)
    except BoardError as error:
        return f"what is loaded cannot be told: {error}"
    if design is None:
        return "the live device tree shows no design of ebmhw; on a KV260 `ebmhw board load` loads it"
    differences = design.differences()
    if differences:
        return f"the board's design is not of this version of ebmhw: {'; '.join(differences)}; load the firmware of this version (ebmhw board load)"
    if design.manager is not None and not design.operating:
        return f"the FPGA manager says {design.manager!r}; load the firmware again (ebmhw board load)"
    return Prospect("kv260", design.build, connect if connect is not None else _kv260)


def _kv260() -> CoreBackend:
    from ebmhw.backends.kv260 import Kv260Backend

    return Kv260Backend(download=False)
