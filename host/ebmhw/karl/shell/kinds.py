"""Kinds: what a shell line does, as bits; apart from the tables of names, so that asking of a line that does none of it loads none of these."""

from __future__ import annotations

NOTHING, TESTS, BUILDS, ASKS = 0, 1, 2, 4
"""Nothing of the kind; it runs tests; it builds; it asks such a program for something else (its version, its help, its list)."""
