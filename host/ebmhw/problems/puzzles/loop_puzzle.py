"""What puzzles of one closed loop share: a spin for each face, rules over few faces, cuts between parts that are not connected."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Hashable, Iterable, Sequence
from itertools import product
from typing import final

import numpy as np
import numpy.typing as npt

from ebmhw.errors import InvalidModel
from ebmhw.problems.cuts import Clause, CutProblem
from ebmhw.problems.penalties import Penalties
from ebmhw.problems.puzzles.loops import Loop, border, checked_loop, enclosed, loop_faults, segments
from ebmhw.problems.puzzles.separator import components, lattice, separator
from ebmhw.spins import checked

Face = int | None

_PAIRED = 6
"""Parts all pairs of which are separated."""


class LoopPuzzle(CutProblem[Loop]):
    """One closed loop over the segments between (height + 1) x (width + 1) vertices that keeps the rules of a puzzle.

    Spin i is face i, numbered row by row, +1 inside the loop. All faces inside are connected by their sides, and all others with the outside
    of the board, exactly where the border between them is a single loop. Cuts demand that; ancillas of long ones are behind the faces.

    Attributes
    ----------
    height, width : faces
    cuts : clauses over bits i + 1 of faces i
    """

    def __init__(self, height: int, width: int, cuts: Iterable[Clause] = ()) -> None:
        self.height, self.width = height, width
        self.cuts: tuple[Clause, ...] = tuple(cuts)
        self._beside = segments(height, width)

    @abstractmethod
    def _rules(self, penalties: Penalties) -> None:
        """Demand the rules of the puzzle of the faces."""

    @abstractmethod
    def broken_rules(self, loop: Loop) -> tuple[str, ...]:
        """Return the rules of the puzzle that segments break, whether or not they are one loop."""

    @final
    def _penalties(self) -> Penalties:
        penalties = Penalties()
        penalties.bits(self.height * self.width)
        for r in range(self.height + 1):
            for c in range(self.width + 1):
                around = [self._face(r - 1, c - 1), self._face(r - 1, c), self._face(r, c), self._face(r, c - 1)]
                # Four segments at a vertex: its faces alternate. All but one would be two only with three ends, which borders do not have.
                self._demand(penalties, around, lambda f: not f[0] == f[2] != f[1] == f[3])
        self._rules(penalties)
        for cut in self.cuts:
            penalties.clause(cut)
        return penalties

    @final
    def _face(self, r: int, c: int) -> Face:
        return r * self.width + c if 0 <= r < self.height and 0 <= c < self.width else None

    @final
    def _demand(self, penalties: Penalties, faces: Sequence[Face], holds: Callable[[Sequence[bool]], bool]) -> None:
        """Demand a condition on which of some faces are inside; a face that is None is outside, up to 8 others."""
        free = sorted({face for face in faces if face is not None})
        column = {face: i for i, face in enumerate(free)}
        rows = [row for row in product((False, True), repeat=len(free)) if holds([False if face is None else row[column[face]] for face in faces])]
        if free:
            penalties.table([face + 1 for face in free], rows)
        elif not rows:
            penalties.clause(())

    @final
    def decode(self, spins: npt.ArrayLike) -> Loop:
        """Return the segments between faces inside and outside, ascending."""
        states = checked(spins, (self.penalties.num_bits,))
        if states.ndim != 1:
            raise InvalidModel(f"spins have shape {states.shape}; decode one state ({self.penalties.num_bits},) at a time")
        return border(self.height, self.width, (states[: self.height * self.width] > 0).tolist())

    @final
    def encode(self, solution: Loop) -> npt.NDArray[np.int8]:
        """Return the state whose border the segments are; InvalidModel where they have an end."""
        inside = enclosed(self.height, self.width, checked_loop(self.height, self.width, solution, self.kind))
        return self.penalties.completed(face + 1 for face, held in enumerate(inside) if held)

    @final
    def values(self, spins: npt.ArrayLike) -> dict[Hashable, int]:
        """Return 1 for each segment that the loop has, else 0."""
        held = set(self.decode(spins))
        return {segment: int(segment in held) for segment in self._beside}

    @final
    def violated(self, solution: Loop) -> tuple[str, ...]:
        """Return the rules that segments break, of the puzzle and of a single loop."""
        loop = checked_loop(self.height, self.width, solution, self.kind)
        return self.broken_rules(loop) + loop_faults(loop)

    @final
    def missing_cuts(self, solution: Loop) -> list[Clause]:
        """Return clauses that every single loop satisfies and these loops do not: () for a single one.

        Two faces inside have a path of faces inside between them, so one face of every set that separates them is inside; a face outside has
        a path to the outside of the board. The separators are the smallest ones of faces that would have to change.
        """
        inside = enclosed(self.height, self.width, solution)
        n, near = len(inside), lattice(self.height, self.width)
        held, free = {f for f in range(n) if inside[f]}, {f for f in range(n) if not inside[f]}
        found: list[Clause] = []
        parts = components(near, held)
        for i, part in enumerate(parts):
            # All pairs of few parts, neighbours in the list of many: a cut takes a flow, 5 ms on 32 x 32 faces.
            for other in parts[i + 1 : i + 2 if len(parts) > _PAIRED else None]:
                parting = separator(near, set(part), set(other), free)
                found += [(-(a + 1), -(b + 1), *(f + 1 for f in parting)) for a in _ends(part) for b in _ends(other)]
        rim = {r * self.width + c for r in range(self.height) for c in range(self.width) if r in (0, self.height - 1) or c in (0, self.width - 1)}
        outside = [*near, tuple(sorted(rim))]
        for f in rim:
            outside[f] = (*outside[f], n)
        for hole in components(near, free):
            if rim.isdisjoint(hole):
                ring = separator(outside, set(hole), {n}, held)
                found += [(a + 1, *(-(f + 1) for f in ring)) for a in _ends(hole)]
        return found


def _ends(part: Sequence[int]) -> list[int]:
    """Return the first and the last face of a part: any face makes a cut, two make it hold for more of the states like this one."""
    return sorted({part[0], part[-1]})
