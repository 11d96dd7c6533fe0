"""Starter: the program that a sandbox runs first; it takes the modules of the harness from its channel, compiled, and enters the last one.

This file runs inside the sandbox, whose `receive` and `send` are its globals; it needs the standard library only.
"""

from __future__ import annotations

import marshal
import sys
import types
from collections.abc import Callable


def start(receive: Callable[[], bytes], send: Callable[[bytes], None]) -> None:
    """Run the modules that the first message holds, by their names within ebmhw, and the last one's ``main``."""
    module = types.ModuleType("")
    for name, code in marshal.loads(receive()):
        parts = name.split(".")
        for length in range(1, len(parts)):
            parent = ".".join(parts[:length])
            if parent not in sys.modules:
                sys.modules[parent] = types.ModuleType(parent)
                sys.modules[parent].__path__ = []
        module = sys.modules[name] = types.ModuleType(name)
        exec(code, module.__dict__)
    module.main(receive, send)


if "receive" in globals():
    start(globals()["receive"], globals()["send"])
