"""Connection: all that a backend holds of a board, from the hold on it to its memory, and the order to give it back in."""

from __future__ import annotations

import logging
import os
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType
from typing import Any, final

from ebmhw.backends.driver import IsingDriver
from ebmhw.backends.kv260.bus import PynqBus
from ebmhw.backends.kv260.clock import set_clock
from ebmhw.backends.kv260.engine import Engine
from ebmhw.backends.kv260.files import checked_entry, find_bitstream
from ebmhw.backends.kv260.hold import Hold
from ebmhw.backends.kv260.interrupts import Interrupts, Line
from ebmhw.backends.kv260.keeper import Keeper
from ebmhw.backends.kv260.overlay import Parts, import_pynq, is_board, must_download, open_overlay, this_board
from ebmhw.backends.phi_driver import PhiDriver
from ebmhw.backends.units import ISING, PHI, UnitKind
from ebmhw.board.block_design import BLOCKS, CLOCK_MHZ, GIC_SPI, block
from ebmhw.board.machine import Machine
from ebmhw.board.manifest import BitstreamEntry
from ebmhw.errors import BackendUnavailable, HardwareFault

_LOG = logging.getLogger("ebmhw.kv260")

_SPI_BASE = 32
"""Of shared interrupts among those of the GIC, which PYNQ counts by."""


@final
class Connection:
    """A board, or a simulated device, with a driver for each unit.

    Attributes
    ----------
    path : of the .bit
    downloaded : whether it was loaded now
    clock_mhz : of the programmable logic, as far as is known
    core, phi_unit : drivers
    """

    def __init__(
        self, pynq: ModuleType, path: Path, entry: BitstreamEntry | None, device: Any, download: bool, here: Machine | None, keeper: Keeper
    ) -> None:
        self.path, self.downloaded, self._entry, self._keeper = path, download, entry, keeper
        with ExitStack() as taken:
            overlay = open_overlay(pynq, path, device, download)
            parts = Parts(pynq, overlay, path)
            due = float(entry.clock_mhz) if entry is not None else parts.clock_mhz()
            running = set_clock(due) if here is not None and due is not None else None
            self.clock_mhz = running or due or float(CLOCK_MHZ)
            # A simulated device says how fast it is itself.
            self._rate = float(getattr(parts.device, "cycles_per_second", 1e6 * self.clock_mhz))
            interrupts = _interrupts(parts, here)
            if interrupts is not None:
                taken.callback(interrupts.close)
            self._buses = {one.cell: self._bus(parts, one.cell, interrupts, taken) for one in BLOCKS}
            self.core = IsingDriver(self._buses[ISING.unit.name], "kv260")
            self.phi_unit = PhiDriver(self._buses[PHI.unit.name], "kv260")
            core, phi_unit = self.core.shape.build, self.phi_unit.shape.build
            due_build = core if entry is None else entry.build
            if (core, phi_unit) != (due_build, due_build):
                raise BackendUnavailable(
                    f"backend 'kv260': the core is of build {core:#010x}, the phi unit of {phi_unit:#010x}, {path} of {due_build:#010x}; load it "
                    "with get_backend('kv260', download=True)"
                )
            # What another process left under way must not write to memory that is not its own any more.
            self.core.reset()
            self.phi_unit.reset()
            # Memory is found now or never: PYNQ may have none before it has loaded something itself.
            for bus in self._buses.values():
                bus.reserve()
            keeper.taken.push(taken.pop_all())

    @classmethod
    def made(cls, bitstream: str | os.PathLike[str] | None, device: Any, download: bool | None) -> Connection:
        """Return a connection; arguments and errors are those of `Kv260Backend`."""
        # First of all: elsewhere the rest is missing as well, and none of it is the cause.
        here = this_board() if is_board(device) else None
        pynq = import_pynq()
        path = find_bitstream(bitstream)
        entry = checked_entry(path)
        keeper = Keeper()
        try:
            if here is None:
                return cls(pynq, path, entry, device, bool(download), None, keeper)
            # The hold is given back last.
            keeper.taken.callback(Hold().release)
            load = must_download(download, path, entry)
            try:
                return cls(pynq, path, entry, device, load, here, keeper)
            except (BackendUnavailable, HardwareFault) as error:
                if load or download is not None:
                    raise
                _LOG.info("loading %s after all: %s", path, error)
                return cls(pynq, path, entry, device, True, here, keeper)
        except BaseException:
            keeper.give_back()
            raise

    def status(self) -> dict[str, Any]:
        """Return what `Kv260Backend.status` does."""
        drivers = {ISING.unit.name: self.core, PHI.unit.name: self.phi_unit}
        return {
            "bitstream": str(self.path),
            "downloaded": self.downloaded,
            "clock_mhz": self.clock_mhz,
            "manifest": None if self._entry is None else {"name": self._entry.name, "tool": self._entry.tool, "build": f"{self._entry.build:#010x}"},
            "units": {name: driver.status() | self._buses[name].interrupts() for name, driver in drivers.items()},
        }

    def close(self) -> None:
        """Give everything back once what runs is done: transfers first, then memory, interrupts, and the hold.

        Ctrl-C while a run of another thread is waited for leaves the board in use; closing again goes on.
        """
        for driver in (self.core, self.phi_unit):
            driver.close()
        self._keeper.give_back()

    def _bus(self, parts: Parts, cell: str, interrupts: Interrupts | None, taken: ExitStack) -> PynqBus:
        found = block(cell)
        number = parts.interrupt(f"{found.dma}/s2mm_introut")
        line = None if interrupts is None or number is None else Line(interrupts, number)
        registers, address_bits = parts.engine(found)
        engine = Engine(registers, found.dma, address_bits, interrupts=line is not None)
        bus = PynqBus(parts.unit(found), engine, parts.allocate, self._rate, _beat_bytes(cell), line, self._keeper)
        # Not the bus's own: that refers to the keeper.
        taken.callback(bus.streams.close)
        return bus


def _beat_bytes(cell: str) -> int:
    kinds: dict[str, UnitKind] = {kind.unit.name: kind for kind in (ISING, PHI)}
    return kinds[cell].unit.result_bits // 8


def _interrupts(parts: Parts, here: Machine | None) -> Interrupts | None:
    """Return the interrupt controller at its UIO device; None where the design, the device tree or the kernel lacks a part of the way."""
    if all(parts.interrupt(f"{one.dma}/s2mm_introut") is None for one in BLOCKS):
        return None
    try:
        if here is None:
            # A simulated device may have something that behaves as one: a socket, say.
            opened = getattr(parts.device, "open_uio", None)
            uio = None if opened is None else opened(GIC_SPI + _SPI_BASE)
        else:
            uio = os.open(here.interrupt, os.O_RDWR | os.O_CLOEXEC) if here.interrupt else None
    except OSError as error:
        _LOG.warning("the device of the interrupts cannot be opened (%s); the DMA engines are polled", error)
        return None
    return None if uio is None else Interrupts(parts.interrupt_controller(), uio)
