"""A small real language model on one-step problems, before and after verify_and_repair.

Whether an answer is right is not the pipeline's to say: it is where the last number in it is the truth.
"""

from __future__ import annotations

import functools
import random
import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from ebmhw.bench.harness import Case, Measure, Peer

PROBLEMS, QUICK_PROBLEMS = 200, 24
SEED = 20261
# What it says on a one-step problem within 40 tokens is its answer; after that it talks on.
MAX_TOKENS = 48
# 60 answers of up to 96 tokens took 2 minutes of two busy cores, 64 side by side.
ROWS = 64

_WORDS = {"+": ("{a} + {b}", "{a} plus {b}"), "-": ("{a} - {b}", "{a} minus {b}"), "*": ("{a} * {b}", "{a} times {b}")}
_LAST_NUMBER = re.compile(r"(?<![\w.])[-\u2212]?\d[\d,]*(?:\.\d+)?|\d[\d,]*(?:\.\d+)?")


class Problem(NamedTuple):
    """A question and its true answer; ``kind`` is digits and operation, such as "2*"."""

    kind: str
    question: str
    truth: int


class Outcome(NamedTuple):
    """What SmolLM2 answered to a problem, and what was left of it after repair."""

    problem: Problem
    before: str
    after: str
    verdict: str
    verdict_after: str

    @property
    def right_before(self) -> bool:
        """Whether the model's own answer is right."""
        return is_right(self.before, self.problem.truth)

    @property
    def right_after(self) -> bool:
        """Whether the repaired answer is."""
        return is_right(self.after, self.problem.truth)


def cases(quick: bool) -> list[Case]:
    """Return the cases; ``quick`` takes 24 problems."""
    count = QUICK_PROBLEMS if quick else PROBLEMS
    texts = f"{count} one-step problems (sums, differences and products of one- and two-digit numbers) that SmolLM2-135M-Instruct answered"
    return [
        Case(
            name="verify/smollm2 right",
            measures=f"right answers after verify_and_repair, of {texts}; the peer is the model's own answers",
            unit="answers",
            setup=lambda _: outcomes(count),
            ours=lambda found: _count(found, lambda one: one.right_after),
            peers=(Peer("SmolLM2 alone", lambda found: _count(found, lambda one: one.right_before)),),
            max_rounds=1,
            warm_up=False,
        ),
        Case(
            name="verify/smollm2 spoiled",
            measures=f"right answers that verify_and_repair made wrong, of {texts}",
            unit="answers",
            setup=lambda _: outcomes(count),
            ours=lambda found: _count(found, lambda one: one.right_before and not one.right_after),
            higher_is_better=False,
            goal=0,
            max_rounds=1,
            warm_up=False,
        ),
    ]


def _count(found: Sequence[Outcome], counted: Callable[[Outcome], bool]) -> Measure:
    return lambda _: float(sum(counted(one) for one in found))


def problems(count: int, seed: int = SEED) -> list[Problem]:
    """Return problems of the six kinds in turn; differences are not below 0."""
    rng = random.Random(seed)
    found = []
    for number in range(count):
        digits, op = 1 + number % 2, "+-*"[number // 2 % 3]
        a, b = (rng.randint(10 ** (digits - 1), 10**digits - 1) for _ in range(2))
        if op == "-" and a < b:
            a, b = b, a
        truth = {"+": a + b, "-": a - b, "*": a * b}[op]
        found.append(Problem(f"{digits}{op}", f"What is {rng.choice(_WORDS[op]).format(a=a, b=b)}?", truth))
    return found


def is_right(answer: str, truth: int) -> bool:
    """Return whether the last number in an answer is the truth."""
    numbers = _LAST_NUMBER.findall(answer)
    return bool(numbers) and float(numbers[-1].replace(",", "").replace("\u2212", "-")) == truth


@functools.cache
def answers(count: int) -> tuple[str, ...]:
    """Return the model's likeliest answers to the problems, generated once a process."""
    from ebmhw.verify.models import Message
    from ebmhw.verify.models.smollm2 import load_smollm2

    conversations = [[Message("user", problem.question)] for problem in problems(count)]
    found = load_smollm2(rows=ROWS).generate_each(conversations, max_tokens=MAX_TOKENS, time_limit=None)
    return tuple(completions[0].text for completions in found)


@functools.cache
def outcomes(count: int) -> tuple[Outcome, ...]:
    """Return what became of those answers; where exact repair does not help, the model is asked again."""
    from ebmhw.verify import VerifyRepairPipeline

    pipeline = VerifyRepairPipeline(llm="smollm2")
    found = []
    for problem, answer in zip(problems(count), answers(count), strict=True):
        repaired = pipeline.verify_and_repair(problem.question, answer, max_repairs=2, max_tokens=MAX_TOKENS)
        found.append(Outcome(problem, answer, repaired.final_answer, repaired.initial.verdict, repaired.verdict))
    return tuple(found)
