"""Streams of code: a specification has each candidate run in a sandbox, from within its worker."""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ebmhw.verify.code import Specification
from ebmhw.verify.streaming import verify_stream

pytestmark = pytest.mark.confined

HANGS = "def f(a, b):\n    n = a\n    while n < 10**30:\n        n += 0 * b\n    return n\n"
"""It never ends, which only shows once it is run."""


def test_a_specification_has_the_code_of_each_candidate_run() -> None:
    asked = Specification(entry_point="f", tests=[((1, 2), 3)], code=True, timeout=100.0, infer=False)
    texts = ["def f(a, b):\n    return a + b\n", "def f(a, b):\n    return a - b\n"]
    found = {one.index: one for one in verify_stream("Add two numbers.", texts, specification=asked, workers=2)}
    assert [found[at].verdict for at in range(2)] == ["VERIFIED", "VIOLATED"]


def test_code_that_hangs_ends_with_its_stream_and_leaves_no_scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its worker is ended in mid-run, so that it is the sandbox itself that has to notice."""
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    asked = Specification(entry_point="f", tests=[((1, 2), 3)], code=True, timeout=1000.0, infer=False)
    ran, over = threading.Event(), threading.Event()

    def watch() -> None:
        while not over.wait(0.02):
            if os.listdir(tmp_path):
                ran.set()

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        # A slow machine may need longer to come to it.
        for seconds in (5.0, 20.0, 80.0):
            found = list(verify_stream("Add two numbers.", [HANGS], specification=asked, workers=1, total_budget=seconds))
            assert [one.stopped for one in found] == ["total budget"]
            if ran.is_set():
                break
    finally:
        over.set()
        watcher.join()
    assert ran.is_set(), "it was not run"
    assert within(lambda: os.listdir(tmp_path) == [])


def within(happened: Callable[[], bool]) -> bool:
    """Return whether something happens within a minute; what watches over a sandbox needs a moment to see that nobody is there any more."""
    until = time.monotonic() + 60
    while not happened() and time.monotonic() < until:
        time.sleep(0.05)
    return happened()
