"""Result writers and the gate: their bench, and faults that it must find."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from types import ModuleType
from typing import Final

import pytest

from hdl.common import output_gate
from hdl.config import DesignConfig
from hdl.ising_core import writer
from sim.faults import finds, planted
from sim.parts import Together
from sim.runner import BenchResult
from sim.seeds import SEEDS

SMALL: Final = DesignConfig.from_yaml(Path(__file__).parents[1] / "hdl/configs/small.yaml").ising_core
CONFIGS: Final = {
    "one": replace(SMALL, lanes=1, spins_max=5, sweep_bits=4),
    "seven": replace(SMALL, lanes=7, spins_max=70),
    "all": replace(SMALL, lanes=64, spins_max=20, sweep_bits=32),
}
PARAMETERS: Final = {"configs": {name: asdict(config) for name, config in CONFIGS.items()}}
PACKETS: Final = {
    "samples that count all rows": ('"rows": problem.rows_executed', '"rows": problem.rows'),
    "samples numbered one by one": ("sweep.eq(sweep + job.keep_every)", "sweep.eq(sweep + 1)"),
    "every verdict ends the batch": ("results.payload.last.eq(verdict.ends_batch)", "results.payload.last.eq(1)"),
    "waits for no closing pass": ('m.State("best begins"), m.If(self.finish)', 'm.State("best begins")'),
}
GATE: Final = {
    "a cycle early": ("(waited >= self.limit)", "(waited + 1 >= self.limit)"),
    "overlooks a lower limit": ("(waited >= self.limit)", "(waited == self.limit)"),
    "ends what has ended": ("results.valid.eq(~results.payload.last), ", ""),
    "takes from a core in reset": ("self.beats.ready.eq(free & ~broken)", "self.beats.ready.eq(free)"),
}


def everything(writers: ModuleType = writer, gates: ModuleType = output_gate) -> Together:
    return Together({name: writers.ResultWriter(config) for name, config in CONFIGS.items()} | {"gate": gates.OutputGate()})


@pytest.mark.parametrize("seed", SEEDS)
def test_writer(simulate: Callable[..., BenchResult], seed: int) -> None:
    simulate("sim.bench_writer", everything(), parameters=PARAMETERS, name=f"writer {seed}", seed=seed)


@pytest.mark.parametrize(("right", "wrong"), PACKETS.values(), ids=PACKETS)
def test_fault_in_the_writer_is_found(right: str, wrong: str) -> None:
    faulty = everything(planted("hdl.ising_core.writer", right, wrong))
    finds("sim.bench_writer", faulty, r"packets: (AssertionError|ContractError): ", parameters=PARAMETERS, tests="packets")


@pytest.mark.parametrize(("right", "wrong"), GATE.values(), ids=GATE)
def test_fault_in_the_gate_is_found(right: str, wrong: str) -> None:
    faulty = everything(gates=planted("hdl.common.output_gate", right, wrong))
    finds("sim.bench_writer", faulty, r"gate: AssertionError: gate, cycle \d+", parameters=PARAMETERS, tests=r"\.gate$")
