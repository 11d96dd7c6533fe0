"""Fabric: what the processor reaches of the programmable logic, by address; every access is counted."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import final

from ebmhw import rtl
from ebmhw.backends.simulated import build_library
from ebmhw.backends.simulated.toolchain import find_toolchain
from ebmhw.board.block_design import BLOCKS, INTERRUPT_CONTROLLER, INTERRUPT_CONTROLLER_ADDRESS, INTERRUPTS, REGISTER_RANGE
from ebmhw.board.peripherals import DMA
from ebmhw.board.peripherals import INTERRUPT_CONTROLLER as CONTROLLER_REGISTERS
from ebmhw.board.simulated.clocks import ClockRegisters
from ebmhw.board.simulated.counters import Counters
from ebmhw.board.simulated.dma import DmaEngine
from ebmhw.board.simulated.interrupts import InterruptController, UioLine
from ebmhw.board.simulated.memory import BASE, Memory
from ebmhw.board.simulated.misuse import Misuse
from ebmhw.board.simulated.unit import SimulatedUnit
from ebmhw.contract.registers import Register, RegisterMap
from ebmhw.contract.sources import Sidecar
from ebmhw.errors import BackendUnavailable


def simulated_fabric(config: str, *, threaded: bool = True, base: int = BASE) -> Fabric:
    """Return the logic of a configuration; parameters and errors are those of `ebmhw.board.simulated.simulated_board`."""
    try:
        found = rtl.find(config)
    except BackendUnavailable as error:
        raise BackendUnavailable(f"the simulated board: {error}") from None
    find_toolchain()
    libraries = {block.cell: build_library(found.verilog, block.unit.name) for block in BLOCKS}
    return Fabric(found.sidecar, libraries, threaded=threaded, base=base)


@final
class Fabric:
    """The units with their DMA engines, the interrupt controller, and the memory that all share.

    Parameters
    ----------
    sidecar : of the units' Verilog
    libraries : of the units, by cell
    threaded, base : as of `ebmhw.board.simulated.simulated_board`

    Attributes
    ----------
    counters, memory, line, controller, clocks : the parts of those names
    units, engines : by cell
    """

    def __init__(self, sidecar: Sidecar, libraries: Mapping[str, Path], *, threaded: bool, base: int) -> None:
        self.sidecar, self.counters = sidecar, Counters()
        self.memory, self.line = Memory(base, self.counters), UioLine(self.counters)
        self.controller, self.clocks = InterruptController(INTERRUPTS, self._level, self.line), ClockRegisters()
        self.units = {block.cell: SimulatedUnit(block.unit, libraries[block.cell]) for block in BLOCKS}
        self.engines = {
            block.dma: DmaEngine(block.dma, self.units[block.cell], self.memory, self.counters, self.controller.look, threaded=threaded)
            for block in BLOCKS
        }
        self._served: dict[int, tuple[str, RegisterMap]] = {INTERRUPT_CONTROLLER_ADDRESS: (INTERRUPT_CONTROLLER, CONTROLLER_REGISTERS)}
        for block in BLOCKS:
            self._served |= {block.address: (block.cell, block.unit.registers), block.dma_address: (block.dma, DMA)}
        self._names = {base: {one.offset: one for one in registers.registers} for base, (_, registers) in self._served.items()}

    def read(self, address: int) -> int:
        """Return a register; Misuse where there is none."""
        if self.clocks.serves(address):
            return self.clocks.read(address)
        cell, register = self._find(address, "read")
        self.counters.reads[cell, register.name] += 1
        if cell in self.units:
            return self.units[cell].read(register)
        return self.engines.get(cell, self.controller).read(register.name)

    def write(self, address: int, word: int) -> None:
        """Write a register; Misuse where there is none."""
        if self.clocks.serves(address):
            self.clocks.write(address, word)
            return
        cell, register = self._find(address, "written")
        self.counters.writes[cell, register.name] += 1
        if cell in self.units:
            self.units[cell].write(register, word)
            self.controller.look()
        else:
            self.engines.get(cell, self.controller).write(register.name, word)

    def _find(self, address: int, what: str) -> tuple[str, Register]:
        base = address // REGISTER_RANGE * REGISTER_RANGE
        if base not in self._served:
            raise Misuse(f"address {address:#x} is {what}, where there is nothing; on a board this hangs the processor")
        cell, _ = self._served[base]
        register = self._names[base].get(address - base)
        if register is None:
            raise Misuse(f"offset {address - base:#x} of {cell} is {what}, where it has no register; on a board this ends the process")
        return cell, register

    def _level(self, pin: str) -> bool:
        cell, _, name = pin.partition("/")
        if cell in self.units:
            return self.units[cell].interrupts
        return self.engines[cell].channels[name.partition("_")[0]].interrupts

    def load(self) -> None:
        """Be as after a bitstream was loaded: nothing is known of what was before."""
        for engine in self.engines.values():
            engine.close()
        for unit in self.units.values():
            unit.load()
        self.controller.load()
        self.counters.loads += 1

    def close(self) -> None:
        """End all threads, give the units up."""
        for engine in self.engines.values():
            engine.close()
        self.line.close()
        for unit in self.units.values():
            unit.close()
