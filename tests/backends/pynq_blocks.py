"""An AXI DMA engine (PG021, direct register mode) and an AXI interrupt controller (PG099) with a UIO device, as registers, and their faults."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
from pynq_memory import Memory

from sim.model_bus import UnitModelBus  # noqa: TID251  # tests are no part of the host

HALTED, IDLE, INTERNAL, SLAVE, DECODE, IOC, ERR = 0x1, 0x2, 0x10, 0x20, 0x40, 0x1000, 0x4000
SEND, RECEIVE = 0x00, 0x30


class Channel:
    """Registers of a channel."""

    def __init__(self) -> None:
        self.control, self.status, self.address, self.length = 0x1_0002, HALTED, 0, 0
        self.busy = False

    def halt(self, error: int) -> None:
        self.control &= ~1
        self.status = self.status & ~IDLE | HALTED | error | ERR
        self.busy = False


class Dma:
    """An engine with a unit at its streams.

    Attributes
    ----------
    log : ("back", bytes), ("out", bytes) and "reset", as they came
    seconds : that the unit takes for an answer
    hangs : the unit takes jobs and never answers
    stuck : the unit does not even take jobs
    fails : (channel, error bit) of the next transfers
    dead : "reset" that never ends, or "start"
    change : of answers, in bytes
    accesses : reads and writes of registers so far
    """

    def __init__(self, unit: UnitModelBus, memory: Memory, raised: Callable[[], None]) -> None:
        self.unit, self.memory, self.raised = unit, memory, raised
        self.channels = {SEND: Channel(), RECEIVE: Channel()}
        self.log: list[Any] = []
        self.seconds = 0.0
        self.hangs = self.stuck = False
        self.fails: tuple[int, int] | None = None
        self.dead = ""
        self.change: Callable[[bytes], bytes] = lambda answer: answer
        self.accesses = 0
        self._lock = threading.RLock()
        self._reset_polls = 0
        self._timer: threading.Timer | None = None

    @property
    def level(self) -> bool:
        """Whether s2mm_introut is up."""
        channel = self.channels[RECEIVE]
        return bool(channel.control & channel.status & (IOC | ERR))

    def read(self, offset: int) -> int:
        with self._lock:
            self.accesses += 1
            first = RECEIVE if offset >= RECEIVE else SEND
            register, channel = offset - first, self.channels[first]
            if register == 0x00:
                self._reset_polls -= 1
                return channel.control | (4 if self._reset_polls > 0 or self.dead == "reset" else 0)
            if register == 0x04 and not self.seconds:
                self._tick()
            return {0x04: self.channels[first].status, 0x28: channel.length}[register]

    def write(self, offset: int, word: int) -> None:
        assert type(word) is int and 0 <= word < 2**32
        with self._lock:
            self.accesses += 1
            first = RECEIVE if offset >= RECEIVE else SEND
            register, channel = offset - first, self.channels[first]
            if register == 0x00 and word & 4:
                self._reset()
            elif register == 0x00:
                channel.control = word | 2
                if word & 1 and self.dead != "start":
                    channel.status &= ~HALTED
            elif register == 0x04:
                channel.status &= ~(word & 0x7000)
            elif register == 0x18:
                channel.address = channel.address >> 32 << 32 | word
            elif register == 0x1C:
                channel.address = channel.address & 0xFFFF_FFFF | word << 32
            else:
                assert register == 0x28
                self._launch(channel, word)

    def _launch(self, channel: Channel, count: int) -> None:
        assert not channel.busy and not channel.status & HALTED and 0 < count < 1 << 26
        channel.length, channel.busy = count, True
        channel.status &= ~IDLE
        self.log.append(("out" if channel is self.channels[SEND] else "back", count))
        if self.seconds and all(one.busy for one in self.channels.values()):
            self._timer = threading.Timer(self.seconds, self._tick)
            self._timer.daemon = True
            self._timer.start()

    def _reset(self) -> None:
        self.log.append("reset")
        if self._timer is not None:
            self._timer.cancel()
        self.channels = {SEND: Channel(), RECEIVE: Channel()}
        self._reset_polls = 3

    def _tick(self) -> None:
        """End the transfers that can end."""
        with self._lock:
            out, back = self.channels[SEND], self.channels[RECEIVE]
            if not (out.busy and back.busy) or self.stuck:
                return
            if self.fails is not None:
                which, error = self.fails
                self.channels[which].halt(error)
            else:
                self._answer(out, back)
        self.raised()

    def _answer(self, out: Channel, back: Channel) -> None:
        jobs = self.memory.at(out.address, out.length // 8).copy()
        self._end(out)
        if self.hangs:
            return
        answer = self.change(self.unit._model.answer(jobs).tobytes())
        if len(answer) > back.length:
            back.halt(INTERNAL)
            return
        words = np.frombuffer(answer + bytes(-len(answer) % 8), dtype=np.uint64)
        self.memory.at(back.address, words.size)[:] = words
        self.memory.evict()
        back.length = len(answer)
        self._end(back)

    @staticmethod
    def _end(channel: Channel) -> None:
        channel.busy = False
        channel.status |= IDLE | IOC


class Controller:
    """The interrupt controller, with one end of a pair of sockets as its UIO device: four bytes for an interrupt, four to unmask.

    Attributes
    ----------
    lines : whether each input is up
    events : that were sent
    loses : whether they are lost on the way
    late : seconds that they take
    stuck : inputs that never go down
    calls_for_nothing : the device fires although no input is up, as often as it is unmasked
    """

    def __init__(self, lines: list[Callable[[], bool]]) -> None:
        self.lines = lines
        self.isr = self.ier = self.mer = 0
        self.events, self.unmaskings = 0, 0
        self.loses = self.calls_for_nothing = False
        self.late = 0.0
        self.stuck = 0
        self._lock = threading.RLock()
        self._masked = True
        self._ours: socket.socket | None = None

    def open(self) -> int:
        """Return a file descriptor of the UIO device, as of a file newly opened."""
        self._ours, theirs = socket.socketpair()
        self._masked = True
        threading.Thread(target=self._serve, args=(self._ours,), daemon=True).start()
        return theirs.detach()

    def read(self, offset: int) -> int:
        with self._lock:
            self._latch()
            return {0x00: self.isr, 0x04: self.isr & self.ier, 0x08: self.ier}[offset]

    def write(self, offset: int, word: int) -> None:
        assert type(word) is int and 0 <= word < 2**32
        with self._lock:
            if offset == 0x08:
                self.ier = word
            elif offset == 0x0C:
                self.isr &= ~word
            elif offset == 0x10:
                self.ier |= word
            elif offset == 0x14:
                self.ier &= ~word
            else:
                assert offset == 0x1C
                self.mer = word
        self.look()

    def look(self) -> None:
        """Fire where an enabled input is up."""
        with self._lock:
            self._latch()
            up = self.mer == 3 and self.isr & self.ier
            if self._masked or not (up or self.calls_for_nothing):
                return
            self._masked = True
            if not self.loses:
                self.events += 1
                if self.late:
                    threading.Timer(self.late, self._fire).start()
                else:
                    self._fire()

    def break_off(self) -> None:
        """Take the device away."""
        assert self._ours is not None
        self._ours.shutdown(socket.SHUT_RDWR)

    def _fire(self) -> None:
        # Whoever had it open may have closed it.
        with contextlib.suppress(OSError):
            if self._ours is not None:
                self._ours.send(struct.pack("=i", self.events))

    def _latch(self) -> None:
        for number, line in enumerate(self.lines):
            if line() or self.stuck >> number & 1:
                self.isr |= 1 << number

    def _serve(self, ours: socket.socket) -> None:
        with ours:
            while len(came := ours.recv(4)) == 4:
                with self._lock:
                    self.unmaskings += 1
                    self._masked = came != struct.pack("=i", 1)
                self.look()
