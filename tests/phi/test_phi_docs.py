"""The examples of the phi unit's contract run and print what it says, and its numbers are those of the code."""

from __future__ import annotations

import contextlib
import doctest
import io
import re
from pathlib import Path

import pytest

import ebmhw
from ebmhw.contract import phi_formats
from ebmhw.phi import FLAG, RECORD

TEXT = (Path(ebmhw.__file__).parent / "contract" / "PHI.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
PYTHON = [(code, BLOCKS[i + 1][1]) for i, (kind, code) in enumerate(BLOCKS) if kind == "python"]


@pytest.mark.parametrize(("code", "output"), PYTHON)
def test_examples(code: str, output: str) -> None:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, "PHI.md", "exec"), {"__name__": "phi"})
    assert doctest.OutputChecker().check_output(output, printed.getvalue(), doctest.NORMALIZE_WHITESPACE), printed.getvalue()


def test_the_table_is_the_record() -> None:
    rows = re.findall(r"^\| (`.*?) \| ([ui]\d+)(?: each)? \|", TEXT, re.MULTILINE)
    fields = [(name, kind) for names, kind in rows for name in re.findall(r"`(\w+)`", names)]
    assert [(name, f"{RECORD[name].kind}{8 * RECORD[name].itemsize}") for name in RECORD.names or ()] == fields


def test_flags_and_constants_are_those_of_the_code() -> None:
    assert "bit 0 up: " + ", ".join(name.upper() for name in FLAG) in TEXT
    assert len(PYTHON) == 3
    for number in (phi_formats.EXPONENT_MULTIPLIER, phi_formats.BINS, phi_formats.MANTISSA_BIT):
        assert re.search(rf"\b{number}\b", TEXT)
