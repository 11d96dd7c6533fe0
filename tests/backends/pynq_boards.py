"""Boards with models of the units in place of the programmable logic, behind fakes of PYNQ's objects."""

from __future__ import annotations

import json
import types
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from cores import model
from pynq_blocks import Controller, Dma
from pynq_memory import Buffer, Memory

from ebmhw.backends.bus import Bus
from ebmhw.backends.kv260 import PynqBus
from ebmhw.backends.kv260.engine import Engine
from ebmhw.backends.kv260.interrupts import Interrupts, Line
from ebmhw.backends.units import ISING, PHI
from ebmhw.board.block_design import (
    BLOCKS,
    DMA_VLNV,
    INTERRUPT_CONTROLLER,
    INTERRUPT_CONTROLLER_ADDRESS,
    INTERRUPT_CONTROLLER_VLNV,
    INTERRUPTS,
    REGISTER_RANGE,
)
from ebmhw.contract.phi_formats import ENTRIES_LIMIT
from sim.core_model import ModelBus  # noqa: TID251  # tests are no part of the host
from sim.phi_model import PhiModel, PhiModelBus  # noqa: TID251  # tests are no part of the host

INPUTS = {block.cell: INTERRUPTS.index(f"{block.dma}/s2mm_introut") for block in BLOCKS}
"""Input of the interrupt controller for the end of each unit's answers."""


class Board:
    """Models of both units behind fakes of what surrounds them, and buses over them.

    Attributes
    ----------
    core, phi_unit : models
    dma, phi_dma, controller, memory : around them
    bus, phi_bus : over them, with interrupts where ``interrupts``
    """

    def __init__(self, build: int = 0x5EED, interrupts: bool = False, **size: int) -> None:
        self.core, self.phi_unit = ModelBus(model(**size), build), PhiModelBus(PhiModel(ENTRIES_LIMIT), build)
        self.memory = Memory()
        self.dma, self.phi_dma = (Dma(unit, self.memory, self._raised) for unit in (self.core, self.phi_unit))
        self.has_interrupts = interrupts
        lines: list[Callable[[], bool]] = [lambda: False] * len(INTERRUPTS)
        for cell, dma in ((ISING.unit.name, self.dma), (PHI.unit.name, self.phi_dma)):
            lines[INPUTS[cell]] = lambda dma=dma: dma.level
        self.controller = Controller(lines)
        self.interrupts = Interrupts(self.controller, self.controller.open()) if interrupts else None
        self.bus, self.phi_bus = (
            self._bus(unit, dma, kind.unit.name) for unit, dma, kind in ((self.core, self.dma, ISING), (self.phi_unit, self.phi_dma, PHI))
        )

    def allocate(self, shape: tuple[int, ...], dtype: Any, cacheable: int = 0) -> Buffer:
        return self.memory.allocate(shape, dtype, cacheable)

    def close(self) -> None:
        self.bus.close()
        self.phi_bus.close()
        if self.interrupts is not None:
            self.interrupts.close()

    def _raised(self) -> None:
        self.controller.look()

    def _bus(self, unit: Bus, dma: Dma, cell: str) -> PynqBus:
        line = None if self.interrupts is None else Line(self.interrupts, INPUTS[cell])
        return PynqBus(unit, Engine(dma, f"dma of {cell}", interrupts=line is not None), self.allocate, 2e8, line=line)


class Hung(BaseException):
    """The processor stands still: it read an address that the programmable logic does not serve."""


class Device:
    """A ``pynq.Device``: the programmable logic of this machine, or a simulated one.

    Attributes
    ----------
    board : in it now, None where it holds another design
    next : what a download puts there
    reads : of registers so far
    """

    def __init__(self, board: Board | None = None, mapped: bool = True, loads: Board | None = None) -> None:
        self.board, self.mapped, self.loads = board, mapped, loads or board
        self.reads = 0
        self.memory_after_download = False

    def has_capability(self, name: str) -> bool:
        return name == ("MEMORY_MAPPED" if self.mapped else "REGISTER_RW")

    def blocks(self) -> Mapping[int, Any]:
        board = self.board
        if board is None:
            return {}
        units = dict(zip(BLOCKS, ((board.core, board.dma), (board.phi_unit, board.phi_dma)), strict=True))
        found: dict[int, Any] = {INTERRUPT_CONTROLLER_ADDRESS: board.controller}
        for block, (unit, dma) in units.items():
            found |= {block.address: unit, block.dma_address: dma}
        return found


class SimulatedDevice(Device):
    """A device with an interrupt of its own."""

    cycles_per_second = 1e6

    def __init__(self, board: Board) -> None:
        super().__init__(board, mapped=False)

    def open_uio(self, irq: int) -> int | None:
        assert irq == 121 and self.board is not None
        return self.board.controller.open()


def ip_dict() -> dict[str, dict[str, Any]]:
    """Return what PYNQ makes of the .hwh of our block design."""
    parameters = {"c_include_sg": "0", "c_sg_length_width": "26", "c_addr_width": "40"}
    found: dict[str, dict[str, Any]] = {
        "ps": {"type": "xilinx.com:ip:zynq_ultra_ps_e:3.5", "parameters": {"PSU__CRL_APB__PL0_REF_CTRL__FREQMHZ": "200"}}
    }
    cells: list[tuple[str, str, int]] = [(INTERRUPT_CONTROLLER, INTERRUPT_CONTROLLER_VLNV, INTERRUPT_CONTROLLER_ADDRESS)]
    for block in BLOCKS:
        cells += [(block.cell, block.vlnv, block.address), (block.dma, DMA_VLNV, block.dma_address)]
    for cell, vlnv, address in cells:
        found[cell] = {"type": vlnv, "phys_addr": address, "addr_range": REGISTER_RANGE, "parameters": parameters if vlnv == DMA_VLNV else {}}
    return found


class Pynq:
    """The module ``pynq`` with some of its parts, and what was asked of it.

    Attributes
    ----------
    device : PYNQ's own; None on a machine without
    loaded : (path, download) of each overlay so far
    fclk0_mhz : of the PL clock; what it is set to is kept where ``settable``
    record : where PYNQ writes down what it loaded last
    """

    def __init__(self, records: Path) -> None:
        self.device: Device | None = None
        self.loaded: list[tuple[str, bool]] = []
        self.ip_dict = ip_dict()
        self.pins: dict[str, Any] = {pin: {"controller": INTERRUPT_CONTROLLER, "index": at, "fullpath": pin} for at, pin in enumerate(INTERRUPTS)}
        self.fclk0_mhz, self.settable = 200.0, True
        self.record = records / "global_pl_state.json"
        self.fails: Exception | None = None

    def has_loaded(self, hashed: str | None) -> None:
        """Write down the hash of the bitstream that was loaded last, or that none was."""
        self.record.unlink(missing_ok=True)
        if hashed is not None:
            self.record.write_text(json.dumps({"bitfile_name": "/home/root/other.bit", "bitfile_hash": hashed, "timestamp": ""}))

    def modules(self) -> dict[str, types.ModuleType]:
        """Return the modules, by name."""
        fake = self

        class MMIO:
            def __init__(self, base: int, length: int, device: Device) -> None:
                self.base, self.length, self.device = base, length, device

            def _block(self, offset: int) -> Any:
                assert 0 <= offset < self.length and offset % 4 == 0
                blocks = self.device.blocks()
                self.device.reads += 1
                if self.base not in blocks:
                    raise Hung(hex(self.base + offset))
                return blocks[self.base]

            def read(self, offset: int = 0) -> int:
                return int(self._block(offset).read(offset))

            def write(self, offset: int, word: int) -> None:
                assert type(word) is int
                self._block(offset).write(offset, word)

        class Overlay:
            def __init__(self, path: str, download: bool = True, device: Device | None = None) -> None:
                if fake.fails is not None:
                    raise fake.fails
                self.device = device or fake.device
                if self.device is None:
                    raise RuntimeError("No Devices Found")
                assert isinstance(path, str)
                self.ip_dict, self.interrupt_pins = fake.ip_dict, fake.pins
                fake.loaded.append((path, download))
                if download:
                    self.device.board = self.device.loads
                    self.device.memory_after_download = False

        class RegisterIP(type):
            bound: dict[str, Any] = {}  # noqa: RUF012  # a fake's

            def __init__(cls, name: str, bases: Any, attrs: Any) -> None:
                for vlnv in attrs.get("bindto", ()):
                    RegisterIP.bound[vlnv] = cls
                super().__init__(name, bases, attrs)

        class DefaultIP(metaclass=RegisterIP):
            def __init__(self, description: Mapping[str, Any]) -> None:
                self.mmio = MMIO(description["phys_addr"], description["addr_range"], description["device"])

        class Clocks(type):
            @property
            def fclk0_mhz(cls) -> float:
                return fake.fclk0_mhz

            @fclk0_mhz.setter
            def fclk0_mhz(cls, value: float) -> None:
                if fake.settable:
                    fake.fclk0_mhz = value

        def allocate(target: Device, **arguments: Any) -> Buffer:
            assert target.board is not None
            if target.memory_after_download:
                raise RuntimeError("Allocate failed: no memory topology")
            return target.board.allocate(**arguments)

        pynq, ps, server, state = (types.ModuleType(name) for name in ("pynq", "pynq.ps", "pynq.pl_server", "pynq.pl_server.global_state"))
        pynq.__dict__.update(Overlay=Overlay, MMIO=MMIO, DefaultIP=DefaultIP, allocate=allocate)
        ps.Clocks = Clocks("Clocks", (), {})  # type: ignore[attr-defined]
        state.__dict__.update(
            STATE_DIR=str(self.record.parent),
            initial_global_state_file_boot_check=lambda: None,
            bitstream_hash=lambda path: f"hash of {Path(path).name}",
        )
        return {module.__name__: module for module in (pynq, ps, server, state)}
