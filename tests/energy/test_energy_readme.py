"""The examples of the pages on energies and on learning print what they say."""

from __future__ import annotations

import re
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import pytest

import ebmhw.energy

FOLDER = Path(ebmhw.energy.__file__).parent


@pytest.mark.parametrize("page", ["README.md", "learning/README.md"])
def test_examples_print_what_the_page_says(page: str) -> None:
    examples = re.findall(r"```python\n(.*?)```", (FOLDER / page).read_text(), re.S)
    assert examples
    for code in examples:
        said = [line.split("# ", 1)[1].strip() for line in code.splitlines() if line.startswith("print(") and "# " in line]
        with redirect_stdout(StringIO()) as out:
            exec(compile(code, page, "exec"), {})
        assert said and out.getvalue().splitlines() == said


def test_pages_say_what_a_tolerance_means_and_what_the_digits_need() -> None:
    for page in ("README.md", "learning/README.md"):
        assert "pip install scikit-learn" in (FOLDER / page).read_text()
    for text in ((FOLDER / "README.md").read_text(), ebmhw.energy.repair.__doc__ or "", ebmhw.energy.BaseConstraint.__doc__ or ""):
        assert re.search(r"\b(square|squares)\b", text) and re.search(r"0\.001|0\.0001", text)
