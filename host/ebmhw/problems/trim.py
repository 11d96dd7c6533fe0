"""trim: the steps of a proof that its end needs, found by checking it backwards.

The conflict that ends the proof rests on some clauses; each of those that is a step is checked in turn, against the clauses before it
alone, and rests on others; what nothing rests on is left out (Heule, Hunt, Wetzler, Trimming while checking clausal proofs, FMCAD 2013).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import final

from ebmhw.errors import InvalidProof, PipelineTimeoutError

Proof = tuple[tuple[int, ...], ...]

_PAUSE = 100_000
"""Clauses and literals between two looks at the clock, about 40 ms."""


def trim(num_variables: int, clauses: Sequence[Sequence[int]], proof: Sequence[Sequence[int]], deadline: float | None = None) -> Proof:
    """Return the steps of `proof` that are needed, in their order, and the empty clause at the end; input is a solver's, literals in range.

    Raises
    ------
    InvalidProof
        if a needed step does not follow, or propagation meets no contradiction at the end.
    PipelineTimeoutError
        at `deadline`, an absolute time of time.monotonic().
    """
    return _Trimming(num_variables, clauses, proof, deadline).run()


@final
class _Trimming:
    """Clauses as [number, watched literal, watched literal, others ...]; numbers from len(clauses) on are steps of the proof."""

    def __init__(self, num_variables: int, clauses: Sequence[Sequence[int]], proof: Sequence[Sequence[int]], deadline: float | None) -> None:
        size = 2 * num_variables + 1  # Python's negative indices: values[-v] is a place of its own
        self._values = [0] * size
        self._watches: list[list[list[int]]] = [[] for _ in range(size)]
        self._reasons: list[list[int] | None] = [None] * (num_variables + 1)
        self._positions = [0] * (num_variables + 1)
        self._explained = [False] * (num_variables + 1)
        self._trail: list[int] = []
        self._head = 0
        self._given = len(clauses)
        self._clauses, self._proof, self._deadline = clauses, proof, deadline
        self._end = self._given + len(proof)  # clauses from this number on do not count
        self._needed: set[int] = set()
        self._work = 0

    def run(self) -> Proof:
        roots: list[int] = []  # of each step: what was true before it
        conflict: list[int] | None = None
        for number in range(self._end):
            self._work += len(self._clauses[number] if number < self._given else self._proof[number - self._given])
            if self._work > _PAUSE:
                self._look_at_the_clock()
            if number >= self._given:
                roots.append(len(self._trail))
            conflict = self._add(number)
            if conflict is not None:
                break
        if conflict is None:
            raise InvalidProof("propagation of the last step of a proof meets no contradiction")
        self._explain(conflict, len(self._trail))
        for step in range(len(roots) - 1, -1, -1):
            number = self._given + step
            self._end = number
            self._undo(roots[step])
            if number in self._needed:
                self._check(step)
        steps = [tuple(self._proof[number - self._given]) for number in sorted(self._needed) if number >= self._given]
        return (*(step for step in steps if step), ())

    def _add(self, number: int) -> list[int] | None:
        """Return the clause that contradicts what is true, or None."""
        literals = list(dict.fromkeys(self._clauses[number] if number < self._given else self._proof[number - self._given]))
        members = set(literals)
        if any(-literal in members for literal in literals):
            return None
        values = self._values
        # Open and true literals first, then the false ones, the last to become false first: going back never leaves a watch behind.
        literals.sort(key=lambda literal: -self._positions[abs(literal)] if values[literal] < 0 else -len(self._trail) - 1)
        clause = [number, *literals]
        if len(literals) > 1:
            self._watches[literals[0]].append(clause)
            self._watches[literals[1]].append(clause)
        if not literals or values[literals[0]] < 0:
            return clause
        if values[literals[0]] == 0 and (len(literals) == 1 or values[literals[1]] < 0):
            self._assign(literals[0], clause)
            return self._propagate()
        return None

    def _check(self, step: int) -> None:
        start = len(self._trail)
        conflict: list[int] | None = None
        for literal in self._proof[step]:
            if self._values[literal] > 0:
                conflict = [self._end, literal]
                break
            if self._values[literal] == 0:
                self._assign(-literal, None)
        if conflict is None:
            conflict = self._propagate()
        if conflict is None:
            raise InvalidProof(f"step {step} of the proof does not follow from the clauses and steps before it by unit propagation")
        self._explain(conflict, start)
        self._undo(start)

    def _explain(self, conflict: list[int], roots: int) -> None:
        """Mark all clauses that the conflict rests on; what was explained of the first `roots` literals stays explained."""
        reasons, positions, explained, needed = self._reasons, self._positions, self._explained, self._needed
        needed.add(conflict[0])
        pending = conflict[1:]
        later: list[int] = []
        while pending:
            variable = abs(pending.pop())
            if explained[variable]:
                continue
            explained[variable] = True
            if positions[variable] >= roots:
                later.append(variable)
            reason = reasons[variable]
            if reason is not None:
                needed.add(reason[0])
                pending += reason[1:]
        for variable in later:
            explained[variable] = False

    def _assign(self, literal: int, reason: list[int] | None) -> None:
        self._values[literal], self._values[-literal] = 1, -1
        self._reasons[abs(literal)], self._positions[abs(literal)] = reason, len(self._trail)
        self._trail.append(literal)

    def _undo(self, length: int) -> None:
        for literal in self._trail[length:]:
            self._values[literal] = self._values[-literal] = 0
            self._explained[abs(literal)] = False
        del self._trail[length:]
        self._head = length

    def _propagate(self) -> list[int] | None:
        values, trail, watches, reasons, positions, end = self._values, self._trail, self._watches, self._reasons, self._positions, self._end
        while self._head < len(trail):
            false = -trail[self._head]
            self._head += 1
            self._work += len(watches[false])
            if self._work > _PAUSE:
                self._look_at_the_clock()
            watching = watches[false]
            kept = moved = 0
            conflict: list[int] | None = None
            for clause in watching:
                if clause[0] >= end:
                    moved += 1
                    continue
                other = clause[1]
                if other == false:
                    other = clause[1] = clause[2]
                    clause[2] = false
                if values[other] > 0:
                    watching[kept] = clause
                    kept += 1
                    continue
                for place in range(3, len(clause)):
                    literal = clause[place]
                    if values[literal] >= 0:
                        clause[2], clause[place] = literal, false
                        watches[literal].append(clause)
                        moved += 1
                        break
                else:
                    watching[kept] = clause
                    kept += 1
                    if values[other] < 0:
                        conflict = clause
                        break
                    values[other], values[-other] = 1, -1
                    variable = abs(other)
                    reasons[variable], positions[variable] = clause, len(trail)
                    trail.append(other)
            del watching[kept : kept + moved]
            if conflict is not None:
                return conflict
        return None

    def _look_at_the_clock(self) -> None:
        self._work = 0
        if self._deadline is not None and time.monotonic() > self._deadline:
            raise PipelineTimeoutError("the trimming of a proof did not end by its deadline; give it more time")
