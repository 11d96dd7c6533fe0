"""Ebmhw: both units behind one register port."""

from __future__ import annotations

from typing import Final, final

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ebmhw.contract.design import ADDRESS_BITS, UNITS, Unit
from hdl.common.axi import AxiLite, AxiStream
from hdl.common.axi_split import AxiSplit
from hdl.common.shared import SharedModule
from hdl.config import DesignConfig
from hdl.ising_core.top import IsingTop
from hdl.phi_unit.top import PhiTop


def unit_signature(unit: Unit) -> wiring.Signature:
    """Return the ports that every unit has: registers, packets of jobs in, packets of results out, an interrupt."""
    return wiring.Signature(
        {
            "s_axi": In(AxiLite(unit.registers.address_bits)),
            "s_axis": In(AxiStream(unit.job_bits)),
            "m_axis": Out(AxiStream(unit.result_bits)),
            "interrupt": Out(1),
        }
    )


@final
class Ebmhw(wiring.Component):
    """The design of a board: an Ising core and a phi unit, each with its own streams and interrupt.

    Parameters
    ----------
    config : sizes
    build : what register ``build`` of each unit reads

    Attributes
    ----------
    s_axi : registers of all units, each at its offset (`ebmhw.contract.design.UNITS`)
    <prefix>_s_axis, <prefix>_m_axis, <prefix>_interrupt : of each unit, by its prefix
    """

    def __init__(self, config: DesignConfig, build: int = 0) -> None:
        self._config: Final = config
        self._build: Final = build
        if [unit.offset for unit in UNITS] != [0, 1 << (ADDRESS_BITS - 1)]:
            raise ValueError("the units do not lie at the halves of the design's addresses; teach the top to tell them apart")
        members: dict[str, In | Out] = {"s_axi": In(AxiLite(ADDRESS_BITS))}
        for unit in UNITS:
            members[f"{unit.prefix}_s_axis"] = In(AxiStream(unit.job_bits))
            members[f"{unit.prefix}_m_axis"] = Out(AxiStream(unit.result_bits))
            members[f"{unit.prefix}_interrupt"] = Out(1)
        super().__init__(members)

    @property
    def instances(self) -> dict[str, wiring.Component]:
        """The units by module name, see `hdl.common.shared.SharedModule`."""
        config, build = self._config, self._build
        return {"ising_core": IsingTop(config.ising_core, build), "phi_unit": PhiTop(config.phi_unit, build)}

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.split = split = AxiSplit(ADDRESS_BITS)
        wiring.connect(m, wiring.flipped(self.s_axi), split.s_axi)
        for unit, registers in zip(UNITS, (split.low, split.high), strict=True):
            m.submodules[unit.name] = shared = SharedModule(unit.name, unit_signature(unit))
            wiring.connect(m, registers, shared.s_axi)
            wiring.connect(m, wiring.flipped(getattr(self, f"{unit.prefix}_s_axis")), shared.s_axis)
            wiring.connect(m, shared.m_axis, wiring.flipped(getattr(self, f"{unit.prefix}_m_axis")))
            m.d.comb += getattr(self, f"{unit.prefix}_interrupt").eq(shared.interrupt)
        return m
