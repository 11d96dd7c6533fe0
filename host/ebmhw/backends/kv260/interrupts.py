"""Interrupts: the lines of the design, through the interrupt controller in the programmable logic and the kernel's generic UIO driver.

PYNQ's own class belongs to the asyncio loop of the thread that made it, which a notebook runs and a plain thread lacks; here any thread waits,
with a limit.
"""

from __future__ import annotations

import contextlib
import os
import select
import struct
import threading
from typing import Any, final

# Registers of the AXI interrupt controller (PG099).
_PENDING, _ENABLE, _ACKNOWLEDGE, _SET, _CLEAR, _MASTER = 0x04, 0x08, 0x0C, 0x10, 0x14, 0x1C
_MASTER_ON = 0b11

_CLOSE_SECONDS = 1.0


@final
class Interrupts:
    """The interrupt controller, and a thread that tells waiting threads what came.

    A line is enabled by whoever waits and disabled when it comes, so one that never goes down costs one wake-up a wait.

    Parameters
    ----------
    controller : its registers, words at byte offsets
    uio : file descriptor of the UIO device at its output, which is closed with this

    Attributes
    ----------
    broken : why no interrupt can come any more; None while they can
    stray : times that the controller called for nothing that was enabled
    """

    def __init__(self, controller: Any, uio: int) -> None:
        self._controller, self._uio = controller, uio
        # The collector may find that this is to be closed while this very thread holds it.
        self._lock = threading.RLock()
        self._waiting: dict[int, threading.Event] = {}
        self._pardons = 0
        self.broken: str | None = None
        self.stray = 0
        self._closed = False
        controller.write(_ENABLE, 0)
        controller.write(_ACKNOWLEDGE, 0xFFFF_FFFF)
        controller.write(_MASTER, _MASTER_ON)
        self._wake = os.pipe()
        self._thread = threading.Thread(target=self._serve, args=self._wake[:1], name="ebmhw-interrupts", daemon=True)
        self._thread.start()

    def arm(self, number: int, event: threading.Event) -> None:
        """Set an event when the line of that number is up, once."""
        with self._lock:
            if self.broken is None:
                self._waiting[number] = event
                self._pardons = 1
                self._controller.write(_ACKNOWLEDGE, 1 << number)
                self._controller.write(_SET, 1 << number)
                self._unmask()

    def disarm(self, number: int) -> None:
        """Disable a line, whether it came or not."""
        with self._lock:
            if self._waiting.pop(number, None) is not None:
                self._controller.write(_CLEAR, 1 << number)

    def close(self) -> None:
        """Disable all lines and end the thread."""
        if self._closed:
            return
        _, sink = self._wake
        with contextlib.suppress(BrokenPipeError):
            # Its end alone would not do: a fork of this process has it open too.
            os.write(sink, b"\0")
        if threading.current_thread() is not self._thread:
            self._thread.join(_CLOSE_SECONDS)
        with self._lock:
            self._waiting.clear()
            self.broken = self.broken or "they were closed"
            self._controller.write(_ENABLE, 0)
            self._controller.write(_MASTER, 0)
        self._closed = True
        os.close(sink)

    def _serve(self, source: int) -> None:
        try:
            self._listen(source)
        finally:
            with self._lock:
                self.broken = self.broken or "their thread has ended"
                os.close(self._uio)
            os.close(source)

    def _listen(self, source: int) -> None:
        poll = select.poll()
        poll.register(self._uio, select.POLLIN)
        poll.register(source, select.POLLIN)
        while True:
            came = dict(poll.poll())
            if source in came:
                return
            try:
                if not came[self._uio] & select.POLLIN or len(os.read(self._uio, 4)) < 4:
                    raise OSError("it is gone")
            except OSError as error:
                self.broken = f"the UIO device does not answer ({error.strerror or error})"
                return
            self._tell()

    def _tell(self) -> None:
        with self._lock:
            pending = self._controller.read(_PENDING) & sum(1 << number for number in self._waiting)
            if not pending:
                # One that is late, perhaps. The kernel has masked the line; unmasked more than once a wait, one that is stuck would spin.
                self.stray += 1
                if self._waiting and self._pardons:
                    self._pardons -= 1
                    self._unmask()
                return
            self._controller.write(_CLEAR, pending)
            self._controller.write(_ACKNOWLEDGE, pending)
            for number in [one for one in self._waiting if pending >> one & 1]:
                self._waiting.pop(number).set()
            if self._waiting:
                self._unmask()

    def _unmask(self) -> None:
        """Let the kernel's driver take the next interrupt; it masks the line at each."""
        try:
            os.write(self._uio, struct.pack("=i", 1))
        except OSError as error:
            self.broken = f"the UIO device cannot be unmasked ({error.strerror or error})"


@final
class Line:
    """A line of the design, for one thread at a time.

    Parameters
    ----------
    interrupts : where it ends
    number : of the controller's input
    """

    def __init__(self, interrupts: Interrupts, number: int) -> None:
        self._interrupts, self._number = interrupts, number
        self._event = threading.Event()

    @property
    def broken(self) -> str | None:
        """Why it cannot come any more, None while it can."""
        return self._interrupts.broken

    def arm(self) -> None:
        """Begin to listen."""
        self._event.clear()
        self._interrupts.arm(self._number, self._event)

    def wait(self, seconds: float) -> bool:
        """Return whether it came since it was armed, by so many seconds from now."""
        return self._event.wait(seconds)

    def disarm(self) -> None:
        """Cease to listen."""
        self._interrupts.disarm(self._number)
