"""Programs: the domain that checks the option an answer chooses against a constraint program about the question."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

from ebmhw.verify.claim import Claim
from ebmhw.verify.deadline import Deadline
from ebmhw.verify.domain import Domain, Judgement
from ebmhw.verify.programs.choices import chosen, letters_by_words, listed, normal
from ebmhw.verify.programs.program import Class, ConstraintProgram
from ebmhw.verify.programs.repair import contradictions
from ebmhw.verify.prover import Prover
from ebmhw.verify.statement import Source, Statement
from ebmhw.verify.verdict import UNKNOWN, VERIFIED, VIOLATED

CORE_LIMIT = 24
"""Constraints among which the fewest that cannot all hold are searched one by one."""


@final
class Programs(Domain):
    """Decides which option follows from a constraint program, and whether the answer chooses it."""

    @property
    def name(self) -> str:
        """The word "programs"."""
        return "programs"

    def read(self, text: str, source: Source, deadline: Deadline) -> list[Statement]:
        """Return the program of "constraints", the options that a question lists, the choice that a response makes.

        Raises
        ------
        ExtractionError
            for a program that cannot be read, naming the line.
        """
        if source == "constraints":
            program = ConstraintProgram.read(text)
            return [Statement("programs", "program", source, (0, len(text)), text, {"program": str(program)})]
        if source == "question":
            return [
                Statement("programs", "option", source, span, text[slice(*span)], {"letter": letter, "words": words})
                for letter, words, span in listed(text)
            ]
        choice = chosen(text)
        if choice is None:
            return []
        content = {"words": choice.words} if choice.letter is None else {"letter": choice.letter}
        return [Statement("programs", "answer", source, choice.span, text[slice(*choice.span)], content)]

    def judge(self, question: Sequence[Statement], response: Sequence[Statement], prover: Prover, deadline: Deadline) -> Judgement:
        """Return a claim for the choice: VERIFIED where it alone follows, VIOLATED where it is refuted, UNKNOWN otherwise.

        A program that contradicts the words in its own lines is no ground for either.
        """
        found = next((statement for statement in question if statement.kind == "program"), None)
        if found is None:
            return Judgement()
        program = ConstraintProgram.read(found.content["program"])
        # The question's letters count, and the program's only where it lists no such options: programs often give options in another order.
        asked = {statement.content["letter"]: statement.content["words"] for statement in question if statement.kind == "option"}
        letters = letters_by_words({option.letter: option.words for option in program.options}, asked)
        names = {option.letter: letters.get(option.letter, option.letter) for option in program.options}
        answer = next((statement for statement in response if statement.kind == "answer"), None)
        picked = None if answer is None else _picked(answer, program, names, asked)
        if answer is None or (picked is None and "words" in answer.content):
            return Judgement((), ("which option holds",))
        if picked is None:
            return Judgement((Claim(answer, UNKNOWN, f"there is no option {answer.content['letter']}"),))
        return Judgement((_claim(answer, picked, names, program, prover, deadline),))


def _picked(answer: Statement, program: ConstraintProgram, names: dict[str, str], asked: dict[str, str]) -> str | None:
    """Return the program's letter of the option that is chosen; None where it names none."""
    if "letter" in answer.content:
        return next((letter for letter, name in names.items() if name == answer.content["letter"]), None)
    held = {option.letter: {normal(option.words), normal(asked.get(names[option.letter], ""))} - {""} for option in program.options}
    found = [letter for letter, words in held.items() if answer.content["words"] in words]
    return found[0] if len(found) == 1 else None


def _claim(answer: Statement, picked: str, names: dict[str, str], program: ConstraintProgram, prover: Prover, deadline: Deadline) -> Claim:
    known = program.classified(prover)
    if known.kind != "consistent":
        return Claim(answer, UNKNOWN, _why(known, names, program, prover, deadline), decisions=known.decisions)
    against = contradictions(program)
    if against:
        # Of 237 consistent programs by a language model 37 led to a wrong option; each of these, and 35 others, contradicted its words.
        first = against[0]
        reason = f'the program contradicts its own words: "{first.before}" where they say "{first.after}"'
        return Claim(answer, UNKNOWN, reason, decisions=known.decisions)
    right = known.true[0]
    if picked == right:
        reason = "the constraints leave no other possibility"
        return Claim(answer, VERIFIED, reason, decisions=known.decisions)
    expression = next(option.expression for option in program.options if option.letter == picked)
    refuted = program.decide_with(prover, program.relation(expression))
    keys = (*known.decisions, refuted.key)
    if refuted.satisfiable is not False:
        return Claim(answer, UNKNOWN, f"the constraints allow it, but {names[right]} is what follows from them", decisions=keys)
    option = next(option for option in program.options if option.letter == right)
    fix = names[right] if "letter" in answer.content else option.words
    return Claim(answer, VIOLATED, f"the constraints rule it out; {names[right]} follows from them", fix or None, answer.span if fix else None, keys)


def _why(known: Class, names: dict[str, str], program: ConstraintProgram, prover: Prover, deadline: Deadline) -> str:
    """Return why a program that is not consistent says nothing of a choice."""
    if known.kind == "undecided":
        return "the constraints were not decided in time"
    if known.kind == "ambiguous":
        several = " and ".join(names[letter] for letter in known.true)
        return f"the constraints make options {several} true at once" if several else "no option follows from the constraints"
    core = list(range(len(program.constraints)))
    if len(core) <= CORE_LIMIT:
        for i in list(core):
            deadline.check("the search for constraints that clash")
            rest = [j for j in core if j != i]
            left = [line.expression if j in rest else None for j, line in enumerate(program.constraints)]
            if program.with_expressions(left).decide_with(prover).satisfiable is False:
                core = rest
    lines = "; ".join(f'"{program.constraints[i].expression}"' for i in core[:6])
    return f"the constraints cannot all hold: {lines}{' and more' if len(core) > 6 else ''}"
