"""Deduction: constraint programs that a language model wrote for ordering puzzles, classified, and those that say nothing repaired by search.

The file holds puzzles with their options, the letter of the right one, and a program each. Even-numbered puzzles were looked at while costs and
sentences were chosen, odd-numbered ones never, so every figure is given for each half. An answer counts as right by its words: many programs list
the options in another order than the puzzle does. The peer takes the first option.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, final

from ebmhw.bench.harness import Case, Measure, Peer

if TYPE_CHECKING:
    from ebmhw.backends import SamplerBackend
    from ebmhw.verify.programs.program import Class, ConstraintProgram

PATTERN = "logical_deduction*.json"
"""Names of files that are taken, the first in order."""

SECONDS = 60.0
"""Limit of one program."""

QUICK = 20
"""Puzzles of a half that a quick run takes."""

HALVES = (("even", 0), ("odd", 1))


class Puzzle(NamedTuple):
    """A puzzle: its options by letter, the letter of the right one, and the program."""

    options: dict[str, str]
    answer: str
    program: str


@final
@dataclass
class Figures:
    """What became of some programs.

    Attributes
    ----------
    classes : Counter of "right", "wrong", "unsatisfiable", "ambiguous", "undecided", "unreadable" (by letters)
    repairs : Counter of (outcome, whether right by words) of those that are unsatisfiable or ambiguous
    by_letter : of these, right by letters
    spins, seconds, rounds : of each repair
    """

    classes: Counter[str] = field(default_factory=Counter)
    repairs: Counter[tuple[str, bool]] = field(default_factory=Counter)
    by_letter: int = 0
    spins: list[int] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    rounds: list[int] = field(default_factory=list)


def load(folder: Path | None) -> list[Puzzle]:
    """Return the puzzles of the file in a folder, in order; [] where there is none."""
    files = sorted(folder.glob(PATTERN)) if folder is not None else []
    if not files:
        return []
    rows = json.loads(files[0].read_text(encoding="utf-8"))
    return [Puzzle({option[0]: option[2:].strip() for option in row["options"]}, row["answer"], row["raw_logic_programs"][0]) for row in rows]


def cases(data: Path | None, quick: bool) -> list[Case]:
    """Return the cases where the folder has the file; ``quick`` takes the first puzzles of each half."""
    if data is None or not sorted(data.glob(PATTERN)):
        return []
    made = []
    for half, first in HALVES:

        def setup(_: ExitStack, first: int = first) -> list[Puzzle]:
            return load(data)[first::2][: QUICK if quick else None]

        made.append(_classified(half, setup))
        made += [_repaired(half, words, setup) for words in (False, True)]
    return made


def _classified(half: str, setup: Any) -> Case:
    return Case(
        name=f"deduction/{half} programs consistent and right",
        measures="share of programs of which exactly one option follows, the right one by its letter; each decision a witness or a proof",
        unit="%",
        setup=setup,
        ours=lambda puzzles: lambda _: 100.0 * classify(puzzles, _backend()).classes["right"] / len(puzzles),
        peers=(Peer("first option", lambda puzzles: lambda _: 100.0 * sum(puzzle.answer == "A" for puzzle in puzzles) / len(puzzles)),),
        ratio=False,
        max_rounds=1,
        warm_up=False,
    )


def _repaired(half: str, words: bool, setup: Any) -> Case:
    def ours(puzzles: list[Puzzle]) -> Measure:
        def measure(_: int) -> float:
            figures = repaired(puzzles, words, _backend())
            count = sum(figures.repairs.values())
            return 100.0 * sum(number for (_, right), number in figures.repairs.items() if right) / max(count, 1)

        return measure

    return Case(
        name=f"deduction/{half} programs repaired {'with their words' if words else 'alone'}",
        measures="share of unsatisfiable or ambiguous programs from whose cheapest repair the right option follows, by its words; guesses counted",
        unit="%",
        setup=setup,
        ours=ours,
        ratio=False,
        max_rounds=1,
        warm_up=False,
    )


def _backend() -> SamplerBackend:
    from ebmhw.backends import get_backend

    return get_backend("cpu", threads=1)


def classify(puzzles: Sequence[Puzzle], backend: SamplerBackend) -> Figures:
    """Return the classes of programs."""
    figures = Figures()
    for puzzle in puzzles:
        _, known = _known(puzzle, backend)
        figures.classes[_class(puzzle, known)] += 1
    return figures


def repaired(puzzles: Sequence[Puzzle], words: bool, backend: SamplerBackend) -> Figures:
    """Return the classes of programs, and what became of those that are unsatisfiable or ambiguous."""
    from ebmhw.verify.deadline import Deadline
    from ebmhw.verify.programs.choices import letters_by_words
    from ebmhw.verify.programs.repair import repair
    from ebmhw.verify.prover import LiveProver

    figures = Figures()
    for puzzle in puzzles:
        program, known = _known(puzzle, backend)
        figures.classes[_class(puzzle, known)] += 1
        if program is None or known is None or known.kind not in ("unsatisfiable", "ambiguous"):
            continue
        began, deadline = time.monotonic(), Deadline(SECONDS)
        found = repair(program, LiveProver(lambda: backend, 1, deadline), deadline, words=words)
        letters = letters_by_words({option.letter: option.words for option in program.options}, puzzle.options)
        figures.repairs[found.outcome, letters.get(found.option or "", found.option) == puzzle.answer] += 1
        figures.by_letter += found.option == puzzle.answer
        figures.spins.append(found.spins)
        figures.seconds.append(time.monotonic() - began)
        figures.rounds.append(found.rounds)
    return figures


def _known(puzzle: Puzzle, backend: SamplerBackend) -> tuple[ConstraintProgram | None, Class | None]:
    from ebmhw.errors import ExtractionError
    from ebmhw.verify.deadline import Deadline
    from ebmhw.verify.programs.program import ConstraintProgram
    from ebmhw.verify.prover import LiveProver

    try:
        program = ConstraintProgram.read(puzzle.program)
    except ExtractionError:
        return None, None
    return program, program.classified(LiveProver(lambda: backend, 1, Deadline(SECONDS)))


def _class(puzzle: Puzzle, known: Class | None) -> str:
    if known is None:
        return "unreadable"
    if known.kind != "consistent":
        return known.kind
    return "right" if known.true[0] == puzzle.answer else "wrong"
