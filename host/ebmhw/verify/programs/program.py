"""ConstraintProgram: a puzzle as language models write it down, with its variables, constraints and options."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal, NamedTuple, final

from ebmhw.errors import ExtractionError, shown
from ebmhw.verify.programs.expressions import NUMBER_LIMIT, Expression
from ebmhw.verify.prover import Decision, Prover

if TYPE_CHECKING:
    from ebmhw.problems.assignment import OneHot, Relation

VARIABLES_LIMIT, VALUES_LIMIT, CONSTRAINTS_LIMIT, TEXT_LIMIT = 32, 32, 128, 100_000

Kind = Literal["consistent", "unsatisfiable", "ambiguous", "undecided"]


class Constraint(NamedTuple):
    """A line of the section "Constraints".

    Attributes
    ----------
    line : its number in the text, from 1
    expression : what it demands
    words : what stands after ``:::``, "" for nothing
    """

    line: int
    expression: Expression
    words: str


class Option(NamedTuple):
    """A line of the section "Query": a letter, what it says, and the words for it."""

    line: int
    letter: str
    expression: Expression
    words: str


class Class(NamedTuple):
    """What a program says of its options.

    Attributes
    ----------
    kind : "consistent" where exactly one option is true in all solutions, "unsatisfiable" without a solution, "ambiguous" where none or several
        options are true in all, "undecided" where the time did not suffice
    true : letters of the options that are true in all solutions, in order
    decisions : keys of the decisions that show it
    """

    kind: Kind
    true: tuple[str, ...]
    decisions: tuple[str, ...]


_SECTION = re.compile(r"\s*\*{0,2}(domain|variables|constraints|query|options)\*{0,2}\s*:?\*{0,2}\s*$", re.I)
_VARIABLE = re.compile(r"\s*([A-Za-z_]\w{0,63})\s*\[IN\]\s*\[([^\]]*)\]\s*$", re.I)
_LABEL = re.compile(r"\s*(-?\d{1,7})\s*[:=]\s*(\S.{0,80}?)\s*$")
_OPTION = re.compile(r"\s*\(?([A-Za-z])\s*[).:](?!::)\s*(.*)$", re.S)
_FENCE = re.compile(r"\s*```")


@final
@dataclass(frozen=True)
class ConstraintProgram:
    """Variables with finite domains of integers, constraints between them, and options of which one should follow.

    Attributes
    ----------
    variables : {name: values}
    constraints, options : in order
    labels : {value: word} of the section "Domain", such as {1: "leftmost", 5: "rightmost"}
    """

    variables: dict[str, tuple[int, ...]]
    constraints: tuple[Constraint, ...]
    options: tuple[Option, ...]
    labels: dict[int, str] = field(default_factory=dict)

    @classmethod
    def read(cls, text: str) -> ConstraintProgram:
        """Return the program that a text is: sections Domain, Variables, Constraints and Query, a line each; words for people after ``:::``.

        Raises
        ------
        ExtractionError
            naming the line and what is wrong with it.
        """
        if len(text) > TEXT_LIMIT:
            raise ExtractionError(f"a constraint program of {len(text)} characters; give up to {TEXT_LIMIT}")
        labels: dict[int, str] = {}
        variables: dict[str, tuple[int, ...]] = {}
        constraints: list[Constraint] = []
        options: list[Option] = []
        section = None
        early: set[str] = set()
        for number, line in enumerate(text.splitlines(), 1):
            heading = _SECTION.match(line)
            if heading is not None:
                section = heading[1].lower()
                continue
            if not line.strip() or section is None or _FENCE.match(line):
                continue
            code, _, words = (part.strip() for part in line.partition(":::"))
            where = f"line {number} of the constraint program"
            declared = _VARIABLE.match(code)
            if section in ("domain", "variables"):
                label = _LABEL.match(code)
                if declared is not None:
                    # Some programs give their variables in both sections.
                    again = section == "variables" and declared[1] in early
                    _declare(variables, declared[1], declared[2], where, again)
                    (early.add if section == "domain" else early.discard)(declared[1])
                elif section == "variables":
                    raise ExtractionError(f"{where}: {shown(code)} declares no variable; write it as in book [IN] [1, 2, 3]")
                elif label is not None:
                    labels[int(label[1])] = label[2]
            elif section == "constraints":
                if len(constraints) == CONSTRAINTS_LIMIT:
                    raise ExtractionError(f"{where}: more than {CONSTRAINTS_LIMIT} constraints; leave out what is said twice")
                constraints.append(Constraint(number, _known(Expression.read(code, where), variables, where), words))
            else:
                found = _OPTION.match(code)
                if found is None:
                    raise ExtractionError(f"{where}: {shown(code)} is no option; write it as in A) book == 2")
                letter = found[1].upper()
                if any(option.letter == letter for option in options):
                    raise ExtractionError(f"{where}: option {letter} is there twice; give each a letter of its own")
                options.append(Option(number, letter, _known(Expression.read(found[2], where), variables, where), words))
        if not variables:
            raise ExtractionError("the constraint program declares no variables; give a section 'Variables:' with lines such as book [IN] [1, 2, 3]")
        if not options:
            raise ExtractionError("the constraint program has no options; give a section 'Query:' with lines such as A) book == 2")
        return cls(variables, tuple(constraints), tuple(options), labels)

    @cached_property
    def problem(self) -> OneHot:
        """The constraints as one-hot variables: a spin for each value of each variable."""
        return self.problem_with()

    def problem_with(self, *more: Relation) -> OneHot:
        """Return the problem of all constraints and some more relations."""
        from ebmhw.problems.assignment import OneHot

        relations = [self.relation(constraint.expression) for constraint in self.constraints]
        domains: dict[Hashable, Iterable[Hashable]] = dict(self.variables.items())
        return OneHot(domains, [*relations, *more])

    def relation(self, expression: Expression, negated: bool = False) -> Relation:
        """Return a relation that says an expression, or its contrary."""
        from ebmhw.problems.assignment import Relation

        names = expression.names
        if expression.tree[0] == "different" and not negated:
            return Relation.all_different(names)

        def holds(*values: int) -> bool:
            return expression.holds(dict(zip(names, values, strict=True))) != negated

        return Relation.where(names, holds, f"not ({expression})" if negated else str(expression))

    def decide_with(self, prover: Prover, *more: Relation) -> Decision:
        """Return whether the constraints and some more relations can hold together."""
        return prover.decide(self.problem_with(*more) if more else self.problem)

    def classified(self, prover: Prover) -> Class:
        """Return whether the program has solutions, and which options are true in all of them, each shown by a witness or a proof."""
        whole = prover.decide(self.problem)
        if whole.satisfiable is not True:
            return Class("unsatisfiable" if whole.satisfiable is False else "undecided", (), (whole.key,))
        true: list[str] = []
        keys = [whole.key]
        for option in self.options:
            # What is false in one solution is not true in all.
            if not option.expression.holds(whole.solution):
                continue
            contrary = self.decide_with(prover, self.relation(option.expression, negated=True))
            keys.append(contrary.key)
            if contrary.satisfiable is None:
                return Class("undecided", tuple(true), tuple(keys))
            if contrary.satisfiable is False:
                true.append(option.letter)
        return Class("consistent" if len(true) == 1 else "ambiguous", tuple(true), tuple(keys))

    def options_true(self, prover: Prover) -> tuple[str, ...]:
        """Return the letters of the options that are true in every solution; () without a solution."""
        return self.classified(prover).true

    def with_expressions(self, constraints: Sequence[Expression | None], options: Sequence[Expression] | None = None) -> ConstraintProgram:
        """Return the program with other expressions in its lines; None leaves a line out."""
        kept = tuple(
            constraint._replace(expression=expression)
            for constraint, expression in zip(self.constraints, constraints, strict=True)
            if expression is not None
        )
        asked = self.options
        if options is not None:
            asked = tuple(option._replace(expression=expression) for option, expression in zip(asked, options, strict=True))
        return replace(self, constraints=kept, options=asked)

    def __str__(self) -> str:
        """Return the text of the program, which reads back as an equal one."""
        return "\n".join(
            (
                "Domain:",
                *(f"{value}: {label}" for value, label in self.labels.items()),
                "Variables:",
                *(f"{name} [IN] [{', '.join(map(str, values))}]" for name, values in self.variables.items()),
                "Constraints:",
                *(_line(str(constraint.expression), constraint.words) for constraint in self.constraints),
                "Query:",
                *(_line(f"{option.letter}) {option.expression}", option.words) for option in self.options),
            )
        )


def _line(code: str, words: str) -> str:
    return f"{code} ::: {words}" if words else code


def _declare(variables: dict[str, tuple[int, ...]], name: str, values: str, where: str, again: bool) -> None:
    """Add a variable with its values; `again` where it may be there already."""
    if name in variables and not again:
        raise ExtractionError(f"{where}: variable {shown(name)} is there twice; declare each once")
    if len(variables) == VARIABLES_LIMIT and not again:
        raise ExtractionError(f"{where}: more than {VARIABLES_LIMIT} variables")
    found = []
    for value in values.split(","):
        digits = value.strip()
        if not re.fullmatch(r"-?\d{1,7}", digits) or abs(int(digits)) > NUMBER_LIMIT:
            raise ExtractionError(f"{where}: {shown(digits)} is no value of {name}; give whole numbers up to {NUMBER_LIMIT} in size")
        found.append(int(digits))
    if len(found) > VALUES_LIMIT or len(set(found)) < len(found):
        raise ExtractionError(f"{where}: the domain of {name} has {len(found)} values; give up to {VALUES_LIMIT}, each once")
    variables[name] = tuple(found)


def _known(expression: Expression, variables: dict[str, tuple[int, ...]], where: str) -> Expression:
    """Return an expression after checking that its names are variables and that it is not too wide to be tabulated."""
    from ebmhw.problems.assignment import TUPLES_LIMIT
    from ebmhw.problems.formula import LITERALS_LIMIT

    for name in expression.names:
        if name not in variables:
            raise ExtractionError(f"{where}: {shown(name)} is no variable; there are {', '.join(variables)}")
    if not expression.names:
        raise ExtractionError(f"{where}: {shown(str(expression))} names no variable")
    if expression.tree[0] == "different":
        if len(set(expression.tree[1:])) < len(expression.tree) - 1:
            raise ExtractionError(f"{where}: {expression} names a variable twice; name each once")
        return expression
    tuples = 1
    for name in expression.names:
        tuples *= len(variables[name])
    if len(expression.names) > LITERALS_LIMIT or tuples > TUPLES_LIMIT:
        raise ExtractionError(f"{where}: {shown(str(expression))} relates {len(expression.names)} variables with {tuples} combinations; split it")
    return expression
