"""SimulatedBus: a verilated unit, its clock running only while something is asked of it."""

from __future__ import annotations

import ctypes
import os
import threading
import time
import weakref
from pathlib import Path
from typing import Any, final

import numpy as np

from ebmhw.backends.bus import Beats, Bus
from ebmhw.errors import BackendUnavailable, CoreStalled, HardwareFault

_REGISTER_CYCLES = 100_000
"""Cycles of one register access at the most; it takes about five."""

_STEP_CYCLES = 5_000
"""Cycles between two looks at the time, at Ctrl-C and at the limit: 50 ms at the speed of the slowest unit."""

_UNDEFINED = {"zeros": 0, "ones": 1, "random": 2}


@final
class SimulatedBus(Bus):
    """A unit in this process; as many of them as one likes.

    Parameters
    ----------
    library : what `build_library` made
    cycle_limit : cycles of one exchange at the most, None for any number
    pauses : in how many of 256 cycles (job stream, result stream) pause at random; other than (0, 0) also spreads register accesses
    seed : of the pauses, and of random undefined bits
    undefined : "zeros", "ones" or "random": how undefined bits start, where the library was built with undefined="unique"
    """

    stall_cycles = 1 << 20
    cycles_per_second = 1e5

    def __init__(
        self, library: Path, cycle_limit: int | None = None, pauses: tuple[int, int] = (0, 0), seed: int = 0, undefined: str = "zeros"
    ) -> None:
        functions = _load(library)
        self._job_words = int(functions.ebmhw_unit_job_words())
        self._cycle_limit = cycle_limit
        self._unit = _Verilated(functions, _UNDEFINED[undefined], seed, *pauses)
        self._end = weakref.finalize(self, self._unit.destroy)

    @property
    def cycles(self) -> int:
        """Cycles so far."""
        return int(self._unit.call("cycles"))

    def read(self, offset: int) -> int:
        word = ctypes.c_uint32()
        self._done("read", offset, self._unit.call("read", offset, ctypes.byref(word), _REGISTER_CYCLES))
        return word.value

    def write(self, offset: int, word: int) -> None:
        self._done("write", offset, self._unit.call("write", offset, word, _REGISTER_CYCLES))

    def _done(self, what: str, offset: int, response: int) -> None:
        if response < 0:
            raise CoreStalled(f"the unit did not answer a {what} of register {offset:#x} within {_REGISTER_CYCLES} cycles")
        if response:
            raise HardwareFault(f"the unit answered a {what} of register {offset:#x} with response {response}; there is no such register")

    def exchange(self, jobs: Beats, room: int, seconds: float) -> Beats:
        jobs, answer = np.ascontiguousarray(jobs, dtype=np.uint64), np.empty(room, dtype=np.uint64)
        words = self._job_words
        if jobs.size % words:
            raise ValueError(f"the jobs have {jobs.size} words of 64 bits; give whole beats, {words} words each")
        deadline, began = time.monotonic() + seconds, self.cycles
        status, sent, arrived = 0, 0, 0
        try:
            self.begin(jobs, answer)
            while True:
                left = _STEP_CYCLES if self._cycle_limit is None else min(_STEP_CYCLES, self._cycle_limit + began - self.cycles)
                status, sent, arrived = self.step(left)
                if status or time.monotonic() > deadline or left < _STEP_CYCLES:
                    break
        finally:
            # Whatever ends this, the unit must not go on writing to an array that is gone.
            if status != 1:
                self.abandon()
        here: Beats = answer[:arrived]
        if status == 2:
            raise HardwareFault(f"the unit answered more than the {room} beats that its jobs make")
        if status == 0:
            raise CoreStalled(
                f"the unit did not answer within {self.cycles - began} cycles: it took {sent // words} of {jobs.size // words} beats and gave "
                f"{here.size} of at most {room}",
                here.tobytes(),
            )
        return here

    def begin(self, jobs: Beats, answer: Beats) -> None:
        """Put a batch to the unit, whole beats. Both arrays must stay where they are until it is answered or abandoned."""
        self._unit.call("begin", jobs.ctypes.data, jobs.size, answer.ctypes.data, answer.size)

    def step(self, cycles: int) -> tuple[int, int, int]:
        """Run the clock until the batch is over, at most so many cycles.

        Returns what became of it (0 it goes on, 1 it is answered, 2 the answer is longer than its array), words taken, words given.
        """
        sent, arrived = ctypes.c_uint64(), ctypes.c_uint64()
        status = int(self._unit.call("step", cycles, ctypes.byref(sent), ctypes.byref(arrived)))
        return status, sent.value, arrived.value

    def abandon(self) -> None:
        self._unit.call("abandon")

    def close(self) -> None:
        self._end()


@final
class _Verilated:
    """A verilated unit in memory, which is destroyed once, never under a call of another thread, and by the process that made it only."""

    def __init__(self, functions: Any, *arguments: int) -> None:
        self._functions, self._process, self._lock = functions, os.getpid(), threading.Lock()
        self._handle: int | None = functions.ebmhw_unit_create(*arguments)

    def call(self, name: str, *arguments: Any) -> Any:
        """Call a function of the library on the unit."""
        if os.getpid() != self._process:
            raise HardwareFault(f"the simulated unit belongs to process {self._process}, this is {os.getpid()}, a fork of it; make a backend here")
        with self._lock:
            if self._handle is None:
                raise HardwareFault("the simulated unit was closed; make a backend anew")
            return getattr(self._functions, f"ebmhw_unit_{name}")(self._handle, *arguments)

    def destroy(self) -> None:
        """Give the memory back; at the end of the process, too, where a thread may still be at work."""
        if os.getpid() != self._process:
            return
        with self._lock:
            handle, self._handle = self._handle, None
            if handle is not None:
                self._functions.ebmhw_unit_destroy(handle)


def _load(library: Path) -> Any:
    try:
        loaded = ctypes.CDLL(str(library))
    except OSError as error:
        raise BackendUnavailable(f"backend 'simulated': {library} does not load ({error}); delete its folder to have it built again") from None
    pointer, u32, u64, i32 = ctypes.c_void_p, ctypes.c_uint32, ctypes.c_uint64, ctypes.c_int32
    signatures: dict[str, tuple[Any, list[Any]]] = {
        "job_words": (u64, []),
        "create": (pointer, [u32, u64, u32, u32]),
        "destroy": (None, [pointer]),
        "cycles": (u64, [pointer]),
        "read": (i32, [pointer, u32, pointer, u64]),
        "write": (i32, [pointer, u32, u32, u64]),
        "begin": (None, [pointer, pointer, u64, pointer, u64]),
        "step": (i32, [pointer, u64, pointer, pointer]),
        "abandon": (None, [pointer]),
    }
    for name, (result, arguments) in signatures.items():
        function = getattr(loaded, f"ebmhw_unit_{name}")
        function.restype, function.argtypes = result, arguments
    return loaded
