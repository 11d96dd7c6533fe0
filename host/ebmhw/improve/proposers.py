"""Proposers: where candidates come from, a language model or a user's function."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol, final

from ebmhw.errors import VerificationError
from ebmhw.improve.lessons import MOST, Lesson
from ebmhw.improve.objective import Objective
from ebmhw.improve.proposal import Proposal, claims_in, proposal_of
from ebmhw.verify.models import LanguageModel, Message


class Situation(NamedTuple):
    """What a proposer is told.

    Attributes
    ----------
    objective : what is to be improved
    code : the incumbent's source
    energy : its mean energy on instances that are held out of every gate; None where it gave no answer
    lessons : what earlier rounds taught, the most frequent first
    round : number of the proposal, from 1
    """

    objective: Objective
    code: str
    energy: float | None
    lessons: Sequence[Lesson]
    round: int


class Proposer(Protocol):
    """Makes a proposal of a situation; an error that it raises is a failed round."""

    def __call__(self, situation: Situation) -> Proposal:
        """Return a candidate."""


@final
class FunctionProposer:
    """A user's function from a `Situation` to code, (code, claims) or a `Proposal`.

    It runs in this process and is trusted; what it returns is not.
    """

    def __init__(self, function: Callable[[Situation], Any]) -> None:
        self._function = function
        self.name = f"function {getattr(function, '__name__', type(function).__name__)}"

    def __call__(self, situation: Situation) -> Proposal:
        """Return what the function proposes."""
        return proposal_of(self._function(situation), self.name)


@final
class ModelProposer:
    """A language model that is shown the incumbent and the lessons, and answers with a Python block and lines "CLAIM: ...".

    Parameters
    ----------
    model : see `ebmhw.verify.models.as_model`
    max_tokens, temperature, time_limit : of one answer
    seed : that of round k is seed + k
    """

    def __init__(self, model: LanguageModel, *, max_tokens: int = 512, temperature: float = 0.8, seed: int = 0, time_limit: float = 120.0) -> None:
        self._model, self._max_tokens, self._temperature, self._seed, self._time_limit = model, max_tokens, temperature, seed, time_limit

    def __call__(self, situation: Situation) -> Proposal:
        """Return the code in the model's answer, with its claims; VerificationError where there is no code."""
        from ebmhw.verify.code.blocks import code_of

        answer = self._model.generate(
            prompt(situation),
            max_tokens=self._max_tokens,
            temperature=self._temperature,
            seed=self._seed + situation.round,
            time_limit=self._time_limit,
        )[0]
        code = code_for(situation.objective.entry_point, [block.code for block in code_of(answer.text, whole=False)])
        if code is None:
            raise VerificationError(f"the answer of {self._model.name} holds no Python block; it ended by {answer.finish!r}")
        claims = claims_in(answer.text)
        return proposal_of((code, claims) if claims else code, self._model.name)


def code_for(entry_point: str, blocks: Sequence[str]) -> str | None:
    """Return the blocks of an answer as one source, up to the last one that defines the entry point; None of none.

    What comes after it shows how it is used. Where none defines it all are returned, so that the trial says what is missing.
    """
    defining = re.compile(rf"^(?:async[ \t]+)?(?:def|class)[ \t]+{re.escape(entry_point)}\b|^{re.escape(entry_point)}[ \t]*[:=]", re.MULTILINE)
    last = max((number for number, block in enumerate(blocks, 1) if defining.search(block)), default=len(blocks))
    return "\n\n".join(blocks[:last]) or None


def prompt(situation: Situation) -> list[Message]:
    """Return the conversation that asks a model for a candidate."""
    energy = "gave no answer" if situation.energy is None else f"has a mean energy of {situation.energy:.6g}; lower is better"
    taught = [f"- {lesson.gate}: {lesson.text} ({lesson.rounds} times)" for lesson in situation.lessons[:MOST]]
    lines = [
        situation.objective.description,
        "",
        f"The best code so far {energy}:",
        "```python",
        situation.code.rstrip(),
        "```",
        *(["", "What earlier attempts taught:", *taught] if taught else []),
        "",
        f"Write better code for {situation.objective.entry_point} as one Python block that needs only Python's standard library. After it write "
        "lines that begin with CLAIM: and hold a comparison that will be checked, of energy, incumbent_energy, gain, seconds and memory_mib, such as",
        "CLAIM: gain > 0",
    ]
    return [Message("user", "\n".join(lines))]


def as_proposer(value: Any, seed: int = 0) -> Proposer:
    """Return what makes proposals: a proposer, a function, or whatever `ebmhw.verify.models.as_model` takes but a function.

    Parameters
    ----------
    value : a function of a `Situation`; a `FunctionProposer` or `ModelProposer`; a model, or the name of one
    seed : of a model's answers
    """
    if isinstance(value, (FunctionProposer, ModelProposer)):
        return value
    if callable(value) and not isinstance(value, (type, LanguageModel)):
        return FunctionProposer(value)
    from ebmhw.verify.models import as_model

    return ModelProposer(as_model(value), seed=seed)
