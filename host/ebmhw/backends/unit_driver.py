"""UnitDriver: what the drivers of all units have in common: registers, exchanges, and what is done after a failure."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, final

from ebmhw.backends.bus import Beats, Bus
from ebmhw.backends.forks import renew_in_forks
from ebmhw.backends.reader import PacketReader
from ebmhw.backends.units import UnitKind
from ebmhw.contract.registers import WORD_BITS
from ebmhw.errors import ContractError, CoreStalled, HardwareFault


class UnitDriver(ABC):
    """Drives one unit behind a bus, whatever the bus is made of. Several threads may use it, one batch runs at a time.

    Parameters
    ----------
    bus : how to reach the unit, which has been identified
    backend : name for messages
    kind : of the unit
    build : what its register says

    Attributes
    ----------
    kind : as given
    cycles_per_second : a first guess at its clock
    """

    def __init__(self, bus: Bus, backend: str, kind: UnitKind, build: int) -> None:
        self._bus, self._backend, self.kind, self._build = bus, backend, kind, build
        self.forked()
        renew_in_forks(self)
        self.cycles_per_second = bus.cycles_per_second
        self._clean = False

    @final
    def forked(self) -> None:
        """Take a lock that no thread has: in a fork the bus refuses, and it must be asked to."""
        self._lock = threading.RLock()

    @abstractmethod
    def _forget(self) -> None:
        """Forget what the unit was known to hold."""

    @abstractmethod
    def _state(self) -> dict[str, Any]:
        """Return what `status` says beyond the register of that name."""

    @property
    @final
    def stall_cycles(self) -> int:
        """Cycles without a transfer after which the unit's watchdog gives up a stream."""
        return self._bus.stall_cycles

    # --- registers

    @final
    def read(self, register: str) -> int:
        """Return the word of a register."""
        with self._lock:
            return self._bus.read(self.kind.unit.registers.register(register).offset)

    @final
    def write(self, register: str, **fields: int) -> None:
        """Write a register; fields that are not named get their reset values."""
        found = self.kind.unit.registers.register(register)
        with self._lock:
            self._bus.write(found.offset, found.pack(**fields))

    @final
    def transfers(self) -> dict[str, Any]:
        """Return how ends of transfers were found, as `Bus.interrupts`."""
        with self._lock:
            return self._bus.interrupts()

    @final
    def counters(self) -> dict[str, int]:
        """Return what the unit has counted since its counters were cleared; the register map says what each is."""
        with self._lock:
            # The low word first: reading it latches the high one.
            pairs = {name: (self.read(f"{name}_low"), self.read(f"{name}_high")) for name in self.kind.counters}
            values = {name: low | high << WORD_BITS for name, (low, high) in pairs.items()}
            return {**values, "jobs_done": self.read("jobs_done"), "jobs_failed": self.read("jobs_failed")}

    @final
    def clear_counters(self) -> None:
        """Set all counters to 0."""
        with self._lock:
            self.write("control", clear_counters=1)

    @final
    def status(self) -> dict[str, Any]:
        """Return what the unit is doing, and its last error since it was reset."""
        with self._lock:
            register = self.kind.unit.registers.register("status")
            status, error = self._fields("status"), self._fields("last_error")["code"]
            bits = {field.name: field.bits for field in register.fields}
            return {
                "build": f"{self._build:#010x}",
                **{name: bool(value) if bits[name] == 1 else value for name, value in status.items()},
                "state": self.kind.state_names[status["state"]],
                **self._state(),
                "last_error": self.kind.error_names[error],
                "last_error_job": self.read("last_error_job"),
                "last_error_beat": self.read("last_error_beat"),
            }

    @final
    def reset(self) -> None:
        """Drop whatever the unit holds or does, errors included; counters stay."""
        with self._lock:
            self._clean = False
            self._forget()
            # Nothing may still be sending when the unit begins to listen again.
            self._bus.abandon()
            self.write("control", reset=1)
            for name in ("input_limit", "output_limit"):
                self.write(name, cycles=self.stall_cycles)
            self._clean = True

    @final
    def close(self) -> None:
        """Give up the unit."""
        with self._lock:
            self._bus.close()

    @final
    def _fields(self, name: str) -> dict[str, int]:
        try:
            return self.kind.unit.registers.register(name).unpack(self.read(name))
        except ContractError as error:
            raise HardwareFault(f"backend {self._backend!r}: {error}") from None

    # --- jobs

    @final
    def exchange(self, jobs: Beats, room: int, seconds: float) -> Beats:
        """Return what the unit answers to a batch of packets, whatever they are; what it held before is not known any more.

        Parameters and errors are those of `Bus.exchange`; after one the next exchange begins with a reset.
        """
        with self._batch():
            self._forget()
            return self._bus.exchange(jobs, room, seconds)

    @final
    @contextmanager
    def _batch(self) -> Iterator[None]:
        """Hold the unit for one exchange. Whatever ends it early leaves a unit of which nothing is known, and which is reset before the next."""
        with self._lock:
            if not self._clean:
                self.reset()
            self._clean = False
            yield
            self._clean = True

    @final
    def _exchange(self, jobs: Beats, room: int, seconds: float) -> PacketReader:
        """Return the answer to a batch of jobs, within `_batch`.

        Raises
        ------
        HardwareFault
            The transfer failed, or the answer has more than ``room`` beats.
        CoreStalled
            It did not come in time; the text says what the unit was doing.
        """
        try:
            return PacketReader(self._bus.exchange(jobs, room, seconds), self.kind, self._backend)
        except CoreStalled as error:
            raise CoreStalled(f"backend {self._backend!r}: {error}; {self._condition()}", error.arrived) from None
        except HardwareFault as error:
            raise HardwareFault(f"backend {self._backend!r}: {error}", error.error) from None

    def _condition(self) -> str:
        """Return what the registers say, for a message."""
        try:
            status = self.status()
        except (HardwareFault, OSError) as error:
            return f"its registers do not answer either ({error})"
        doing = [status["state"], *(name for name in ("input_stalled", "output_stalled") if status[name])]
        return f"it is {', '.join(doing)}, its last error is {status['last_error']}; it is reset before the next run"
