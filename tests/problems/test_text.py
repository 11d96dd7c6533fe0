"""Text: every encoding, line end and compression gives the same lines; what is no text is refused by name."""

from __future__ import annotations

import bz2
import codecs
import gzip
import lzma
import os
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebmhw.errors import InvalidFile
from ebmhw.problems import Formula, MaxCut, Quadratic, read
from ebmhw.problems.text import load, show

ENCODINGS = {
    "utf-8": lambda s: s.encode(),
    "utf-8-bom": lambda s: s.encode("utf-8-sig"),
    "utf-16-le": lambda s: s.encode("utf-16-le"),
    "utf-16-be": lambda s: s.encode("utf-16-be"),
    "utf-16-le-bom": lambda s: b"\xff\xfe" + s.encode("utf-16-le"),
    "utf-16-be-bom": lambda s: b"\xfe\xff" + s.encode("utf-16-be"),
}
LINE_ENDS = ("\n", "\r\n", "\r")
COMPRESSIONS = {"plain": bytes, "gzip": gzip.compress, "bzip2": bz2.compress, "xz": lzma.compress}
FORMS = list(product(ENCODINGS, LINE_ENDS, COMPRESSIONS))


def write(path: Path, text: str, encoding: str = "utf-8", line_end: str = "\n", compression: str = "plain") -> Path:
    path.write_bytes(COMPRESSIONS[compression](ENCODINGS[encoding](text.replace("\n", line_end))))
    return path


@pytest.mark.parametrize(("encoding", "line_end", "compression"), FORMS)
def test_every_form_gives_the_same_bytes(tmp_path: Path, encoding: str, line_end: str, compression: str) -> None:
    text = "c grüß\n800 3\n1 2 -1\n\n2 3 1\n"
    assert load(write(tmp_path / "x", text, encoding, line_end, compression)).data == text.encode()


def test_lines_are_counted_from_one(tmp_path: Path) -> None:
    text = load(str(write(tmp_path / "x", "a\n\nb c")))
    assert list(text.lines()) == [(1, 2, b"a"), (2, 3, b""), (3, 6, b"b c")]
    assert list(text.lines(3, 3)) == [(3, 6, b"b c")]
    assert (text.line_at(0), text.line_at(3), text.last_line) == (1, 3, 3)
    assert text.first(b"a", "?") == (3, 6, [b"b", b"c"])
    with pytest.raises(InvalidFile, match="only comments; give more"):
        text.first((b"a", b"b"), "give more")


def test_latin1_comment_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes("c Köln\np cnf 1 0\n".encode("latin-1"))
    assert load(path).data.splitlines()[1] == b"p cnf 1 0"
    assert show("Köln".encode("latin-1")) == "'Köln'"
    assert len(show(b"9" * 1000)) < 50


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b" \r\n\t\n", "the file is empty"),
        (b"\xef\xbb\xbf", "the file is empty"),
        (b"5 1\n1 \x00 2\n", ":2: byte 0x00 at offset 6 does not occur in text"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00", ":2: byte 0x1a"),
        ("5 1\n1 2\n".encode("utf-16-le")[:-1], ":2: byte 14 is no UTF-16-LE"),
        ("5 1\n1 2\n".encode("utf-16-be")[:-1], "byte 14 is no UTF-16-BE"),
        (b"\xff\xfe5\x00\x00\xd8x\x00", ":1: byte 4 is no UTF-16-LE"),
        (codecs.BOM_UTF32_LE + "5 1\n1 2\n".encode("utf-32-le"), ": the text is UTF-32; save it as UTF-8"),
        (codecs.BOM_UTF32_BE + "5 1\n1 2\n".encode("utf-32-be"), ": the text is UTF-32; save it as UTF-8"),
        (gzip.compress("5 1\n".encode("utf-32"), mtime=0), ": the text is UTF-32; save it as UTF-8"),
        (gzip.compress(b"5 0\n", mtime=0)[:-3], "the gzip data is damaged or cut short"),
        (gzip.compress(b"5 0\n", mtime=0) + b"rubbish", "the gzip data is damaged"),
        (bz2.compress(b"5 0\n")[:-3], "the bzip2 data is damaged or cut short"),
        (lzma.compress(b"5 0\n")[:-3], "the xz data is damaged or cut short"),
    ],
)
def test_what_is_no_text_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "x"
    path.write_bytes(content)
    with pytest.raises(InvalidFile) as caught:
        load(path)
    assert str(caught.value).startswith(f"{path}:")
    assert message in str(caught.value)


def test_a_path_that_cannot_be_opened_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "absent", tmp_path, str(tmp_path) + "/\0"):
        with pytest.raises(InvalidFile, match=r"cannot be opened .*; give the path of a readable file"):
            load(path)


@pytest.mark.parametrize("path", [5, None, 1.5, ["x"]])
def test_what_is_no_path_is_refused(path: object) -> None:
    for reader in (load, read, MaxCut.read, Formula.read, Quadratic.read):
        with pytest.raises(InvalidFile, match=r": this is no path; give the path of a readable file"):
            reader(path)  # type: ignore[operator]


def test_a_path_of_bytes_is_named_as_text(tmp_path: Path) -> None:
    with pytest.raises(InvalidFile) as caught:
        load(os.fsencode(tmp_path / "absent"))  # type: ignore[arg-type]
    assert str(caught.value).startswith(f"{tmp_path}/absent: cannot be opened")


def test_a_file_that_expands_too_far_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ebmhw.problems.text.SIZE_LIMIT", 1000)
    path = write(tmp_path / "x", "1 2\n" * 251, compression="gzip")
    with pytest.raises(InvalidFile, match="longer than 1000 bytes"):
        load(path)


@given(st.binary(max_size=60), st.sampled_from([b"", b"\xff\xfe", b"\xfe\xff", b"\x1f\x8b\x08", b"BZh9", b"\xfd7zXZ\x00", b"8\x000\x00"]))
def test_any_bytes_are_text_or_refused(tmp_path_factory: pytest.TempPathFactory, content: bytes, magic: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any"
    path.write_bytes(magic + content)
    try:
        data = load(path).data
    except InvalidFile as error:
        assert str(error).startswith(f"{path}:")
    else:
        assert b"\r" not in data and b"\0" not in data and data.strip()
