"""Backends over the software model of the core, and buses that misbehave, for tests of the driver."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, final

import numpy as np
import numpy.typing as npt

from ebmhw.backends.bus import Bus
from ebmhw.backends.core import CoreBackend, core_capabilities
from ebmhw.backends.driver import IsingDriver
from ebmhw.contract.ising_core import REGISTERS
from sim.core_model import CoreModel, ModelBus  # noqa: TID251  # tests are no part of the host

Beats = npt.NDArray[np.uint64]


def model(lanes: int = 8, slots: int = 4, spins_max: int = 512, beats_max: int = 20480, schedule_max: int = 64, sweep_bits: int = 12) -> CoreModel:
    """Return a core of a size that suits tests."""
    return CoreModel(lanes, slots, spins_max, beats_max, schedule_max, sweep_bits)


@final
class ModelBackend(CoreBackend):
    """A backend over buses."""

    def __init__(self, *buses: Bus) -> None:
        self._made = [IsingDriver(bus, "model") for bus in buses]
        shape = self._made[0].shape
        super().__init__(core_capabilities(shape.lanes, shape.slots, shape.spins_max, shape.beats_max))

    @property
    def name(self) -> str:
        return "model"

    def _connect(self) -> Sequence[IsingDriver]:
        return self._made


def backend(**size: int) -> ModelBackend:
    """Return a backend over one core of a size."""
    return ModelBackend(ModelBus(model(**size)))


@final
class Meddler(Bus):
    """A bus whose traffic a test looks at and changes.

    Attributes
    ----------
    jobs, answer : functions that are given the beats of either direction and return what is passed on instead; they may raise
    registers : words that are read instead of what the core shows, by the register's name
    log : what was called: "abandon", ("write", name, word), ("exchange", beats out)
    """

    def __init__(self, inner: Bus | None = None) -> None:
        self.inner = inner if inner is not None else ModelBus(model())
        self.jobs: Callable[[Beats], Beats] = lambda beats: beats
        self.answer: Callable[[Beats], Beats] = lambda beats: beats
        self.registers: dict[str, int] = {}
        self.log: list[Any] = []

    def read(self, offset: int) -> int:
        name = next(register.name for register in REGISTERS.registers if register.offset == offset)
        return self.registers[name] if name in self.registers else self.inner.read(offset)

    def write(self, offset: int, word: int) -> None:
        self.log.append(("write", next(register.name for register in REGISTERS.registers if register.offset == offset), word))
        self.inner.write(offset, word)

    def exchange(self, jobs: Beats, room: int, seconds: float) -> Beats:
        self.log.append(("exchange", jobs.size))
        return self.answer(self.inner.exchange(self.jobs(jobs.copy()), room, seconds))

    def abandon(self) -> None:
        self.log.append("abandon")
        self.inner.abandon()

    def close(self) -> None:
        self.log.append("close")
        self.inner.close()

    @property
    def exchanges(self) -> list[int]:
        """Beats out of each exchange so far."""
        return [entry[1] for entry in self.log if entry[0] == "exchange"]
