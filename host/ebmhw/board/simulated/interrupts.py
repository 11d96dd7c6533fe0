"""The interrupt controller (PG099), and its line as the kernel's generic UIO driver hands it to a process: a descriptor to read and write."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Sequence
from typing import Final, final

from ebmhw.board.peripherals import INTERRUPT_CONTROLLER
from ebmhw.board.simulated.counters import Counters
from ebmhw.board.simulated.misuse import Misuse

_NONE: Final = 0xFFFF_FFFF
_MASTER: Final = INTERRUPT_CONTROLLER.register("mer").field("master").mask
_HARDWARE: Final = INTERRUPT_CONTROLLER.register("mer").field("hardware").mask


@final
class UioLine:
    """One interrupt of the processor, level sensitive. After each the kernel masks it until a process writes a number other than 0.

    Parameters
    ----------
    counters : what counts
    """

    def __init__(self, counters: Counters) -> None:
        self._counters = counters
        self._lock = threading.RLock()
        self._high, self._unmasked, self._count = False, True, 0
        self._ends: list[socket.socket] = []
        self.lost = False
        """Whether interrupts do not arrive."""

    def set(self, high: bool) -> None:
        """Drive the line."""
        with self._lock:
            self._high = high
            self._look()

    def _look(self) -> None:
        if not self._high or not self._unmasked or self.lost:
            return
        self._unmasked = False
        self._count += 1
        self._counters.interrupts += 1
        for end in self._ends:
            with contextlib.suppress(OSError):
                end.send(struct.pack("=I", self._count & _NONE))

    def open(self) -> int:
        """Return a descriptor, the caller's: reading 4 bytes waits for an interrupt, writing 4 bytes unmasks the line (1) or masks it (0)."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with self._lock:
            self._ends.append(ours)
        threading.Thread(target=self._listen, args=(ours,), name="simulated uio", daemon=True).start()
        return theirs.detach()

    def _listen(self, end: socket.socket) -> None:
        with end:
            while True:
                try:
                    word = end.recv(4)
                except OSError:
                    word = b""
                with self._lock:
                    if not word:
                        if end in self._ends:
                            self._ends.remove(end)
                        return
                    self._unmasked = any(word)
                    self._look()

    def close(self) -> None:
        """Let no process wait any more."""
        with self._lock:
            for end in self._ends:
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)


@final
class InterruptController:
    """An AXI interrupt controller, its inputs sensitive to a high level.

    Parameters
    ----------
    pins : names of its inputs
    level : whether the pin of a name is high
    line : its output

    Attributes
    ----------
    stuck : pins that are high whatever drives them
    """

    def __init__(self, pins: Sequence[str], level: Callable[[str], bool], line: UioLine) -> None:
        self._pins, self._level, self._line = pins, level, line
        self._lock = threading.RLock()
        self._seen = self._enabled = self._master = 0
        self.stuck: set[str] = set()

    def load(self) -> None:
        """Start anew, as from a bitstream."""
        with self._lock:
            self._seen = self._enabled = self._master = 0
            self.look()

    def look(self) -> None:
        """Take what the inputs are now."""
        with self._lock:
            if self._master & _HARDWARE:
                for number, pin in enumerate(self._pins):
                    if pin in self.stuck or self._level(pin):
                        self._seen |= 1 << number
            self._line.set(bool(self._master & _MASTER and self._seen & self._enabled))

    def read(self, name: str) -> int:
        """Return a register."""
        with self._lock:
            self.look()
            pending = self._seen & self._enabled
            if name == "ivr":
                return (pending & -pending).bit_length() - 1 if pending else _NONE
            return {"isr": self._seen, "ipr": pending, "ier": self._enabled, "mer": self._master}.get(name, 0)

    def write(self, name: str, word: int) -> None:
        """Write a register."""
        with self._lock:
            if name == "ier":
                self._enabled = word
            elif name == "sie":
                self._enabled |= word
            elif name == "cie":
                self._enabled &= ~word
            elif name == "iar":
                self._seen &= ~word
            elif name == "mer":
                # Hardware interrupts cannot be switched off again.
                self._master = word & (_MASTER | _HARDWARE) | self._master & _HARDWARE
            else:
                raise Misuse(f"register {name} of the interrupt controller is written; it takes no writes once hardware interrupts are on")
            self.look()
