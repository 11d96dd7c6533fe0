"""Closed loops on a lattice, and the faces inside them: a loop is the border between faces of unlike spins.

A loop has as many segments at every vertex as a border has: an even number. So one spin a face, with all that is outside the board fixed,
needs no term for that rule, and flipping a spin moves the loop over its face.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ebmhw.errors import InvalidModel, shown
from ebmhw.problems.puzzles.grid import Cell

Segment = tuple[Cell, Cell]
Loop = tuple[Segment, ...]

_MARKS = {frozenset("EW"): "─", frozenset("NS"): "│", frozenset("ES"): "┌", frozenset("SW"): "┐", frozenset("EN"): "└", frozenset("NW"): "┘"}


def segments(height: int, width: int) -> dict[Segment, tuple[int | None, int | None]]:
    """Return the segments between the vertices (0..height, 0..width) of a board of faces, with the two faces beside each, None for outside.

    A segment names its upper or left vertex first; faces are numbered row by row.
    """

    def face(r: int, c: int) -> int | None:
        return r * width + c if 0 <= r < height and 0 <= c < width else None

    found: dict[Segment, tuple[int | None, int | None]] = {}
    for r in range(height + 1):
        for c in range(width + 1):
            if c < width:
                found[(r, c), (r, c + 1)] = face(r - 1, c), face(r, c)
            if r < height:
                found[(r, c), (r + 1, c)] = face(r, c - 1), face(r, c)
    return found


def border(height: int, width: int, inside: Sequence[bool]) -> Loop:
    """Return the segments between faces inside and faces outside."""
    return tuple(
        sorted(segment for segment, (a, b) in segments(height, width).items() if (a is not None and inside[a]) != (b is not None and inside[b]))
    )


def enclosed(height: int, width: int, loop: Loop) -> tuple[bool, ...]:
    """Return which faces a loop has inside: those with an odd number of its segments to their left.

    Raises
    ------
    InvalidModel
        where the segments are no border of anything.
    """
    held = set(loop)
    inside = []
    for r in range(height):
        odd = False
        for c in range(width):
            odd ^= ((r, c), (r + 1, c)) in held
            inside.append(odd)
    if border(height, width, inside) != loop:
        raise InvalidModel(f"{shown(loop)} is no union of closed loops; no state of the model stands for it")
    return tuple(inside)


def checked_loop(height: int, width: int, solution: Iterable[Iterable[Iterable[int]]], puzzle: str) -> Loop:
    """Return segments as a sorted tuple without repetitions.

    Raises
    ------
    InvalidModel
        for one that does not join two neighbouring vertices of the board.
    """
    known = segments(height, width)
    found = set()
    for given in solution:
        try:
            a, b = sorted((int(r), int(c)) for r, c in given)
        except (TypeError, ValueError):
            raise InvalidModel(f"segment {shown(given)} of the {puzzle} is none; give ((row, column), (row, column))") from None
        if (a, b) not in known:
            raise InvalidModel(f"segment {shown(given)} of the {puzzle} joins no neighbours; vertices are (0..{height}, 0..{width})")
        found.add((a, b))
    return tuple(sorted(found))


def around(loop: Loop) -> dict[Cell, set[str]]:
    """Return the directions (N, E, S, W) in which the loop leaves each vertex that it visits."""
    ways: dict[Cell, set[str]] = {}
    for a, b in loop:
        across = a[0] == b[0]
        ways.setdefault(a, set()).add("E" if across else "S")
        ways.setdefault(b, set()).add("W" if across else "N")
    return ways


def loop_faults(loop: Loop) -> tuple[str, ...]:
    """Return what keeps segments from being one closed loop: ends, crossings, no segment at all, a second loop."""
    if not loop:
        return ("there is no loop",)
    ways = around(loop)
    faults = [f"{len(w)} segments meet at ({r}, {c})" for (r, c), w in sorted(ways.items()) if len(w) != 2]
    joined: dict[Cell, list[Cell]] = {}
    for a, b in loop:
        joined.setdefault(a, []).append(b)
        joined.setdefault(b, []).append(a)
    seen, queue = {loop[0][0]}, [loop[0][0]]
    while queue:
        for other in joined[queue.pop()]:
            if other not in seen:
                seen.add(other)
                queue.append(other)
    if len(seen) < len(joined):
        faults.append("the segments are not all one loop")
    return tuple(faults)


def mark(ways: set[str]) -> str:
    """Return the character that draws a vertex with its segments."""
    return _MARKS.get(frozenset(ways), "┼" if ways else "·")
