"""What the likeliest tokens alone prove of entropy and phi: intervals, and traces of them."""

from __future__ import annotations

from ebmhw.coherence.bounds.interval import EntropyInterval, Interval
from ebmhw.coherence.bounds.trace import BoundedTrace

__all__ = ["BoundedTrace", "EntropyInterval", "Interval"]
