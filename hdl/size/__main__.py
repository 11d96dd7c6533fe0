"""``python -m hdl.size [--config NAME] [--update]``: what a design takes of its device, and whether that is within its plan and its budget."""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from ebmhw.contract.design import MODULE
from ebmhw.contract.sources import config_path
from hdl.config import DesignConfig
from hdl.files import write_whole
from hdl.generate import configs
from hdl.size.budget import BudgetError, Plan, compare, read_budget, sanity, written_budget
from hdl.size.measure import measure, rtlil
from hdl.size.report import register_table, table
from hdl.size.synthesis import SynthesisError
from hdl.top import Ebmhw

ROOT: Final = Path(__file__).resolve().parents[2]
HERE: Final = Path(__file__).resolve().parent
OUT: Final = ROOT / "out" / "size"

SPLIT: Final = (
    "",
    *("ising_core", "ising_core.instance", "ising_core.instance.core"),
    *("phi_unit", "phi_unit.instance", "phi_unit.instance.core"),
)
"""Parts of a design whose submodules are blocks of their own."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure a design, print its table, and return 1 if it does not keep to what it should."""
    options = _options(arguments)
    start = time.monotonic()

    def tell(text: str) -> None:
        print(f"[{time.monotonic() - start:4.0f} s] {text}", file=sys.stderr, flush=True)

    try:
        problems = _measured(options.config, options.update, options.block, options.jobs, tell)
    except (SynthesisError, BudgetError) as error:
        problems = [str(error)]
    except KeyboardInterrupt:
        tell("interrupted; finished blocks are kept, nothing else was written")
        return 130
    _say("FAILED", problems)
    tell(f"{len(problems)} problems" if problems else "within its plan and its budget")
    return 1 if problems else 0


def _measured(config: str, update: bool, shown: str | None, jobs: int, tell: Callable[[str], None]) -> list[str]:
    """Measure a design, print what it takes, write it down, and return where it does not keep to its plan and its budget."""
    plan_path, budget_path = HERE / f"{config}.plan.yaml", HERE / f"{config}.budget.yaml"
    plan = Plan.read(plan_path) if plan_path.is_file() else None
    text = rtlil(Ebmhw(DesignConfig.from_yaml(config_path(ROOT, config))), MODULE)
    tell(f"elaborated {config}: {len(text) / 1e6:.1f} MB of RTLIL")
    size, problems = measure(text, MODULE, SPLIT, OUT / "blocks", jobs=jobs, tell=tell)
    if not size.blocks:
        return problems
    print(table(size, plan.device if plan else None))
    if shown:
        print("\n" + "\n".join(register_table(block) for block in size.blocks if block.name == shown))
        if shown not in (names := [block.name for block in size.blocks]):
            problems.append(f"there is no block {shown}; there are {', '.join(names)}")
    versions = {name: importlib.metadata.version(package) for name, package in (("yosys", "pyosys"), ("amaranth", "amaranth"))}
    write_whole(OUT / f"{config}.json", size.to_json({"config": config, **versions}).encode())
    tell(f"wrote {(OUT / config).relative_to(ROOT)}.json")
    problems += sanity(size)
    if plan:
        problems += plan.problems(size)
    else:
        _say("hint", [f"{plan_path.relative_to(ROOT)} is missing: there are no limits, and no plan of memories and multiplications"])
    if update:
        write_whole(budget_path, written_budget(config, size).encode())
        tell(f"wrote {budget_path.relative_to(ROOT)}")
    elif budget_path.is_file():
        over, hints = compare(size, read_budget(budget_path))
        problems += over
        _say("hint", hints)
    elif plan:
        problems.append(f"{budget_path.relative_to(ROOT)} is missing; run with --update")
    return problems


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m hdl.size", description="Measure what a design takes of its device, by Yosys.")
    parser.add_argument("--config", default="kv260", choices=configs(), help="name of a file in hdl/configs; default: kv260")
    parser.add_argument("--update", action="store_true", help="write the figures into the budget instead of comparing them")
    parser.add_argument("--block", metavar="NAME", help="show also what each register of a block takes")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="blocks synthesised at once; default: one a processor")
    return parser.parse_args(arguments)


def _say(what: str, lines: Sequence[str]) -> None:
    for line in lines:
        print(f"{what}: {line}")


if __name__ == "__main__":
    raise SystemExit(main())
