"""What a confidence is worth on real solutions: four models' answers to GSM8K questions, each known to be right or wrong.

The calibrator is fitted on the first half of the questions (its threshold too) and judged on the second; no question is in both. "alone" knows a
solution and its report; "with agreement" also how many of the three other models end in the same answer.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from ebmhw.bench.gsm8k import FILE
from ebmhw.bench.harness import Case, Measure, Peer

if TYPE_CHECKING:
    from ebmhw.verify.confidence import Calibrator, Evaluation, Example

RISK = 0.2
"""Of the threshold: a bound on 0.1 needs some 50 answers without a wrong one, more than the questions that it is chosen on have."""


def cases(data: Path | None) -> list[Case]:
    """Return discrimination, calibration, and coverage at a risk; none without the file."""
    path = None if data is None else data / FILE
    if path is None or not path.is_file():
        return []
    made = []
    for told, agreement in (("alone", False), ("with agreement", True)):
        figures: list[tuple[str, str, str, Callable[[], float], tuple[Peer, ...], bool]] = [
            (
                "AUROC",
                "probability that a right solution is above a wrong one, in percent; 50 tells nothing",
                "%",
                partial(_auroc, path, agreement),
                (Peer("verdict alone", _fixed(partial(_by_verdict, path))), Peer("shuffled truths", _fixed(partial(_shuffled, path, agreement)))),
                True,
            ),
            (
                "log loss",
                "log loss, beside giving all the base rate",
                "nats",
                partial(_log_loss, path, agreement),
                (Peer("base rate", _fixed(partial(_base_rate, path, agreement))),),
                False,
            ),
            (
                "calibration error",
                "expected calibration error over ten bins, beside what chance alone makes",
                "",
                partial(_ece, path, agreement),
                (Peer("by chance", _fixed(partial(_ece_by_chance, path, agreement))),),
                False,
            ),
            (
                "answers given, 10 % wrong",
                "percent of solutions above the probability from which on 10 of 100 are wrong, chosen on these very solutions",
                "%",
                partial(_coverage, path, agreement),
                (),
                True,
            ),
            (
                f"answers given, at most {RISK:.0%} wrong by bound",
                f"percent above the threshold that keeps the risk of {RISK:g} with 95 % confidence, chosen on the first half; 0: always abstains",
                "%",
                partial(_given, path, agreement),
                (Peer("of these wrong", _fixed(partial(_wrong, path, agreement))),),
                True,
            ),
        ]
        for figure, measures, unit, ours, peers, higher in figures:
            made.append(
                Case(
                    name=f"confidence/{told}, {figure}",
                    measures=measures,
                    unit=unit,
                    ours=_fixed(ours),
                    peers=peers,
                    higher_is_better=higher,
                    ratio=False,
                    max_rounds=1,
                    warm_up=False,
                )
            )
    return made


@lru_cache(maxsize=1)
def halves(path: Path) -> tuple[tuple[Example, ...], tuple[Example, ...]]:
    """Return the solutions of both halves of the questions, with agreement."""
    from ebmhw.verify import VerifyRepairPipeline
    from ebmhw.verify.confidence import example
    from ebmhw.verify.selection import final_answer

    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    pipeline = VerifyRepairPipeline(domains=["dates", "arithmetic", "logic", "grounding"])

    def of(half: list[dict[str, object]]) -> tuple[Example, ...]:
        found = []
        for row in half:
            solutions = {name: value for name, value in row.items() if isinstance(value, dict)}
            answers = {name: final_answer(value["solution"]) for name, value in solutions.items()}
            for name, value in solutions.items():
                others = [answer for other, answer in answers.items() if other != name]
                agreement = sum(answer == answers[name] for answer in others) / len(others)
                found.append(example(pipeline.verify(str(row["question"]), value["solution"]), value["is_correct"], agreement=agreement))
        return tuple(found)

    return of(rows[: len(rows) // 2]), of(rows[len(rows) // 2 :])


def _told(examples: tuple[Example, ...], agreement: bool) -> list[Example]:
    if agreement:
        return list(examples)
    return [one._replace(features={name: value for name, value in one.features.items() if name != "agreement"}) for one in examples]


@lru_cache(maxsize=2)
def _judged(path: Path, agreement: bool) -> tuple[Calibrator, Evaluation]:
    from ebmhw.verify.confidence import Calibrator

    first, second = halves(path)
    made = Calibrator.fit(_told(first, agreement), target_risk=RISK)
    return made, made.evaluate(_told(second, agreement))


def _auroc(path: Path, agreement: bool) -> float:
    return 100.0 * _judged(path, agreement)[1].auroc.value


def _by_verdict(path: Path) -> float:
    from ebmhw.verify.confidence import evaluate

    second = halves(path)[1]
    flagged = [any(one.features[name] for name in ("violated", "suspicions_strange", "suspicions_unused")) for one in second]
    return 100.0 * evaluate([0.25 if flag else 0.75 for flag in flagged], [one.correct for one in second]).auroc.value


def _shuffled(path: Path, agreement: bool) -> float:
    """Return the AUROC where nothing can be learned or told: truths are dealt out anew in both halves."""
    import numpy as np

    from ebmhw.verify.confidence import Calibrator

    dealt = []
    for seed, half in enumerate(halves(path)):
        order = np.random.default_rng(seed).permutation(len(half))
        dealt.append([one._replace(correct=half[at].correct) for one, at in zip(_told(half, agreement), order, strict=True)])
    return 100.0 * Calibrator.fit(dealt[0]).evaluate(dealt[1]).auroc.value


def _log_loss(path: Path, agreement: bool) -> float:
    return _judged(path, agreement)[1].log_loss.value


def _base_rate(path: Path, agreement: bool) -> float:
    return _judged(path, agreement)[1].log_loss_of_base_rate


def _ece(path: Path, agreement: bool) -> float:
    return _judged(path, agreement)[1].ece


def _ece_by_chance(path: Path, agreement: bool) -> float:
    return _judged(path, agreement)[1].ece_by_chance


def _coverage(path: Path, agreement: bool) -> float:
    return 100.0 * _judged(path, agreement)[1].coverage_at(0.1)


def _given(path: Path, agreement: bool) -> float:
    made, second = _judged(path, agreement)[0], _told(halves(path)[1], agreement)
    return 0.0 if made.threshold.at is None else 100.0 * float((made.probabilities(second) >= made.threshold.at).mean())


def _wrong(path: Path, agreement: bool) -> float:
    made, second = _judged(path, agreement)[0], _told(halves(path)[1], agreement)
    given = [] if made.threshold.at is None else [one for one, p in zip(second, made.probabilities(second), strict=True) if p >= made.threshold.at]
    return 100.0 * sum(not one.correct for one in given) / max(1, len(given))


def _fixed(value: Callable[[], float]) -> Callable[[object], Measure]:
    """Return the side of a case whose value is the same in every round."""
    return lambda _: lambda number: value()
