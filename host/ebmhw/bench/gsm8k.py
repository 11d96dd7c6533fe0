"""What VIOLATED is worth on real solutions: four models' answers to GSM8K questions, each known to be right or wrong.

Takes a file of lines {question, <model>: {solution, is_correct}, ...}, such as the model solutions of openai/grade-school-math. Constants of the
grounding check were chosen on the first half of such a file; only the second half is measured.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ebmhw.bench.harness import Case, Measure, Peer

if TYPE_CHECKING:
    from ebmhw.verify import Report

FILE = "gsm8k_model_solutions_part.jsonl"

KINDS = {
    "arithmetic": "a claim of any domain but grounding is VIOLATED: an equation, a chain or an answer is wrong",
    "number from nowhere": "a step uses a number that is neither given nor derived",
    "given number unused": "no step uses a number that the question gives",
    "any": "one of these",
}

SUSPECT = 0.3
"""Weight of a VIOLATED solution's vote; .1 and .5 choose within 3 of the same number of right answers on the first half."""


class Solution(NamedTuple):
    """A model's solution: the model, whether it is right, what it answers, and the kinds of violation found."""

    model: str
    right: bool
    answer: str
    found: frozenset[str]


def cases(data: Path | None) -> list[Case]:
    """Return precision and recall of each kind of check, and how many questions are answered rightly by choosing; none without the file."""
    path = None if data is None else data / FILE
    if path is None or not path.is_file():
        return []
    made = []
    for kind, meaning in KINDS.items():
        for figure in ("precision", "recall"):
            made.append(
                Case(
                    name=f"gsm8k/{kind}, {figure}",
                    measures=f"{figure} of VIOLATED against wrong solutions, in percent, where {meaning}; beside all solutions flagged",
                    unit="%",
                    ours=_fixed(partial(_figure, path, kind, figure)),
                    peers=(Peer("flag all", _fixed(partial(_flag_all, path, figure))),),
                    max_rounds=1,
                    warm_up=False,
                )
            )
    made.append(
        Case(
            name="gsm8k/choosing among the models' answers",
            measures="percent of questions answered rightly by a vote in which VIOLATED solutions count less, against a plain one and the best model",
            unit="%",
            ours=_fixed(lambda: _voted(path, SUSPECT)),
            peers=(
                Peer("majority", _fixed(lambda: _voted(path, 1.0))),
                Peer("best single model", _fixed(lambda: max(_share(path, model) for model in _models(path)))),
                Peer("any of them", _fixed(lambda: 100.0 * sum(any(s.right for s in q) for q in judged(path)) / len(judged(path)))),
            ),
            max_rounds=1,
            warm_up=False,
        )
    )
    return made


@lru_cache(maxsize=1)
def judged(path: Path, second_half: bool = True) -> tuple[tuple[Solution, ...], ...]:
    """Return the solutions of each question with what verify finds in them."""
    from ebmhw.verify import VerifyRepairPipeline
    from ebmhw.verify.selection import final_answer

    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    rows = rows[len(rows) // 2 :] if second_half else rows[: len(rows) // 2]
    pipeline = VerifyRepairPipeline(domains=["dates", "arithmetic", "logic", "grounding"])
    found = []
    for row in rows:
        solutions = {name: value for name, value in row.items() if isinstance(value, dict)}
        found.append(
            tuple(
                Solution(
                    name, value["is_correct"], final_answer(value["solution"]) or "", _kinds(pipeline.verify(row["question"], value["solution"]))
                )
                for name, value in solutions.items()
            )
        )
    return tuple(found)


def _kinds(report: Report) -> frozenset[str]:
    names = {"step": "number from nowhere", "unused": "given number unused"}
    kinds = {names[claim.kind] if claim.domain == "grounding" else "arithmetic" for claim in report.violations}
    return frozenset(kinds | {"any"}) if kinds else frozenset()


def _figure(path: Path, kind: str, figure: str) -> float:
    solutions = [solution for question in judged(path) for solution in question]
    flagged = [solution for solution in solutions if kind in solution.found]
    caught = sum(not solution.right for solution in flagged)
    return 100.0 * caught / max(1, len(flagged) if figure == "precision" else sum(not solution.right for solution in solutions))


def _flag_all(path: Path, figure: str) -> float:
    solutions = [solution for question in judged(path) for solution in question]
    return 100.0 if figure == "recall" else 100.0 * sum(not solution.right for solution in solutions) / len(solutions)


def _voted(path: Path, suspect: float) -> float:
    return 100.0 * sum(_chosen(question, suspect) for question in judged(path)) / len(judged(path))


def _chosen(question: Sequence[Solution], suspect: float) -> bool:
    """Tell whether the answer with most votes is right; of equals the one that comes first."""
    votes = dict.fromkeys((solution.answer for solution in question), 0.0)
    for solution in question:
        votes[solution.answer] += suspect if solution.found else 1.0
    best = max(votes, key=lambda answer: votes[answer])
    return next(solution.right for solution in question if solution.answer == best)


def _models(path: Path) -> list[str]:
    return [solution.model for solution in judged(path)[0]]


def _share(path: Path, model: str) -> float:
    answers = [solution.right for question in judged(path) for solution in question if solution.model == model]
    return 100.0 * sum(answers) / len(answers)


def _fixed(value: Callable[[], float]) -> Callable[[object], Measure]:
    """Return the side of a case whose value is the same in every round."""
    return lambda _: lambda number: value()
