"""Harness: the modules that run inside the sandbox, compiled once and handed to its starter."""

from __future__ import annotations

import importlib.util
import marshal
from functools import cache
from pathlib import Path

STARTER = Path(__file__).with_name("starter.py")
_PACKAGE = "ebmhw.verify.code"
_COMMON = ("kinds", "arrays", "readers", "decoding", "encoding", "messages", "values", "wire")


@cache
def candidate_modules() -> bytes:
    """Return the first message to the candidate's process."""
    return _modules(*_COMMON, "stated", "rewriting", "annotations", "instrument", "attempts", "candidate_process")


@cache
def judge_modules() -> bytes:
    """Return the first message to the judge's process."""
    return _modules(*_COMMON, "showing", "proxies", "remote", "doubts", "comparing", "asserting", "judge_process")


def _modules(*names: str) -> bytes:
    found = []
    for name in names:
        full = f"{_PACKAGE}.{name}"
        loader = importlib.util.find_spec(full).loader  # type: ignore[union-attr]
        # The interpreter of the sandbox is this one, so its compiled form fits.
        found.append((full, loader.get_code(full)))  # type: ignore[union-attr]
    return marshal.dumps(found)
