"""Repair of constraint programs: the cheapest reading under which exactly one option follows, by search on the backend and cuts.

A round samples `Readings`: lines as written or changed, and an arrangement that obeys them. What the sampler brings is then decided completely:
an option follows if its contrary is refuted. If none does, the arrangements that show it make a cut, which forbids every choice that accepts all
of them, and the next round samples again. Readings that pass are kept and forbidden too, until no round brings one as cheap.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, final

from ebmhw.verify.deadline import Deadline
from ebmhw.verify.programs.alternatives import Alternative, alternatives, same
from ebmhw.verify.programs.expressions import Expression
from ebmhw.verify.programs.program import Constraint, ConstraintProgram, Option
from ebmhw.verify.programs.readings import Cut, Reading, Readings
from ebmhw.verify.programs.words import ends_of, read_words
from ebmhw.verify.prover import LiveProver

READS, SWEEPS = 64, 1000
"""A round; on programs of seven variables 2 to 40 of its reads meet the cheapest reading."""

ROUNDS_LIMIT = 80
"""Rounds of sampling for one program."""

LOOSE = 2
"""A reading with several arrangements costs so much more: puzzles are made to have one."""

PATIENCE = 2
"""Rounds without a reading as cheap as the best after which the search ends."""


class Change(NamedTuple):
    """A line that is read otherwise than it is written.

    Attributes
    ----------
    line : its number in the text, from 1; 0 for all comparisons at once
    before, after : the constraint; after is "" where it is left out
    why : in words
    """

    line: int
    before: str
    after: str
    why: str


class Candidate(NamedTuple):
    """A reading under which exactly one option follows."""

    option: str
    cost: int
    single: bool
    changes: tuple[Change, ...]
    program: ConstraintProgram


Outcome = Literal["kept", "repaired", "guess", "none"]


@final
@dataclass(frozen=True, eq=False)
class ProgramRepair:
    """What became of a program.

    Attributes
    ----------
    outcome : "kept" where it was consistent and nothing was changed, "repaired" where all cheapest readings agree, "guess" where they do not,
        "none" where no reading was found
    option : letter of the option that follows, None for "none"
    cost : of the changes
    changes : of the reading chosen
    program : as repaired, or as it was
    others : the readings as cheap as the chosen one
    contradicted : lines that contradict their own words, changed or not
    spins : of the largest model that was sampled, 0 where nothing was
    rounds : of sampling
    """

    outcome: Outcome
    option: str | None
    cost: int
    changes: tuple[Change, ...]
    program: ConstraintProgram
    others: tuple[Candidate, ...]
    contradicted: tuple[Change, ...]
    spins: int
    rounds: int


def repair(program: ConstraintProgram, prover: LiveProver, deadline: Deadline, words: bool = True) -> ProgramRepair:
    """Return a program in which exactly one option follows, and what had to be changed for it.

    Parameters
    ----------
    words : whether the words after ``:::`` and the section Domain count, or the program alone

    A consistent program is kept as it is; where its lines contradict their words, that is only reported. Where several options follow from lines that
    agree, none of them is preferred: a guess.
    """
    heard, contradicted = _heard(program), contradictions(program)
    found = program.classified(prover)
    if found.kind == "consistent":
        return ProgramRepair("kept", found.true[0], 0, (), program, (), contradicted, 0, 0)
    options: list[Expression] = [option.expression for option in program.options]
    changed: list[Change] = []
    if words:
        for i, option in enumerate(program.options):
            if option.line in heard:
                options[i] = heard[option.line][1]
                changed.append(_change(option.line, heard[option.line], "read as its words say"))
        # Where the options alone were at fault, or several follow from lines that agree, no line is to be changed.
        asked = program.with_expressions([line.expression for line in program.constraints], options)
        found = asked.classified(prover)
    else:
        asked = program
    if found.true and not (words and any(line.line in heard for line in program.constraints)):
        follow = [Candidate(letter, 0, False, tuple(changed), asked) for letter in found.true]
        outcome: Outcome = "repaired" if len(follow) == 1 else "guess"
        return ProgramRepair(outcome, found.true[0], 0, tuple(changed), asked, tuple(follow[1:]), contradicted, 0, 0)
    return _Search(program, options, changed, contradicted, heard if words else None, prover, deadline).best()


def contradictions(program: ConstraintProgram) -> tuple[Change, ...]:
    """Return the lines that contradict their own words, with what those say, in order."""
    return tuple(_change(line, said, "its words say otherwise") for line, said in sorted(_heard(program).items()))


class _Search:
    """The rounds for one program."""

    def __init__(
        self,
        program: ConstraintProgram,
        options: list[Expression],
        changed: list[Change],
        contradicted: tuple[Change, ...],
        heard: dict[int, tuple[Expression, Expression]] | None,
        prover: LiveProver,
        deadline: Deadline,
    ) -> None:
        self._program, self._options, self._changed, self._contradicted = program, options, changed, contradicted
        self._prover, self._deadline = prover, deadline
        spoken = _spoken(program) if heard is not None else {}
        self._reversible = not spoken
        self._lines: list[list[Alternative]] = [
            alternatives(line.expression, program.variables, spoken.get(line.line), heard is not None)
            if len(line.expression.names) <= 4
            else [Alternative(line.expression, 0, "")]
            for line in program.constraints
        ]
        self._spins = self._rounds = 0

    def best(self) -> ProgramRepair:
        """Return the cheapest reading, and those as cheap."""
        cuts: list[Cut] = []
        found: list[Candidate] = []
        idle = 0
        while self._rounds < ROUNDS_LIMIT and idle < PATIENCE and not self._deadline.passed:
            problem = Readings(self._program.variables, self._lines, cuts, self._reversible)
            # The same problem again gives the same reads, so a round that brought nothing is followed by more of them.
            state = self._prover.least(problem, reads=READS, sweeps=SWEEPS, rounds=1 + idle)
            self._rounds += 1 + idle
            self._spins = max(self._spins, problem.spins)
            least = min((candidate.cost for candidate in found), default=None)
            if not state.solved or state.solution is None or (least is not None and problem.cost(state.solution) > least):
                idle += 1
                continue
            idle = 0
            cut, candidate = self._examined(problem, state.solution)
            cuts.append(cut)
            if candidate is not None:
                found.append(candidate)
        return self._chosen(found)

    def _examined(self, problem: Readings, reading: Reading) -> tuple[Cut, Candidate | None]:
        """Return the cut that a reading earns, and the reading as a candidate where exactly one option follows from it."""
        program = self._program.with_expressions(problem.expressions(reading.choice, reading.reversed), self._options)
        itself: Cut = (tuple(frozenset((i,)) for i in reading.choice), frozenset((reading.reversed,)))
        arrangements = [reading.values]
        true = self._true_in(program, reading.values)
        for option in true:
            contrary = program.decide_with(self._prover, program.relation(option, negated=True))
            if contrary.satisfiable is None:
                return itself, None
            if contrary.satisfiable is True:
                arrangements.append(tuple(contrary.solution[name] for name in problem.names))
        left = [option for option in true if all(option in self._true_in(program, values) for values in arrangements)]
        if not left:
            return problem.accepting(reading.reversed, *arrangements), None
        if len(left) > 1:
            return itself, None
        letter = next(option.letter for option in program.options if option.expression == left[0])
        single = len(arrangements) == 1 and self._single(program, reading.values)
        cost = problem.price(reading.choice, reading.reversed) + (0 if single else LOOSE)
        return itself, Candidate(letter, cost, single, self._changes(problem, reading), program)

    def _true_in(self, program: ConstraintProgram, values: Sequence[int]) -> list[Expression]:
        held = dict(zip(program.variables, values, strict=True))
        return [option.expression for option in program.options if option.expression.holds(held)]

    def _single(self, program: ConstraintProgram, values: Sequence[int]) -> bool:
        """Tell whether an arrangement is the only one."""
        from ebmhw.problems.formula import Formula

        problem = program.problem
        formula = problem.formula
        other = tuple(-problem.bit(name, value) for name, value in zip(program.variables, values, strict=True))
        return self._prover.decide(Formula(formula.num_variables, [*formula.clauses, other], split_above=8)).satisfiable is False

    def _changes(self, problem: Readings, reading: Reading) -> tuple[Change, ...]:
        changes = list(self._changed)
        if reading.reversed:
            changes.append(Change(0, "", "", "all comparisons turned round"))
        for line, several, i in zip(self._program.constraints, self._lines, reading.choice, strict=True):
            if several[i].change:
                after = several[i].expression
                changes.append(Change(line.line, str(line.expression), "" if after is None else str(after), several[i].change))
        return tuple(sorted(changes))

    def _chosen(self, found: list[Candidate]) -> ProgramRepair:
        least = min((candidate.cost for candidate in found), default=0)
        cheapest = sorted((candidate for candidate in found if candidate.cost == least), key=lambda candidate: (candidate.option, candidate.changes))
        if not cheapest:
            return ProgramRepair("none", None, 0, (), self._program, (), self._contradicted, self._spins, self._rounds)
        votes = Counter(candidate.option for candidate in cheapest)
        option = min(votes, key=lambda letter: (-votes[letter], letter))
        chosen = next(candidate for candidate in cheapest if candidate.option == option)
        others = tuple(candidate for candidate in cheapest if candidate is not chosen)
        outcome: Outcome = "repaired" if len(votes) == 1 else "guess"
        return ProgramRepair(outcome, option, least, chosen.changes, chosen.program, others, self._contradicted, self._spins, self._rounds)


def _spoken(program: ConstraintProgram) -> dict[int, Expression]:
    """Return what the words of each line say, by its number, where they are understood."""
    domains = set(program.variables.values())
    values = sorted(next(iter(domains)))
    if len(domains) != 1 or values != list(range(values[0], values[-1] + 1)):
        return {}
    ends = ends_of(program.labels, values)
    if ends is None:
        return {}
    lines: list[Constraint | Option] = [*program.constraints, *program.options]
    read = [(line.line, read_words(line.words, list(program.variables), ends)) for line in lines if line.words]
    return {number: expression for number, expression in read if expression is not None}


def _heard(program: ConstraintProgram) -> dict[int, tuple[Expression, Expression]]:
    """Return the lines that contradict their words, as (what is written, what the words say)."""
    spoken = _spoken(program)
    lines: list[Constraint | Option] = [*program.constraints, *program.options]
    written = {line.line: line.expression for line in lines}
    return {number: (written[number], said) for number, said in spoken.items() if not same(written[number], said, program.variables)}


def _change(line: int, pair: tuple[Expression, Expression], why: str) -> Change:
    return Change(line, str(pair[0]), str(pair[1]), why)
