"""The examples of host/ebmhw/karl/README.md print what they say."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import pytest

import ebmhw.karl

README = Path(ebmhw.karl.__file__).parent / "README.md"
TEXT = README.read_text(encoding="utf-8")
EXAMPLES = [(code, said) for code, said in re.findall(r"^```python\n(.*?)^```\n\n^```text\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)]


@pytest.mark.parametrize(("code", "said"), EXAMPLES)
def test_example(code: str, said: str) -> None:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, str(README), "exec"), {"__name__": "readme"})
    assert printed.getvalue() == said


def test_there_is_something_to_run() -> None:
    assert len(EXAMPLES) == TEXT.count("```python") >= 1
