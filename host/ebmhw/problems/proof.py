"""check_proof: a proof that clauses cannot all hold, checked by unit propagation; the standard library only, and no solver's code.

Each step of a proof is a clause that follows from the clauses and the steps before it in one way that is easy to check: assume that
all its literals are false, and propagation of unit clauses meets a contradiction (reverse unit propagation, RUP; Goldberg and
Novikov, Verification of proofs of unsatisfiability for CNF formulas, DATE 2003). The last step is the empty clause.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import final

from ebmhw.errors import InvalidProof, PipelineTimeoutError, shown

WORK_LIMIT = 100_000_000
"""Clauses and literals that a check may look at; about 20 s of one core."""

_PAUSE = 200_000
"""Units of work between two looks at the clock, about 40 ms."""


def check_proof(
    num_variables: int,
    clauses: Iterable[Iterable[int]],
    proof: Iterable[Iterable[int]],
    work_limit: int = WORK_LIMIT,
    deadline: float | None = None,
) -> None:
    """Return if `proof` shows that no assignment satisfies all `clauses`; literals are 1..num_variables, negative for a negated variable.

    `work_limit` bounds the clauses and literals looked at, `deadline` is an absolute time of time.monotonic().

    Raises
    ------
    InvalidProof
        naming the first step that does not follow, is no clause of these variables, or lies beyond `work_limit`; if the last step is not the
        empty clause; for clauses that are none.
    PipelineTimeoutError
        at the deadline.
    """
    if type(num_variables) is not int or num_variables < 0:
        raise InvalidProof(f"a proof about {shown(num_variables)} variables is not possible; give an integer from 0")
    propagation = Propagation(num_variables, work_limit, deadline)
    for number, clause in enumerate(_items(clauses, "the list of clauses")):
        propagation.begin(f"clause {number}")
        propagation.add(propagation.literals(clause))
    step, last = -1, None
    for step, clause in enumerate(_items(proof, "the proof")):
        propagation.begin(f"step {step}")
        last = propagation.literals(clause)
        if not propagation.implies(last):
            raise InvalidProof(f"step {step} of the proof, {shown(clause)}, does not follow from the clauses and steps before it by unit propagation")
        propagation.add(last)
    if last is None:
        raise InvalidProof("the proof has no step; the shortest one is the empty clause alone")
    if last:
        raise InvalidProof(f"step {step} is the last of the proof and not the empty clause, so nothing shows that the clauses contradict each other")


def _items(value: Iterable[Iterable[int]], what: str) -> Iterable[Iterable[int]]:
    if isinstance(value, (str, bytes, dict)) or not isinstance(value, Iterable):
        raise InvalidProof(f"{what} is {shown(value)}; give a sequence of clauses such as [[1, -2], []]")
    return value


@final
class Propagation:
    """Clauses, and what follows from them by propagation of units; two literals of each clause are watched.

    A literal is held as 2 v + (1 if negated), where v counts the variables in the order of their appearance: memory grows with the clauses that
    are there, not with the variables that somebody claims to have.
    """

    def __init__(self, num_variables: int, work_limit: int, deadline: float | None = None) -> None:
        self._num_variables, self._work_limit, self._deadline = num_variables, work_limit, deadline
        self._codes: dict[int, int] = {}
        self._values: list[int] = []  # of a literal: 1 true, -1 false, 0 open
        self._watches: list[list[list[int]]] = []
        self._trail: list[int] = []
        self._head = 0
        self._contradiction = False
        self._place = "the proof"
        self.work = 0
        self._pause = min(_PAUSE, work_limit)

    def begin(self, place: str) -> None:
        """Note which clause or step comes now, for errors, and count it as work."""
        self._place = place
        self._spend(1)

    def literals(self, clause: Iterable[int]) -> list[int]:
        """Return the literals of a clause as they are held here, each once.

        Raises
        ------
        InvalidProof
            for anything but a sequence of integers that are not 0 and within the variables.
        """
        if not isinstance(clause, (list, tuple)):
            raise InvalidProof(f"{self._place} is {shown(clause)}; a clause is a list of integers")
        self._spend(len(clause))
        codes = self._codes
        found: dict[int, None] = {}
        for literal in clause:
            code = codes.get(literal) if type(literal) is int else None
            if code is None:
                if type(literal) is not int or not 0 < abs(literal) <= self._num_variables:
                    raise InvalidProof(
                        f"{self._place} holds {shown(literal)}; literals are 1 .. {self._num_variables}, negative for a negated variable"
                    )
                code = len(self._values) + (literal < 0)
                codes[abs(literal)], codes[-abs(literal)] = len(self._values), len(self._values) + 1
                self._values += (0, 0)
                self._watches += ([], [])
            found[code] = None
        return list(found)

    def implies(self, literals: list[int]) -> bool:
        """Return whether propagation meets a contradiction once all literals are false; nothing is changed."""
        if self._contradiction:
            return True
        values, trail, start = self._values, self._trail, len(self._trail)
        conflict = False
        for literal in literals:
            if values[literal] > 0:  # holds already, or its negation is in the clause too
                conflict = True
                break
            if values[literal] == 0:
                values[literal], values[literal ^ 1] = -1, 1
                trail.append(literal ^ 1)
        conflict = conflict or self._propagate()
        for literal in trail[start:]:
            values[literal] = values[literal ^ 1] = 0
        del trail[start:]
        self._head = start
        return conflict

    def add(self, literals: list[int]) -> None:
        """Take a clause as given; what it makes true stays true."""
        values = self._values
        if self._contradiction or any(values[literal] > 0 for literal in literals):
            return
        left = [literal for literal in literals if values[literal] == 0]
        if len(left) > 1:
            members = set(left)
            if not any(literal ^ 1 in members for literal in left):
                self._watches[left[0]].append(left)
                self._watches[left[1]].append(left)
        elif left:
            values[left[0]], values[left[0] ^ 1] = 1, -1
            self._trail.append(left[0])
            self._contradiction = self._propagate()
        else:
            self._contradiction = True

    def _propagate(self) -> bool:
        values, trail, watches, head = self._values, self._trail, self._watches, self._head
        conflict = False
        while head < len(trail) and not conflict:
            false = trail[head] ^ 1
            head += 1
            watching = watches[false]
            kept = moved = looked = 0
            for clause in watching:
                other = clause[0]
                if other == false:
                    other = clause[0] = clause[1]
                    clause[1] = false
                if values[other] > 0:
                    watching[kept] = clause
                    kept += 1
                    continue
                for place in range(2, len(clause)):
                    literal = clause[place]
                    if values[literal] >= 0:
                        clause[1], clause[place] = literal, false
                        watches[literal].append(clause)
                        looked += place
                        moved += 1
                        break
                else:
                    watching[kept] = clause
                    kept += 1
                    looked += len(clause)
                    if values[other] < 0:
                        conflict = True
                        break
                    values[other], values[other ^ 1] = 1, -1
                    trail.append(other)
            del watching[kept : kept + moved]
            self.work += kept + looked + 1
            if self.work > self._pause:
                self._spend(0)
        self._head = head
        return conflict

    def _spend(self, work: int) -> None:
        self.work += work
        if self.work <= self._pause:
            return
        if self.work > self._work_limit:
            raise InvalidProof(f"{self._place} passes the limit of {self._work_limit} clauses and literals looked at; raise work_limit")
        if self._deadline is not None and time.monotonic() > self._deadline:
            raise PipelineTimeoutError(f"the check of a proof reached {self._place} at its deadline; give it more time")
        self._pause = min(self.work + _PAUSE, self._work_limit)
