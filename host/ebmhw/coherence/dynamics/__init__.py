"""Phi along a run: whether its steps get shorter, forecasts of it, and how far these were off."""

from __future__ import annotations

from ebmhw.coherence.dynamics.contraction import ContractionProbe, ContractionReport
from ebmhw.coherence.dynamics.forecast import CoherenceForecast
from ebmhw.coherence.dynamics.realizability import level_gaps, realizability_chain, realizability_gap

__all__ = ["CoherenceForecast", "ContractionProbe", "ContractionReport", "level_gaps", "realizability_chain", "realizability_gap"]
