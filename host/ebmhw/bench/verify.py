"""How well `verify` judges: wrong answers caught, right ones flagged, on pairs whose truth is known.

``python -m ebmhw.bench.verify [SEED]`` prints the counts of every kind.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from ebmhw.bench.harness import Case, Measure
from ebmhw.bench.verification import LISTED, Counts, Pair, evaluate, knowledge_of, make_pairs, table
from ebmhw.bench.verification.pairs import Split

if TYPE_CHECKING:
    from ebmhw.verify import VerifyRepairPipeline

SETS = ("listed", "development", "held-out")
QUICK_EACH = 4
"""Pairs of a kind where work is to be small."""


def cases(quick: bool) -> list[Case]:
    """Return the cases: of each set the share of wrong answers caught, the number of others flagged, the share of right ones verified."""
    return [_case(name, *measured, quick=quick) for name in SETS for measured in _MEASURED]


_MEASURED: tuple[tuple[str, str, str, Callable[[Counts], float], bool, float | None], ...] = (
    ("caught", "percent of the wrong answers that are VIOLATED", "%", lambda counts: 100 * counts.caught / counts.wrong, True, None),
    ("flagged", "right or undecidable answers that are VIOLATED", "answers", lambda counts: float(counts.flagged), False, 0.0),
    ("verified", "percent of the right answers that are VERIFIED", "%", lambda counts: 100 * counts.verified / counts.right, True, None),
)


def _case(name: str, what: str, meaning: str, unit: str, value: Callable[[Counts], float], higher: bool, goal: float | None, *, quick: bool) -> Case:
    def ours(pipeline: VerifyRepairPipeline) -> Measure:
        return lambda number: value(evaluate(pipeline, pairs_of(name, max(number, 0), quick))["all"])

    return Case(
        name=f"verify/{name} {what}",
        measures=f"{meaning}, of {_described(name)}, each round with another seed",
        unit=unit,
        setup=lambda _: pipeline_for(name),
        ours=ours,
        higher_is_better=higher,
        goal=goal,
        ratio=False,
        max_rounds=1 if name == "listed" else None,
        warm_up=False,
    )


def _described(name: str) -> str:
    return "the answers that the field's shipped verifier missed or flagged" if name == "listed" else f"the {name} half of the generated pairs"


def pairs_of(name: str, seed: int = 0, quick: bool = False) -> list[Pair]:
    """Return the pairs of a set: "listed", "development" or "held-out"."""
    if name == "listed":
        return list(LISTED)
    split: Split = "development" if name == "development" else "held-out"
    return make_pairs(split, seed, QUICK_EACH) if quick else make_pairs(split, seed)


def pipeline_for(name: str) -> VerifyRepairPipeline:
    """Return a pipeline of every exact domain, with the facts that a set goes by."""
    from ebmhw.verify import VerifyRepairPipeline
    from ebmhw.verify.facts import Knowledge

    return VerifyRepairPipeline(knowledge=Knowledge.from_text(knowledge_of("held-out" if name == "held-out" else "development")))


def main(seed: int) -> None:
    """Print the counts by kind of every set."""
    for name in SETS:
        print(f"{name}\n{table(evaluate(pipeline_for(name), pairs_of(name, seed)))}\n")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
