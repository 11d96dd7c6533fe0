"""The kinds of units that drivers drive: their part of the contract, and what messages call them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final, final

from ebmhw.backends.codec import PacketCodec
from ebmhw.contract import design, ising_core, phi_unit


@final
@dataclass(frozen=True, eq=False)
class UnitKind:
    """A kind of unit.

    Attributes
    ----------
    unit : its registers and packets
    errors, meanings, states : codes of errors and states by name, and what each error says
    noun, title : in messages: "the core", "an Ising core"
    """

    unit: design.Unit
    errors: Mapping[str, int]
    meanings: Mapping[str, str]
    states: Mapping[str, int]
    noun: str
    title: str

    @cached_property
    def error_names(self) -> dict[int, str]:
        """Names of errors by code."""
        return {code: name for name, code in self.errors.items()}

    @cached_property
    def state_names(self) -> dict[int, str]:
        """Names of states by code."""
        return {code: name for name, code in self.states.items()}

    @cached_property
    def counters(self) -> tuple[str, ...]:
        """Names of the 64-bit counters."""
        return tuple(register.name.removesuffix("_low") for register in self.unit.registers.registers if register.name.endswith("_low"))

    @cached_property
    def results(self) -> dict[int, PacketCodec]:
        """What decodes each result packet, by its code."""
        return {layout.code: PacketCodec(layout) for layout in self.unit.results.layouts}


ISING: Final = UnitKind(design.unit("ising_core"), ising_core.ERRORS, ising_core.ERROR_MEANINGS, ising_core.STATES, "core", "an Ising core")

PHI: Final = UnitKind(design.unit("phi_unit"), phi_unit.ERRORS, phi_unit.ERROR_MEANINGS, phi_unit.STATES, "phi unit", "a phi unit")
