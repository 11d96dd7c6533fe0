"""The graphs that cases run on: files of the G-set where a folder with them is given, else graphs of the same parameters.

The G-set is not part of this package. A generated graph has the same numbers of vertices and edges, weights and shape, so speeds compare;
cuts do not, which is why goals for cuts are only about the real files.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

if TYPE_CHECKING:
    from ebmhw.problems import MaxCut

_SEED = 20240131


@final
@dataclass(frozen=True)
class Graph:
    """A graph by its name in the G-set; ``path`` is its file, or None to generate one like it."""

    name: str
    path: Path | None

    @property
    def label(self) -> str:
        """Name for a table: "G1", or "like G1"."""
        return self.name if self.path is not None else f"like {self.name}"

    def problem(self) -> MaxCut:
        """Read or generate the Max-Cut problem."""
        from ebmhw.problems import MaxCut

        return generated(self.name) if self.path is None else MaxCut.read(self.path)


def find(name: str, data: Path | None) -> Graph:
    """Return the graph of a name such as "G1": from NAME.txt or NAME in the folder, else generated."""
    for candidate in [data / f"{name}.txt", data / name] if data is not None else []:
        if candidate.is_file():
            return Graph(name, candidate)
    return Graph(name, None)


def generated(name: str) -> MaxCut:
    """Return a graph like G1, G11 or G22, always the same one.

    G1: 800 vertices, 19,176 random edges of weight 1. G11: torus of 100 x 8 with weights +-1. G22: 2,000 vertices, 19,990 random edges.
    """
    import numpy as np

    from ebmhw.problems import MaxCut

    rng = np.random.default_rng([_SEED, int(name[1:])])
    if name == "G11":
        edges = torus(100, 8)
        return MaxCut(800, edges, rng.choice(np.array([-1, 1]), len(edges)))
    n, m = {"G1": (800, 19176), "G22": (2000, 19990)}[name]
    return MaxCut(n, random_edges(n, m, rng))


def random_edges(n: int, m: int, rng: Any) -> Any:
    """Return m different pairs of n vertices, int64 (m, 2), all sets of pairs equally likely."""
    import numpy as np

    first, second = np.triu_indices(n, 1)
    chosen = np.sort(rng.choice(first.size, m, replace=False))
    return np.stack([first[chosen], second[chosen]], axis=1)


def torus(height: int, width: int) -> Any:
    """Return the edges of a height x width lattice that is closed both ways, int64 (2 height width, 2)."""
    import numpy as np

    index = np.arange(height * width).reshape(height, width)
    right, below = np.roll(index, -1, axis=1), np.roll(index, -1, axis=0)
    return np.concatenate([np.stack([index, other], axis=-1).reshape(-1, 2) for other in (right, below)])


def dense(n: int) -> MaxCut:
    """Return a complete graph with uniform weights of 8 bits, -127..127 without 0, always the same one."""
    import numpy as np

    from ebmhw.problems import MaxCut

    rng = np.random.default_rng([_SEED, n])
    edges = np.stack(np.triu_indices(n, 1), axis=1)
    return MaxCut(n, edges, rng.integers(1, 128, len(edges)) * rng.choice(np.array([-1, 1]), len(edges)))
