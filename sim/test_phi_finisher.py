"""The finisher of the phi unit and its writer: their bench, and faults that it must find."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from types import ModuleType
from typing import Final

import pytest

from hdl.phi_unit import finisher
from hdl.phi_unit.config import PhiConfig
from sim.faults import finds, planted
from sim.parts import Together
from sim.runner import BenchResult
from sim.seeds import SEEDS

CONFIGS: Final = {"small": PhiConfig(64), "large": PhiConfig(2**19)}
PARAMETERS: Final = {"configs": {name: asdict(config) for name, config in CONFIGS.items()}, "tokens": 40}
FINISHER: Final = "hdl.phi_unit.finisher"
ANSWER: Final = "hdl.phi_unit.answer"
FAULTS: Final = {
    "H below 0": (FINISHER, "Mux(difference < 0, 0, difference[", "Mux(0, 0, difference["),
    "phi below 0": (FINISHER, "Mux(fall > one, 0, one - fall)", "one - fall"),
    "a probability above 1": (FINISHER, "Mux(log2_p > 0, 0, log2_p)", "log2_p"),
    "a place too few": (FINISHER, "whole.eq(whole + _STEP)", "whole.eq(whole + _STEP - 1)"),
    "the logarithm is not waited for": (FINISHER, "logarithm.done & quotient.done", "quotient.done"),
    "a token that is wrong has an answer": (FINISHER, "token.partial & (token.error == 0)", "token.partial"),
    "an empty token has an argmax": (ANSWER, "Mux(empty, NO_POSITION, summary.argmax)", "summary.argmax"),
    "a partial token has numbers": (ANSWER, "counted = ~(empty | token.partial)", "counted = ~empty"),
    "no second z": (ANSWER, "Mux(summary.z2 == layouts.NO_Z, NO_Z, summary.z2)", "summary.z2"),
    "a choice that is none": (ANSWER, "Mux(summary.has_choice, token.chosen, NO_POSITION)", "token.chosen"),
    "S and T the wrong way round": (ANSWER, "Mux(second, bins.t, bins.s)", "Mux(second, bins.s, bins.t)"),
    "each packet ends the batch": (ANSWER, "results.payload.last.eq(final_beat & token.ends_batch),", "results.payload.last.eq(final_beat),"),
    "a beat is not waited for": (ANSWER, "goes = results.valid & results.ready", "goes = results.valid"),
}
QUICK: Final = ("no second z",)


def finishers(module: ModuleType) -> Together:
    return Together({name: module.Finisher(config) for name, config in CONFIGS.items()})


@pytest.mark.parametrize("seed", SEEDS)
def test_phi_finisher(simulate: Callable[..., BenchResult], seed: int) -> None:
    simulate("sim.bench_phi_finisher", finishers(finisher), parameters=PARAMETERS, name=f"phi finisher {seed}", seed=seed)


@pytest.mark.parametrize("fault", [pytest.param(name, marks=[] if name in QUICK else pytest.mark.slow) for name in FAULTS])
def test_fault_is_found(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module, right, wrong = FAULTS[fault]
    faulty = planted(module, right, wrong)
    if module == ANSWER:
        monkeypatch.setattr(finisher, "AnswerWriter", faulty.AnswerWriter)
    parts = finishers(finisher if module == ANSWER else faulty)
    finds("sim.bench_phi_finisher", parts, r"AssertionError: (small|large)[:_]", parameters=PARAMETERS, tests=r"\.answers$")
