"""The board: the design in the programmable logic of a KV260, reached through PYNQ."""

from __future__ import annotations

import importlib
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, final

import numpy as np

from ebmhw.backends.bus import Beats, Bus
from ebmhw.backends.core import CoreBackend, core_capabilities
from ebmhw.backends.driver import IsingDriver
from ebmhw.backends.phi_driver import PhiDriver
from ebmhw.backends.units import ISING, PHI
from ebmhw.contract.design import MODULE, Unit
from ebmhw.errors import BackendUnavailable, CoreStalled, HardwareFault, InvalidRun, shown

DESIGN = MODULE
"""Name of the design in the block design: registers of all units behind one port."""


def dma_name(unit: Unit) -> str:
    """Return the name of a unit's DMA engine in the block design: one engine a unit, as wide as its streams."""
    return f"axi_dma_{unit.prefix}"


ENVIRONMENT = "EBMHW_BITSTREAM"
"""Environment variable with the path of the bitstream to load where none is named."""

_DMA_CONTROL, _DMA_RESET = 0x00, 1 << 2
"""Control register of the AXI DMA (PG021), and the bit in it that resets both channels."""

_RESET_SECONDS = 1.0

_WORD_BYTES = 8
"""Bytes of what a bus counts."""

_POLL_SECONDS = 50e-6
"""Between two looks at a transfer; a register access from Python takes 10 to 30 us."""


@final
class PynqBus(Bus):
    """A unit and an AXI DMA engine (simple mode, both channels) in an overlay.

    Parameters
    ----------
    registers : what reads and writes the registers of the design, such as a ``pynq.MMIO`` or ``pynq.DefaultIP``
    offset : of those of the unit
    dma : a ``pynq.lib.DMA``
    allocate : ``pynq.allocate``
    """

    stall_cycles = 1 << 27
    cycles_per_second = 1e7

    def __init__(self, registers: Any, offset: int, dma: Any, allocate: Callable[..., Any]) -> None:
        self._registers, self._offset, self._dma, self._allocate = registers, offset, dma, allocate
        self._buffers: dict[str, Any] = {}

    def read(self, offset: int) -> int:
        return int(self._registers.read(self._offset + offset))

    def write(self, offset: int, word: int) -> None:
        self._registers.write(self._offset + offset, word)

    def exchange(self, jobs: Beats, room: int, seconds: float) -> Beats:
        deadline = time.monotonic() + seconds
        out, back = self._buffer("jobs", jobs.size), self._buffer("answer", room)
        out[: jobs.size] = jobs
        send, receive = self._dma.sendchannel, self._dma.recvchannel
        # The way back first: an answer must never wait for room.
        receive.transfer(back, 0, room * _WORD_BYTES)
        send.transfer(out, 0, jobs.size * _WORD_BYTES)
        for channel, what in ((receive, "answer"), (send, "jobs")):
            while not channel.idle:
                if channel.error:
                    raise HardwareFault(
                        f"the DMA engine failed to transfer the {what}: {jobs.size * _WORD_BYTES} bytes out, room for {room * _WORD_BYTES} back"
                    )
                if time.monotonic() > deadline:
                    raise CoreStalled(f"the unit did not answer {jobs.size * _WORD_BYTES} bytes within {seconds:.1f} s")
                time.sleep(_POLL_SECONDS)
            # It is over: this makes the caches see what was transferred, and raises what went wrong.
            try:
                channel.wait()
            except RuntimeError as error:
                raise HardwareFault(f"the DMA engine failed to transfer the {what}: {error}") from None
        answer: Beats = np.array(back[: receive.transferred // _WORD_BYTES], dtype=np.uint64)
        return answer

    def abandon(self) -> None:
        # Stopping a channel waits for a transfer that may never end; a reset does not.
        self._dma.write(_DMA_CONTROL, _DMA_RESET)
        deadline = time.monotonic() + _RESET_SECONDS
        while self._dma.read(_DMA_CONTROL) & _DMA_RESET:
            if time.monotonic() > deadline:
                raise HardwareFault(f"the DMA engine did not reset within {_RESET_SECONDS} s; load the overlay again")
        self._dma.sendchannel.start()
        self._dma.recvchannel.start()

    def close(self) -> None:
        for buffer in self._buffers.values():
            buffer.freebuffer()
        self._buffers = {}

    def _buffer(self, name: str, beats: int) -> Any:
        """Return the buffer of that name, at least so long; buffers are kept, since each takes contiguous memory and time."""
        held = self._buffers.get(name)
        if held is None or held.size < beats:
            if held is not None:
                held.freebuffer()
            self._buffers[name] = self._allocate(shape=(1 << max(12, (beats - 1).bit_length()),), dtype=np.uint64)
        return self._buffers[name]


@final
class Kv260Backend(CoreBackend):
    """Samples, and measures logits, on the KV260 that this runs on.

    Parameters
    ----------
    bitstream : the .bit, its .hwh beside it; None takes what EBMHW_BITSTREAM names, else ``bitstreams/kv260/ebmhw.bit`` of a checkout

    Raises
    ------
    BackendUnavailable
        There is no PYNQ, no bitstream, no board, or another design in it; the text says which.
    """

    def __init__(self, bitstream: str | os.PathLike[str] | None = None) -> None:
        if bitstream is not None and not isinstance(bitstream, (str, os.PathLike)):
            raise InvalidRun(f"bitstream is {shown(bitstream)}; give the path of a .bit file")
        try:
            pynq = importlib.import_module("pynq")
        except ImportError as error:
            raise BackendUnavailable(
                f"backend 'kv260': pynq does not import ({error}); run this on a KV260 with Kria-PYNQ, in PYNQ's own environment, or use "
                "get_backend('cpu'), whose samples are the same"
            ) from None
        path = _bitstream(bitstream)
        try:
            overlay = pynq.Overlay(str(path))
            registers = getattr(overlay, DESIGN)
            ising, phi = (PynqBus(registers, kind.unit.offset, getattr(overlay, dma_name(kind.unit)), pynq.allocate) for kind in (ISING, PHI))
        except AttributeError as error:
            wanted = f"{DESIGN} with {' and '.join(dma_name(kind.unit) for kind in (ISING, PHI))}"
            raise BackendUnavailable(f"backend 'kv260': {path} has no {wanted} ({error}); load a bitstream of this project") from None
        except (RuntimeError, OSError) as error:
            raise BackendUnavailable(f"backend 'kv260': {path} could not be loaded ({error}); run this on a KV260, as a user who may") from None
        self.bitstream = path
        self._core_driver, self._phi_driver = IsingDriver(ising, "kv260"), PhiDriver(phi, "kv260")
        shape = self._core_driver.shape
        super().__init__(core_capabilities(shape.lanes, shape.slots, shape.spins_max, shape.beats_max, phi=True))

    @property
    def name(self) -> str:
        return "kv260"

    def _connect(self) -> Sequence[IsingDriver]:
        return [self._core_driver]

    def _connect_phi(self) -> Sequence[PhiDriver]:
        return [self._phi_driver]


def _bitstream(given: str | os.PathLike[str] | None) -> Path:
    """Return the bitstream to load; BackendUnavailable lists what was looked for."""
    named = given if given is not None else os.environ.get(ENVIRONMENT) or None
    tried = [Path(named)] if named is not None else [Path(__file__).resolve().parents[3] / "bitstreams" / "kv260" / "ebmhw.bit"]
    for path in tried:
        if path.is_file() and path.with_suffix(".hwh").is_file():
            return path
    looked = ", ".join(str(path) for path in tried)
    raise BackendUnavailable(
        f"backend 'kv260': there is no bitstream with its .hwh beside it at {looked}; name one in {ENVIRONMENT}, or give "
        "get_backend('kv260', bitstream=PATH)"
    )
