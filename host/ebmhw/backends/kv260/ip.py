"""What a plain ``pynq.Overlay("ebmhw.bit")`` shows of the units: their registers by name.

PYNQ imports this through the entry point group ``pynq.lib``, and binds each class to the cells whose IP it names. Nothing of ours imports it before
pynq is wanted.
"""

from __future__ import annotations

from typing import Any, final

from pynq import DefaultIP  # type: ignore[import-not-found,import-untyped,unused-ignore]

from ebmhw.backends.bus import Beats, Bus
from ebmhw.backends.driver import IsingDriver
from ebmhw.backends.identity import CoreShape, PhiShape
from ebmhw.backends.phi_driver import PhiDriver
from ebmhw.backends.units import ISING, PHI
from ebmhw.board.block_design import block
from ebmhw.errors import NotSupported


@final
class _RegisterBus(Bus):
    """The registers of a unit, without its streams."""

    def __init__(self, registers: Any) -> None:
        self._registers = registers

    def read(self, offset: int) -> int:
        return int(self._registers.read(offset))

    def write(self, offset: int, word: int) -> None:
        self._registers.write(offset, word)

    def exchange(self, jobs: Beats, room: int, seconds: float) -> Beats:
        raise NotSupported("an IP of an overlay shows registers only; get_backend('kv260') runs jobs")

    def abandon(self) -> None:
        """There are no streams to drop anything on."""

    def close(self) -> None:
        """The registers are PYNQ's."""


class _UnitIP(DefaultIP):  # type: ignore[misc,unused-ignore]
    """A unit's registers by name; ``register_map`` of PYNQ has them too, where the .hwh tells of them.

    Raises
    ------
    BackendUnavailable
        On first use, where what answers is not the unit, or of another contract.
    """

    _driver_class: Any
    _driver: Any = None

    def counters(self) -> dict[str, int]:
        """Return what the unit has counted since its counters were cleared."""
        counters: dict[str, int] = self._connected().counters()
        return counters

    def clear_counters(self) -> None:
        """Set all counters to 0."""
        self._connected().clear_counters()

    def status(self) -> dict[str, Any]:
        """Return what the unit is doing, and its last error since it was reset."""
        status: dict[str, Any] = self._connected().status()
        return status

    def reset(self) -> None:
        """Drop whatever the unit holds or does, errors included; counters stay. No DMA engine may be at work on its streams."""
        self._connected().reset()

    def _connected(self) -> Any:
        if self._driver is None:
            self._driver = self._driver_class(_RegisterBus(self.mmio), "kv260")
        return self._driver


@final
class IsingCoreIP(_UnitIP):
    """The registers of the Ising core."""

    bindto = (block(ISING.unit.name).vlnv,)
    _driver_class = IsingDriver

    @property
    def identity(self) -> CoreShape:
        """What the core says of itself."""
        shape: CoreShape = self._connected().shape
        return shape


@final
class PhiUnitIP(_UnitIP):
    """The registers of the phi unit."""

    bindto = (block(PHI.unit.name).vlnv,)
    _driver_class = PhiDriver

    @property
    def identity(self) -> PhiShape:
        """What the unit says of itself."""
        shape: PhiShape = self._connected().shape
        return shape
