"""The examples of host/ebmhw/improve/README.md do what the page says."""

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
@pytest.mark.parametrize(("number", "skill"), [(0, "skills/skills/quartic-minimum-1"), (1, "roots/skills/square-root-1")])
def test_the_examples_print_what_the_page_says(number: int, skill: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    codes, said = re.findall(r"```python\n(.*?)```", PAGE, re.S), re.findall(r"```text\n(.*?)```", PAGE, re.S)
    assert len(codes) == len(said) == 2
    with redirect_stdout(StringIO()) as out:
        exec(compile(codes[number], "README.md", "exec"), {"__name__": "readme"})
    assert out.getvalue().startswith(said[number].strip().removesuffix("..."))
    assert (tmp_path / skill / "SKILL.md").exists()


def test_the_table_names_every_gate() -> None:
    assert tuple(re.findall(r"^\| (energy|time|memory|claims) \|", PAGE, re.M)) == get_args(GateName)
