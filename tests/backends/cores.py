"""Backends over the software models of the units, and buses that misbehave, for tests of the driver."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, final

import numpy as np
import numpy.typing as npt
import pytest

from ebmhw import rtl
from ebmhw.backends import get_backend
from ebmhw.backends.bus import Bus
from ebmhw.backends.core import CoreBackend, core_capabilities
from ebmhw.backends.driver import IsingDriver
from ebmhw.backends.phi_driver import PhiDriver
from ebmhw.backends.simulated import SimulatedBackend, build_library
from ebmhw.contract import ising_core
from ebmhw.contract.phi_formats import ENTRIES_LIMIT
from ebmhw.contract.registers import RegisterMap
from ebmhw.errors import BackendUnavailable
from sim.core_model import CoreModel, ModelBus  # noqa: TID251  # tests are no part of the host
from sim.phi_model import PhiModel, PhiModelBus  # noqa: TID251  # tests are no part of the host

Beats = npt.NDArray[np.uint64]


def model(lanes: int = 8, slots: int = 4, spins_max: int = 512, beats_max: int = 20480, schedule_max: int = 64, sweep_bits: int = 12) -> CoreModel:
    """Return a core of a size that suits tests."""
    return CoreModel(lanes, slots, spins_max, beats_max, schedule_max, sweep_bits)


@final
class ModelBackend(CoreBackend):
    """A backend over buses: of cores, and of phi units, where there are any."""

    def __init__(self, *buses: Bus, phi: Sequence[Bus] = ()) -> None:
        self._made = [IsingDriver(bus, "model") for bus in buses]
        self._made_phi = [PhiDriver(bus, "model") for bus in phi]
        shape = self._made[0].shape
        super().__init__(core_capabilities(shape.lanes, shape.slots, shape.spins_max, shape.beats_max, phi=bool(phi)))

    @property
    def name(self) -> str:
        return "model"

    def _connect(self) -> Sequence[IsingDriver]:
        return self._made

    def _connect_phi(self) -> Sequence[PhiDriver]:
        return self._made_phi or super()._connect_phi()


def phi_backend(*buses: Bus) -> ModelBackend:
    """Return a backend over buses of phi units; over one that has room for every row where there are none given."""
    return ModelBackend(ModelBus(model()), phi=buses or [PhiModelBus(PhiModel(ENTRIES_LIMIT))])


def backend(**size: int) -> ModelBackend:
    """Return a backend over one core of a size."""
    return ModelBackend(ModelBus(model(**size)))


@final
class Meddler(Bus):
    """A bus whose traffic a test looks at and changes.

    Parameters
    ----------
    inner : what it passes everything on to; a core where it is left out
    registers : of the unit

    Attributes
    ----------
    jobs, answer : functions that are given the beats of either direction and return what is passed on instead; they may raise
    registers : words that are read instead of what the core shows, by the register's name
    log : what was called: "abandon", ("write", name, word), ("exchange", beats out)
    """

    def __init__(self, inner: Bus | None = None, registers: RegisterMap = ising_core.REGISTERS) -> None:
        self.inner = inner if inner is not None else ModelBus(model())
        self._names = {register.offset: register.name for register in registers.registers}
        self.jobs: Callable[[Beats], Beats] = lambda beats: beats
        self.answer: Callable[[Beats], Beats] = lambda beats: beats
        self.registers: dict[str, int] = {}
        self.log: list[Any] = []

    def read(self, offset: int) -> int:
        name = self._names[offset]
        return self.registers[name] if name in self.registers else self.inner.read(offset)

    def write(self, offset: int, word: int) -> None:
        self.log.append(("write", self._names[offset], word))
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


def simulated(config: str, **options: Any) -> SimulatedBackend:
    """Return the backend, or skip where its Verilog or what compiles it is missing; under `make test` nothing is."""
    try:
        made = get_backend("simulated", config=config, **options)
    except BackendUnavailable as error:
        if os.environ.get("EBMHW_REQUIRE_RTL"):
            raise
        pytest.skip(str(error))
    assert isinstance(made, SimulatedBackend)
    return made


def library(unit: str = "ising_core", undefined: str = "fast") -> Path:
    """Return a compiled unit of the small configuration."""
    simulated("small")
    return build_library(rtl.find("small").verilog, unit, undefined)
