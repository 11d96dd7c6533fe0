"""HlsDataPath: the phi unit's own data path behind the ports that Vitis HLS gives its twin, in whose place it stands in simulations."""

from __future__ import annotations

from typing import Final, final

from amaranth.hdl import ClockDomain, ClockSignal, DomainRenamer, Module, ResetSignal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ebmhw.contract.phi_unit import JOB_BYTES, RESULT_BYTES
from hdl.phi_unit.config import PhiConfig
from hdl.phi_unit.hls.unit import MODULE, PhiHlsUnit
from hdl.phi_unit.top import PhiTop
from hdl.phi_unit.unit import PhiUnit


@final
class HlsDataPath(wiring.Component):
    """A data path without registers and without a watchdog: it waits for the rest of a packet for ever, as the twin does.

    Parameters
    ----------
    config : size
    """

    def __init__(self, config: PhiConfig) -> None:
        self._config: Final = config
        super().__init__(
            {
                **{name: In(1) for name in ("ap_clk", "ap_rst_n", "ap_start", "ap_continue", "jobs_TLAST", "jobs_TVALID", "results_TREADY")},
                **{name: Out(1) for name in ("ap_done", "ap_idle", "ap_ready", "jobs_TREADY", "results_TLAST", "results_TVALID")},
                "jobs_TDATA": In(8 * JOB_BYTES),
                "results_TDATA": Out(8 * RESULT_BYTES),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.domains.ap = ClockDomain()
        m.submodules.unit = unit = DomainRenamer("ap")(PhiUnit(self._config))
        m.d.comb += [
            ClockSignal("ap").eq(self.ap_clk),
            ResetSignal("ap").eq(~self.ap_rst_n),
            unit.jobs.valid.eq(self.jobs_TVALID & self.ap_start),
            unit.jobs.payload.data.eq(self.jobs_TDATA),
            unit.jobs.payload.last.eq(self.jobs_TLAST),
            self.jobs_TREADY.eq(unit.jobs.ready & self.ap_start),
            self.results_TVALID.eq(unit.results.valid),
            self.results_TDATA.eq(unit.results.payload.data),
            self.results_TLAST.eq(unit.results.payload.last),
            unit.results.ready.eq(self.results_TREADY),
            self.ap_idle.eq(unit.tokens == 0),
        ]
        return m


def shell_and_stand_in(config: PhiConfig, build: int = 0) -> PhiTop:
    """Return the shell of the phi unit made by Vitis HLS, with a stand-in for that IP."""
    top = PhiTop(config, build, PhiHlsUnit)
    top.instances = {MODULE: HlsDataPath(config)}
    return top
