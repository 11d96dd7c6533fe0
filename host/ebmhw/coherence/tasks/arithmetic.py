"""ArithmeticTask: one-step problems of small numbers with exact answers."""

from __future__ import annotations

import functools
import hashlib
import random
from collections.abc import Sequence
from fractions import Fraction
from typing import Any, NamedTuple, final

from ebmhw.coherence.tasks.answers import stated_number
from ebmhw.coherence.tasks.task import Example, Task, check_request, completion_text, rounds
from ebmhw.errors import ConfigError, ValidationError, shown

KINDS = {
    "1+": "one digit plus one digit",
    "1-": "one digit minus a smaller or equal one",
    "1*": "one digit times one digit",
    "21+": "two digits plus one digit",
    "21-": "two digits minus one digit",
    "21*": "two digits times one digit",
    "2+": "two digits plus two digits",
    "2-": "two digits minus a smaller or equal number of two",
    "2*": "two digits times two digits",
}
"""Kinds of problems."""

EVAL_SHARE = 4
"""One problem in so many, picked by a hash of it, is of the split "eval"."""


class _Problem(NamedTuple):
    kind: str
    a: int
    op: str
    b: int

    @property
    def truth(self) -> int:
        return {"+": self.a + self.b, "-": self.a - self.b, "*": self.a * self.b}[self.op]

    @property
    def is_eval(self) -> bool:
        # 3 + 5 and 5 + 3 fall on one side: who knows the one knows the other.
        a, b = (self.a, self.b) if self.op == "-" else sorted((self.a, self.b))
        return hashlib.blake2b(f"{a}{self.op}{b}".encode(), digest_size=1).digest()[0] % EVAL_SHARE == 0


@final
class ArithmeticTask(Task):
    """One-step sums, differences and products; the score is 1 where the answer that a completion states is exactly right, else 0.

    What counts as the answer is said at `ebmhw.coherence.tasks.answers.stated_number`. Columns: "answer" (int), "kind".

    Parameters
    ----------
    kinds : which of `KINDS`, in turn
    question : text of the user's message, in which {problem} stands for "7 + 5"
    system : text of a system message, or None for none

    Raises
    ------
    ConfigError : a kind that does not exist, or a question without {problem}
    """

    def __init__(
        self,
        kinds: Sequence[str] = ("1+", "1-", "1*"),
        question: str = "What is {problem}? Answer with the number only.",
        system: str | None = None,
    ) -> None:
        listed = () if isinstance(kinds, str) else tuple(kinds)
        for kind in listed or (kinds,):
            if not isinstance(kind, str) or kind not in KINDS:
                raise ConfigError(f"kind {shown(kind)} of the task arithmetic does not exist; give a list of some of {', '.join(KINDS)}")
        if not isinstance(question, str) or "{problem}" not in question:
            raise ConfigError(f"question of the task arithmetic is {shown(question)}; give a text with {{problem}} in it")
        if system is not None and not isinstance(system, str):
            raise ConfigError(f"system of the task arithmetic is {shown(system)}; give a text, or nothing")
        self.kinds, self.question, self.system = tuple(dict.fromkeys(listed)), question, system

    @property
    def name(self) -> str:
        return "arithmetic"

    def examples(self, split: str, count: int, seed: int = 0) -> list[Example]:
        number = check_request(split, count)
        by_kind = [_problems(kind, split) for kind in self.kinds]
        return rounds(lambda turn: self._ordered(by_kind, f"{seed} {split} {turn}"), number, split, self.name)

    def score(self, example: Example, completion: str) -> float:
        truth = example.columns.get("answer")
        if not isinstance(truth, int):
            raise ValidationError(f"column 'answer' of an example of the task arithmetic is {shown(truth)}; give the whole number that is right")
        return float(stated_number(completion_text(completion)) == Fraction(truth))

    def _ordered(self, by_kind: Sequence[Sequence[_Problem]], seed: str) -> list[Example]:
        """Return all problems in an order of their own, the kinds in turn as long as they last."""
        rng = random.Random(seed)
        shuffled = [rng.sample(problems, len(problems)) for problems in by_kind]
        longest = max(map(len, shuffled))
        return [self._example(problems[i]) for i in range(longest) for problems in shuffled if i < len(problems)]

    def _example(self, problem: _Problem) -> Example:
        text = self.question.replace("{problem}", f"{problem.a} {problem.op} {problem.b}")
        prompt = [] if self.system is None else [{"role": "system", "content": self.system}]
        columns: dict[str, Any] = {"answer": problem.truth, "kind": problem.kind}
        return Example([*prompt, {"role": "user", "content": text}], columns)


@functools.cache
def _problems(kind: str, split: str) -> tuple[_Problem, ...]:
    """Return all problems of a kind that belong to a split."""
    digits, op = kind[:-1], kind[-1]
    first, second = (range(10 ** (int(n) - 1), 10 ** int(n)) for n in (digits[0], digits[-1]))
    found = (_Problem(kind, a, op, b) for a in first for b in second if op != "-" or a >= b)
    return tuple(problem for problem in found if problem.is_eval == (split == "eval"))
