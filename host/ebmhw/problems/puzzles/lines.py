"""One line of a nonogram: which starts its blocks can have, and which cells are the same in all its pictures."""

from __future__ import annotations

from collections.abc import Sequence

UNKNOWN = -1

Starts = tuple[tuple[int, ...], ...]


def blocks_of(line: Sequence[int]) -> tuple[int, ...]:
    """Return the lengths of the blocks of ones in a line of zeros and ones."""
    runs = "".join("x" if bit else " " for bit in line).split()
    return tuple(map(len, runs))


def line_starts(line: Sequence[int], blocks: Sequence[int]) -> Starts:
    """Return the starts that each block has in some picture of a line that agrees with its known cells, ascending."""
    before, after = _tables(line, blocks)
    n, k = len(line), len(blocks)
    return tuple(
        tuple(
            start
            for start in range(n - length + 1)
            if all(line[start : start + length])
            and (before[i][start] if i == 0 else start > 0 and line[start - 1] != 1 and before[i][start - 1])
            and _rest(line, after, start + length, k - i - 1, n)
        )
        for i, length in enumerate(blocks)
    )


def line_cells(line: Sequence[int], blocks: Sequence[int]) -> list[int]:
    """Return the cells of a line: 0 or 1 where all pictures agree, else -1; [] where there is none."""
    before, after = _tables(line, blocks)
    n, k = len(line), len(blocks)
    if not before[k][n]:
        return []
    may = [[False, False] for _ in line]
    for cell in range(n):
        may[cell][0] = line[cell] != 1 and any(before[i][cell] and after[k - i][n - cell - 1] for i in range(k + 1))
    for starts, length in zip(line_starts(line, blocks), blocks, strict=True):
        for start in starts:
            for cell in range(start, start + length):
                may[cell][1] = True
    return [UNKNOWN if empty and full else int(full) for empty, full in may]


def _rest(line: Sequence[int], after: list[list[bool]], end: int, blocks: int, n: int) -> bool:
    """Tell whether the last blocks fit behind a block that ends before cell `end`."""
    if end == n:
        return blocks == 0
    return line[end] != 1 and after[blocks][n - end - 1]


def _tables(line: Sequence[int], blocks: Sequence[int]) -> tuple[list[list[bool]], list[list[bool]]]:
    """Return [i][m]: do the first i blocks fit the first m cells, and do the last i blocks fit the last m cells."""
    return _fits(line, blocks), _fits(line[::-1], blocks[::-1])


def _fits(line: Sequence[int], blocks: Sequence[int]) -> list[list[bool]]:
    n = len(line)
    table = [[False] * (n + 1) for _ in range(len(blocks) + 1)]
    table[0] = [1 not in line[:m] for m in range(n + 1)]
    for i, length in enumerate(blocks, 1):
        for m in range(1, n + 1):
            empty = line[m - 1] != 1 and table[i][m - 1]
            start = m - length
            full = start >= 0 and all(line[start:m])
            if full and i == 1:
                full = table[0][start]
            elif full:
                full = start > 0 and line[start - 1] != 1 and table[i - 1][start - 1]
            table[i][m] = empty or full
    return table
