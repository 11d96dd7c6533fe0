"""Memories: their bench, and faults that it must find."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from types import ModuleType
from typing import Final

import pytest

from hdl.config import DesignConfig
from hdl.ising_core import memories, spins
from sim.faults import finds, planted
from sim.parts import Together
from sim.runner import BenchResult
from sim.seeds import SEEDS

SMALL: Final = DesignConfig.from_yaml(Path(__file__).parents[1] / "hdl/configs/small.yaml").ising_core
SPINS: Final = {
    "spins_two": replace(SMALL, slots=2, lanes=7),
    "spins_four": replace(SMALL, spin_latency=3, spins_max=37),
    "spins_six": replace(SMALL, slots=6, spin_latency=5, lanes=1, spins_max=2),
}
BEATS: Final = {
    "beats": SMALL,
    "beats_odd": replace(SMALL, slots=2, beats_max=101, beats_block=37),
    "beats_most": replace(SMALL, slots=6, beats_max=37, beats_block=36),
    "beats_two": replace(SMALL, slots=16, beats_max=2, beats_block=1),
}
TABLES: Final = {"table": (33, 64), "table_odd": (1, 5)}
PARAMETERS: Final = {
    "spins": {name: asdict(config) for name, config in SPINS.items()},
    "beats": {name: asdict(config) for name, config in BEATS.items()},
    "tables": TABLES,
}
FAULTS: Final = {
    "border off by one": ("hdl.ising_core.memories", "in_back = address >= first", "in_back = address > first"),
    "lost below the border": ("hdl.ising_core.memories", "write_address < first", "write_address < first - 1"),
    "one copy not written": ("hdl.ising_core.spins", "write.en.eq(self.write)", "write.en.eq(self.write & (name != 'slot1'))"),
    "own spin a cycle early": ("hdl.ising_core.spins", "self.own, OWN_LATENCY)", "self.own, OWN_LATENCY - 1)"),
}


def everything(memory_module: ModuleType, spin_module: ModuleType) -> Together:
    parts = {name: spin_module.SpinMemory(config) for name, config in SPINS.items()}
    parts |= {name: memory_module.BeatMemory(config) for name, config in BEATS.items()}
    return Together(parts | {name: memory_module.TableMemory(bits, depth) for name, (bits, depth) in TABLES.items()})


@pytest.mark.parametrize("seed", SEEDS)
def test_memories(simulate: Callable[..., BenchResult], seed: int) -> None:
    simulate("sim.bench_memories", everything(memories, spins), parameters=PARAMETERS, name=f"memories {seed}", seed=seed)


@pytest.mark.parametrize(("module", "right", "wrong"), FAULTS.values(), ids=FAULTS)
def test_fault_is_found(module: str, right: str, wrong: str) -> None:
    faulty = planted(module, right, wrong)
    parts = everything(faulty, spins) if module.endswith("memories") else everything(memories, faulty)
    finds("sim.bench_memories", parts, r"port \d+, address \d+: ", parameters=PARAMETERS)
