"""The example of host/ebmhw/sandbox/README.md does what the page says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import ebmhw.sandbox

PAGE = (Path(ebmhw.sandbox.__file__).parent / "README.md").read_text(encoding="utf-8")


@pytest.mark.confined
def test_the_example_does_what_its_comments_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.S)
    names: dict[str, Any] = {}
    exec(compile(code, "README.md", "exec"), names)
    ended = names["ended"]
    assert names["answer"] == b"A QUESTION" and f"b{names['answer'].decode()!r}".replace("'", '"') in code
    assert (ended.cause, ended.status) == ("exit", 3) and f'cause "{ended.cause}", status {ended.status}' in code
