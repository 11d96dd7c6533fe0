"""UnitModelBus: a software model of a unit as the host's driver sees it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from ebmhw.backends.bus import Bus
from ebmhw.contract.registers import WORD_BITS, RegisterMap
from ebmhw.contract.render import contract_digest

Beats = npt.NDArray[np.uint64]


class UnitModel(Protocol):
    """What a model of a unit has: what it counted and refused (code, job, beat), and its answers."""

    counters: dict[str, int]
    last_error: tuple[int, int, int]

    def reset(self) -> None:
        """Forget what a reset of the unit forgets."""

    def clear_counters(self) -> None:
        """Set all counters to 0."""

    def answer(self, batch: Beats) -> Beats:
        """Return the answer to a batch of jobs."""


class UnitModelBus(Bus):
    """Registers of a unit, and its two streams, backed by a model.

    Parameters
    ----------
    registers : the unit's register map
    model : the unit
    fixed : words of registers that never change, the hashes of map and constants excepted, by name

    Attributes
    ----------
    words : what registers hold, by offset
    exchanges : (beats out, beats in) of each exchange so far, of 64 bits each
    """

    def __init__(self, registers: RegisterMap, model: UnitModel, fixed: Mapping[str, int]) -> None:
        self._registers: Final = registers
        self._model: Final = model
        self._latched = 0
        known = {"map_hash": registers.hash32, "contract_hash": int(contract_digest()[:8], 16), **fixed}
        self.words: Final = {register.offset: known.get(register.name, register.reset) for register in registers.registers}
        self.exchanges: Final[list[tuple[int, int]]] = []

    @abstractmethod
    def _live(self) -> dict[str, int]:
        """Return the words of registers that show what the unit is doing, by name."""

    def read(self, offset: int) -> int:
        name = next(register.name for register in self._registers.registers if register.offset == offset)
        model = self._model
        if name.endswith("_high"):
            return self._latched
        if name.endswith("_low"):
            value = model.counters.get(name.removesuffix("_low"), 0)
            self._latched = value >> WORD_BITS
            return value & (1 << WORD_BITS) - 1
        live = {
            **dict(zip(("last_error", "last_error_job", "last_error_beat"), model.last_error, strict=True)),
            **{name: model.counters[name] for name in ("jobs_done", "jobs_failed")},
            **self._live(),
        }
        return live.get(name, self.words[offset])

    def write(self, offset: int, word: int) -> None:
        register = next(register for register in self._registers.registers if register.offset == offset)
        if register.name == "control":
            asked = register.unpack(word)
            if asked["reset"]:
                self._model.reset()
            if asked["clear_counters"]:
                self._model.clear_counters()
        elif all(field.access == "rw" for field in register.fields):
            self.words[offset] = word

    def exchange(self, jobs: Beats, room: int, seconds: float) -> Beats:
        answer = self._model.answer(jobs)
        self.exchanges.append((jobs.size, answer.size))
        assert answer.size <= room, f"the driver left room for {room} beats, the answer has {answer.size}"
        return answer

    def abandon(self) -> None:
        pass

    def close(self) -> None:
        pass
