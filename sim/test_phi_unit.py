"""The whole phi unit: a little of everything under Icarus, all of it under Verilator, its speed, and faults that must be found."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest

from hdl.config import DesignConfig
from hdl.phi_unit import top
from sim.faults import finds, planted
from sim.runner import BenchResult, Simulator

CONFIG: Final = DesignConfig.from_yaml(Path(__file__).resolve().parents[1] / "hdl" / "configs" / "kv260.yaml").phi_unit
BUILD: Final = 0xB001

LEAST: Final[dict[str, Any]] = {
    "tokens": 12,
    "turns": 4,
    "every_error": False,
    "garbage": 5,
    "resets": ["streaming"],
    "moments": 0,
}
"""How much of everything `sim.bench_phi_unit` does: what Icarus, at 1,500 cycles a second, has time for."""

MORE: Final[dict[str, Any]] = {
    "tokens": 300,
    "turns": 60,
    "golden": 60,
    "sizes": [2, 200],
    "large": [[1 << 18, "float16", 0], [100_001, "bfloat16", 1]],
    "exhaustive": [["float16", 256], ["bfloat16", 256]],
    "every_error": True,
    "garbage": 100,
    "resets": ["idle", "parsing", "streaming", "waiting", "dropping"],
    "moments": 8,
    "metamorphic": 30,
}
"""What takes Verilator a minute."""

ALL: Final = (
    "identity|random_tokens|turns|golden|sizes|large|exhaustive|errors|garbage|resets|watchdog|interrupts|counters|order|formats|shift|shards"
)
"""All tests but that of speed."""

MOST: Final[dict[str, Any]] = {
    "tokens": 5000,
    "turns": 1000,
    "golden": 1000,
    "large": [
        [entries, name, partial]
        for name in ("float16", "bfloat16", "float32")
        for entries, partial in ((32_000, 0), (50_257, 0), (128_256, 1), (151_936, 0), (1 << 18, 0), ((1 << 18) - 1, 1))
    ]
    + [[1 << 19, "float16", 0]],
    "garbage": 1000,
    "moments": 60,
    "metamorphic": 300,
}
"""What takes some minutes."""

LIMIT_S: Final = 1200.0
"""Seconds for one simulation: ten times what the longest takes, for a machine that has much else to do."""

pytestmark = pytest.mark.timeout(2 * LIMIT_S)

Simulate = Callable[..., BenchResult]


def parameters(**values: object) -> dict[str, object]:
    """Return the parameters of `sim.bench_phi_unit`, the least but for ``values``."""
    return {"config": asdict(CONFIG), "build": BUILD, **LEAST, **values}


def test_least(simulate: Simulate) -> None:
    """Nothing is undefined: Icarus knows X, and the bench refuses it."""
    simulate(
        "sim.bench_phi_unit",
        top.PhiTop(CONFIG, BUILD),
        name="phi unit, least",
        parameters=parameters(),
        tests="identity|random_tokens|turns|errors|garbage|resets|interrupts",
        limit_s=LIMIT_S,
    )


def all_of_it(simulate: Simulate, seed: int, **values: object) -> None:
    simulate(
        "sim.bench_phi_unit",
        top.PhiTop(CONFIG, BUILD),
        simulator="verilator",
        name=f"phi unit, all, seed {seed}",
        parameters=parameters(**MORE | values),
        tests=ALL,
        seed=seed,
        limit_s=LIMIT_S,
    )


def test_all(simulate: Simulate) -> None:
    """Every format, size, pattern of 16 bits, error and state to be reset in, with every channel holding back."""
    all_of_it(simulate, 1)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [2, 3, 4])
def test_more(simulate: Simulate, seed: int) -> None:
    """The same with other numbers, and more of them."""
    all_of_it(simulate, seed, **MOST)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["float16", "bfloat16"])
def test_every_pattern_alone(simulate: Simulate, name: str) -> None:
    """Every pattern of 16 bits by itself: its z, and whether it is masked, excluded or clipped, stand in a field each."""
    simulate(
        "sim.bench_phi_unit",
        top.PhiTop(CONFIG, BUILD),
        simulator="verilator",
        name=f"phi unit, every {name}",
        parameters=parameters(exhaustive=[[name, 0]]),
        tests="exhaustive",
        limit_s=LIMIT_S,
    )


# --- speed

LONG: Final = 32_000
"""Entries of a vocabulary of which the unit is to take eight a cycle, but for what it takes to begin a token."""


def rates_of(simulate: Simulate, folder: Path, rates: list[list[object]]) -> list[dict[str, Any]]:
    """Return what `sim.bench_phi_unit.throughput` measured of formats, sizes and numbers of tokens, and print it."""
    output = folder / "rates.json"
    simulate(
        "sim.bench_phi_unit",
        top.PhiTop(CONFIG, BUILD),
        simulator="verilator",
        name="phi unit, throughput",
        parameters=parameters(rates=rates, output=str(output)),
        tests="throughput",
        limit_s=LIMIT_S,
    )
    made: list[dict[str, Any]] = json.loads(output.read_text(encoding="utf-8"))
    for rate in made:
        total = rate["entries"] * rate["tokens"]
        rate["per_cycle"], rate["per_token"] = total / rate["taken"], rate["answered"] / rate["tokens"]
        print(f"{rate['tokens']} tokens of {rate['entries']} {rate['format']}: {rate['per_cycle']:.3f} entries a cycle, ", end="")
        print(f"{rate['per_token']:.1f} cycles a token")
    return made


def check_rates(made: list[dict[str, Any]]) -> None:
    """Fail unless long rows come at the width of the stream, and short ones at what it takes to finish a token."""
    for rate in made:
        if rate["entries"] == LONG:
            assert rate["per_cycle"] >= (3.95 if rate["format"] == "float32" else 7.9), f"{rate}"
        # Finishing takes 150 cycles and goes on beside the next token's entries.
        lanes = 4 if rate["format"] == "float32" else 8
        assert rate["per_token"] <= max(170, rate["entries"] / lanes + 20) + 400 / rate["tokens"], f"{rate}"


SHORT: Final = [["float16", 64, 50], ["bfloat16", 256, 50], ["float16", 1024, 50], ["float32", 1024, 50]]


def test_throughput(simulate: Simulate, tmp_path: Path) -> None:
    """Entries a cycle from the first beat to the last, and cycles a token, while the output is held back in a tenth of the cycles."""
    check_rates(rates_of(simulate, tmp_path, [["float16", LONG, 10], ["float32", LONG, 5], *SHORT]))


@pytest.mark.slow
def test_throughput_of_100_tokens(simulate: Simulate, tmp_path: Path) -> None:
    """The same over 100 tokens."""
    check_rates(rates_of(simulate, tmp_path, [[name, LONG, 100] for name in ("float16", "bfloat16", "float32")]))


# --- faults


class Fault(NamedTuple):
    """What stands in a module of the unit, what takes its place, the tests that find it, and what their failure says."""

    module: str
    right: str
    wrong: str
    tests: str = "random_tokens"
    says: str = " is due; "


_CLEARS: Final = "                m.d.comb += self.walk.eq(1)\n"
_CLEARS_ONCE: Final = """
                cleared = Signal(reset_less=True)
                m.d.sync += cleared.eq(cleared | ((left == 0) & self.walk_bank))
                m.d.comb += self.walk.eq(~cleared)
                with m.If(cleared):
                    m.next = "idle"
"""
"""Banks are emptied when the power comes, but not after another reset."""

QUICK: Final = {
    "a reset leaves bins": Fault("walk", _CLEARS, _CLEARS_ONCE, "resets"),
    "an entry of an earlier turn starts its bin anew": Fault("bins", " & (old.tag <= tag)", "", "turns"),
}
"""Faults that a few tokens show."""

COMMON: Final = {
    "a NaN below zero is none": Fault("entry", "(some | ~sign)", "(some ^ sign)"),
    "bins are not emptied": Fault("bins", "Mux(walks, EMPTY, tag)", "tag"),
    "a tie goes to the later": Fault("extremes", "low.key >= high.key", "low.key > high.key"),
    "the second place of the loser": Fault("extremes", "below_low = Mux(high.z1 >= low.z2, high.z1, low.z2)", "below_low = high.z1"),
    "flags stay": Fault("summary", "(mark & ~first)", "mark"),
    "a choice stays": Fault("summary", "with m.Elif(first):", "with m.Elif(first & 0):"),
    "bins are shifted before they are scaled": Fault("moments", "(s << BIN_SHIFT) >> d[:fine_bits]", "(s >> d[:fine_bits]) << BIN_SHIFT"),
    "phi below zero": Fault("finisher", "Mux(fall > one, 0, one - fall)", "one - fall"),
    "the chosen one of a wide row": Fault("parser", "place >> (lane_bits - 1)", "place >> lane_bits"),
    "an entry too many": Fault("parser", "(left > lane)", "(left >= lane)"),
    "no second place": Fault("answer", "Mux(summary.z2 == layouts.NO_Z, NO_Z, summary.z2)", "summary.z2"),
}
"""Faults that random tokens show."""

_TABLES: Final = "phi_tables.WT, phi_tables.WU,"
_BEYOND: Final = '                | (entries + _field(fields, "first_entry") > config.entries_max)\n'

RARE: Final = {
    "a half is rounded down where negative": Fault("entry", "Mux(negative_4, sticky, 1)", "1", "exhaustive"),
    "the least that is not clipped is": Fault("entry", "(scale == _TOP) & ~fraction_1.any()", "Const(0, 1)", "exhaustive"),
    "a weight": Fault("weights", _TABLES, f"(*phi_tables.WT[:700], phi_tables.WT[700] + 1, *phi_tables.WT[701:]), {_TABLES[15:]}", "exhaustive"),
    "a rest of nothing does not fit": Fault("quotient", "fits = ~reduced[-1]", "fits = ~reduced[-1] & reduced.any()"),
    "a product lacks its lower bits": Fault("logarithm", "low_high.eq(low * high)", "low_high.eq((low * high) & 0xFF00_0000)"),
    "a choice likelier than it can be": Fault("finisher", "Mux(log2_p > 0, 0, log2_p)", "log2_p"),
    "a row beyond the end": Fault("parser", _BEYOND, "", "errors"),
    "a token from before a reset": Fault("unit", "summary.done & walk.ready", "summary.done", "resets", "resets: "),
    "a third token": Fault("unit", "(self.tokens != TOKENS)", "(self.tokens != TOKENS + 1)", says="random_tokens: "),
    "stalls of the output": Fault("top", '"stall_output": held', '"stall_output": waiting', "counters", "counters: .*stall"),
}
"""Faults that Verilator has time to find."""


def plant(monkeypatch: pytest.MonkeyPatch, fault: Fault) -> None:
    """Let every module of the unit use what a module with a fault defines."""
    name = f"hdl.phi_unit.{fault.module}"
    original, faulty = import_module(name), planted(name, fault.right, fault.wrong)
    own = [value for value in vars(original).values() if isinstance(value, type) and value.__module__ == name]
    for user in [module for at, module in sys.modules.items() if at.startswith("hdl.phi_unit")]:
        for part in own:
            if vars(user).get(part.__name__) is part:
                monkeypatch.setattr(user, part.__name__, vars(faulty)[part.__name__])


def check_found(monkeypatch: pytest.MonkeyPatch, fault: Fault, simulator: Simulator, **values: object) -> None:
    """Fail unless the bench finds a fault."""
    plant(monkeypatch, fault)
    finds(
        "sim.bench_phi_unit",
        top.PhiTop(CONFIG, BUILD),
        fault.says,
        simulator=simulator,
        parameters=parameters(**values),
        tests=fault.tests,
        limit_s=LIMIT_S,
    )


@pytest.mark.parametrize("fault", QUICK.values(), ids=QUICK)
def test_a_fault_is_found(monkeypatch: pytest.MonkeyPatch, fault: Fault) -> None:
    check_found(monkeypatch, fault, "icarus")


@pytest.mark.slow
@pytest.mark.parametrize("fault", COMMON.values(), ids=COMMON)
def test_a_common_fault_is_found(monkeypatch: pytest.MonkeyPatch, fault: Fault) -> None:
    check_found(monkeypatch, fault, "icarus", tokens=100)


@pytest.mark.slow
@pytest.mark.parametrize("fault", RARE.values(), ids=RARE)
def test_a_rare_fault_is_found(monkeypatch: pytest.MonkeyPatch, fault: Fault) -> None:
    check_found(monkeypatch, fault, "verilator", **MORE | {"tokens": 3000, "moments": 60})


@pytest.mark.slow
def test_one_token_at_a_time_is_found(monkeypatch: pytest.MonkeyPatch, simulate: Simulate, tmp_path: Path) -> None:
    """The measurement is not blind: a unit that takes no entries while it finishes a token is too slow."""
    plant(monkeypatch, Fault("unit", "(self.tokens != TOKENS)", "(self.tokens == 0)"))
    with pytest.raises(AssertionError, match="entries"):
        check_rates(rates_of(simulate, tmp_path, [["float16", LONG, 10]]))
