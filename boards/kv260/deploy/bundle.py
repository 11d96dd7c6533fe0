"""The modules that run on the board, as one text that its python3 imports from memory: nothing is installed there, and nothing is written twice."""

from __future__ import annotations

import json
from functools import cache
from importlib import import_module
from typing import Final

from boards.kv260.deploy.board_side.source import source_of

MAIN: Final = "boards.kv260.deploy.board_side.serve"
"""Module whose ``main`` runs there."""

_OURS = (
    *("board", "facts", "folders", "installed_python", "journal", "link", "loading"),
    *("lock", "pynq_python", "requirements", "serve", "session", "source", "undo"),
)

MODULES: Final = (
    *(f"boards.kv260.deploy.board_side.{name}" for name in _OURS),
    *(f"ebmhw.board.{name}" for name in ("command", "system", "xmutil")),
    "ebmhw.errors",
    "ebmhw.redaction",
)
"""All that is imported there besides the standard library; packages above them are empty there."""

LOADER: Final = f"""\
import importlib.abc, importlib.util, json, os, sys
n, d = int(sys.argv[1]), b""
while len(d) < n:
    c = os.read(0, n - len(d))
    if not c:
        sys.exit(1)
    d += c
class Sent(importlib.abc.InspectLoader, importlib.abc.MetaPathFinder):
    sources = json.loads(d)
    def is_package(self, name):
        return any(one.startswith(name + ".") for one in self.sources)
    def find_spec(self, name, path, target=None):
        return importlib.util.spec_from_loader(name, self) if name in self.sources or self.is_package(name) else None
    def get_source(self, name):
        return self.sources.get(name, "")
sys.meta_path.insert(0, Sent())
importlib.import_module({MAIN!r}).main()
"""
"""What ``python3 -c`` is given, with the bundle's length as its argument: it reads the bundle from standard input, where the requests follow it."""


@cache
def bundle() -> bytes:
    """Return the source of each module, as JSON."""
    return json.dumps({name: source_of(import_module(name)) for name in MODULES}).encode()
