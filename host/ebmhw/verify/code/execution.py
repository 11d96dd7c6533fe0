"""Execution: the domain that runs code in the sandbox against what a specification says of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, final

from ebmhw.verify.claim import Claim
from ebmhw.verify.code.blocks import code_of
from ebmhw.verify.code.program import program_of
from ebmhw.verify.code.specification import Specification
from ebmhw.verify.code.trial import Trial
from ebmhw.verify.deadline import Deadline
from ebmhw.verify.domain import Domain, Judgement
from ebmhw.verify.prover import Prover
from ebmhw.verify.statement import Source, Statement
from ebmhw.verify.verdict import VIOLATED

if TYPE_CHECKING:
    from ebmhw.verify.code.properties.ranking import Memory


@final
class Execution(Domain):
    """Runs the code of a response in the sandbox: tests, examples, properties, and what annotations, bounds and returns promise.

    Parameters
    ----------
    specification : text of `Specification.to_json`
    history : what properties caught before, such as a `SessionMemory`; it orders them, and what they catch is noted in it
    """

    shares_words = True

    def __init__(self, specification: str, history: Memory | None = None) -> None:
        self._history = history
        self._specification = Specification.from_json(specification)

    @property
    def name(self) -> str:
        """The word "execution"."""
        return "execution"

    def read(self, text: str, source: Source, deadline: Deadline) -> list[Statement]:
        """Return the blocks of code of a response; of a question, its words, which hold no place of it."""
        if source == "question":
            return [Statement("execution", "question", source, (0, 0), "", {"text": text})]
        if source != "response":
            return []
        return [
            Statement("execution", "code", source, block.span, text[slice(*block.span)], {"code": block.code, "lines": list(block.lines)})
            for block in code_of(text, self._specification.code)
        ]

    def judge(self, question: Sequence[Statement], response: Sequence[Statement], prover: Prover, deadline: Deadline) -> Judgement:
        """Return a claim for each test, example and property, and for what was seen to go wrong on the way.

        Raises
        ------
        SandboxUnavailable
            where this machine cannot confine the code: it is not run.
        """
        blocks = [statement for statement in response if statement.kind == "code"]
        if not blocks:
            named = self._specification.entry_point
            return Judgement(
                (),
                ("code was asked for, and the response has none" if named is None else f"code that defines {named}, and the response has no code",),
            )
        program = program_of(blocks, self._specification.entry_point)
        if program.fault is not None:
            line, what = program.fault
            span = program.span(line)
            reason = f"the code is no Python: {what} (line {line})"
            return Judgement((Claim(_statement(blocks, "run", span, {"line": line}), VIOLATED, reason),))
        asked = "\n".join(statement.content["text"] for statement in question if statement.kind == "question")
        with Trial(program, self._specification, asked, deadline, self._history) as trial:
            found = trial.findings()
        return Judgement(tuple(Claim(_statement(blocks, one.kind, program.span(one.line), one.content), one.verdict, one.reason) for one in found))


def _statement(blocks: Sequence[Statement], kind: str, span: tuple[int, int], content: dict[str, object]) -> Statement:
    for block in blocks:
        if block.span[0] <= span[0] and span[1] <= block.span[1]:
            return Statement("execution", kind, "response", span, block.text[span[0] - block.span[0] : span[1] - block.span[0]], content)
    return Statement("execution", kind, "response", span, "", content)
