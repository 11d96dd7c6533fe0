"""The examples of host/ebmhw/energy/README.md print what they say."""

from __future__ import annotations

import re
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import ebmhw.energy

README = Path(ebmhw.energy.__file__).parent / "README.md"


def test_examples_print_what_the_page_says() -> None:
    for code in re.findall(r"```python\n(.*?)```", README.read_text(), re.S):
        said = [line.split("# ", 1)[1].strip() for line in code.splitlines() if line.startswith("print(") and "# " in line]
        with redirect_stdout(StringIO()) as out:
            exec(compile(code, str(README), "exec"), {})
        assert said and out.getvalue().splitlines() == said
