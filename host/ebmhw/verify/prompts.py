"""Prompts: tell a model what its answer will be checked by, ask it again, and ask it for constraints of its own."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ebmhw.verify.claim import Claim
from ebmhw.verify.models.language_model import Message

# Words and numbers, with what may stand within a number; linear in the text, since no character fits two parts.
_WORD = re.compile(r"\w+(?:[.,/]\w+)*")


CODE_DOMAINS = ("code", "execution")
MOST_TOLD = 8
"""Faults of code that a model is told at once: one wrong line may fail a hundred tests, and a small model loses sight of the question."""
_ONE_BLOCK = "Give all of the code in one block, from a line ```python to a line ```."


def constraint_aware(question: str, goals: Sequence[str] = (), code: bool = False) -> list[Message]:
    """Return the question with the constraints that its answer will be checked by.

    Parameters
    ----------
    goals : in plain words, what the question asks for (`Judgement.open_goals` of an empty response); () where nothing is known
    code : whether the answer is to be code, which will be run
    """
    if code:
        asked = ["Your answer will be run and tested by a program.", *(f"- It must give {goal}." for goal in goals), f"- {_ONE_BLOCK}"]
        return [Message("user", question + "\n\n" + "\n".join(asked))]
    # No numbers stand in it: an example such as 12 + 30 = 42 is what a small model answers. SmolLM2 got 4 of 60 one-step problems right with
    # one, 15 without, 18 when asked the bare question.
    lines = [
        "Your answer will be checked by a program.",
        *(f"- It must give {goal}." for goal in goals),
        "- Write each calculation as an equation.",
        "- No sentence may contradict the question or another sentence.",
        "- State the final answer in the last sentence.",
    ]
    return [Message("user", question + "\n\n" + "\n".join(lines))]


def ask_again(
    question: str, response: str, violated: Sequence[Claim], give_fixes: bool = False, open_goals: Sequence[str] = (), code: bool = False
) -> list[Message]:
    """Return a conversation that shows the model its answer and, one by one, the claims that are wrong, and asks for a better one.

    Parameters
    ----------
    give_fixes : whether to show what would be right. False also leaves out a reason that holds it, so that what the model then answers is
        its own
    open_goals : in plain words, what the question asks for and the answer does not give
    code : whether the answer is to be code
    """
    lines = ["A program checked your answer and found what is wrong:"]
    about_code = [claim for claim in violated if claim.domain in CODE_DOMAINS]
    left_out = {id(claim) for claim in about_code[MOST_TOLD:]}
    told = [claim for claim in violated if id(claim) not in left_out]
    for number, claim in enumerate(told, 1):
        if claim.domain in CODE_DOMAINS:
            lines.append(_about_code(number, claim))
            continue
        line = f'{number}. "{" ".join(claim.text.split())}" is wrong'
        if give_fixes or not _gives_away(claim):
            line += f": {claim.reason}"
        if give_fixes and claim.fix is not None:
            line += f' (right would be "{" ".join(_corrected(claim).split())}")'
        lines.append(line)
    lines += [f"{number}. It does not give {goal}." for number, goal in enumerate(open_goals, len(told) + 1)]
    if left_out:
        lines.append(f"Besides these, {len(left_out)} further checks fail.")
    if code or about_code:
        lines.append(f"Write the code again, from the beginning, so that none of this happens. {_ONE_BLOCK}")
    else:
        lines.append("Answer the question again, from the beginning. Correct what is wrong, and whatever follows from it.")
    return [Message("user", question), Message("assistant", response), Message("user", "\n".join(lines))]


def _about_code(number: int, claim: Claim) -> str:
    """Return what is wrong with code: at which line where one is to blame, else what was called, expected and got."""
    words = " ".join(claim.text.split())
    line = claim.statement.content.get("line")
    where = f"Line {line}, `{words[:200]}`: " if claim.domain == "code" and line is not None and words else ""
    return f"{number}. {where}{claim.reason}"


def _corrected(claim: Claim) -> str:
    """Return a claim's words with its fix made, or the fix alone where it goes into other words."""
    assert claim.fix is not None
    start, end = claim.span
    if claim.fix_span is None or not start <= claim.fix_span[0] <= claim.fix_span[1] <= end:
        return claim.fix
    return claim.text[: claim.fix_span[0] - start] + claim.fix + claim.text[claim.fix_span[1] - start :]


def _gives_away(claim: Claim) -> bool:
    """Whether a claim's reason holds a word or number of its fix that the claim itself does not hold."""
    if claim.fix is None:
        return False
    new = set(_WORD.findall(claim.fix.casefold())) - set(_WORD.findall(claim.text.casefold()))
    return bool(new & set(_WORD.findall(claim.reason.casefold())))


EXAMPLE_QUESTION = (
    "Four boats - the heron, the gull, the tern and the swan - came in one after the other. The gull came in directly before the tern. "
    "The heron was not the first. The swan came in last. Which boat was the second?\nA) the heron\nB) the gull\nC) the tern\nD) the swan"
)

EXAMPLE_PROGRAM = """Domain:
1: first
4: last
Variables:
heron [IN] [1, 2, 3, 4]
gull [IN] [1, 2, 3, 4]
tern [IN] [1, 2, 3, 4]
swan [IN] [1, 2, 3, 4]
Constraints:
gull == tern - 1 ::: The gull came in directly before the tern.
heron != 1 ::: The heron was not the first.
swan == 4 ::: The swan came in last.
AllDifferentConstraint([heron, gull, tern, swan]) ::: No two boats came in at once.
Query:
A) heron == 2 ::: The heron was the second.
B) gull == 2 ::: The gull was the second.
C) tern == 2 ::: The tern was the second.
D) swan == 2 ::: The swan was the second."""


def self_constraints(question: str) -> list[Message]:
    """Return a conversation that asks for the question as a constraint program, in the language that `ebmhw.verify.programs` reads."""
    task = (
        "Write the question as a constraint program; do not answer it. Domain: gives meanings to the least and the greatest number. Variables: gives "
        "each thing the numbers that it may have. Constraints: holds one condition a line, made of variables, whole numbers, +, -, ==, !=, <, >, <=, "
        ">=, and, or, and AllDifferentConstraint([...]). Query: holds a condition for each option. After ::: stands the sentence that a line is made "
        "of. Write nothing but the program."
    )
    return [
        Message("user", f"{task}\n\nQuestion: {EXAMPLE_QUESTION}"),
        Message("assistant", EXAMPLE_PROGRAM),
        Message("user", f"{task}\n\nQuestion: {question}"),
    ]
