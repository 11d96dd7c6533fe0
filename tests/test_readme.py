"""The README's examples run and print what it says."""

import contextlib
import doctest
import io
import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from ebmhw.cli.main import main

README = Path(__file__).parent.parent / "README.md"
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
CHECKER = doctest.OutputChecker()


def same(want, got):
    return CHECKER.check_output(want, got, doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)


# A language model of 98 MB takes half a minute to load.
MARKS = {"smollm2": pytest.mark.slow, "verify_code": pytest.mark.confined}
PYTHON = [
    pytest.param(code, BLOCKS[i + 1][1], marks=[mark for word, mark in MARKS.items() if word in code])
    for i, (kind, code) in enumerate(BLOCKS)
    if kind == "python"
]


@pytest.mark.parametrize(("code", "output"), PYTHON)
def test_python(code, output):
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, str(README), "exec"), {"__name__": "readme"})
    assert same(output, printed.getvalue()), printed.getvalue()


def test_console(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (ring,) = (text for kind, text in BLOCKS if kind == "gset")
    Path("ring.txt").write_text(ring)
    (question,) = (text for kind, text in BLOCKS if kind == "txt")
    Path("question.txt").write_text(question)
    sessions = "".join(text for kind, text in BLOCKS if kind == "console")
    for entry in re.split(r"^\$ ", sessions, flags=re.MULTILINE)[1:]:
        command, _, output = entry.partition("\n")
        result = CliRunner().invoke(main, shlex.split(command)[1:])
        assert result.exit_code == 0, result.output
        assert same(output, result.stdout), result.stdout


def test_there_is_something_to_run():
    assert len(PYTHON) >= 2
