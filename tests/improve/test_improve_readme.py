"""The example of host/ebmhw/improve/README.md does what the page says."""

from __future__ import annotations

import re
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import get_args

import pytest

import ebmhw.improve
from ebmhw.improve.gates import GateName

PAGE = (Path(ebmhw.improve.__file__).parent / "README.md").read_text()


@pytest.mark.confined
def test_the_example_prints_what_the_page_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (code,), (said,) = re.findall(r"```python\n(.*?)```", PAGE, re.S), re.findall(r"```text\n(.*?)```", PAGE, re.S)
    with redirect_stdout(StringIO()) as out:
        exec(compile(code, "README.md", "exec"), {})
    assert out.getvalue().startswith(said.strip().removesuffix("..."))
    assert (tmp_path / "skills" / "skills" / "quartic-minimum-1" / "SKILL.md").exists()


def test_the_table_names_every_gate() -> None:
    assert tuple(re.findall(r"^\| (energy|time|memory|claims) \|", PAGE, re.M)) == get_args(GateName)
