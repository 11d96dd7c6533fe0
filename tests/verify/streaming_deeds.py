"""What the tests of streams check: a domain without a search, whose words do to a worker what hostile candidates do."""

from __future__ import annotations

import ctypes
import os
import re
import sys
import time
from collections.abc import Sequence
from typing import Any, final

from ebmhw.verify import Claim, Deadline, Domain, Judgement, Prover, Source, Statement
from ebmhw.verify.batch import crew
from ebmhw.verify.streaming import stream
from ebmhw.verify.verdict import UNKNOWN, VERIFIED, VIOLATED

_WORD = re.compile(r"\b(?:right|wrong|perhaps)\b")
_VERDICTS = {"right": VERIFIED, "wrong": VIOLATED, "perhaps": UNKNOWN}


@final
class Acts(Domain):
    """Takes "right", "wrong" and "perhaps" at their word, and does what other words of a response say."""

    @property
    def name(self) -> str:
        return "acts"

    def read(self, text: str, source: Source, deadline: Deadline) -> list[Statement]:
        if source == "response":
            for word, act in _ACTS.items():
                if word in text:
                    act()
            if pause := re.search(r"wait (\d+)", text):
                time.sleep(int(pause[1]) / 1000)
            if event := re.search(r"until (\S+)", text):
                while not os.path.exists(event[1]):
                    time.sleep(0.01)
            if "heeds" in text:
                while True:
                    deadline.check("heeding")
        return [Statement("acts", match.group(), source, match.span(), match.group(), {}) for match in _WORD.finditer(text)]

    def judge(self, question: Sequence[Statement], response: Sequence[Statement], prover: Prover, deadline: Deadline) -> Judgement:
        return Judgement(tuple(Claim(one, _VERDICTS[one.text], f"it says {one.text}") for one in response))


@final
class Clock:
    """Stands in for `time` in streams and crews; ``ahead`` seconds ahead of it, so that no test waits for a total budget."""

    def __init__(self) -> None:
        self.ahead = 0.0

    @classmethod
    def set(cls, monkeypatch: Any) -> Clock:
        """Return the clock that streams and crews look at from now on."""
        clock = cls()
        for module in (stream, crew):
            monkeypatch.setattr(module, "time", clock)
        return clock

    def monotonic(self) -> float:
        return time.monotonic() + self.ahead


def _spin() -> None:
    while True:
        pass


def _raise() -> None:
    raise MemoryError


_ACTS = {
    "sleep": lambda: time.sleep(1000),
    "spin": _spin,
    "regex": lambda: re.match(r"(a+)+$", "a" * 60 + "b"),  # within C, without a look at signals' Python handlers
    "exit": lambda: os._exit(7),
    "leave": lambda: sys.exit(3),
    "crash": lambda: ctypes.string_at(0),
    "memory": _raise,
    "print": lambda: print("a library that says something"),
}
