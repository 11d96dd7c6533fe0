"""The parser of token packets: its bench, and faults that it must find."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Final

import pytest

from hdl.phi_unit import parser
from hdl.phi_unit.config import PhiConfig
from sim.faults import finds, planted
from sim.phi_parts import NoReady
from sim.runner import BenchResult
from sim.seeds import SEEDS

SIZES: Final = {"small": 256, "large": 2**19}
FAULTS: Final = {
    "no reserved bits": ("stray.eq((fields & ", "stray.eq((fields & 0 & ", "every_way"),
    "a row beyond the vocabulary": (
        '(entries + _field(fields, "first_entry") > config.entries_max)',
        '(entries + _field(fields, "first_entry") > config.entries_max + 1)',
        "every_way",
    ),
    "one entry of a whole vocabulary": ('(entries == 1) & ~_field(fields, "partial")', "(entries == 1) & 0", "every_way"),
    "INV of a shard": (
        '~_field(fields, "partial") & (_field(fields, "inverse") > INVERSE_LIMIT)',
        '_field(fields, "inverse") > INVERSE_LIMIT',
        "good",
    ),
    "the last fault counts": (
        "with m.If(token.error == 0):\n                    m.d.sync += [token.error.eq(fault)",
        "with m.If(fault != 0):\n                    m.d.sync += [token.error.eq(fault)",
        "every_way",
    ),
    "a fault in the wrong beat": ("token.beat.eq(1)]", "token.beat.eq(0)]", "every_way"),
    "a job id of what is no packet": ("Mux(unknown, 0, ", "Mux(0, 0, ", "every_way"),
    "banks stay": ("out.bank.eq(~out.bank)", "out.bank.eq(out.bank)", "good"),
    "each beat is a first": ("m.d.sync += out.first.eq(0)", "m.d.sync += out.first.eq(1)", "good"),
    "positions of 8 lanes": ("out.position + Mux(wide, LANES // 2, LANES)", "out.position + LANES", "good"),
    "chosen before the row": ("place = Signal(WORD_BITS + 1)", "place = Signal(WORD_BITS - 24)", "good"),
    "one more entry": ("(left > lane) &", "(left >= lane) &", "good"),
    "waits for nobody": (
        "self.phase.eq(Phase.WAITING)\n                with m.If(self.free):\n                    m.next",
        "self.phase.eq(Phase.WAITING)\n                with m.If(1):\n                    m.next",
        "good.*bursts",
    ),
    "entries of a beat that did not come": ("Mux(given.fault == 0, present, 0)", "present", "pauses"),
    "ends no batch": (
        "token.ends_batch.eq(given.last),\n                    ]\n                    with m.If(given.end)",
        "]\n                    with m.If(given.end)",
        "good",
    ),
}
QUICK: Final = ("a fault in the wrong beat",)


def parameters(size: str) -> dict[str, int]:
    return {"entries_max": SIZES[size], "packets": 24}


@pytest.mark.parametrize("seed", SEEDS)
def test_phi_parser(simulate: Callable[..., BenchResult], seed: int) -> None:
    size = list(SIZES)[seed % 2]
    part = NoReady(parser.TokenParser(PhiConfig(SIZES[size])))
    simulate("sim.bench_phi_parser", part, parameters=parameters(size), name=f"phi parser {size} {seed}", seed=seed)


@pytest.mark.parametrize("fault", [pytest.param(name, marks=[] if name in QUICK else pytest.mark.slow) for name in FAULTS])
def test_fault_is_found(fault: str) -> None:
    right, wrong, test = FAULTS[fault]
    module: ModuleType = planted("hdl.phi_unit.parser", right, wrong)
    part = NoReady(module.TokenParser(PhiConfig(SIZES["small"])))
    finds("sim.bench_phi_parser", part, r"AssertionError: (a|no|beat|token|the|good|\d+) ", parameters=parameters("small"), tests=test)
