"""Pipeline registers: values that come some cycles later."""

from __future__ import annotations

from typing import TypeVar, final

from amaranth.hdl import Module, Signal
from amaranth.lib import data

Shaped = TypeVar("Shaped", Signal, data.View)


def delayed(m: Module, source: Shaped, cycles: int, name: str) -> list[Shaped]:
    """Return ``source`` after 0, 1, ..., ``cycles`` cycles; without a reset, so that long delays become shift-register LUTs."""
    stages = [source]
    shape = source.shape()
    for cycle in range(1, cycles + 1):
        stage = Signal(shape, name=f"{name}_{cycle}", reset_less=True)
        m.d.sync += stage.eq(stages[-1])
        stages.append(stage)
    return stages


@final
class Registers:
    """Makes pipeline registers, without a reset, in one module."""

    def __init__(self, m: Module) -> None:
        self._m = m

    def __call__(self, value: object, name: str, width: int | None = None) -> Signal:
        """Return ``value`` one cycle later."""
        register = Signal(width if width is not None else len(value), name=name, reset_less=True)
        self._m.d.sync += register.eq(value)
        return register

    def after(self, value: object, cycles: int, name: str) -> Signal:
        """Return ``value`` some cycles later."""
        for cycle in range(cycles):
            value = self(value, f"{name}_{cycle + 1}")
        return value
