"""BoardDevice: the simulated board as a ``pynq.Device``. Importing this imports pynq.

PYNQ lets a device supply registers, memory and metadata. Where it offers no way, these of its names are set while a board is open, and set back
after: ``pynq.interrupt.get_uio_irq`` (PYNQ looks for the interrupt in /proc/interrupts), the controllers and UIO devices that
``pynq.interrupt._InterruptController`` keeps from other boards, ``pynq.Device.active_device``, which ``pynq.Interrupt`` takes for granted, and
for ``pynq.Clocks`` (which before PYNQ 4 asks no device) ``pynq.ps.CPU_ARCH`` and the registers that it keeps.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Final, cast

import numpy as np

with warnings.catch_warnings():
    # That this processor is no board's.
    warnings.simplefilter("ignore")
    import pynq
    import pynq.interrupt
    import pynq.ps
    from pynq.buffer import PynqBuffer

from ebmhw.backends.simulated import SimulatedBus
from ebmhw.board.block_design import GIC_SPI
from ebmhw.board.simulated.counters import Counters
from ebmhw.board.simulated.fabric import Fabric
from ebmhw.board.simulated.memory import Region
from ebmhw.board.simulated.misuse import Misuse

try:
    from pynqmetadata.views.runtime.runtime_metadata_parser import RuntimeMetadataParser
except ImportError:  # before pynq 4
    from pynq.metadata.runtime_metadata_parser import RuntimeMetadataParser
from pynqmetadata.frontends import Metadata

UIO_INTERRUPT: Final = 32 + GIC_SPI
"""Number of the controller's line at the GIC, by which PYNQ asks for its UIO device: shared interrupts begin at 32."""

_numbers = itertools.count()


class BoardDevice:
    """A device of PYNQ over a fabric; `make_device` gives it PYNQ's base class, too.

    Attributes
    ----------
    fabric : what it presents; faults are set there
    cycles_per_second : of the slowest unit, which a driver takes for its clock
    """

    cycles_per_second = SimulatedBus.cycles_per_second

    arch = "aarch64"
    """The processor of the board, by which PYNQ knows how its clocks are set."""

    fabric: Fabric
    capabilities: dict[str, bool]
    timestamp: str
    _patched: list[Callable[[], None]]

    @property
    def name(self) -> str:
        """What PYNQ calls the device."""
        return f"simulated {self.fabric.sidecar.config}"

    @property
    def counters(self) -> Counters:
        """What crossed between processor, memory and logic."""
        return self.fabric.counters

    def read_registers(self, address: int, length: int) -> bytes:
        """Return so many bytes of registers."""
        _check_words(address, length, "read")
        return b"".join(self.fabric.read(address + offset).to_bytes(4, "little") for offset in range(0, length, 4))

    def write_registers(self, address: int, data: bytes) -> None:
        """Write registers."""
        words = bytes(data)
        _check_words(address, len(words), "written")
        for offset in range(0, len(words), 4):
            self.fabric.write(address + offset, int.from_bytes(words[offset : offset + 4], "little"))

    def allocate(self, shape: int | tuple[int, ...], dtype: Any, cacheable: int = 1, **_: Any) -> Any:
        """Return a buffer, as ``pynq.allocate``."""
        size = int(np.prod(shape, dtype=np.int64)) * np.dtype(dtype).itemsize
        region = self.fabric.memory.allocate(size, cached=bool(cacheable))
        given = _Buffer(shape, dtype, device=self, device_address=region.address, bo=region, coherent=not cacheable, buffer=region.host)
        given.region = region
        return given

    def flush(self, bo: Region, offset: int, ptr: int, size: int) -> None:
        """Let the logic see what the processor wrote to a buffer."""
        self.fabric.memory.flush(bo, offset, size)

    def invalidate(self, bo: Region, offset: int, ptr: int, size: int) -> None:
        """Let the processor see what the logic wrote to a buffer."""
        self.fabric.memory.invalidate(bo, offset, size)

    def get_bitfile_metadata(self, bitfile_name: str, partial: bool = False) -> Any:
        """Return what PYNQ's parser makes of the .hwh beside a bitstream."""
        return RuntimeMetadataParser(Metadata(str(Path(bitfile_name).with_suffix(".hwh"))))

    def download(self, bitstream: Any, parser: Any = None) -> None:
        """Load a bitstream: what it holds is this board's configuration, whatever its bits are."""
        self.fabric.load()
        # Of pynq.Device: tells the overlay's dictionaries and the time to whoever asks PYNQ what is loaded.
        cast(Any, self).post_download(bitstream, parser)

    def open_uio(self, interrupt: int = UIO_INTERRUPT) -> int | None:
        """Return a descriptor of an interrupt's line, the caller's to close, as opening /dev/uioN does; None where nothing raises that interrupt."""
        return self.fabric.line.open() if interrupt == UIO_INTERRUPT else None

    def activate(self) -> None:
        """Make this PYNQ's active device, the one whose interrupts there are."""
        kept = pynq.interrupt._InterruptController
        kept._controllers.clear()
        kept._uio_devices.pop(UIO_INTERRUPT, None)
        pynq.Device.active_device = self
        found = pynq.interrupt.get_uio_irq

        def get_uio_irq(irq: int) -> Any:
            """Return the line's descriptor for what PYNQ opens, None for another interrupt."""
            return self.open_uio(irq)

        def restore() -> None:
            kept._controllers.clear()
            kept._uio_devices.pop(UIO_INTERRUPT, None)
            if pynq.interrupt.get_uio_irq is get_uio_irq:
                pynq.interrupt.get_uio_irq = found
                pynq.ps.CPU_ARCH = processor
            _forget_clocks()
            if getattr(pynq.Device, "_active_device", None) is self:
                del pynq.Device._active_device

        pynq.interrupt.get_uio_irq = get_uio_irq
        processor, pynq.ps.CPU_ARCH = pynq.ps.CPU_ARCH, self.arch
        _forget_clocks()
        self._patched.append(restore)

    def close(self) -> None:
        """End the board: its threads, its units, its place in PYNQ."""
        while self._patched:
            self._patched.pop()()
        self.fabric.close()

    def __enter__(self) -> BoardDevice:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


class _FreedOnce:
    """What PYNQ's buffer does at its end on a board, it does with system calls of the board."""

    region: Region | None = None
    device: Any

    def freebuffer(self) -> None:
        """Give the memory back; views of the buffer have none of their own."""
        region, self.region = self.region, None
        if region is not None:
            self.device.fabric.memory.free(region)


# pynq has no types, so that its classes cannot be bases where types are checked.
_Buffer: Any = type("SimulatedBuffer", (_FreedOnce, PynqBuffer), {})
_Device: Any = type(pynq.Device)("SimulatedBoard", (BoardDevice, pynq.Device), {})


def make_device(fabric: Fabric) -> BoardDevice:
    """Return a fabric as PYNQ's active device."""
    number = next(_numbers)
    made = _Device(tag=f"simulated{number}")
    made.fabric = fabric
    made.capabilities = {"REGISTER_RW": True}
    # PYNQ tells by it whether interrupts that it knows are another overlay's.
    made.timestamp = f"simulated {number}"
    made._patched = []
    made.activate()
    return cast(BoardDevice, made)


def _check_words(address: int, length: int, what: str) -> None:
    if address % 4 or length % 4:
        raise Misuse(f"{length} bytes at {address:#x} are {what}; registers are words of 4 bytes")


def _forget_clocks() -> None:
    """Let PYNQ look for the clocks' registers anew: it keeps those of the first device that it was asked for."""
    clocks = pynq.ps.Clocks
    if "_real_instance" in vars(clocks):
        del clocks._real_instance
    if "device" in vars(clocks):
        clocks.device = None
