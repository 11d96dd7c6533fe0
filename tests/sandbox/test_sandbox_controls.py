"""Outside of a sandbox hostile programs, or their harmless parts, do what they try: what refuses them inside is the sandbox."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sandbox_kinds import KINDS, Kind
from sandbox_surroundings import a_victim, an_outside, program

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="these are programs for Linux")

FREE = [kind for kind in KINDS if kind.outside == "always" or (kind.outside == "root" and os.geteuid() == 0)]


@pytest.fixture(scope="module")
def victim() -> Iterator[int]:
    with a_victim() as process:
        yield process


@pytest.mark.parametrize("kind", FREE, ids=lambda kind: kind.name)
def test_outside_it_succeeds(kind: Kind, tmp_path: Path, victim: int) -> None:
    folder = tmp_path / "free"
    folder.mkdir()
    path = program(tmp_path / "program.py", kind.control or kind.text, an_outside(tmp_path / "outside"), victim)
    command = [sys.executable, "-I", "-S", "-B", str(path)]
    found = subprocess.run(command, cwd=folder, capture_output=True, timeout=60, start_new_session=True, stdin=subprocess.DEVNULL)
    assert tuple(found.stdout.decode().splitlines()) == kind.free, found


def test_most_kinds_have_such_a_control() -> None:
    assert sum(kind.outside in ("always", "root") for kind in KINDS) >= 70
