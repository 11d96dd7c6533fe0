"""The tests of driver_forks.py and kv260_forks.py, in processes of their own: threads of JAX, or of another test's backend, make a fork unsafe."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.parametrize(("module", "tests"), [("driver_forks", 7), ("kv260_forks", 3)])
def test_in_a_process_of_their_own(module: str, tests: int) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(HERE / f"{module}.py")]
    done = subprocess.run(command, cwd=HERE.parents[1], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0 and re.search(rf"^{tests} passed", done.stdout, re.MULTILINE), done.stdout + done.stderr
