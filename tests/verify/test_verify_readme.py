"""The examples of host/ebmhw/verify/README.md print what they say."""

import contextlib
import io
import re
from pathlib import Path

import pytest

import ebmhw.verify

README = Path(ebmhw.verify.__file__).parent / "README.md"
EXAMPLES = re.findall(r"^```python\n(.*?)^```\n\n^```text\n(.*?)^```", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize(("code", "said"), EXAMPLES)
def test_example(code: str, said: str) -> None:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, str(README), "exec"), {"__name__": "readme"})
    assert printed.getvalue() == said


def test_there_is_something_to_run() -> None:
    assert len(EXAMPLES) == README.read_text(encoding="utf-8").count("```python") >= 2
