"""The split of the register port, and whether its bench finds faults put into it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import pytest

from hdl.common.axi_split import AxiSplit
from sim.faults import finds, planted
from sim.runner import BenchResult
from sim.seeds import SEEDS

BENCH: Final = "sim.bench_axi_split"
PARAMETERS: Final[dict[str, Any]] = {"address_bits": 9, "transfers": 20}

FAULTS: Final = {
    "swaps the halves of writes": (
        "with m.If(begins & (address[-1] == number)):\n                m.d.sync += [part.awvalid",
        "with m.If(begins & (address[-1] != number)):\n                m.d.sync += [part.awvalid",
    ),
    "reads where it wrote": (
        "(address[-1] == number)):\n                m.d.sync += [part.arvalid",
        "(0 == number)):\n                m.d.sync += [part.arvalid",
    ),
    "hands on half a write": ("begins.eq(address_held & data_held & ~under_way)", "begins.eq(address_held & ~under_way)"),
    "keeps the data": ("address_held.eq(0), data_held.eq(0)]", "address_held.eq(0)]"),
    "writes twice": (
        "with m.If(part.wready):\n                m.d.sync += part.wvalid.eq(0)",
        "with m.If(part.bvalid):\n                m.d.sync += part.wvalid.eq(0)",
    ),
    "every answer is good": ("bus.rresp.eq(part.rresp)", "bus.rresp.eq(0)"),
    "strobes are not handed on": ("part.wstrb.eq(strobes)", "part.wstrb.eq(-1)"),
    "protection is not handed on": ("part.arprot.eq(protection)", "part.arprot.eq(0)"),
    "an address that follows the port": ("part.araddr.eq(address)", "part.araddr.eq(bus.araddr)"),
    "takes two reads": ("m.d.sync += bus.arready.eq(~address_held)", "m.d.sync += bus.arready.eq(1)"),
    "an answer that is not held": ("with m.If(bus.rvalid & bus.rready)", "with m.If(bus.rvalid)"),
}


@pytest.mark.parametrize("seed", SEEDS)
def test_axi_split(simulate: Callable[..., BenchResult], seed: int) -> None:
    simulate(BENCH, AxiSplit(9), parameters=PARAMETERS, name=f"axi_split {seed}", seed=seed)


def test_another_width(simulate: Callable[..., BenchResult]) -> None:
    simulate(BENCH, AxiSplit(14), parameters=PARAMETERS | {"address_bits": 14}, name="axi_split, 14 bits")


@pytest.mark.parametrize(("right", "wrong"), FAULTS.values(), ids=FAULTS)
def test_a_planted_fault_is_found(right: str, wrong: str) -> None:
    faulty = planted("hdl.common.axi_split", right, wrong).AxiSplit(9)
    finds(BENCH, faulty, r"(AssertionError|SimTimeoutError|ValueError)", parameters=PARAMETERS)
