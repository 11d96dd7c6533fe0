"""The tests of kv260_forks.py, each in a process of its own: threads of JAX, or of another test's backend, make a fork unsafe."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
NAMES = re.findall(r"^def (test_\w+)", (HERE / "kv260_forks.py").read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.parametrize("name", NAMES)
def test_in_a_process_of_its_own(name: str) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"{HERE / 'kv260_forks.py'}::{name}"]
    done = subprocess.run(command, cwd=HERE.parents[1], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0 and "1 passed" in done.stdout, done.stdout + done.stderr
