"""Puzzles as constraint problems: boards from text, models whose ground states are the solutions, pictures for terminals."""

from __future__ import annotations

from ebmhw.problems.puzzles.futoshiki import Futoshiki
from ebmhw.problems.puzzles.hashi import Hashi
from ebmhw.problems.puzzles.kakuro import Kakuro
from ebmhw.problems.puzzles.masyu import Masyu
from ebmhw.problems.puzzles.nonogram import Nonogram
from ebmhw.problems.puzzles.slitherlink import Slitherlink
from ebmhw.problems.puzzles.sudoku import Sudoku

__all__ = ["Futoshiki", "Hashi", "Kakuro", "Masyu", "Nonogram", "Slitherlink", "Sudoku"]
