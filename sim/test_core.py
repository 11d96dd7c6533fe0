"""The whole core, small under Icarus, at the size of the KV260 under Verilator."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from hdl.ising_core.config import IsingConfig
from hdl.ising_core.top import IsingTop

CONFIGS = Path(__file__).resolve().parents[1] / "hdl" / "configs"
SMALL = IsingConfig.from_yaml(CONFIGS / "small.yaml")
BUILD = 0xB001


def parameters(config: IsingConfig, **values: object) -> dict[str, object]:
    return {"config": asdict(config), "build": BUILD, **values}


def test_small(simulate):
    simulate(
        "sim.bench_core",
        IsingTop(SMALL, BUILD),
        name="core small",
        parameters=parameters(SMALL, programs=12, spins=24, sweeps=4, hazards=[[1, 0]], around=2, long=False, every_error=False, garbage=5),
    )
