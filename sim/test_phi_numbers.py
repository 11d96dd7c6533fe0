"""What is computed from the bins of a token: its bench, and faults that it must find."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from types import ModuleType
from typing import Any, Final

import pytest

from hdl.phi_unit import logarithm, moments, quotient
from hdl.phi_unit.config import PhiConfig
from sim.faults import finds, planted
from sim.parts import Together
from sim.phi_parts import NoReady
from sim.runner import BenchResult
from sim.seeds import SEEDS

CONFIGS: Final = {"small": PhiConfig(64), "large": PhiConfig(2**19)}
PARAMETERS: Final = {"configs": {name: asdict(config) for name, config in CONFIGS.items()}, "numbers": 200}
FAULTS: Final = {
    "T is not corrected": ("moments", "deviation.eq(t - product)", "deviation.eq(t)"),
    "d of the bin before": ("moments", "register(s * d, ", "register(s * (d - 1), "),
    "both are shifted as one": ("moments", "(deviation << BIN_SHIFT) >> d[:fine_bits]", "deviation >> d[:fine_bits] << BIN_SHIFT"),
    "St too narrow": ("moments", "return config.sum_bits + BIN_SHIFT", "return config.sum_bits + BIN_SHIFT - 1"),
    "Ut too narrow": ("moments", "+ 1 + _DEPTH_BITS\n", "+ _DEPTH_BITS\n"),
    "done with the last but one": ("moments", "(depth == BINS - 1)", "(depth == BINS - 2)"),
    "bins of before a reset": ("moments", "comes = Signal(6)", "comes = Signal(6, reset_less=True)"),
    "never halved": ("logarithm", "square[-M_BITS:], ", "square[-M_BITS - 1 : -1], "),
    "halves that do not meet": ("logarithm", "Const(0, _HALF + 1), low_high", "Const(0, _HALF), low_high"),
    "a bit too few": ("logarithm", "left.eq(FRACTION_BITS - 1)", "left.eq(FRACTION_BITS - 2)"),
    "a tie does not fit": ("quotient", "fits = ~reduced[-1]", "fits = reduced > 0"),
    "64 is not added": ("quotient", "rest.eq(self.moment + (self.total << (_WHOLE_BITS - 1)))", "rest.eq(self.moment)"),
    "a quotient that was broken off": ("quotient", "left.eq(QUOTIENT_BITS - 1)", "left.eq(left - 1)"),
}
QUICK: Final = ("Ut too narrow", "a tie does not fit")


def units(**modules: ModuleType) -> Together:
    made: dict[str, Any] = {"moments": moments, "logarithm": logarithm, "quotient": quotient} | modules
    parts = {name: NoReady(made["moments"].Moments(config)) for name, config in CONFIGS.items()}
    return Together(parts | {"logarithm": made["logarithm"].Logarithm(), "quotient": made["quotient"].Quotient()})


@pytest.mark.parametrize("seed", SEEDS)
def test_phi_numbers(simulate: Callable[..., BenchResult], seed: int) -> None:
    simulate("sim.bench_phi_numbers", units(), parameters=PARAMETERS, name=f"phi numbers {seed}", seed=seed)


@pytest.mark.parametrize("fault", [pytest.param(name, marks=[] if name in QUICK else pytest.mark.slow) for name in FAULTS])
def test_fault_is_found(fault: str) -> None:
    module, right, wrong = FAULTS[fault]
    faulty = units(**{module: planted(f"hdl.phi_unit.{module}", right, wrong)})
    match = {"moments": r"(small|large): (moments are|done|not done)", "logarithm": "logarithm", "quotient": "quotient"}[module]
    finds("sim.bench_phi_numbers", faulty, rf"AssertionError: {match}", parameters=PARAMETERS, tests=rf"\.{module}$")
