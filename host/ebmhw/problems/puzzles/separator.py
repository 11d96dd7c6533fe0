"""The fewest vertices of a graph whose removal parts two sets of vertices (Menger's theorem, by augmenting paths)."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence, Set

import numpy as np


def components(neighbours: Sequence[Sequence[int]], members: Set[int]) -> list[list[int]]:
    """Return the connected components of the graph on `members`, each ascending, by their smallest vertex."""
    left, found = set(members), []
    for start in sorted(members):
        if start not in left:
            continue
        left.remove(start)
        component, reached = [start], 0
        while reached < len(component):
            for other in neighbours[component[reached]]:
                if other in left:
                    left.remove(other)
                    component.append(other)
            reached += 1
        found.append(sorted(component))
    return found


def separator(neighbours: Sequence[Sequence[int]], sources: Set[int], sinks: Set[int], removable: Set[int]) -> list[int]:
    """Return the smallest set of removable vertices that every path from a source to a sink passes, ascending, the nearest to the sources.

    Parameters
    ----------
    neighbours : of each vertex, undirected
    sources, sinks : disjoint; none of them is removable

    Raises
    ------
    ValueError
        where a path between them avoids all removable vertices.

    Notes
    -----
    Each removable vertex is an arc of capacity 1 between its two halves, all other arcs have no limit. A search for one more path of flow
    is a breadth-first search; there are as many as the set has vertices.
    """
    n = len(neighbours)
    entry, leave = range(n), range(n, 2 * n)
    flow: dict[tuple[int, int], int] = {}

    def arcs(node: int) -> list[int]:
        """Return where more flow can go to from a half of a vertex."""
        vertex = node % n
        if node >= n:
            back = [entry[vertex]] if vertex not in removable or flow.get((entry[vertex], node), 0) > 0 else []
            return [entry[other] for other in neighbours[vertex]] + back
        through = [leave[vertex]] if vertex not in removable or flow.get((node, leave[vertex]), 0) < 1 else []
        return through + [leave[other] for other in neighbours[vertex] if flow.get((leave[other], node), 0) > 0]

    for _ in range(len(removable) + 1):
        came: dict[int, int] = {entry[s]: -1 for s in sorted(sources)}
        queue, end = deque(came), -1
        while queue and end < 0:
            node = queue.popleft()
            for other in arcs(node):
                if other not in came:
                    came[other] = node
                    if other < n and other in sinks:
                        end = other
                        break
                    queue.append(other)
        if end < 0:
            return sorted(vertex for vertex in removable if entry[vertex] in came and leave[vertex] not in came)
        while came[end] >= 0:
            start = came[end]
            flow[start, end] = flow.get((start, end), 0) + 1
            flow[end, start] = flow.get((end, start), 0) - 1
            end = start
    raise ValueError("a path between the sources and the sinks avoids all removable vertices")


def lattice(rows: int, columns: int) -> tuple[tuple[int, ...], ...]:
    """Return the neighbours of each cell of a board, cells numbered row by row."""
    index = np.arange(rows * columns).reshape(rows, columns)
    near: list[list[int]] = [[] for _ in range(rows * columns)]
    for a, b in [*zip(index[:-1].flat, index[1:].flat, strict=True), *zip(index[:, :-1].flat, index[:, 1:].flat, strict=True)]:
        near[a].append(int(b))
        near[b].append(int(a))
    return tuple(map(tuple, near))
