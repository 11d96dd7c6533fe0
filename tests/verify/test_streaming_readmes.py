"""The examples of the READMEs of streams, memory and confidence print what they say."""

from __future__ import annotations

import contextlib
import io
import re
import subprocess
import sys
from pathlib import Path

import pytest

import ebmhw.verify

PATHS = [Path(ebmhw.verify.__file__).parent / name / "README.md" for name in ("streaming", "memory", "confidence")]
EXAMPLE = re.compile(r"^```python\n(.*?)^```\n\n^```text\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.parent.name)
def test_example(path: Path) -> None:
    ((code, said),) = EXAMPLE.findall(path.read_text(encoding="utf-8"))
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, str(path), "exec"), {"__name__": "__main__"})
    assert printed.getvalue() == said


def test_the_example_with_workers_runs_as_a_file(tmp_path: Path) -> None:
    ((code, said),) = EXAMPLE.findall(PATHS[0].read_text(encoding="utf-8"))
    (tmp_path / "example.py").write_text(code, encoding="utf-8")
    done = subprocess.run([sys.executable, "example.py"], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert (done.stdout, done.stderr) == (said, "")
