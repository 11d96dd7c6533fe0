"""Reader: what every reader of a trace format is, and what it reports besides trajectories."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, ClassVar, NamedTuple

from ebmhw.karl.trajectory import Trajectory

HEAD_BYTES = 2**16
"""Bytes of a file that are looked at to tell its format."""


class Problem(NamedTuple):
    """Something in a file that could not be read, and was skipped.

    Attributes
    ----------
    path : of the file
    line : its line, from 1; None where it is about more than one, or a file without lines
    text : what is wrong with it, and what would help
    """

    path: str
    line: int | None
    text: str

    def __str__(self) -> str:
        """Return ``path:line: text``."""
        return f"{self.path}{'' if self.line is None else f':{self.line}'}: {self.text}"


Report = Callable[[Problem], object]
"""Takes a problem of a file."""


class Reader(ABC):
    """A format.

    What readers keep of a session has limits (`ebmhw.karl.trajectory`), and so have the sessions of a file that they hold at once, so that memory has
    one whatever the size of a file.
    """

    name: ClassVar[str]
    """As users give it to ``format=``."""

    @abstractmethod
    def recognises(self, head: bytes, path: Path) -> bool:
        """Tell whether a file that starts with ``head`` (at most `HEAD_BYTES`) is of this format."""

    def continues(self, path: Path) -> bool:
        """Tell whether a file is read with another one of its folder, whose session it goes on with."""
        return False

    @abstractmethod
    def read(self, stream: IO[bytes], path: Path, report: Report) -> Iterator[Trajectory]:
        """Yield the trajectories of a file, whose problems go to ``report``; what can be read of a broken one is returned.

        Raises
        ------
        InvalidFile : nothing of the file can be read; the text starts with its path
        """
