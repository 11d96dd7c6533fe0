"""read: the kind is told by content, every form of a file gives the same problem, and rubbish gives InvalidFile and nothing else."""

from __future__ import annotations

import bz2
import gzip
import lzma
import subprocess
import sys
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import ebmhw
from ebmhw.errors import InvalidFile
from ebmhw.problems import Formula, MaxCut, Quadratic, read

FILES = {
    "maxcut": "3 3\n1 2 5\n2 3 -2\n1 3 4\n",
    "sat": "c x\np cnf 4 3\n1 -2 0\n-1 2\nc y\n -3 0 4 0\n",
    "maxsat": "p wcnf 3 3 10\n10 1 -2 0\n3 2 0\n4 -1 3 0\n",
    "maxsat-2022": "c x\nh 1 -2 0\n3 2 0\n4 -1 3 0\n",
    "ising": "# vartype=SPIN\n0 0 -1.500000\n0 2 0.250000\n",
    "qubo": "# vartype=BINARY\n0 0 -1.500000\n0 2 0.250000\n",
    "qubo-qbsolv": "c x\np qubo 0 4 2 1\n0 0 -3\n2 2 1\n0 1 4\n",
}
ENCODINGS = {
    "utf-8": lambda s: s.encode(),
    "utf-8-bom": lambda s: s.encode("utf-8-sig"),
    "utf-16-le": lambda s: s.encode("utf-16-le"),
    "utf-16-be": lambda s: s.encode("utf-16-be"),
    "utf-16-bom": lambda s: b"\xfe\xff" + s.encode("utf-16-be"),
}
COMPRESSIONS = {"plain": bytes, "gzip": gzip.compress, "bzip2": bz2.compress, "xz": lzma.compress}


def facts(problem: MaxCut | Formula | Quadratic) -> tuple[object, ...]:
    model = problem.model
    return (problem.kind, repr(problem), model.n, model.offset, model.bias.tolist(), list(model.terms()))


@pytest.mark.parametrize("kind", FILES)
def test_every_form_gives_the_same_problem(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "no.suffix"
    path.write_bytes(FILES[kind].encode())
    expected = read(path)
    assert expected.kind == kind.split("-")[0]
    assert expected.describe(np.ones(expected.model.n))
    for encode, line_end, compress in product(ENCODINGS.values(), ("\n", "\r\n", "\r"), COMPRESSIONS.values()):
        path.write_bytes(compress(encode(FILES[kind].replace("\n", line_end))))
        assert facts(read(str(path))) == facts(expected)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        ("5 0\n", "maxcut"),
        ("5 0\n3 1 0\n", "maxsat"),
        ("# x\n5 0\n# y\n\n", "maxcut"),
        ("3 1 -2 0\n", "maxsat"),
        ("h 1 2\n3 0\n", "sat"),
        ("# x\n#  vartype: SPIN\n1 1 0\n", "ising"),
    ],
)
def test_close_calls(tmp_path: Path, content: str, kind: str) -> None:
    path = tmp_path / "x"
    path.write_text(content)
    assert read(path).kind == kind


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("p edge 3 2\n", ":1: 'p edge 3 2' begins no problem; supported are G-set"),
        ("\n0 1 1.5\n", ":2: '0 1 1.5' begins no problem"),
        ("hello\n", ":1: 'hello' begins no problem"),
        ("c x\n# y\n", ":1: only comments; supported are"),
        ("{}", "dimod COO"),
    ],
)
def test_unknown_kinds_are_refused(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "x"
    path.write_text(content)
    with pytest.raises(InvalidFile) as caught:
        ebmhw.read(path)
    assert str(caught.value).startswith(f"{path}:") and message in str(caught.value)


def test_split_above_reaches_formulas(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text("p cnf 9 1\n1 2 3 4 5 6 7 8 9 0\n")
    with pytest.raises(InvalidFile, match="split_above"):
        read(path)
    assert read(path, split_above=8).model.n == 10


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(sorted(FILES)),
    st.sampled_from(sorted(ENCODINGS)),
    st.sampled_from(sorted(COMPRESSIONS)),
    st.lists(st.tuples(st.integers(0, 200), st.integers(0, 255)), min_size=1, max_size=3),
    st.integers(0, 200),
)
@example("maxcut", "utf-8", "plain", [(0, ord("9"))], 200)
def test_rubbish_is_invalid_and_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, kind: str, encoding: str, compression: str, changes: list[tuple[int, int]], end: int
) -> None:
    data = bytearray(COMPRESSIONS[compression](ENCODINGS[encoding](FILES[kind])))
    for position, value in changes:
        data[position % len(data)] = value
    path = tmp_path_factory.getbasetemp() / "x"
    path.write_bytes(data[: end + 1])
    try:
        problem = read(path)
    except InvalidFile as error:
        assert str(error).startswith(f"{path}:")
    else:
        assert repr(problem)


@pytest.mark.parametrize("kind", ["maxcut", "sat", "maxsat", "qubo-qbsolv"])
@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_every_truncation_is_noticed_in_every_form(tmp_path: Path, kind: str, encoding: str, compression: str) -> None:
    # The kinds whose files say how much they hold. None ends in a number of two digits, of which one would be a number too.
    data = COMPRESSIONS[compression](ENCODINGS[encoding](FILES[kind]))
    path = tmp_path / "x"
    path.write_bytes(data)
    expected = facts(read(path))
    for end in range(0, len(data), 1 if compression == "plain" else 5):
        path.write_bytes(data[:end])
        try:
            found = facts(read(path))
        except InvalidFile:
            continue
        assert found == expected
        assert len(data) - end <= 2 and compression == "plain"


def test_importing_problems_is_cheap() -> None:
    code = "import sys, ebmhw.problems; print([m for m in ('dimod', 'scipy', 'networkx', 'jax', 'torch') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
