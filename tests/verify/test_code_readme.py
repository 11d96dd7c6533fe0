"""The README of verify.code: its example prints what it says, and its specification is one."""

from __future__ import annotations

import contextlib
import io
import json
import re
from pathlib import Path

import pytest

import ebmhw.verify.code
from ebmhw.verify.code import Specification

pytestmark = pytest.mark.confined


TEXT = (Path(ebmhw.verify.code.__file__).parent / "README.md").read_text(encoding="utf-8")


def test_the_example_prints_what_it_says() -> None:
    ((code, said),) = re.findall(r"^```python\n(.*?)^```\n\n^```text\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, "README.md", "exec"), {"__name__": "readme"})
    assert printed.getvalue() == said


def test_the_specification_is_one_and_names_each_member() -> None:
    ((told,),) = [re.findall(r"^```json\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)]
    read = Specification.from_json(told)
    assert set(json.loads(told)) == {"format", *Specification.__dataclass_fields__}
    assert read.tests[0].expected == [1, 3]
