"""The overlay: what is loaded before, whether it is loaded again, and the parts of it that the driver needs."""

from __future__ import annotations

import importlib
import json
import logging
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any, Final, final

from ebmhw.board.block_design import (
    DMA_LENGTH_BITS,
    DMA_VLNV,
    INTERRUPT_CONTROLLER,
    INTERRUPT_CONTROLLER_ADDRESS,
    INTERRUPT_CONTROLLER_VLNV,
    REGISTER_RANGE,
    Block,
)
from ebmhw.board.loaded import LoadedDesign, loaded_design
from ebmhw.board.machine import Machine, machine
from ebmhw.board.manifest import BitstreamEntry
from ebmhw.errors import BackendUnavailable, BoardError, InvalidRun, PermissionDenied, shown

_LOG = logging.getLogger("ebmhw.kv260")

ROOT = Path("/")
"""Of the file system that the live device tree and the like are looked for in."""

_RELOAD: Final = "load it with `ebmhw board load`, or let PYNQ do so: get_backend('kv260', download=True)"


_RECORDS: Final = ("global_pl_state.json", "global_pl_state_.json")
"""Where PYNQ 3 and PYNQ 4 write down which bitstream they loaded last."""


_SMALLEST_RANGE: Final = 4096
"""Bytes of addresses that Vivado gives a block at the least."""


def import_pynq() -> ModuleType:
    """Return pynq; BackendUnavailable where it does not import."""
    try:
        return importlib.import_module("pynq")
    except Exception as error:  # its parts fail in ways of their own off a board
        raise BackendUnavailable(
            f"backend 'kv260': pynq does not import ({type(error).__name__}: {error}); run this on a KV260 with Kria-PYNQ, in PYNQ's own "
            "environment, or use get_backend('cpu'), whose samples are the same"
        ) from None


def is_board(device: Any) -> bool:
    """Return whether a device is the programmable logic of this machine, which PYNQ maps into memory; a simulated one is not."""
    if device is not None and not hasattr(device, "has_capability"):
        raise InvalidRun(f"device is {shown(device)}; give a pynq.Device, or None for the board's")
    return device is None or bool(device.has_capability("MEMORY_MAPPED"))


def this_board() -> Machine:
    """Return what this machine is.

    Raises
    ------
    BackendUnavailable
        It is no KV260.
    PermissionDenied
        This process may not map the programmable logic.
    """
    here = machine(ROOT)
    if not here.is_kv260:
        raise BackendUnavailable(f"backend 'kv260': this is no KV260 but {here.described}; run this on a KV260, or use get_backend('cpu')")
    if not here.root:
        raise PermissionDenied(
            "backend 'kv260': PYNQ maps the programmable logic through /dev/mem, which takes root; run this as root in PYNQ's environment "
            "(sudo -i, then source /etc/profile.d/pynq_venv.sh), or in the board's Jupyter, which is"
        )
    return here


def must_download(download: bool | None, path: Path, entry: BitstreamEntry | None) -> bool:
    """Return whether the board's logic has to be loaded before a register may be read.

    Reading an address that it does not serve stops the processor, so that only the live device tree is believed, and not where PYNQ has loaded
    another bitstream since the board started. What PYNQ alone says is not enough: other loaders do not tell it.

    Parameters
    ----------
    download : True and False force; None loads where it is not known that this very build runs
    path, entry : what would be loaded

    Raises
    ------
    BackendUnavailable, BoardError
        It must not be loaded, and what runs is not known, is another design, or of another version.
    """
    if download:
        return True
    try:
        why = _unlike(loaded_design(ROOT), entry) or _pynq_vetoes(path)
    except BoardError as error:
        if download is not None:
            raise
        why = str(error)
    if why is None:
        return False
    if download is None:
        _LOG.info("loading %s: %s", path, why)
        return True
    raise BackendUnavailable(f"backend 'kv260': with download=False no register is touched, as {why}; {_RELOAD}")


def open_overlay(pynq: ModuleType, path: Path, device: Any, download: bool) -> Any:
    """Return the ``pynq.Overlay``; BackendUnavailable or PermissionDenied where it cannot be loaded."""
    # Registers the classes of the units' IP, with and without an installed entry point.
    importlib.import_module("ebmhw.backends.kv260.ip")
    try:
        return pynq.Overlay(str(path), download=download, device=device)
    except PermissionError as error:
        raise PermissionDenied(f"backend 'kv260': {path} could not be loaded ({error}); run this as root") from None
    except Exception as error:  # parsers of .hwh files fail in ways of their own
        raise BackendUnavailable(
            f"backend 'kv260': {path} could not be loaded ({type(error).__name__}: {error}); run this on a KV260 as root, with the .bit and the "
            ".hwh of one build"
        ) from error


@final
class Parts:
    """Parts of an overlay, by the names of the block design; BackendUnavailable where the .hwh has not what it has to."""

    def __init__(self, pynq: ModuleType, overlay: Any, path: Path) -> None:
        self._pynq, self._overlay, self._path = pynq, overlay, path
        self.device = overlay.device

    def unit(self, block: Block) -> Any:
        """Return the registers of a unit, a ``pynq.MMIO``."""
        return self._registers(block.cell, block.vlnv, block.address)

    def engine(self, block: Block) -> tuple[Any, int]:
        """Return the registers of a unit's DMA engine, and the width of its addresses."""
        registers = self._registers(block.dma, DMA_VLNV, block.dma_address)
        given = {str(name).lower(): value for name, value in self._overlay.ip_dict[block.dma].get("parameters", {}).items()}
        built = {"c_include_sg": 0, "c_sg_length_width": DMA_LENGTH_BITS}
        for name, due in built.items():
            if self._number(given.get(name, due), f"{name} of {block.dma}") != due:
                raise self._another(f"{block.dma} has {name} {given[name]}, not {due}")
        width = self._number(given.get("c_addr_width", 32), f"c_addr_width of {block.dma}")
        if not 32 <= width <= 64:
            raise self._another(f"{block.dma} has addresses of {width:g} bits, not 32 to 64")
        return registers, int(width)

    def interrupt_controller(self) -> Any:
        """Return the registers of the interrupt controller."""
        return self._registers(INTERRUPT_CONTROLLER, INTERRUPT_CONTROLLER_VLNV, INTERRUPT_CONTROLLER_ADDRESS)

    def interrupt(self, pin: str) -> int | None:
        """Return the input of the interrupt controller that a pin is at; None where it is at none."""
        found = self._overlay.interrupt_pins.get(pin)
        return int(found["index"]) if found is not None and found.get("controller") == INTERRUPT_CONTROLLER else None

    def clock_mhz(self) -> float | None:
        """Return what the .hwh says of pl_clk0, None where it says nothing."""
        for details in self._overlay.ip_dict.values():
            value = details.get("parameters", {}).get("PSU__CRL_APB__PL0_REF_CTRL__FREQMHZ")
            if value is not None:
                return self._number(value, "the frequency of pl_clk0")
        return None

    def allocate(self, **arguments: Any) -> Any:
        """Return a buffer in the memory of the device."""
        return self._pynq.allocate(target=self.device, **arguments)

    def _registers(self, cell: str, vlnv: str, address: int) -> Any:
        details = self._overlay.ip_dict.get(cell)
        if details is None:
            raise self._another(f"there is no {cell}")
        if details.get("type") != vlnv:
            raise self._another(f"{cell} is {details.get('type')}, not {vlnv}")
        base, size = int(details["phys_addr"]), int(details["addr_range"])
        if base != address:
            raise self._another(f"{cell} is at {base:#x}, not at {address:#x}")
        if size < _SMALLEST_RANGE:
            raise self._another(f"{cell} has {size} bytes of addresses, not {_SMALLEST_RANGE} or more")
        return self._pynq.MMIO(base, min(size, REGISTER_RANGE), device=self.device)

    def _number(self, value: Any, what: str) -> float:
        try:
            return float(value)
        except (TypeError, ValueError):
            raise self._another(f"{what} is {value!r}, no number") from None

    def _another(self, what: str) -> BackendUnavailable:
        return BackendUnavailable(
            f"backend 'kv260': {self._path.with_suffix('.hwh')} is of another design: {what}; load a bitstream of this version of ebmhw"
        )


def _unlike(found: LoadedDesign | None, entry: BitstreamEntry | None) -> str | None:
    """Return why what the live device tree says is not what is wanted, None where it is."""
    if found is None:
        return "the live device tree has no node of this design"
    if not found.operating:
        return f"the FPGA manager says {found.manager!r}, not 'operating'"
    if found.differences():
        return "; ".join(found.differences())
    if entry is None:
        return None
    return None if found.build == entry.build else f"build {found.build:#010x} is loaded, the bitstream is build {entry.build:#010x}"


def _pynq_vetoes(path: Path) -> str | None:
    """Return which other bitstream PYNQ loaded since the board started, None where none."""
    try:
        state = importlib.import_module("pynq.pl_server.global_state")
        folder, hashed = Path(state.STATE_DIR), state.bitstream_hash(str(path))
    except (ImportError, AttributeError):
        # It keeps no record.
        return None
    with suppress(AttributeError, OSError):
        # Removes a record of before the start.
        state.initial_global_state_file_boot_check()
    # Read here: PYNQ 3.0.1 hashes what is at the path by now, which may be gone, or another.
    for record in (folder / name for name in _RECORDS):
        try:
            told = json.loads(record.read_text(encoding="utf-8"))
            name, found = told["bitfile_name"], told["bitfile_hash"]
        except FileNotFoundError:
            continue
        except (OSError, ValueError, KeyError, TypeError) as error:
            return f"PYNQ's record of what it loaded, {record}, cannot be read ({type(error).__name__}: {error})"
        if found != hashed:
            return f"PYNQ has loaded {name} since the board started, maybe over it"
    return None
