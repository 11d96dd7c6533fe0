"""Objectives of the package: small, real, and cheap to judge."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ebmhw.lazy import lazily

if TYPE_CHECKING:
    from ebmhw.improve.objectives.annealing import AnnealingSchedule
    from ebmhw.improve.objectives.quartic import QuarticMinimum

_HOMES = {"AnnealingSchedule": "annealing", "QuarticMinimum": "quartic"}

__all__ = ["AnnealingSchedule", "QuarticMinimum"]

__getattr__, __dir__ = lazily(__name__, _HOMES, __all__)
