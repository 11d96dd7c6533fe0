"""Streams of code: a specification has each candidate run in a sandbox, from within its worker."""

from __future__ import annotations

from ebmhw.verify.code import Specification
from ebmhw.verify.streaming import verify_stream


def test_a_specification_has_the_code_of_each_candidate_run() -> None:
    asked = Specification(entry_point="f", tests=[((1, 2), 3)], code=True, timeout=2.0)
    texts = ["def f(a, b):\n    return a + b\n", "def f(a, b):\n    return a - b\n", "def f(a, b):\n    while True:\n        pass\n"]
    found = {one.index: one for one in verify_stream("Add two numbers.", texts, specification=asked, budget=60.0, workers=2)}
    assert [found[at].verdict for at in range(2)] == ["VERIFIED", "VIOLATED"]
    assert found[2].verdict != "VERIFIED"
