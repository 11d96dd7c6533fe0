"""Plain depth-first searches for all solutions of a puzzle, from its rules alone: what the models are judged by."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import product

Cell = tuple[int, int]
Segment = tuple[Cell, Cell]


def assignments(domains: Sequence[Sequence[int]], fits: Callable[[list[int]], bool]) -> Iterator[tuple[int, ...]]:
    """Yield every choice of one value a variable all of whose beginnings fit."""

    def extend(chosen: list[int]) -> Iterator[tuple[int, ...]]:
        if len(chosen) == len(domains):
            yield tuple(chosen)
            return
        for value in domains[len(chosen)]:
            chosen.append(value)
            if fits(chosen):
                yield from extend(chosen)
            chosen.pop()

    yield from extend([])


def boards(rows: int, columns: int, flat: Iterator[tuple[int, ...]]) -> set[tuple[tuple[int, ...], ...]]:
    """Return flat boards as tuples of rows."""
    return {tuple(tuple(f[r * columns : (r + 1) * columns]) for r in range(rows)) for f in flat}


def latin(
    size: int,
    given: Sequence[Sequence[int]],
    box: int = 0,
    less: Sequence[tuple[Cell, Cell]] = (),
) -> set[tuple[tuple[int, ...], ...]]:
    """Return the Latin squares of 1..size that keep the givens, whose boxes hold each value once, and with the first of each pair the smaller."""

    def fits(chosen: list[int]) -> bool:
        last = len(chosen) - 1
        r, c = divmod(last, size)
        value = chosen[-1]
        for i in range(last):
            q, d = divmod(i, size)
            near = q == r or d == c or (box and (q // box, d // box) == (r // box, c // box))
            if near and chosen[i] == value:
                return False
        for a, b in less:
            i, j = a[0] * size + a[1], b[0] * size + b[1]
            if max(i, j) == last and chosen[i] >= chosen[j]:
                return False
        return True

    domains = [[value] if value else list(range(1, size + 1)) for row in given for value in row]
    return boards(size, size, assignments(domains, fits))


def line_clue(line: Sequence[int]) -> tuple[int, ...]:
    """Return the lengths of the blocks of ones in a line."""
    runs, length = [], 0
    for bit in [*line, 0]:
        if bit:
            length += 1
        elif length:
            runs.append(length)
            length = 0
    return tuple(runs)


def nonograms(rows: Sequence[tuple[int, ...]], columns: Sequence[tuple[int, ...]]) -> set[tuple[tuple[int, ...], ...]]:
    """Return the pictures whose rows and columns have these blocks."""
    options = [[line for line in product((0, 1), repeat=len(columns)) if line_clue(line) == clue] for clue in rows]
    heads = [{line[:k] for line in product((0, 1), repeat=len(rows)) if line_clue(line) == clue for k in range(len(rows) + 1)} for clue in columns]

    def extend(chosen: list[tuple[int, ...]]) -> Iterator[tuple[tuple[int, ...], ...]]:
        if len(chosen) == len(rows):
            yield tuple(chosen)
            return
        for line in options[len(chosen)]:
            taller = [*chosen, line]
            if all(column in head for column, head in zip(zip(*taller, strict=True), heads, strict=True)):
                yield from extend(taller)

    return set(extend([]))


def loops(height: int, width: int, fits: Callable[[Cell, set[Segment]], bool] = lambda vertex, held: True) -> Iterator[tuple[Segment, ...]]:
    """Yield the sets of segments with 0 or 2 at each of (height + 1) x (width + 1) vertices, the empty one among them.

    `fits` is asked after each vertex, row by row, once its segments to the right and down are chosen.
    """
    held: set[Segment] = set()

    def extend(number: int) -> Iterator[tuple[Segment, ...]]:
        r, c = divmod(number, width + 1)
        if r > height:
            yield tuple(sorted(held))
            return
        known = (((r - 1, c), (r, c)) in held) + (((r, c - 1), (r, c)) in held)
        right, down = ((r, c), (r, c + 1)), ((r, c), (r + 1, c))
        for e, s in product((0, 1), repeat=2):
            if known + e + s not in (0, 2) or (e and c == width) or (s and r == height):
                continue
            chosen = [segment for segment, on in ((right, e), (down, s)) if on]
            held.update(chosen)
            if fits((r, c), held):
                yield from extend(number + 1)
            held.difference_update(chosen)

    return extend(0)


def one_loop(loop: Sequence[Segment]) -> bool:
    """Tell whether segments with 0 or 2 at each vertex are one loop, by walking it."""
    if not loop:
        return False
    left, (start, here) = set(loop[1:]), loop[0]
    while here != start:
        step = next(s for s in left if here in s)
        left.remove(step)
        here = step[0] if step[1] == here else step[1]
    return not left


def bridges(islands: Sequence[Sequence[int]]) -> Iterator[tuple[tuple[Cell, Cell, int], ...]]:
    """Yield the bridges that give every island its number without crossing, connected or not."""
    cells = [(r, c) for r, row in enumerate(islands) for c, count in enumerate(row) if count]
    pairs = []
    for a, b in product(cells, cells):
        if a < b and (a[0] == b[0] or a[1] == b[1]):
            between = {(r, c) for r in range(a[0], b[0] + 1) for c in range(min(a[1], b[1]), max(a[1], b[1]) + 1)} - {a, b}
            if not between & set(cells):
                pairs.append((a, b, between))

    def fits(chosen: list[int]) -> bool:
        for r, c in cells:
            have = sum(n for n, (a, b, _) in zip(chosen, pairs, strict=False) if (r, c) in (a, b))
            left = sum((r, c) in (a, b) for a, b, _ in pairs[len(chosen) :])
            if not have <= islands[r][c] <= have + 2 * left:
                return False
        return not any(chosen[-1] and chosen[i] and pairs[-1 + len(chosen)][2] & pairs[i][2] for i in range(len(chosen) - 1))

    if pairs:
        for counts in assignments([range(3)] * len(pairs), fits):
            yield tuple(sorted((a, b, n) for n, (a, b, _) in zip(counts, pairs, strict=True) if n))


def joined(islands: Sequence[Sequence[int]], solution: Sequence[tuple[Cell, Cell, int]]) -> bool:
    """Tell whether bridges connect all islands."""
    cells = {(r, c) for r, row in enumerate(islands) for c, count in enumerate(row) if count}
    reached = {min(cells)}
    for _ in cells:
        reached |= {cell for a, b, _ in solution for cell in (a, b) if a in reached or b in reached}
    return reached == cells


def kakuros(board: Sequence[Sequence[tuple[int, int] | None]]) -> set[tuple[tuple[int, ...], ...]]:
    """Return the boards of digits, 0 where black, whose runs have the sums before them and different digits."""
    runs = []
    for r, row in enumerate(board):
        for c, cell in enumerate(row):
            for total, (i, j) in zip(cell or (), ((1, 0), (0, 1)), strict=False):
                length = 1
                while total and r + i * length < len(board) and c + j * length < len(row) and board[r + i * length][c + j * length] is None:
                    length += 1
                if total:
                    runs.append((total, [(r + i * k) * len(row) + c + j * k for k in range(1, length)]))

    def fits(chosen: list[int]) -> bool:
        for total, run in runs:
            if len(chosen) - 1 in run:
                values = [chosen[at] for at in run if at < len(chosen)]
                if len(set(values)) < len(values) or sum(values) > total or (len(values) == len(run) and sum(values) < total):
                    return False
        return True

    domains = [range(1, 10) if cell is None else [0] for row in board for cell in row]
    return boards(len(board), len(board[0]), assignments(domains, fits))
