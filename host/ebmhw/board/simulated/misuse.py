"""Misuse: what silicon answers with a hang, or with nonsense, and a simulation must therefore tell."""

from __future__ import annotations

from typing import final


@final
class Misuse(Exception):
    """A driver did what the board cannot answer. No error of this package: no driver is to catch it."""
