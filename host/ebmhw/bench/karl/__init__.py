"""Sessions of agents: how fast they are tapped, read, scored, stored, and how well and fast training sets are chosen."""

from __future__ import annotations

from ebmhw.bench.karl.cases import cases

__all__ = ["cases"]
