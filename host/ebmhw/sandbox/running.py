"""run_program: a whole program, from its text to how it ended."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

from ebmhw.sandbox.confined import Confined
from ebmhw.sandbox.ended import Ended
from ebmhw.sandbox.limits import Limits
from ebmhw.sandbox.remedies import unavailable


def run_program(
    source: str,
    stdin: bytes = b"",
    limits: Limits | None = None,
    *,
    readable: Iterable[str] = (),
    packages: Iterable[str] = (),
    namespaces: bool = True,
) -> Ended:
    """Run the text of a Python program confined, to its end or a limit, and return how it ended.

    Raises
    ------
    SandboxUnavailable
        Where a guard is missing, see `Confined`.
    """
    with unavailable():
        folder = tempfile.mkdtemp(prefix="ebmhw-program-")
    try:
        path = Path(folder) / "program.py"
        with unavailable():
            path.write_text(source, encoding="utf-8")
        with Confined(path, limits, readable=readable, packages=packages, stdin=stdin, namespaces=namespaces) as process:
            return process.end()
    finally:
        shutil.rmtree(folder)
