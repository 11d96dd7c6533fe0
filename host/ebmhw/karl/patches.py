"""Patches: what those of Codex's apply_patch are about."""

from __future__ import annotations

import re

PATCH = "*** Begin Patch"
"""How one starts."""

PATCH_CHARS = 200_000
"""Of a patch, that are looked at."""

_FILE = re.compile(r"^\*\*\* (Add|Update|Delete) File: ([^\n]{1,500})", re.MULTILINE)


def file_of_patch(patch: str) -> str | None:
    """Return the first file that a patch is about, None where it names none."""
    found = _FILE.search(patch[:PATCH_CHARS])
    return None if found is None else found[2].strip()


def makes_file(patch: str) -> bool | None:
    """Tell whether the first file of a patch is a new one, None where it names none."""
    found = _FILE.search(patch[:PATCH_CHARS])
    return None if found is None else found[1] == "Add"
